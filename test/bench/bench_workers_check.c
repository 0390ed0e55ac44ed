/* SPDX-License-Identifier: BSD-3-Clause */
/* Does the order hold? Packets that two workers sent go to one ring, as to one wire. What was
 * encrypted is decrypted there by a worker with a replay window of its own, whose counters show what a
 * far end would refuse. */
#include "bench_workers.h"

#include "frame.h"

#include <stdio.h>
#include <stdlib.h>

#define BURST 64

struct check {
	const struct scenario *s;
	unsigned seen, overtaken;
	uint32_t next[WORKERS * FLOWS]; /* the least serial number that may come */
};

static void look_at(struct check *c, const struct rte_mbuf *m)
{
	struct mark mark;

	must(m->data_len == L3 + opt.size, "a packet of another length came out");
	memcpy(&mark, rte_pktmbuf_mtod_offset(m, void *, MARK_OFFSET), sizeof(mark));
	must(mark.flow < WORKERS * FLOWS, "a packet of no flow came out");
	c->seen++;
	if (mark.serial < c->next[mark.flow])
		c->overtaken++;
	else
		c->next[mark.flow] = mark.serial + 1;
}

static void take_opened(struct check *c)
{
	struct rte_mbuf *m[BURST];
	unsigned n;

	while ((n = rte_ring_dequeue_burst(opened, (void **)m, BURST, NULL)) > 0) {
		for (unsigned i = 0; i < n; i++)
			look_at(c, m[i]);
		rte_pktmbuf_free_bulk(m, n);
	}
}

/* The far end has received what was sent before this pass. */
static void reopen(struct gateway *g)
{
	for (unsigned i = 0; i <= SINGLE; i++)
		load_reopen(&g->tunnel[i], atomic_load(&g->tunnel[i].sa_out->seq) - 1);
}

unsigned check_order(struct gateway *g, const struct scenario *s, unsigned turn)
{
	struct check c = {.s = s};
	unsigned total;

	if (!s->decrypt)
		reopen(g);
	world_watch(g, true);
	total = run_once(g, s, turn);
	while (!rte_ring_empty(sealed)) {
		worker_turn(opener);
		take_opened(&c);
	}
	take_opened(&c);
	world_watch(g, false);
	world_check_drops();
	if (c.seen == total && c.overtaken == 0)
		return total;
	fprintf(stderr,
		"bench_workers: %s: of %u packets %u came out, %u of them behind a later one of "
		"their flow\n",
		s->name, total, c.seen, c.overtaken);
	exit(1);
}
