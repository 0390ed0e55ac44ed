# SPDX-License-Identifier: BSD-3-Clause
"""DPDK programs that are no part of Viaduct: counted through DPDK's telemetry socket."""
import json
import os
import socket

from program import Program


class DpdkProgram(Program):
    """One worker lcore on the host's CPU for it, one net_pcap port."""

    def eal(self, capture, lcores, memory_mb=512):
        h = self.host
        memory = ["--in-memory", "--huge-unlink"] if h.huge else ["--no-huge"]
        return [*memory, "--no-pci", "-m", str(memory_mb), "--file-prefix", self.name,
                "--lcores", lcores, "--log-level", "error",
                "--vdev", f"net_pcap0,rx_pcap={capture},infinite_rx=1"]

    def start(self, argv, **kwargs):
        # DPDK puts its sockets there.
        runtime = os.path.dirname(self.log)
        self.launch(argv, env={**os.environ, "RUNTIME_DIRECTORY": runtime}, **kwargs)
        self.wait_until(lambda: self.connect(runtime), "its telemetry socket")
        self.settle()

    def connect(self, runtime):
        for root, _, files in os.walk(runtime):
            if "dpdk_telemetry.v2" in files:
                s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                s.settimeout(10)
                try:
                    s.connect(f"{root}/dpdk_telemetry.v2")
                    s.recv(4096)  # its greeting
                except OSError:
                    s.close()
                    return False
                self.socket = s
                return True
        return False

    def counters(self):
        try:
            self.socket.send(b"/ethdev/stats,0")
            stats = json.loads(self.socket.recv(65536))["/ethdev/stats"] or {}
        except OSError as e:
            raise self.fail(f"does not answer: {e}") from e
        return stats.get("ipackets", 0), stats.get("opackets", 0)

    def stop(self):
        if getattr(self, "socket", None):
            self.socket.close()
        super().stop()
