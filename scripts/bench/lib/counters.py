# SPDX-License-Identifier: BSD-3-Clause
"""What viaductd counts in the two gateways, through viaductctl, here or by ssh."""
import json
import shlex
import subprocess
import time

# Where a packet passes from port 0 to port 1: gateway, its port, received or sent there.
WAY = (("a", "lan0", "rx_packets"), ("a", "wan0", "tx_packets"), ("b", "wan0", "rx_packets"),
       ("b", "lan0", "tx_packets"))
BACK = (("b", "lan0", "rx_packets"), ("b", "wan0", "tx_packets"), ("a", "wan0", "rx_packets"),
        ("a", "lan0", "tx_packets"))


class Gateways:
    """Commands that are viaductctl of gateway a and of gateway b; none is fine, too."""

    def __init__(self, a, b):
        self.commands = {name: shlex.split(text) for name, text in (("a", a), ("b", b)) if text}

    def ask(self, gateway, *args):
        out = subprocess.run([*self.commands[gateway], "--json", *args], check=True, text=True,
                             stdout=subprocess.PIPE, timeout=30).stdout
        return json.loads(out)

    def mac(self, gateway):
        return next(p["mac"] for p in self.ask(gateway, "port", "show") if p["name"] == "lan0")

    def wait_for_links(self, seconds):
        """viaductd looks at its ports' links once a second; packets before that would be lost."""
        end = time.monotonic() + seconds
        while down := [f"gateway {g}: {p['name']}" for g in self.commands for p in self.ask(g, "port", "show")
                       if p["name"] in ("lan0", "wan0") and not p["carrier"]]:
            if time.monotonic() > end:
                raise OSError(f"no link at {', '.join(down)}")
            time.sleep(0.1)

    def counters(self):
        found = {}
        for gateway in self.commands:
            for port in self.ask(gateway, "port", "show"):
                for name, value in {**port["stats"], "missed": port["missed"]}.items():
                    found[gateway, port["name"], name] = value
            for vti in self.ask(gateway, "vti", "show"):
                found[gateway, vti["name"], "tx_packets"] = vti["stats"]["tx_packets"]
            for reason in self.ask(gateway, "drops"):
                found[gateway, "drops", reason["name"]] = reason["packets"]
        return found


def passed(before, after, way):
    """The packets at each step of the way; None where no gateway was asked."""
    return [after[key] - before[key] if key in after else None for key in way]


def drops(before, after):
    """What was dropped meanwhile: {(gateway, reason): packets}."""
    lost = {}
    for key, value in after.items():
        gateway, port, name = key
        more = value - before.get(key, 0)
        if more and port == "drops":
            lost[gateway, name] = more
        elif more and name == "missed":  # by the device, before viaductd saw them
            lost[gateway, f"missed by {port}"] = more
    return lost


def spread(before, after, gateway):
    """How many VTIs of a gateway sent, and what the idlest and the busiest of them sent."""
    sent = [after[key] - before.get(key, 0) for key in after
            if key[0] == gateway and key[1].startswith("vti") and key[2] == "tx_packets"]
    sent = [n for n in sent if n]
    return {"sending": len(sent), "least": min(sent, default=0), "most": max(sent, default=0)}
