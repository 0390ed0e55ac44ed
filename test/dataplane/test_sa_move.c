/* SPDX-License-Identifier: BSD-3-Clause */
/* An SA's ends change between two packets: the next one has the new outer header and the next sequence
 * number; what is received from the former ends is taken for a while, and nothing twice. */
#include "esp_fixture.h"

#include "control/routing/nexthops.h"

#include <arpa/inet.h>

#define FAR4       "10.2.3.4"
#define HOST4      "10.1.2.3"
#define NEW_PEER4  "198.51.100.9"
#define NEW_LOCAL4 "10.0.1.77"

static struct tunnel t;
static struct sa *first, *second; /* outbound, moved away from: freed at the end */

static struct addr address(const char *text)
{
	struct addr a = {.family = strchr(text, ':') != NULL ? IP_V6 : IP_V4};

	CU_ASSERT_EQUAL_FATAL(inet_pton(a.family == IP_V6 ? AF_INET6 : AF_INET, text, a.v6), 1);
	return a;
}

static struct sa_ends ends(const char *src, const char *dst, uint16_t flags)
{
	struct sa_ends e = {.src = address(src), .dst = address(dst), .flags = flags};

	if (flags & SA_UDP_ENCAP) {
		e.sport = 4500;
		e.dport = 20000;
	}
	return e;
}

static void open_tunnel(enum sa_dir dir, uint16_t flags)
{
	tunnel_start(&t);
	tunnel_plain_sa(&t, dir, IP_V4, flags);
	dp_route(NEW_PEER4 "/32", dp_station(TUNNEL_WAN, "10.0.1.9", TUNNEL_WAN_STATION));
	dp_route(NEW_LOCAL4 "/32", NH_ID_LOCAL);
}

static void close_tunnel(void)
{
	sa_destroy(first);
	sa_destroy(second);
	first = second = NULL;
	tunnel_stop(&t);
}

static struct sa *move_out(struct sa *old, struct sa_ends to)
{
	struct sa *new = sa_move(old, &to);

	CU_ASSERT_PTR_NOT_NULL_FATAL(new);
	sa_moved(old, new);
	return new;
}

static void publish(struct sa *sa)
{
	for (unsigned i = 0; i < 2; i++)
		atomic_store(&t.vti->sa_out[i], sa);
	t.out = sa;
}

/* One inner packet through the tunnel. */
static struct frame sent(void)
{
	struct frame in = frame_udp(TUNNEL_LAN, HOST4, FAR4, 5), f = {0};

	dp_send(TUNNEL_LAN, &in);
	dp_run();
	CU_ASSERT_FATAL(dp_out_any(TUNNEL_WAN, &f));
	CU_ASSERT(dp_none_dropped());
	return f;
}

static uint32_t word_at(const struct frame *f, unsigned at)
{
	uint32_t word;

	memcpy(&word, f->b + at, 4);
	return ntohl(word);
}

/* Outer source and destination of IPv4, and the sequence number of ESP at `esp`. */
static void expect(
	const struct frame *f, const char *src, const char *dst, unsigned esp, uint32_t seq)
{
	CU_ASSERT_EQUAL(word_at(f, L3 + 12), ntohl(address(src).v4));
	CU_ASSERT_EQUAL(word_at(f, L3 + 16), ntohl(address(dst).v4));
	CU_ASSERT_EQUAL(word_at(f, esp), 10001);
	CU_ASSERT_EQUAL(word_at(f, esp + 4), seq);
}

#define ESP4 (L3 + 20)

/* The worker meets the old SA once more, and takes the number over itself. */
static void worker_hands_over(void)
{
	struct frame f;
	struct sa *new;

	open_tunnel(SA_OUT, 0);
	f = sent();
	expect(&f, TUNNEL_LOCAL4, TUNNEL_PEER4, ESP4, 1);
	first = t.out;
	new = move_out(first, ends(NEW_LOCAL4, NEW_PEER4, 0));
	CU_ASSERT_EQUAL(new->seq, 0);
	f = sent();
	expect(&f, NEW_LOCAL4, NEW_PEER4, ESP4, 2);
	f = sent();
	expect(&f, NEW_LOCAL4, NEW_PEER4, ESP4, 3);
	sa_take_over(new, first);
	publish(new);
	f = sent();
	expect(&f, NEW_LOCAL4, NEW_PEER4, ESP4, 4);
	CU_ASSERT_EQUAL(sa_stats_sum(first).packets, 1);
	CU_ASSERT_EQUAL(sa_stats_sum(new).packets, 3);
	CU_ASSERT_EQUAL(first->seq, 2);
	close_tunnel();
}

/* No packet came meanwhile: the control thread does it. */
static void control_hands_over(void)
{
	struct frame f;
	struct sa *new;

	open_tunnel(SA_OUT, 0);
	sent();
	first = t.out;
	new = move_out(first, ends(NEW_LOCAL4, NEW_PEER4, 0));
	sa_take_over(new, first);
	publish(new);
	f = sent();
	expect(&f, NEW_LOCAL4, NEW_PEER4, ESP4, 2);
	close_tunnel();
}

/* Twice before the worker looked again. */
static void moved_twice(void)
{
	struct frame f;
	struct sa *new;

	open_tunnel(SA_OUT, 0);
	sent();
	first = t.out;
	second = move_out(first, ends(NEW_LOCAL4, NEW_PEER4, 0));
	new = move_out(second, ends(NEW_LOCAL4, TUNNEL_PEER4, 0));
	f = sent();
	expect(&f, NEW_LOCAL4, TUNNEL_PEER4, ESP4, 2);
	publish(new);
	f = sent();
	expect(&f, NEW_LOCAL4, TUNNEL_PEER4, ESP4, 3);
	close_tunnel();
}

static void into_udp_and_out_again(void)
{
	struct frame f;

	open_tunnel(SA_OUT, 0);
	sent();
	first = t.out;
	publish(move_out(first, ends(TUNNEL_LOCAL4, NEW_PEER4, SA_UDP_ENCAP)));
	sa_take_over(t.out, first);
	f = sent();
	expect(&f, TUNNEL_LOCAL4, NEW_PEER4, ESP4 + 8, 2);
	CU_ASSERT_EQUAL(f.b[L3 + 9], IPPROTO_UDP);
	CU_ASSERT_EQUAL(word_at(&f, ESP4), 4500u << 16 | 20000);
	CU_ASSERT_EQUAL(word_at(&f, ESP4 + 4), (uint32_t)(f.len - ESP4) << 16);
	second = t.out;
	publish(move_out(second, ends(TUNNEL_LOCAL6, TUNNEL_PEER6, 0)));
	sa_take_over(t.out, second);
	f = sent();
	CU_ASSERT_EQUAL(f.b[L3] >> 4, 6);
	CU_ASSERT_EQUAL(memcmp(f.b + L3 + 8, address(TUNNEL_LOCAL6).v6, 16), 0);
	CU_ASSERT_EQUAL(memcmp(f.b + L3 + 24, address(TUNNEL_PEER6).v6, 16), 0);
	CU_ASSERT_EQUAL(word_at(&f, L3 + 40 + 4), 3);
	close_tunnel();
}

/* A lifetime of three packets, of which the third goes by the new way. */
static void no_packet_beyond_the_limit(void)
{
	static const uint8_t key[32] = {1};
	struct sa_params p = tunnel_params(SA_OUT, IP_V4);
	struct frame in = frame_udp(TUNNEL_LAN, HOST4, FAR4, 5), f;
	const char *why = "";

	open_tunnel(SA_OUT, 0);
	p.cipher = CIPHER_NULL;
	p.auth = AUTH_HMAC_SHA2_256_128;
	p.auth_key = key;
	p.auth_key_len = sizeof(key);
	p.first_seq = 100;
	p.max_packets = 3;
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(&t, &p, &why));
	CU_ASSERT_EQUAL(t.out->seq_max, 102);
	sent();
	sent();
	first = t.out;
	publish(move_out(first, ends(TUNNEL_LOCAL4, NEW_PEER4, 0)));
	sa_take_over(t.out, first);
	f = sent();
	expect(&f, TUNNEL_LOCAL4, NEW_PEER4, ESP4, 102);
	for (unsigned i = 0; i < 3; i++)
		dp_send(TUNNEL_LAN, &in);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_ESP_SEQ_EXHAUSTED, 3));
	CU_ASSERT(dp_quiet());
	close_tunnel();
}

static struct frame inner4(void)
{
	return frame_udp(TUNNEL_LAN, FAR4, HOST4, 20);
}

/* As tunnel_seal() makes it, between other addresses; NULL: its own. */
static struct frame sealed(uint64_t seq, const char *src, const char *dst)
{
	struct frame inner = inner4(), f = tunnel_seal(&t, seq, &inner, 0);

	if (src != NULL)
		memcpy(f.b + L3 + 12, address(src).v6, 4);
	if (dst != NULL)
		memcpy(f.b + L3 + 16, address(dst).v6, 4);
	frame_checksum(&f);
	return f;
}

static void passes(struct frame f)
{
	struct frame inner = inner4();

	tunnel_passes(&f, &inner);
}

static void drops(struct frame f, enum drop_reason reason)
{
	tunnel_drops(&f, reason);
}

static void set_ends(struct sa_ends to)
{
	sa_forget_old_ends(t.in);
	sa_set_ends(t.in, &to);
}

static void peer_moves(void)
{
	open_tunnel(SA_IN, 0);
	passes(sealed(1, NULL, NULL));
	drops(sealed(2, NEW_PEER4, NULL), DROP_ESP_SOURCE);
	set_ends(ends(NEW_PEER4, TUNNEL_LOCAL4, 0));
	passes(sealed(2, NEW_PEER4, NULL));
	/* Late from the former address; and again what came from there before. */
	passes(sealed(3, NULL, NULL));
	drops(sealed(1, NULL, NULL), DROP_ESP_REPLAY);
	drops(sealed(1, NEW_PEER4, NULL), DROP_ESP_REPLAY);
	drops(sealed(4, "192.0.2.77", NULL), DROP_ESP_SOURCE);
	sa_forget_old_ends(t.in);
	drops(sealed(4, NULL, NULL), DROP_ESP_SOURCE);
	passes(sealed(4, NEW_PEER4, NULL));
	/* Of three places only the last two count. */
	set_ends(ends("192.0.2.77", TUNNEL_LOCAL4, 0));
	passes(sealed(5, NEW_PEER4, NULL));
	passes(sealed(6, "192.0.2.77", NULL));
	drops(sealed(7, NULL, NULL), DROP_ESP_SOURCE);
	set_ends(ends(TUNNEL_PEER4, TUNNEL_LOCAL4, 0));
	passes(sealed(7, NULL, NULL));
	drops(sealed(8, NEW_PEER4, NULL), DROP_ESP_SOURCE);
	close_tunnel();
}

static void we_move(void)
{
	open_tunnel(SA_IN, 0);
	passes(sealed(1, NULL, NULL));
	drops(sealed(2, NULL, NEW_LOCAL4), DROP_ESP_NO_SA);
	set_ends(ends(TUNNEL_PEER4, NEW_LOCAL4, 0));
	passes(sealed(2, NULL, NEW_LOCAL4));
	passes(sealed(3, NULL, NULL));
	drops(sealed(2, NULL, NULL), DROP_ESP_REPLAY);
	sa_forget_old_ends(t.in);
	drops(sealed(4, NULL, NULL), DROP_ESP_NO_SA);
	passes(sealed(4, NULL, NEW_LOCAL4));
	close_tunnel();
}

static void peer_goes_behind_a_nat(void)
{
	struct frame plain, udp;

	open_tunnel(SA_IN, 0);
	plain = sealed(1, NULL, NULL);
	set_ends(ends(NEW_PEER4, TUNNEL_LOCAL4, SA_UDP_ENCAP | SA_ANY_SOURCE));
	udp = sealed(2, NEW_PEER4, NULL);
	passes(udp);
	passes(plain);
	drops(udp, DROP_ESP_REPLAY);
	passes(sealed(3, "192.0.2.77", NULL)); /* another mapping, of which control is told */
	rte_pktmbuf_free(dp_host(0));
	udp = sealed(4, NEW_PEER4, NULL);
	set_ends(ends(TUNNEL_PEER4, TUNNEL_LOCAL4, 0));
	plain = sealed(5, NULL, NULL);
	passes(udp);
	passes(plain);
	sa_forget_old_ends(t.in);
	udp.b[ESP4 + 8 + 7]++; /* sequence number: never seen */
	drops(udp, DROP_ESP_ENCAP);
	close_tunnel();
}

static void to_the_other_family(void)
{
	struct frame four, six;

	open_tunnel(SA_IN, 0);
	four = sealed(1, NULL, NULL);
	set_ends(ends(TUNNEL_PEER6, TUNNEL_LOCAL6, 0));
	{
		struct frame inner = inner4();

		six = tunnel_seal(&t, 2, &inner, 0);
	}
	CU_ASSERT_EQUAL(six.b[L3] >> 4, 6);
	passes(six);
	passes(four);
	drops(six, DROP_ESP_REPLAY);
	sa_forget_old_ends(t.in);
	drops(four, DROP_ESP_NO_SA);
	close_tunnel();
}

DP_MAIN("sa_move", 1, DP_TEST(worker_hands_over), DP_TEST(control_hands_over), DP_TEST(moved_twice),
	DP_TEST(into_udp_and_out_again), DP_TEST(no_packet_beyond_the_limit), DP_TEST(peer_moves),
	DP_TEST(we_move), DP_TEST(peer_goes_behind_a_nat), DP_TEST(to_the_other_family))
