#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Inputs for fuzz_client: what a client does, and answers as they should be, or nearly.

    gen_client_corpus.py DIRECTORY
"""
import os
import struct
import sys

REPLY, MORE, EVENT = 1, 2, 4
HELLO, STATUS, VTIS, SAS, SNAPSHOT, EVENTS, GET, DELETE, FLUSH, BEGIN, COMMIT, ABORT = 1, 2, 3, 0x13, 4, 5, 6, 7, 8, 9, 10, 11
# Messages: number, size of the reply; sizes are those of test/unit/api_layout.txt.
LAYOUT = {}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../unit/api_layout.txt")) as f:
    for line in f:
        words = line.split()
        if len(words) == 2 and words[0].startswith("viaduct_"):
            LAYOUT[words[0][8:]] = int(words[1])


def frame(kind, number, data=b"", flags=REPLY, status=0):
    return struct.pack("<IHHII", len(data), kind, flags, number, status) + data


def of(kind, number, name, flags=REPLY):
    return frame(kind, number, bytes(LAYOUT[name]), flags)


def refused(kind, number, text=b"no such SA\0"):
    return frame(kind, number, text, REPLY, 2)


SA_ITEM, SA_END = of(24, 1, "sa_info", REPLY | MORE), frame(24, 1)
SA_EVENT = of(100, 0, "sa_expire", EVENT)
HELLO_OK = frame(1, 1, struct.pack("<II32sII", 2, 1, b"fuzz", 0, 0))
CASES = {
    "hello": ([HELLO], HELLO_OK),
    "status": ([HELLO, STATUS], HELLO_OK + of(2, 2, "status")),
    "dump": ([SAS], 3 * SA_ITEM + SA_END),
    "dump_events": ([SAS, EVENTS], SA_ITEM + SA_EVENT + SA_ITEM + SA_END + SA_EVENT),
    "dump_refused": ([SAS], SA_ITEM + refused(24, 1)),
    "dump_empty_item": ([SAS], frame(24, 1, b"", REPLY | MORE)),
    "snapshot": ([SNAPSHOT], of(13, 1, "vti_info", REPLY | MORE) + SA_ITEM + frame(7, 1)),
    "events": ([EVENTS], SA_EVENT + of(103, 0, "vti_info", EVENT) + of(104, 0, "drops", EVENT)),
    "event_unknown": ([EVENTS], frame(999, 0, b"x" * 40, EVENT)),
    "event_short": ([EVENTS], frame(100, 0, b"x" * 4, EVENT)),
    "event_longer": ([EVENTS], frame(100, 0, bytes(LAYOUT["sa_expire"] + 16), EVENT)),
    "pipelined": ([GET, DELETE, GET, FLUSH], of(23, 1, "sa_info") + frame(22, 2) + refused(23, 3)),
    "pipelined_lost": ([GET, DELETE, GET, FLUSH], of(23, 1, "sa_info")),
    "pipelined_order": ([GET, DELETE, FLUSH], frame(22, 2) + of(23, 1, "sa_info")),
    "batch": ([BEGIN, DELETE, DELETE, COMMIT], frame(4, 1) + frame(22, 2) + frame(22, 3) + frame(5, 4)),
    "batch_refused": ([BEGIN, DELETE, DELETE, COMMIT, STATUS], frame(4, 1) + refused(22, 2) + refused(22, 3) + refused(5, 4)),
    "batch_aborted": ([BEGIN, DELETE, ABORT, STATUS], frame(4, 1) + refused(22, 2) + frame(6, 3) + of(2, 4, "status")),
    "closed": ([STATUS, STATUS], frame(2, 0, b"not admitted\0", REPLY, 13)),
    "too_long": ([STATUS], struct.pack("<IHHII", 16385, 2, REPLY, 1, 0)),
    "text_unended": ([STATUS], frame(2, 1, b"x" * 300, REPLY, 22)),
    "text_none": ([STATUS], frame(2, 1, b"", REPLY, 22)),
    "status_huge": ([STATUS], frame(2, 1, b"x\0", REPLY, 0xFFFFFFFF)),
    "nothing": ([STATUS], b""),
    "half": ([STATUS], of(2, 1, "status")[:30]),
}


def main(directory):
    os.makedirs(directory, exist_ok=True)
    for name, (steps, answers) in CASES.items():
        with open(os.path.join(directory, name), "wb") as f:
            f.write(bytes(steps) + b"\0" + answers)


main(sys.argv[1])
