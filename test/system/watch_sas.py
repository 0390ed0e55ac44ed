#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Look at a gateway's SAs again and again until told to stop (SIGTERM): what an SA, known by its SPI,
has counted and numbered never gets less. Says how often it looked; exit status 1 if something did.

watch_sas.py VIADUCTCTL SOCKET"""
import json
import signal
import subprocess
import sys
import time

COUNTED = ("packets", "bytes", "errors", "seq", "age_s")


def sas(ctl, socket):
    out = subprocess.run([ctl, "-s", socket, "--json", "sa", "show"], capture_output=True, check=True)
    return {s["spi"]: s for s in json.loads(out.stdout)}


def lessened(before, now):
    for spi in before.keys() & now.keys():
        for name in COUNTED:
            if now[spi][name] < before[spi][name]:
                yield f"SA {spi}: {name} went from {before[spi][name]} to {now[spi][name]}"


def main(ctl, socket):
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    before, looks, bad = {}, 0, False
    while not stop:
        now = sas(ctl, socket)
        for line in lessened(before, now):
            print(line)
            bad = True
        before, looks = now, looks + 1
        time.sleep(0.25)
    print(f"looked {looks} times")
    return bad or looks < 10


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
