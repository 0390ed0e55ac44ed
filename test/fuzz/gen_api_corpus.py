#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Inputs for fuzz_api: each request structure once as it should be, frames that carry them, and what a
client that changes things does with them: life cycles, batches that succeed and fail, snapshots.

    gen_api_corpus.py DIRECTORY
"""
import os
import struct
import sys


def addr(text):
    return struct.pack("<B3x16s", 4, bytes(int(x) for x in text.split(".")))


ANY = bytes(20)
A, B = addr("192.0.2.1"), addr("192.0.2.2")
SA_ID = A + struct.pack("<II", 10001, 0)
SELECTOR = struct.pack("<BBH4H", 4, 0, 0, 0, 65535, 0, 65535) + b"".join(
    bytes(x).ljust(16, b"\0") for x in ((10, 1), (10, 1, 255, 255), (10, 2), (10, 2, 255, 255)))
VTI = (struct.pack("<16sI", b"vti0", 0x1FF) + A + B + struct.pack("<7I", 100, 7, 5, 0, 1400, 1, 1)
       + b"to site B".ljust(128, b"\0"))
SA = (SA_ID + B + struct.pack("<HHBBBB", 4500, 4500, 1, 2, 2, 1) + struct.pack("<6IQ", 3, 100, 0, 0, 0, 64, 0)
      + struct.pack("<6Q", 3000, 3600, 0, 0, 0, 0) + struct.pack("<HHI", 16, 32, 0)
      + bytes(range(64)) + bytes(range(64)) + SELECTOR.ljust(16 * len(SELECTOR), b"\0"))
ROUTE = (addr("10.2.0.0") + struct.pack("<BBBBII", 16, 1, 0, 0, 0, 0) + ANY
         + b"vti0".ljust(16, b"\0") + bytes(16))
# In the order of API_REQUESTS (api_handlers.h), with a message that carries each.
REQUESTS = [
    ("none", 2, b""),
    ("hello", 1, struct.pack("<II32sII", 2, 4711, b"fuzz", 0, 0)),
    ("subscribe", 3, struct.pack("<II", 15, 0)),
    ("snapshot", 7, struct.pack("<II", 0, 0)),
    ("vti", 10, VTI),
    ("name", 12, b"vti0".ljust(16, b"\0")),
    ("spi_alloc", 20, B + A + struct.pack("<II", 256, 0xFFFFFFFF)),
    ("sa", 21, SA),
    ("sa_id", 23, SA_ID),
    ("sa_update", 26, SA_ID + B + A + struct.pack("<HHIII", 4500, 4500, 1, 0, 0)),
    ("policy", 30, struct.pack("<B3x5I", 1, 100, 7, 0, 0, 0) + B + A + SELECTOR),
    ("route", 40, ROUTE),
    ("route_lookup", 43, addr("10.2.3.4")),
    ("reload", 60, struct.pack("<II", 1, 0)),
]
OUT = (B + struct.pack("<II", 10002, 0) + A + struct.pack("<HHBBBB", 0, 0, 2, 3, 0, 0) + struct.pack("<6IQ", 0, 100, 7, 0, 0, 0, 0)
       + bytes(48) + struct.pack("<HHI", 20, 0, 0) + bytes(range(128)))
OUT_ID, OTHER_ID = OUT[:28], B + struct.pack("<II", 9999, 0)
UPDATE = OUT_ID + A + addr("192.0.2.3") + struct.pack("<HHIII", 0, 0, 0, 0, 0)
POLICY = struct.pack("<B3x5I", 1, 100, 7, 0, 0, 0) + B + A + SELECTOR
HOLE = addr("10.3.0.0") + struct.pack("<BBBBII", 16, 6, 0, 0, 9, 0) + ANY + bytes(32)
NAME, NONE = b"vti0".ljust(16, b"\0"), b""
BEGIN, COMMIT, ABORT = (4, NONE), (5, NONE), (6, NONE)
VTI_ADD, SA_ADD, POLICY_ADD, ROUTE_ADD = (10, VTI), (21, SA), (30, POLICY), (40, ROUTE)
SHOW = [(13, NONE), (24, NONE), (32, NONE), (42, NONE), (7, bytes(8)), (61, NONE)]
# Each a list of (message, structure). A structure without its end, the selectors, has the odd flag 1.
SESSIONS = {
    "life": [VTI_ADD, POLICY_ADD, SA_ADD, (21, OUT), ROUTE_ADD, (40, HOLE), *SHOW, (23, SA_ID), (11, VTI), (26, UPDATE),
             (41, ROUTE), (41, HOLE), (31, POLICY), (22, SA_ID), (12, NAME), (25, NONE), (33, NONE)],
    "batch_done": [BEGIN, VTI_ADD, POLICY_ADD, SA_ADD, (21, OUT), ROUTE_ADD, COMMIT, *SHOW],
    "batch_undone": [BEGIN, VTI_ADD, POLICY_ADD, SA_ADD, (40, HOLE), (21, OUT), (22, OTHER_ID), COMMIT, *SHOW],
    "batch_deletes_undone": [VTI_ADD, POLICY_ADD, SA_ADD, (21, OUT), (40, HOLE), BEGIN, (22, SA_ID), (26, UPDATE), (31, POLICY),
                             (41, HOLE), (12, NAME), (21, OUT), (22, OTHER_ID), COMMIT, *SHOW],
    "batch_aborted": [BEGIN, VTI_ADD, SA_ADD, ABORT, COMMIT, BEGIN, BEGIN, (24, NONE), VTI_ADD, COMMIT],
    "batch_left": [VTI_ADD, BEGIN, SA_ADD, (12, NAME)],
    "twice": [VTI_ADD, VTI_ADD, SA_ADD, SA_ADD, POLICY_ADD, POLICY_ADD, ROUTE_ADD, ROUTE_ADD, (31, POLICY), (31, POLICY), (31, POLICY)],
    "spi": [(20, B + A + struct.pack("<II", 10001, 10001)), SA_ADD, (20, B + A + struct.pack("<II", 10001, 10001)),
            (20, B + A + struct.pack("<II", 256, 257)), (20, B + A + struct.pack("<II", 256, 257)), (20, B + A + struct.pack("<II", 256, 257))],
    "events": [(3, struct.pack("<II", 31, 1)), VTI_ADD, SA_ADD, (21, OUT), (11, VTI), (22, SA_ID), (25, NONE), (12, NAME), (3, bytes(8))],
    "rebind": [SA_ADD, (21, OUT), VTI_ADD, POLICY_ADD, (11, VTI), (31, POLICY), (12, NAME), VTI_ADD, (24, NONE)],
    "reload": [VTI_ADD, (60, struct.pack("<II", 0, 0)), (60, struct.pack("<II", 1, 0)), (61, NONE)],
}


def frame(kind, payload, number=1):
    return struct.pack("<IHHII", len(payload), kind, 0, number, 0) + payload


def main(directory):
    os.makedirs(directory, exist_ok=True)

    def write(name, data):
        with open(os.path.join(directory, name), "wb") as f:
            f.write(data)

    # The check's number is taken modulo their count; bit 7 says that it is a check.
    first = next(n for n in range(0x80, 0x100) if n % len(REQUESTS) == 0)
    for i, (name, kind, payload) in enumerate(REQUESTS):
        write("check_" + name, bytes([first + i]) + payload)
        write("frame_" + name, b"\1\1" + frame(kind, payload))
    for name, session in SESSIONS.items():
        write("session_" + name, b"\x40\3" + b"".join(bytes([kind, payload in (SA, OUT) and len(payload) < len(SA)]) + payload
                                                    for kind, payload in session))
    write("session_reader", b"\x40\1" + b"".join(bytes([kind, 0]) + payload for _, kind, payload in REQUESTS))
    hello = frame(1, REQUESTS[1][2])
    write("hello_then_dumps", b"\1\0" + hello + b"".join(frame(k, b"", k) for k in (13, 24, 32, 50, 52)))
    write("other_first", b"\1\0" + frame(52, b""))
    write("too_long", b"\1\1" + struct.pack("<IHHII", 16385, 2, 0, 1, 0))
    write("id_zero", b"\1\1" + frame(52, b"", 0))
    write("half_a_frame", b"\1\1" + frame(52, b"") + frame(3, bytes(8))[:19])


main(sys.argv[1])
