# SPDX-License-Identifier: BSD-3-Clause
"""Captures of ESP packets, for gateways that decrypt: what viaductd makes of a plain capture."""
import os
import struct
import time

import captures
from program import BenchError
from viaduct import Viaductd

_SECONDS = 5


def frames(path):
    """The whole frames of a capture that may still grow."""
    with open(path, "rb") as f:
        f.read(24)
        while len(head := f.read(16)) == 16:
            length = struct.unpack("<IIII", head)[2]
            if len(data := f.read(length)) < length:
                return
            yield data


def record(host, build, plain, encrypted, algorithm):
    """As many ESP packets as there are in the plain capture, in the order of their sequence numbers."""
    count = sum(1 for _ in frames(plain))
    raw = f"{encrypted}.raw"
    gateway = Viaductd("recorder", host, build, plain, algorithm, record=raw)
    try:
        end = time.monotonic() + _SECONDS
        while os.path.getsize(raw) < 2 * os.path.getsize(plain) + 65536 * 4:
            if time.monotonic() > end:
                raise gateway.fail("encrypts nothing to be recorded")
            time.sleep(0.001)
        gateway.pause()
        esp = [f for f in frames(raw) if f[12:14] == b"\x08\x00" and f[23] == 50][:count]
    finally:
        gateway.stop()
        if os.path.exists(raw):
            os.remove(raw)
    if len(esp) < count:
        raise BenchError(f"recorded {len(esp)} ESP packets, {count} were expected")
    captures.write_frames(encrypted, (captures.PORT_MAC + f[6:] for f in esp))
