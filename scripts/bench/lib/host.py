# SPDX-License-Identifier: BSD-3-Clause
"""This machine while it measures: its CPUs, huge pages, a directory of our own, what runs."""
import os
import re
import shutil
import sys
import tempfile

from program import BenchError

HUGE_NEEDED_MB = 6144  # all programs of a group at once
_PAGES = "/proc/sys/vm/nr_hugepages"


def huge_free_mb(meminfo):
    free = int(re.search(r"HugePages_Free: +(\d+)", meminfo)[1])
    return free * int(re.search(r"Hugepagesize: +(\d+)", meminfo)[1]) // 1024


def huge_free():
    with open("/proc/meminfo", encoding="ascii") as f:
        return huge_free_mb(f.read())


class Host:
    def __init__(self, reserve=False):
        cpus = sorted(os.sched_getaffinity(0))
        self.main_cpu, self.cpu = cpus[0], cpus[-1]
        self.cpus = len(cpus)
        self.programs = []  # of the group that is measured
        self.spin = None
        self.count = 0
        self.reserved_before = None
        self.directory = tempfile.mkdtemp(prefix="viaduct-bench.")
        if reserve:
            self.reserve()
        self.huge_mb = huge_free()
        # All programs alike: huge pages for each of them, or for none.
        self.huge = self.huge_mb >= HUGE_NEEDED_MB

    def reserve(self):
        """Huge pages for this run alone; close() gives them back."""
        with open(_PAGES, "r+", encoding="ascii") as f:
            self.reserved_before = f.read().strip()
            f.seek(0)
            f.write(str(int(self.reserved_before) + HUGE_NEEDED_MB // 2))
        if huge_free() < HUGE_NEEDED_MB:
            got = huge_free()
            self.close()
            raise BenchError(f"--huge: only {got} of {HUGE_NEEDED_MB} MB can be had in huge pages of 2 MB; "
                             "free memory, or run without --huge")

    def new_directory(self, name):
        self.count += 1
        path = f"{self.directory}/{self.count}-{name.replace('/', '-')}"
        os.makedirs(path)
        return path

    def close(self):
        """Everything that was started ends, whatever has gone wrong with one of them."""
        try:
            for p in [*self.programs, *filter(None, [self.spin])]:
                try:
                    p.stop()
                except BenchError as e:
                    print(f"run: {e}", file=sys.stderr)
        finally:
            if self.reserved_before is not None:
                with open(_PAGES, "w", encoding="ascii") as f:
                    f.write(self.reserved_before)
            shutil.rmtree(self.directory, ignore_errors=True)
