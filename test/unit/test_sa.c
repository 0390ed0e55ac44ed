/* SPDX-License-Identifier: BSD-3-Clause */
/* Making SAs: what is refused and how, and what they cost on the wire. */
#include "dataplane/crypto.h"
#include "dataplane/esp.h"
#include "dataplane/sa.h"

#include "unit.h"

#include <rte_eal.h>

static uint8_t key[ENC_KEY_MAX], auth_key[AUTH_KEY_MAX];

static struct sa_params gcm(void)
{
	return (struct sa_params){
		.spi = 10000,
		.dir = SA_OUT,
		.cipher = CIPHER_AES_GCM_16,
		.auth = AUTH_NONE,
		.src = addr_v4(0x010200c0),
		.dst = addr_v4(0x020200c0),
		.enc_key_len = 20,
		.enc_key = key,
		.auth_key = auth_key,
	};
}

static struct sa *make(const struct sa_params *p)
{
	const char *why = "";
	struct sa *sa = sa_create(p, 2, &why);

	if (sa == NULL)
		printf("%s\n", why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(sa);
	return sa;
}

static void refused(const struct sa_params *p, const char *say)
{
	const char *why = "";

	CU_ASSERT_PTR_NULL(sa_create(p, 1, &why));
	CU_ASSERT_STRING_EQUAL(why, say);
}

static void fields_are_set(void)
{
	struct sa_params p = gcm();
	struct sa *sa;

	memcpy(key + 16, "salt", 4);
	sa = make(&p);
	CU_ASSERT_EQUAL((uintptr_t)sa % 64, 0);
	CU_ASSERT_EQUAL((uintptr_t)&sa->worker[1] % 64, 0);
	CU_ASSERT_EQUAL(sa->spi, 10000);
	CU_ASSERT_EQUAL(sa->spi_be, __builtin_bswap32(10000));
	CU_ASSERT_EQUAL(memcmp(&sa->salt, "salt", 4), 0);
	CU_ASSERT_EQUAL(sa->iv_len, 8);
	CU_ASSERT_EQUAL(sa->icv_len, 16);
	CU_ASSERT_EQUAL(sa->align, 4);
	CU_ASSERT_EQUAL(sa->hdr_len, 28);
	CU_ASSERT_EQUAL(sa->seq, 1);
	CU_ASSERT_EQUAL(sa->seq_max, UINT32_MAX);
	CU_ASSERT_EQUAL(sa->worker_count, 2);
	CU_ASSERT_PTR_NOT_NULL(sa->key);
	sa_destroy(sa);
	sa_destroy(NULL);

	p.first_seq = 77;
	p.flags = SA_ESN;
	sa = make(&p);
	CU_ASSERT_EQUAL(sa->seq, 77);
	CU_ASSERT(sa->seq_max > 1ull << 63);
	sa_destroy(sa);
	memset(key, 0, sizeof(key));
}

static void inbound_has_a_window(void)
{
	struct sa_params p = gcm();
	struct sa *sa;

	p.dir = SA_IN;
	p.replay_window = 4096;
	sa = make(&p);
	CU_ASSERT_EQUAL(sa->replay.window, 4096);
	for (uint64_t seq = 1; seq < 10000; seq++)
		CU_ASSERT_EQUAL_FATAL(replay_accept(&sa->replay, seq), REPLAY_OK);
	CU_ASSERT_EQUAL(sa_stats_sum(sa).packets, 0);
	sa_destroy(sa);
}

/* The words of a small window stand in the SA, those of a larger one behind it. */
static void windows_of_any_size_are_whole(void)
{
	static const uint32_t windows[] = {0, 32, 64, 96, 97, 128, 1024};
	struct sa_params p = gcm();

	p.dir = SA_IN;
	for (unsigned i = 0; i < RTE_DIM(windows); i++) {
		uint32_t window = p.replay_window = windows[i];
		struct sa *sa = make(&p);
		bool inside = sa->replay.slots == sa->few_slots;

		CU_ASSERT_EQUAL(inside, window <= 96);
		for (uint64_t seq = 1; seq < 3000; seq++)
			CU_ASSERT_EQUAL_FATAL(replay_accept(&sa->replay, seq), REPLAY_OK);
		for (uint64_t seq = 3000 - window; seq < 3000; seq++)
			CU_ASSERT_EQUAL(replay_accept(&sa->replay, seq), REPLAY_DUPLICATE);
		if (window != 0)
			CU_ASSERT_EQUAL(replay_accept(&sa->replay, 2999 - window), REPLAY_LATE);
		CU_ASSERT_EQUAL(sa->worker[0].packets + sa->worker[1].errors, 0);
		sa_destroy(sa);
	}
}

static void bad_numbers_are_refused(void)
{
	struct sa_params p = gcm();

	p.spi = 255;
	refused(&p, "spi: 255, but 0 to 255 are reserved (RFC 4303)");
	p = gcm();
	p.dir = 3;
	refused(&p, "direction: 3, but in (1) or out (2) is expected");
	p = gcm();
	p.enc_key_len = 16;
	refused(&p,
		"encryption key: 16 bytes, but aes-gcm-16 takes 20, 28 or 36 (the salt's 4 among "
		"them)");
	p = gcm();
	p.dir = SA_IN;
	p.replay_window = 31;
	refused(&p, "replay window: 31, but 32 to 4096 packets are possible, or 0 for none");
	p.replay_window = 4097;
	refused(&p, "replay window: 4097, but 32 to 4096 packets are possible, or 0 for none");
	p = gcm();
	p.first_seq = 1ull << 32;
	refused(&p, "first sequence number: 4294967296, but the last possible is 4294967295");
	p = gcm();
	p.flags = SA_COPY_DF | SA_SET_DF;
	refused(&p, "flags: DF is either copied or set, not both");
	p.flags = 1 << 8;
	refused(&p, "flags: 0x100 has bits that mean nothing");
}

static void bad_ends_are_refused(void)
{
	struct sa_params p = gcm();
	uint8_t zero[16] = {0};

	memset(&p.dst, 0, sizeof(p.dst));
	refused(&p, "dst: no address given, one address is expected");
	p = gcm();
	p.src = addr_v4(0);
	refused(&p, "src: 0.0.0.0, but one address is expected");
	p.src = addr_v6(zero);
	refused(&p, "src: ::, but one address is expected");
	p.src = addr_v6("0123456789abcdef");
	refused(&p, "src: IPv6, but dst is IPv4; both must be of one family");
	p = gcm();
	p.flags = SA_UDP_ENCAP;
	p.sport = 4500;
	refused(&p, "dport: 0, but UDP encapsulation needs a port from 1 to 65535");
	p.sport = 0;
	refused(&p, "sport: 0, but UDP encapsulation needs a port from 1 to 65535");
	p.dir = SA_IN;
	p.sport = p.dport = 4511;
	refused(&p, "dport: 4511; inbound UDP encapsulation is received on port 4500");
	/* A peer that may be anywhere needs no address. */
	p = gcm();
	p.dir = SA_IN;
	p.src = addr_v4(0);
	p.flags = SA_ANY_SOURCE;
	sa_destroy(make(&p));
}

static void selectors_are_copied_and_checked(void)
{
	struct selector s[2] = {
		{.family = IP_V4, .src_port = {0, 65535}, .dst_port = {0, 65535}},
		{.family = IP_V6, .src_port = {5, 4}},
	};
	struct sa_params p = gcm();
	struct sa *sa;

	p.dir = SA_IN;
	p.selectors = s;
	p.n_selectors = 2;
	refused(&p, "selector 1: port range ends before it begins");
	s[1].src_port[1] = 5;
	s[1].src[0][15] = 1;
	refused(&p, "selector 1: address range ends before it begins");
	s[1].src[1][0] = 1;
	s[0].family = 5;
	refused(&p, "selector 0: family 5, but 4 or 6 is expected");
	s[0].family = IP_V4;
	sa = make(&p);
	CU_ASSERT_EQUAL(sa->n_selectors, 2);
	CU_ASSERT_EQUAL(memcmp(sa->selectors, s, sizeof(s)), 0);
	CU_ASSERT_PTR_NOT_EQUAL(sa->selectors, s);
	sa_destroy(sa);
}

/* RFC 4303 2.4 by hand: outer header, ESP 8, IV, inner + 2 padded, ICV. */
static void overhead_is_exact(void)
{
	static const struct {
		uint8_t cipher, auth, key;
		bool udp, six;
		uint16_t inner, outer;
	} want[] = {
		{CIPHER_AES_GCM_16, 0, 20, false, false, 64, 20 + 8 + 8 + 68 + 16},
		{CIPHER_AES_GCM_16, 0, 20, false, false, 66, 20 + 8 + 8 + 68 + 16},
		{CIPHER_AES_GCM_16, 0, 20, false, false, 67, 20 + 8 + 8 + 72 + 16},
		{CIPHER_AES_GCM_16, 0, 36, true, false, 64, 20 + 8 + 8 + 8 + 68 + 16},
		{CIPHER_AES_GCM_16, 0, 36, false, true, 64, 40 + 8 + 8 + 68 + 16},
		{CIPHER_CHACHA20_POLY1305, 0, 36, true, true, 1000, 40 + 8 + 8 + 8 + 1004 + 16},
		{CIPHER_AES_CBC, AUTH_HMAC_SHA1_96, 16, false, false, 62, 20 + 8 + 16 + 64 + 12},
		{CIPHER_AES_CBC, AUTH_HMAC_SHA1_96, 16, false, false, 63, 20 + 8 + 16 + 80 + 12},
		{CIPHER_AES_CBC, AUTH_HMAC_SHA2_256_128, 32, true, false, 64,
			20 + 8 + 8 + 16 + 80 + 16},
		{CIPHER_AES_CBC, AUTH_HMAC_SHA2_384_192, 24, false, true, 64,
			40 + 8 + 16 + 80 + 24},
		{CIPHER_AES_CBC, AUTH_HMAC_SHA2_512_256, 32, false, false, 64,
			20 + 8 + 16 + 80 + 32},
		{CIPHER_NULL, AUTH_HMAC_SHA1_96, 0, false, false, 64, 20 + 8 + 68 + 12},
	};

	for (unsigned i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct sa_params p = gcm();
		struct sa *sa;

		p.cipher = want[i].cipher;
		p.auth = want[i].auth;
		p.enc_key_len = want[i].key;
		p.auth_key_len = auth_info(p.auth)->key;
		if (want[i].udp) {
			p.flags |= SA_UDP_ENCAP;
			p.sport = p.dport = NATT_PORT;
		}
		if (want[i].six)
			p.src = p.dst = addr_v6("0123456789abcdef");
		sa = make(&p);
		CU_ASSERT_EQUAL(sa_outer_len(sa, want[i].inner), want[i].outer);
		sa_destroy(sa);
	}
}

/* The MTU is the largest packet that still fits, for each path MTU. */
static void inner_mtu_is_exact(void)
{
	struct sa_params p = gcm();
	struct sa *sa;

	for (unsigned cipher = 1; cipher < CIPHER_COUNT; cipher++) {
		p.cipher = cipher;
		p.enc_key_len = cipher_info(cipher)->key_min + cipher_info(cipher)->salt;
		p.auth = cipher_info(cipher)->aead ? AUTH_NONE : AUTH_HMAC_SHA2_256_128;
		p.auth_key_len = auth_info(p.auth)->key;
		sa = make(&p);
		for (unsigned mtu = 0; mtu <= UINT16_MAX; mtu++) {
			uint16_t inner = sa_inner_mtu(sa, mtu);

			if (inner > 0)
				CU_ASSERT_FATAL(sa_outer_len(sa, inner) <= mtu);
			if (inner > 0 || mtu >= sa_outer_len(sa, 1))
				CU_ASSERT_FATAL(sa_outer_len(sa, inner + 1) > mtu);
		}
		CU_ASSERT_EQUAL(sa_inner_mtu(sa, 0), 0);
		sa_destroy(sa);
	}
	p = gcm();
	sa = make(&p);
	CU_ASSERT_EQUAL(sa_inner_mtu(sa, 1500), 1446);
	sa_destroy(sa);
}

static void stats_are_summed(void)
{
	struct sa_params p = gcm();
	struct sa *sa = make(&p);
	struct sa_stats sum;

	sa->worker[0] = (struct sa_worker){.packets = 1, .bytes = 10, .last_use = 5};
	sa->worker[1] = (struct sa_worker){
		.packets = 2, .bytes = 20, .last_use = 4, .errors = 3, .inflight = 6};
	sum = sa_stats_sum(sa);
	CU_ASSERT_EQUAL(sum.packets, 3);
	CU_ASSERT_EQUAL(sum.bytes, 30);
	CU_ASSERT_EQUAL(sum.last_use, 5);
	CU_ASSERT_EQUAL(sum.errors, 3);
	CU_ASSERT_EQUAL(sum.inflight, 6);
	sa_destroy(sa);
}

UNIT_EAL_MAIN("sa", UNIT_TEST(fields_are_set), UNIT_TEST(inbound_has_a_window),
	UNIT_TEST(windows_of_any_size_are_whole), UNIT_TEST(bad_numbers_are_refused),
	UNIT_TEST(bad_ends_are_refused), UNIT_TEST(selectors_are_copied_and_checked),
	UNIT_TEST(overhead_is_exact), UNIT_TEST(inner_mtu_is_exact), UNIT_TEST(stats_are_summed))
