#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""ESP against scapy's implementation, both ways: each algorithm, key size, with and without extended
sequence numbers, UDP encapsulation, IPv4 and IPv6 outside and inside, and packets of many sizes; with
each algorithm also ECN (RFC 6040), traffic flow padding and dummies.

    test_scapy.py <esp_tool>

What scapy 2.5 lacks is mended here: the upper half of the sequence number in an HMAC (RFC 4303
2.2.1), the length of the UDP header that it puts in front of ESP, and AES-GMAC, for which it does the
packet and OpenSSL (python3-cryptography) the integrity.
"""
import struct
import subprocess
import sys

SKIP = 77

try:
    import logging
    logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
    from scapy.config import conf
    if not conf.crypto_valid:
        raise ImportError("python3-cryptography is missing")
    from scapy.layers.inet import ICMP, IP, TCP, UDP
    from scapy.layers.inet6 import IPv6
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from scapy.layers.ipsec import (AUTH_ALGOS, CRYPT_ALGOS, ESP, AuthAlgo, CryptAlgo,
                                    IPSecIntegrityError, SecurityAssociation)
    from scapy.packet import Raw
except ImportError as e:
    print(f"skipped: scapy with IPsec is not there ({e})")
    sys.exit(SKIP)

OUTER = {4: ("10.0.1.1", "192.0.2.9"), 6: ("2001:db8:1::1", "2001:db8:f::9")}
LAN = {4: "10.1.2.3", 6: "2001:db8:a::3"}
FAR = {4: "10.2.3.4", 6: "2001:db8:b::4"}
SIZES = (0, 1, 2, 3, 17, 500, 1200)

# ours: (scapy's name, key sizes with the salt)
CIPHERS = {
    "aes-gcm-16": ("AES-GCM", (20, 28, 36)),
    "chacha20-poly1305": ("CHACHA20-POLY1305", (36,)),
    "aes-gmac": ("AES-GMAC", (20, 28, 36)),
    "aes-cbc": ("AES-CBC", (16, 24, 32)),
    "aes-ctr": ("AES-CTR", (20, 28, 36)),
    "null": ("NULL", (0,)),
}
AUTHS = {
    "hmac-sha1-96": ("HMAC-SHA1-96", 20),
    "hmac-sha2-256-128": ("SHA2-256-128", 32),
    "hmac-sha2-384-192": ("SHA2-384-192", 48),
    "hmac-sha2-512-256": ("SHA2-512-256", 64),
}
AEADS = ("aes-gcm-16", "chacha20-poly1305", "aes-gmac")
PEER_PORTS = (4511, 1, 500, 4500, 65535)

CRYPT_ALGOS["AES-GMAC"] = CryptAlgo("AES-GMAC", cipher=None, mode=None, iv_size=8, salt_size=4)


class EsnAuth(AuthAlgo):
    """HMAC with the upper half of the sequence number behind the packet."""

    def __init__(self, algo, esn):
        super().__init__(algo.name, algo.mac, algo.digestmod, algo.icv_size, algo.key_size)
        self.esn = struct.pack("!L", esn)

    def icv(self, data, key):
        mac = self.new_mac(key)
        mac.update(data + self.esn)
        return mac.finalize()[:self.icv_size]

    def sign(self, pkt, key, **_):
        pkt[ESP].data += self.icv(bytes(pkt[ESP]), key)
        return pkt

    def verify(self, pkt, key, **_):
        data = bytes(pkt)
        if self.icv(data[:-self.icv_size], key) != data[-self.icv_size:]:
            raise IPSecIntegrityError("ICV")


class Gmac(EsnAuth):
    """RFC 4543: AES-GCM over all of the packet, none of which is encrypted."""

    def __init__(self, key, esn):
        super().__init__(AuthAlgo("AES-GMAC", None, None, 16), esn or 0)
        self.key, self.high = key, self.esn if esn is not None else b""

    def icv(self, data, _):
        return AESGCM(self.key[:-4]).encrypt(self.key[-4:] + data[8:16], b"",
                                             data[:4] + self.high + data[4:])


class Case:
    """One combination: the tool's SA line and scapy's SA for it."""

    def __init__(self, cipher, key_size, auth, esn, natt, outer):
        self.cipher, self.auth, self.esn, self.natt, self.outer = cipher, auth, esn, natt, outer
        self.key = bytes((7 * i + key_size) & 0xff for i in range(key_size))
        self.auth_key = bytes((5 * i + 1) & 0xff for i in range(AUTHS[auth][1] if auth else 0))
        self.port = PEER_PORTS[(key_size + len(self.auth_key) + esn) % len(PEER_PORTS)]
        # Where the upper half changes on the way.
        self.seq = (9 << 32) - 8 if esn else 1
        self.labels = {}

    def __str__(self):
        return f"{self.cipher}-{8 * len(self.key)} {self.auth or ''}{' esn' * self.esn}" \
            f"{' natt' * self.natt} outer IPv{self.outer}"

    def line(self, direction):
        seq = self.seq if direction == "out" else self.seq - 1
        ports = {"out": f"4500 {self.port}", "in": f"{self.port} 4500"}[direction] \
            if self.natt else "0 0"
        spi = 10001 if direction == "out" else 10000
        return f"sa {direction} {self.outer} {spi} {self.cipher} {self.key.hex() or '-'} " \
            f"{self.auth or 'none'} {self.auth_key.hex() or '-'} " \
            f"{'esn' if self.esn else '-'} {ports} {seq}"

    def scapy(self, spi, src, dst, seq, ports):
        header = (IP if self.outer == 4 else IPv6)(src=src, dst=dst)
        sa = SecurityAssociation(
            ESP, spi=spi, seq_num=seq & 0xffffffff,
            crypt_algo=CIPHERS[self.cipher][0], crypt_key=self.key or None,
            auth_algo=AUTHS[self.auth][0] if self.auth else None, auth_key=self.auth_key or None,
            tunnel_header=header,
            nat_t_header=UDP(sport=ports[0], dport=ports[1]) if self.natt else None,
            esn_en=self.esn, esn=seq >> 32)
        if self.esn and self.auth:
            sa.auth_algo = EsnAuth(sa.auth_algo, seq >> 32)
        if self.cipher == "aes-gmac":
            sa.auth_algo = Gmac(self.key, seq >> 32 if self.esn else None)
        return sa

    def seal(self, inner, seq, spi=10000, tos=0, dummy=False):
        """As the peer sends it. tos: of the outer header. dummy: any bytes in place of a packet."""
        local, peer = OUTER[self.outer]
        sa = self.scapy(spi, peer, local, seq, (self.port, 4500))
        if self.outer == 4:
            sa.tunnel_header.tos = tos
        else:
            sa.tunnel_header.tc = tos
        if dummy:  # as transport mode would carry "no next header"
            inner, sa.tunnel_header = sa.tunnel_header / Raw(inner), None
            inner.fields["proto" if self.outer == 4 else "nh"] = 59
        # scapy takes a sequence number 0 for none given.
        packet = sa.encrypt(inner, seq_num=seq & 0xffffffff or None)
        if self.natt:
            packet[UDP].len = 8 + len(packet[ESP])
            if self.outer == 4:
                del packet.chksum
        return bytes(packet)

    def open(self, packet, seq):
        local, peer = OUTER[self.outer]
        sa = self.scapy(10001, local, peer, seq, (4500, self.port))
        return bytes(sa.decrypt(packet))


def cases():
    for cipher, (_, key_sizes) in CIPHERS.items():
        for key_size in key_sizes:
            for auth in (None,) if cipher in AEADS else AUTHS:
                for bits in range(8):
                    yield Case(cipher, key_size, auth, bool(bits & 1), bool(bits & 2),
                               6 if bits & 4 else 4)


class Tool:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        for answer in self.process.stdout:
            # CUnit names the test on the same line as the first answer.
            if "= " in answer:
                return answer[answer.index("= ") + 2:].split()
        raise SystemExit("the tool has died")

    def sa(self, line):
        answer = self.ask(line)
        assert answer == ["ok"], (line, answer)

    def packet(self, direction, packet):
        answer = self.ask(f"{direction} {packet.hex()}")
        assert answer[0] == "packet", answer
        return bytes.fromhex(answer[1])

    def dropped(self, packet, reason):
        answer = self.ask(f"in {packet.hex()}")
        assert answer == ["drop", reason], (answer, reason)

    def close(self):
        self.process.stdin.close()
        rest = self.process.stdout.read()
        if self.process.wait() != 0:
            raise SystemExit(rest)


def inner(family, src, dst, size, ttl=64, tos=0xb9):
    head = IP(src=src, dst=dst, ttl=ttl, tos=tos, flags=size % 2 and "DF" or 0, id=size) \
        if family == 4 else IPv6(src=src, dst=dst, hlim=ttl, tc=tos)
    return head / UDP(sport=1234, dport=4321) / Raw(bytes(i & 0xff for i in range(size)))


def check_outer(case, packet, size, family):
    """The outer header as RFC 4301, 3948 and 6040 want it."""
    local, peer = OUTER[case.outer]
    outer = (IP if case.outer == 4 else IPv6)(packet)
    assert (outer.src, outer.dst) == (local, peer)
    if case.outer == 4:
        assert (outer.version, outer.ihl, outer.ttl, outer.tos) == (4, 5, 64, 0xb9)
        assert outer.len == len(packet)
        assert outer.flags.DF == (size % 2 == 1 or family == 6)
        check = outer.chksum
        del outer.chksum
        assert IP(bytes(outer)).chksum == check
    else:
        assert (outer.version, outer.hlim, outer.tc) == (6, 64, 0xb9)
        # RFC 6438: the inner flow's, of which there is one in each family.
        assert outer.fl == case.labels.setdefault(family, outer.fl) != 0
        assert outer.plen == len(packet) - 40
    if case.natt:
        udp = outer[UDP]
        assert (udp.sport, udp.dport, udp.len) == (4500, case.port, len(bytes(udp)))
        check = udp.chksum
        if case.outer == 4:
            assert check == 0
        else:
            del udp.chksum
            assert IPv6(bytes(outer))[UDP].chksum == check
    return (IP if case.outer == 4 else IPv6)(packet)


def ours_to_scapy(tool, case):
    tool.sa(case.line("out"))
    seq, ivs = case.seq, set()
    for family in (4, 6):
        for size in SIZES:
            sent = inner(family, LAN[family], FAR[family], size)
            packet = tool.packet("out", bytes(sent))
            outer = check_outer(case, packet, size, family)
            assert outer[ESP].spi == 10001
            assert outer[ESP].seq == seq & 0xffffffff
            iv = outer[ESP].data[:CRYPT_ALGOS[CIPHERS[case.cipher][0]].iv_size]
            want = bytes(inner(family, LAN[family], FAR[family], size, ttl=63))
            assert case.open(outer, seq) == want, f"packet {seq}"
            assert not iv or iv not in ivs, "an IV came twice"
            ivs.add(iv)
            seq += 1


def scapy_to_ours(tool, case):
    tool.sa(case.line("in"))
    seq = case.seq
    for family in (4, 6):
        for size in SIZES:
            if seq & 0xffffffff == 0:  # scapy can't send it
                seq += 1
            packet = case.seal(inner(family, FAR[family], LAN[family], size), seq)
            got = tool.packet("in", packet)
            assert got == bytes(inner(family, FAR[family], LAN[family], size, ttl=63)), \
                f"packet {seq}"
            tool.dropped(packet, "esp_replay")
            seq += 1
    return seq


NOT_ECT, ECT1, ECT0, CE = range(4)


def merged(inside, outside):
    """RFC 6040 figure 4. None: dropped."""
    if inside == NOT_ECT:
        return None if outside == CE else NOT_ECT
    if CE in (inside, outside):
        return CE
    return ECT1 if outside == ECT1 else inside


def ecn(tool, case, seq):
    for family in (4, 6):
        for inside in range(4):
            for outside in range(4):
                packet = case.seal(inner(family, FAR[family], LAN[family], 9, tos=0x28 | inside),
                                   seq, tos=0xb8 | outside)
                want = merged(inside, outside)
                seq += 1
                if want is None:
                    tool.dropped(packet, "esp_ecn")
                    continue
                assert tool.packet("in", packet) == bytes(
                    inner(family, FAR[family], LAN[family], 9, 63, 0x28 | want))
    return seq


def hidden_lengths(tool, case, seq):
    """RFC 4303 2.6 and 2.7: bytes behind the inner packet, and packets that are none."""
    for family in (4, 6):
        for tfc in (1, 2, 3, 5, 100, 1000):
            short = inner(family, FAR[family], LAN[family], 40)
            longer = (IP if family == 4 else IPv6)(bytes(short))
            longer[UDP].remove_payload()
            longer = longer / Raw(bytes(short[Raw]) + b"\x45" * tfc)
            packet = case.seal(longer, seq)
            assert len(packet) >= len(case.seal(short, seq)) + tfc - 15
            assert tool.packet("in", packet) == bytes(
                inner(family, FAR[family], LAN[family], 40, ttl=63)), f"{tfc} bytes more"
            seq += 1
    for size in (0, 1, 77, 900):
        packet = case.seal(b"\xa5" * size, seq, dummy=True)
        tool.dropped(packet, "esp_dummy")
        tool.dropped(packet, "esp_replay")
        seq += 1
    return seq


def flipped(packet, at):
    at %= len(packet)
    return packet[:at] + bytes([packet[at] ^ 4]) + packet[at + 1:]


def bad_packets(tool, case, seq):
    good = inner(4, FAR[4], LAN[4], 100)
    header = (20 if case.outer == 4 else 40) + 8 * case.natt + 8
    packet = case.seal(good, seq)
    tool.dropped(flipped(packet, -1), "esp_icv")
    tool.dropped(flipped(packet, -12), "esp_icv")
    tool.dropped(flipped(packet, header), "esp_icv")       # the IV, or with NULL the text
    tool.dropped(flipped(packet, header + 40), "esp_icv")  # the text
    tool.dropped(case.seal(good, seq, spi=10002), "esp_no_sa")
    # None of this has touched the window.
    assert tool.packet("in", packet) == bytes(inner(4, FAR[4], LAN[4], 100, ttl=63))
    # Left of the window; with ESN that means 2^32 further on (RFC 4303 A2.2).
    tool.dropped(case.seal(good, seq - 70), "esp_icv" if case.esn else "esp_late")
    if case.esn:
        # The right bits under the wrong upper half.
        tool.dropped(case.seal(good, seq + 1 + (1 << 32)), "esp_icv")


def main():
    tool, n = Tool(sys.argv[1]), 0
    for case in cases():
        try:
            ours_to_scapy(tool, case)
            seq = scapy_to_ours(tool, case)
            if len(case.key) in CIPHERS[case.cipher][1][:1] and case.auth in (None, "hmac-sha2-256-128"):
                seq = hidden_lengths(tool, case, ecn(tool, case, seq))
            bad_packets(tool, case, seq + 80)
        except AssertionError:
            print(f"{case}:", file=sys.stderr)
            raise
        n += 1
    tool.close()
    print(f"{n} combinations, {2 * len(SIZES)} packets each way")


if __name__ == "__main__":
    main()
