/* SPDX-License-Identifier: BSD-3-Clause */
#include "far_end.h"

#include "dataplane/esp.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#define ICV 16 /* HMAC-SHA2-256-128 */

static void make_sa(struct tunnel *t, enum sa_dir dir, enum ip_family family)
{
	static const uint8_t key[32] = {1, 2, 3};
	struct sa_params p = tunnel_params(dir, family);
	const char *why = "";

	p.spi = 0x10001;
	p.cipher = CIPHER_NULL;
	p.auth = AUTH_HMAC_SHA2_256_128;
	p.auth_key = key;
	p.auth_key_len = sizeof(key);
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(t, &p, &why));
}

void far_end_open(struct tunnel *t, enum ip_family family, uint16_t mtu)
{
	struct addr *ip6 = calloc(1, sizeof(*ip6)); /* the interface frees it */
	struct in_addr ip4;

	CU_ASSERT_PTR_NOT_NULL_FATAL(ip6);
	tunnel_start(t);
	make_sa(t, SA_OUT, family);
	make_sa(t, SA_IN, family);
	inet_pton(AF_INET, VTI_IP4, &ip4);
	ip6->family = IP_V6;
	inet_pton(AF_INET6, VTI_IP6, ip6->v6);
	atomic_store(&t->vti->ip4, ip4.s_addr);
	atomic_store(&t->vti->ip6, ip6);
	atomic_store(&t->vti->mtu, mtu);
}

static unsigned outer_len(const struct frame *f)
{
	return f->b[L3] >> 4 == 4 ? 20 : 40;
}

bool far_end_got(struct frame *inner)
{
	struct frame f;
	unsigned off, pad;

	memset(inner, 0, sizeof(*inner));
	if (!dp_out_any(TUNNEL_WAN, &f)) {
		fprintf(stderr, "nothing came through the tunnel\n");
		return false;
	}
	off = L3 + outer_len(&f);
	if (f.len != L3 + frame_ip_len(&f) || f.len < off + sizeof(struct esp_hdr) + 2 + ICV) {
		fprintf(stderr, "not an ESP frame\n");
		return false;
	}
	off += sizeof(struct esp_hdr);
	pad = f.b[f.len - ICV - 2];
	inner->len = L3 + f.len - off - ICV - 2 - pad;
	memcpy(inner->b + L3, f.b + off, inner->len - L3);
	return true;
}

void far_end_turn(struct frame *esp)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)esp->b;
	unsigned size = esp->b[L3] >> 4 == 4 ? 4 : 16, at = L3 + (size == 4 ? 12 : 8);
	uint8_t swap[16];

	eth->dst_addr = mac_of_port(TUNNEL_WAN);
	eth->src_addr = mac_of_station(TUNNEL_WAN_STATION);
	memcpy(swap, esp->b + at, size);
	memcpy(esp->b + at, esp->b + at + size, size);
	memcpy(esp->b + at + size, swap, size);
	if (size == 4)
		frame_checksum(esp);
}
