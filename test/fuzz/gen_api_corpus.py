#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Inputs for fuzz_api: each request structure once as it should be, and frames that carry them.

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
VTI = (struct.pack("<16sI", b"vti0", 0xFF) + A + B + struct.pack("<6I", 100, 7, 5, 0, 1400, 1)
       + b"to site B".ljust(128, b"\0"))
SA = (SA_ID + B + struct.pack("<HHBBBB", 4500, 4500, 1, 2, 2, 1) + struct.pack("<6IQ", 3, 100, 0, 0, 0, 64, 0)
      + struct.pack("<6Q", 3000, 3600, 0, 0, 0, 0) + struct.pack("<HHI", 16, 32, 0)
      + bytes(range(64)) + bytes(range(64)) + SELECTOR.ljust(16 * len(SELECTOR), b"\0"))
ROUTE = (addr("10.2.0.0") + struct.pack("<BBBBII", 16, 1, 0, 0, 0, 0) + ANY
         + b"vti0".ljust(16, b"\0") + bytes(16))
# In the order of API_REQUESTS (api_handlers.h), with a message that carries each.
REQUESTS = [
    ("none", 2, b""),
    ("hello", 1, struct.pack("<II32s", 1, 4711, b"fuzz")),
    ("subscribe", 3, struct.pack("<II", 15, 0)),
    ("vti", 10, VTI),
    ("name", 12, b"vti0".ljust(16, b"\0")),
    ("spi_alloc", 20, B + A + struct.pack("<II", 256, 0xFFFFFFFF)),
    ("sa", 21, SA),
    ("sa_id", 23, SA_ID),
    ("sa_update", 26, SA_ID + B + A + struct.pack("<HHIII", 4500, 4500, 1, 0, 0)),
    ("policy", 30, struct.pack("<B3x5I", 1, 100, 7, 0, 0, 0) + B + A + SELECTOR),
    ("route", 40, ROUTE),
    ("route_lookup", 43, addr("10.2.3.4")),
]


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
    hello = frame(1, REQUESTS[1][2])
    write("hello_then_dumps", b"\1\0" + hello + b"".join(frame(k, b"", k) for k in (13, 24, 32, 50, 52)))
    write("other_first", b"\1\0" + frame(52, b""))
    write("too_long", b"\1\1" + struct.pack("<IHHII", 16385, 2, 0, 1, 0))
    write("id_zero", b"\1\1" + frame(52, b"", 0))
    write("half_a_frame", b"\1\1" + frame(52, b"") + frame(3, bytes(8))[:19])


main(sys.argv[1])
