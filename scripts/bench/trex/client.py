# SPDX-License-Identifier: BSD-3-Clause
"""TRex's STLClient: found, connected, and a trial of it with what its own counters say."""
import argparse
import contextlib
import os
import re
import subprocess
import sys
import time
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.append(os.path.join(HERE, "..", "lib"))
# pylint: disable=wrong-import-position
from counters import BACK, WAY, Gateways, drops, passed, spread

PORTS = (0, 1)
PATIENCE = 20  # seconds for an answer of TRex's, whose machine may be busy
SETTLE = 0.5  # seconds without a packet after which all have arrived
DRAIN = 10  # seconds that packets may be under way for


def rate(text):
    number = re.fullmatch(r"(\d+(?:\.\d+)?)([kM]?)", text)
    if not number or float(number[1]) == 0:
        raise argparse.ArgumentTypeError("packets a second: 20000, 20k or 1.5M")
    return float(number[1]) * {"": 1, "k": 1e3, "M": 1e6}[number[2]]


def positive(text):
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError("more than 0")
    return number


def percentage(text):
    number = float(text)
    if not 0 <= number < 100:
        raise argparse.ArgumentTypeError("0 to 100")
    return number


def add_arguments(parser):
    """What play and ndr have in common."""
    parser.add_argument("--trex", default=os.environ.get("TREX_DIR"), metavar="DIR",
                        help="TRex's directory [$TREX_DIR]")
    parser.add_argument("--server", default="127.0.0.1", metavar="HOST",
                        help="where TRex runs [127.0.0.1]")
    parser.add_argument("--gateway-a", metavar="COMMAND",
                        help="viaductctl of gateway a, e.g. 'ssh gw-a viaductctl', to show its counters")
    parser.add_argument("--gateway-b", metavar="COMMAND", help="of gateway b")
    parser.add_argument("--ports", choices=("0", "1", "both"), default="both",
                        help="which of TRex's ports send [both]")
    parser.add_argument("--json", metavar="FILE", help="write the results there, too")
    parser.add_argument("--check", action="store_true",
                        help="only look whether arguments and TRex are right")


def stl_api(directory):
    """The API module of the user's TRex, which brings all that it needs."""
    where = directory and os.path.join(directory, "automation/trex_control_plane/interactive")
    if not where or not os.path.isdir(os.path.join(where, "trex", "stl")):
        raise SystemExit(f"{directory or 'TREX_DIR is not set'}: not a TRex directory. Name the one that "
                         "has t-rex-64 and automation/ in it, with --trex or in TREX_DIR.")
    sys.path.insert(0, where)
    warnings.simplefilter("ignore")  # its old scapy names ciphers that are out of use
    try:
        import trex.stl.api as api
    except ImportError as error:
        raise SystemExit(f"TRex's Python library in {where} does not load: {error}") from error
    return api


def streams(api, name, tunables, port):
    """A profile's streams for a port; direction 0 is from port 0 to port 1."""
    path = name if os.sep in name else os.path.join(HERE, "profiles", name.removesuffix(".py") + ".py")
    try:
        profile = api.STLProfile.load_py(path, direction=port, port_id=port, tunables=list(tunables))
    except api.STLError as error:
        raise SystemExit(f"{path}: {error}") from error
    if profile is None:  # it printed its help, or what is wrong with a tunable
        raise SystemExit(2)
    return profile.get_streams()


def tagged(found):
    """Without what TRex has under the name "global"."""
    return sorted((tag, f) for tag, f in found.items() if isinstance(tag, int))


def flows(stats):
    """What the packets' own tags say, for the streams that have one."""
    return [{"id": tag, "sent": sum(v for k, v in f["tx_pkts"].items() if k != "total"),
             "received": sum(v for k, v in f["rx_pkts"].items() if k != "total")}
            for tag, f in tagged(stats["flow_stats"])]


def latencies(stats):
    return [{"id": tag, **{k: f["latency"][k] for k in ("average", "total_min", "total_max", "jitter")},
             **{k: f["err_cntrs"][k] for k in ("dropped", "dup", "out_of_order")}}
            for tag, f in tagged(stats["latency"])]


class Bench:
    """TRex and both gateways; a trial is one stretch of sending."""

    def __init__(self, api, trex, options):
        self.api, self.trex = api, trex
        self.gateways = Gateways(options.gateway_a, options.gateway_b)
        self.senders = list(PORTS if options.ports == "both" else (int(options.ports),))
        self.info = trex.get_port_info(ports=list(PORTS))

    def load(self, name, tunables):
        if os.sep not in name and self.info[0]["driver"] == "net_memif":
            tunables = [*tunables, "--whole"]
        self.trex.reset(ports=list(PORTS))
        for port in self.senders:
            self.trex.add_streams(streams(self.api, name, tunables, port), ports=[port])

    def drain(self):
        """Wait until nothing more arrives."""
        end, before = time.monotonic() + DRAIN, None
        while time.monotonic() < end:
            stats = self.trex.get_stats(ports=list(PORTS))
            now = [stats[port][name] for port in PORTS for name in ("opackets", "ipackets")]
            if now == before:
                return
            before = now
            time.sleep(SETTLE)

    def active(self):
        return self.trex.is_traffic_active(ports=self.senders)

    def send(self, pps, seconds):
        """How long it took and how busy TRex was. Where it cannot keep up it still sends all the
        packets that rate and time make, only later: that is not waited for."""
        begin, took, busy = time.monotonic(), 0, None
        self.trex.start(ports=self.senders, mult=f"{pps:.0f}pps", duration=seconds, force=True)
        while self.active() and took < 2 * seconds + 1:
            time.sleep(0.02)
            took = time.monotonic() - begin
            if busy is None and took > 0.8 * seconds:
                busy = self.trex.get_stats()["global"]["cpu_util"]
        late = self.active()
        if late:
            self.trex.pause(ports=self.senders)
        self.drain()
        if late:  # tagged packets are counted until then
            self.trex.stop(ports=self.senders, rx_delay_ms=0)
        else:
            self.trex.wait_on_traffic(ports=self.senders, timeout=5, rx_delay_ms=0)
        in_time = took < 1.05 * seconds + 0.2  # the client itself needs some time
        return seconds if in_time else took, busy or 0

    def trial(self, pps, seconds):
        """One dict for each direction; what is not of one direction is in the first."""
        on_the_way = self.gateways.counters()
        self.trex.clear_stats()
        took, busy = self.send(pps, seconds)
        stats, at_the_end = self.trex.get_stats(), self.gateways.counters()
        results = []
        for port in self.senders:
            sent, received = stats[port]["opackets"], stats[1 - port]["ipackets"]
            results.append({
                "from": port, "to": 1 - port, "seconds": took, "asked_pps": pps,
                "sent_pps": sent / took, "sent": sent, "received": received, "lost": sent - received,
                "sent_bytes": stats[port]["obytes"], "received_bytes": stats[1 - port]["ibytes"],
                "loss_percent": 100 * (sent - received) / sent if sent else 0.0,
                "viaductd": passed(on_the_way, at_the_end, WAY if port == 0 else BACK),
                "vtis": spread(on_the_way, at_the_end, "ab"[port])})
        results[0].update(
            cpu_percent=busy, flows=flows(stats), latency=latencies(stats),
            drops={f"gateway {g}: {why}": n for (g, why), n in drops(on_the_way, at_the_end).items()})
        return results


@contextlib.contextmanager
def connected(options, api):
    """A Bench, as long as it is needed."""
    trex = api.STLClient(server=options.server, sync_timeout=PATIENCE, async_timeout=PATIENCE)
    try:
        trex.connect()
        trex.acquire(ports=list(PORTS), force=True)
        trex.reset(ports=list(PORTS))
        yield Bench(api, trex, options)
        trex.reset(ports=list(PORTS))
    except api.STLError as error:
        raise SystemExit(f"TRex at {options.server}: {error}") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise SystemExit(f"a gateway's counters: {error}") from error
    finally:
        trex.disconnect()
