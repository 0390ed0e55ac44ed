/* SPDX-License-Identifier: BSD-3-Clause */
/* What is addressed to the router itself: ESP and what looks like it, NAT traversal's port, fragments,
 * and the kernel's share. */
#include "dp_sa.h"
#include "harness.h"

#include <arpa/inet.h>
#include <string.h>

#define PEER4  "10.0.0.7"
#define US4    "10.0.0.1"
#define PEER6  "2001:db8::7"
#define US6    "2001:db8::1"
#define OTHER4 "10.2.3.4"
#define SPI    0x1000

static const uint8_t esp_unknown[64] = {0, 0, 0x20, 0, 0, 0, 0, 1};
static const uint8_t esp_known[64] = {0, 0, 0x10, 0, 0, 0, 0, 1};

static struct frame esp(const char *src, const char *dst, const uint8_t *bytes, unsigned len)
{
	return frame_ip(0, src, dst, IPPROTO_ESP, bytes, len);
}

/* UDP to port 4500 with this payload. */
static struct frame natt(const char *src, const char *dst, const void *payload, unsigned len)
{
	uint8_t l4[200] = {0xc3, 0x50, 0x11, 0x94, (8 + len) >> 8, 8 + len};

	memcpy(l4 + 8, payload, len);
	return frame_ip(0, src, dst, IPPROTO_UDP, l4, 8 + len);
}

static void dropped(const struct frame *f, enum drop_reason reason)
{
	dp_send(0, f);
	dp_run();
	CU_ASSERT(dp_dropped(reason, 1));
	CU_ASSERT(dp_quiet());
}

static void kernels_share(void)
{
	struct frame f = frame_udp(0, PEER4, US4, 20);

	dp_expect_punted(&f);
	f = frame_udp(0, PEER6, US6, 20);
	dp_expect_punted(&f);
	f = frame_udp(0, PEER4, "10.0.2.1", 20); /* another port's address is ours as well */
	dp_expect_punted(&f);
	f = frame_ip(0, PEER4, US4, IPPROTO_ICMP, "\x08\0\xf7\xff\0\0\0\0", 8);
	dp_expect_punted(&f);
	f = frame_ip(0, PEER4, US4, 89, "ospf", 4);
	dp_expect_punted(&f);
	CU_ASSERT_EQUAL(dp.worker[0]->stats.punted, 5);
}

/* Ethernet padding goes along: the twin gets the frame as it came. */
static void punts_are_whole_frames(void)
{
	struct frame f = frame_udp(0, PEER4, US4, 1);

	memset(f.b + f.len, 0xee, 60 - f.len);
	f.len = 60;
	dp_expect_punted(&f);
}

static void unknown_spi(void)
{
	struct frame f = esp(PEER4, US4, esp_unknown, 64);

	dp_sa(NULL, &(struct dp_sa){SA_IN, SPI, PEER4, US4});
	dropped(&f, DROP_ESP_NO_SA);
	f = esp(PEER6, US6, esp_unknown, 64);
	dropped(&f, DROP_ESP_NO_SA);
	/* The SPI is known, but of another destination. */
	f = esp(PEER4, "10.0.1.1", esp_known, 64);
	dropped(&f, DROP_ESP_NO_SA);
	f = esp(PEER6, US6, esp_known, 64);
	dropped(&f, DROP_ESP_NO_SA);
}

static void known_spi_is_decrypted(void)
{
	struct frame f = esp(PEER4, US4, esp_known, 64);

	dp_sa(NULL, &(struct dp_sa){SA_IN, SPI, PEER4, US4});
	dp_sa(NULL, &(struct dp_sa){SA_IN, SPI, PEER6, US6});
	dropped(&f, DROP_ESP_ICV);
	f = esp(PEER6, US6, esp_known, 64);
	dropped(&f, DROP_ESP_ICV);
	/* Encapsulated where the SA isn't; and bytes that aren't ESP's. */
	f = natt(PEER4, US4, esp_known, 64);
	dropped(&f, DROP_ESP_ENCAP);
	f = esp("10.0.0.8", US4, esp_known, 64);
	dropped(&f, DROP_ESP_SOURCE);
	f = esp(PEER4, US4, esp_known, 12);
	dropped(&f, DROP_ESP_SHORT);
}

static void less_than_an_esp_header(void)
{
	for (unsigned len = 0; len < 8; len++) {
		struct frame f = esp(PEER4, US4, esp_unknown, len);

		dropped(&f, DROP_ESP_SHORT);
	}
}

/* RFC 3948 2.3, 2.2 and the marker's absence. */
static void natt_port(const char *peer, const char *us)
{
	static const uint8_t ike[60] = {0, 0, 0, 0, 1, 2, 3, 4};
	struct frame f = natt(peer, us, "\xff", 1);

	dropped(&f, DROP_NATT_KEEPALIVE);
	f = natt(peer, us, "\xfe", 1);
	dropped(&f, DROP_NATT_SHORT);
	f = natt(peer, us, "\xff\xff", 2);
	dropped(&f, DROP_NATT_SHORT);
	f = natt(peer, us, "", 0);
	dropped(&f, DROP_NATT_SHORT);
	f = natt(peer, us, "\0\0\0", 3);
	dropped(&f, DROP_NATT_SHORT);
	f = natt(peer, us, ike, 4);
	dp_expect_punted(&f);
	f = natt(peer, us, ike, sizeof(ike));
	dp_expect_punted(&f);
	f = natt(peer, us, esp_unknown, 7);
	dropped(&f, DROP_ESP_SHORT);
	f = natt(peer, us, esp_unknown, 64);
	dropped(&f, DROP_ESP_NO_SA);
}

static void natt_port4(void)
{
	natt_port(PEER4, US4);
}

static void natt_port6(void)
{
	natt_port(PEER6, US6);
}

/* The UDP length rules, not IP's: what it claims must be there, and what is behind it isn't ESP. */
static void natt_udp_length(void)
{
	struct frame f = natt(PEER4, US4, esp_known, 64);

	dp_sa(NULL, &(struct dp_sa){SA_IN, SPI, PEER4, US4, .flags = SA_UDP_ENCAP});
	dropped(&f, DROP_ESP_ICV);
	f.b[L3 + 20 + 5] = 8 + 12;
	dropped(&f, DROP_ESP_SHORT);
	f.b[L3 + 20 + 5] = 8 + 65;
	dropped(&f, DROP_NATT_SHORT);
	f.b[L3 + 20 + 5] = 7;
	dropped(&f, DROP_NATT_SHORT);
	f.b[L3 + 20 + 5] = 8 + 1;
	f.b[L3 + 28] = 0xff;
	dropped(&f, DROP_NATT_KEEPALIVE);
}

/* Other people's tunnels pass through us untouched. */
static void transit_esp_is_forwarded(void)
{
	struct frame f = esp(PEER4, OTHER4, esp_known, 64);

	dp_route("10.2.0.0/16", dp_station(1, "10.0.1.2", 2));
	dp_sa(NULL, &(struct dp_sa){SA_IN, SPI, PEER4, US4});
	dp_expect_forwarded(&f);
	f = esp(PEER4, OTHER4, esp_known, 3);
	dp_expect_forwarded(&f);
	f = natt(PEER4, OTHER4, esp_known, 64);
	dp_expect_forwarded(&f);
	f = natt(PEER4, OTHER4, "\xff", 1);
	dp_expect_forwarded(&f);
	f = natt(PEER4, OTHER4, "", 0);
	dp_expect_forwarded(&f);
}

/* f in two fragments; the first has `first` bytes behind the IPv4 header. */
static void cut(const struct frame *f, unsigned first, struct frame *a, struct frame *b)
{
	unsigned rest = f->len - L3 - 20 - first;

	*a = *b = *f;
	a->len = L3 + 20 + first;
	a->b[L3 + 3] = 20 + first;
	a->b[L3 + 6] = 0x20;
	frame_checksum(a);
	b->len = L3 + 20 + rest;
	b->b[L3 + 2] = 0;
	b->b[L3 + 3] = 20 + rest;
	b->b[L3 + 7] = first / 8;
	memcpy(b->b + L3 + 20, f->b + L3 + 20 + first, rest);
	frame_checksum(b);
}

static void fragmented_esp_is_reassembled(void)
{
	struct frame f = esp(PEER4, US4, esp_known, 64), a, b;

	dp_sa(NULL, &(struct dp_sa){SA_IN, SPI, PEER4, US4});
	cut(&f, 48, &a, &b);
	dp_send(0, &b);
	dp_run();
	CU_ASSERT(dp_none_dropped());
	dropped(&a, DROP_ESP_ICV);
	f = esp(PEER4, US4, esp_unknown, 64);
	cut(&f, 48, &a, &b);
	dp_send(0, &a);
	dropped(&b, DROP_ESP_NO_SA);
	CU_ASSERT_EQUAL(dp.worker[0]->stats.fragments_joined, 2);
}

/* Which port it is for only the whole packet shows; the kernel gets that, with a header of ours. */
static void fragmented_udp_is_punted_whole(void)
{
	struct frame f = frame_udp(0, PEER4, US4, 100), a, b;

	cut(&f, 48, &a, &b);
	dp_send(0, &a);
	dp_send(0, &b);
	dp_run();
	CU_ASSERT(dp_punted(dp.port[0].iface, &f));
}

/* Nothing of ours can be in them. */
static void other_fragments_are_punted_as_they_are(void)
{
	struct frame f = frame_ip(0, PEER4, US4, IPPROTO_ICMP, esp_known, 64), a, b;

	cut(&f, 16, &a, &b);
	dp_expect_punted(&b);
	dp_expect_punted(&a);
}

static void transit_fragments_are_forwarded(void)
{
	struct frame f = esp(PEER4, OTHER4, esp_known, 64), a, b;

	dp_route("10.2.0.0/16", dp_station(1, "10.0.1.2", 2));
	cut(&f, 16, &a, &b);
	dp_expect_forwarded(&b);
	dp_expect_forwarded(&a);
}

DP_MAIN("local", 1, DP_TEST(kernels_share), DP_TEST(punts_are_whole_frames), DP_TEST(unknown_spi),
	DP_TEST(known_spi_is_decrypted), DP_TEST(less_than_an_esp_header), DP_TEST(natt_port4),
	DP_TEST(natt_port6), DP_TEST(natt_udp_length), DP_TEST(transit_esp_is_forwarded),
	DP_TEST(fragmented_esp_is_reassembled), DP_TEST(fragmented_udp_is_punted_whole),
	DP_TEST(other_fragments_are_punted_as_they_are), DP_TEST(transit_fragments_are_forwarded))
