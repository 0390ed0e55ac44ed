/* SPDX-License-Identifier: BSD-3-Clause */
/* The outer header of tunnel mode: IP and, for NAT traversal, UDP. */
#include "dataplane/esp_header.h"
#include "dataplane/esp.h"

#include <rte_ip.h>
#include <rte_udp.h>

#include <netinet/in.h>

static void template_ip4(struct sa *sa)
{
	struct rte_ipv4_hdr *ip = (void *)sa->hdr;

	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->next_proto_id = sa->flags & SA_UDP_ENCAP ? IPPROTO_UDP : IPPROTO_ESP;
	ip->src_addr = sa->src.v4;
	ip->dst_addr = sa->dst.v4;
	ip->hdr_checksum = rte_raw_cksum(ip, sizeof(*ip));
	sa->hdr_len = sizeof(*ip);
}

static void template_ip6(struct sa *sa)
{
	struct rte_ipv6_hdr *ip = (void *)sa->hdr;

	ip->proto = sa->flags & SA_UDP_ENCAP ? IPPROTO_UDP : IPPROTO_ESP;
	memcpy(&ip->src_addr, sa->src.v6, 16);
	memcpy(&ip->dst_addr, sa->dst.v6, 16);
	sa->hdr_len = sizeof(*ip);
}

static void make_mould(struct sa *sa)
{
	const struct rte_ipv4_hdr *ip = (const void *)sa->hdr;
	struct esp_mould *k = &sa->mould;

	*k = (struct esp_mould){
		.spi = sa->spi,
		.spi_be = sa->spi_be,
		.hdr_len = sa->hdr_len,
		/* RFC 6040 normal mode copies the ECN field on the way in. */
		.tos_mask = (sa->flags & SA_NO_COPY_DSCP ? 0 : (uint8_t)~ECN_MASK) |
			(sa->flags & SA_NO_ECN ? 0 : ECN_MASK),
		.ttl = ESP_OUTER_TTL,
		.label = OUTER_LABEL_HASH,
		.four = sa->family == IP_V4,
		.udp = sa->flags & SA_UDP_ENCAP,
		.set_df = sa->flags & SA_SET_DF,
		.copy_df = sa->flags & SA_COPY_DF,
	};
	if (k->udp)
		memcpy(&k->ports, sa->hdr + sa->hdr_len - 16, sizeof(k->ports));
	if (!k->four)
		return;
	memcpy(k->ip4, sa->hdr, sizeof(k->ip4));
	k->ip4_dst = ip->dst_addr;
	/* The template holds the sum of all that is the same in each packet. */
	k->ip4_sum = ip->hdr_checksum;
	k->ip4[1] &= ~((uint64_t)UINT16_MAX << 16);
}

void esp_build_template(struct sa *sa)
{
	struct rte_udp_hdr *udp;
	struct esp_hdr *esp;

	memset(sa->hdr, 0, sizeof(sa->hdr));
	if (sa->family == IP_V4)
		template_ip4(sa);
	else
		template_ip6(sa);
	if (sa->flags & SA_UDP_ENCAP) {
		udp = (void *)(sa->hdr + sa->hdr_len);
		udp->src_port = htons(sa->sport);
		udp->dst_port = htons(sa->dport);
		sa->hdr_len += sizeof(*udp);
	}
	esp = (void *)(sa->hdr + sa->hdr_len);
	esp->spi = sa->spi_be;
	sa->hdr_len += sizeof(*esp);
	static_assert(SA_HDR_MAX <= sizeof(sa->hdr), "the longest header fits");
	if (sa->dir == SA_OUT)
		make_mould(sa);
}

struct esp_outer esp_vary(struct esp_outer o, const struct outer_rules *r, const struct pkt *p)
{
	if (r->map)
		o.tos |= r->dscp[esp_inner_tos(p->l3, p->family) >> 2];
	if (r->ttl == 0)
		o.ttl = p->l3[p->family == IP_V4 ? offsetof(struct rte_ipv4_hdr, time_to_live)
						 : offsetof(struct rte_ipv6_hdr, hop_limits)];
	return o;
}

struct esp_outer esp_outer_for(const struct sa *sa, const struct pkt *p)
{
	const struct outer_rules *rules = esp_rules(sa);
	struct esp_mould k = sa->mould;

	if (rules != NULL)
		esp_mould_ruled(&k, rules);
	return esp_outer_of(&k, rules, p);
}

uint8_t *esp_outer_header(
	const struct sa *sa, uint8_t *esp, uint32_t esp_len, const struct esp_outer *o)
{
	uint32_t seq = ((const struct esp_hdr *)esp)->seq;
	uint8_t *outer = esp_put_header(&sa->mould, sa->hdr, esp, esp_len, o, ntohl(seq));

	esp_udp6_checksum(sa, outer);
	return outer;
}

void esp_udp6_checksum(const struct sa *sa, uint8_t *outer)
{
	struct rte_ipv6_hdr *ip = (void *)outer;
	struct rte_udp_hdr *udp = (void *)(ip + 1);

	if (sa->family != IP_V6 || !(sa->flags & SA_UDP_ENCAP))
		return;
	udp->dgram_cksum = 0;
	udp->dgram_cksum = rte_ipv6_udptcp_cksum(ip, udp);
}
