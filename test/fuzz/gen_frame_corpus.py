#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Write the corpus of fuzz_frame: one file for each thing that the parsers know about.

    test/fuzz/gen_frame_corpus.py test/fuzz/corpus/frame
"""
import pathlib
import sys

from scapy.all import (ARP, Dot1Q, ESP, Ether, fragment, fragment6, ICMP, ICMPv6EchoRequest,
                       ICMPv6ND_NS, IP, IPOption_LSRR, IPOption_NOP, IPOption_Router_Alert,
                       IPOption_RR, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                       IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, LLC, PadN, Raw, RouterAlert, TCP, UDP)

PORT0, PORT1, PORT2, INNER, PIECES, TUNNEL, FRAME, FORWARD = range(8)
MEND = 0x80
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


udp4 = IP(src=HOST, dst=FAR) / UDP(sport=1000, dport=2000) / text
udp6 = IPv6(src=HOST6, dst=FAR6) / UDP(sport=1000, dport=2000) / text
back4 = IP(src=FAR, dst=HOST) / UDP(sport=2000, dport=1000) / text
back6 = IPv6(src=FAR6, dst=HOST6) / UDP(sport=2000, dport=1000) / text
big = Raw(bytes(i & 0xff for i in range(1373)))
esp = ESP(spi=0x10001, seq=0x100000, data=b"\x55" * 48)


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
    "burst": b"".join(frame(PORT0, udp4) + record(INNER, esp_text(back4)) for _ in range(12)),
}

to = pathlib.Path(sys.argv[1])
to.mkdir(parents=True, exist_ok=True)
for name, data in CORPUS.items():
    (to / name).write_bytes(data)
