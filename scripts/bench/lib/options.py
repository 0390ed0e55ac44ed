# SPDX-License-Identifier: BSD-3-Clause
"""The command line."""
import argparse
import os

import captures

PROGRAMS = ("encrypt", "decrypt", "plain", "secgw", "l3fwd")
PARTS = ("sizes", "algorithms", "tunnels", "routes", "workers")
ALGORITHMS = ("aes-gcm-256", "aes-cbc-128-sha1", "aes-cbc-128-sha256", "chacha20-poly1305")

_MODES = {  # sizes, parts, samples, seconds each; after how many seconds no sample is taken again
    "smoke": ([64], ("sizes", "workers"), 2, 0.1, 20),
    "quick": ([64, 1420, captures.IMIX], ("sizes", "workers"), 5, 0.4, 90),
    "full": ([*captures.SIZES, captures.IMIX], PARTS, 5, 1.0, 1000),
}

_WORKER_SIZES = {"smoke": [64], "quick": [64, 1420], "full": [64, 512, 1420]}


def sizes(text):
    wanted = []
    for word in text.split(","):
        if word == captures.IMIX:
            wanted.append(word)
        elif word.isdigit() and 48 <= int(word) <= 1446:
            wanted.append(int(word))
        else:
            raise argparse.ArgumentTypeError(
                f"'{word}' is neither {captures.IMIX} nor a size of 48 to 1446 bytes")
    return wanted


def _number(low, high, kind):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise argparse.ArgumentTypeError(f"'{text}' is no number from {low} to {high}")
        return value
    return parse


def _build(text):
    if not os.access(f"{text}/control/viaductd", os.X_OK):
        raise argparse.ArgumentTypeError(f"{text}: no viaductd in it; build it first: ninja -C {text}")
    return os.path.abspath(text)


def _only(parser, text):
    words = text.split(",")
    for word in words:
        if word not in PROGRAMS + PARTS:
            parser.error(f"--only {word}: choose from {', '.join(PROGRAMS)} and {', '.join(PARTS)}")
    return tuple(w for w in words if w in PROGRAMS), tuple(w for w in words if w in PARTS)


def parse(argv, description):
    p = argparse.ArgumentParser(prog="scripts/bench/run", description=description,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = p.add_mutually_exclusive_group()
    mode.add_argument("--quick", action="store_const", const="quick", dest="mode", default="quick",
                      help="64 and 1420 bytes and IMIX, AES-GCM-128, and two workers; under 2 minutes (the default)")
    mode.add_argument("--full", action="store_const", const="full", dest="mode",
                      help="all sizes, algorithms, many tunnels and routes, two workers; under 20 minutes")
    mode.add_argument("--smoke", action="store_const", const="smoke", dest="mode",
                      help="does the bench itself work? A few seconds; the figures are worth little")
    p.add_argument("--only", metavar="WHAT,..",
                   help=f"only these: {', '.join(PROGRAMS)}; or only these parts: {', '.join(PARTS)}")
    p.add_argument("--sizes", type=sizes, metavar="N,..", help="inner sizes in bytes, and imix")
    p.add_argument("--samples", type=_number(1, 1000, int), metavar="N", help="of each figure")
    p.add_argument("--seconds", type=_number(0.05, 60, float), metavar="S", help="length of a sample")
    p.add_argument("--build", action="append", type=_build, metavar="DIR",
                   help="measure what is built there, build nothing; given twice, A and B side by side")
    p.add_argument("--huge", action="store_true",
                   help="reserve 6 GB of huge pages for the run (they are used anyway, where there are any)")
    p.add_argument("--json", metavar="FILE", help="all samples and what they were taken on")
    p.add_argument("--svg", metavar="FILE", help="a plot of cycles by size")
    p.add_argument("--markdown", metavar="FILE",
                   help="the results for a document; between its marks, if it has some")
    o = p.parse_args(argv)
    in_mode, parts, samples, seconds, o.retake_seconds = _MODES[o.mode]
    programs = ("encrypt", "decrypt") if o.mode == "smoke" else PROGRAMS
    if o.only:
        only_programs, only_parts = _only(p, o.only)
        programs, parts = only_programs or programs, only_parts or parts
    o.programs, o.parts = programs, parts
    o.worker_sizes = [s for s in o.sizes or _WORKER_SIZES[o.mode] if s != captures.IMIX]
    o.sizes = o.sizes or in_mode
    o.samples, o.seconds = o.samples or samples, o.seconds or seconds
    return o
