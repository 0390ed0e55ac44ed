/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets for another worker: collected, since each enqueue fetches its ring's line from there, which
 * for runs of one packet costs more than the packet. */
#include "dataplane/worker.h"

#define CROWDED (2 * TURN_MAX) /* packets that wait for a worker which does not keep up */

unsigned worker_hand_over(struct worker *w, uint16_t to, struct rte_mbuf **m, unsigned n)
{
	unsigned room, sent;

	sent = rte_ring_mp_enqueue_burst(w->peers[to]->handoff, (void **)m, n, &room);
	w->crowded |= room < HANDOFF_RING - CROWDED;
	return sent;
}

static void drop_parcel(struct worker *w, struct rte_mbuf **m, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct pkt p = {.m = m[i]};

		worker_drop_out(w, &p, iface_by_id(host_tag(m[i])->iface), DROP_HANDOFF_FULL);
	}
}

static void send_parcel(struct worker *w, uint16_t to)
{
	struct worker_parcel *parcel = &w->parcels[to];
	unsigned sent = worker_hand_over(w, to, parcel->m, parcel->n);

	drop_parcel(w, parcel->m + sent, parcel->n - sent);
	parcel->n = 0;
}

void handoff_later(struct worker *w, uint16_t to, struct rte_mbuf *m)
{
	struct worker_parcel *parcel = &w->parcels[to];

	parcel->m[parcel->n++] = m;
	if (parcel->n == PARCEL_MAX)
		send_parcel(w, to);
}

void handoff_flush(struct worker *w)
{
	if (w->parcels == NULL)
		return;
	for (uint16_t i = 0; i < w->n_workers; i++) {
		if (w->parcels[i].n > 0)
			send_parcel(w, i);
	}
}
