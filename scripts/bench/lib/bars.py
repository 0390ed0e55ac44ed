# SPDX-License-Identifier: BSD-3-Clause
"""The bars: how fast it has to be, and whether it is. Ratios of medians from one run."""
import cores
from captures import IMIX
from figures import limit_ratio, ratio
from plan import ROUTES, TUNNELS, counted

_SIZES = {64: 1.5, 1420: 1.15, IMIX: 1.4}
_BETWEEN = 1.4
_ALGORITHM = 1.3
_TUNNELS = 1.3
_ROUTES = 1.15
_MEMORY = 4096


def _bar(what, bound, measured, unit="x", most=True):
    holds = measured <= bound if most else measured >= bound
    return {"what": what, "bound": bound, "most": most, "measured": measured, "unit": unit, "holds": holds}


def _limits(group):
    for name in group["figures"]:
        if name.startswith(("encrypt", "decrypt")):
            measured = limit_ratio(group["figures"], name)
            if measured is not None:
                bound = _ALGORITHM if group["part"] == "algorithms" else _SIZES.get(group["size"], _BETWEEN)
                yield _bar(f"{name} / limit, {group['title']}", bound, measured)


def _growth(group, unit, many, bound):
    for name in group["samples"]:
        base = name.replace(counted(many, unit), counted(1, unit))
        if base != name and (measured := ratio(group["figures"], name, base)) is not None:
            yield _bar(f"{name} / {counted(1, unit)}", bound, measured)


def _memory(group):
    for name, samples in group["samples"].items():
        if samples and counted(max(TUNNELS), "tunnel") in name and "all" in samples[0]:
            got = samples[0]["all"]
            size = got["memory_per_tunnel"] + got["memory_per_tunnel_and_worker"]
            yield _bar(f"memory of an idle tunnel, one worker ({name})", _MEMORY, size, "bytes")


def _workers(group):
    for what, bound, measured in cores.asked(group):
        yield _bar(what, bound, measured, most=False)


def of(groups):
    found = []
    for g in groups:
        if g["part"] in ("sizes", "algorithms"):
            found += _limits(g)
        elif g["part"] == "tunnels":
            found += [*_growth(g, "tunnel", max(TUNNELS), _TUNNELS), *_memory(g)]
        elif g["part"] == "routes":
            found += _growth(g, "route", ROUTES, _ROUTES)
        elif g["part"] == "workers":
            found += _workers(g)
    return found
