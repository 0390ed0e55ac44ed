/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/own_src.h"

#include "dataplane/lookup.h"
#include "dataplane/nexthop.h"
#include "dataplane/worker.h"

#define GOOD DROP_REASON_COUNT

_Atomic uint32_t own_hints[1 << (OWN_HINT_BITS - 5)];

void own_src_note(const struct addr *a)
{
	uint32_t hash = a->family == IP_V4 ? own_hash4(a->v6) : own_hash6(a->v6);

	atomic_fetch_or_explicit(&own_hints[hash / 32], 1u << hash % 32, memory_order_relaxed);
}

static bool is_local(struct fib *fib, uint8_t family, const uint8_t *addr)
{
	const struct nexthop *nh = nexthop_by_id(fib_lookup(fib, family, addr));

	return nh != NULL && nh->type == NH_LOCAL;
}

/* What the router makes itself has its own address by right. */
static enum drop_reason verdict(struct fib *fib, const struct pkt *p)
{
	const uint8_t *src = pkt_src(p);

	if (p->flags & PKT_OWN)
		return GOOD;
	/* Multicast and link-local destinations are local by their routes. */
	if (p->family == IP_V6 && ip6_link_local(src))
		return is_local(fib, IP_V6, pkt_dst(p)) ? GOOD : DROP_MARTIAN_SRC;
	return is_local(fib, p->family, src) ? DROP_OWN_SRC : GOOD;
}

unsigned own_src_drop(struct worker *w, struct fib *fib, struct pkt *p, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		enum drop_reason bad = GOOD;

		if (own_src_hint(p[i].family, pkt_src(&p[i])) & 1)
			bad = verdict(fib, &p[i]);
		if (bad != GOOD) {
			worker_drop_in(w, &p[i], bad);
			continue;
		}
		if (kept != i)
			p[kept] = p[i];
		kept++;
	}
	return kept;
}
