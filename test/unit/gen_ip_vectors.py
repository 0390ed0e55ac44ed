#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Packets and what a router has to make of them, by scapy's own encoders. In test/unit:

    ./gen_ip_vectors.py icmp_error | clang-format --style=file > icmp_error_vectors.h
    ./gen_ip_vectors.py fragment | clang-format --style=file > fragment_vectors.h
"""
import sys

from scapy.all import (ICMP, IP, IPOption_NOP, IPOption_RR, IPv6, Raw, UDP, fragment,
                       ICMPv6DestUnreach, ICMPv6PacketTooBig, ICMPv6TimeExceeded)

OUR4, OUR6 = "192.0.2.1", "2001:db8:a::1"
body = bytes(range(24))
udp4 = IP(src="198.51.100.7", dst="203.0.113.9", ttl=17, id=0x1234) / UDP(sport=5000, dport=53) / body
opt4 = IP(src="198.51.100.7", dst="203.0.113.9", ttl=1, id=7,
          options=[IPOption_NOP(), IPOption_RR(routers=["0.0.0.0"])]) / UDP(sport=1, dport=2) / body
udp6 = IPv6(src="2001:db8:b::7", dst="2001:db8:c::9", hlim=17) / UDP(sport=5000, dport=53) / body


def error4(about, **icmp):
    return IP(src=OUR4, dst=about.src, tos=0xc0, id=0, ttl=64) / ICMP(**icmp) / Raw(bytes(about))


def error6(about, icmp):
    return IPv6(src=OUR6, dst=about.src, tc=0xc0, hlim=64) / icmp / Raw(bytes(about))


ERRORS = [
    ("ERR_TTL", 0, udp4, error4(udp4, type=11, code=0)),
    ("ERR_TTL", 0, opt4, error4(opt4, type=11, code=0)),
    ("ERR_TOO_BIG", 1422, udp4, error4(udp4, type=3, code=4, nexthopmtu=1422)),
    ("ERR_NO_ROUTE", 0, udp4, error4(udp4, type=3, code=0)),
    ("ERR_HOST_UNREACH", 0, udp4, error4(udp4, type=3, code=1)),
    ("ERR_PROHIBITED", 0, udp4, error4(udp4, type=3, code=13)),
    ("ERR_TTL", 0, udp6, error6(udp6, ICMPv6TimeExceeded(code=0))),
    ("ERR_TOO_BIG", 1422, udp6, error6(udp6, ICMPv6PacketTooBig(mtu=1422))),
    ("ERR_TOO_BIG", 1200, udp6, error6(udp6, ICMPv6PacketTooBig(mtu=1280))),
    ("ERR_NO_ROUTE", 0, udp6, error6(udp6, ICMPv6DestUnreach(code=0))),
    ("ERR_HOST_UNREACH", 0, udp6, error6(udp6, ICMPv6DestUnreach(code=3))),
    ("ERR_PROHIBITED", 0, udp6, error6(udp6, ICMPv6DestUnreach(code=1))),
]

big4 = IP(src="198.51.100.7", dst="203.0.113.9", ttl=63, id=0xbeef, tos=0x28) / UDP(
    sport=5000, dport=53) / bytes(i * 7 & 0xff for i in range(201))
middle = IP(src="198.51.100.7", dst="203.0.113.9", id=9, proto=17, flags="MF", frag=100) / Raw(
    bytes(i * 5 & 0xff for i in range(160)))


def again(packet, payload):
    """Fragments of a fragment: scapy cuts whole packets only, so shift what it makes."""
    whole = packet.copy()
    whole.flags, whole.frag = 0, 0
    for piece in fragment(whole, payload):
        piece.flags, piece.frag = "MF", piece.frag + packet.frag
        del piece.chksum
        yield piece


CUTS = [(100, big4, fragment(big4, 80)), (68, big4, fragment(big4, 48)),
        (84, middle, list(again(middle, 64)))]


def c_bytes(packet):
    return '(const uint8_t *)"' + "".join(f"\\x{b:02x}" for b in bytes(packet)) + f'", {len(packet)}'


def print_errors():
    print("struct error_vector {\n\tenum icmp_error kind;\n\tuint16_t mtu;\n\tconst uint8_t *about;\n"
          "\tuint16_t about_len;\n\tconst uint8_t *error;\n\tuint16_t error_len;\n};\n\n"
          "static const struct error_vector error_vectors[] = {")
    for kind, mtu, about, error in ERRORS:
        print(f"{{{kind}, {mtu}, {c_bytes(about)}, {c_bytes(error)}}},")
    print("};")


def print_cuts():
    print("struct cut_vector {\n\tuint16_t mtu;\n\tconst uint8_t *packet;\n\tuint16_t len;\n\tuint16_t n;"
          "\n\tstruct {\n\t\tconst uint8_t *bytes;\n\t\tuint16_t len;\n\t} piece[8];\n};\n\n"
          "static const struct cut_vector cut_vectors[] = {")
    for mtu, packet, pieces in CUTS:
        print(f"{{{mtu}, {c_bytes(packet)}, {len(pieces)}, {{")
        print(", ".join(f"{{{c_bytes(piece)}}}" for piece in pieces))
        print("}},")
    print("};")


print("/* SPDX-License-Identifier: BSD-3-Clause */")
print("/* Written by gen_ip_vectors.py with scapy's encoders. */\n")
{"icmp_error": print_errors, "fragment": print_cuts}[sys.argv[1]]()
