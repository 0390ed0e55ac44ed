# SPDX-License-Identifier: BSD-3-Clause
"""DPDK's example programs in the harness: l3fwd and ipsec-secgw.

ipsec-secgw in its best mode, found by trying in this harness: it polls, with librte_ipsec (-l);
AEADs by CPU crypto, AES-CBC with HMAC by a lookaside session, which fills IPsec-MB's lanes."""
import os

import captures
from telemetry import DpdkProgram

_CBC = "cipher_algo aes-128-cbc cipher_key {16}"
_ALGORITHMS = {  # the SA's words, the crypto device, the kind of session
    "aes-gcm-128": ("aead_algo aes-128-gcm aead_key {20}", "crypto_aesni_gcm0", "cpu-crypto"),
    "aes-gcm-256": ("aead_algo aes-256-gcm aead_key {36}", "crypto_aesni_gcm0", "cpu-crypto"),
    "chacha20-poly1305": ("aead_algo chacha20-poly1305 aead_key {36}", "crypto_aesni_mb0", "cpu-crypto"),
    "aes-cbc-128-sha1": (_CBC + " auth_algo sha1-hmac auth_key {20}", "crypto_aesni_mb0", "no-offload"),
    "aes-cbc-128-sha256": (_CBC + " auth_algo sha256-hmac auth_key {32}", "crypto_aesni_mb0", "no-offload"),
}
_KEYS = {n: ":".join(f"{b:02x}" for b in range(n)) for n in (16, 20, 32, 36)}
_PORT = ["-p", "0x1", "-P", "--config", "(0,0,1)"]  # promiscuous; port 0, queue 0, lcore 1


class L3fwd(DpdkProgram):
    """Its own route 198.18.0.0/24, by longest-prefix match."""

    def __init__(self, host, program, capture):
        super().__init__("l3fwd", host)
        self.start([program, *self.eal(capture, f"1@{host.cpu}"), "--", *_PORT, "--parse-ptype",
                    "--eth-dest=0,02:00:00:00:00:02"])


def _configuration(algorithm, decrypt, tunnels):
    words, _, session = _ALGORITHMS[algorithm]
    for length, key in _KEYS.items():
        words = words.replace(f"{{{length}}}", key)
    direction = "in" if decrypt else "out"
    for n in range(tunnels):
        spi = captures.SPI + n
        to = "10.2.0.0/16" if tunnels == 1 else f"{captures.text(captures.address(captures.MANY, n))}/32"
        yield f"sp ipv4 {direction} esp protect {spi} pri 1 dst {to} sport 0:65535 dport 0:65535"
        yield f"sa {direction} {spi} {words} mode ipv4-tunnel src 192.0.2.1 dst 192.0.2.2 type {session}"
    yield f"rt ipv4 dst {'10.2.0.0/16' if decrypt else '192.0.2.2/32'} port 0"
    yield "neigh port 0 02:00:00:00:00:02"


class Secgw(DpdkProgram):
    def __init__(self, name, host, program, capture, algorithm, decrypt=False, tunnels=1):
        super().__init__(name, host)
        path = f"{os.path.dirname(self.log)}/secgw.cfg"
        with open(path, "w", encoding="ascii") as f:
            f.writelines(f"{line}\n" for line in _configuration(algorithm, decrypt, tunnels))
        unprotected = ["-u", "0x1"] if decrypt else []
        self.start([program, *self.eal(capture, f"1@{host.cpu}", 1024),
                    "--vdev", _ALGORITHMS[algorithm][1], "--", *_PORT, *unprotected, "-l", "-f", path])
