# SPDX-License-Identifier: BSD-3-Clause
"""IMIX: of 12 inner packets 7 have 64 bytes, 4 have 570, 1 has 1420, which fits a path of 1500 after
encryption. start -f imix.py --port 0 1 -m 100kpps"""
import inner

MIX = ((64, 7), (570, 4), (1420, 1))


class Imix:
    def get_streams(self, direction=0, port_id=0, tunables=(), **_):
        args = inner.options(__doc__, tunables)
        return inner.streams(args, MIX, direction)


def register():
    return Imix()
