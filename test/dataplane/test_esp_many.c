/* SPDX-License-Identifier: BSD-3-Clause */
/* Bursts in which each packet is of another SA: what is guessed and fetched ahead for them changes
 * nothing in what becomes of each. */
#include "esp_fixture.h"

#include "dataplane/spi_table.h"

static struct tunnel t;

#define MANY 12

/* What becomes of the i-th packet of a burst of many SAs: it is decrypted, or ... */
enum {
	FORGED = 3,
	NO_SUCH_SPI = 5,
	ELSEWHERE = 7, /* another destination with a known SPI: routed as it is */
	NO_ESP = 9,
};

static bool decrypted(unsigned i)
{
	return i != FORGED && i != NO_SUCH_SPI && i != ELSEWHERE && i != NO_ESP;
}

static void make_many(struct tunnel *many)
{
	static const uint8_t key[32] = {5};
	const char *why = "";

	for (unsigned i = 0; i < MANY; i++) {
		struct sa_params p = tunnel_params(SA_IN, IP_V4);

		p.spi += i;
		p.cipher = CIPHER_NULL;
		p.auth = AUTH_HMAC_SHA2_256_128;
		p.auth_key = key;
		p.auth_key_len = sizeof(key);
		many[i].vti = t.vti;
		CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(&many[i], &p, &why));
	}
}

static void send_many(const struct tunnel *many, uint64_t seq, const struct frame *inner)
{
	for (unsigned i = 0; i < MANY; i++) {
		struct frame f = tunnel_seal(&many[i], seq, inner, 0);

		if (i == FORGED)
			f.b[f.len - 1] ^= 1;
		if (i == NO_SUCH_SPI)
			f.b[tunnel_esp_at(&f, many[i].in) + 1] ^= 0x10;
		if (i == ELSEWHERE) {
			f.b[L3 + 19] ^= 0x40; /* 10.0.1.65 */
			frame_checksum(&f);
		}
		dp_send(TUNNEL_WAN, i == NO_ESP ? inner : &f);
		if (i == 0)
			dp_send(TUNNEL_WAN, &f); /* again */
	}
	dp_run();
}

static void bursts_of_many_sas(void)
{
	struct frame inner = frame_udp(TUNNEL_WAN, "10.2.3.4", "10.1.2.3", 30), want, f;
	struct tunnel many[MANY] = {0};
	unsigned same = 0, other = 0;

	tunnel_start(&t);
	make_many(many);
	dp_route("10.0.1.65/32", dp_station(TUNNEL_LAN, NULL, TUNNEL_LAN_STATION));
	want = frame_forwarded(&inner, TUNNEL_LAN, TUNNEL_LAN_STATION);
	for (unsigned round = 1; round < 3; round++) {
		send_many(many, round, &inner);
		for (unsigned i = 0; i < MANY; i++) {
			struct sa_stats s = sa_stats_sum(many[i].in);

			CU_ASSERT_EQUAL(s.packets, decrypted(i) ? round : 0);
			CU_ASSERT_EQUAL(s.errors, i == 0 || i == FORGED ? round : 0);
			CU_ASSERT_EQUAL(many[i].in->replay.top, decrypted(i) ? round : 0);
		}
	}
	while (dp_out_any(TUNNEL_LAN, &f)) {
		bool equal = f.len == want.len && memcmp(f.b, want.b, f.len) == 0;

		same += equal;
		other += !equal;
	}
	CU_ASSERT_EQUAL(same, 2 * (MANY - 3)); /* NO_ESP looks the same */
	CU_ASSERT_EQUAL(other, 2);             /* ELSEWHERE */
	dp_drops_forget();
	for (unsigned i = 0; i < MANY; i++) {
		spi_remove(many[i].in);
		sa_destroy(many[i].in);
	}
	tunnel_stop(&t);
}

DP_MAIN("esp_many", 1, DP_TEST(bursts_of_many_sas))
