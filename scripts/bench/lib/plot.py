# SPDX-License-Identifier: BSD-3-Clause
"""Cycles by size as a plot: SVG, in colours for light and dark pages."""
from html import escape

from figures import without_build

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 76, 40
GAP = 0.22  # of a size's place, between it and the next

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.small { font-size: 10px }
.grid { stroke: #d0d7de }
.floor { fill: #8c959f } .alone { fill: #c9d1d9 } .viaduct { fill: #0969da } .decrypt { fill: #54aeff }
.secgw { fill: #d4822a } .secgw-decrypt { fill: #f0b67a }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .grid { stroke: #30363d }
  .floor { fill: #6e7681 } .alone { fill: #484f58 } .viaduct { fill: #388bfd } .decrypt { fill: #79c0ff }
  .secgw { fill: #bb6f1f } .secgw-decrypt { fill: #d9a066 }
}"""

# Each bar of a size, from below: (figure, its class, its name in the legend).
BARS = ((("floor", "floor", "I/O floor"), ("alone", "alone", "IPsec-MB alone")),
        (("encrypt", "viaduct", "Viaduct, encrypting"),), (("decrypt", "decrypt", "decrypting"),),
        (("secgw encrypt", "secgw", "ipsec-secgw, encrypting"),),
        (("secgw decrypt", "secgw-decrypt", "decrypting"),))


def step(largest):
    """Between lines of the grid: about six, at round figures."""
    for s in (10, 20, 50, 100, 200, 500, 1000, 2000):
        if largest / s <= 7:
            return s
    return 5000


def medians(group):
    """By figure; of builds compared the last one's."""
    return {without_build(name): f["median"] for name, f in group["figures"].items()}


def _text(x, y, text, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _legend():
    x, y = LEFT, 38
    for i, bar in enumerate(BARS):
        for _, css, name in bar:
            yield f'<rect class="{css}" x="{x:.1f}" y="{y - 9}" width="10" height="10"/>'
            yield _text(x + 14, y, name, "start")
            x += 30 + 6.4 * len(name)
        if i == 0:  # the limit's parts are a line of their own
            yield _text(x, y, "= limit", "start")
            x, y = LEFT, y + 18


def _grid(top, scale):
    for value in range(0, int(top) + 1, step(top)):
        y = HEIGHT - BOTTOM - value * scale
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield _text(LEFT - 6, y + 4, str(value), "end")


def _size(group, x, width, scale):
    figures = medians(group)
    shown = [bar for bar in BARS if all(name in figures for name, _, _ in bar)]
    each = width * (1 - GAP) / max(len(shown), 1)
    for i, bar in enumerate(shown):
        left, y = x + width * GAP / 2 + i * each, HEIGHT - BOTTOM
        for name, css, _ in bar:
            y -= figures[name] * scale
            yield f'<rect class="{css}" x="{left:.1f}" y="{y:.1f}" width="{each - 2:.1f}" ' \
                  f'height="{figures[name] * scale:.1f}"/>'
        total = sum(figures[name] for name, _, _ in bar)
        yield _text(left + each / 2 - 1, y - 3, f"{total:.0f}", more=' class="small"')
    size = str(group["size"])
    yield _text(x + width / 2, HEIGHT - BOTTOM + 18, size.upper() if size == "imix" else size)


def svg(groups):
    groups = [g for g in groups if g["part"] == "sizes" and g["figures"]]
    top = max((v for g in groups for v in medians(g).values()), default=100) * 1.05
    scale = (HEIGHT - TOP - BOTTOM) / top
    width = (WIDTH - LEFT - RIGHT) / max(len(groups), 1)
    title = "TSC cycles per packet of one core, AES-GCM-128 tunnel mode, by inner size"
    body = [_text(LEFT, 18, title, "start"), *_legend(), *_grid(top, scale)]
    for i, g in enumerate(groups):
        body += _size(g, LEFT + i * width, width, scale)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" ' \
           f'width="{WIDTH}" height="{HEIGHT}">'
    return "\n".join([head, f"<style>{STYLE}</style>", *body, "</svg>", ""])


def write(path, whole):
    with open(path, "w", encoding="utf-8") as f:
        f.write(svg(whole["groups"]))
