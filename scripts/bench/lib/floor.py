# SPDX-License-Identifier: BSD-3-Clause
"""The floor: receive and send, nothing else. DPDK's testpmd in io mode."""
import subprocess

from telemetry import DpdkProgram


class Floor(DpdkProgram):
    def __init__(self, host, capture, mbufs=8192):
        super().__init__("floor", host)
        # Without -i it forwards at once and ends when its standard input does.
        eal = self.eal(capture, f"0@{host.main_cpu},1@{host.cpu}", 512 + mbufs * 3 // 1024)
        self.start(["dpdk-testpmd", *eal, "--",
                    "--forward-mode=io", f"--total-num-mbufs={mbufs}", "--no-lsc-interrupt"],
                   stdin=subprocess.PIPE)

    def stop(self):
        if self.process is not None:
            self.process.stdin.close()
        super().stop()
