#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Does docs/api.md name everything that viaduct_api.h declares, and has nothing that older clients rely on
changed? The second is compared with api_layout.txt, the layout as the present major version began.

    check_api_docs.py SOURCE_DIRECTORY [--update]

--update writes api_layout.txt anew: only together with a new VIADUCT_API_VERSION.
"""
import os
import re
import subprocess
import sys
import tempfile

top = sys.argv[1]
header_path = os.path.join(top, "control/api/viaduct_api.h")
record_path = os.path.join(top, "test/unit/api_layout.txt")
header = re.sub(r"/\*.*?\*/", "", open(header_path).read().replace("\\\n", "\n"), flags=re.S)
doc = open(os.path.join(top, "docs/api.md")).read()
failures = []


def fail(text):
    failures.append(text)


def structures():
    """name -> its fields, in order"""
    found = {}
    for name, body in re.findall(r"^struct (\w+) \{\n(.*?)^\};", header, flags=re.S | re.M):
        fields = []
        for line in body.split(";"):
            line = re.sub(r"\[[^]]*\]", "", line).strip()
            if line:
                first, *more = line.split(",")
                fields += [first.split()[-1]] + [m.strip() for m in more]
        found[name] = fields
    return found


def messages():
    return re.findall(r"X\((\w+), (\d+), (\w+), (\w+), [01], [01]\)", header)


def events():
    return re.findall(r"X\((\w+), (\d+), (\w+)\)", header)


def section(struct):
    m = re.search(r"^#+ `%s`[^\n]*\n(.*?)(?=^#+ |\Z)" % struct, doc, flags=re.S | re.M)
    return m.group(1) if m else None


def check_doc():
    for name, number, req, rep in messages():
        row = re.search(r"^\| `?%s`? %s \|(.*)$" % (name, number), doc, flags=re.M)
        if not row:
            fail("message %s %s has no row" % (name, number))
            continue
        for struct in (req, rep):
            if struct != "viaduct_none" and "`%s`" % struct not in row.group(1):
                fail("message %s: its row does not name %s" % (name, struct))
    for name, number, struct in events():
        row = re.search(r"^\| `?%s`? %s \|(.*)$" % (name, number), doc, flags=re.M)
        if not row or "`%s`" % struct not in row.group(1):
            fail("event %s %s with %s has no row" % (name, number, struct))
    for name in re.findall(r"^\| `?([A-Z][A-Z_]+)`? \d+ \|", doc, flags=re.M):
        if name not in [m[0] for m in messages()] + [e[0] for e in events()]:
            fail("%s is documented, but not declared" % name)
    for struct, fields in structures().items():
        if struct == "viaduct_none":
            continue
        text = section(struct)
        if text is None:
            fail("struct %s has no section" % struct)
            continue
        for field in fields:
            if not field.startswith("reserved") and not re.search(r"`[^`\n]*\b%s\b[^`\n]*`" % field, text):
                fail("struct %s: field %s is not named" % (struct, field))
    for enum in re.findall(r"^enum \w+ \{\n(.*?)^\};", header, flags=re.S | re.M):
        for name in re.findall(r"\b(VIADUCT_\w+)", enum):
            if "##" not in enum and not re.search(r"\b(VIADUCT_)?%s\b" % name[len("VIADUCT_"):], doc):
                fail("%s is not named" % name)


def layout():
    """Lines "struct size" and "struct.field offset size", as the compiler has it."""
    c = '#include "viaduct_api.h"\n#include <stdio.h>\nint main(void) {\n'
    for struct, fields in structures().items():
        if struct == "viaduct_none":
            continue
        c += 'printf("%s %%zu\\n", sizeof(struct %s));\n' % (struct, struct)
        for f in fields:
            c += ('printf("%s.%s %%zu %%zu\\n", offsetof(struct %s, %s), sizeof(((struct %s *)0)->%s));\n'
                  % (struct, f, struct, f, struct, f))
    with tempfile.TemporaryDirectory() as d:
        source = os.path.join(d, "layout.c")
        open(source, "w").write(c + "return 0; }\n")
        subprocess.run([os.environ.get("CC", "cc").split()[-1], "-I", os.path.dirname(header_path), source,
                        "-o", source[:-2]], check=True)
        return subprocess.run([source[:-2]], check=True, capture_output=True, text=True).stdout.splitlines()


def check_layout():
    version = re.search(r"VIADUCT_API_VERSION (\d+)", header).group(1)
    now = ["version " + version] + layout()
    now += ["message %s %s %s %s" % m for m in messages()] + ["event %s %s %s" % e for e in events()]
    if "--update" in sys.argv:
        open(record_path, "w").write(
            "# SPDX-License-Identifier: BSD-3-Clause\n"
            "# What clients of this major version were built with: test/unit/check_api_docs.py\n" + "\n".join(now) + "\n")
    record = [line for line in open(record_path).read().splitlines() if not line.startswith("#")]
    if record[0] != now[0]:
        fail("%s: the record is of %s: --update" % (now[0], record[0]))
        return
    bases = re.findall(r"X\((\w+), (?:offsetof|\d+)", header)
    sizes = {line.split()[0]: int(line.split()[1]) for line in record
             if line.startswith("viaduct_") and "." not in line.split()[0]}
    free = [tuple(map(int, line.split()[1:])) + (line.split(".")[0],) for line in record
            if re.match(r"viaduct_\w+\.reserved", line)]
    for line in record:
        words = line.split()
        # Reserved bytes may get a name: zero means what held before.
        if line in now or ".reserved" in words[0]:
            continue
        if words[0] in sizes:
            if words[0] not in bases:
                fail("%s has another size than in this version's beginning, %s, and is not in "
                     "VIADUCT_BASE_SIZES" % (words[0], words[1]))
        else:
            fail("changed within a major version: " + line)
    for line in now:
        words = line.split()
        struct = words[0].split(".")[0]
        if "." not in words[0] or line in record or struct not in sizes or int(words[1]) >= sizes[struct]:
            continue
        if not any(s == struct and at <= int(words[1]) < at + size for at, size, s in free):
            fail("new field within what older clients send: " + line)


check_doc()
check_layout()
for text in failures:
    print("FAIL " + text)
print("%d messages, %d events, %d structures: %s" % (
    len(messages()), len(events()), len(structures()), "%d failures" % len(failures) if failures else "all documented"))
sys.exit(1 if failures else 0)
