#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A station in a VLAN, made of packet sockets: for kernels without 802.1Q devices.

    vlan_station.py ping IFACE VLAN FROM TO     ARP and one echo request, tagged; are both answered in that VLAN?
    vlan_station.py watch IFACE SECONDS         the VLANs of what comes in: "100 20", "-" for untagged
"""
import socket
import struct
import sys
import time

SOL_PACKET, PACKET_AUXDATA, VLAN_VALID = 263, 8, 1 << 4
MAC = bytes.fromhex("020000000a0a")


def open_socket(iface):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.bind((iface, 0))
    return s


def receive(s, until):
    """(vlan or None, frame without its tag) of each frame, until that time."""
    while (left := until - time.monotonic()) > 0:
        s.settimeout(left)
        try:
            frame, cmsgs, _, addr = s.recvmsg(65536, 256)
        except TimeoutError:
            return
        if addr[2] == socket.PACKET_OUTGOING:
            continue
        vlan = None
        for level, kind, data in cmsgs:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, tci = struct.unpack_from("=I12xH", data)
                vlan = tci & 0xFFF if status & VLAN_VALID else None
        yield vlan, frame


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def tagged(dst, vlan, kind, payload):
    # Priority 5, which nobody should mind.
    return dst + MAC + struct.pack("!HHH", 0x8100, 5 << 13 | vlan, kind) + payload


def answer(s, vlan, wanted):
    for got, frame in receive(s, time.monotonic() + 3):
        if got == vlan and wanted(frame):
            return frame
    sys.exit(1)


def ping(iface, vlan, src, dst):
    s, vlan = open_socket(iface), int(vlan)
    src, dst = socket.inet_aton(src), socket.inet_aton(dst)
    arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + MAC + src + bytes(6) + dst
    s.send(tagged(b"\xff" * 6, vlan, 0x0806, arp))
    reply = answer(s, vlan, lambda f: f[12:14] == b"\x08\x06" and f[20:22] == b"\0\2" and f[28:32] == dst)
    echo = struct.pack("!BBHHH", 8, 0, 0, 7, 1) + b"vlan" * 8
    echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(echo), 1, 0, 64, 1, 0, src, dst)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    s.send(tagged(reply[22:28], vlan, 0x0800, ip + echo))
    answer(s, vlan, lambda f: f[12:14] == b"\x08\0" and f[23] == 1 and f[26:30] == dst and f[34:35] == b"\0")


def watch(iface, seconds):
    counts = {}
    for vlan, _ in receive(open_socket(iface), time.monotonic() + float(seconds)):
        counts[vlan] = counts.get(vlan, 0) + 1
    for vlan, n in counts.items():
        print("-" if vlan is None else vlan, n)


{"ping": ping, "watch": watch}[sys.argv[1]](*sys.argv[2:])
