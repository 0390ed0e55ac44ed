# SPDX-License-Identifier: BSD-3-Clause
"""Is the CPU as fast as it was? A sample that began or ended on a slower one is taken again."""
import subprocess
import time

from program import BenchError

FALL = 0.07  # of additions per TSC cycle, from the run's best
RETAKES = 1  # for each sample wanted


class Spin:
    def __init__(self, host, program):
        self.process = subprocess.Popen([program, str(host.cpu)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        host.spin = self
        self.hz = float(self.process.stdout.readline())
        self.best = 0.0
        for _ in range(5):
            self.rate()

    def rate(self):
        """Additions per TSC cycle now."""
        self.process.stdin.write("\n")
        now = float(self.process.stdout.readline())
        self.best = max(self.best, now)
        return now

    def quiet(self, sample):
        return min(sample["spin"]) >= self.best * (1 - FALL)

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def take(contenders, spin, wanted, seconds, progress, drop=None, deadline=None):
    """Samples of each in turn, until each has `wanted` good ones or the retakes are used up (or the
    deadline on the monotonic clock has passed): then the least bad of the discarded make up what is
    missing, marked as noisy. Returns both, by name.

    drop(contender, why) takes away from the contenders what does not work; without it that is the end."""
    kept = {c.name: [] for c in contenders}
    discarded = {c.name: [] for c in contenders}
    for turn in range(wanted * (1 + RETAKES)):
        if turn >= wanted and deadline is not None and time.monotonic() > deadline:
            break
        for c in [c for c in contenders if len(kept[c.name]) < wanted]:
            before = spin.rate()
            try:
                sample = c.sample(seconds, spin.hz)
            except BenchError as e:
                if drop is None:
                    raise
                drop(c, e)
                continue
            sample["spin"] = [before, spin.rate()]
            good = spin.quiet(sample)
            (kept if good else discarded)[c.name].append(sample)
            progress(c.name, sample, good)
    for name, samples in kept.items():
        rest = sorted(discarded[name], key=lambda s: -min(s["spin"]))
        missing = wanted - len(samples)
        samples += [{**s, "noisy": True} for s in rest[:missing]]
        discarded[name] = rest[missing:]
    return kept, discarded
