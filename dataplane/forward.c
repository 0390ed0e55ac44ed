/* SPDX-License-Identifier: BSD-3-Clause */
/* The forward stage: longest-prefix match, next hop, TTL, and where each packet goes from there. */
#include "dataplane/esp.h"
#include "dataplane/fib.h"
#include "dataplane/lookup.h"
#include "dataplane/nexthop.h"
#include "dataplane/own_src.h"
#include "dataplane/rpf.h"
#include "dataplane/worker.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_prefetch.h>

/* Of these what comes behind the lookup is fetched at once: few enough to be still in the L1 cache. */
#define FETCH_BATCH 32u

/* Stands for ids that lead nowhere (any more). */
static const struct nexthop no_route = {.type = NH_NO_ROUTE};

static uint8_t vrf_of(const struct pkt *p)
{
	return p->in != NULL ? p->in->vrf : 0;
}

/* Packets at the front of p that share a VRF and a reverse path check. */
static unsigned vrf_run(const struct pkt *p, unsigned n)
{
	unsigned i = 1;

	while (i < n &&
		(p[i].in == p->in ||
			(vrf_of(p + i) == vrf_of(p) && rpf_mode(p + i) == rpf_mode(p))))
		i++;
	return i;
}

static const struct nexthop *nexthop_of(uint64_t id)
{
	const struct nexthop *nh = nexthop_by_id(id);

	return likely(nh != NULL) ? nh : &no_route;
}

/* Destinations to be looked up. Returns whether a source has to be looked at (own_src_hint()). */
static inline bool gather(struct lookup *l, const struct pkt *p, unsigned n)
{
	uint32_t hint = 0;

	l->n4 = l->n6 = 0;
	for (unsigned i = 0; i < n; i++) {
		lookup_add(l, p[i].family, pkt_dst(&p[i]));
		hint |= own_src_hint(p[i].family, pkt_src(&p[i]));
	}
	return hint & 1;
}

/* Look up at most LOOKUP_BATCH packets of one VRF: next hops' ids in the packets' order. What may not
 * have the source it has is dropped; returns how many are left. */
static unsigned lookup(struct worker *w, struct fib *fib, struct pkt *p, unsigned n, uint64_t *id)
{
	struct lookup l;

	if (unlikely(gather(&l, p, n))) {
		n = own_src_drop(w, fib, p, n);
		gather(&l, p, n);
	}
	if (unlikely(n > 0 && rpf_mode(p) != IFACE_RPF_OFF)) {
		n = rpf_check(w, fib, p, n);
		gather(&l, p, n);
	}
	lookup_run(fib, &l, p, n, id);
	return n;
}

/* RFC 1141: the checksum of a header whose TTL goes down by one rises by one in that byte. The two
 * stand in one word. False: used up. */
static inline bool take_hop4(uint8_t *l3)
{
	uint32_t word, sum;

	memcpy(&word, l3 + offsetof(struct rte_ipv4_hdr, time_to_live), sizeof(word));
	if (unlikely((word & 0xff) <= 1))
		return false;
	sum = (word >> 16) + RTE_BE16(0x0100);
	sum += sum >= 0xffff;
	word = ((word - 1) & 0xffff) | sum << 16;
	memcpy(l3 + offsetof(struct rte_ipv4_hdr, time_to_live), &word, sizeof(word));
	return true;
}

static inline bool take_hop6(uint8_t *l3)
{
	uint8_t *hops = l3 + offsetof(struct rte_ipv6_hdr, hop_limits);

	if (unlikely(*hops <= 1))
		return false;
	(*hops)--;
	return true;
}

/* Count the packet's TTL or hop limit down, once on its way through the router. False: used up. */
static inline bool take_hop(struct worker *w, struct pkt *p)
{
	if (unlikely(p->flags & (PKT_OWN | PKT_FORWARDED)))
		return true;
	if (likely(p->family == IP_V4 ? take_hop4(p->l3) : take_hop6(p->l3)))
		return true;
	icmp_error(w, p, ERR_TTL, 0);
	worker_drop_in(w, p, DROP_TTL_EXCEEDED);
	return false;
}

/* Larger than the port's MTU: cut, or tell the sender (RFC 1191, RFC 8201). */
static void too_big(struct worker *w, const struct nexthop *nh, struct pkt *p, uint16_t mtu)
{
	if (p->family == IP_V4 && !esp_inner_df(p->l3, IP_V4)) {
		port_send(w, nh, w->pieces.p, fragment_ip4(w, p, mtu, &w->pieces));
		w->pieces.n = 0;
		return;
	}
	icmp_error(w, p, ERR_TOO_BIG, mtu);
	worker_drop_in(w, p, DROP_TOO_BIG);
}

/* Captures on a port see what passes through; what is punted the kernel shows by itself. */
static inline void mirror_in(struct worker *w, const struct pkt *p)
{
	struct iface *in = p->in;

	if (unlikely(in != NULL && iface_has(in, IFACE_MIRROR)) && in->kind == IFACE_PORT &&
		!(p->flags & PKT_OWN))
		host_mirror(w, p, in);
}

/* Count the hops of a run down; what is left of it moves to the front of p. Returns how many, and the
 * longest one's length. */
static inline unsigned take_hops(struct worker *w, struct pkt *p, unsigned n, uint16_t *longest)
{
	unsigned kept = 0;

	*longest = 0;
	for (unsigned i = 0; i < n; i++) {
		mirror_in(w, &p[i]);
		if (unlikely(!take_hop(w, &p[i])))
			continue;
		if (unlikely(kept != i))
			p[kept] = p[i];
		*longest = RTE_MAX(*longest, p[kept++].len);
	}
	return kept;
}

static void refuse(struct worker *w, struct pkt *p, enum drop_reason reason, enum icmp_error kind)
{
	icmp_error(w, p, kind, 0);
	worker_drop_in(w, p, reason);
}

/* Does this way take only what is encrypted, or the router's own? */
static inline bool clear_is_barred(const struct nexthop *nh)
{
	return nh->partial || iface_has(nh->iface, IFACE_ESP_ONLY);
}

/* ICMP errors quote what they are about: they may go where that came from. */
static bool leaves_clear(const struct nexthop *nh, const struct pkt *p)
{
	return !(p->flags & PKT_OWN) || (p->in != NULL && p->in != nh->iface);
}

/* Refuse what may not leave in the clear; the rest moves to the front. Returns how many. */
static unsigned bar_clear(struct worker *w, const struct nexthop *nh, struct pkt *p, unsigned n)
{
	enum drop_reason reason = nh->partial ? DROP_FIB_FULL : DROP_ESP_ONLY;
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (leaves_clear(nh, &p[i]))
			refuse(w, &p[i], reason, ERR_PROHIBITED);
		else
			p[kept++] = p[i];
	}
	return kept;
}

static void to_port(struct worker *w, const struct nexthop *nh, struct pkt *p, unsigned n)
{
	uint16_t mtu = iface_mtu(nh->iface), longest;
	unsigned sent = 0;

	if (unlikely(clear_is_barred(nh)))
		n = bar_clear(w, nh, p, n);
	n = take_hops(w, p, n, &longest);
	for (unsigned i = 0; i < n && unlikely(longest > mtu); i++) {
		if (likely(p[i].len <= mtu))
			continue;
		port_send(w, nh, &p[sent], i - sent);
		too_big(w, nh, &p[i], mtu);
		sent = i + 1;
	}
	port_send(w, nh, &p[sent], n - sent);
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
					    : addr_v6(pkt_dst(p));
	host_resolve(w, p, out, &target);
}

/* Types of which few packets are. */
static void dispatch_one(struct worker *w, const struct nexthop *nh, struct pkt *p)
{
	p->nh = nh;
	switch ((enum nexthop_type)nh->type) {
	case NH_LOCAL:
		local_in(w, p);
		break;
	case NH_KERNEL:
		host_punt(w, p);
		break;
	case NH_GLEAN:
	case NH_PENDING:
		if (!clear_is_barred(nh) || bar_clear(w, nh, p, 1) == 1)
			to_resolver(w, p);
		break;
	case NH_FIB_FULL:
		refuse(w, p, DROP_FIB_FULL, ERR_PROHIBITED);
		break;
	case NH_BLACKHOLE:
		worker_drop_in(w, p, DROP_BLACKHOLE);
		break;
	case NH_PROHIBIT:
		refuse(w, p, DROP_PROHIBIT, ERR_PROHIBITED);
		break;
	case NH_GUARD:
		refuse(w, p, DROP_GUARD, ERR_HOST_UNREACH);
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

/* Packets that go the same way. */
static void dispatch(struct worker *w, const struct nexthop *nh, struct pkt *p, unsigned n)
{
	uint16_t longest;

	if (nh->type == NH_VTI) {
		n = take_hops(w, p, n, &longest);
		if (n > 0)
			vti_send(w, nh->iface, p, n);
	} else if (nh->type == NH_PORT) {
		to_port(w, nh, p, n);
	} else {
		for (unsigned i = 0; i < n; i++)
			dispatch_one(w, nh, &p[i]);
	}
}

static unsigned id_run(const uint64_t *id, unsigned n)
{
	unsigned i = 1;

	while (i < n && id[i] == id[0])
		i++;
	return i;
}

/* Packets of many next hops: what each way needs may be in no cache, and one packet after the other
 * would wait for it. */
static void prefetch_ways(
	const struct worker *w, const uint64_t *id, const struct pkt *p, unsigned n)
{
	const struct nexthop *nh[LOOKUP_BATCH];
	const struct iface *out[LOOKUP_BATCH];
	uint8_t family[LOOKUP_BATCH];
	unsigned n_out = 0;

	for (unsigned i = 0; i < n; i++) {
		nh[i] = nexthop_of(id[i]);
		rte_prefetch0(nh[i]);
	}
	for (unsigned i = 0; i < n; i++) {
		if (nh[i]->type != NH_VTI)
			continue;
		out[n_out] = nh[i]->iface;
		family[n_out++] = p[i].family;
	}
	vti_prefetch(w, out, family, n_out);
}

static inline void dispatch_all(
	struct worker *w, const uint64_t *id, struct pkt *p, unsigned n, bool fetch)
{
	unsigned run;

	if (unlikely(fetch))
		prefetch_ways(w, id, p, n);
	for (unsigned i = 0; i < n; i += run) {
		run = id_run(&id[i], n - i);
		dispatch(w, nexthop_of(id[i]), &p[i], run);
	}
}

/* Route n packets of one VRF, at most LOOKUP_BATCH. */
static void route(struct worker *w, struct fib *fib, struct pkt *p, unsigned n)
{
	uint64_t id[LOOKUP_BATCH];
	unsigned batch, left = n;
	bool many;

	if (likely(fib != NULL))
		left = lookup(w, fib, p, n, id);
	else
		memset(id, 0, n * sizeof(id[0]));
	cycles_charge(&w->cycles, CYCLES_LOOKUP, n);
	n = left;
	if (unlikely(n == 0))
		return;
	/* A guess that costs nothing: few next hops would hardly differ in both places. */
	many = id[0] != id[n / 2] && id[0] != id[n - 1];
	batch = unlikely(many) ? FETCH_BATCH : n;
	for (unsigned i = 0; i < n; i += batch)
		dispatch_all(w, &id[i], &p[i], RTE_MIN(batch, n - i), many);
	cycles_charge(&w->cycles, CYCLES_HEADERS, n);
}

void stage_forward(struct worker *w)
{
	struct vec *v = &w->fwd;
	unsigned run;

	for (unsigned i = 0; i < v->n; i += run) {
		run = vrf_run(&v->p[i], RTE_MIN(v->n - i, LOOKUP_BATCH));
		route(w, fib_by_vrf(vrf_of(&v->p[i])), &v->p[i], run);
	}
	v->n = 0;
}
