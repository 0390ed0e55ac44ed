/* SPDX-License-Identifier: BSD-3-Clause */
/* ESP inside UDP (RFC 3948) over both families: checksums and ports as they are sent and as they are taken,
 * keepalives and IKE beside it, fragments, outer headers with options. */
#include "esp_fixture.h"

#include "dataplane/esp.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <netinet/in.h>

#define FAR4  "10.2.3.4"
#define HOST4 "10.1.2.3"

static struct tunnel t;
static const enum ip_family families[] = {IP_V4, IP_V6};

static struct frame inner4(void)
{
	return frame_udp(TUNNEL_WAN, FAR4, HOST4, 30);
}

static struct rte_udp_hdr *udp_of(struct frame *f)
{
	return (struct rte_udp_hdr *)(f->b + L3 + (f->b[L3] >> 4 == 4 ? 20 : 40));
}

/* Of our own to the peer's port, whatever that is. */
static void open_out(enum ip_family family, uint16_t dport, uint64_t first_seq)
{
	static const uint8_t key[32] = {1, 2, 3, 4};
	struct sa_params p = tunnel_params(SA_OUT, family);
	const char *why = "";

	p.cipher = CIPHER_NULL;
	p.auth = AUTH_HMAC_SHA2_256_128;
	p.auth_key = key;
	p.auth_key_len = sizeof(key);
	p.flags = SA_UDP_ENCAP;
	p.sport = NATT_PORT;
	p.dport = dport;
	p.first_seq = first_seq;
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(&t, &p, &why));
}

static struct frame sent(void)
{
	struct frame in = frame_udp(TUNNEL_LAN, HOST4, FAR4, 5), f = {0};

	dp_send(TUNNEL_LAN, &in);
	dp_run();
	CU_ASSERT_FATAL(dp_out_any(TUNNEL_WAN, &f));
	return f;
}

/* RFC 3948 2.1: zero over IPv4. IPv6 wants a real one (RFC 8200 8.1). */
static void ports_and_checksum_as_sent(void)
{
	static const uint16_t ports[] = {4500, 1, 500, 1024, 20000, 65535};

	tunnel_start(&t);
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned k = 0; k < RTE_DIM(ports); k++) {
			struct rte_udp_hdr *udp;
			struct frame f;
			uint16_t sum;

			open_out(families[i], ports[k], 1);
			f = sent();
			udp = udp_of(&f);
			CU_ASSERT_EQUAL(rte_be_to_cpu_16(udp->src_port), NATT_PORT);
			CU_ASSERT_EQUAL(rte_be_to_cpu_16(udp->dst_port), ports[k]);
			CU_ASSERT_EQUAL(
				rte_be_to_cpu_16(udp->dgram_len), f.b + f.len - (uint8_t *)udp);
			sum = udp->dgram_cksum;
			udp->dgram_cksum = 0;
			CU_ASSERT_EQUAL(sum,
				i == 0 ? 0
				       : rte_ipv6_udptcp_cksum(
						 (struct rte_ipv6_hdr *)(f.b + L3), udp));
		}
	}
	tunnel_stop(&t);
}

/* A sum that comes to 0 is sent as 0xffff: over IPv6 0 would be none. Of 65536 packets it is one. */
static void ip6_checksum_is_never_zero(void)
{
	unsigned zero = 0, turned = 0;

	tunnel_start(&t);
	open_out(IP_V6, NATT_PORT, 1);
	for (unsigned n = 0; n < 400000 && turned == 0; n++) {
		struct frame f = sent();

		zero += udp_of(&f)->dgram_cksum == 0;
		turned += udp_of(&f)->dgram_cksum == 0xffff;
	}
	CU_ASSERT_EQUAL(zero, 0);
	CU_ASSERT_EQUAL(turned, 1);
	tunnel_stop(&t);
}

/* The ICV says more than any checksum, and NATs get it wrong: none is looked at. */
static void any_checksum_is_taken(void)
{
	static const uint16_t sums[] = {0, 1, 0x1234, 0xffff};
	struct frame inner = inner4(), f;
	uint64_t seq = 1;

	tunnel_start(&t);
	for (unsigned i = 0; i < 2; i++) {
		tunnel_plain_sa(&t, SA_IN, families[i], SA_UDP_ENCAP);
		for (unsigned k = 0; k < RTE_DIM(sums); k++) {
			f = tunnel_seal(&t, seq++, &inner, 0);
			udp_of(&f)->dgram_cksum = sums[k];
			tunnel_passes(&f, &inner);
		}
	}
	tunnel_stop(&t);
}

/* A NAT chooses the port that its packets come from. The first ones of another are told to control. */
static void any_port_of_the_peer_is_taken(void)
{
	static const uint16_t ports[] = {1, 500, 4499, 4501, 65535};
	struct frame inner = inner4(), f;

	tunnel_start(&t);
	for (unsigned i = 0; i < 2; i++) {
		tunnel_plain_sa(&t, SA_IN, families[i], SA_UDP_ENCAP);
		for (unsigned k = 0; k < RTE_DIM(ports); k++) {
			f = tunnel_seal(&t, k + 1, &inner, 0);
			udp_of(&f)->src_port = rte_cpu_to_be_16(ports[k]);
			tunnel_passes(&f, &inner);
		}
		rte_pktmbuf_free(dp_host(0));
		/* To another port of ours it is no ESP: the kernel has whoever listens there. */
		f = tunnel_seal(&t, 100, &inner, 0);
		udp_of(&f)->dst_port = RTE_BE16(NATT_PORT + 1);
		tunnel_receive(&f);
		CU_ASSERT(dp_punted(dp.port[TUNNEL_WAN].iface, &f));
		CU_ASSERT_EQUAL(t.in->replay.top, RTE_DIM(ports));
	}
	tunnel_stop(&t);
}

/* UDP to port 4500 from the tunnel's peer. */
static struct frame natt(enum ip_family family, const void *payload, unsigned len)
{
	uint8_t l4[200] = {NATT_PORT >> 8, NATT_PORT & 0xff, NATT_PORT >> 8, NATT_PORT & 0xff,
		(8 + len) >> 8, 8 + len};

	memcpy(l4 + 8, payload, len);
	return frame_ip(TUNNEL_WAN, family == IP_V6 ? TUNNEL_PEER6 : TUNNEL_PEER4,
		family == IP_V6 ? TUNNEL_LOCAL6 : TUNNEL_LOCAL4, IPPROTO_UDP, l4, 8 + len);
}

/* What isn't ESP says nothing about an SA: it's no use of it, no error of it, and no new address. */
static void keepalives_and_ike_are_not_the_sas(void)
{
	static const uint8_t ike[60] = {0, 0, 0, 0, 1, 2, 3, 4};
	struct frame f;

	tunnel_start(&t);
	for (unsigned i = 0; i < 2; i++) {
		tunnel_plain_sa(&t, SA_IN, families[i], SA_UDP_ENCAP);
		f = natt(families[i], "\xff", 1);
		udp_of(&f)->src_port = RTE_BE16(20000);
		tunnel_drops(&f, DROP_NATT_KEEPALIVE);
		f = natt(families[i], ike, sizeof(ike));
		tunnel_receive(&f);
		CU_ASSERT(dp_punted(dp.port[TUNNEL_WAN].iface, &f));
		udp_of(&f)->dst_port = RTE_BE16(500);
		tunnel_receive(&f);
		CU_ASSERT(dp_punted(dp.port[TUNNEL_WAN].iface, &f));
		for (unsigned len = 0; len < 8; len++) {
			f = natt(families[i], "\0\0\x27\x10\0\0\0", len);
			tunnel_drops(&f, len < 4 ? DROP_NATT_SHORT : DROP_ESP_SHORT);
		}
		CU_ASSERT_EQUAL(sa_stats_sum(t.in).last_use, 0);
		CU_ASSERT_EQUAL(sa_stats_sum(t.in).errors, 0);
		CU_ASSERT_PTR_NULL(dp_host(0));
	}
	tunnel_stop(&t);
}

/* Two IPv4 fragments of f, cut behind `first` bytes of payload. */
static void send_fragments(const struct frame *f, unsigned first, bool back_to_front)
{
	struct frame a = *f, b = *f;
	unsigned rest = f->len - L3 - 20 - first;

	a.len = L3 + 20 + first;
	a.b[L3 + 2] = 0;
	a.b[L3 + 3] = 20 + first;
	a.b[L3 + 6] = 0x20;
	frame_checksum(&a);
	b.len = L3 + 20 + rest;
	b.b[L3 + 2] = 0;
	b.b[L3 + 3] = 20 + rest;
	b.b[L3 + 7] = first / 8;
	memcpy(b.b + L3 + 20, f->b + L3 + 20 + first, rest);
	frame_checksum(&b);
	dp_send(TUNNEL_WAN, back_to_front ? &b : &a);
	dp_send(TUNNEL_WAN, back_to_front ? &a : &b);
	dp_run();
}

/* Only the first one has UDP's header; IKE's large packets come like this, too. */
static void fragments_are_put_together_first(void)
{
	static const uint8_t ike[150] = {0, 0, 0, 0, 1, 2, 3, 4};
	struct frame inner = inner4(), want, f;

	tunnel_start(&t);
	tunnel_plain_sa(&t, SA_IN, IP_V4, SA_UDP_ENCAP);
	want = frame_forwarded(&inner, TUNNEL_LAN, TUNNEL_LAN_STATION);
	for (unsigned i = 0; i < 8; i++) {
		f = tunnel_seal(&t, i + 1, &inner, 0);
		f.b[L3 + 5] = i; /* another packet's fragments */
		send_fragments(&f, 48 + i / 2 * 8, i % 2);
		CU_ASSERT(dp_out(TUNNEL_LAN, &want));
	}
	f = natt(IP_V4, ike, sizeof(ike));
	send_fragments(&f, 80, true);
	CU_ASSERT(dp_punted(dp.port[TUNNEL_WAN].iface, &f));
	CU_ASSERT(dp_none_dropped());
	tunnel_stop(&t);
}

/* ESP, alone or in UDP, behind an IPv4 header with options or an IPv6 one with an extension. */
static void outer_header_with_options(void)
{
	static const uint8_t nops[4] = {1, 1, 1, 1};
	/* Destination options: next header, no more, a PadN of 6. */
	uint8_t extension[8] = {0, 0, 1, 4};
	struct frame inner = inner4(), f;

	tunnel_start(&t);
	for (unsigned udp = 0; udp < 2; udp++) {
		tunnel_plain_sa(&t, SA_IN, IP_V4, udp ? SA_UDP_ENCAP : 0);
		f = tunnel_seal(&t, 1, &inner, 0);
		f.b[L3]++;
		frame_insert(&f, L3 + 20, nops, sizeof(nops));
		frame_checksum(&f);
		tunnel_passes(&f, &inner);
		tunnel_plain_sa(&t, SA_IN, IP_V6, udp ? SA_UDP_ENCAP : 0);
		f = tunnel_seal(&t, 1, &inner, 0);
		extension[0] = f.b[L3 + 6];
		f.b[L3 + 6] = 60;
		frame_insert(&f, L3 + 40, extension, sizeof(extension));
		tunnel_passes(&f, &inner);
	}
	tunnel_stop(&t);
}

DP_MAIN("natt", 1, DP_TEST(ports_and_checksum_as_sent), DP_TEST(ip6_checksum_is_never_zero),
	DP_TEST(any_checksum_is_taken), DP_TEST(any_port_of_the_peer_is_taken),
	DP_TEST(keepalives_and_ike_are_not_the_sas), DP_TEST(fragments_are_put_together_first),
	DP_TEST(outer_header_with_options))
