# SPDX-License-Identifier: BSD-3-Clause
"""Pktgen-DPDK as a process: commands to its prompt, counters from its DPDK telemetry socket."""
import json
import os
import pty
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
import time

PORTS = (0, 1)
FCS = 4
RING = 4096  # descriptors of each port
WIRE = 20  # preamble and gap, beside the frame with FCS
MISTAKE = re.compile(r"invalid|not found|not valid|failed|\*\*\* ", re.I)
CODES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[78])")


class PktgenError(Exception):
    pass


class Pktgen:
    """Its prompt insists on a terminal, so it gets one of its own; no Lua is needed in it."""

    def __init__(self, path, eal, cores):
        self.directory = tempfile.mkdtemp(prefix="viaduct-pktgen.")
        self.text, self.marks, self.lock = "", 0, threading.Condition()
        self.telemetry = self.process = None
        master, slave = pty.openpty()
        self.terminal = master
        # DPDK keeps its sockets under RUNTIME_DIRECTORY. Pktgen ends when we do, however that is.
        argv = ["setpriv", "--pdeathsig", "KILL", path, "--file-prefix", "pktgen", *shlex.split(eal),
                "--", "-P", "-m", cores, "--rxd", str(RING), "--txd", str(RING)]
        try:
            self.process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave,
                                            start_new_session=True,
                                            env={**os.environ, "RUNTIME_DIRECTORY": self.directory})
        finally:
            os.close(slave)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                data = os.read(self.terminal, 4096)
            except OSError:
                data = b""
            with self.lock:
                self.text = (self.text + data.decode(errors="replace"))[-65536:]
                self.lock.notify()
            if not data:
                return

    def output(self):
        """What it wrote last, without the screen's control codes."""
        with self.lock:
            return CODES.sub("", self.text).replace("\r", "")

    def ready(self, seconds=60):
        """Its telemetry socket answers, its prompt too, and both links are up."""
        path = f"{self.directory}/dpdk/pktgen/dpdk_telemetry.v2"
        end = time.monotonic() + seconds
        while self.telemetry is None:
            self.alive(end, "does not start")
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.settimeout(10)
            try:
                s.connect(path)
                s.recv(4096)  # its greeting
                self.telemetry = s
            except OSError:
                s.close()
                time.sleep(0.1)
        self.command("disable screen", timeout=max(10, end - time.monotonic()))
        # The thread behind the prompt polls. Where it shares a CPU, the ports' threads go first.
        os.setpriority(os.PRIO_PROCESS, self.process.pid, 10)
        while not all(self.link(port)["status"] == "UP" for port in PORTS):
            self.alive(end, "has a port without link")
            time.sleep(0.1)

    def alive(self, end, what):
        if self.process.poll() is not None:
            raise PktgenError(f"pktgen ended with status {self.process.returncode}; its last words:\n"
                              + "\n".join(self.output().strip().splitlines()[-40:]))
        if time.monotonic() > end:
            raise PktgenError(f"pktgen {what}:\n" + "\n".join(self.output().splitlines()[-40:]))

    def command(self, text, timeout=10):
        """Give it a line and wait until it is done: it is made to say a word behind it."""
        self.marks += 1
        word = f"done-{self.marks}"
        with self.lock:
            self.text = ""
        os.write(self.terminal, f"{text}\recho {word}\r".encode())
        end = time.monotonic() + timeout
        while not re.search(rf"\n{word} ", self.output()):
            self.alive(end, f"does not answer to: {text}")
            with self.lock:
                self.lock.wait(0.05)
        said = [line for line in self.output().splitlines() if MISTAKE.search(line)]
        if said:
            raise PktgenError(f"pktgen refuses: {text}\n" + "\n".join(said))

    def load(self, path, values):
        """A file of commands, its words in capitals replaced by these values."""
        with open(path, encoding="ascii") as f:
            lines = [line for line in f if not line.startswith("#")]
        filled = f"{self.directory}/profile.pkt"
        with open(filled, "w", encoding="ascii") as f:
            for line in lines:
                f.write(re.sub(r"\b[A-Z][A-Z_]+\b", lambda word: str(values[word[0]]), line))
        self.command(f"load {filled}", timeout=30)

    def ask(self, what, port):
        self.telemetry.send(f"/ethdev/{what},{port}".encode())
        return json.loads(self.telemetry.recv(65536))[f"/ethdev/{what}"]

    def link(self, port):
        return self.ask("link_status", port)

    def counters(self):
        """For each port: packets sent, received, and what the receiver had no room for."""
        all_ports = [self.ask("stats", port) for port in PORTS]
        return [{"sent": s["opackets"], "received": s["ipackets"],
                 "missed": s["imissed"] + s["rx_nombuf"] + s["ierrors"]} for s in all_ports]

    def set_rate(self, pps, frame):
        """Of each port. Pktgen counts in percent of the link's speed, with preamble and gap."""
        percent = 100 * pps * (frame + WIRE) * 8 / (self.link(0)["speed"] * 1e6)
        self.command(f"set all rate {min(percent, 100):.9f}")

    def full_pps(self, frame):
        return self.link(0)["speed"] * 1e6 / ((frame + WIRE) * 8)

    def stop(self):
        if self.process and self.process.poll() is None:
            try:
                if self.telemetry:  # else it does not listen yet
                    os.write(self.terminal, b"stop all\rquit\r")
                    self.process.wait(2)
            except (OSError, subprocess.TimeoutExpired):
                pass
            self.process.kill()
            self.process.wait()
        if self.telemetry:
            self.telemetry.close()
        shutil.rmtree(self.directory, ignore_errors=True)
