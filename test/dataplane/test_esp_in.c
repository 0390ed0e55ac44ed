/* SPDX-License-Identifier: BSD-3-Clause */
/* ESP from the peer, beyond what the cryptography says (test_scapy.py): what is refused by which
 * counter, and what becomes of the inner packet. */
#include "esp_fixture.h"

#include "dataplane/esp.h"

#include <netinet/in.h>

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

static struct frame inner4(void)
{
	return frame_udp(TUNNEL_WAN, FAR4, HOST4, 30);
}

/* The text of a packet with padding `pad` and its own trailer. */
static unsigned make_text(uint8_t *text, const struct frame *inner, unsigned pad, uint8_t next)
{
	unsigned len = inner->len - L3;

	memcpy(text, inner->b + L3, len);
	for (unsigned i = 0; i < pad; i++)
		text[len + i] = i + 1;
	text[len + pad] = pad;
	text[len + pad + 1] = next;
	return len + pad + 2;
}

static void padding_is_checked(void)
{
	struct frame inner = inner4(), f;
	uint8_t text[FRAME_MAX];
	unsigned len, seq = 1;

	open_tunnel(IP_V4, 0);
	/* Any length up to 255 is right, whatever it is good for. 58 + 2 + pad a multiple of 4. */
	for (unsigned pad = 0; pad < 256; pad += 4) {
		len = make_text(text, &inner, pad, ESP_NEXT_IP4);
		f = tunnel_seal_text(&t, seq++, text, len, 0);
		tunnel_passes(&f, &inner);
		for (unsigned i = 0; i < pad; i += 7) {
			text[58 + i] ^= 0x40;
			f = tunnel_seal_text(&t, seq++, text, len, 0);
			tunnel_drops(&f, DROP_ESP_PADDING);
			text[58 + i] ^= 0x40;
		}
	}
	/* Longer than there is text. */
	len = make_text(text, &inner, 4, ESP_NEXT_IP4);
	text[len - 2] = len - 1;
	f = tunnel_seal_text(&t, seq++, text, len, 0);
	tunnel_drops(&f, DROP_ESP_PADDING);
	text[len - 2] = 255;
	f = tunnel_seal_text(&t, seq++, text, len, 0);
	tunnel_drops(&f, DROP_ESP_PADDING);
	/* Nothing but padding. */
	memset(text, 0, sizeof(text));
	text[3] = ESP_NEXT_IP4;
	text[2] = 2;
	text[0] = 1;
	text[1] = 2;
	f = tunnel_seal_text(&t, seq++, text, 4, 0);
	tunnel_drops(&f, DROP_TOO_SHORT);
	tunnel_stop(&t);
}

static void next_header_is_checked(void)
{
	struct frame inner = inner4(), f;
	uint8_t text[FRAME_MAX];
	unsigned len, seq = 1;

	open_tunnel(IP_V4, 0);
	for (unsigned next = 0; next < 256; next++) {
		if (next == ESP_NEXT_IP4 || next == ESP_NEXT_IP6 || next == ESP_NEXT_DUMMY)
			continue;
		len = make_text(text, &inner, 0, next);
		f = tunnel_seal_text(&t, seq++, text, len, 0);
		tunnel_drops(&f, DROP_ESP_NEXT_HEADER);
	}
	len = make_text(text, &inner, 0, ESP_NEXT_IP6);
	f = tunnel_seal_text(&t, seq++, text, len, 0);
	tunnel_drops(&f, DROP_IP6_VERSION);
	text[0] = 0x65;
	text[len - 1] = ESP_NEXT_IP4;
	f = tunnel_seal_text(&t, seq++, text, len, 0);
	tunnel_drops(&f, DROP_IP4_VERSION);
	tunnel_stop(&t);
}

/* RFC 4303 2.6: no error, but it takes its number and shows that the peer lives. */
static void dummies_are_discarded(void)
{
	struct frame inner = inner4(), f;
	uint8_t text[FRAME_MAX];
	unsigned len = make_text(text, &inner, 0, ESP_NEXT_DUMMY);

	open_tunnel(IP_V4, 0);
	f = tunnel_seal_text(&t, 100, text, len, 0);
	tunnel_drops(&f, DROP_ESP_DUMMY);
	CU_ASSERT_EQUAL(t.in->replay.top, 100);
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).packets, 0);
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).errors, 0);
	CU_ASSERT_NOT_EQUAL(sa_stats_sum(t.in).last_use, 0);
	tunnel_drops(&f, DROP_ESP_REPLAY);
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).errors, 1);
	tunnel_stop(&t);
}

/* RFC 4303 2.7: bytes between the inner packet's end and the padding hide its length. */
static void traffic_flow_padding_is_trimmed(void)
{
	struct frame inner4_ = inner4(), inner6 = frame_udp(TUNNEL_WAN, FAR6, HOST6, 30), f, longer;

	open_tunnel(IP_V4, 0);
	for (unsigned tfc = 1; tfc < 600; tfc += 13) {
		longer = inner4_;
		longer.len += tfc;
		f = tunnel_seal(&t, 2 * tfc, &longer, 0);
		tunnel_passes(&f, &inner4_);
		longer = inner6;
		longer.len += tfc;
		f = tunnel_seal(&t, 2 * tfc + 1, &longer, 0);
		tunnel_passes(&f, &inner6);
	}
	tunnel_stop(&t);
}

/* Every length from the ESP header alone up, for NULL (4) and for CBC (16). */
static void short_and_crooked_lengths(void)
{
	static const uint8_t key[32];
	struct sa_params p = tunnel_params(SA_IN, IP_V4);
	uint8_t bytes[400] = {0, 0, 0x27, 0x10, 0, 0, 0, 1};
	const char *why;

	tunnel_start(&t);
	for (unsigned cbc = 0; cbc < 2; cbc++) {
		p.cipher = cbc ? CIPHER_AES_CBC : CIPHER_NULL;
		p.enc_key = key;
		p.enc_key_len = cbc ? 16 : 0;
		p.auth = AUTH_HMAC_SHA1_96;
		p.auth_key = key;
		p.auth_key_len = 20;
		CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(&t, &p, &why));
		for (unsigned len = 8; len < 200; len++) {
			struct frame f = frame_ip(
				TUNNEL_WAN, TUNNEL_PEER4, TUNNEL_LOCAL4, IPPROTO_ESP, bytes, len);
			int text = (int)len - 8 - (cbc ? 16 : 0) - 12;
			int align = cbc ? 16 : 4;

			tunnel_drops(&f,
				text >= align && text % align == 0 ? DROP_ESP_ICV : DROP_ESP_SHORT);
		}
	}
	tunnel_stop(&t);
}

static void encapsulation_must_be_as_agreed(void)
{
	struct frame inner = inner4(), plain, udp;

	open_tunnel(IP_V4, SA_UDP_ENCAP);
	udp = tunnel_seal(&t, 1, &inner, 0);
	t.in->ends[0].flags &= ~SA_UDP_ENCAP;
	plain = tunnel_seal(&t, 2, &inner, 0);
	tunnel_drops(&udp, DROP_ESP_ENCAP);
	tunnel_passes(&plain, &inner);
	t.in->ends[0].flags |= SA_UDP_ENCAP;
	tunnel_drops(&plain, DROP_ESP_ENCAP);
	tunnel_passes(&udp, &inner);
	tunnel_stop(&t);
}

/* From an address that is not the peer's. */
static struct frame from_elsewhere(struct frame f)
{
	if (f.b[L3] >> 4 == 4) {
		f.b[L3 + 15] ^= 1;
		frame_checksum(&f);
	} else {
		f.b[L3 + 23] ^= 1;
	}
	return f;
}

static void source_must_be_the_peer(void)
{
	static const enum ip_family families[] = {IP_V4, IP_V6};

	for (unsigned i = 0; i < 2; i++) {
		struct frame inner = inner4(), f;

		open_tunnel(families[i], 0);
		f = tunnel_seal(&t, 1, &inner, 0);
		f = from_elsewhere(f);
		tunnel_drops(&f, DROP_ESP_SOURCE);
		tunnel_stop(&t);

		open_tunnel(families[i], SA_ANY_SOURCE);
		tunnel_passes(&f, &inner);
		tunnel_stop(&t);

		/* Behind NAT, address and port may change at any time. */
		open_tunnel(families[i], SA_UDP_ENCAP);
		f = tunnel_seal(&t, 1, &inner, 0);
		f = from_elsewhere(f);
		f.b[tunnel_esp_at(&f, t.in) - 8] = 0xc3;
		tunnel_passes(&f, &inner);
		rte_pktmbuf_free(dp_host(0)); /* the control thread hears of it: test_peer.c */
		tunnel_stop(&t);
	}
}

static void replays_within_and_across_bursts(void)
{
	struct frame inner = inner4(), want, f[3];

	open_tunnel(IP_V4, 0);
	want = frame_forwarded(&inner, TUNNEL_LAN, TUNNEL_LAN_STATION);
	for (unsigned i = 0; i < 3; i++)
		f[i] = tunnel_seal(&t, 100 + i, &inner, 0);
	/* One burst, out of order, with repetitions. */
	dp_send(TUNNEL_WAN, &f[2]);
	dp_send(TUNNEL_WAN, &f[0]);
	dp_send(TUNNEL_WAN, &f[0]);
	dp_send(TUNNEL_WAN, &f[2]);
	dp_run();
	CU_ASSERT(dp_out(TUNNEL_LAN, &want));
	CU_ASSERT(dp_out(TUNNEL_LAN, &want));
	CU_ASSERT(dp_quiet());
	CU_ASSERT(dp_dropped(DROP_ESP_REPLAY, 2));
	tunnel_passes(&f[1], &inner);
	f[0] = tunnel_seal(&t, 102 - 64, &inner, 0);
	tunnel_drops(&f[0], DROP_ESP_LATE);
	f[0] = tunnel_seal(&t, 0, &inner, 0);
	tunnel_drops(&f[0], DROP_ESP_SEQ_ZERO);
	/* A forged number far ahead moves nothing. */
	f[0] = tunnel_seal(&t, 200000, &inner, 0);
	f[0].b[f[0].len - 1] ^= 1;
	tunnel_drops(&f[0], DROP_ESP_ICV);
	CU_ASSERT_EQUAL(t.in->replay.top, 102);
	tunnel_stop(&t);
}

static void expired_sa_takes_nothing(void)
{
	struct frame inner = inner4(), f;

	open_tunnel(IP_V4, 0);
	f = tunnel_seal(&t, 1, &inner, 0);
	t.in->expired = 1;
	tunnel_drops(&f, DROP_ESP_EXPIRED_IN);
	t.in->expired = 0;
	tunnel_passes(&f, &inner);
	tunnel_stop(&t);
}

static void needs_a_tunnel_that_is_up(void)
{
	struct frame inner = inner4(), f;

	open_tunnel(IP_V4, 0);
	f = tunnel_seal(&t, 1, &inner, 0);
	atomic_store(&t.vti->flags, 0);
	tunnel_drops(&f, DROP_RX_IFACE_DOWN);
	CU_ASSERT_EQUAL(dp_stats(t.vti).rx_drops, 1);
	atomic_store(&t.vti->flags, IFACE_UP);
	atomic_store(&t.in->vti, NULL);
	f = tunnel_seal(&t, 2, &inner, 0);
	tunnel_drops(&f, DROP_ESP_NO_VTI);
	tunnel_stop(&t);
}

static void bad_inner_packets_have_their_own_reasons(void)
{
	struct frame inner, f;

	open_tunnel(IP_V4, 0);
	inner = inner4();
	inner.b[L3 + 10] ^= 1;
	f = tunnel_seal(&t, 1, &inner, 0);
	tunnel_drops(&f, DROP_IP4_CHECKSUM);
	inner = frame_udp(TUNNEL_WAN, "127.0.0.1", HOST4, 30);
	f = tunnel_seal(&t, 2, &inner, 0);
	tunnel_drops(&f, DROP_MARTIAN_SRC);
	inner = inner4();
	inner.b[L3 + 3] += 10; /* total length beyond the packet */
	frame_checksum(&inner);
	f = tunnel_seal(&t, 3, &inner, 0);
	tunnel_drops(&f, DROP_IP4_TOTAL_LEN);
	inner = frame_udp(TUNNEL_WAN, FAR6, HOST6, 30);
	inner.b[L3 + 5] += 10;
	f = tunnel_seal(&t, 4, &inner, 0);
	tunnel_drops(&f, DROP_IP6_PAYLOAD_LEN);
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).errors, 4);
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).packets, 0);
	tunnel_stop(&t);
}

static void figures_are_true(void)
{
	struct frame inner = inner4(), f;
	struct iface_stats s;

	open_tunnel(IP_V4, 0);
	for (unsigned seq = 1; seq <= 5; seq++) {
		f = tunnel_seal(&t, seq, &inner, 0);
		tunnel_passes(&f, &inner);
	}
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).packets, 5);
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).bytes, 5 * 58);
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).errors, 0);
	CU_ASSERT_NOT_EQUAL(sa_stats_sum(t.in).last_use, 0);
	s = dp_stats(t.vti);
	CU_ASSERT_EQUAL(s.rx_packets, 5);
	CU_ASSERT_EQUAL(s.rx_bytes, 5 * 58);
	CU_ASSERT_EQUAL(s.rx_drops, 0);
	tunnel_stop(&t);
}

/* A capture on the tunnel sees the inner packet. */
static void captures_see_the_inner_packet(void)
{
	struct frame inner = inner4(), f, seen = {.len = inner.len - L3};

	open_tunnel(IP_V4, 0);
	memcpy(seen.b, inner.b + L3, seen.len);
	atomic_store(&t.vti->flags, IFACE_UP | IFACE_MIRROR);
	f = tunnel_seal(&t, 1, &inner, 0);
	tunnel_passes(&f, &inner);
	CU_ASSERT(dp_mirrored(t.vti, &seen));
	tunnel_stop(&t);
}

/* A routing daemon's multicast goes to the tunnel's twin. */
static void multicast_is_punted(void)
{
	struct frame inner = frame_ip(TUNNEL_WAN, "10.9.0.2", "224.0.0.5", 89, "hello...", 8);
	struct frame f, seen = {.len = inner.len - L3};

	open_tunnel(IP_V4, 0);
	memcpy(seen.b, inner.b + L3, seen.len);
	f = tunnel_seal(&t, 1, &inner, 0);
	tunnel_receive(&f);
	CU_ASSERT(dp_punted(t.vti, &seen));
	CU_ASSERT(dp_none_dropped());
	tunnel_stop(&t);
}

/* Noise to a known SPI: counted, never a crash, never an inner packet. */
static void noise_is_dropped(void)
{
	uint8_t bytes[300] = {0, 0, 0x27, 0x10};
	uint32_t state = 1;

	open_tunnel(IP_V4, 0);
	for (unsigned n = 0; n < 2000; n++) {
		struct frame f;

		for (unsigned i = 4; i < sizeof(bytes); i++) {
			state = state * 1664525 + 1013904223;
			bytes[i] = state >> 24;
		}
		bytes[4] |= 1; /* not the number 0 */
		f = frame_ip(TUNNEL_WAN, TUNNEL_PEER4, TUNNEL_LOCAL4, IPPROTO_ESP, bytes,
			28 + n % 64 * 4);
		tunnel_drops(&f, DROP_ESP_ICV);
	}
	CU_ASSERT_EQUAL(t.in->replay.top, 0);
	tunnel_stop(&t);
}

DP_MAIN("esp_in", 1, DP_TEST(padding_is_checked), DP_TEST(next_header_is_checked),
	DP_TEST(dummies_are_discarded), DP_TEST(traffic_flow_padding_is_trimmed),
	DP_TEST(short_and_crooked_lengths), DP_TEST(encapsulation_must_be_as_agreed),
	DP_TEST(source_must_be_the_peer), DP_TEST(replays_within_and_across_bursts),
	DP_TEST(expired_sa_takes_nothing), DP_TEST(needs_a_tunnel_that_is_up),
	DP_TEST(bad_inner_packets_have_their_own_reasons), DP_TEST(figures_are_true),
	DP_TEST(captures_see_the_inner_packet), DP_TEST(multicast_is_punted),
	DP_TEST(noise_is_dropped))
