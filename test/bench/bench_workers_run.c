/* SPDX-License-Identifier: BSD-3-Clause */
/* Passes. Each worker's thread fills the worker's receive queue, as the pcap driver would, and turns
 * its loop; one whose queue gets nothing turns all the same, so that it can help.
 *
 * The clock starts when a part of the frames has been received, and stops when the first queue has
 * nothing more to come: what is sent between was carried at full load, and as many packets are on their
 * way between the workers at its end as at its beginning. The rest is sent, and counted, untimed. Before
 * the next pass of the same trace the replay windows go back to where they stood before it; within
 * a pass they are as on any day. */
#include "bench_workers.h"

#include "frame.h"

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_pause.h>

#include <inttypes.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#define PASSES     6
#define UNTIMED    8               /* one part in so many of a pass, at its start */
#define PATIENCE   4096            /* looks at what another thread has to do */
#define LOST_TURNS (PATIENCE << 9) /* without a packet, after which none is waited for */

/* Of the clock, and the packets sent by then. */
struct reading {
	_Atomic uint64_t tsc; /* 0: not yet */
	uint64_t sent;
};

/* One gateway at work. */
struct run {
	struct gateway *g;
	const struct scenario *s;
	unsigned first; /* number of the first pass */
	_Atomic unsigned waiting;
	struct reading start, stop;
	_Atomic unsigned given_up; /* lanes that have waited for too long */
	uint64_t before, total;    /* packets sent before this pass, and to be sent in it */
	uint64_t cycles, packets;  /* of the timed passes */
} __rte_cache_aligned;

/* What a thread has to do: its part of a run. */
static struct job {
	struct run *run; /* NULL: to end */
	unsigned lane, passes;
	sem_t go;
} jobs[WORKERS] __rte_cache_aligned;

static sem_t done;
static unsigned threads; /* at work at the same time */
static _Atomic unsigned begun, ended;

static uint64_t sent_by(const struct gateway *g)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < g->n; i++)
		n += __atomic_load_n(&g->lane[i].w->stats.tx_packets, __ATOMIC_RELAXED);
	return n;
}

/* Until *counter has come to n. Other programs may have the CPU of whoever is missing. */
static void await(const _Atomic unsigned *counter, unsigned n)
{
	for (unsigned i = 1; (int)(atomic_load(counter) - n) < 0; i++) {
		rte_pause();
		if (i % PATIENCE == 0)
			sched_yield();
	}
}

/* Until all lanes of the run are here. */
static void meet(struct run *r, struct lane *l)
{
	atomic_fetch_add(&r->waiting, 1);
	await(&r->waiting, ++l->waits * r->g->n);
}

/* What a lane's queue gets in this pass; NULL: nothing. Where all packets come in by one queue, that
 * is each one's by turns: a VTI is one worker's, and it may be either. */
static const struct trace *trace_of(const struct run *r, unsigned lane, unsigned turn)
{
	const struct trace(*t)[WORKERS] = r->s->decrypt ? r->g->esp : r->g->plain;

	if (r->s->spread)
		return &t[r->s->many][lane];
	return turn % r->g->n == lane ? &t[r->s->many][0] : NULL;
}

static uint64_t pass_total(const struct run *r, unsigned turn)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < r->g->n; i++) {
		const struct trace *t = trace_of(r, i, turn);

		n += t != NULL ? t->n : 0;
	}
	return n;
}

static void prepare(struct run *r, unsigned lane, unsigned turn, const struct trace *t)
{
	if (t != NULL && r->s->decrypt) {
		for (unsigned i = 0; i < t->n_tunnels; i++)
			load_reopen(t->tunnel[i], t->tunnel[i]->before);
	}
	if (lane != 0)
		return;
	r->before = sent_by(r->g);
	r->total = pass_total(r, turn);
	atomic_store(&r->given_up, 0);
	atomic_store(&r->start.tsc, 0);
	atomic_store(&r->stop.tsc, 0);
}

static bool stopped(struct run *r)
{
	return atomic_load_explicit(&r->stop.tsc, memory_order_relaxed) != 0;
}

/* By whichever lane comes first. */
static void set_clock(struct run *r, struct reading *clock)
{
	uint64_t none = 0, now, sent;

	if (atomic_load_explicit(&clock->tsc, memory_order_relaxed) != 0)
		return;
	now = rte_rdtsc();
	sent = sent_by(r->g);
	if (atomic_compare_exchange_strong(&clock->tsc, &none, now))
		clock->sent = sent;
}

/* All that was received has to be sent. Lost is only what no lane has found in many turns: one of them
 * may not have had its CPU for a while. */
static void drain(struct run *r, struct worker *w)
{
	uint64_t sent = 0, before;

	for (unsigned idle = 1; sent < r->total && r->given_up < r->g->n; idle++) {
		worker_turn(w);
		before = sent;
		sent = sent_by(r->g) - r->before;
		if (sent != before)
			idle = 1;
		if (idle == LOST_TURNS)
			atomic_fetch_add(&r->given_up, 1);
		if (idle % PATIENCE == 0)
			sched_yield();
	}
}

/* Number `turn` of the run. */
static void pass(struct run *r, unsigned lane, unsigned turn, bool timed)
{
	struct lane *l = &r->g->lane[lane];
	const struct trace *t = trace_of(r, lane, turn);
	unsigned at = 0;

	prepare(r, lane, turn, t);
	meet(r, l);
	if (t != NULL) {
		while (at < t->n) {
			load_feed(l, t, &at);
			worker_turn(l->w);
			if (at >= t->n / UNTIMED)
				set_clock(r, &r->start);
		}
		set_clock(r, &r->stop);
	} else {
		while (!stopped(r))
			worker_turn(l->w);
	}
	drain(r, l->w);
	meet(r, l);
	if (lane == 0 && timed) {
		r->cycles += r->stop.tsc - r->start.tsc;
		r->packets += r->stop.sent - r->start.sent;
	}
}

static bool lost(struct run *r)
{
	return atomic_load(&r->given_up) == r->g->n;
}

/* Gateways that share nothing work side by side until the last of them has been timed. */
static void work(struct job *j)
{
	struct run *r = j->run;
	unsigned turn = r->first;

	atomic_fetch_add(&begun, 1);
	await(&begun, threads);
	pass(r, j->lane, turn++, false);
	while (turn <= r->first + j->passes && !lost(r))
		pass(r, j->lane, turn++, true);
	atomic_fetch_add(&ended, 1);
	while (r->g->n == 1 && !lost(r) && j->passes > 0 && atomic_load(&ended) < threads)
		pass(r, j->lane, turn++, false);
}

static int thread_main(void *arg)
{
	struct job *j = arg;

	for (;;) {
		while (sem_wait(&j->go) != 0)
			;
		if (j->run == NULL)
			return 0;
		work(j);
		sem_post(&done);
	}
}

void run_threads(void)
{
	must(sem_init(&done, 0, 0) == 0, "semaphore");
	for (unsigned i = 0; i < WORKERS; i++) {
		must(sem_init(&jobs[i].go, 0, 0) == 0, "semaphore");
		must(rte_eal_remote_launch(thread_main, &jobs[i], 1 + i) == 0, "thread");
	}
}

void run_stop(void)
{
	for (unsigned i = 0; i < WORKERS; i++) {
		jobs[i].run = NULL;
		sem_post(&jobs[i].go);
	}
	rte_eal_mp_wait_lcore();
}

/* Each thread has one lane, of its own run or of the same one. This thread sleeps meanwhile. */
static void run_all(struct run *const *of_thread, unsigned passes)
{
	threads = 0;
	for (unsigned i = 0; i < WORKERS; i++)
		threads += of_thread[i] != NULL;
	atomic_store(&begun, 0);
	atomic_store(&ended, 0);
	for (unsigned i = 0; i < WORKERS; i++) {
		if (of_thread[i] == NULL)
			continue;
		jobs[i].run = of_thread[i];
		jobs[i].lane = of_thread[i]->g->n > 1 ? i : 0;
		jobs[i].passes = passes;
		of_thread[i]->g->lane[jobs[i].lane].waits = 0;
		sem_post(&jobs[i].go);
	}
	for (unsigned i = 0; i < threads; i++) {
		while (sem_wait(&done) != 0)
			;
	}
}

static void check_lost(struct run *r)
{
	if (!lost(r))
		return;
	world_check_drops();
	fprintf(stderr, "bench_workers: %s: of %" PRIu64 " packets only %" PRIu64 " were sent\n",
		r->s->name, r->total, sent_by(r->g) - r->before);
	exit(1);
}

static void start(struct gateway *g, struct run *r, unsigned passes)
{
	/* A lone worker runs on its own CPU. */
	struct run *const of_thread[WORKERS] = {
		g->id == SECOND ? NULL : r, g->id == FIRST ? NULL : r};

	run_all(of_thread, passes);
	check_lost(r);
}

double run_gateway(struct gateway *g, const struct scenario *s)
{
	static struct run r;

	r = (struct run){.g = g, .s = s};
	start(g, &r, PASSES);
	return (double)r.cycles / r.packets;
}

unsigned run_once(struct gateway *g, const struct scenario *s, unsigned turn)
{
	static struct run r;

	r = (struct run){.g = g, .s = s, .first = turn};
	start(g, &r, 0);
	return r.total;
}

double run_independent(const struct scenario *s)
{
	static struct run r[WORKERS];
	struct run *const of_thread[WORKERS] = {&r[0], &r[1]};
	double rate = 0;

	for (unsigned i = 0; i < WORKERS; i++)
		r[i] = (struct run){.g = &gateways[FIRST + i], .s = s};
	run_all(of_thread, PASSES);
	for (unsigned i = 0; i < WORKERS; i++)
		check_lost(&r[i]);
	for (unsigned i = 0; i < WORKERS; i++)
		rate += (double)r[i].packets / r[i].cycles;
	return 1 / rate;
}
