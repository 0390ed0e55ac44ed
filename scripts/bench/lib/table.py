# SPDX-License-Identifier: BSD-3-Clause
"""What was measured, as tables: rows of words, to be set as text or as markdown."""
import cores
from figures import limit_ratio, peer_ratio, rates, ratio, without_build

HEAD = ("", "best", "median", "Mpacket/s", "Gbit/s", "x limit", "x secgw", "samples", "retaken")
BARS = ("bar", "asked", "measured", "holds")


def _times(value):
    return "" if value is None else f"{value:.2f}"


def _base(figures, name):
    """Of builds compared, the first."""
    first = f"{without_build(name)} A"
    return first if first in figures and without_build(name) != name != first else None


def _row(group, name, hz):
    f, taken = group["figures"], group["samples"].get(name)
    pps, gbit = rates(f[name]["median"], hz, group["mean_length"])
    base = _base(f, name)
    return (name, f"{f[name]['best']:.1f}", f"{f[name]['median']:.1f}", f"{pps / 1e6:.2f}", f"{gbit:.2f}",
            _times(limit_ratio(f, name)), _times(peer_ratio(f, name)),
            "" if taken is None else str(len(taken)),
            "" if taken is None else str(len(group["discarded"].get(name, []))),
            *([f"{ratio(f, name, base):.3f} x A"] if base else []))


def rows(group, hz):
    if group["part"] == "workers":
        return list(cores.table_rows(group, hz))
    return [HEAD] + [_row(group, name, hz) for name in group["figures"]]


def _limit_text(bar, value):
    return f"{value:.0f} bytes" if bar["unit"] == "bytes" else f"{value:.2f}"


def _bound(bar):
    return f"at {'most' if bar['most'] else 'least'} {_limit_text(bar, bar['bound'])}"


def bar_rows(bars):
    return [BARS] + [(b["what"], _bound(b), _limit_text(b, b["measured"]),
                      "yes" if b["holds"] else "NO") for b in bars]


def text(table, indent="  "):
    """Aligned columns, the first to the left."""
    widths = [max(len(r[i]) for r in table if i < len(r)) for i in range(max(map(len, table)))]
    for r in table:
        cells = [r[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(r[1:], widths[1:])]
        yield (indent + "  ".join(cells)).rstrip()


def markdown(table):
    width = max(map(len, table))
    for i, r in enumerate(table):
        yield "| " + " | ".join([*r, *[""] * (width - len(r))]) + " |"
        if i == 0:
            yield "|---" + "|---:" * (width - 1) + "|"
