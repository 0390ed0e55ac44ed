# SPDX-License-Identifier: BSD-3-Clause
"""Streams of inner packets for two gateways, as scripts/bench/gateway sets them up: what the profiles
beside this file have in common.

Port 0 sends from 10.1.<t>.<h> to 10.2.<t>.<h>, port 1 the other way; with IPv6, 2001:db8:1:<t>::<h>
and 2001:db8:2:<t>::<h>. <t> is the tunnel. It goes up by one with each packet, so that one packet
after the other takes another VTI and another SA. <h>, 1 to --hosts, goes up as well.

Sizes are the inner packet's: the IP total length, 18 bytes less than the Ethernet frame with FCS.

TRex's field engine makes a packet of two buffers when it is longer than 128 bytes: one with the
changed addresses, one that all packets share. memif of TRex 3.08 marks such packets in its ring and
never takes the mark away, so that a short packet is later joined with the one behind it. With --whole
larger packets come from a stream for each address instead. play and ndr ask for it on memif."""
import argparse

from trex.stl.api import (IP, UDP, Ether, IPv6, STLFlowLatencyStats, STLFlowStats, STLPktBuilder,
                          STLStream, STLTXCont, STLVM)

SMALLEST = {4: 46, 6: 48}  # a frame has at least 60 bytes without its FCS; IPv6 and UDP headers have 48
LATENCY_SIZE = 80  # room for the time stamp, in the last bytes of the payload
ONE_BUFFER = 128  # bytes that TRex never spreads over two buffers
FIRST_TAG = {"packets": 1, "latency": 11}  # packet group ids: one for each port


def options(text, tunables, size=None, tunnels=1):
    """What all the profiles can be tuned with. Without a default size there is no --size."""
    parser = argparse.ArgumentParser(description=text, prog="profile",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    if size:
        parser.add_argument("--size", type=int, default=size, help="bytes of an inner packet")
    parser.add_argument("--ip", type=int, choices=(4, 6), default=4, help="version, inside")
    parser.add_argument("--tunnels", type=int, default=tunnels, metavar="N", help="1 to 256, in turn")
    parser.add_argument("--hosts", type=int, default=8, metavar="N",
                        help="1 to 254 addresses in each tunnel, in turn")
    parser.add_argument("--flow-stats", action="store_true", help="count the streams' packets too")
    parser.add_argument("--latency", type=int, default=0, metavar="PPS",
                        help="a further stream at this rate, to measure latency with")
    parser.add_argument("--whole", action="store_true", help="each packet in one buffer (see above)")
    args = parser.parse_args(tunables)
    if size and not SMALLEST[args.ip] <= args.size <= 9000:
        parser.error(f"--size: {SMALLEST[args.ip]} to 9000 for IPv{args.ip}")
    if not 1 <= args.tunnels <= 256 or not 1 <= args.hosts <= 254:
        parser.error("--tunnels: 1 to 256; --hosts: 1 to 254")
    return args


def packet(args, size, direction, tunnel=0, host=1):
    near, far = (2, 1) if direction else (1, 2)
    if args.ip == 4:
        ip = IP(src=f"10.{near}.{tunnel}.{host}", dst=f"10.{far}.{tunnel}.{host}")
    else:
        ip = IPv6(src=f"2001:db8:{near}:{tunnel:x}::{host:x}",
                  dst=f"2001:db8:{far}:{tunnel:x}::{host:x}")
    head = Ether() / ip / UDP(sport=1024, dport=9, chksum=0)
    return head / bytes(max(0, size + len(Ether()) - len(head)))


def variation(args):
    """What the field engine changes in each packet. IPv6's UDP checksum is left at 0: nobody on the
    way looks at it."""
    vm = STLVM()
    ip, tunnel, host = ("IP", 2, 3) if args.ip == 4 else ("IPv6", 7, 15)
    changes = [(name, offset, low, high) for name, offset, low, high in
               (("tunnel", tunnel, 0, args.tunnels - 1), ("host", host, 1, args.hosts)) if low < high]
    for name, offset, low, high in changes:
        vm.var(name=name, min_value=low, max_value=high, size=1, op="inc")
        vm.write(fv_name=name, pkt_offset=f"{ip}.src", offset_fixup=offset)
        vm.write(fv_name=name, pkt_offset=f"{ip}.dst", offset_fixup=offset)
    if changes and args.ip == 4:
        vm.fix_chksum()
    return vm


def varied(args, size, pps, direction, tag):
    """Packets of one size, each with the next addresses."""
    if not args.whole or size + len(Ether()) <= ONE_BUFFER:
        return [STLStream(packet=STLPktBuilder(pkt=packet(args, size, direction), vm=variation(args)),
                          mode=STLTXCont(pps=pps), flow_stats=tag)]
    count = max(args.tunnels, args.hosts)
    return [STLStream(packet=STLPktBuilder(pkt=packet(args, size, direction, i % args.tunnels,
                                                      1 + i % args.hosts)),
                      mode=STLTXCont(pps=pps / count), flow_stats=tag) for i in range(count)]


def streams(args, mix, direction):
    """mix: pairs of a size and its share of the packets. Latency's rate is its own, whatever the
    others' is."""
    tag = STLFlowStats(pg_id=FIRST_TAG["packets"] + direction) if args.flow_stats else None
    found = [s for size, share in mix for s in varied(args, size, share, direction, tag)]
    if args.latency:
        tag = STLFlowLatencyStats(pg_id=FIRST_TAG["latency"] + direction)
        found += varied(args, LATENCY_SIZE, args.latency, direction, tag)
    return found
