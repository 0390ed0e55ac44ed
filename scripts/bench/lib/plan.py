# SPDX-License-Identifier: BSD-3-Clause
"""What is measured beside what: groups of programs that replay the same packets in turn."""
import captures
from alone import Alone
from cores import Cores
from floor import Floor
from decrypt import Decrypt
from options import ALGORITHMS
from peers import L3fwd, Secgw
from record import record
from viaduct import Viaductd

TUNNELS = (1, 128, 10000)
ROUTES = 1000000
ROUTE_FRAMES = 65536
SIZE = 64  # of the packets where growth is looked at
GCM = "aes-gcm-128"


class Group:
    """make(bench, directory, add) calls add(kind, name, function), whose result is a contender: all
    are there at once, one of them runs. kind: what --only chooses by; None: always there."""

    def __init__(self, part, title, size, algorithm, make):
        self.part, self.title, self.size, self.algorithm, self.make = part, title, size, algorithm, make


def each_build(bench, name):
    """The same for each of the builds that are compared: `encrypt`, or `encrypt A` and `encrypt B`."""
    for i, build in enumerate(bench.builds):
        yield name if len(bench.builds) == 1 else f"{name} {chr(ord('A') + i)}", build


def _size_group(part, algorithm, size):
    def make(bench, directory, add):
        h, build = bench.host, bench.builds[0]
        plain, inner, esp = (f"{directory}/{name}.pcap" for name in ("plain", "inner", "esp"))
        captures.write(plain, captures.one_network(captures.PLAIN, size), size)
        captures.write(inner, captures.one_network(captures.ENCRYPTED, size), size)
        add(None, "floor", lambda n: Floor(h, plain))
        add(None, "alone", lambda n: Alone(n, h, build, algorithm, size))
        if part == "sizes":
            forwarded = f"{directory}/l3fwd.pcap"
            captures.write(forwarded, captures.l3fwd_network(size), size)
            add("l3fwd", "l3fwd", lambda n: L3fwd(h, f"{bench.peers}/l3fwd", forwarded))
            for name, b in each_build(bench, "plain"):
                add("plain", name, lambda n, b=b: Viaductd(n, h, b, plain))
        add("secgw", "secgw encrypt", lambda n: Secgw(n, h, f"{bench.peers}/ipsec-secgw", inner, algorithm))
        for name, b in each_build(bench, "encrypt"):
            add("encrypt", name, lambda n, b=b: Viaductd(n, h, b, inner, algorithm))

        def decrypting_secgw(name):
            record(h, build, inner, esp, algorithm)
            return Secgw(name, h, f"{bench.peers}/ipsec-secgw", esp, algorithm, decrypt=True)
        add("secgw", "secgw decrypt", decrypting_secgw)
        for name, b in each_build(bench, "decrypt"):
            add("decrypt", name, lambda n, b=b: Decrypt(n, h, b, algorithm, size))
    what = "IMIX" if size == captures.IMIX else f"{size} bytes"
    return Group(part, f"{algorithm}, {what}", size, algorithm, make)


def counted(count, what):
    return f"{count} {what}{'' if count == 1 else 's'}"


def _tunnels_group():
    frames = max(TUNNELS)

    def make(bench, directory, add):
        h, buffers = bench.host, 2 * frames + 8192
        paths = {}
        for count in TUNNELS:
            paths[count] = f"{directory}/{count}.pcap"
            captures.write(paths[count], captures.tunnels(count, frames) if count > 1 else
                           captures.hosts_of(captures.ENCRYPTED, frames), SIZE)
        add(None, "floor", lambda n: Floor(h, paths[1], buffers))
        for count in TUNNELS:
            for name, b in each_build(bench, f"encrypt, {counted(count, 'tunnel')}"):
                add("encrypt", name, lambda n, b=b, c=count:
                    Viaductd(n, h, b, paths[c], GCM, buffers, c))
        for count in TUNNELS:
            for name, b in each_build(bench, f"decrypt, {counted(count, 'tunnel')}"):
                add("decrypt", name, lambda n, b=b, c=count:
                    Decrypt(n, h, b, GCM, SIZE, "--tunnels", c, "--frames", frames))
    return Group("tunnels", f"many tunnels, {SIZE} bytes, {frames} packets, one to each in random order",
                 SIZE, GCM, make)


def _routes_group():
    def make(bench, directory, add):
        h, buffers, path = bench.host, 2 * ROUTE_FRAMES, f"{directory}/random.pcap"
        networks = captures.prefixes(ROUTES)
        captures.write(path, captures.hosts(networks, ROUTE_FRAMES), SIZE)
        few = ["route add default dev vti0"]
        many = [f"route add {captures.text(p)}/24 dev vti0" for p in networks]
        add(None, "floor", lambda n: Floor(h, path, buffers))
        for routes in (few, many):
            for name, b in each_build(bench, f"encrypt, {counted(len(routes), 'route')}"):
                add("encrypt", name, lambda n, b=b, r=routes:
                    Viaductd(n, h, b, path, GCM, buffers, routes=r))
    return Group("routes", f"many routes, {SIZE} bytes, {ROUTE_FRAMES} packets to random destinations",
                 SIZE, GCM, make)


def _workers_group(size):
    def make(bench, _, add):
        if bench.host.cpus < 2:
            bench.skip(f"two workers, {size} bytes", "this machine has one CPU", expected=True)
            return
        for name, b in each_build(bench, "two workers"):
            add(None, name, lambda n, b=b: Cores(n, bench.host, b, GCM, size))
    return Group("workers", f"two workers, {size} bytes; cycles of the clock on the wall, medians", size, GCM, make)


def groups(options):
    if "sizes" in options.parts:
        for size in options.sizes:
            yield _size_group("sizes", GCM, size)
    if "algorithms" in options.parts:
        for algorithm in ALGORITHMS:
            for size in (64, 1420):
                yield _size_group("algorithms", algorithm, size)
    if "tunnels" in options.parts:
        yield _tunnels_group()
    if "routes" in options.parts:
        yield _routes_group()
    if "workers" in options.parts:
        for size in options.worker_sizes:
            yield _workers_group(size)
