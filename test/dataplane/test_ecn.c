/* SPDX-License-Identifier: BSD-3-Clause */
/* ECN through the tunnel (RFC 6040): each cell of its table, for each pair of families, with the inner
 * header's checksum right afterwards, whatever it was before. */
#include "esp_fixture.h"

#define FAR4  "10.2.3.4"
#define FAR6  "2001:db8:b::4"
#define HOST4 "10.1.2.3"
#define HOST6 "2001:db8:a::3"

static struct tunnel t;

static void open_tunnel(enum ip_family family, uint16_t flags)
{
	tunnel_start(&t);
	tunnel_plain_sa(&t, SA_IN, family, flags);
}

static void set_tos(struct frame *f, uint8_t tos)
{
	if (f->b[L3] >> 4 == 4) {
		f->b[L3 + 1] = tos;
		frame_checksum(f);
	} else {
		f->b[L3] = 0x60 | tos >> 4;
		f->b[L3 + 1] = (f->b[L3 + 1] & 0x0f) | tos << 4;
	}
}

/* Figure 4: rows inner, columns outer, in the order Not-ECT, ECT(1), ECT(0), CE as the field counts.
 * -1: dropped. */
static const int merged[4][4] = {
	{0, 0, 0, -1},
	{1, 1, 1, 3},
	{2, 1, 2, 3},
	{3, 3, 3, 3},
};

static struct frame udp(bool six)
{
	return frame_udp(TUNNEL_WAN, six ? FAR6 : FAR4, six ? HOST6 : HOST4, 30);
}

static void cells(enum ip_family outer, bool six, uint16_t flags)
{
	uint64_t seq = 1;

	open_tunnel(outer, flags);
	for (int in = 0; in < 4; in++) {
		for (int out = 0; out < 4; out++, seq++) {
			struct frame inner = udp(six), f;
			int want = flags & SA_NO_ECN ? in : merged[in][out];

			/* Unequal DSCPs: the inner one stays. A flow label, which stays as well. */
			if (six)
				memcpy(inner.b + L3 + 1, "\x0a\xbc\xde", 3);
			set_tos(&inner, 0x68 | in);
			f = tunnel_seal(&t, seq, &inner, 0xb8 | out);
			if (want < 0) {
				tunnel_drops(&f, DROP_ESP_ECN);
				continue;
			}
			set_tos(&inner, 0x68 | want);
			tunnel_passes(&f, &inner);
		}
	}
	/* What is dropped for its mark was authentic: its number is taken, and it is an error. */
	CU_ASSERT_EQUAL(t.in->replay.top, 16);
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).errors, flags & SA_NO_ECN ? 0 : 1);
	tunnel_stop(&t);
}

static void families(uint16_t flags)
{
	cells(IP_V4, false, flags);
	cells(IP_V4, true, flags);
	cells(IP_V6, false, flags);
	cells(IP_V6, true, flags);
}

static void all_cells_of_all_pairs_of_families(void)
{
	families(0);
}

static void all_cells_inside_udp(void)
{
	families(SA_UDP_ENCAP);
}

static void ignored_if_told(void)
{
	families(SA_NO_ECN);
}

/* The checksum is changed, not made anew: there are two zeros, and carries. Each value that the rest of
 * a header can sum up to, by its id; first without, then with a change. */
static void checksum_is_right_whatever_it_was(void)
{
	struct frame inner = udp(false), want, got, f;
	unsigned wrong = 0;

	open_tunnel(IP_V4, 0);
	for (unsigned id = 0; id <= UINT16_MAX; id++) {
		uint8_t marked = id % 2 ? 3 : 1; /* CE or ECT(1) */

		inner.b[L3 + 4] = id >> 8;
		inner.b[L3 + 5] = id;
		set_tos(&inner, 2);
		f = tunnel_seal(&t, id + 1, &inner, marked);
		tunnel_receive(&f);
		set_tos(&inner, marked);
		want = frame_forwarded(&inner, TUNNEL_LAN, TUNNEL_LAN_STATION);
		wrong += !dp_out_any(TUNNEL_LAN, &got) || got.len != want.len ||
			memcmp(got.b, want.b, got.len) != 0;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(dp_none_dropped());
	tunnel_stop(&t);
}

/* Options make the header longer than the part that is written. */
static void header_with_options(void)
{
	static const uint8_t options[8] = {1, 1, 1, 1, 1, 1, 1, 0}; /* no operation */
	struct frame inner = udp(false), f;

	open_tunnel(IP_V6, 0);
	inner.b[L3] = 0x47;
	frame_insert(&inner, L3 + 20, options, sizeof(options));
	set_tos(&inner, 2);
	f = tunnel_seal(&t, 1, &inner, 3);
	set_tos(&inner, 3);
	tunnel_passes(&f, &inner);
	tunnel_stop(&t);
}

DP_MAIN("ecn", 1, DP_TEST(all_cells_of_all_pairs_of_families), DP_TEST(all_cells_inside_udp),
	DP_TEST(ignored_if_told), DP_TEST(checksum_is_right_whatever_it_was),
	DP_TEST(header_with_options))
