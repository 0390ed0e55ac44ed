#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Write the corpus of fuzz_frame: one file for each thing that the parsers know about.

    test/fuzz/gen_frame_corpus.py test/fuzz/corpus/frame
"""
import pathlib
import struct
import sys

from scapy.all import (ARP, Dot1Q, ESP, Ether, fragment, fragment6, ICMP, ICMPv6EchoRequest,
                       ICMPv6ND_NS, ICMPv6PacketTooBig, IP, IPOption_LSRR, IPOption_NOP, IPOption_Router_Alert,
                       IPOption_RR, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                       IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, LLC, PadN, Raw, RouterAlert, TCP, UDP)

PORT0, PORT1, PORT2, INNER, PIECES, TUNNEL, FRAME, FORWARD, ESP_OF, CHAIN, TWIN, HELD, SCARCE = range(13)
MEND = 0x80
IN_PIECES, REVERSE, IN_CHAIN, PAD, TAG, TWICE = (1 << i for i in range(6))
TUNNELS = 12 # fuzz_tunnels.c has these
HOST, FAR, HOST6, FAR6 = "10.1.0.9", "10.2.3.4", "2001:db8:a::9", "2001:db8:b::4"
OUTER = IP(src="192.0.2.9", dst="10.0.1.1")
OUTER6 = IPv6(src="2001:db8:f::9", dst="2001:db8:1::1")
text = Raw(b"viaduct " * 4)


def record(op, data):
    data = bytes(data)
    return bytes([op, len(data) & 0xff, len(data) >> 8]) + data


def frame(port, packet):
    return record(port, Ether(dst=f"02:00:00:00:00:{port:02x}", src="02:00:00:00:01:05") / packet)


def esp_text(packet, pad=None, trailer=None):
    """Text of an ESP packet: padded to 4 bytes, pad length, next header."""
    inner = bytes(packet)
    n = -(len(inner) + 2) % 4 if pad is None else pad
    number = {4: 4, 6: 41}.get(inner[0] >> 4 if inner else 0, 59)
    return inner + bytes(range(1, n + 1)) + bytes([n, number] if trailer is None else trailer)


def esp_of(tunnel, packet, flags=PAD, step=0, tos=0, flips=(), more=0, cut=(0, 0), mend=0):
    """A packet of that tunnel's peer; flips: (offset in the frame, exclusive or)."""
    flips = (list(flips) + [(0, 0)] * 2)[:2]
    how = struct.pack("<BBbBHBHBbBB", tunnel, flags, step, tos, *flips[0], *flips[1], more, *cut)
    return record(ESP_OF | mend, how + bytes(packet))


def chain(port, packet, *cuts, size=0):
    """A frame in buffers cut there, its bytes repeated up to that size."""
    data = bytes(Ether(dst=f"02:00:00:00:00:{port:02x}", src="02:00:00:00:01:05") / packet)
    return record(CHAIN, struct.pack("<BHHH", port, *cuts, size) + data)


def jumbo(tunnel, size):
    return chain(PORT0, IP(src=HOST, dst=net4(tunnel), len=size) / UDP() / text, 60, 1000, size=size + 14)


def net4(tunnel):
    return f"10.{100 + tunnel if tunnel else 2}.3.4"


def net6(tunnel):
    return f"2001:db8:{0x100 + tunnel if tunnel else 0xb:x}::4"


def from_tunnel(tunnel, six=False):
    if six:
        return IPv6(src=net6(tunnel), dst=HOST6) / UDP(sport=2000, dport=1000) / text
    return IP(src=net4(tunnel), dst=HOST) / UDP(sport=2000, dport=1000) / text


def to_tunnel(tunnel, payload=None, six=False):
    payload = UDP(sport=1000, dport=2000) / text if payload is None else payload
    return (IPv6(src=HOST6, dst=net6(tunnel)) if six else IP(src=HOST, dst=net4(tunnel))) / payload


def told_too_big(tunnel, udp):
    """ICMP about an ESP packet of ours."""
    esp = ESP(spi=0x10001 + tunnel, seq=1, data=bytes(8))
    quote = IP(src="10.0.1.1", dst=f"192.0.2.{9 + tunnel}", len=1400)
    quote /= UDP(sport=4500, dport=4500, len=1380) / esp if udp else esp
    return IP(src="198.51.100.1", dst="10.0.1.1") / ICMP(type=3, code=4, nexthopmtu=1300) / Raw(bytes(quote))


def cuts(tunnel):
    """Pieces as large as the least link of the tunnel's outer family would have them."""
    return (0, 160) if tunnel in (3, 4, 7) else (80, 150)


def everywhere(make):
    return b"".join(make(n) for n in range(TUNNELS))


big = Raw(bytes(i & 0xff for i in range(1373)))
syn = TCP(flags="S", options=[("NOP", None), ("MSS", 1460), ("WScale", 7)])
udp4 = IP(src=HOST, dst=FAR) / UDP(sport=1000, dport=2000) / text
udp6 = IPv6(src=HOST6, dst=FAR6) / UDP(sport=1000, dport=2000) / text
back4 = IP(src=FAR, dst=HOST) / UDP(sport=2000, dport=1000) / text
back6 = IPv6(src=FAR6, dst=HOST6) / UDP(sport=2000, dport=1000) / text
esp = ESP(spi=0x10001, seq=0x100000, data=b"\x55" * 48)
ptb4 = IP(src="203.0.113.1", dst="10.0.1.1") / ICMP(type=3, code=4, nexthopmtu=1300)
ptb6 = IPv6(src="2001:db8:7::1", dst="2001:db8:1::1") / ICMPv6PacketTooBig(mtu=1300)
ours4, ours6 = IP(src="10.0.1.1", dst="192.0.2.9"), IPv6(src="2001:db8:1::1", dst="2001:db8:f::9")


def with_options(*options):
    return IP(src=HOST, dst=FAR, options=list(options)) / UDP() / text


def with_extensions(*headers):
    packet = IPv6(src=HOST6, dst=FAR6)
    for header in headers:
        packet /= header
    return packet / UDP() / text


whole = OUTER / UDP(sport=4500, dport=4500) / Raw(bytes(4) + bytes(200))
whole6 = OUTER6 / IPv6ExtHdrFragment(id=5) / UDP(sport=500, dport=500) / Raw(bytes(200))
pieces = fragment(whole, 80)
pieces6 = fragment6(whole6, 128)

CORPUS = {
    "empty": b"",
    "frame_1_byte": record(PORT0, b"\2"),
    "ethernet_only": frame(PORT0, b""),
    "udp4": frame(PORT0, udp4),
    "udp6": frame(PORT0, udp6),
    "tcp4": frame(PORT0, IP(src=HOST, dst=FAR) / TCP(flags="S", options=[("MSS", 1460)])),
    "plain_back": frame(PORT1, back4) + frame(PORT1, back6),
    "padded": frame(PORT0, bytes(IP(src=HOST, dst=FAR) / UDP()) + bytes(20)),
    "cut_header4": frame(PORT0, bytes(udp4)[:19]),
    "cut_header6": frame(PORT0, bytes(udp6)[:39]),
    "cut_payload": frame(PORT0, bytes(udp4)[:40]),
    "ttl_1": frame(PORT0, IP(src=HOST, dst=FAR, ttl=1) / UDP() / text),
    "hop_limit_1": frame(PORT0, IPv6(src=HOST6, dst=FAR6, hlim=1) / UDP() / text),
    "ping": frame(PORT0, IP(src=HOST, dst="10.0.0.1") / ICMP() / text),
    "ping6": frame(PORT0, IPv6(src=HOST6, dst="2001:db8::1") / ICMPv6EchoRequest()),
    "icmp_error": frame(PORT0, IP(src=HOST, dst=FAR, ttl=1) / ICMP(type=3, code=1) / Raw(bytes(udp4))),
    "arp": frame(PORT0, ARP(psrc=HOST, pdst="10.0.0.1")),
    "neighbour_solicitation": frame(PORT0, IPv6(src=HOST6, dst="ff02::1:ff00:1") / ICMPv6ND_NS()),
    "vlan": frame(PORT0, Dot1Q(vlan=5) / udp4),
    "llc": record(PORT0, Ether(dst="01:80:c2:00:00:00", type=38) / LLC() / text),
    "multicast": frame(PORT0, IP(src=HOST, dst="224.0.0.5", proto=89) / text),
    "broadcast": frame(PORT0, IP(src=HOST, dst="255.255.255.255") / UDP() / text),
    "martians": b"".join(frame(PORT0, IP(src=s, dst=d) / UDP()) for s, d in (
        ("127.0.0.1", FAR), ("0.0.0.0", FAR), (HOST, "127.0.0.1"), ("240.0.0.1", FAR))),
    "martians6": b"".join(frame(PORT0, IPv6(src=s, dst=d) / UDP()) for s, d in (
        ("::1", FAR6), ("::", FAR6), (HOST6, "::1"), ("ff02::1", FAR6), ("fe80::9", FAR6))),
    "other_station": record(PORT0, Ether(dst="02:00:00:00:07:07") / udp4),
    "options": frame(PORT0, with_options(IPOption_NOP(), IPOption_RR(), IPOption_Router_Alert())),
    "source_route": frame(PORT0, with_options(IPOption_LSRR(routers=["1.2.3.4"]))),
    "extensions": frame(PORT0, with_extensions(
        IPv6ExtHdrHopByHop(options=[RouterAlert()]), IPv6ExtHdrDestOpt(options=[PadN(optdata=b"abcd")]),
        IPv6ExtHdrRouting(addresses=[FAR6]))),
    "atomic_fragment": frame(PORT0, with_extensions(IPv6ExtHdrFragment())),
    "routes": b"".join(frame(PORT0, IP(src=HOST, dst=d) / UDP()) for d in (
        "10.66.1.1", "10.66.2.1", "10.66.3.1", "10.66.4.1", "10.0.0.77", "172.16.0.1", "10.9.0.1")),
    "too_big": frame(PORT0, IP(src=HOST, dst=FAR, flags="DF") / UDP() / big),
    "too_big6": frame(PORT0, IPv6(src=HOST6, dst=FAR6) / UDP() / big),
    "to_cut": frame(PORT0, IP(src=HOST, dst=FAR, options=[IPOption_Router_Alert()]) / UDP() / big),
    "fragment_through": frame(PORT0, IP(src=HOST, dst=FAR, flags="MF", frag=3) / text),
    "fragments": b"".join(frame(PORT1, p) for p in pieces),
    "fragments_reversed": b"".join(frame(PORT1, p) for p in reversed(pieces)),
    "fragments_overlap": b"".join(frame(PORT1, p) for p in pieces + pieces[1:2]),
    "fragments_lone": frame(PORT1, pieces[1]),
    "fragments6": b"".join(frame(PORT1, p) for p in pieces6),
    "inner4": record(INNER, esp_text(back4)),
    "inner6": record(INNER, esp_text(back6)),
    "inner_pieces": record(PIECES, esp_text(back4 / big)),
    "inner_ttl_1": record(INNER, esp_text(IP(src=FAR, dst=HOST, ttl=1) / UDP() / text)),
    "inner_to_us": record(INNER, esp_text(IP(src=FAR, dst="10.9.0.1") / ICMP() / text)),
    "inner_dummy": record(INNER, esp_text(b"")),
    "inner_tfc_padding": record(INNER, esp_text(bytes(back4) + bytes(33))),
    "inner_bad_padding": record(INNER, esp_text(back4, trailer=[9, 4])),
    "inner_pad_255": record(INNER, esp_text(back4, trailer=[255, 4])),
    "inner_fragments": b"".join(record(INNER, esp_text(p)) for p in fragment(
        IP(src=FAR, dst="10.0.1.1") / UDP(dport=4500) / text, 16)),
    "inner_esp": record(INNER, esp_text(OUTER / esp)),
    "inner_back_into_tunnel": record(INNER, esp_text(udp4)),
    "inner_ecn": record(INNER, esp_text(IP(src=FAR, dst=HOST, tos=3) / UDP() / text)),
    "path_mtu": frame(PORT1, ptb4 / ours4 / esp) + frame(PORT1, ptb6 / ours6 / esp),
    "path_mtu_udp": frame(PORT1, ptb4 / ours4 / UDP(sport=4500, dport=4500) / esp)
    + frame(PORT1, ptb6 / ours6 / UDP(sport=4500, dport=4500) / esp),
    "path_mtu_fragment": frame(PORT1, ptb6 / ours6 / IPv6ExtHdrFragment(nh=50, m=1) / esp),
    "path_mtu_cut": frame(PORT1, ptb4 / Raw(bytes(ours4 / esp)[:26])),
    "esp_bad_icv": frame(PORT1, OUTER / esp),
    "esp_unknown_spi": frame(PORT1, OUTER / ESP(spi=0x999, seq=1, data=bytes(40))),
    "esp_short": frame(PORT1, OUTER / Raw(b"\0\1\0\1\0\0")),
    "esp_udp": frame(PORT1, OUTER / UDP(sport=4500, dport=4500) / esp),
    "esp_after_extension": frame(PORT1, OUTER6 / IPv6ExtHdrDestOpt() / esp),
    "natt_keepalive": frame(PORT1, OUTER / UDP(sport=4500, dport=4500) / Raw(b"\xff")),
    "natt_ike": frame(PORT1, OUTER / UDP(sport=4500, dport=4500) / Raw(bytes(32))),
    "kernel_tunnel": record(TUNNEL, udp4) + record(TUNNEL, udp6) + record(TUNNEL, udp4 / big),
    "kernel_junk": record(TUNNEL, b"junk") + record(TUNNEL, b"") + record(FORWARD, b"\x45"),
    "kernel_frame": record(FRAME, Ether() / udp4) + record(FRAME, b"short"),
    "kernel_forward": record(FORWARD, back4) + record(FORWARD, udp6),
    "mended": record(MEND | PORT0, Ether(dst="02:00:00:00:00:00") / IP(src=HOST, dst=FAR, chksum=0) / UDP())
    + record(MEND | INNER, esp_text(IP(src=FAR, dst=HOST, chksum=0) / UDP())),
    "esp_all": everywhere(lambda n: esp_of(n, from_tunnel(n))),
    "esp_all6": everywhere(lambda n: esp_of(n, from_tunnel(n, six=True))),
    "esp_all_chain": everywhere(lambda n: esp_of(n, from_tunnel(n), PAD | IN_CHAIN, cut=(2, 9))),
    "esp_all_twice": everywhere(lambda n: esp_of(n, from_tunnel(n), PAD | TWICE)),
    "esp_all_flipped": everywhere(lambda n: esp_of(n, from_tunnel(n), flips=[(70 + n, 1 << n % 8)])),
    "esp_all_longer": everywhere(lambda n: esp_of(n, from_tunnel(n), more=n - 6)),
    "esp_all_ecn": everywhere(lambda n: esp_of(
        n, IP(src=net4(n), dst=HOST, tos=1 + n % 3) / UDP(dport=1000) / text, tos=3)),
    "esp_all_unpadded": everywhere(lambda n: esp_of(n, bytes(from_tunnel(n)) + bytes([1, 2, 2, 4]), 0)),
    "esp_all_tfc": everywhere(lambda n: esp_of(n, bytes(from_tunnel(n)) + bytes(100 + n))),
    "esp_all_dummy": everywhere(lambda n: esp_of(n, bytes(30) + bytes([0, 59]), 0)),
    "esp_all_syn": everywhere(lambda n: esp_of(n, IP(src=net4(n), dst=HOST) / syn)),
    "esp_steps": b"".join(esp_of(n, from_tunnel(n), step=k) for n in (0, 1, 2, 9) for k in (
        5, -1, -2, 2, 127, -128, 100, -70, -64, 0)),
    "esp_tagged": esp_of(9, from_tunnel(9), PAD | TAG) + esp_of(0, from_tunnel(0), PAD | TAG)
    + esp_of(9, from_tunnel(9), PAD | TAG | IN_PIECES, cut=(4, 8))
    + esp_of(9, from_tunnel(9) / big, PAD | TAG | IN_PIECES, cut=cuts(9)),
    "esp_spi_flipped": esp_of(1, from_tunnel(1), flips=[(45, 3)]) + esp_of(0, from_tunnel(0), flips=[(37, 1)]),
    "esp_mended": esp_of(0, from_tunnel(0), flips=[(26, 1), (22, 0x3f)], mend=MEND)
    + esp_of(2, from_tunnel(2), flips=[(17, 9), (20, 0x20)], mend=MEND),
    "esp_wrong_source": esp_of(1, from_tunnel(2)) + esp_of(1, from_tunnel(1)) + esp_of(4, from_tunnel(0)),
    "esp_selectors": esp_of(6, IP(src=net4(6), dst=HOST) / TCP()) + esp_of(6, from_tunnel(6))
    + b"".join(esp_of(6, p) for p in fragment(from_tunnel(6) / big, 600)),
    "esp_own_source": esp_of(0, IP(src="10.0.1.1", dst=HOST) / UDP()) + esp_of(3, IP(src="10.9.0.1", dst=HOST) / UDP()),
    "esp_nested": esp_of(1, OUTER / esp) + frame(PORT0, to_tunnel(8)) + frame(PORT0, to_tunnel(8, six=True)),
    "out_all": everywhere(lambda n: frame(PORT0, to_tunnel(n))),
    "out_all6": everywhere(lambda n: frame(PORT0, to_tunnel(n, six=True))),
    "out_all_syn": everywhere(lambda n: frame(PORT0, to_tunnel(n, syn)) + frame(PORT0, to_tunnel(n, syn, True))),
    "out_all_tos": everywhere(lambda n: frame(PORT0, IP(src=HOST, dst=net4(n), tos=0xb8 + n % 4, ttl=2, flags=n % 2 * 2)
                                              / UDP() / text)),
    "chain": chain(PORT0, udp4, 7, 20) + chain(PORT0, udp6, 14, 54) + chain(PORT1, OUTER / esp, 34, 40)
    + chain(PORT0, to_tunnel(5, UDP() / big), 1, 900),
    "jumbo": b"".join(jumbo(n, size) for n in (0, 4, 5, 9) for size in (1501, 8800, 9000, 9001, 60000, 65521))
    + chain(PORT0, IPv6(src=HOST6, dst=net6(4), plen=8760) / UDP() / text, 60, 1000, size=8814)
    + chain(PORT1, OUTER / esp, 30, 40, size=9014),
    "scarce": record(SCARCE, b"\0\0") + frame(PORT0, to_tunnel(5, UDP() / big)) + jumbo(5, 8000)
    + frame(PORT0, IP(src=HOST, dst=FAR, ttl=1) / UDP()) + frame(PORT0, to_tunnel(0)),
    "found_icmp_error_without_buffer": record(SCARCE, b"\0\0") + frame(PORT0, IP(src=HOST, dst=FAR, ttl=1) / UDP()),
    "scarce_large": record(SCARCE, b"\xff\0") + jumbo(5, 8000) + chain(PORT0, udp4, 7, 20)
    + frame(PORT0, IP(src=HOST, dst=FAR, ttl=1) / UDP()),
    "scarce_pieces": record(SCARCE, b"\4\2") + jumbo(5, 8000) + frame(PORT0, to_tunnel(7, UDP() / big, six=True)),
    "vlan_in": frame(PORT1, Dot1Q(vlan=5) / IP(src=net4(9), dst="10.9.5.1") / ICMP())
    + frame(PORT1, Dot1Q(vlan=5, prio=7) / back4) + frame(PORT1, Dot1Q(vlan=0) / back4)
    + frame(PORT0, Dot1Q(vlan=6) / udp4) + frame(PORT0, Dot1Q(vlan=6) / Dot1Q(vlan=6) / udp4)
    + frame(PORT0, Dot1Q(vlan=6) / IP(src="10.3.0.1", dst=HOST) / UDP()),
    "vlan_out": frame(PORT0, IP(src=HOST, dst="10.3.3.3") / UDP() / text) + frame(PORT0, to_tunnel(9)),
    "told_too_big": everywhere(lambda n: frame(PORT1, told_too_big(n, udp=n == 1))),
    "esp_only": frame(PORT0, IP(src=HOST, dst="10.66.5.1") / UDP()) + frame(PORT2, IP(src="10.66.5.9", dst=HOST) / UDP())
    + frame(PORT2, IP(src=HOST, dst=FAR) / UDP()),
    "twins": everywhere(lambda n: record(TWIN, bytes([n]) + bytes(udp4)) + record(TWIN, bytes([n]) + bytes(udp6))),
    "held": everywhere(lambda n: record(HELD, bytes([n, n]) + bytes(udp4)) + record(HELD, bytes([n, 0]) + bytes(udp6))),
    "burst": b"".join(frame(PORT0, udp4) + record(INNER, esp_text(back4)) for _ in range(12)),
}
# No input is longer than 8192 bytes.
for n in range(TUNNELS):
    cut_up = PAD | IN_PIECES
    CORPUS[f"out_big_{n}"] = frame(PORT0, to_tunnel(n, UDP() / big)) + frame(PORT0, to_tunnel(n, UDP() / big, six=True))
    CORPUS[f"esp_pieces_{n}"] = (esp_of(n, from_tunnel(n) / big, cut_up, cut=cuts(n))
                                 + esp_of(n, from_tunnel(n) / big, cut_up | REVERSE | TWICE, cut=cuts(n)))

to = pathlib.Path(sys.argv[1])
to.mkdir(parents=True, exist_ok=True)
for name, data in CORPUS.items():
    (to / name).write_bytes(data)
