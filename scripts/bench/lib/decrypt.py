# SPDX-License-Identifier: BSD-3-Clause
"""Decrypting, with replay protection on: whole turns of a decrypting worker that an encrypting one
feeds, in one process (test/bench/bench_gateway). A replayed capture would repeat its sequence
numbers."""
import json
import os
import subprocess

from program import BenchError

_NAMES = {
    "aes-cbc-128-sha1": "aes-cbc-128 sha1",
    "aes-cbc-128-sha256": "aes-cbc-128 sha256",
}
START_SECONDS = 60


def bench_name(algorithm):
    """What the programs in test/bench call it."""
    return _NAMES.get(algorithm, algorithm)


def program(build):
    return f"{build}/test/bench/bench_gateway"


class Decrypt:
    """A sample is its median round; `name` is the decrypting worker's figure, others go with it."""

    def __init__(self, name, host, build, algorithm, size, *more):
        if not os.access(program(build), os.X_OK):
            raise BenchError(f"{program(build)} is not built: run ninja -C {build}")
        self.name = name
        self.argv = [program(build), "--json", "--cpu", str(host.cpu), "--size", str(size),
                     "--alg", bench_name(algorithm), *map(str, more), *(["--huge"] if host.huge else [])]

    def sample(self, seconds, hz):
        argv = [*self.argv, "--seconds", str(seconds)]
        done = subprocess.run(argv, capture_output=True, text=True,
                              timeout=START_SECONDS + 4 * seconds)
        if done.returncode != 0:
            raise BenchError(f"{' '.join(argv)}: {(done.stderr or done.stdout).strip()[-400:]}")
        got = json.loads(done.stdout)
        median = {k: v["median"] for k, v in got.items() if isinstance(v, dict)}
        return {"cycles": median["decrypt"], "packets": round(seconds * hz / median["decrypt"]),
                "cpu_seconds": seconds, "limit": median["decrypt_limit"], "all": got}

    def stop(self):
        pass
