/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/rpf.h"

#include "dataplane/lookup.h"
#include "dataplane/nexthop.h"
#include "dataplane/own_src.h"
#include "dataplane/worker.h"

/* What never leaves its link has no route back, and needs none; nor has what the router made. */
static bool exempt(const struct pkt *p)
{
	if (p->flags & (PKT_OWN | PKT_MULTICAST))
		return true;
	return p->family == IP_V6 && ip6_link_local(pkt_src(p));
}

static bool passes(const struct nexthop *nh, const struct iface *in, uint8_t mode)
{
	switch (nh != NULL ? nh->type : NH_NO_ROUTE) {
	case NH_GLEAN:
	case NH_PENDING:
	case NH_PORT:
	case NH_VTI:
		return mode == IFACE_RPF_LOOSE || nh->iface == in;
	case NH_KERNEL: /* by an interface that is not one of ours */
		return mode == IFACE_RPF_LOOSE;
	default:
		return false;
	}
}

unsigned rpf_check(struct worker *w, struct fib *fib, struct pkt *p, unsigned n)
{
	uint8_t mode = rpf_mode(&p[0]);
	struct lookup l;
	uint64_t id[LOOKUP_BATCH];
	unsigned kept = 0;

	l.n4 = l.n6 = 0;
	for (unsigned i = 0; i < n; i++)
		lookup_add(&l, p[i].family, pkt_src(&p[i]));
	lookup_run(fib, &l, p, n, id);
	for (unsigned i = 0; i < n; i++) {
		if (!passes(nexthop_by_id(id[i]), p[i].in, mode) && !exempt(&p[i])) {
			worker_drop_in(w, &p[i], DROP_RPF);
			continue;
		}
		if (kept != i)
			p[kept] = p[i];
		kept++;
	}
	return kept;
}
