# SPDX-License-Identifier: BSD-3-Clause
"""A process with one polling thread, that runs only while it is sampled."""
import os
import signal
import subprocess
import time

WARM_SECONDS = 0.05
START_SECONDS = 60
SETTLE_SECONDS = 0.2
FORWARDED = 0.99  # of what is received, at least; the counters are read while it runs


class BenchError(Exception):
    """What went wrong and what to do about it, for the user."""


class Program:
    """To be derived from: launch() something, counters() for the packets received and sent so far."""

    def __init__(self, name, host):
        self.name = name
        self.host = host
        self.process = None
        self.worker = None
        self.log = f"{host.new_directory(name)}/log"

    def launch(self, argv, **kwargs):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, **kwargs)
        self.host.programs.append(self)

    def fail(self, what):
        with open(self.log, errors="replace", encoding="utf-8") as f:
            tail = "".join(f"\n    {line.rstrip()}" for line in f.readlines()[-8:])
        return BenchError(f"{self.name}: {what}{tail}")

    def wait_until(self, true, what):
        end = time.monotonic() + START_SECONDS
        while not true():
            if self.process.poll() is not None:
                raise self.fail(f"ended at its start, status {self.process.returncode}")
            if time.monotonic() > end:
                raise self.fail(f"{what} did not come about in {START_SECONDS} s")
            time.sleep(0.02)

    def settle(self):
        """Wait until what is received is sent and nothing is left to be set up, then stop until it is
        our turn."""
        self.wait_until(self.forwards, "that what it receives is sent")
        self.wait_until(self.only_polls, "that its other threads have nothing to do")
        self.pause()

    def only_polls(self):
        """Finds the worker, the thread whose CPU time grows most; do the others rest?"""
        tasks = os.listdir(f"/proc/{self.process.pid}/task")
        before = {t: self.cpu_of(t) for t in tasks}
        time.sleep(SETTLE_SECONDS)
        spent = {t: self.cpu_of(t) - before[t] for t in tasks}
        busiest = sorted(tasks, key=spent.get)
        self.worker = busiest[-1]
        others = busiest[:-1]
        return sum(spent[t] for t in others) < 0.1 * SETTLE_SECONDS

    def forwards(self):
        received, sent = self.counters()
        time.sleep(0.05)
        received, sent = (now - then for now, then in zip(self.counters(), (received, sent)))
        return received > 0 and sent > received * FORWARDED

    def cpu_seconds(self):
        return self.cpu_of(self.worker)

    def cpu_of(self, task):
        with open(f"/proc/{self.process.pid}/task/{task}/schedstat", encoding="ascii") as f:
            return int(f.read().split()[0]) / 1e9

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def sample(self, seconds, hz):
        """Packets sent and the worker's CPU time meanwhile. Programs that wait are stopped."""
        self.resume()
        time.sleep(WARM_SECONDS)
        self.counters()
        cpu, (received, sent) = self.cpu_seconds(), self.counters()
        time.sleep(seconds)
        cpu, counters = self.cpu_seconds() - cpu, self.counters()
        self.pause()
        received, sent = counters[0] - received, counters[1] - sent
        if sent <= received * FORWARDED:
            raise self.fail(f"only {sent} of {received} packets are sent")
        return {"cycles": cpu * hz / sent, "packets": sent, "cpu_seconds": cpu}

    def counters(self):
        raise NotImplementedError

    def stop(self):
        if self in self.host.programs:
            self.host.programs.remove(self)
        if self.process is None or self.process.poll() is not None:
            return
        self.resume()
        self.process.terminate()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
