# SPDX-License-Identifier: BSD-3-Clause
"""Runs one group: starts its programs, samples them in turn, stops them."""
import time

import captures
import cores
import figures
import noise
from program import BenchError

OURS = ("floor", "alone", "encrypt", "plain", "decrypt", "two workers")  # without these there is no result


class Bench:
    """What is measured and on what: the host, builds of Viaduct, the peers' directory, the noise."""

    def __init__(self, host, builds, peers, spin, options, progress):
        self.host, self.builds, self.peers, self.spin = host, builds, peers, spin
        self.options, self.progress = options, progress
        self.deadline = time.monotonic() + options.retake_seconds
        self.skipped = []
        self.failed = False

    def skip(self, what, why, expected=False):
        self.skipped.append({"what": what, "why": str(why)})
        self.failed = self.failed or not expected
        self.progress.say(f"skipped {what}: {why}")


def run(group, bench):
    contenders, notes = [], {}

    def drop(contender, why):
        bench.skip(f"{contender.name} ({group.title})", why, not contender.name.startswith(OURS))
        contenders.remove(contender)

    def add(kind, name, make):
        if kind is not None and kind not in bench.options.programs:
            return
        bench.progress.starting(group.title, name)
        try:
            contenders.append(make(name))
        except BenchError as e:
            bench.skip(f"{name} ({group.title})", e, not name.startswith(OURS))

    try:
        group.make(bench, bench.host.new_directory("captures"), add)
        notes = {c.name: c.made for c in contenders if getattr(c, "made", None)}
        kept, discarded = noise.take(contenders, bench.spin, bench.options.samples, bench.options.seconds,
                                     bench.progress.sample, drop, bench.deadline)
    finally:
        for program in list(bench.host.programs):
            program.stop()
    result = {"part": group.part, "title": group.title, "size": group.size, "algorithm": group.algorithm,
              "mean_length": captures.mean_length(group.size), "samples": kept, "discarded": discarded,
              "notes": notes, "figures": {}}
    if group.part != "workers":
        result["figures"] = figures.of(kept)
        return result
    result["cores"] = cores.judge(kept, bench.host, bench.options.programs)
    if result["cores"]["rows"]:
        notes[f"two workers, {group.size} bytes"] = cores.said(result["cores"])
    return result
