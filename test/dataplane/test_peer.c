/* SPDX-License-Identifier: BSD-3-Clause */
/* A peer that sends from another address or port: which packets tell of it. */
#include "esp_fixture.h"

#define FAR4  "10.2.3.4"
#define HOST4 "10.1.2.3"

static struct tunnel t;
static struct frame inner;

static void open_tunnel(enum ip_family family, uint16_t flags)
{
	tunnel_start(&t);
	tunnel_plain_sa(&t, SA_IN, family, flags);
	inner = frame_udp(TUNNEL_WAN, FAR4, HOST4, 30);
}

static struct frame sealed(uint64_t seq)
{
	return tunnel_seal(&t, seq, &inner, 0);
}

/* As a NAT would have it. UDP has no checksum here; the ICV does not cover the outer header. */
static struct frame from(struct frame f, uint8_t last_byte, uint16_t port)
{
	const bool six = f.b[L3] >> 4 == 6;
	uint8_t *udp = f.b + L3 + (six ? 40 : 20);

	f.b[L3 + (six ? 23 : 15)] = last_byte;
	udp[0] = port >> 8;
	udp[1] = port;
	if (!six)
		frame_checksum(&f);
	return f;
}

/* It passes, and the control thread gets its outer headers, or nothing. */
static void passes(const struct frame *f, bool tells)
{
	const unsigned esp_at = tunnel_esp_at(f, t.in);
	struct frame headers = {.len = esp_at + 8 - L3};
	struct rte_mbuf *m;

	tunnel_passes(f, &inner);
	m = dp_host(0);
	if (!tells || m == NULL) {
		CU_ASSERT_PTR_NULL(m);
		CU_ASSERT_FALSE(tells);
		rte_pktmbuf_free(m);
		return;
	}
	memcpy(headers.b, f->b + L3, headers.len);
	CU_ASSERT_EQUAL(host_tag(m)->op, HOST_MOVED);
	CU_ASSERT_EQUAL(host_tag(m)->l3_off, esp_at - L3);
	CU_ASSERT(frame_eq(&headers, rte_pktmbuf_mtod(m, uint8_t *), m->data_len));
	rte_pktmbuf_free(m);
}

static void a_second_passes(void)
{
	atomic_store(&t.in->moved_told, 0);
}

static void another_port_or_address_is_told(enum ip_family family)
{
	struct frame f;

	open_tunnel(family, SA_UDP_ENCAP);
	f = sealed(1);
	passes(&f, false);
	f = from(sealed(2), 9, 20000);
	passes(&f, true);
	/* Once in a second. */
	f = from(sealed(3), 9, 20000);
	passes(&f, false);
	a_second_passes();
	f = from(sealed(4), 77, 4500);
	passes(&f, true);
	a_second_passes();
	f = sealed(5);
	passes(&f, false);
	tunnel_stop(&t);
}

static void over_ip4(void)
{
	another_port_or_address_is_told(IP_V4);
}

static void over_ip6(void)
{
	another_port_or_address_is_told(IP_V6);
}

static void what_is_not_authentic_tells_nothing(void)
{
	struct frame f;

	open_tunnel(IP_V4, SA_UDP_ENCAP);
	f = from(sealed(1), 77, 20000);
	f.b[f.len - 1] ^= 1;
	tunnel_drops(&f, DROP_ESP_ICV);
	CU_ASSERT_PTR_NULL(dp_host(0));
	tunnel_stop(&t);
}

static void what_is_sent_again_tells_nothing(void)
{
	struct frame f;

	open_tunnel(IP_V4, SA_UDP_ENCAP);
	f = sealed(7);
	passes(&f, false);
	f = from(sealed(7), 77, 20000);
	tunnel_drops(&f, DROP_ESP_REPLAY);
	CU_ASSERT_PTR_NULL(dp_host(0));
	tunnel_stop(&t);
}

/* It was under way before the NAT changed, or was kept back by somebody. */
static void what_is_not_the_newest_tells_nothing(void)
{
	struct frame f;

	open_tunnel(IP_V4, SA_UDP_ENCAP);
	f = sealed(10);
	passes(&f, false);
	f = from(sealed(9), 77, 20000);
	passes(&f, false);
	f = from(sealed(11), 77, 20000);
	passes(&f, true);
	tunnel_stop(&t);
}

static void of_a_burst_the_newest_counts(void)
{
	struct frame f[3], out;

	open_tunnel(IP_V4, SA_UDP_ENCAP);
	f[0] = from(sealed(1), 77, 20000);
	f[1] = from(sealed(2), 77, 20000);
	f[2] = sealed(3);
	for (unsigned i = 0; i < RTE_DIM(f); i++)
		dp_send(TUNNEL_WAN, &f[i]);
	dp_run();
	for (unsigned i = 0; i < RTE_DIM(f); i++)
		CU_ASSERT(dp_out_any(TUNNEL_LAN, &out));
	CU_ASSERT_PTR_NULL(dp_host(0));
	tunnel_stop(&t);
}

DP_MAIN("peer", 1, DP_TEST(over_ip4), DP_TEST(over_ip6),
	DP_TEST(what_is_not_authentic_tells_nothing), DP_TEST(what_is_sent_again_tells_nothing),
	DP_TEST(what_is_not_the_newest_tells_nothing), DP_TEST(of_a_burst_the_newest_counts))
