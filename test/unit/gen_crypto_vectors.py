#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes crypto_vectors.h: published test vectors as ESP packets before and after encryption.

Each published value is checked here with Python's cryptography and hmac first; what no RFC
publishes (integrity over RFC 3602's packets, extended sequence numbers with HMAC) is computed by
them. Run by hand, with python3-cryptography: ./gen_crypto_vectors.py > crypto_vectors.h
"""
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

HASH = {
    "AUTH_HMAC_SHA1_96": ("sha1", 12, 20),
    "AUTH_HMAC_SHA2_256_128": ("sha256", 16, 32),
    "AUTH_HMAC_SHA2_384_192": ("sha384", 24, 48),
    "AUTH_HMAC_SHA2_512_256": ("sha512", 32, 64),
}

# draft-mcgrew-gcm-test-01: key, nonce (salt, IV), AAD (SPI, 32- or 64-bit sequence number), text,
# ciphertext, ICV.
MCGREW = """
4c80cdefbb5d10da906ac73c3613a634 2e443b684956ed7e3b244cfe 000043218765432100000000
45000048699a000080114db7c0a80102c0a801010a9bf15638d301000001000000000000045f736970045f756470037369700963796265726369747902646b000021000101020201
fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34cfa2436f14a3f3cf65925bf1f4a13c5d15b21e1884f5ff6247aeabb786b93bce61bc17d768fd9732
459018148f6cbe722fd04796562dfdb4

feffe9928665731c6d6a8f9467308308 cafebabefacedbaddecaf888 0000a5f80000000a
4500003e698f000080114dccc0a80102c0a801010a980035002a2343b2d001000001000000000000037369700963796265726369747902646b00000100010001
deb22cd9b07c72c16e3a65beeb8df304a5a5897d33ae530f1ba76d5d114d2a5c3de81827c10e9a4f51330d0eec416642cfbb85a5b47e48a4ec3b9ba95d918bd1
83b70d3aa8bc6ee4c309e9d85a41ad4a

abbccddef00112233445566778899aababbccddef00112233445566778899aab 112233440102030405060708 4a2cbfe300000002
4500003069a6400080062690c0a801029389155e0a9e008b2dc57ee0000000007002400020bf0000020405b40101040201020201
ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763748a637985771d347f0545659f14e99def842d8e
b335f4eecfdbf831824b4c4915956c96

00000000000000000000000000000000 000000000000000000000000 0000000000000001
4500003c99c500008001cb7a40679318010101010800075c020044006162636465666768696a6b6c6d6e6f707172737475767761626364656667686901020201
4688daf2f973a392732909c331d56d60f694abaa414b5e7ff5fdcdfff5e9a284456476492719ffb64de7d9dca1e1d894bc3bd57873ed4d181d19d4d5c8c18af3
f821d496eeb096e98ad2b69e4799c71d

3de09874b388e6491988d0c3607eae1f 57690e434e280000a2fca1a3 42f67e3f1010101010101010
4500003c99c300008001cb7c40679318010101010800085c020043006162636465666768696a6b6c6d6e6f707172737475767761626364656667686901020201
fba2caa4853cf9f0f22cb10d86dd83b0fec75691cf1a04b00d1138ec9c35791765acbd8701ad79845bf9fe3fba487bc91755e6662b4c8d0d1f5e22739530320a
e0d731cc978ecafaeae88f00e80d6e48

feffe9928665731c6d6a8f9467308308feffe9928665731c cafebabefacedbaddecaf888 0000a5f80000000a
45000028a4ad4000400678800a01038f0a010612802306b8cb712602dd6bb03e501016d075680001
a5b1f8066029aea40e598b8122de02420938b3ab33f828e687b8858b5bfbdbd0315b27452144cc77
95457b9652037f5318027b5b4cd7a636

abbccddef00112233445566778899aababbccddef00112233445566778899aab 73616c74616e640169766563 17405e67156f3126dd0db99b
45080028732c00004006e9f90a0106120a01038f06b88023dd6bafbecb71260250101f646d540001
f2d69ecdbd5a0d5b8d5ef38bad4da58d1f278fde98ef67549d524a3018d9a57ff4d3a31ce673119e
451626c2415771e3b7eebca614c89b35

7d773d00c144c525ac619d18c84a3f47 d966426743457e9182443bc6 335467aeffffffff
01020201
437f866b
cb3f699fe9b0822bac961c4504bef270

6c6567616c697a656d6172696a75616e61616e64646f69746265666f72656961 7475726e333021696765746d 796b6963ffffffffffffffff
45000030da3a00008001df3bc0a80005c0a800010800c6cd020007006162636465666768696a6b6c6d6e6f707172737401020201
f97ab2aa356d8edce17644ac8c78e25dd24dedbb29ebf1b64a274b39b49c3a864cd3d78ca4ae68a32b42458fb57dbe821dcc63b9
d0937ba2945f669368661a329fb4c053
"""

# The same draft's packets for RFC 4543: nothing is encrypted, the ICV is over all.
GMAC = """
4c80cdefbb5d10da906ac73c3613a634 22433c640000000000000000 0000432100000007
45000030da3a00008001df3bc0a80005c0a800010800c6cd020007006162636465666768696a6b6c6d6e6f707172737401020201
f2a9a836e155106aa8dcd618e4099aaa
"""

# RFC 7634 appendix A.
RFC7634 = """
808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f a0a1a2a31011121314151617 0102030400000005
45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec100007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363701020204
24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c614ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3cbec163fac469b502773f6fb94e664da9165b82829f641e0
76aaa8266b7fb0f7b11b369907e1ad43
"""

# RFC 3686 section 6: key, nonce and IV, text, ciphertext. No packets: the header is made up, and so is the
# integrity.
RFC3686 = """
ae6852f8121067cc4bf7a5765577f39e 000000300000000000000000
53696e676c6520626c6f636b206d7367
e4095d4fb7a7b3792d6175a3261311b8

7e24067817fae0d743d6ce1f32539163 006cb6dbc0543b59da48d90b
000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
5104a106168a72d9790d41ee8edad388eb2e1efc46da57c8fce630df9141be28

7691be035e5020a8ac6e618529f9a0dc 00e0017b27777f3f4a1786f0
000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223
c1cf48a89f2ffdd9cf4652e9efdb72d74540a42bde6d7836d59a5ceaaef3105325b2072f

16af5b145fc9f579c175f93e3bfb0eed863d06ccfdb78515 0000004836733c147d6d93cb
53696e676c6520626c6f636b206d7367
4b55384fe259c9c84e7935a003cbe928

7c5cb2401b3dc33c19e7340819e0f69c678c3db8e6f6a91a 0096b03b020c6eadc2cb500d
000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
453243fc609b23327edfaafa7131cd9f8490701c5ad4a79cfc1fe0ff42f4fb00

02bf391ee8ecb159b959617b0965279bf59b60a786d3e0fe 0007bdfd5cbd60278dcc0912
000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223
96893fc55e5c722f540b7dd1ddf7e758d288bc95c69165884536c811662f2188abee0935

776beff2851db06f4c8a0542c8696f6c6a81af1eec96b4d37fc1d689e6c1c104 00000060db5672c97aa8f0b2
53696e676c6520626c6f636b206d7367
145ad01dbf824ec7560863dc71e3e0c0

f6d66d6bd52d59bb0796365879eff886c66dd51a5b6a99744b50590c87a23884 00faac24c1585ef15a43d875
000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
f05e231b3894612c49ee000b804eb2a9b8306b508f839d6a5530831d9344af1c

ff7a617ce69148e4f1726e2f43581de2aa62d9f805532edff1eed687fb54153d 001cc5b751a51d70a1c11148
000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223
eb6c52821d0bbbf7ce7594462aca4faab407df866569fd07f48cc0b583d6071f1ec0e6b8
"""

# RFC 3602 section 4, cases 5 to 8: key, packet in clear behind the IV, whole encrypted packet.
RFC3602 = """
90d382b410eeba7ad938c46cec1a82bf
08000ebda70a00008e9c083db95b070008090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233343536370102030405060708090a0b0c0d0e0e01
0000432100000001e96e8c08ab465763fd098d45dd3ff893f663c25d325c18c6a9453e194e120849a4870b66cc6b9965330013b4898dc856a4699e523a55db080b59ec3a8e4b7e52775b07d1db34ed9c538ab50c551b874aa269add047ad2d5913ac19b7cfbad4a6

90d382b410eeba7ad938c46cec1a82bf
0800b5e8a80a0500a69c083d0b660e0077777777777777777777777701020201
000043210000000869d08df7d203329db093fc4924e5bd80f51995881ec4e0c4488987ce742e8109689bb379d2d750c0d915dca346a89f75

0123456789abcdef0123456789abcdef
45000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d02a2040008090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30313233343536370102030405060708090a0a04
0000876500000002f4e765244f6407adf13dc1380f673f37773b5241a4c449225e4f3ce5ed611b0c237ca96cf74a93013c1b0ea1a0cf70f8e4ecaec78ac53aad7a0f022b859243c647752e94a859352b8a4d4d2decd136e5c177f132ad3fbfb2201ac9904c74ee0a109e0ca1e4dfe9d5a100b842f1c22f0d

0123456789abcdef0123456789abcdef
45000044090c00004001f990c0a87b03c0a87bc80800d63caa0a0200c69c083da3de0300ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff0102030405060708090a0a04
000087650000000585d47224b5f3dd5d2101d4ea8dffab2215b92683819596a8047232cc00f7048fe45318e11f8a0f62ede3c3fc61203bb50f980a08c9843fd3a1b06d5c07ff9639b7eb7dfb3512e5de435e7207ed971ef3d2726d9b5ef6affc6d17a0decbb13892
"""

# RFC 2202 section 3 and RFC 4231 section 4, test cases 1 to 4 as far as the key is no longer than
# ours: HMAC pads a short key with zeros itself, so a padded one gives the published digest.
HMACS = [
    ("0b" * 20, b"Hi There", {
        "AUTH_HMAC_SHA1_96": "b617318655057264e28bc0b6fb378c8ef146be00",
        "AUTH_HMAC_SHA2_256_128": "b0344c61d8db38535ca8afceaf0bf12b",
        "AUTH_HMAC_SHA2_384_192": "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec6",
        "AUTH_HMAC_SHA2_512_256":
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"}),
    (b"Jefe".hex(), b"what do ya want for nothing?", {
        "AUTH_HMAC_SHA1_96": "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        "AUTH_HMAC_SHA2_256_128": "5bdcc146bf60754e6a042426089575c7",
        "AUTH_HMAC_SHA2_384_192": "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47",
        "AUTH_HMAC_SHA2_512_256":
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"}),
    ("aa" * 20, b"\xdd" * 50, {
        "AUTH_HMAC_SHA1_96": "125d7342b9ac11cd91a39af48aa17b4f63f175d3",
        "AUTH_HMAC_SHA2_256_128": "773ea91e36800e46854db8ebd09181a7",
        "AUTH_HMAC_SHA2_384_192": "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9feb",
        "AUTH_HMAC_SHA2_512_256":
            "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"}),
    (bytes(range(1, 26)).hex(), b"\xcd" * 50, {
        "AUTH_HMAC_SHA2_256_128": "82558a389a443c0ea4cc819899f2083a",
        "AUTH_HMAC_SHA2_384_192": "3e8a69b7783c25851933ab6290af6ca77a9981480850009c",
        "AUTH_HMAC_SHA2_512_256":
            "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"}),
]


def emit(name, cipher, auth, key, auth_key, seq_hi, clear, sealed):
    esn = "true" if seq_hi is not None else "false"
    print(f'\t{{"{name}", {cipher}, {auth}, {esn}, {seq_hi or 0:#x},')
    for field in (key, auth_key, clear):
        print(f'\t\t"{field.hex()}",')
    print(f'\t\t"{sealed.hex()}"}},')


def blocks(text):
    for block in text.strip().split("\n\n"):
        lines = block.split("\n")
        yield [[bytes.fromhex(w) for w in lines[0].split()]] + \
            [bytes.fromhex(line.replace(" ", "")) for line in lines[1:]]


def aead(name, cipher, algorithm, text):
    for n, ((key, nonce, aad), clear, secret, icv) in enumerate(blocks(text), 1):
        assert algorithm(key).encrypt(nonce, clear, aad) == secret + icv, (name, n)
        header = aad[:4] + aad[-4:] + nonce[4:]
        hi = int.from_bytes(aad[4:8], "big") if len(aad) == 12 else None
        emit(f"{name} {n}", cipher, "AUTH_NONE", key + nonce[:4], b"", hi, header + clear,
             header + secret + icv)


def icv_of(auth, key, data):
    name, size, key_size = HASH[auth]
    return hmac.new(key.ljust(key_size, b"\0"), data, name).digest()[:size]


def cbc():
    for n, ((key,), clear, packet) in enumerate(blocks(RFC3602), 5):
        iv = packet[8:24]
        cbc = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
        assert cbc.update(clear) + cbc.finalize() == packet[24:], n
        for auth, (_, _, size) in HASH.items():
            auth_key = bytes(range(size))
            for hi in (None, 0x12345678):
                extra = b"" if hi is None else hi.to_bytes(4, "big")
                emit(f"RFC 3602 case {n}", "CIPHER_AES_CBC", auth, key, auth_key, hi,
                     packet[:24] + clear, packet + icv_of(auth, auth_key, packet + extra))


def ctr():
    for n, ((key, nonce), clear, secret) in enumerate(blocks(RFC3686), 1):
        block = Cipher(algorithms.AES(key), modes.CTR(nonce + bytes((0, 0, 0, 1)))).encryptor()
        assert block.update(clear) + block.finalize() == secret, n
        header = bytes.fromhex("0000432100000001") + nonce[4:]
        auth, auth_key = "AUTH_HMAC_SHA2_256_128", bytes(range(32))
        for hi in (None, 0x12345678):
            extra = b"" if hi is None else hi.to_bytes(4, "big")
            emit(f"RFC 3686 vector {n}", "CIPHER_AES_CTR", auth, key + nonce[:4], auth_key, hi,
                 header + clear, header + secret + icv_of(auth, auth_key, header + secret + extra))


def gmac():
    """The published packet; the same of other lengths and keys, and with ESN, by AES-GCM."""
    (((key, nonce, header), text, icv),) = blocks(GMAC)
    assert AESGCM(key).encrypt(nonce, b"", header + nonce[4:] + text) == icv
    n = 0
    for key in (key, key + key[:8], key + key[::-1]):
        for length in (len(text), 4, 100):
            for hi in (None, 0x87654321):
                packet = (text * 2)[:length]
                extra = b"" if hi is None else hi.to_bytes(4, "big")
                icv = AESGCM(key).encrypt(nonce, b"",
                                          header[:4] + extra + header[4:] + nonce[4:] + packet)
                clear = header + nonce[4:] + packet
                n += 1
                name = "draft-mcgrew-gcm-test GMAC" if n == 1 else f"GMAC {n}"
                emit(name, "CIPHER_AES_GMAC", "AUTH_NONE", key + nonce[:4], b"", hi, clear, clear + icv)


def hmacs():
    for n, (key, data, digests) in enumerate(HMACS, 1):
        for auth, digest in digests.items():
            size = HASH[auth][1]
            padded = bytes.fromhex(key).ljust(HASH[auth][2], b"\0")
            assert icv_of(auth, padded, data) == bytes.fromhex(digest)[:size], (n, auth)
            name = "RFC 2202" if auth == "AUTH_HMAC_SHA1_96" else "RFC 4231"
            emit(f"{name} case {n}", "CIPHER_NULL", auth, b"", padded, None, data,
                 data + bytes.fromhex(digest)[:size])


print("/* SPDX-License-Identifier: BSD-3-Clause */")
print("/* Written by gen_crypto_vectors.py, which says where the values are published. */")
print("/* clang-format off */")
print("static const struct vector vectors[] = {")
aead("draft-mcgrew-gcm-test", "CIPHER_AES_GCM_16", AESGCM, MCGREW)
aead("RFC 7634", "CIPHER_CHACHA20_POLY1305", ChaCha20Poly1305, RFC7634)
cbc()
ctr()
gmac()
hmacs()
print("};")
