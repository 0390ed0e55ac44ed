# SPDX-License-Identifier: BSD-3-Clause
"""viaductd in the harness: one worker, one net_pcap port, tunnels to a far end that is not there."""
import json
import os
import subprocess
import time

import captures
from program import Program

_CONFIG = """
socket = "{dir}/socket";
workers = {{ cores = [ {cpu} ]; idle_us = 0; }};
huge_pages = {huge};
memory_mb = 0;
mbufs = {mbufs};
max_routes = {{ ipv4 = {routes}; }};
ports = ( {{ name = "wan0"; device = "net_pcap0,rx_pcap={capture},infinite_rx=1{record}"; }} );
vtis = ( {{ name = "vti0"; reqid = 1; local = "192.0.2.1"; remote = "192.0.2.2"; mtu = 1500; }} );
"""

ALGORITHMS = {  # what viaductctl calls them, and the keys' lengths
    "aes-gcm-128": ("aes-gcm-16", 20, None, 0),
    "aes-gcm-256": ("aes-gcm-16", 36, None, 0),
    "chacha20-poly1305": ("chacha20-poly1305", 36, None, 0),
    "aes-cbc-128-sha1": ("aes-cbc", 16, "hmac-sha1-96", 20),
    "aes-cbc-128-sha256": ("aes-cbc", 16, "hmac-sha2-256-128", 32),
}

# The far end, and what the captures' destinations are reached by.
_NETWORK = f"""
link set wan0 up
addr add 192.0.2.1/24 dev wan0
link set vti0 up
route add 10.{captures.ENCRYPTED}.0.0/16 dev vti0
route add 10.{captures.PLAIN}.0.0/16 via 192.0.2.2
route add 198.18.0.0/16 via 192.0.2.2
"""
_GROUP = 64  # of the kernel's twins of many VTIs
_NEIGHBOUR = "neigh replace 192.0.2.2 dev wan0 lladdr 02:00:00:00:00:02 nud permanent"


def _key(length):
    return "0x" + bytes(range(length)).hex()


def sa_words(algorithm):
    cipher, key, auth, auth_key = ALGORITHMS[algorithm]
    words = ["enc", cipher, "key", _key(key)]
    return words + (["auth", auth, "auth-key", _key(auth_key)] if auth else [])


class Viaductd(Program):
    """routes: ip(8)'s lines beyond the usual ones; record: a file that what is sent goes to."""

    def __init__(self, name, host, build, capture, algorithm="aes-gcm-128", mbufs=8192, tunnels=1,
                 routes=(), record=None):
        super().__init__(name, host)
        self.build, self.made = build, None
        directory = os.path.dirname(self.log)
        self.ctl = [f"{build}/control/cli/viaductctl", "-s", f"{directory}/socket", "--json"]
        config = f"{directory}/viaduct.conf"
        with open(config, "w", encoding="ascii") as f:
            f.write(_CONFIG.format(dir=directory, cpu=host.cpu, mbufs=mbufs, capture=capture,
                                   huge=str(host.huge).lower(), routes=65536 + len(routes),
                                   record=f",tx_pcap={record}" if record else ""))
        os.chmod(config, 0o600)
        # Its own network namespace: the kernel's twins have the same names in each.
        self.launch(["unshare", "--net", f"{build}/control/viaductd", "-c", config])
        self.wait_until(self.answers, "its socket")
        # Keyed at run time: AES-GCM in a file would repeat its nonces after a restart.
        for direction, ends in (("out", (1, 2)), ("in", (2, 1))):
            self.control("sa", "add", "src", f"192.0.2.{ends[0]}", "dst", f"192.0.2.{ends[1]}",
                         "spi", str(captures.SPI), "dir", direction, "reqid", "1", *sa_words(algorithm))
        self.ip(_NETWORK)
        if tunnels > 1:
            self.made = self.fill(tunnels)
        self.ip("\n".join(routes))
        self.ip(_NEIGHBOUR)
        if not record:
            self.settle()

    def answers(self):
        return os.path.exists(self.ctl[2]) and subprocess.run(
            [*self.ctl, "status"], capture_output=True, timeout=10).returncode == 0

    def control(self, *words):
        done = subprocess.run([*self.ctl, *words], capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise self.fail(f"viaductctl {words[0]} {words[1]}: {done.stderr.strip()}")
        return done.stdout

    def fill(self, tunnels):
        """Further tunnels, and a route to the host behind each; returns how long they took."""
        done = subprocess.run([f"{self.build}/test/bench/fill_tunnels", self.ctl[2], str(tunnels)],
                              capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise self.fail(done.stderr.strip())
        # So that they can all go at once, at the end. With IPv6 on, each change of an interface costs
        # the kernel a walk over all of their IPv6 routes.
        self.inside("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
        self.ip("\n".join(f"link set t{n} group {_GROUP}" for n in range(tunnels)))
        start = time.monotonic()
        self.ip("\n".join(f"route add {captures.text(captures.address(captures.MANY, n))}/32 dev t{n}"
                          for n in range(tunnels)))
        return f"{done.stdout.strip()}, a route to each in {time.monotonic() - start:.3f} s"

    def ip(self, lines):
        """ip(8) commands, in its namespace."""
        self.inside("ip", "-batch", "-", text=lines.strip() + "\n")

    def inside(self, *argv, text=""):
        done = subprocess.run(["nsenter", "-t", str(self.process.pid), "-n", *argv],
                              input=text, capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise self.fail(f"{argv[0]}: {done.stderr.strip()[-400:]}")

    def stop(self):
        """The kernel takes minutes to take thousands of interfaces away one by one, as it does when
        the process ends, but not when they go as a group."""
        if self.made and self.process.poll() is None:
            try:
                self.ip(f"route flush table main\nlink del group {_GROUP}")
            finally:
                self.process.kill()
        super().stop()

    def counters(self):
        stats = json.loads(self.control("stats", "wan0"))["interfaces"]
        wan0 = next(i for i in stats if i["name"] == "wan0")
        return wan0["rx_packets"], wan0["tx_packets"]
