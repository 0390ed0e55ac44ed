# SPDX-License-Identifier: BSD-3-Clause
"""Cycles per packet by stage: what `viaductctl stats cycles` counts while the harness feeds viaductd."""
import argparse
import json
import os
import signal

import captures
import main as bench
import noise
import options as run_options
import prepare
import viaduct
from decrypt import Decrypt
from host import Host
from program import BenchError
from progress import Progress

TOLERANCE = 0.03  # between the stages' sum and the whole turn


class Decrypting(Decrypt):
    """No daemon, but its worker; it is fed by a ring, not by a capture, for replay protection is on."""

    def sample(self, seconds, hz):
        sample = super().sample(seconds, hz)
        stages = {s["stage"]: s["cycles_per_packet"] for s in sample["all"]["decrypt_stages"]}
        return {**sample, "cycles": sample["all"]["decrypt_from_ring"]["median"], "stages": stages,
                "busy_percent": 100.0}


class Forwarding(viaduct.Viaductd):
    """Looks at the stages whenever it looks at the packets."""

    before = now = None

    def counters(self):
        self.before, self.now = self.now, json.loads(self.control("stats", "cycles"))
        return super().counters()

    def sample(self, seconds, hz):
        sample = super().sample(seconds, hz)
        (was,), (is_now,) = self.before["workers"], self.now["workers"]
        packets = is_now["packets"] - was["packets"]
        sample["stages"] = {
            b["stage"]: (b["cycles"] - a["cycles"]) / packets
            for a, b in zip(self.before["stages"], self.now["stages"])}
        busy, idle = (is_now[k] - was[k] for k in ("busy_cycles", "idle_cycles"))
        sample["busy_percent"] = 100 * busy / (busy + idle)
        return sample


def contender(options, size, host):
    if options.what == "decrypt":
        return Decrypting("decrypt", host, options.build, options.alg, size)
    network = captures.PLAIN if options.what == "plain" else captures.ENCRYPTED
    capture = f"{host.new_directory('capture')}/{size}.pcap"
    captures.write(capture, captures.one_network(network, size), size)
    return Forwarding(options.what, host, options.build, capture, options.alg)


def measure(options, size, host, spin, progress):
    """The sample that was disturbed least: whatever takes the CPU from the worker is in its stages."""
    progress.starting(title(options, size), "viaductd")
    program = contender(options, size, host)
    try:
        kept, _ = noise.take([program], spin, options.samples, options.seconds, progress.sample)
    finally:
        program.stop()
    best = min(kept[program.name], key=lambda s: sum(s["stages"].values()))
    return {"size": size, "mean_length": captures.mean_length(size), "cycles_per_packet": best["cycles"],
            "sum": sum(best["stages"].values()), "busy_percent": best["busy_percent"],
            "stages": {name: cycles for name, cycles in best["stages"].items() if cycles >= 0.05}}


def title(options, size=None):
    what = "plain forwarding" if options.what == "plain" else f"{options.what}, {options.alg}"
    return what if size is None else f"{what}, {size}"


def lines(results):
    def row(name, values):
        return name.ljust(12) + "".join(f"{v:>18}" for v in values)

    def of_sum(result, name):
        cycles = result["stages"].get(name, 0.0)
        return f"{cycles:.1f}  {100 * cycles / result['sum']:4.1f} %"

    # As the daemon orders them.
    names = list(dict.fromkeys(name for r in results for name in r["stages"]))
    yield row("", [f"{r['size']}{'' if r['size'] == captures.IMIX else ' bytes'}" for r in results])
    for name in names:
        yield row(name, [of_sum(r, name) for r in results])
    yield row("sum", [f"{r['sum']:.1f}        " for r in results])
    yield row("whole turn", [f"{r['cycles_per_packet']:.1f}        " for r in results])


def disagreements(results):
    for r in results:
        off = r["sum"] / r["cycles_per_packet"] - 1
        if abs(off) > TOLERANCE:
            yield (f"{r['size']}: the stages' sum is {100 * off:+.1f} % off the whole turn; something "
                   f"took the CPU from the worker, or it was idle ({r['busy_percent']:.1f} % busy)")


def parse(argv, description):
    p = argparse.ArgumentParser(prog="scripts/bench/stages", description=description,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--size", type=run_options.sizes, metavar="N,..", default=[64, 1420],
                   help="inner sizes in bytes, and imix [64,1420]")
    p.add_argument("--alg", choices=viaduct.ALGORITHMS, metavar="NAME", default="aes-gcm-128",
                   help=f"one of: {', '.join(viaduct.ALGORITHMS)} [aes-gcm-128]")
    what = p.add_mutually_exclusive_group()
    what.add_argument("--plain", action="store_const", const="plain", dest="what", default="encrypt",
                      help="plain forwarding, no tunnel")
    what.add_argument("--decrypt", action="store_const", const="decrypt", dest="what",
                      help="the other direction; test/bench/bench_gateway takes viaductd's place")
    p.add_argument("--samples", type=int, metavar="N", default=5, help="the fastest is shown [5]")
    p.add_argument("--seconds", type=float, metavar="S", default=1, help="length of a sample [1]")
    p.add_argument("--build", metavar="DIR", help="measure what is built there, build nothing")
    p.add_argument("--json", metavar="FILE", help="the figures")
    return p.parse_args(argv)


def run(options, progress):
    if os.geteuid() != 0:
        raise BenchError("needs root (network namespaces, the scheduler's figures): use sudo")
    options.build = os.path.abspath(options.build or prepare.viaduct(bench.TOP, progress))
    host = Host()
    try:
        spin = noise.Spin(host, bench.spin_program([options.build]))
        results = [measure(options, size, host, spin, progress) for size in options.size]
        return {"what": options.what, "algorithm": None if options.what == "plain" else options.alg,
                "tsc_hz": spin.hz, "sizes": results}
    finally:
        host.close()
        progress.clear()


def main(argv, description):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, bench.interrupted)
    options = parse(argv, description)
    try:
        report = run(options, Progress())
    except BenchError as e:
        raise SystemExit(f"stages: {e}") from None
    print(f"Cycles per packet: {title(options)}")
    print("\n".join(lines(report["sizes"])))
    bad = list(disagreements(report["sizes"]))
    for text in bad:
        print(text)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(report, f, indent=1)
    return 1 if bad else 0
