# SPDX-License-Identifier: BSD-3-Clause
"""IPsec-MB alone: the crypto of one packet and nothing else (test/bench/bench_esp)."""
import re
import subprocess

import captures
from program import BenchError

_NAMES = {  # bench_esp's
    "aes-cbc-128-sha1": "aes-cbc-128 sha1",
    "aes-cbc-128-sha256": "aes-cbc-128 sha256",
}


def parse(text):
    """The median round of each size's encrypting: `aes-gcm-128 alone  56.0 (  58.3)  x1.00 ...`"""
    return [float(median) for median in re.findall(r"alone +[\d.]+ \( *([\d.]+)\)", text)]


class Alone:
    def __init__(self, name, host, build, algorithm, size):
        self.name = name
        self.mix = captures.IMIX_PARTS if size == captures.IMIX else ((size, 1),)
        self.start = ["taskset", "-c", str(host.cpu), f"{build}/test/bench/bench_esp"]
        self.rest = ["256", _NAMES.get(algorithm, algorithm), ",".join(str(size) for size, _ in self.mix)]

    def sample(self, seconds, hz):
        argv = [*self.start, str(seconds / len(self.mix)), *self.rest]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30 + 4 * seconds)
        medians = parse(done.stdout)
        if done.returncode != 0 or len(medians) != len(self.mix):
            raise BenchError(f"{' '.join(argv)}: {(done.stderr or done.stdout).strip()[-400:]}")
        packets = sum(count for _, count in self.mix)
        cycles = sum(m * count for m, (_, count) in zip(medians, self.mix)) / packets
        return {"cycles": cycles, "packets": round(seconds * hz / cycles), "cpu_seconds": seconds}

    def stop(self):
        pass
