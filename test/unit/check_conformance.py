#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Do the tests that docs/conformance.md names exist, and are they run? Is each statement shown by one, or does
it say why not?

    check_conformance.py SOURCE_DIRECTORY

A test is written as `dataplane/test_ecn.c: ignored_if_told, header_with_options`, or `system/test_nat.sh`.
"""
import os
import re
import sys

top = sys.argv[1]
failures = []
named = 0


def fail(text):
    failures.append(text)


def read(*path):
    with open(os.path.join(top, *path)) as f:
        return f.read()


def is_run(path):
    """Do meson's lists have this file?"""
    folder, name = os.path.split(path)
    stem = re.match(r"(?:test_)?(.*)\.\w+$", name).group(1)
    lists = read("test", folder, "meson.build")
    return any(f"'{n}'" in lists for n in (stem, name, name.rsplit(".")[0]))


def cases_of(path):
    """Names that a reference to this file may give."""
    text = read("test", path)
    if path.endswith(".c"):
        return set(re.findall(r"(?:DP|UNIT)_TEST\((\w+)\)", text))
    if path.endswith(".py"):
        return set(re.findall(r"^def (\w+)", text, flags=re.M))
    return set()


def check_reference(reference):
    path, _, names = reference.partition(":")
    if not os.path.exists(os.path.join(top, "test", path)):
        return fail(f"test/{path} does not exist")
    if not is_run(path):
        return fail(f"test/{path} is in no meson.build")
    have = cases_of(path)
    for name in filter(None, re.split(r"[\s,]+", names)):
        if name not in have:
            fail(f"test/{path} has no test {name}")
    return None


def check_row(number, cells):
    global named
    references = re.findall(r"`((?:unit|dataplane|system)/[^`]*)`", " ".join(cells[1:]))
    if not references and not re.match(r"no test: .{10}", cells[1]):
        fail(f"line {number}: no test, and no reason: {cells[0][:60]}")
    for reference in references:
        check_reference(reference)
    named += len(references)


rows = 0
for number, line in enumerate(read("docs", "conformance.md").split("\n"), 1):
    cells = [c.strip() for c in line.strip("|").split("|")]
    if not line.startswith("|") or cells[0] in ("statement", "---"):
        continue
    rows += 1
    if len(cells) != 3:
        fail(f"line {number}: {len(cells)} columns, expected 3")
    else:
        check_row(number, cells)
for text in failures:
    print(text)
print(f"{rows} statements, {named} references to tests")
sys.exit(bool(failures) or rows < 50)
