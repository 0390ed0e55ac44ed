# SPDX-License-Identifier: BSD-3-Clause
"""What is going on, on standard error: one line that changes on a terminal, else one for a group."""
import sys
import time


class Progress:
    def __init__(self):
        self.begin = time.monotonic()
        self.terminal = sys.stderr.isatty()
        self.title = None

    def _show(self, text):
        if self.terminal:
            print(f"\r\033[K{time.monotonic() - self.begin:5.0f} s  {text}", end="",
                  file=sys.stderr, flush=True)

    def say(self, text):
        end = "\r\033[K" if self.terminal else ""
        print(f"{end}{time.monotonic() - self.begin:5.0f} s  {text}", file=sys.stderr, flush=True)

    def starting(self, title, kind):
        if title != self.title and not self.terminal:
            self.say(title)
        self.title = title
        self._show(f"{title}: starting {kind}")

    def sample(self, name, sample, good):
        self._show(f"{self.title}: {name} {sample['cycles']:.1f}{'' if good else ' (noisy, again)'}")

    def clear(self):
        if self.terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
