#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Send back what a wire has carried, mutated: into the gateway that is at its end.

    mutate_wire.py DEVICE GATEWAY_MAC SECONDS RATE SEED

Frames are captured on DEVICE as they pass, in both directions, all the time. At the end one line says how
many frames were captured and sent. The same SEED gives the same decisions, not the same frames.
"""
import random
import socket
import struct
import sys
import time

device, mac, seconds, rate, seed = sys.argv[1], bytes.fromhex(sys.argv[2].replace(":", "")), *map(int, sys.argv[3:6])
KEEP = 4096  # captured frames at most
LONGEST = 1514
ODD = (0, 1, 2, 4, 8, 20, 40, 45, 50, 51, 59, 60, 63, 64, 127, 128, 254, 255)
rng = random.Random(seed)


def ip_at(frame):
    """Offset and version of the IP header; (0, 0): there is none."""
    at = 14
    while frame[at - 2:at] == b"\x81\x00" and len(frame) > at + 4:
        at += 4
    version = {b"\x08\x00": 4, b"\x86\xdd": 6}.get(bytes(frame[at - 2:at]), 0)
    return (at, version) if version and len(frame) >= at + (20 if version == 4 else 40) else (0, 0)


def mend(frame):
    """The IPv4 header checksum, lest every mutation ends there."""
    at, version = ip_at(frame)
    size = (frame[at] & 15) * 4 if version == 4 else 0
    if size < 20 or len(frame) < at + size:
        return frame
    frame[at + 10:at + 12] = bytes(2)
    total = sum(struct.unpack("!%dH" % (size // 2), frame[at:at + size]))
    total = (total & 0xffff) + (total >> 16)
    frame[at + 10:at + 12] = struct.pack("!H", ~(total + (total >> 16)) & 0xffff)
    return frame


def flip(f):
    for _ in range(rng.randint(1, 4)):
        f[rng.randrange(len(f))] ^= 1 << rng.randrange(8)
    return [f]


def flip_headers(f):
    for _ in range(rng.randint(1, 3)):
        f[12 + rng.randrange(min(60, len(f) - 12))] = rng.choice(ODD)
    return [f]


def truncate(f):
    return [f[:rng.randint(1, len(f))]]


def lengthen(f):
    return [f + rng.randbytes(rng.randint(1, 64))]


def lengths(f):
    """Another length in the IP or the UDP header."""
    at, version = ip_at(f)
    where = rng.choice((2, 24)) if version == 4 else rng.choice((4, 44))
    if version and len(f) >= at + where + 2:
        old = struct.unpack_from("!H", f, at + where)[0]
        new = rng.choice((old + rng.randint(-40, 40), rng.randint(0, 65535), 0, 65535))
        struct.pack_into("!H", f, at + where, new & 0xffff)
    return [f]


def again(f):
    return [f] * rng.randint(1, 4)


def cut4(f, at):
    head, payload = f[:at + (f[at] & 15) * 4], f[at + (f[at] & 15) * 4:]
    edges = sorted({0, len(payload), *(rng.randrange(len(payload) + 1) & ~7 for _ in range(rng.randint(1, 3)))})
    for a, b in zip(edges, edges[1:]):
        if rng.random() < 0.1:
            a = max(0, a - 8)  # overlaps
        piece = head + payload[a:b]
        struct.pack_into("!H", piece, at + 2, len(piece) - at)
        struct.pack_into("!H", piece, at + 6, a // 8 | (0x2000 if b < len(payload) else 0))
        yield piece


def cut6(f, at):
    head, payload, ident = f[:at + 40], f[at + 40:], rng.getrandbits(32)
    edges = sorted({0, len(payload), *(rng.randrange(len(payload) + 1) & ~7 for _ in range(rng.randint(1, 3)))})
    for a, b in zip(edges, edges[1:]):
        more = b < len(payload)
        piece = head + struct.pack("!BBHI", f[at + 6], 0, a | more, ident) + payload[a:b]
        piece[at + 6] = 44
        struct.pack_into("!H", piece, at + 4, len(piece) - at - 40)
        yield piece


def fragments(f):
    at, version = ip_at(f)
    if not version or (version == 4 and not 20 <= (f[at] & 15) * 4 < len(f) - at):
        return [f]
    pieces = list(cut4(f, at) if version == 4 else cut6(f, at))
    rng.shuffle(pieces)
    return pieces[:-1] if rng.random() < 0.2 and len(pieces) > 1 else pieces


def swap(f):
    """The end of another frame."""
    other = rng.choice(kept)
    at = rng.randrange(12, len(f) + 1) if len(f) >= 12 else 0
    return [f[:at] + other[at:]]


def spi_and_number(f):
    at, version = ip_at(f)
    esp = at + (20 if version == 4 else 40) + rng.choice((0, 8))
    if version and len(f) >= esp + 8:
        struct.pack_into("!I", f, esp + rng.choice((0, 4)), rng.choice((0, 1, rng.getrandbits(32), 0xffffffff)))
    return [f]


def tag(f):
    return [f[:12] + struct.pack("!HH", 0x8100, rng.choice((0, 1, 7, 7 | 0xe000, 4095))) + f[12:]]


def turn(f):
    """The addresses exchanged: what one gateway sent comes to it."""
    at, version = ip_at(f)
    a, size = (at + 12, 4) if version == 4 else (at + 8, 16)
    if version:
        f[a:a + 2 * size] = f[a + size:a + 2 * size] + f[a:a + size]
    return [f]


MUTATIONS = (flip, flip, flip_headers, flip_headers, truncate, lengthen, lengths, again, fragments, fragments, swap,
             spi_and_number, tag, turn)
kept, captured, sent = [], 0, 0


def capture(sock):
    global captured
    for _ in range(64):
        try:
            frame = sock.recv(2048)
        except BlockingIOError:
            return
        if len(frame) < 14:
            continue
        captured += 1
        if len(kept) < KEEP:
            kept.append(bytearray(frame))
        else:
            kept[rng.randrange(KEEP)] = bytearray(frame)


def send_one(sock):
    global sent
    frames = [bytearray(rng.choice(kept))]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        frames = [g for f in frames if len(f) > 13 for g in rng.choice(MUTATIONS)(bytearray(f))]
    for f in frames:
        if rng.random() < 0.9:
            f[0:6] = mac
        if rng.random() < 0.7:
            mend(f)
        if len(f) < 14:
            f += bytes(14 - len(f))
        try:
            sock.send(f[:LONGEST])
            sent += 1
        except OSError:
            pass  # the device's queue is full


with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as s:
    s.bind((device, 0))
    s.setblocking(False)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        capture(s)
        for _ in range(max(1, rate // 200) if kept else 0):
            send_one(s)
        time.sleep(0.005)
print("%d captured, %d sent" % (captured, sent))
sys.exit(0 if captured > 100 and sent > 100 else 1)
