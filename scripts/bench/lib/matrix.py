# SPDX-License-Identifier: BSD-3-Clause
"""Groups side by side: a row for each program, a column for each size."""
import cores
from captures import IMIX
from figures import limit_ratio, peer_ratio, rates


def split(groups):
    """(title, groups of one table): those of one algorithm together, others alone."""
    found = {}
    for g in groups:
        together = g["part"] in ("sizes", "algorithms")
        title = f"{g['algorithm']}, bytes of the inner packet" if together else g["title"]
        found.setdefault(title, []).append(g)
    return found.items()


def _column(group):
    if group["part"] not in ("sizes", "algorithms"):
        return "cycles"
    return "IMIX" if group["size"] == IMIX else str(group["size"])


def _cell(figures, name):
    return f"{figures[name]['best']:.0f} ({figures[name]['median']:.0f})" if name in figures else ""


def _ratio_rows(groups, names):
    for of, text in ((limit_ratio, "limit"), (peer_ratio, "ipsec-secgw")):
        for name in names:
            values = [of(g["figures"], name) if name in g["figures"] else None for g in groups]
            if any(v is not None for v in values):
                yield (f"{name} / {text}", *("" if v is None else f"{v:.2f}" for v in values))


def _rate_rows(groups, names, hz):
    for name in names:
        if not name.startswith(("encrypt", "decrypt")):
            continue
        both = [rates(g["figures"][name]["median"], hz, g["mean_length"])
                if name in g["figures"] else None for g in groups]
        yield (f"{name}, Mpacket/s", *("" if b is None else f"{b[0] / 1e6:.1f}" for b in both))
        yield (f"{name}, Gbit/s", *("" if b is None else f"{b[1]:.1f}" for b in both))


def rows(groups, hz):
    if groups[0]["part"] == "workers":
        return list(cores.table_rows(groups[0], hz))
    names = list(dict.fromkeys(name for g in groups for name in g["figures"]))
    return [("", *map(_column, groups)),
            *((name, *(_cell(g["figures"], name) for g in groups)) for name in names),
            *_ratio_rows(groups, names), *_rate_rows(groups, names, hz)]
