# SPDX-License-Identifier: BSD-3-Clause
"""Many tunnels: each packet's inner destination is in another /24 of 10.2.0.0/16 (or /64 of
2001:db8:2::/48), hence in another VTI. The gateways must have as many tunnels.
start -f tunnels.py --port 0 1 -m 100kpps -t --tunnels 64 --size 64"""
import inner


class Tunnels:
    def get_streams(self, direction=0, port_id=0, tunables=(), **_):
        args = inner.options(__doc__, tunables, size=64, tunnels=256)
        return inner.streams(args, [(args.size, 1)], direction)


def register():
    return Tunnels()
