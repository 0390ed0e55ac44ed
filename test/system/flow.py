#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Numbered datagrams for the system tests, and the account of them.

  flow.py send ADDRESS PORT RATE FILE   RATE datagrams a second until SIGTERM; FILE: when each was sent
  flow.py recv ADDRESS PORT FILE        until SIGTERM; FILE: the number of each that came
  flow.py account EVENTS SENT CAME      which are missing, and during which event they were sent

EVENTS has lines "NAME BEGIN END MOST": in that time (seconds since the epoch) at most MOST datagrams
may be lost. `account` fails if one is lost outside of every event, if an event loses more, or if one
came twice.
"""
import array
import signal
import socket
import sys
import time

ends = []
signal.signal(signal.SIGTERM, lambda *_: ends.append(1))


def socket_for(address):
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)


def send(address, port, rate, path):
    s, sent, period = socket_for(address), array.array("d"), 1 / float(rate)
    due = time.time()
    while not ends:
        s.sendto(len(sent).to_bytes(8, "big") + bytes(92), (address, int(port)))
        sent.append(time.time())
        due += period
        time.sleep(max(0, due - time.time()))
    with open(path, "wb") as f:
        sent.tofile(f)


def recv(address, port, path):
    s, came = socket_for(address), array.array("d")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    s.bind((address, int(port)))
    s.settimeout(0.2)
    while not ends:
        try:
            came.append(int.from_bytes(s.recv(256)[:8], "big"))
        except socket.timeout:
            pass
    with open(path, "wb") as f:
        came.tofile(f)


def numbers(path):
    a = array.array("d")
    with open(path, "rb") as f:
        a.frombytes(f.read())
    return a


def account(events, sent, came):
    sent, came = numbers(sent), numbers(came)
    got, bad = set(int(n) for n in came), 0
    lost = [n for n in range(len(sent)) if n not in got]
    print("%d sent, %d lost, %d came twice" % (len(sent), len(lost), len(came) - len(got)))
    bad += len(came) != len(got)
    for line in open(events):
        name, begin, end, most = line.split()
        inside = [n for n in lost if float(begin) <= sent[n] <= float(end)]
        lost = [n for n in lost if not float(begin) <= sent[n] <= float(end)]
        over = len(inside) > int(most)
        bad += over
        print("  %-28s %5.2f s  %5d lost%s" % (name, float(end) - float(begin), len(inside),
                                              ", more than %s" % most if over else ""))
    for n in lost[:5]:
        print("  number %d was lost outside of every event, at %.3f" % (n, sent[n]))
    return bad or len(lost)


if __name__ == "__main__":
    what = {"send": send, "recv": recv, "account": account}.get(sys.argv[1])
    sys.exit(what(*sys.argv[2:]) if what else __doc__)
