# SPDX-License-Identifier: BSD-3-Clause
"""Inner packets of one size, through one tunnel.
start -f one_size.py --port 0 1 -m 100kpps -t --size 512"""
import inner


class OneSize:
    def get_streams(self, direction=0, port_id=0, tunables=(), **_):
        args = inner.options(__doc__, tunables, size=64)
        return inner.streams(args, [(args.size, 1)], direction)


def register():
    return OneSize()
