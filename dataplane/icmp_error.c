/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP errors of the router's own: RFC 792, RFC 1812 4.3, RFC 4443.
 *
 * An error is routed like any packet, in the VRF of the interface where its cause came in: its `in`
 * is that interface and PKT_OWN says that the router made it. What came through a tunnel is so
 * answered by whatever way the routing table has for its sender. The quoted packet is as it was
 * when the error was found: its TTL may have been decremented (RFC 1812 4.3.2.3 allows that).
 *
 * Packets of the kernel's own (PKT_OWN) get no error: their sender reads the interface's MTU and
 * the routing table itself. */
#include "dataplane/worker.h"

#include <rte_cycles.h>
#include <rte_icmp.h>
#include <rte_ip.h>

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#define ICMP_TTL      64
#define ICMP_TOS      0xc0 /* internetwork control, RFC 1812 4.3.2.5 */
#define ICMP4_MAX     576  /* bytes of the whole error, RFC 1812 4.3.2.3 */
#define ICMP6_MAX     1280 /* RFC 4443 2.4 (c) */
#define ICMP6_PTB_MIN 1280 /* less than that no IPv6 sender obeys, RFC 8200 5 */

/* Errors per second and worker: of all, and to one host. The second is what keeps a host that floods
 * from taking others their errors, above all Packet Too Big. */
#define ALL_RATE     1000
#define ALL_BURST    100
#define TARGET_RATE  100
#define TARGET_BURST 20

/* Both families' error header: type, code, checksum, then 4 bytes that only too-big fills. */
struct icmp_hdr {
	uint8_t type, code;
	uint16_t checksum;
	uint32_t rest;
};

struct icmp_kind {
	uint8_t type4, code4, type6, code6;
};

static const struct icmp_kind kinds[] = {
	[ERR_TTL] = {ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, ICMP6_TIME_EXCEEDED,
		ICMP6_TIME_EXCEED_TRANSIT},
	[ERR_TOO_BIG] = {ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, ICMP6_PACKET_TOO_BIG, 0},
	[ERR_NO_ROUTE] = {ICMP_DEST_UNREACH, ICMP_NET_UNREACH, ICMP6_DST_UNREACH,
		ICMP6_DST_UNREACH_NOROUTE},
	[ERR_HOST_UNREACH] = {ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, ICMP6_DST_UNREACH,
		ICMP6_DST_UNREACH_ADDR},
	[ERR_PROHIBITED] = {ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, ICMP6_DST_UNREACH,
		ICMP6_DST_UNREACH_ADMIN},
};

/* Addresses that don't name one host: 0/8, 127/8, multicast, class E and broadcast. */
static bool ip4_unicast(uint32_t be)
{
	uint8_t first = ((const uint8_t *)&be)[0];

	return first != 0 && first != 127 && first < 224;
}

/* Unspecified, loopback, multicast. Link-local is beyond the reach of a routed answer. */
static bool ip6_unicast(const uint8_t *a)
{
	static const uint8_t zero[15];

	if (a[0] == 0xff || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80))
		return false;
	return memcmp(a, zero, 15) != 0 || a[15] > 1;
}

/* ICMP's own errors, and redirects, are never answered by another error. */
static bool is_icmp_error(const struct pkt *p)
{
	uint8_t type = p->l3[p->l4_off];

	if (p->family == IP_V4)
		return type == ICMP_DEST_UNREACH || type == ICMP_SOURCE_QUENCH ||
			type == ICMP_REDIRECT || type == ICMP_TIME_EXCEEDED ||
			type == ICMP_PARAMETERPROB;
	return type < ICMP6_ECHO_REQUEST || type == ND_REDIRECT;
}

/* RFC 1812 4.3.2.7 and RFC 4443 2.4 (e). */
static bool may_answer(const struct pkt *p)
{
	const struct rte_ipv4_hdr *ip4 = (const struct rte_ipv4_hdr *)p->l3;
	const struct rte_ipv6_hdr *ip6 = (const struct rte_ipv6_hdr *)p->l3;

	if (p->in == NULL || (p->flags & (PKT_OWN | PKT_MULTICAST | PKT_LATER_FRAGMENT)))
		return false;
	if (p->proto == (p->family == IP_V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6) &&
		(p->l4_off >= p->len || is_icmp_error(p)))
		return false;
	if (p->family == IP_V4)
		return ip4_unicast(ip4->src_addr) && ip4_unicast(ip4->dst_addr);
	/* From DPDK 24.11 on the addresses are structures of the same bytes. */
	return ip6_unicast((const uint8_t *)&ip6->src_addr) &&
		ip6_unicast((const uint8_t *)&ip6->dst_addr);
}

/* A token bucket that holds cycles: an error costs the cycles between two of them. False: too few. */
static bool refill(struct icmp_bucket *b, uint64_t now, uint64_t cost, unsigned burst)
{
	b->tokens = RTE_MIN(b->tokens + (now - b->refill), cost * burst);
	b->refill = now;
	return b->tokens >= cost;
}

/* Whoever has an IPv6 address can send from all of its /64. */
static struct icmp_bucket *target_bucket(struct worker *w, const struct pkt *about)
{
	uint64_t key = 0;

	if (about->family == IP_V4)
		memcpy(&key, about->l3 + offsetof(struct rte_ipv4_hdr, src_addr), 4);
	else
		memcpy(&key, about->l3 + offsetof(struct rte_ipv6_hdr, src_addr), 8);
	key *= 0x9e3779b97f4a7c15; /* 2^64 by the golden ratio: the upper bits depend on all */
	return &w->icmp_to[key >> (64 - ICMP_TARGET_BITS)];
}

static bool take_token(struct worker *w, const struct pkt *about)
{
	struct icmp_bucket *target = target_bucket(w, about);
	const uint64_t hz = rte_get_tsc_hz();

	if (!refill(target, w->now, hz / TARGET_RATE, TARGET_BURST) ||
		!refill(&w->icmp_all, w->now, hz / ALL_RATE, ALL_BURST))
		return false;
	target->tokens -= hz / TARGET_RATE;
	w->icmp_all.tokens -= hz / ALL_RATE;
	return true;
}

static void fill4(const struct pkt *p, const struct pkt *about, const struct addr *src,
	enum icmp_error kind, uint16_t mtu)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)p->l3;
	struct icmp_hdr *icmp = (struct icmp_hdr *)(ip + 1);

	*ip = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.type_of_service = ICMP_TOS,
		.total_length = rte_cpu_to_be_16(p->len),
		.time_to_live = ICMP_TTL,
		.next_proto_id = IPPROTO_ICMP,
		.src_addr = src->v4,
		.dst_addr = ((const struct rte_ipv4_hdr *)about->l3)->src_addr,
	};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*icmp = (struct icmp_hdr){.type = kinds[kind].type4, .code = kinds[kind].code4};
	if (kind == ERR_TOO_BIG)
		icmp->rest = rte_cpu_to_be_32(mtu); /* RFC 1191 4: the lower half */
	memcpy(icmp + 1, about->l3, p->len - sizeof(*ip) - sizeof(*icmp));
	icmp->checksum = ~rte_raw_cksum(icmp, p->len - sizeof(*ip));
}

static void fill6(const struct pkt *p, const struct pkt *about, const struct addr *src,
	enum icmp_error kind, uint16_t mtu)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)p->l3;
	struct icmp_hdr *icmp = (struct icmp_hdr *)(ip + 1);

	ip->vtc_flow = rte_cpu_to_be_32(6u << 28 | ICMP_TOS << 20);
	ip->payload_len = rte_cpu_to_be_16(p->len - sizeof(*ip));
	ip->proto = IPPROTO_ICMPV6;
	ip->hop_limits = ICMP_TTL;
	memcpy(&ip->src_addr, src->v6, 16);
	memcpy(&ip->dst_addr, &((const struct rte_ipv6_hdr *)about->l3)->src_addr, 16);
	*icmp = (struct icmp_hdr){.type = kinds[kind].type6, .code = kinds[kind].code6};
	if (kind == ERR_TOO_BIG)
		icmp->rest = rte_cpu_to_be_32(RTE_MAX(mtu, ICMP6_PTB_MIN));
	memcpy(icmp + 1, about->l3, p->len - sizeof(*ip) - sizeof(*icmp));
	icmp->checksum = rte_ipv6_udptcp_cksum(ip, icmp);
}

/* The address to answer from: one of the interface that the packet came in by. */
static bool source(const struct pkt *about, struct addr *src)
{
	const struct addr *six;

	if (about->family == IP_V4) {
		*src = addr_v4(atomic_load_explicit(&about->in->ip4, memory_order_relaxed));
		return src->v4 != 0;
	}
	six = atomic_load_explicit(&about->in->ip6, memory_order_acquire);
	if (six == NULL)
		return false;
	*src = *six;
	return src->family == IP_V6;
}

static void fill(struct pkt *p, const struct pkt *about, const struct addr *src,
	enum icmp_error kind, uint16_t mtu)
{
	uint16_t l3_len =
		about->family == IP_V4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr);
	uint16_t max = about->family == IP_V4 ? ICMP4_MAX : ICMP6_MAX;

	p->in = about->in;
	p->family = about->family;
	p->proto = about->family == IP_V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	p->flags = PKT_OWN;
	p->l4_off = l3_len;
	p->len = RTE_MIN(l3_len + sizeof(struct icmp_hdr) + about->len, max);
	p->l3 = (uint8_t *)rte_pktmbuf_append(p->m, p->len);
	if (p->family == IP_V4)
		fill4(p, about, src, kind, mtu);
	else
		fill6(p, about, src, kind, mtu);
}

void icmp_error(struct worker *w, const struct pkt *about, enum icmp_error kind, uint16_t mtu)
{
	struct pkt p = {0};
	struct addr src;

	if (!may_answer(about) || !source(about, &src) || VEC_ROOM(&w->icmp) == 0 ||
		!take_token(w, about)) {
		w->stats.drops[DROP_ICMP_SUPPRESSED]++;
		return;
	}
	p.m = rte_pktmbuf_alloc(w->pool);
	if (p.m == NULL) {
		w->stats.drops[DROP_ICMP_SUPPRESSED]++;
		return;
	}
	fill(&p, about, &src, kind, mtu);
	vec_push(&w->icmp, &p);
	w->stats.icmp_sent++;
}
