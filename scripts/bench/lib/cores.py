# SPDX-License-Identifier: BSD-3-Clause
"""Two workers beside one, and beside two that share nothing: what these CPUs can do at most
(test/bench/bench_workers). CPUs that are threads of one core carry less than twice one of them."""
import json
import os
import statistics
import subprocess

from decrypt import bench_name
from program import BenchError

START_SECONDS = 60
QUIET = 1.95  # times one worker, by two independent ones: two cores that do not disturb each other
_ASKED = {"one": (1.6, 0.8), "many": (1.9, 0.95)}  # tunnels: of one worker, of two independent ones
_FIGURES = ("one", "two", "independent")
_RATIOS = ("two_by_one", "independent_by_one", "two_by_independent")
HEAD = ("", "one", "two", "independent", "two / one", "independent / one", "two / independent",
        "two, Mpacket/s", "Gbit/s")


class Cores:
    """A sample is all that the program measured; `cycles` is its first scenario's, by two workers."""

    def __init__(self, name, host, build, algorithm, size):
        program = f"{build}/test/bench/bench_workers"
        if not os.access(program, os.X_OK):
            raise BenchError(f"{program} is not built: run ninja -C {build}")
        self.name = name
        self.argv = [program, "--json", "--cpus", f"{host.main_cpu},{host.cpu}", "--size", str(size),
                     "--alg", bench_name(algorithm), *(["--huge"] if host.huge else [])]

    def sample(self, seconds, hz):
        argv = [*self.argv, "--seconds", str(2 * seconds)]  # it measures seven things
        done = subprocess.run(argv, capture_output=True, text=True, timeout=START_SECONDS + 8 * seconds)
        if done.returncode != 0:
            raise BenchError(f"{' '.join(argv)}: {(done.stderr or done.stdout).strip()[-400:]}")
        got = json.loads(done.stdout)
        return {"cycles": got["scenarios"][0]["two"]["median"], "packets": got["checked"],
                "cpu_seconds": seconds, "cores": got}

    def stop(self):
        pass


def siblings(one, other):
    """Are they threads of one core, by the kernel's word? None: it does not say."""
    try:
        with open(f"/sys/devices/system/cpu/cpu{one}/topology/thread_siblings_list", encoding="ascii") as f:
            text = f.read().strip()
    except OSError:
        return None
    ends = (part.partition("-") for part in text.split(","))
    return any(int(low) <= other <= int(high or low) for low, _, high in ends)


def _rows(name, samples, programs):
    of_all = [s["cores"]["scenarios"] for s in samples]
    build = name[-2:] if name[-2:-1] == " " else ""
    for same in zip(*of_all):
        what = same[0]["name"]
        if what.split(",")[0] in programs:
            yield {"what": f"{what}{build}", "tunnels": "many" if "many tunnels" in what else "one",
                   **{f: {"best": min(s[f]["best"] for s in same),
                          "median": statistics.median(s[f]["median"] for s in same)} for f in _FIGURES},
                   **{r: statistics.median(s[r] for s in same) for r in _RATIOS}}


def judge(kept, host, programs):
    """From the samples of all builds what two workers carry, and by which bar."""
    cpus = (host.main_cpu, host.cpu)
    rows = [r for name, samples in kept.items() if samples for r in _rows(name, samples, programs)]
    together = siblings(*cpus)
    independent = statistics.median(r["independent_by_one"] for r in rows) if rows else 0
    line = [s["cores"]["line_round_trip"] for samples in kept.values() for s in samples]
    return {"cpus": list(cpus), "siblings": together, "independent_by_one": independent,
            "line_round_trip": {"best": min(t["best"] for t in line), "worst": max(t["worst"] for t in line),
                                "median": statistics.median(t["median"] for t in line)} if line else None,
            "two_quiet_cores": not together and independent >= QUIET,
            "checked": sum(s["cores"]["checked"] for samples in kept.values() for s in samples), "rows": rows}


def said(cores):
    """By which bar, and why."""
    one, other = cores["cpus"]
    kernel = {None: "it is not known whether they are threads of one core",
              True: "threads of one core, as the kernel says",
              False: "cores of their own, as the kernel says"}[cores["siblings"]]
    measured = f"two workers that share nothing carry {cores['independent_by_one']:.2f} times one"
    if cores["two_quiet_cores"]:
        bar = "these are two quiet cores, so what is asked is 1.9 times one worker (1.6 with one tunnel)"
    else:
        bar = f"these are not two quiet cores ({QUIET} or more), so what is asked is 0.95 of what those two " \
              "carry (0.80 with one tunnel)"
    trip = cores["line_round_trip"]
    far = f"a cache line to the other one and back takes {trip['median']:.0f} cycles " \
          f"({trip['best']:.0f} to {trip['worst']:.0f})" if trip else "nothing measured"
    return f"CPUs {one} and {other}, {kernel}; {far}; {measured}: {bar}. " \
           f"{cores['checked']} packets looked at: none lost, late or replayed, the order of all flows kept"


def table_rows(group, hz):
    yield HEAD
    for r in group["cores"]["rows"]:
        pps = hz / r["two"]["median"]
        yield (r["what"], *(f"{r[f]['median']:.1f}" for f in _FIGURES), *(f"{r[k]:.2f}" for k in _RATIOS),
               f"{pps / 1e6:.2f}", f"{pps * group['mean_length'] * 8 / 1e9:.2f}")


def asked(group):
    """(what, bound, measured): at least."""
    cores = group["cores"]
    for r in cores["rows"]:
        of_one, of_independent = _ASKED[r["tunnels"]]
        what = f"{r['what']}, {group['size']} bytes: two workers / "
        if cores["two_quiet_cores"]:
            yield f"{what}one worker, packets per second", of_one, r["two_by_one"]
        else:
            yield f"{what}two independent ones, packets per second", of_independent, r["two_by_independent"]
