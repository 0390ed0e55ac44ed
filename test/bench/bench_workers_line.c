/* SPDX-License-Identifier: BSD-3-Clause */
/* How far the two CPUs are from each other. What workers hand over goes by cache lines: where one takes
 * four times as long (another die or socket, which a virtual machine may be moved to at any time), two
 * workers that hand packets over carry less than one. */
#include "bench_workers.h"

#include "frame.h"

#include <rte_common.h>
#include <rte_cycles.h>

#include <pthread.h>
#include <sched.h>

#define TRIPS 4000u

static struct {
	_Atomic unsigned ball;
} line __rte_cache_aligned;

static void await(unsigned ball)
{
	unsigned looks = 0;

	while (atomic_load_explicit(&line.ball, memory_order_acquire) != ball) {
		/* Another program may have the other CPU. */
		if (++looks % 65536 == 0)
			sched_yield();
	}
}

static void *far_side(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < TRIPS; i++) {
		await(2 * i + 1);
		atomic_store_explicit(&line.ball, 2 * i + 2, memory_order_release);
	}
	return NULL;
}

static void pin(pthread_t thread, unsigned cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	must(pthread_setaffinity_np(thread, sizeof(cpus), &cpus) == 0, "CPU of a thread");
}

double line_round_trip(void)
{
	uint64_t best = UINT64_MAX, start;
	pthread_t thread;

	atomic_store(&line.ball, 0);
	pin(pthread_self(), opt.cpu[0]);
	must(pthread_create(&thread, NULL, far_side, NULL) == 0, "thread");
	pin(thread, opt.cpu[1]);
	for (unsigned i = 0; i < TRIPS; i++) {
		start = rte_rdtsc();
		atomic_store_explicit(&line.ball, 2 * i + 1, memory_order_release);
		await(2 * i + 2);
		best = RTE_MIN(best, rte_rdtsc() - start);
	}
	pthread_join(thread, NULL);
	return best;
}
