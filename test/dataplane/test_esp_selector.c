/* SPDX-License-Identifier: BSD-3-Clause */
/* What an SA was negotiated for is all that comes out of it (RFC 4301 5.2). */
#include "esp_fixture.h"

#include <netinet/in.h>

#define FAR4  "10.2.3.4"
#define FAR6  "2001:db8:b::4"
#define HOST4 "10.1.2.3"
#define HOST6 "2001:db8:a::3"

static struct tunnel t;

static struct frame inner4(void)
{
	return frame_udp(TUNNEL_WAN, FAR4, HOST4, 30);
}

static void selectors(const struct selector *s, unsigned n)
{
	static const uint8_t key[32] = {1, 2, 3, 4};
	struct sa_params p = tunnel_params(SA_IN, IP_V4);
	const char *why;

	p.cipher = CIPHER_NULL;
	p.auth = AUTH_HMAC_SHA2_256_128;
	p.auth_key = key;
	p.auth_key_len = sizeof(key);
	p.selectors = s;
	p.n_selectors = n;
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(&t, &p, &why));
}

static const struct selector udp_of_10_2_3 = {.family = IP_V4,
	.proto = IPPROTO_UDP,
	.src_port = {1000, 1000},
	.dst_port = {2000, 2001},
	.src = {{10, 2, 3, 0}, {10, 2, 3, 255}},
	.dst = {{10, 1, 0, 0}, {10, 1, 255, 255}}};

static void selector_says(const struct selector *s, const struct frame *inner, bool good)
{
	struct frame f;

	selectors(s, 1);
	f = tunnel_seal(&t, 1, inner, 0);
	if (good)
		tunnel_passes(&f, inner);
	else
		tunnel_drops(&f, DROP_ESP_SELECTOR);
}

static void selectors_are_obeyed(void)
{
	struct frame inner = inner4(), six = frame_udp(TUNNEL_WAN, FAR6, HOST6, 8);
	struct selector s = udp_of_10_2_3,
			any6 = {.family = IP_V6, .src_port = {0, 65535}, .dst_port = {0, 65535}};

	tunnel_start(&t);
	memset(any6.src[1], 0xff, 16);
	memset(any6.dst[1], 0xff, 16);
	selector_says(&s, &inner, true);
	selector_says(&s, &six, false);
	selector_says(&any6, &six, true);
	selector_says(&any6, &inner, false);
	s.src[0][3] = 5; /* the packet's is 4 */
	selector_says(&s, &inner, false);
	s = udp_of_10_2_3;
	s.src[1][3] = 3;
	selector_says(&s, &inner, false);
	s = udp_of_10_2_3;
	s.dst[1][1] = 0;
	s.dst[0][1] = 0;
	selector_says(&s, &inner, false);
	s = udp_of_10_2_3;
	s.src_port[1] = 1001;
	s.src_port[0] = 1001;
	selector_says(&s, &inner, false);
	s = udp_of_10_2_3;
	s.dst_port[0] = 2001;
	selector_says(&s, &inner, false);
	s.proto = IPPROTO_TCP;
	selector_says(&s, &inner, false);
	s = udp_of_10_2_3;
	s.proto = 0;
	selector_says(&s, &inner, true);
	tunnel_stop(&t);
}

/* A later fragment shows no ports: it passes only where all ports may. */
static void selectors_and_fragments(void)
{
	struct frame inner = inner4();
	struct selector s = udp_of_10_2_3;

	tunnel_start(&t);
	inner.b[L3 + 7] = 5;
	frame_checksum(&inner);
	selector_says(&s, &inner, false);
	s.src_port[0] = s.dst_port[0] = 0;
	s.src_port[1] = s.dst_port[1] = 65535;
	selector_says(&s, &inner, true);
	tunnel_stop(&t);
}

static void second_selector_is_tried(void)
{
	struct selector s[2] = {udp_of_10_2_3, udp_of_10_2_3};
	struct frame inner = inner4(), f;

	tunnel_start(&t);
	s[0].proto = IPPROTO_TCP;
	selectors(s, 2);
	f = tunnel_seal(&t, 1, &inner, 0);
	tunnel_passes(&f, &inner);
	tunnel_stop(&t);
}

DP_MAIN("esp_selector", 1, DP_TEST(selectors_are_obeyed), DP_TEST(selectors_and_fragments),
	DP_TEST(second_selector_is_tried))
