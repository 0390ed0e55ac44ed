/* SPDX-License-Identifier: BSD-3-Clause */
/* From an encrypted packet to its outer next hop. All packets of an SA go the same way, those too large
 * for it in pieces. */
#include "dataplane/crypto.h"
#include "dataplane/esp_header.h"
#include "dataplane/fib.h"
#include "dataplane/nexthop.h"
#include "dataplane/worker.h"

#include <rte_branch_prediction.h>

#include <netinet/in.h>

void esp_drop_out(struct worker *w, struct sa *sa, const struct pkt *p, enum drop_reason reason)
{
	sa->worker[w->id].errors++;
	worker_drop_out(w, p, atomic_load_explicit(&sa->vti, memory_order_acquire), reason);
}

/* Remembered per worker, looked up again when the FIB has changed. */
const struct nexthop *esp_out_nexthop(struct worker *w, struct sa *sa)
{
	struct sa_worker *sw = &sa->worker[w->id];
	struct fib *fib = fib_by_vrf(0);
	uint32_t generation;

	if (unlikely(fib == NULL))
		return NULL;
	/* Read before the lookup: what an older table said must not pass for a newer one's word. */
	generation = 1 + atomic_load_explicit(&fib->generation, memory_order_acquire);
	if (unlikely(sw->nh_generation != generation)) {
		sw->nh_id = fib_lookup(fib, sa->family, sa->dst.v6);
		sw->nh_generation = generation;
	}
	return nexthop_by_id(sw->nh_id);
}

/* A tunnel inside another one; stage_vti_out() bounds the depth. Not into the same one again: there
 * is no end to that but a buffer without room. */
static void to_vti(struct worker *w, struct sa *sa, struct pkt *p, unsigned n, struct iface *out)
{
	bool same = atomic_load_explicit(&sa->vti, memory_order_acquire) == out;

	for (unsigned i = 0; i < n; i++) {
		if (unlikely(same || VEC_ROOM(&w->vti_out) == 0)) {
			esp_drop_out(w, sa, &p[i], DROP_VTI_LOOP);
			continue;
		}
		p[i].out = out;
		vec_push(&w->vti_out, &p[i]);
	}
}

static void to_resolver(
	struct worker *w, struct sa *sa, struct pkt *p, unsigned n, const struct nexthop *nh)
{
	const struct addr *target = nh->type == NH_GLEAN ? &sa->dst : &nh->gateway;

	for (unsigned i = 0; i < n; i++) {
		if (iface_has(nh->iface, IFACE_UP))
			host_resolve(w, &p[i], nh->iface, target);
		else
			worker_drop_out(w, &p[i], nh->iface, DROP_TX_IFACE_DOWN);
	}
}

/* A far end that is an address of our own, or the kernel's to reach, has no way out of a port. */
static enum drop_reason refusal(const struct nexthop *nh)
{
	switch (nh != NULL ? nh->type : NH_NO_ROUTE) {
	case NH_BLACKHOLE:
		return DROP_BLACKHOLE;
	case NH_UNREACHABLE:
		return DROP_UNREACHABLE;
	case NH_PROHIBIT:
		return DROP_PROHIBIT;
	default:
		return DROP_NO_ROUTE;
	}
}

static void to_nexthop(
	struct worker *w, struct sa *sa, struct pkt *p, unsigned n, const struct nexthop *nh)
{
	if (n == 0)
		return;
	switch (nh != NULL ? nh->type : NH_NO_ROUTE) {
	case NH_PORT:
		port_send(w, nh, p, n);
		break;
	case NH_VTI:
		to_vti(w, sa, p, n, nh->iface);
		break;
	case NH_GLEAN:
	case NH_PENDING:
		to_resolver(w, sa, p, n, nh);
		break;
	default:
		for (unsigned i = 0; i < n; i++)
			esp_drop_out(w, sa, &p[i], refusal(nh));
	}
}

/* Largest packet for the link at hand and, where ICMP has told, for those behind it. A tunnel lets IPv6's
 * smallest MTU in, however narrow it is (vti_out.c). */
static uint16_t outer_mtu(const struct sa *sa, const struct nexthop *nh)
{
	const uint16_t told = atomic_load_explicit(&sa->path_mtu, memory_order_relaxed);
	uint16_t mtu;

	if (nh == NULL || nh->iface == NULL)
		return told;
	mtu = iface_mtu(nh->iface);
	if (nh->type == NH_VTI && sa->family == IP_V6 && mtu < IP6_MTU_MIN)
		mtu = IP6_MTU_MIN;
	return RTE_MIN(mtu, told);
}

/* What the SA's DF bit allows; all where the tunnel is to fragment after encryption; and, for the sake of
 * IPv6 inside, whatever is no longer than what carries its smallest MTU (RFC 8200 5). */
static bool may_cut(const struct sa *sa, const struct pkt *p)
{
	const struct iface *vti = atomic_load_explicit(&sa->vti, memory_order_acquire);

	return (p->family == IP_V4 && !esp_inner_df(p->l3, IP_V4)) ||
		(vti != NULL && iface_has(vti, IFACE_FRAGMENT_AFTER)) ||
		p->len <= sa_outer_len(sa, IP6_MTU_MIN);
}

/* Into w->outer_pieces. The fragments' id: a header with DF had none. */
static unsigned cut(struct worker *w, const struct sa *sa, struct pkt *p, uint16_t mtu)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)p->l3;
	const struct esp_hdr *esp = (const void *)(p->l3 + sa->hdr_len - sizeof(*esp));
	const uint32_t id = rte_be_to_cpu_32(esp->seq) + sa->spi;

	if (p->family == IP_V6)
		return fragment_ip6(w, p, mtu, id, &w->outer_pieces);
	if (esp_inner_df(p->l3, IP_V4)) {
		ip->packet_id = rte_cpu_to_be_16(id);
		ip->fragment_offset = 0;
	}
	return fragment_ip4(w, p, mtu, &w->outer_pieces);
}

/* No ICMP error: the sender of the inner packet was told by the tunnel's MTU. */
static void too_big(
	struct worker *w, struct sa *sa, struct pkt *p, uint16_t mtu, const struct nexthop *nh)
{
	if (may_cut(sa, p)) {
		to_nexthop(w, sa, w->outer_pieces.p, cut(w, sa, p, mtu), nh);
		w->outer_pieces.n = 0;
	} else {
		esp_drop_out(w, sa, p, DROP_TOO_BIG);
	}
}

static void route_run(struct worker *w, struct sa *sa, struct pkt *p, unsigned n)
{
	const struct nexthop *nh = esp_out_nexthop(w, sa);
	const uint16_t mtu = outer_mtu(sa, nh);
	unsigned sent = 0;

	for (unsigned i = 0; i < n; i++) {
		if (likely(p[i].len <= mtu))
			continue;
		to_nexthop(w, sa, &p[sent], i - sent, nh);
		too_big(w, sa, &p[i], mtu, nh);
		sent = i + 1;
	}
	to_nexthop(w, sa, &p[sent], n - sent, nh);
}

void esp_out_done(struct worker *w, struct sa *sa, struct pkt *p, unsigned n)
{
	bool udp = sa->flags & SA_UDP_ENCAP;

	for (unsigned i = 0; i < n; i++) {
		if (udp)
			esp_udp6_checksum(sa, p[i].l3);
		p[i].in = NULL;
		p[i].family = sa->family;
		p[i].proto = udp ? IPPROTO_UDP : IPPROTO_ESP;
		p[i].l4_off = sa->family == IP_V4 ? sizeof(struct rte_ipv4_hdr)
						  : sizeof(struct rte_ipv6_hdr);
		p[i].flags = PKT_OWN;
	}
	if (n > 0)
		route_run(w, sa, p, n);
}
