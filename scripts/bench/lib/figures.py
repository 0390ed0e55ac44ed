# SPDX-License-Identifier: BSD-3-Clause
"""From samples to figures: best and median, the limit, ratios."""
import re
import statistics


def _summary(values):
    return {"best": min(values), "median": statistics.median(values)}


def of(samples):
    """{name: {best, median}} in TSC cycles a packet.

    The limit of encrypting is the floor and the crypto alone, the least that a gateway can take; that
    of decrypting, of larger packets in, comes with its samples."""
    got = {}
    for name, taken in samples.items():
        if not taken:
            continue
        if "limit" in taken[0]:
            got[limit_of(name)] = _summary([s["limit"] for s in taken])
        got[name] = _summary([s["cycles"] for s in taken])
        if name == "alone" and "floor" in got:
            got["limit"] = {k: got["floor"][k] + got["alone"][k] for k in ("best", "median")}
    return got


def limit_of(name):
    return name.replace("decrypt", "limit of decrypt", 1) if name.startswith("decrypt") else "limit"


def without_build(name):
    """`encrypt` of `encrypt A` and `encrypt B`, where builds are compared."""
    return re.sub(r" [A-Z]$", "", name)


def ratio(figures, of_what, to, which="median"):
    if of_what not in figures or to not in figures:
        return None
    return figures[of_what][which] / figures[to][which]


def limit_ratio(figures, name):
    """How many times the limit; None for what has none, and for the limit itself."""
    if "crypt" not in name or name.startswith("limit"):
        return None
    if name == "secgw decrypt":
        return ratio(figures, name, next((n for n in figures if n.startswith("limit of decrypt")), ""))
    return ratio(figures, name, limit_of(name))


def peer_ratio(figures, name):
    """How many times what ipsec-secgw takes for the same."""
    if not name.startswith(("encrypt", "decrypt")):
        return None
    return ratio(figures, name, f"secgw {without_build(name)}")


def rates(cycles, hz, length):
    """Packets per second of one core, and Gbit/s of inner IP packets."""
    pps = hz / cycles
    return pps, pps * length * 8 / 1e9
