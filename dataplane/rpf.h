/* SPDX-License-Identifier: BSD-3-Clause */
/* Reverse path check (RFC 3704): a packet is taken only where the routing table leads back to its
 * source: by any interface (loose, 2.4), or by the one that it came in by (strict, 2.2). */
#ifndef VIADUCT_RPF_H
#define VIADUCT_RPF_H

#include "dataplane/pkt.h"

struct fib;
struct worker;

static inline uint8_t rpf_mode(const struct pkt *p)
{
	return p->in != NULL ? atomic_load_explicit(&p->in->rpf, memory_order_relaxed)
			     : IFACE_RPF_OFF;
}

/* Drop what fails, of at most LOOKUP_BATCH packets of one VRF with one mode, which is not off; the rest
 * moves to the front. Returns how many. */
unsigned rpf_check(struct worker *w, struct fib *fib, struct pkt *p, unsigned n);

#endif
