/* SPDX-License-Identifier: BSD-3-Clause */
/* Every size of packet through two gateways, from 1 byte of payload to 64 more than fit: with each
 * cipher, either family inside and outside, with UDP encapsulation and without. What fits comes back
 * in one piece; one byte more is fragmented before it is encrypted, or answered with exactly the MTU.
 *
 * One router is both gateways: what it sends towards the peer is sent in again, as the peer's. */
#include "dp_sa.h"

#include <netinet/in.h>

#define HOST4 "10.0.0.9" /* behind port 0 */
#define HOST6 "2001:db8::9"
#define FAR4  "10.2.3.4" /* through the tunnel; when decrypted, behind port 2 */
#define FAR6  "2001:db8:ffff::4"
#define NEAR4 "198.51.100.1" /* the near gateway's, which the far one does not take for its own */
#define NEAR6 "2001:db8:3333::1"
#define PEER4 "192.0.2.2" /* behind port 1 */
#define PEER6 "2001:db8:2222::2"
#define PATH  DP_MTU
#define MORE  64  /* bytes beyond the MTU */
#define BATCH 20  /* sizes at a time: so many ICMP errors a host gets at once */
#define PROTO 253 /* RFC 3692: for experiments */

static struct iface *vti;
static struct sa *out_sa;

/* Packets of one kind, sent together. */
struct batch {
	bool six, df;
	unsigned n;
	struct frame f[BATCH];
};
static struct batch b;

/* The i-th of four ways: IPv4 or IPv6 outside, with UDP encapsulation or without. */
static void open_tunnel(unsigned i, struct dp_sa c)
{
	static uint32_t spi = 0x1000;
	const bool outer_six = i & 2;

	c.flags |= i & 1 ? SA_UDP_ENCAP : 0;
	c.src = outer_six ? NEAR6 : NEAR4;
	c.dst = outer_six ? PEER6 : PEER4;
	c.spi = ++spi;
	vti = dp_vti("vti");
	c.dir = SA_OUT;
	out_sa = dp_sa(vti, &c);
	c.dir = SA_IN;
	dp_sa(vti, &c);
	atomic_store(&vti->mtu, sa_inner_mtu(out_sa, PATH));
}

/* From here on the router is the near gateway, or the far one. */
static void be_near(void)
{
	dp_route(b.six ? HOST6 "/128" : HOST4 "/32", dp_station(0, NULL, 1));
	dp_route(PEER4 "/32", dp_station(1, "10.0.1.2", 2));
	dp_route(PEER6 "/128", dp_station(1, "2001:db8:1::2", 2));
	dp_route(b.six ? FAR6 "/128" : FAR4 "/32", dp_through(vti));
}

static void be_far(void)
{
	dp_route(PEER4 "/32", NH_ID_LOCAL);
	dp_route(PEER6 "/128", NH_ID_LOCAL);
	dp_route(b.six ? FAR6 "/128" : FAR4 "/32", dp_station(2, NULL, 3));
}

/* An IP packet of this length. */
static struct frame packet(unsigned len)
{
	const unsigned n = len - (b.six ? 40 : 20);
	uint8_t payload[FRAME_MAX];
	struct frame f;

	for (unsigned i = 0; i < n; i++)
		payload[i] = i * 7 + len;
	f = frame_ip(0, b.six ? HOST6 : HOST4, b.six ? FAR6 : FAR4, PROTO, payload, n);
	if (b.df) {
		f.b[L3 + 6] = 0x40;
		frame_checksum(&f);
	}
	return f;
}

/* As it leaves the far gateway. */
static struct frame arrived(const struct frame *f)
{
	struct frame near = frame_forwarded(f, 1, 2);

	return frame_forwarded(&near, 2, 3);
}

static unsigned fragment_field(const struct frame *f)
{
	return f->b[L3 + 6] << 8 | f->b[L3 + 7];
}

/* Two fragments out of port 2 are this packet, the first of them with as much as fits. */
static bool arrived_in_two(const struct frame *f)
{
	const unsigned mtu = iface_mtu(vti), first = (mtu - 20) / 8 * 8;
	struct frame want = arrived(f), one = {0}, two = {0};

	if (!dp_out_any(2, &one) || !dp_out_any(2, &two))
		return false;
	if (frame_ip_len(&one) != 20 + first || fragment_field(&one) != 0x2000 ||
		fragment_field(&two) != first / 8 || memcmp(&one.b[L3 + 4], &two.b[L3 + 4], 2) != 0)
		return false;
	memcpy(one.b + one.len, two.b + L3 + 20, frame_ip_len(&two) - 20);
	one.len += frame_ip_len(&two) - 20;
	memcpy(one.b + L3 + 2, want.b + L3 + 2, 2); /* the length and fragment field of the whole */
	memcpy(one.b + L3 + 6, want.b + L3 + 6, 2);
	frame_checksum(&one);
	return frame_eq(&want, one.b, one.len);
}

/* The host is told the MTU. */
static bool answered(void)
{
	const unsigned at = L3 + (b.six ? 40 : 20), mtu = iface_mtu(vti);
	struct frame e = {0};

	return dp_out_any(0, &e) && e.b[at] == (b.six ? 2 : 3) && e.b[at + 1] == (b.six ? 0 : 4) &&
		(e.b[at + 4] << 24 | e.b[at + 5] << 16 | e.b[at + 6] << 8 | e.b[at + 7]) ==
		(int)mtu;
}

/* Outer packets of at most PATH bytes, given back to the router as the peer's. */
static void through_the_wire(unsigned path)
{
	static struct frame wire[3 * BATCH];
	unsigned n = 0;

	be_near();
	dp.worker[0]->icmp_all.refill = 0; /* as if nothing had been sent for long */
	for (unsigned i = 0; i < RTE_DIM(dp.worker[0]->icmp_to); i++)
		dp.worker[0]->icmp_to[i].refill = 0;
	for (unsigned i = 0; i < b.n; i++)
		dp_send(0, &b.f[i]);
	dp_run();
	while (n < RTE_DIM(wire) && dp_out_any(1, &wire[n])) {
		CU_ASSERT_EQUAL(wire[n].len, L3 + frame_ip_len(&wire[n]));
		CU_ASSERT(frame_ip_len(&wire[n]) <= path);
		dp_readdress(&wire[n++], 1);
	}
	be_far();
	for (unsigned i = 0; i < n; i++)
		dp_send(1, &wire[i]);
	dp_run();
}

static void check_one(const struct frame *f, unsigned *refused)
{
	const struct frame want = arrived(f);

	if (frame_ip_len(f) <= iface_mtu(vti)) {
		CU_ASSERT(dp_out(2, &want));
	} else if (b.six || b.df) {
		CU_ASSERT(answered());
		++*refused;
	} else {
		CU_ASSERT(arrived_in_two(f));
	}
}

static void send_batch(unsigned path)
{
	unsigned refused = 0;

	through_the_wire(path);
	for (unsigned i = 0; i < b.n; i++)
		check_one(&b.f[i], &refused);
	CU_ASSERT(dp_dropped(DROP_TOO_BIG, refused));
	CU_ASSERT(dp_quiet());
	b.n = 0;
}

static void each_size(bool six, bool df, unsigned most, unsigned path)
{
	b = (struct batch){.six = six, .df = df};
	for (unsigned len = (six ? 40 : 20) + 1; len <= most; len++) {
		b.f[b.n++] = packet(len);
		if (b.n == BATCH || len == most)
			send_batch(path);
	}
}

/* The MTU is exact: not one byte more would fit. */
static void mtu_is_exact(void)
{
	const unsigned mtu = iface_mtu(vti);

	CU_ASSERT(sa_outer_len(out_sa, mtu) <= PATH);
	CU_ASSERT(sa_outer_len(out_sa, mtu + 1) > PATH);
}

static void all_tunnels(uint8_t cipher, uint8_t auth)
{
	for (unsigned i = 0; i < 4; i++) {
		open_tunnel(i, (struct dp_sa){.cipher = cipher, .auth = auth});
		mtu_is_exact();
		each_size(false, false, iface_mtu(vti) + MORE, PATH);
		each_size(false, true, iface_mtu(vti) + MORE, PATH);
		each_size(true, false, iface_mtu(vti) + MORE, PATH);
	}
}

static void aes_gcm(void)
{
	all_tunnels(CIPHER_AES_GCM_16, AUTH_NONE);
}

static void chacha20_poly1305(void)
{
	all_tunnels(CIPHER_CHACHA20_POLY1305, AUTH_NONE);
}

static void aes_gmac(void)
{
	all_tunnels(CIPHER_AES_GMAC, AUTH_NONE);
}

static void aes_cbc_sha1(void)
{
	all_tunnels(CIPHER_AES_CBC, AUTH_HMAC_SHA1_96);
}

static void aes_cbc_sha2_256(void)
{
	all_tunnels(CIPHER_AES_CBC, AUTH_HMAC_SHA2_256_128);
}

static void aes_cbc_sha2_384(void)
{
	all_tunnels(CIPHER_AES_CBC, AUTH_HMAC_SHA2_384_192);
}

static void aes_ctr_sha2_512(void)
{
	all_tunnels(CIPHER_AES_CTR, AUTH_HMAC_SHA2_512_256);
}

static void null_sha2_256(void)
{
	all_tunnels(CIPHER_NULL, AUTH_HMAC_SHA2_256_128);
}

/* Cut after encryption: every inner packet up to the link's 1500 arrives whole, with DF or not, over a
 * path of 1300. */
static void fragmented_after(void)
{
	for (unsigned i = 0; i < 4; i++) {
		open_tunnel(i, (struct dp_sa){.flags = SA_COPY_DF});
		atomic_store(&vti->mtu, DP_MTU);
		atomic_fetch_or(&vti->flags, IFACE_FRAGMENT_AFTER);
		atomic_store(&out_sa->path_mtu, 1300);
		each_size(false, false, DP_MTU, 1300);
		each_size(false, true, DP_MTU, 1300);
		each_size(true, false, DP_MTU, 1300);
	}
}

DP_MAIN("sizes", 1, DP_TEST(aes_gcm), DP_TEST(chacha20_poly1305), DP_TEST(aes_gmac),
	DP_TEST(aes_cbc_sha1), DP_TEST(aes_cbc_sha2_256), DP_TEST(aes_cbc_sha2_384),
	DP_TEST(aes_ctr_sha2_512), DP_TEST(null_sha2_256), DP_TEST(fragmented_after))
