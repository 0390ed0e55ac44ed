# SPDX-License-Identifier: BSD-3-Clause
"""What it was measured on and with."""
import os
import platform
import re
import subprocess

_TELLING = ("aes", "vaes", "pclmulqdq", "vpclmulqdq", "avx2", "avx512f", "avx512bw", "avx512ifma",
            "sha_ni", "gfni")


def _field(text, name):
    found = re.search(rf"^{name}\s*: *(.*)$", text, re.MULTILINE)
    return found[1] if found else None


def describe(host):
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        cpu = f.read()
    with open("/proc/meminfo", encoding="ascii") as f:
        memory = int(_field(f.read(), "MemTotal").split()[0]) // 1024
    return {"cpu": _field(cpu, "model name"), "cpus": host.cpus, "measured_on_cpu": host.cpu,
            "hypervisor": "hypervisor" in (_field(cpu, "flags") or ""), "memory_mb": memory,
            "huge_pages": host.huge, "huge_pages_free_mb": host.huge_mb,
            "flags": (_field(cpu, "flags") or "").split()}


def telling_flags(machine):
    return " ".join(f for f in _TELLING if f in machine["flags"])


def _said(*argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _commit(top):
    # Somebody else's checkout is no reason to refuse.
    git = ["git", "-c", f"safe.directory={top}", "-C", top]
    commit = _said(*git, "rev-parse", "--short=12", "HEAD")
    changed = commit and _said(*git, "status", "--porcelain", "--untracked-files=no")
    return f"{commit}, with changes" if changed else commit


def versions(top, builds):
    return {"viaduct": _commit(top), "builds": [os.path.basename(b) for b in builds],
            "dpdk": _said("pkg-config", "--modversion", "libdpdk"),
            "ipsec_mb": _said("dpkg-query", "-W", "-f", "${Version}", "libipsec-mb1"),
            "kernel": platform.release()}
