# SPDX-License-Identifier: BSD-3-Clause
"""The whole run: as JSON, as a summary of text, as markdown."""
import json
import os
import time

import matrix
import table
from machine import telling_flags

FORMAT = 1
BEGIN, END = "<!-- results: written by scripts/bench/run --markdown -->", "<!-- end of results -->"


def make(argv, started, options, machine, versions, bench, groups, bars, skipped):
    return {"format": FORMAT, "command": " ".join(["scripts/bench/run", *argv]),
            "started": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(started)),
            "seconds": round(time.time() - started, 1), "mode": options.mode,
            "samples": options.samples, "sample_seconds": options.seconds,
            "machine": machine, "versions": versions, "tsc_hz": bench.spin.hz,
            "noise": {"best_adds_per_cycle": bench.spin.best,
                      "discarded": sum(len(d) for g in groups for d in g["discarded"].values()),
                      "kept_noisy": sum("noisy" in s for g in groups
                                        for k in g["samples"].values() for s in k)},
            "groups": groups, "bars": bars, "skipped": skipped}


def about(whole):
    m, v, n = whole["machine"], whole["versions"], whole["noise"]
    yield f"{m['cpu']}, {m['cpus']} CPUs{' (virtual)' if m['hypervisor'] else ''}, " \
          f"TSC {whole['tsc_hz'] / 1e9:.3f} GHz; {telling_flags(m)}"
    yield f"Viaduct {v['viaduct'] or 'of no known commit'}; DPDK {v['dpdk']}, IPsec-MB {v['ipsec_mb']}, " \
          f"Linux {v['kernel']}; {'huge pages' if m['huge_pages'] else 'no huge pages'}"
    yield f"{whole['started']}, {whole['seconds']:.0f} s; {whole['samples']} samples of " \
          f"{whole['sample_seconds']} s each, {n['discarded']} taken again for noise, {n['kept_noisy']} kept in spite of it"


def summary(whole):
    yield ""
    if whole["bars"]:
        yield from table.text(table.bar_rows(whole["bars"]), "")
        yield ""
    for g in whole["groups"]:
        for name, note in g["notes"].items():
            yield f"{name}: {note}"
    for s in whole["skipped"]:
        yield f"skipped: {s['what']}: {s['why']}"
    yield from about(whole)


def write_json(path, whole):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(whole, f, indent=1)
        f.write("\n")


def _sections(whole, plot):
    yield from (f"{line}  " for line in about(whole))
    yield f"`{whole['command']}`"
    yield from ("", "TSC cycles per packet of one core: the best sample (the median). Ratios are of medians.")
    if plot:
        yield from ("", f"![cycles per packet by size]({plot})")
    for title, groups in matrix.split(whole["groups"]):
        yield from ("", f"### {title}", "")
        yield from table.markdown(matrix.rows(groups, whole["tsc_hz"]))
        for name, note in (n for g in groups for n in g["notes"].items()):
            yield from ("", f"{name}: {note}.")
    if whole["bars"]:
        yield from ("", "### What is asked", "")
        yield from table.markdown(table.bar_rows(whole["bars"]))
    if whole["skipped"]:
        yield from ("", "### Skipped", "")
        yield from (f"- {s['what']}: {' '.join(s['why'].split())}" for s in whole["skipped"])


def merged(old, new):
    """The new results in place of the old ones, where the document has marks for them."""
    if BEGIN in old and END in old:
        return old[:old.index(BEGIN)] + new + old[old.index(END) + len(END) + 1:]
    return new


def write_markdown(path, whole, svg):
    plot = os.path.relpath(svg, os.path.dirname(os.path.abspath(path))) if svg else None
    new = "\n".join([BEGIN, "", *_sections(whole, plot), "", END, ""])
    old = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            old = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(merged(old, new))
