/* SPDX-License-Identifier: BSD-3-Clause */
/* Tunnels whose outer packets go by a VLAN: byte for byte those of an untagged port, and the tag. */
#include "dp_vlan.h"
#include "esp_fixture.h"

#include "dataplane/esp.h"
#include "dataplane/spi_table.h"

#include <rte_ip.h>

#include <netinet/in.h>

#define FAR4  "10.2.3.4"
#define FAR6  "2001:db8:b::4"
#define HOST4 "10.1.2.3"
#define HOST6 "2001:db8:a::3"
#define ID    30

static struct tunnel t;
static struct iface *vlan;

/* Every way in which outer headers are written. */
static const struct kind {
	enum ip_family outer;
	uint16_t flags;
	bool gcm;
} kinds[] = {
	{IP_V4, 0, true},
	{IP_V4, 0, false},
	{IP_V4, SA_UDP_ENCAP, true},
	{IP_V6, 0, true},
	{IP_V6, 0, false},
	{IP_V6, SA_UDP_ENCAP, true},
	{IP_V6, SA_UDP_ENCAP, false},
};

static void open_sa(const struct kind *k, enum sa_dir dir)
{
	static const uint8_t key[20] = {1, 2, 3};
	struct sa_params p = tunnel_params(dir, k->outer);
	const char *why = "";

	if (!k->gcm) {
		tunnel_plain_sa(&t, dir, k->outer, k->flags);
		return;
	}
	p.cipher = CIPHER_AES_GCM_16;
	p.enc_key = key;
	p.enc_key_len = sizeof(key);
	p.flags = k->flags;
	p.sport = p.dport = NATT_PORT;
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(&t, &p, &why));
}

static void open_tunnel(void)
{
	tunnel_start(&t);
	vlan = dp_vlan(TUNNEL_WAN, ID);
}

static void peer_is_by_vlan(bool by_vlan)
{
	uint32_t nh = by_vlan ? dp_vlan_station(vlan, "10.9.30.9", TUNNEL_WAN_STATION)
			      : dp_station(TUNNEL_WAN, "10.0.1.9", TUNNEL_WAN_STATION);

	dp_route(TUNNEL_PEER4 "/32", nh);
	dp_route(TUNNEL_PEER6 "/128", nh);
}

#define BURST 24

/* Packets of both families and many lengths, in one burst; what comes out is in out[]. */
static void send_burst(const struct kind *k, bool by_vlan, struct frame *out)
{
	peer_is_by_vlan(by_vlan);
	open_sa(k, SA_OUT);
	for (unsigned i = 0; i < BURST; i++) {
		struct frame f = i % 3 == 2 ? frame_udp(TUNNEL_LAN, HOST6, FAR6, 30 * i)
					    : frame_udp(TUNNEL_LAN, HOST4, FAR4, 51 * i);

		dp_send(TUNNEL_LAN, &f);
	}
	dp_run();
	for (unsigned i = 0; i < BURST; i++)
		CU_ASSERT_FATAL(dp_out_any(TUNNEL_WAN, &out[i]));
	CU_ASSERT(dp_none_dropped());
}

static void encrypted_on_a_vlan(void)
{
	static struct frame plain[BURST], tagged[BURST];
	uint64_t packets = 0;

	open_tunnel();
	for (unsigned i = 0; i < RTE_DIM(kinds); i++) {
		send_burst(&kinds[i], false, plain);
		send_burst(&kinds[i], true, tagged);
		for (unsigned j = 0; j < BURST; j++) {
			struct frame want = dp_tagged(&plain[j], ID);

			CU_ASSERT(frame_eq(&want, tagged[j].b, tagged[j].len));
		}
		packets += BURST;
		CU_ASSERT_EQUAL(dp_stats(vlan).tx_packets, packets);
	}
	CU_ASSERT_EQUAL(dp_stats(dp.port[TUNNEL_WAN].iface).tx_packets, 2 * packets);
	CU_ASSERT_EQUAL(2 * dp_stats(vlan).tx_bytes, dp_stats(dp.port[TUNNEL_WAN].iface).tx_bytes);
	tunnel_stop(&t);
}

static void decrypted_from_a_vlan(void)
{
	open_tunnel();
	for (unsigned i = 0; i < RTE_DIM(kinds); i++) {
		struct frame in4 = frame_udp(TUNNEL_LAN, FAR4, HOST4, 100), f;
		struct frame in6 = frame_udp(TUNNEL_LAN, FAR6, HOST6, 101);

		open_sa(&kinds[i], SA_IN);
		f = tunnel_seal(&t, 1, &in4, 0);
		f = dp_tagged(&f, ID);
		tunnel_passes(&f, &in4);
		f = tunnel_seal(&t, 2, &in6, 0);
		f = dp_tagged(&f, ID | 0xa000);
		tunnel_passes(&f, &in6);
		CU_ASSERT_EQUAL(dp_stats(vlan).rx_packets, 2 * (i + 1));
	}
	tunnel_stop(&t);
}

/* The outer packet is larger than the VLAN's MTU and may be cut. */
static void outer_fragments_are_tagged(void)
{
	struct frame f = frame_udp(TUNNEL_LAN, HOST4, FAR4, 1200), got;
	unsigned bytes = 0;

	open_tunnel();
	peer_is_by_vlan(true);
	open_sa(&kinds[1], SA_OUT);
	atomic_store(&vlan->mtu, 700);
	dp_send(TUNNEL_LAN, &f);
	dp_run();
	for (unsigned i = 0; i < 2; i++) {
		CU_ASSERT_FATAL(dp_out_any(TUNNEL_WAN, &got));
		CU_ASSERT_EQUAL(memcmp(got.b + 12, "\x81\x00\x00\x1e\x08\x00", 6), 0);
		CU_ASSERT(got.len <= L3 + 4 + 700);
		bytes += got.len - L3 - 4 - 20;
	}
	/* ESP header, packet and trailer, ICV. */
	CU_ASSERT_EQUAL(bytes, 8 + RTE_ALIGN_CEIL(f.len - L3 + 2u, 4u) + 16);
	CU_ASSERT(dp_none_dropped());
	tunnel_stop(&t);
}

/* Bytes `from` to `to` of the packet's payload. */
static struct frame piece(const struct frame *f, unsigned from, unsigned to)
{
	struct frame p = *f;
	unsigned len = f->len - L3 - 20, end = RTE_MIN(to, len);
	uint16_t field = from / 8 | (end < len ? RTE_IPV4_HDR_MF_FLAG : 0);

	memmove(p.b + L3 + 20, f->b + L3 + 20 + from, end - from);
	p.len = L3 + 20 + end - from;
	p.b[L3 + 2] = (p.len - L3) >> 8;
	p.b[L3 + 3] = p.len - L3;
	p.b[L3 + 6] = field >> 8;
	p.b[L3 + 7] = field;
	frame_checksum(&p);
	return dp_tagged(&p, ID);
}

static void fragments_from_a_vlan(void)
{
	struct frame in = frame_udp(TUNNEL_LAN, FAR4, HOST4, 1000), f, first, second;
	struct frame want = frame_forwarded(&in, TUNNEL_LAN, TUNNEL_LAN_STATION);

	open_tunnel();
	open_sa(&kinds[0], SA_IN);
	f = tunnel_seal(&t, 1, &in, 0);
	first = piece(&f, 0, 600);
	second = piece(&f, 600, 2000);
	dp_send(TUNNEL_WAN, &second);
	dp_send(TUNNEL_WAN, &first);
	dp_run();
	CU_ASSERT(dp_out(TUNNEL_LAN, &want));
	CU_ASSERT(dp_none_dropped());
	/* Not ESP: whole, to the VLAN's twin, without the tag. */
	f = frame_udp(TUNNEL_WAN, TUNNEL_PEER4, TUNNEL_LOCAL4, 1000);
	first = piece(&f, 0, 600);
	second = piece(&f, 600, 2000);
	dp_send(TUNNEL_WAN, &first);
	dp_send(TUNNEL_WAN, &second);
	dp_run();
	CU_ASSERT(dp_punted(vlan, &f));
	CU_ASSERT(dp_none_dropped());
	tunnel_stop(&t);
}

#define MANY 12

/* A burst of more SAs than are believed to be in the cache: most of it tagged. */
static void many_sas(void)
{
	struct frame in = frame_udp(TUNNEL_LAN, FAR4, HOST4, 40), f;
	struct frame want = frame_forwarded(&in, TUNNEL_LAN, TUNNEL_LAN_STATION);
	struct tunnel many[MANY] = {0};
	static const uint8_t key[20] = {5};
	const char *why = "";

	open_tunnel();
	for (unsigned i = 0; i < MANY; i++) {
		struct sa_params p = tunnel_params(SA_IN, IP_V4);

		p.spi += i;
		p.cipher = CIPHER_AES_GCM_16;
		p.enc_key = key;
		p.enc_key_len = sizeof(key);
		many[i].vti = t.vti;
		CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(&many[i], &p, &why));
		f = tunnel_seal(&many[i], 1, &in, 0);
		if (i % 4 != 3)
			f = dp_tagged(&f, ID);
		dp_send(TUNNEL_WAN, &f);
	}
	dp_run();
	for (unsigned i = 0; i < MANY; i++)
		CU_ASSERT(dp_out(TUNNEL_LAN, &want));
	CU_ASSERT(dp_none_dropped());
	CU_ASSERT_EQUAL(dp_stats(vlan).rx_packets, MANY - MANY / 4);
	for (unsigned i = 0; i < MANY; i++) {
		spi_remove(many[i].in);
		sa_destroy(many[i].in);
	}
	tunnel_stop(&t);
}

DP_MAIN("vlan_esp", 1, DP_TEST(encrypted_on_a_vlan), DP_TEST(decrypted_from_a_vlan),
	DP_TEST(outer_fragments_are_tagged), DP_TEST(fragments_from_a_vlan), DP_TEST(many_sas))
