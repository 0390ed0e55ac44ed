# SPDX-License-Identifier: BSD-3-Clause
"""Builds what is measured: Viaduct as it is here, and the peers from Debian's source of DPDK."""
import os
import subprocess
import tempfile

from program import BenchError

BUILD_SECONDS = 1800
TARGETS = ["control/viaductd", "control/cli/viaductctl",
           *(f"test/bench/{name}" for name in ("bench_esp", "bench_gateway", "bench_workers", "fill_tunnels", "spin"))]


def _do(progress, what, *argv):
    progress.say(what)
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        try:
            status = subprocess.run(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                    timeout=BUILD_SECONDS).returncode
        except FileNotFoundError:
            raise BenchError(f"{what}: {argv[0]} is missing; scripts/install-packages bench") from None
        except subprocess.TimeoutExpired:
            status = f"none after {BUILD_SECONDS} s"
        if status == 0:
            return
        log.seek(0)
        tail = "".join(f"\n    {line.rstrip()}" for line in log.readlines()[-15:])
    raise BenchError(f"{what}: {' '.join(argv)} failed, status {status}{tail}")


def packages(top, progress):
    _do(progress, "packages: scripts/install-packages bench", f"{top}/scripts/install-packages", "bench")


def viaduct(top, progress):
    """The build directory. ninja builds only what is not up to date."""
    build = f"{top}/build-bench/viaduct"
    if not os.path.exists(f"{build}/build.ninja"):
        _do(progress, "building Viaduct (1 minute): meson",
            "meson", "setup", build, top, "--buildtype=release")
    _do(progress, "building Viaduct: ninja", "ninja", "-C", build, *TARGETS)
    return build


def peers(top, progress):
    """The directory of ipsec-secgw and l3fwd."""
    peers_directory = f"{top}/build-bench/dpdk-examples"
    built = os.path.exists(f"{peers_directory}/.built")
    _do(progress, "ipsec-secgw and l3fwd" + ("" if built else " from Debian's dpdk source (1 minute, once)"),
        f"{top}/scripts/bench/dpdk-examples", peers_directory)
    return peers_directory
