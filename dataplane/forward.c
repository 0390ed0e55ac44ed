/* SPDX-License-Identifier: BSD-3-Clause */
/* The forward stage: longest-prefix match, next hop, TTL, and where each packet goes from there. */
#include "dataplane/esp.h"
#include "dataplane/fib.h"
#include "dataplane/nexthop.h"
#include "dataplane/worker.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_prefetch.h>

/* Destinations looked up in one go: enough for the FIB's vector code, little enough for the L1 cache. */
#define LOOKUP_BATCH 64

/* Stands for ids that lead nowhere (any more). */
static const struct nexthop no_route = {.type = NH_NO_ROUTE};

static const uint8_t *dst_addr(const struct pkt *p)
{
	return p->l3 +
		(p->family == IP_V4 ? offsetof(struct rte_ipv4_hdr, dst_addr)
				    : offsetof(struct rte_ipv6_hdr, dst_addr));
}

static uint8_t vrf_of(const struct pkt *p)
{
	return p->in != NULL ? p->in->vrf : 0;
}

/* Packets at the front of p that share a VRF. */
static unsigned vrf_run(const struct pkt *p, unsigned n)
{
	uint8_t vrf = vrf_of(p);
	unsigned i = 1;

	while (i < n && vrf_of(p + i) == vrf)
		i++;
	return i;
}

static void set_nexthop(struct pkt *p, uint32_t id)
{
	const struct nexthop *nh = nexthop_by_id(id);

	p->nh = likely(nh != NULL) ? nh : &no_route;
	rte_prefetch0(p->nh);
}

/* Set p[].nh for a run of at most LOOKUP_BATCH packets of one VRF. */
static void lookup_run(struct fib *fib, struct pkt *p, unsigned n)
{
	uint32_t dst4[LOOKUP_BATCH];
	uint8_t dst6[LOOKUP_BATCH][16];
	uint64_t nh4[LOOKUP_BATCH], nh6[LOOKUP_BATCH];
	unsigned n4 = 0, n6 = 0;

	for (unsigned i = 0; i < n; i++) {
		if (p[i].family == IP_V4) {
			memcpy(&dst4[n4], dst_addr(&p[i]), sizeof(dst4[0]));
			dst4[n4] = rte_be_to_cpu_32(dst4[n4]);
			n4++;
		} else {
			memcpy(dst6[n6++], dst_addr(&p[i]), sizeof(dst6[0]));
		}
	}
	if (n4 > 0)
		fib_lookup4_bulk(fib, dst4, nh4, n4);
	if (n6 > 0)
		fib_lookup6_bulk(fib, dst6, nh6, n6);
	n4 = 0;
	n6 = 0;
	for (unsigned i = 0; i < n; i++)
		set_nexthop(&p[i], p[i].family == IP_V4 ? nh4[n4++] : nh6[n6++]);
}

static unsigned lookup(struct pkt *p, unsigned n)
{
	struct fib *fib = fib_by_vrf(vrf_of(p));
	unsigned run = vrf_run(p, RTE_MIN(n, (unsigned)LOOKUP_BATCH));

	if (likely(fib != NULL)) {
		lookup_run(fib, p, run);
		return run;
	}
	for (unsigned i = 0; i < run; i++)
		p[i].nh = &no_route;
	return run;
}

/* RFC 1141: the checksum of a header whose TTL goes down by one rises by one in that byte. */
static void decrement_ttl4(struct rte_ipv4_hdr *ip)
{
	uint32_t sum = ip->hdr_checksum + (uint32_t)RTE_BE16(0x0100);

	ip->time_to_live--;
	ip->hdr_checksum = sum + (sum >= 0xffff);
}

/* Count the packet's TTL or hop limit down, once on its way through the router. False: used up. */
static bool take_hop(struct worker *w, struct pkt *p)
{
	uint8_t *ttl = p->l3 +
		(p->family == IP_V4 ? offsetof(struct rte_ipv4_hdr, time_to_live)
				    : offsetof(struct rte_ipv6_hdr, hop_limits));

	if (p->flags & (PKT_OWN | PKT_FORWARDED))
		return true;
	if (unlikely(*ttl <= 1)) {
		icmp_error(w, p, ERR_TTL, 0);
		worker_drop_in(w, p, DROP_TTL_EXCEEDED);
		return false;
	}
	if (p->family == IP_V4)
		decrement_ttl4((struct rte_ipv4_hdr *)p->l3);
	else
		(*ttl)--;
	return true;
}

/* Larger than the port's MTU: cut, or tell the sender (RFC 1191, RFC 8201). */
static void too_big(struct worker *w, struct pkt *p, uint16_t mtu)
{
	if (p->family == IP_V4 && !esp_inner_df(p->l3, IP_V4)) {
		fragment_ip4(w, p, mtu, &w->tx_out, stage_tx);
		return;
	}
	icmp_error(w, p, ERR_TOO_BIG, mtu);
	worker_drop_in(w, p, DROP_TOO_BIG);
}

static void to_port(struct worker *w, struct pkt *p)
{
	uint16_t mtu = iface_mtu(p->nh->iface);

	if (!take_hop(w, p))
		return;
	if (unlikely(p->len > mtu)) {
		too_big(w, p, mtu);
		return;
	}
	if (unlikely(VEC_ROOM(&w->tx_out) == 0))
		stage_tx(w);
	vec_push(&w->tx_out, p);
}

static void to_vti(struct worker *w, struct pkt *p)
{
	if (!take_hop(w, p))
		return;
	if (unlikely(VEC_ROOM(&w->vti_out) == 0))
		stage_vti_out(w);
	vec_push(&w->vti_out, p)->out = p->nh->iface;
}

/* Not yet resolved: the control thread holds the packet and asks the kernel. */
static void to_resolver(struct worker *w, struct pkt *p)
{
	struct iface *out = p->nh->iface;
	struct addr target = p->nh->gateway;

	if (!iface_has(out, IFACE_UP)) {
		worker_drop_out(w, p, out, DROP_TX_IFACE_DOWN);
		return;
	}
	if (!take_hop(w, p))
		return;
	p->flags |= PKT_FORWARDED;
	if (p->nh->type == NH_GLEAN)
		target = p->family == IP_V4 ? addr_v4(((struct rte_ipv4_hdr *)p->l3)->dst_addr)
					    : addr_v6(dst_addr(p));
	host_resolve(w, p, out, &target);
}

static void refuse(struct worker *w, struct pkt *p, enum drop_reason reason, enum icmp_error kind)
{
	icmp_error(w, p, kind, 0);
	worker_drop_in(w, p, reason);
}

/* Captures on a port see what passes through; what is punted the kernel shows by itself. */
static void mirror_in(struct worker *w, const struct pkt *p)
{
	if (likely(p->in == NULL || !iface_has(p->in, IFACE_MIRROR)))
		return;
	if (p->in->kind == IFACE_PORT && !(p->flags & PKT_OWN))
		host_mirror(w, p, p->in);
}

static void dispatch(struct worker *w, struct pkt *p)
{
	uint8_t type = p->nh->type;

	if (likely(type == NH_PORT)) {
		mirror_in(w, p);
		to_port(w, p);
		return;
	}
	switch ((enum nexthop_type)type) {
	case NH_VTI:
		mirror_in(w, p);
		to_vti(w, p);
		break;
	case NH_LOCAL:
		local_in(w, p);
		break;
	case NH_KERNEL:
		host_punt(w, p);
		break;
	case NH_GLEAN:
	case NH_PENDING:
		to_resolver(w, p);
		break;
	case NH_BLACKHOLE:
		worker_drop_in(w, p, DROP_BLACKHOLE);
		break;
	case NH_PROHIBIT:
		refuse(w, p, DROP_PROHIBIT, ERR_PROHIBITED);
		break;
	case NH_UNREACHABLE:
		refuse(w, p, DROP_UNREACHABLE, ERR_HOST_UNREACH);
		break;
	case NH_NO_ROUTE:
	default:
		refuse(w, p, DROP_NO_ROUTE, ERR_NO_ROUTE);
		break;
	}
}

void stage_forward(struct worker *w)
{
	struct vec *v = &w->fwd;

	for (unsigned done = 0; done < v->n;) {
		unsigned end = done + lookup(v->p + done, v->n - done);

		for (; done < end; done++)
			dispatch(w, &v->p[done]);
	}
	v->n = 0;
}
