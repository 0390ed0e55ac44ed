#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ICMP "fragmentation needed" that quotes an ESP packet, from whoever runs this.

    forge_too_big.py TO PEER SPI SEQUENCE MTU

TO is the gateway that has sent the packet to PEER.
"""
import socket
import struct
import sys

to, peer, spi, seq, mtu = sys.argv[1], sys.argv[2], *(int(a, 0) for a in sys.argv[3:6])


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


quote = struct.pack("!BBHHHBBH4s4sII", 0x45, 0, 1496, 0, 0x4000, 63, 50, 0, socket.inet_aton(to),
                    socket.inet_aton(peer), spi, seq)
head = struct.pack("!BBHHH", 3, 4, 0, 0, mtu)
icmp = head[:2] + struct.pack("!H", checksum(head + quote)) + head[4:] + quote
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as s:
    s.sendto(icmp, (to, 0))
