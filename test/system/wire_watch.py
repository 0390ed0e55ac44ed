#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Does anything of the protected networks show on a wire?

  wire_watch.py watch FILE DEVICE..       until SIGTERM: one line in FILE for each frame that has the marker,
                                          or an inner address as source, destination or quoted; at the end
                                          a line "frames N esp N lost N"
  wire_watch.py flow ADDRESS RATE         RATE marked datagrams a second to each ADDRESS.. until SIGTERM
  wire_watch.py frame DEVICE SRC DST MAC  one such datagram as a frame, past all routing
"""
import ipaddress
import signal
import socket
import struct
import sys
import time

MARKER = b"in the clear: viaduct must not!!"
PORT = 9009
INNER = [ipaddress.ip_network(n) for n in (
    "10.1.0.0/16", "10.2.0.0/16", "10.66.0.0/16", "10.255.0.0/16",
    "2001:db8:1::/48", "2001:db8:2::/48", "fd00:255::/64")]
HOSTS = [("10.1.0.2", "10.2.0.2"), ("2001:db8:1::2", "2001:db8:2::2")]
ends = []
signal.signal(signal.SIGTERM, lambda *_: ends.append(1))


def pairs():
    """Source beside destination, as headers have them, also in what an ICMP error quotes."""
    for a, b in HOSTS:
        a, b = ipaddress.ip_address(a).packed, ipaddress.ip_address(b).packed
        yield a + b
        yield b + a


QUOTED = list(pairs())


def inner(address):
    a = ipaddress.ip_address(address)
    return any(a.version == n.version and a in n for n in INNER)


def protocol_and_ends(frame):
    kind = frame[12:14]
    if kind == b"\x08\x00" and len(frame) >= 34:
        return frame[23], (frame[26:30], frame[30:34])
    if kind == b"\x86\xdd" and len(frame) >= 54:
        return frame[20], (frame[22:38], frame[38:54])
    return None, ()


def leaks(frame):
    proto, addresses = protocol_and_ends(frame)
    if MARKER in frame:
        return "marker"
    for a in addresses:
        if inner(a):
            return "address"
    if any(q in frame for q in QUOTED):
        return "quoted"
    return None


def watch(path, *devices):
    sockets, esp, frames, lost = [], 0, 0, 0
    for d in devices:
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        s.bind((d, 0))
        s.settimeout(0.01)
        sockets.append((d, s))
    with open(path, "w", buffering=1) as out:
        out.write("watching\n")
        while not ends:
            for d, s in sockets:
                try:
                    for _ in range(256):
                        frame = s.recv(65536)
                        frames += 1
                        proto, _ends = protocol_and_ends(frame)
                        esp += proto == 50
                        why = leaks(frame)
                        if why:
                            out.write("leak %.3f %s %s %s\n" % (time.time(), d, why, frame[:80].hex()))
                except OSError:
                    pass  # nothing more for now, or the device went
        for d, s in sockets:
            lost += struct.unpack("II", s.getsockopt(263, 6, 8))[1]  # SOL_PACKET, PACKET_STATISTICS
        out.write("frames %d esp %d lost %d\n" % (frames, esp, lost))


def flow(rate, *addresses):
    to = [(socket.socket(socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_DGRAM), a)
          for a in addresses]
    due = time.time()
    while not ends:
        for s, a in to:
            try:
                s.sendto(MARKER * 4, (a, PORT))
            except OSError:
                pass  # unreachable, for the moment
        due = max(due + 1 / float(rate), time.time() - 0.1)
        time.sleep(max(0, due - time.time()))


def frame(device, src, dst, mac):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((device, 0))
    udp = struct.pack(">HHHH", PORT, PORT, 8 + len(MARKER), 0) + MARKER
    a, b = ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed
    if len(a) == 4:
        kind = b"\x08\x00"
        ip = struct.pack(">BBHIBBH", 0x45, 0, 20 + len(udp), 0, 64, 17, 0) + a + b
    else:
        kind = b"\x86\xdd"
        ip = struct.pack(">IHBB", 6 << 28, len(udp), 17, 64) + a + b
    s.send(bytes.fromhex(mac.replace(":", "")) + bytes(6) + kind + ip + udp)


if __name__ == "__main__":
    what = {"watch": watch, "flow": flow, "frame": frame}.get(sys.argv[1])
    sys.exit(what(*sys.argv[2:]) if what else __doc__)
