# SPDX-License-Identifier: BSD-3-Clause
"""The packets that are replayed: captures in pcap format, made of plain IPv4 and UDP.

Sizes are lengths of the inner IP packet. IMIX is 7 x 64, 4 x 570, 1 x 1420 in every twelve."""
import random
import struct

SIZES = (64, 128, 256, 512, 1024, 1420)
IMIX = "imix"
FRAMES = 256
IMIX_FRAMES = 252  # 21 times the mix
IMIX_PARTS = ((64, 7), (570, 4), (1420, 1))
_MIX = [size for size, count in IMIX_PARTS for _ in range(count)]

PORT_MAC = bytes.fromhex("027063617000")  # the pcap driver's first port
_FROM_MAC = bytes.fromhex("020000000003")

# By these second octets of 10/8 the routes tell the captures apart.
ENCRYPTED, PLAIN, MANY = 2, 3, 64
SPI = 4097  # of the only tunnel, or the first


def lengths(size, count):
    """The inner lengths of `count` packets, the mix in an order that is random but always the same."""
    if size != IMIX:
        return [size] * count
    mix = (_MIX * (count // len(_MIX) + 1))[:count]
    random.Random(1).shuffle(mix)
    return mix


def mean_length(size):
    return sum(_MIX) / len(_MIX) if size == IMIX else size


def address(network, index):
    """10.<network + index's high bits>.<middle>.<low>"""
    return 10 << 24 | network << 16 | index


def text(number):
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def _checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(to, port, length):
    source = address(1, 1)

    def header(check):
        return struct.pack("!BBHHHBBHII", 0x45, 0, length, 0, 0, 64, 17, check, source, to)

    ip = header(_checksum(header(0)))
    udp = struct.pack("!HHHH", port, 9, length - 20, 0)
    return PORT_MAC + _FROM_MAC + b"\x08\x00" + ip + udp + bytes(length - 28)


def write_frames(path, data):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for d in data:
            f.write(struct.pack("<IIII", 0, 0, len(d), len(d)) + d)


def write(path, destinations, size):
    """A capture with one packet for each destination, an IPv4 address as a number."""
    sized = zip(destinations, lengths(size, len(destinations)))
    write_frames(path, (frame(to, 1024 + i % 256, length) for i, (to, length) in enumerate(sized)))


def one_network(network, size):
    """The usual capture: as many packets as stay in the caches, each to another host."""
    return hosts_of(network, IMIX_FRAMES if size == IMIX else FRAMES)


def hosts_of(network, count):
    return [address(network, i) for i in range(count)]


def tunnels(count, frames):
    """One packet to each of `count` tunnels in random order, until there are `frames`."""
    order, draw = [], random.Random(2)
    while len(order) < frames:
        turn = list(range(count))
        draw.shuffle(turn)
        order += turn
    return [address(MANY, i) for i in order[:frames]]


def l3fwd_network(size):
    """Hosts in 198.18.0.0/24, the route that l3fwd has of its own."""
    return [198 << 24 | 18 << 16 | host for host in range(len(one_network(PLAIN, size)))]


def prefixes(count):
    """Different /24 networks at random, none of them one of ours."""
    return [p << 8 for p in random.Random(3).sample(range(11 << 16, 127 << 16), count)]


def hosts(networks, frames):
    """A host in one network each, at random."""
    draw = random.Random(4)
    return [draw.choice(networks) | draw.randrange(1, 255) for _ in range(frames)]
