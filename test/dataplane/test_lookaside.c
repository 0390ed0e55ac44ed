/* SPDX-License-Identifier: BSD-3-Clause */
/* ESP through librte_ipsec over a crypto device beside ESP by IPsec-MB: the same bytes, and each reads
 * what the other wrote. On two devices whose cryptography is not the same code. */
#include "device_fixture.h"

#include "dataplane/esp.h"
#include "dataplane/lookaside.h"
#include "dataplane/mss.h"

#include <rte_ip.h>
#include <rte_tcp.h>

#include <netinet/in.h>
#include <stdlib.h>

#define IV_LEN 16

static void read_frames(const struct kind *k, uint16_t path, const struct frame *esp,
	const struct frame *in, unsigned n)
{
	struct frame want;

	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(k, SA_IN, path));
	for (unsigned i = 0; i < n; i++) {
		want = turned(&esp[i]);
		dp_send(TUNNEL_WAN, &want);
	}
	dp_run();
	for (unsigned i = 0; i < n; i++) {
		want = frame_forwarded(&in[i], TUNNEL_LAN, 1);
		want = frame_forwarded(&want, TUNNEL_LAN, TUNNEL_LAN_STATION);
		CU_ASSERT_FATAL(dp_out(TUNNEL_LAN, &want));
	}
	CU_ASSERT(dp_none_dropped());
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).packets, n);
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).inflight, 0);
}

/* Same length, same outer addresses, same ESP header; AES-CBC's IV and all that follows differ. */
static void same_but_for_the_iv(const struct frame *a, const struct frame *b)
{
	unsigned esp = tunnel_esp_at(a, t.out), iv = esp + sizeof(struct esp_hdr);

	CU_ASSERT_EQUAL(a->len, b->len);
	CU_ASSERT_EQUAL(memcmp(a->b, b->b, L3 + (t.out->family == IP_V4 ? 20 : 40)), 0);
	CU_ASSERT_EQUAL(memcmp(a->b + esp, b->b + esp, sizeof(struct esp_hdr)), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(a->b + iv, b->b + iv, IV_LEN), 0);
}

#define SIZES 19

/* Every length of padding, and a long packet. DSCP and ECN go to the outer header. */
static void make_packets(struct frame *in, bool six)
{
	for (unsigned i = 0; i < SIZES; i++) {
		unsigned payload = i < SIZES - 1 ? i : 1300;

		in[i] = frame_udp(TUNNEL_LAN, six ? HOST6 : HOST4, six ? FAR6 : FAR4, payload);
		if (six) {
			in[i].b[L3] |= 0xb;
			in[i].b[L3 + 1] |= 0x90;
		} else {
			in[i].b[L3 + 1] = 0xb9;
			frame_checksum(&in[i]);
		}
	}
}

static void compare(const struct kind *k, bool six)
{
	static struct frame in[SIZES], direct[SIZES], through[SIZES];

	make_packets(in, six);
	write_frames(k, 0, in, direct, SIZES);
	write_frames(k, SA_LOOKASIDE, in, through, SIZES);
	for (unsigned i = 0; i < SIZES; i++) {
		if (k->alg->cipher == CIPHER_AES_CBC)
			same_but_for_the_iv(&direct[i], &through[i]);
		else
			CU_ASSERT(frame_eq(&direct[i], through[i].b, through[i].len));
	}
	read_back(true);
	read_frames(k, 0, through, in, SIZES);
	read_frames(k, SA_LOOKASIDE, direct, in, SIZES);
	read_frames(k, SA_LOOKASIDE, through, in, SIZES);
	read_back(false);
}

/* Sequence numbers: from 1, across the lower half's end with ESN, up to the last one without. */
static void compare_numbers(struct kind *k, bool six)
{
	k->first_seq = 0;
	compare(k, six);
	k->first_seq = k->flags & SA_ESN ? (7ull << 32) - SIZES / 2 : UINT32_MAX - SIZES + 1;
	compare(k, six);
}

static void compare_outer(struct kind *k)
{
	static const enum ip_family outers[] = {IP_V4, IP_V6};

	for (unsigned o = 0; o < RTE_DIM(outers); o++) {
		k->outer = outers[o];
		compare_numbers(k, false);
		compare_numbers(k, true);
	}
}

static void compare_all(void)
{
	static const uint16_t flags[] = {
		0, SA_ESN, SA_UDP_ENCAP, SA_UDP_ENCAP | SA_ESN, SA_SET_DF | SA_NO_COPY_DSCP};
	struct kind k = {.window = 64};

	for (unsigned a = 0; a < n_algs; a++) {
		k.alg = &algs[a];
		if (!device_has(k.alg))
			continue;
		for (unsigned f = 0; f < RTE_DIM(flags); f++) {
			k.flags = flags[f];
			compare_outer(&k);
		}
	}
}

static void both_paths_agree(void)
{
	on_each_device(compare_all);
}

#define IVS 10000

static uint8_t ivs[IVS][IV_LEN];

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, IV_LEN);
}

/* The IVs of 5,000 packets of a new SA, always the same packet and the same key. */
static void collect_ivs(const struct kind *k, uint8_t (*iv)[IV_LEN], unsigned n)
{
	struct frame in = frame_udp(TUNNEL_LAN, HOST4, FAR4, 20), out;

	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(k, SA_OUT, SA_LOOKASIDE));
	for (unsigned i = 0; i < n; i++) {
		dp_send(TUNNEL_LAN, &in);
		if (i % 500 == 499 || i == n - 1)
			dp_run();
		while (dp_out_any(TUNNEL_WAN, &out))
			memcpy(*iv++, out.b + tunnel_esp_at(&out, t.out) + 8, IV_LEN);
	}
}

/* RFC 3602 3: unpredictable. Not a constant, not a counter, nor an SA's own function of the sequence
 * number: that would repeat with the SA that follows. Each bit is set in half of them. */
static void judge_ivs(void)
{
	const struct kind k = {.alg = &algs[8], .outer = IP_V4};
	unsigned ones[8 * IV_LEN] = {0};

	CU_ASSERT_EQUAL_FATAL(k.alg->cipher, CIPHER_AES_CBC);
	collect_ivs(&k, ivs, IVS / 2);
	collect_ivs(&k, ivs + IVS / 2, IVS / 2);
	for (unsigned i = 0; i < IVS; i++) {
		for (unsigned bit = 0; bit < RTE_DIM(ones); bit++)
			ones[bit] += ivs[i][bit / 8] >> bit % 8 & 1;
	}
	/* Six standard deviations, sqrt(10000) / 2 = 50. */
	for (unsigned bit = 0; bit < RTE_DIM(ones); bit++)
		CU_ASSERT(abs((int)ones[bit] - IVS / 2) < 300);
	qsort(ivs, IVS, IV_LEN, by_bytes);
	for (unsigned i = 1; i < IVS; i++)
		CU_ASSERT_NOT_EQUAL(memcmp(ivs[i - 1], ivs[i], IV_LEN), 0);
}

static void cbc_ivs_are_unpredictable(void)
{
	on_each_device(judge_ivs);
}

/* Bursts of many turns keep their order, out and in, and the SA's figures are right. */
static void many(void)
{
	static struct frame in[700], out[700];
	const struct kind k = {.alg = &algs[0], .outer = IP_V6, .flags = SA_ESN, .window = 64};

	for (unsigned i = 0; i < RTE_DIM(in); i++)
		in[i] = frame_udp(TUNNEL_LAN, HOST4, FAR4, i);
	write_frames(&k, SA_LOOKASIDE, in, out, RTE_DIM(in));
	CU_ASSERT_EQUAL(t.out->seq, RTE_DIM(in) + 1);
	read_back(true);
	read_frames(&k, SA_LOOKASIDE, out, in, RTE_DIM(in));
	CU_ASSERT_EQUAL(t.in->replay.top, RTE_DIM(in));
	read_back(false);
}

static void long_bursts_stay_in_order(void)
{
	on_each_device(many);
}

/* What is decrypted goes into the tunnel again: through the device twice. */
static void again(void)
{
	static struct frame in[300], out[300];
	const struct kind k = {.alg = &algs[2], .outer = IP_V4, .window = 64};
	struct frame f, want;

	for (unsigned i = 0; i < RTE_DIM(in); i++)
		in[i] = frame_udp(TUNNEL_LAN, HOST4, FAR4, i);
	write_frames(&k, 0, in, out, RTE_DIM(in));
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_IN, SA_LOOKASIDE));
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_OUT, SA_LOOKASIDE));
	for (unsigned i = 0; i < RTE_DIM(in); i++) {
		f = turned(&out[i]);
		dp_send(TUNNEL_WAN, &f);
	}
	dp_run();
	CU_ASSERT(dp_none_dropped());
	for (unsigned i = 0; i < RTE_DIM(in); i++) {
		CU_ASSERT_FATAL(dp_out_any(TUNNEL_WAN, &f));
		/* As before, of one TTL less inside. */
		CU_ASSERT_EQUAL(f.len, out[i].len);
		CU_ASSERT_EQUAL(memcmp(f.b, out[i].b, tunnel_esp_at(&f, t.out) + 16), 0);
		out[i] = turned(&f);
	}
	read_back(true);
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_IN, 0));
	send_burst(TUNNEL_WAN, out, RTE_DIM(in));
	for (unsigned i = 0; i < RTE_DIM(in); i++) {
		want = frame_forwarded(&in[i], TUNNEL_LAN, 1);
		want = frame_forwarded(&want, TUNNEL_LAN, 1);
		want = frame_forwarded(&want, TUNNEL_LAN, TUNNEL_LAN_STATION);
		CU_ASSERT_FATAL(dp_out(TUNNEL_LAN, &want));
	}
	read_back(false);
}

static void from_tunnel_to_tunnel(void)
{
	on_each_device(again);
}

/* Each worker has a queue pair of its own. The VTI's packets are sent by one of them, received by
 * both. */
static void two_workers(void)
{
	dp_stop();
	dp_start(2);
	on_each_device(many);
}

static void refused(const char *dev, unsigned n_workers, const char *text)
{
	const char *why = "";

	CU_ASSERT(lookaside_start(dev, n_workers, &why) < 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(why, text));
	CU_ASSERT_FALSE(lookaside_running());
}

static void bad_devices_are_refused(void)
{
	const char *why = "";

	refused("crypto_none_such", 1, "no such device");
	refused("0000:00:99.0", 1, "no such device");
	refused("net_null0", 1, "no device for symmetric");
	refused("crypto_openssl", 9, "max_nb_queue_pairs=9");
	/* As the sentence says. And nothing is left of the refused ones. */
	CU_ASSERT_EQUAL(lookaside_start("crypto_openssl,max_nb_queue_pairs=9", 9, &why), 0);
	CU_ASSERT(lookaside_running());
	lookaside_stop();
	CU_ASSERT_FALSE(lookaside_running());
}

/* librte_ipsec would authenticate ESN's upper half in another place than RFC 4543. */
static void try_gmac(void)
{
	static const uint8_t key[20];
	struct sa_params p = tunnel_params(SA_OUT, IP_V4);
	const char *why = "";

	p.cipher = CIPHER_AES_GMAC;
	p.enc_key = key;
	p.enc_key_len = sizeof(key);
	p.flags = SA_LOOKASIDE;
	CU_ASSERT_PTR_NULL(tunnel_sa(&t, &p, &why));
	CU_ASSERT_STRING_EQUAL(why, "encryption: aes-gmac is not done on crypto devices");
}

static void gmac_is_refused(void)
{
	on_each_device(try_gmac);
}

static struct frame syn(uint16_t mss)
{
	uint8_t b[24] = {4, 0, 0, 80, [12] = 6 << 4, [13] = RTE_TCP_SYN_FLAG, [20] = 2, 4, mss >> 8,
		mss & 0xff};
	struct frame f = frame_ip(TUNNEL_LAN, HOST4, FAR4, IPPROTO_TCP, b, sizeof(b));
	uint16_t sum = rte_ipv4_udptcp_cksum(
		(struct rte_ipv4_hdr *)(f.b + L3), f.b + L3 + sizeof(struct rte_ipv4_hdr));

	memcpy(f.b + L3 + sizeof(struct rte_ipv4_hdr) + 16, &sum, sizeof(sum));
	return f;
}

/* Into the tunnel by the device and out of it again, clamped on only one of the two. */
static void clamp_mss(void)
{
	const struct kind k = {.alg = &algs[0], .outer = IP_V4, .window = 64};
	const struct frame in = syn(1460), want = syn(1360);
	struct frame clamped, as_it_was;

	write_frames(&k, SA_LOOKASIDE, &in, &as_it_was, 1);
	atomic_store(&t.vti->mss, MSS_BY_MTU);
	write_frames(&k, SA_LOOKASIDE, &in, &clamped, 1);
	read_back(true);
	read_frames(&k, SA_LOOKASIDE, &as_it_was, &want, 1);
	atomic_store(&t.vti->mss, MSS_ANY);
	read_frames(&k, SA_LOOKASIDE, &clamped, &want, 1);
	read_frames(&k, SA_LOOKASIDE, &as_it_was, &in, 1);
	read_back(false);
}

static void mss_is_clamped_on_this_path_too(void)
{
	on_each_device(clamp_mss);
}

/* As after a start with another configuration. */
static void sa_without_a_device(void)
{
	const struct kind k = {.alg = &algs[0], .outer = IP_V4};
	struct sa_params p = tunnel_params(SA_OUT, IP_V4);
	const char *why = "";
	uint8_t key[20] = {0};

	p.cipher = k.alg->cipher;
	p.flags = SA_LOOKASIDE;
	p.enc_key = key;
	p.enc_key_len = sizeof(key);
	CU_ASSERT_PTR_NULL(sa_create(&p, 1, &why));
	CU_ASSERT_STRING_EQUAL(why, "no crypto device is running");
}

DP_MAIN("lookaside", 1, DP_TEST(both_paths_agree), DP_TEST(cbc_ivs_are_unpredictable),
	DP_TEST(long_bursts_stay_in_order), DP_TEST(from_tunnel_to_tunnel), DP_TEST(two_workers),
	DP_TEST(mss_is_clamped_on_this_path_too), DP_TEST(bad_devices_are_refused),
	DP_TEST(gmac_is_refused), DP_TEST(sa_without_a_device))
