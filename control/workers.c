/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/workers.h"

#include "control/daemon.h"
#include "control/eal.h"
#include "control/rcu.h"

#include <errno.h>
#include <pthread.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic bool stop;
static unsigned idle_microseconds, n_launched;

struct worker **workers_new(unsigned n, struct rte_mempool *pool, struct err *e)
{
	struct worker **workers = calloc(n, sizeof(*workers));

	for (unsigned i = 0; workers != NULL && i < n; i++) {
		workers[i] = worker_new(i, n, pool, rcu_qsbr());
		if (workers[i] == NULL) {
			workers_free(workers, n);
			workers = NULL;
			break;
		}
		workers[i]->peers = workers;
	}
	if (workers == NULL)
		err_set(e, ENOMEM, "no memory for %u workers; a larger memory_mb may help", n);
	return workers;
}

void workers_free(struct worker **workers, unsigned n)
{
	for (unsigned i = 0; workers != NULL && i < n; i++)
		worker_free(workers[i]);
	free(workers);
}

static int worker_thread(void *arg)
{
	const struct worker *w = arg;
	char name[16];

	snprintf(name, sizeof(name), "viaduct-w%u", w->id);
	pthread_setname_np(pthread_self(), name);
	worker_run(arg, &stop, idle_microseconds);
	return 0;
}

int workers_launch(struct worker **workers, unsigned n, unsigned idle_us, struct err *e)
{
	atomic_store(&stop, false);
	idle_microseconds = idle_us;
	for (n_launched = 0; n_launched < n; n_launched++) {
		int ret = rte_eal_remote_launch(
			worker_thread, workers[n_launched], WORKER_LCORE(n_launched));

		if (ret < 0)
			return err_set(e, -ret, "worker %u: cannot be launched: %s", n_launched,
				strerror(-ret));
	}
	return 0;
}

void workers_stop(void)
{
	atomic_store(&stop, true);
	while (n_launched > 0)
		rte_eal_wait_lcore(WORKER_LCORE(--n_launched));
}

bool workers_alive(struct worker **workers, unsigned n)
{
	static uint64_t seen[WORKER_MAX];
	bool alive = true;

	for (unsigned i = 0; i < n; i++) {
		uint64_t turns = workers[i]->stats.turns;

		if (turns == seen[i])
			alive = false;
		seen[i] = turns;
	}
	return alive;
}

/* The CPU a worker is pinned to; UINT32_MAX where it may move. */
static uint32_t pinned_cpu(unsigned lcore)
{
	rte_cpuset_t set = rte_lcore_cpuset(lcore);

	if (CPU_COUNT(&set) != 1)
		return UINT32_MAX;
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &set))
			return cpu;
	}
	return UINT32_MAX;
}

static uint64_t busy_permille(unsigned i, const struct worker *w)
{
	static struct {
		uint64_t busy, idle;
	} last[WORKER_MAX];
	uint64_t busy = cycles_busy(&w->cycles), idle = w->cycles.stage[CYCLES_IDLE].cycles;
	uint64_t work = busy - last[i].busy, all = work + idle - last[i].idle;

	last[i].busy = busy;
	last[i].idle = idle;
	return all == 0 ? 0 : work * 1000 / all;
}

void worker_fill_info(unsigned i, struct viaduct_worker_info *info)
{
	const struct worker *w = daemon_state.workers[i];
	const struct worker_stats *s = &w->stats;

	*info = (struct viaduct_worker_info){
		.id = i,
		.lcore = WORKER_LCORE(i),
		.cpu = pinned_cpu(WORKER_LCORE(i)),
		.rx_queues = w->n_rx,
		.turns = s->turns,
		.busy_turns = s->busy_turns,
		.rx_packets = s->rx_packets,
		.tx_packets = s->tx_packets,
		.punted = s->punted,
		.injected = s->injected,
		.mirrored = s->mirrored,
		.icmp_sent = s->icmp_sent,
		.busy_permille = busy_permille(i, w),
	};
}
