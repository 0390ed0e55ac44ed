#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""viaductd's speed on one core, without a NIC: the closed harness.

    harness.py BUILD_DIR [SAMPLES]          (as root; dpdk-testpmd from the package dpdk-dev)

DPDK's pcap driver replays a small capture for ever and frees what is sent, so one pinned worker runs
as fast as it can. For each inner size three figures are taken in turn, sample by sample, so that a
change of the core's clock meets all of them:

    floor     dpdk-testpmd in io mode: receive and send, nothing else
    gcm       Intel IPsec-MB's one-shot AES-GCM-128, alone (bench_esp)
    encrypt   viaductd: parse, route, AES-GCM-128 in tunnel mode, route, send
    plain     viaductd: plain IPv4 forwarding

and set against the limit, floor + gcm. TSC cycles per packet of the worker's own CPU time: the best
sample and, in brackets, the median. Programs that wait for their turn are stopped."""
import atexit
import json
import os
import re
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

SIZES = (64, 1420)
FRAMES = 256
CPU = max(os.sched_getaffinity(0))
SAMPLE_SECONDS = 0.25
PORT_MAC = bytes.fromhex("027063617000")  # the pcap driver's first port

CONFIG = """
socket = "{dir}/socket";
workers = {{ cores = [ {cpu} ]; idle_us = 0; }};
memory_mb = 512;
mbufs = 8192;
ports = ( {{ name = "wan0"; device = "net_pcap0,rx_pcap={pcap},infinite_rx=1"; }} );
vtis = ( {{ name = "vti0"; reqid = 1; local = "192.0.2.1"; remote = "192.0.2.2"; mtu = 1500; }} );
"""

# Keyed at run time: AES-GCM in a file would repeat its nonces after a restart.
SAS = """
sa add src 192.0.2.1 dst 192.0.2.2 spi 4096 dir out reqid 1 enc aes-gcm-16 key 0x{key}
sa add src 192.0.2.2 dst 192.0.2.1 spi 4097 dir in reqid 1 enc aes-gcm-16 key 0x{key}
"""
KEY = bytes(range(20)).hex()

# The far end, and what the capture's destinations are reached by.
NETWORK = """
link set wan0 up
addr add 192.0.2.1/24 dev wan0
link set vti0 up
neigh add 192.0.2.2 dev wan0 lladdr 02:00:00:00:00:02 nud permanent
route add 10.2.0.0/16 dev vti0
route add 10.3.0.0/16 via 192.0.2.2
"""


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(network, i, size):
    def header(check):
        return struct.pack("!BBHHHBBH4B4B", 0x45, 0, size, 0, 0, 64, 17, check,
                           10, 1, 0, 1, 10, network, 0, i)

    ip = header(checksum(header(0)))
    udp = struct.pack("!HHHH", 1024 + i, 9, size - 20, 0)
    ether = PORT_MAC + bytes.fromhex("020000000003") + b"\x08\x00"
    return ether + ip + udp + bytes(size - 28)


def write_capture(path, network, size):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i in range(FRAMES):
            data = frame(network, i, size)
            f.write(struct.pack("<IIII", 0, 0, len(data), len(data)) + data)


class Program:
    """A process with one polling thread; it runs only while it is sampled."""

    def __init__(self, name, argv, **kwargs):
        self.name = name
        self.samples = []
        self.process = subprocess.Popen(argv, **kwargs)
        atexit.register(self.stop)

    def ready(self):
        """Let it run a little: the thread that polls is the one whose CPU time grows most."""
        tasks = os.listdir(f"/proc/{self.process.pid}/task")
        before = {t: self.cpu_seconds(t) for t in tasks}
        time.sleep(0.3)
        self.worker = max(tasks, key=lambda t: self.cpu_seconds(t) - before[t])
        self.process.send_signal(signal.SIGSTOP)

    def cpu_seconds(self, task=None):
        task = task or self.worker
        with open(f"/proc/{self.process.pid}/task/{task}/schedstat", encoding="ascii") as f:
            return int(f.read().split()[0]) / 1e9

    def sample(self, hz):
        self.process.send_signal(signal.SIGCONT)
        self.packets()
        seconds, packets = self.cpu_seconds(), self.packets()
        time.sleep(SAMPLE_SECONDS)
        seconds, packets = self.cpu_seconds() - seconds, self.packets() - packets
        self.process.send_signal(signal.SIGSTOP)
        if packets == 0:
            raise SystemExit(f"{self.name}: no packet is sent")
        self.samples.append(seconds * hz / packets)

    def stop(self):
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:  # testpmd may wait for its input
            self.process.kill()
            self.process.wait()


class Testpmd(Program):
    def __init__(self, pcap):
        main = min(os.sched_getaffinity(0))
        super().__init__("floor", [
            "stdbuf", "-oL", "dpdk-testpmd", "--no-huge", "--no-pci", "--no-telemetry", "-m", "512",
            "--file-prefix", f"floor{os.getpid()}", "--lcores", f"0@{main},1@{CPU}",
            "--log-level", "error", "--vdev", f"net_pcap0,rx_pcap={pcap},infinite_rx=1", "--", "-i",
            "--forward-mode=io", "--total-num-mbufs=8192", "--no-lsc-interrupt"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)
        self.counts = []
        self.counted = threading.Semaphore(0)
        threading.Thread(target=self.read, daemon=True).start()
        self.process.stdin.write("start\n")
        self.packets()  # once it answers, it runs
        self.ready()

    def read(self):
        for line in self.process.stdout:
            found = re.search(r"TX-packets:\s*(\d+)", line)
            if found:
                self.counts.append(int(found[1]))
                self.counted.release()

    def packets(self):
        self.process.stdin.write("show port stats 0\n")
        if not self.counted.acquire(timeout=10):
            raise SystemExit("dpdk-testpmd does not answer")
        return self.counts[-1]


class Viaductd(Program):
    def __init__(self, name, build, directory, pcap):
        os.makedirs(directory)
        config = f"{directory}/viaduct.conf"
        with open(config, "w", encoding="ascii") as f:
            f.write(CONFIG.format(dir=directory, cpu=CPU, pcap=pcap))
        os.chmod(config, 0o600)
        self.ctl = [f"{build}/control/cli/viaductctl", "-s", f"{directory}/socket", "--json"]
        # Its own network namespace: the kernel's twins have the same names in each.
        super().__init__(name, ["unshare", "--net", f"{build}/control/viaductd", "-c", config],
                         stderr=open(f"{directory}/log", "wb"))
        for _ in range(100):
            if os.path.exists(f"{directory}/socket"):
                break
            time.sleep(0.05)
        time.sleep(0.2)
        for line in SAS.format(key=KEY).strip().splitlines():
            subprocess.run([*self.ctl, *line.split()], check=True)
        for line in NETWORK.strip().splitlines():
            subprocess.run(["nsenter", "-t", str(self.process.pid), "-n", "ip", *line.split()],
                           check=True)
        time.sleep(0.2)
        self.ready()

    def packets(self):
        stats = json.loads(subprocess.run([*self.ctl, "stats", "wan0"], check=True,
                                          capture_output=True).stdout)
        return next(i["tx_packets"] for i in stats["interfaces"])


def gcm_sample(build, size):
    """IPsec-MB alone: the best round of bench_esp's, and the TSC's frequency."""
    out = subprocess.run(["taskset", "-c", str(CPU), f"{build}/test/bench/bench_esp",
                          str(SAMPLE_SECONDS), "256", "aes-gcm-128", str(size)], check=True,
                         capture_output=True, text=True).stdout
    return (float(re.search(r"gcm-128 alone +([\d.]+)", out)[1]),
            float(re.search(r"TSC ([\d.]+) GHz", out)[1]) * 1e9)


def measure(build, samples, size, directory):
    encrypt, plain = f"{directory}/encrypt.pcap", f"{directory}/plain.pcap"
    write_capture(encrypt, 2, size)
    write_capture(plain, 3, size)
    programs, gcm = [], []
    try:
        programs.append(Testpmd(plain))
        programs.append(Viaductd("encrypt", build, f"{directory}/encrypt", encrypt))
        programs.append(Viaductd("plain", build, f"{directory}/plain", plain))
        for _ in range(samples):
            cycles, hz = gcm_sample(build, size)
            gcm.append(cycles)
            for p in programs:
                p.sample(hz)
    finally:
        for p in programs:
            p.stop()
    return {"gcm": gcm, **{p.name: p.samples for p in programs}}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if len(sys.argv) < 2 or os.geteuid() != 0:
        raise SystemExit(__doc__)
    build = os.path.abspath(sys.argv[1])
    samples = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    print(f"{'size':>5}" + "".join(f"{name:>16}" for name in
                                   ("floor", "gcm", "limit", "plain", "encrypt", "encrypt/limit")))
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="viaduct-bench") as directory:
            got = measure(build, samples, size, directory)
        best = {name: min(values) for name, values in got.items()}
        median = {name: statistics.median(values) for name, values in got.items()}
        best["limit"] = best["floor"] + best["gcm"]
        median["limit"] = median["floor"] + median["gcm"]
        columns = [f"{best[n]:.1f} ({median[n]:.1f})"
                   for n in ("floor", "gcm", "limit", "plain", "encrypt")]
        columns.append(f"{best['encrypt'] / best['limit']:.2f} "
                       f"({median['encrypt'] / median['limit']:.2f})")
        print(f"{size:>5}" + "".join(f"{c:>16}" for c in columns), flush=True)


if __name__ == "__main__":
    main()
