# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark from its command line to its reports."""
import os
import shutil
import signal
import sys
import time

import bars
import machine
import options as command_line
import plan
import plot
import prepare
import report
import runner
import table
from host import Host
from noise import Spin
from program import BenchError
from progress import Progress

TOP = os.path.abspath(f"{os.path.dirname(__file__)}/../../..")
NO_TESTPMD = "dpdk-testpmd is missing: apt-get install dpdk-dev (or scripts/install-packages bench)"


def interrupted(number, _):
    raise SystemExit(128 + number)


def spin_program(builds):
    for b in builds:
        if os.access(f"{b}/test/bench/spin", os.X_OK):
            return f"{b}/test/bench/spin"
    raise BenchError(f"{builds[0]}/test/bench/spin is not built: run ninja -C {builds[0]}")


def prepared(options, progress):
    """Directories of the builds and of the peers (None: cannot be had), and what is skipped for it."""
    peers, skipped = None, []
    builds = options.build
    if not builds:
        prepare.packages(TOP, progress)
        builds = [prepare.viaduct(TOP, progress)]
    if not shutil.which("dpdk-testpmd"):
        raise BenchError(NO_TESTPMD)
    wanted = {"secgw", "l3fwd"} & set(options.programs)
    if wanted and {"sizes", "algorithms"} & set(options.parts):
        try:
            peers = prepare.peers(TOP, progress)
        except BenchError as e:
            skipped.append({"what": " and ".join(sorted(wanted)), "why": str(e)})
            options.programs = tuple(p for p in options.programs if p not in wanted)
    return builds, peers, skipped


def measure(options, builds, peers, progress):
    host = Host(options.huge)
    try:
        bench = runner.Bench(host, builds, peers, Spin(host, spin_program(builds)), options, progress)
        results = []
        for group in plan.groups(options):
            results.append(runner.run(group, bench))
            progress.clear()
            print(results[-1]["title"])
            print("\n".join(table.text(table.rows(results[-1], bench.spin.hz))), flush=True)
        return results, bench, machine.describe(host)
    finally:
        host.close()


def main(argv, description):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    options = command_line.parse(argv, description)
    progress = Progress()
    started = time.time()
    try:
        if os.geteuid() != 0:
            raise BenchError("needs root (network namespaces, the scheduler's figures): use sudo")
        builds, peers, skipped = prepared(options, progress)
        results, bench, described = measure(options, builds, peers, progress)
    except BenchError as e:
        progress.clear()
        raise SystemExit(f"run: {e}") from None
    whole = report.make(argv, started, options, described, machine.versions(TOP, builds), bench, results,
                        bars.of(results), skipped + bench.skipped)
    print("\n".join(report.summary(whole)))
    try:
        if options.json:
            report.write_json(options.json, whole)
        if options.svg:
            plot.write(options.svg, whole)
        if options.markdown:
            report.write_markdown(options.markdown, whole, options.svg)
    except OSError as e:
        raise SystemExit(f"run: {e.filename}: {e.strerror}") from None
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], __doc__))
