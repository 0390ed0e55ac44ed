/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker's life, and the order of the stages. */
#include "dataplane/worker.h"

#include "dataplane/crypto.h"
#include "dataplane/esp.h"
#include "dataplane/lend.h"
#include "dataplane/lookaside.h"

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

#include <stdio.h>
#include <unistd.h>

#define INJECT_RING  2048
#define TO_HOST_RING 4096
#define CROWD_ROUNDS 4    /* of help in one turn, rather than give it more */
#define IDLE_TURNS   2048 /* empty turns before a worker may sleep */
#define HELD_TURNS   64   /* that RCU waits, at most, before what is lent is taken home */

/* Ring names are global to the process; tests make workers with the same id again and again. */
static struct rte_ring *ring_new(
	const struct worker *w, const char *what, unsigned size, unsigned flags)
{
	static _Atomic unsigned serial;
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "%s_%u_%u", what, w->id, atomic_fetch_add(&serial, 1));
	return rte_ring_create(name, size, rte_socket_id(), flags);
}

static bool worker_init(struct worker *w)
{
	bool lends = w->n_workers > 1;

	/* Several threads may send to a worker; it alone sends to the host thread. */
	w->inject = ring_new(w, "inject", INJECT_RING, RING_F_SC_DEQ);
	w->handoff = ring_new(w, "handoff", HANDOFF_RING, RING_F_SC_DEQ);
	w->to_host = ring_new(w, "to_host", TO_HOST_RING, RING_F_SP_ENQ | RING_F_SC_DEQ);
	w->crypto = crypto_ctx_new(NULL);
	w->fragments = fragment_table_new();
	if (lends) {
		w->sealing = lend_new(false);
		w->opening = lend_new(true);
		w->opens = open_lots_new(LEND_LOTS);
		w->parcels = rte_zmalloc(
			"parcels", w->n_workers * sizeof(*w->parcels), RTE_CACHE_LINE_SIZE);
		if (w->sealing == NULL || w->opening == NULL || w->opens == NULL ||
			w->parcels == NULL)
			return false;
	}
	w->seal = w->seals = seal_batch_new(lends ? LEND_LOTS : 1);
	return w->seal != NULL && w->inject != NULL && w->handoff != NULL && w->to_host != NULL &&
		w->crypto != NULL && w->fragments != NULL;
}

struct worker *worker_new(
	uint16_t id, uint16_t n_workers, struct rte_mempool *pool, struct rte_rcu_qsbr *rcu)
{
	struct worker *w =
		rte_zmalloc_socket("worker", sizeof(*w), RTE_CACHE_LINE_SIZE, rte_socket_id());

	if (w == NULL)
		return NULL;
	w->id = id;
	w->n_workers = n_workers;
	w->pool = pool;
	w->rcu = rcu;
	w->cycles.mark = rte_rdtsc();
	if (!worker_init(w)) {
		worker_free(w);
		return NULL;
	}
	return w;
}

static void ring_free(struct rte_ring *r)
{
	void *m;

	if (r == NULL)
		return;
	while (rte_ring_dequeue(r, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(r);
}

static void free_dropped(struct worker *w)
{
	rte_pktmbuf_free_bulk(w->to_free, w->n_free);
	w->n_free = 0;
}

void worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	free_dropped(w);
	for (unsigned i = 0; i < w->icmp.n; i++)
		rte_pktmbuf_free(w->icmp.p[i].m);
	for (unsigned i = 0; i < PORT_MAX; i++) {
		if (w->tx[i] != NULL)
			rte_pktmbuf_free_bulk(w->tx[i]->m, w->tx[i]->n);
		rte_free(w->tx[i]);
	}
	ring_free(w->inject);
	ring_free(w->handoff);
	ring_free(w->to_host);
	if (w->fragments != NULL)
		fragment_table_free(w->fragments);
	if (w->crypto != NULL)
		crypto_ctx_free(w->crypto);
	seal_batch_free(w->seals, w->sealing);
	open_lots_free(w->opens, w->opening);
	lend_free(w->sealing);
	lend_free(w->opening);
	for (unsigned i = 0; w->parcels != NULL && i < w->n_workers; i++)
		rte_pktmbuf_free_bulk(w->parcels[i].m, w->parcels[i].n);
	rte_free(w->parcels);
	rte_free(w);
}

void worker_drop(struct worker *w, struct rte_mbuf *m, enum drop_reason reason)
{
	w->stats.drops[reason]++;
	if (unlikely(w->n_free == VEC_MAX))
		free_dropped(w);
	w->to_free[w->n_free++] = m;
}

void worker_drop_in(struct worker *w, const struct pkt *p, enum drop_reason reason)
{
	if (p->in != NULL)
		p->in->stats[w->id].rx_drops++;
	worker_drop(w, p->m, reason);
}

void worker_drop_out(
	struct worker *w, const struct pkt *p, struct iface *out, enum drop_reason reason)
{
	if (out != NULL)
		out->stats[w->id].tx_drops++;
	worker_drop(w, p->m, reason);
}

/* ICMP errors of the last turn are routed in this one, as far as there is room. */
static void take_icmp(struct worker *w)
{
	unsigned n = RTE_MIN(w->icmp.n, VEC_ROOM(&w->fwd));

	if (n == 0)
		return;
	for (unsigned i = 0; i < n; i++)
		vec_push(&w->fwd, &w->icmp.p[i]);
	w->icmp.n -= n;
	memmove(w->icmp.p, w->icmp.p + n, w->icmp.n * sizeof(w->icmp.p[0]));
}

/* From the packets' routes to their outer headers. A packet that turns out to be ESP for us only when
 * it is routed (reassembled, or ESP inside a tunnel) takes another round; each strips a header, so
 * the rounds end. */
static void run_stages(struct worker *w)
{
	do {
		esp_in(w);
		stage_forward(w);
	} while (w->esp_in.n > 0);
	/* Others can begin with theirs while this worker encrypts. */
	handoff_flush(w);
	/* A tunnel's outer packet may be routed into another tunnel, to a bounded depth. */
	do {
		stage_vti_out(w);
		esp_out(w);
	} while (w->vti_out.n > 0);
}

/* What the crypto device has done goes on from where it comes out. In bursts, so that the vectors'
 * room is enough; packets may go in again, from one tunnel into another. */
static unsigned run_device(struct worker *w)
{
	unsigned total = 0, n;

	do {
		n = lookaside_poll(w);
		if (n > 0)
			cycles_charge(&w->cycles, CYCLES_DEVICE, n);
		run_stages(w);
		total += n;
	} while (n == VEC_MAX);
	return total;
}

static void end_turn(struct worker *w)
{
	handoff_flush(w);
	port_flush(w);
	if (w->n_free > 0)
		free_dropped(w);
}

static unsigned lots_out(const struct worker *w)
{
	return w->sealing != NULL ? lend_out(w->sealing) + lend_out(w->opening) : 0;
}

/* Are there places for a turn's packets, and may RCU wait that long? */
static bool may_receive(const struct worker *w)
{
	return w->held < HELD_TURNS &&
		RTE_MAX(lend_out(w->sealing), lend_out(w->opening)) <= LEND_LOTS - 2;
}

/* Whoever has time helps, and whoever receives more than another one can take. */
static unsigned help(struct worker *w, unsigned n)
{
	unsigned rounds = w->crowded ? CROWD_ROUNDS : n < TURN_MAX / 2, done, total = 0;

	if (n == 0)
		cycles_charge(&w->cycles, CYCLES_IDLE, 0);
	for (; rounds > 0; rounds--) {
		done = lend_help(w);
		total += done;
		if (done == 0)
			break;
	}
	return total;
}

unsigned worker_turn(struct worker *w)
{
	unsigned n;

	w->now = rte_rdtsc();
	cycles_charge_at(&w->cycles, CYCLES_IDLE, 0, w->now);
	/* An SA may be retired between two turns. */
	w->last_sa = NULL;

	w->crowded = false;
	n = likely(w->sealing == NULL || may_receive(w)) ? stage_rx(w) : 0;
	w->backlog = n >= TURN_MAX;
	n += w->icmp.n + lots_out(w);
	take_icmp(w);
	reassemble_expire(w);
	run_stages(w);
	if (unlikely(w->in_device > 0))
		n += run_device(w);
	end_turn(w);
	if (n > 0)
		cycles_charge(&w->cycles, CYCLES_TX, 0);
	if (w->sealing != NULL)
		n += help(w, n);

	w->stats.turns++;
	w->stats.busy_turns += n > 0;
	w->held = lots_out(w) > 0 ? w->held + 1 : 0;
	return n + w->in_device + lots_out(w);
}

void worker_quiescent(struct worker *w)
{
	if (w->held == 0)
		rte_rcu_qsbr_quiescent(w->rcu, w->id);
}

static void sleep_offline(struct worker *w, unsigned idle_us)
{
	rte_rcu_qsbr_thread_offline(w->rcu, w->id);
	usleep(idle_us);
	rte_rcu_qsbr_thread_online(w->rcu, w->id);
}

/* The SAs of packets inside the device are freed soon: wait for those packets, unless it is stuck. */
static void empty_device(struct worker *w)
{
	const uint64_t end = rte_rdtsc() + rte_get_tsc_hz() / 10;

	while (w->in_device > 0 && rte_rdtsc() < end) {
		run_device(w);
		end_turn(w);
	}
}

/* Whoever has one of their pieces does it to the end. */
static void take_lots_home(struct worker *w)
{
	w->backlog = false;
	while (lots_out(w) > 0) {
		run_stages(w);
		end_turn(w);
	}
}

void worker_run(struct worker *w, const _Atomic bool *stop, unsigned idle_us)
{
	unsigned idle = 0;

	rte_rcu_qsbr_thread_register(w->rcu, w->id);
	rte_rcu_qsbr_thread_online(w->rcu, w->id);
	while (!atomic_load_explicit(stop, memory_order_relaxed)) {
		idle = worker_turn(w) > 0 ? 0 : idle + 1;
		worker_quiescent(w);
		/* Once asleep, it goes on sleeping between looks until something comes. */
		if (idle_us > 0 && idle >= IDLE_TURNS) {
			sleep_offline(w, idle_us);
			idle = IDLE_TURNS;
		}
	}
	empty_device(w);
	take_lots_home(w);
	rte_rcu_qsbr_thread_offline(w->rcu, w->id);
	rte_rcu_qsbr_thread_unregister(w->rcu, w->id);
}
