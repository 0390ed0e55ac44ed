/* SPDX-License-Identifier: BSD-3-Clause */
/* A peer behind NAT sends from another address or port: its NAT was restarted, or forgot it.
 *
 * Only authentic packets get here, so nobody else can make us believe it. And only the newest one
 * counts: what was under way before the change, or is sent again by somebody who recorded it, has a
 * lower sequence number. Nothing changes by itself; the control thread tells whoever wants to know. */
#include "dataplane/esp.h"
#include "dataplane/esp_inner.h"
#include "dataplane/worker.h"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_udp.h>

static bool comes_from(const struct sa_ends *ends, const struct pkt *p)
{
	const struct rte_udp_hdr *udp =
		(const struct rte_udp_hdr *)(p->l3 + p->l4_off - sizeof(*udp));

	if (udp->src_port != rte_cpu_to_be_16(ends->sport) || p->family != ends->src.family)
		return false;
	return p->family == IP_V4 ? memcmp(p->l3 + 12, &ends->src.v4, 4) == 0
				  : memcmp(p->l3 + 8, ends->src.v6, 16) == 0;
}

/* What comes from the former ends, in UDP or not, is no news: the peer has yet to hear of the change. */
static bool comes_from_peer(const struct sa *sa, const struct pkt *p)
{
	const struct sa_ends *old;

	if (unlikely(!(p->flags & PKT_UDP_ENCAP)) || likely(comes_from(sa_ends_now(sa), p)))
		return true;
	old = sa_ends_old(sa);
	return old != NULL && comes_from(old, p);
}

static bool is_newest(const struct sa *sa, const struct pkt *p)
{
	const struct esp_hdr *esp = (const struct esp_hdr *)(p->l3 + p->l4_off);
	const uint64_t top = atomic_load_explicit(&sa->replay.top, memory_order_relaxed);

	return rte_be_to_cpu_32(esp->seq) == (uint32_t)top;
}

void esp_peer_check(struct worker *w, struct sa *sa, const struct pkt *last)
{
	uint64_t told;

	if (likely(comes_from_peer(sa, last)) || !is_newest(sa, last))
		return;
	told = atomic_load_explicit(&sa->moved_told, memory_order_relaxed);
	if (told != 0 && w->now - told < rte_get_tsc_hz())
		return;
	atomic_store_explicit(&sa->moved_told, w->now, memory_order_relaxed);
	host_moved(w, last);
}
