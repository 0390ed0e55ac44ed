#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Where in a process's memory do keys stand?

    find_keys.py PID KEY..        keys as hexadecimal digits, with or without 0x

Looks for each key's halves as bytes and as text, for every AES round key of it (encryption's and
decryption's), and for HMAC's padded keys. Prints a line for each find: key, form, address, mapping,
and "guarded" where the mapping is locked in memory and kept out of core files. Exit status 0: nothing
found, 1: found, 2: the memory cannot be read.
"""
import re
import sys

SBOX = [0] * 256
PAGE = 4096


def times(a, b):
    out = 0
    while b:
        out ^= a if b & 1 else 0
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return out


def make_sbox():
    for x in range(256):
        y = next((y for y in range(256) if times(x, y) == 1), 0)
        r = 0x63
        for i in range(5):
            r ^= (y << i | y >> (8 - i)) & 0xFF
        SBOX[x] = r


def expand(key):
    """FIPS 197 5.2: the round keys after the key itself."""
    words = [key[i:i + 4] for i in range(0, len(key), 4)]
    n, power = len(words), 1
    for i in range(n, 4 * (n + 7)):
        t = words[i - 1]
        if i % n == 0:
            t = bytes(SBOX[b] for b in t[1:] + t[:1])
            t = bytes([t[0] ^ power]) + t[1:]
            power = times(power, 2)
        elif n == 8 and i % n == 4:
            t = bytes(SBOX[b] for b in t)
        words.append(bytes(a ^ b for a, b in zip(words[i - n], t)))
    return [b"".join(words[i:i + 4]) for i in range(0, len(words), 4)]


def inv_mix(rk):
    """A decryption round key (FIPS 197 5.3.5)."""
    out = []
    for c in range(0, 16, 4):
        a = rk[c:c + 4]
        for i in range(4):
            out.append(times(a[i], 14) ^ times(a[(i + 1) % 4], 11) ^ times(a[(i + 2) % 4], 13) ^ times(a[(i + 3) % 4], 9))
    return bytes(out)


def needles(text):
    key = bytes.fromhex(text.removeprefix("0x"))
    forms = {"first half": key[:16], "second half": key[-16:]}
    for name, form in list(forms.items()):
        forms[name + ", text"] = form.hex().encode()
        forms[name + ", upper text"] = form.hex().upper().encode()
    # With an AEAD the salt follows the key.
    size = len(key) - 4 if len(key) in (20, 28, 36) else len(key)
    if size in (16, 24, 32):
        for i, rk in enumerate(expand(key[:size])):
            if i > 0:
                forms["round key %d" % i] = rk
                forms["decryption round key %d" % i] = inv_mix(rk)
    for pad in (0x36, 0x5C):
        forms["HMAC pad %#x" % pad] = bytes(b ^ pad for b in key[:16])
    return forms


def mappings(pid):
    """Every mapping that may be written: start, end, name, and whether it is locked and not dumped."""
    at = None
    with open("/proc/%s/smaps" % pid) as f:
        for line in f:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (....) \S+ \S+ \S+ *(.*)", line)
            if m:
                at = [int(m[1], 16), int(m[2], 16), m[3], m[4].strip()]
            elif line.startswith("VmFlags:") and at[2][:2] == "rw":
                flags = line.split()[1:]
                yield at[0], at[1], at[3] or "anonymous", "lo" in flags and "dd" in flags


def touched(mem, start, end):
    """(address, bytes) of each run of pages that hold more than the same 8 bytes all over: most are zero, or
    a forwarding table's default route."""
    run, begin = [], start
    for at in range(start, end, 1 << 20):
        try:
            mem.seek(at)
            data = mem.read(min(1 << 20, end - at))
        except (OSError, OverflowError, ValueError):
            continue  # a device's memory
        for i in range(0, len(data), PAGE):
            page = data[i:i + PAGE]
            if page != page[:8] * (len(page) // 8):
                if not run:
                    begin = at + i
                run.append(page)
            elif run:
                yield begin, b"".join(run)
                run = []
    if run:
        yield begin, b"".join(run)


def main(pid, keys):
    make_sbox()
    wanted = {form: (key[:10], name) for key in keys for name, form in needles(key).items()}
    finds, size = 0, 0
    with open("/proc/%s/mem" % pid, "rb", buffering=0) as mem:
        for start, end, name, guarded in mappings(pid):
            for address, data in touched(mem, start, end):
                size += len(data)
                for form, what in wanted.items():
                    at = data.find(form)
                    while at >= 0:
                        finds += 1
                        print(*what, hex(address + at), name, "guarded" if guarded else "open", sep="\t")
                        at = data.find(form, at + 1)
    if size < 1 << 20:
        sys.exit(2)
    print("%d MiB searched for %d patterns: %d found" % (size >> 20, len(wanted), finds), file=sys.stderr)
    return finds > 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1], sys.argv[2:]))
    except PermissionError as e:
        print(e, file=sys.stderr)
        sys.exit(2)
