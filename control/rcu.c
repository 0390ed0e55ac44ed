/* SPDX-License-Identifier: BSD-3-Clause */
/* A queue of things to free, oldest first. It stays in order: an interface retired after an SA that
 * points to it is freed after it, even while the SA still waits for a crypto device. */
#include "control/rcu.h"

#include "control/log.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

struct retired {
	STAILQ_ENTRY(retired) next;
	uint64_t token; /* of rte_rcu_qsbr_start() when it was unpublished */
	bool (*ready)(void *arg);
	void (*fn)(void *arg);
	void *arg;
};

static struct rte_rcu_qsbr *qsbr;
static STAILQ_HEAD(, retired) queue = STAILQ_HEAD_INITIALIZER(queue);
static unsigned waiting;
static void (*pending_cb)(void);

int rcu_init(unsigned n_workers)
{
	size_t size = RTE_ALIGN(rte_rcu_qsbr_get_memsize(n_workers), RTE_CACHE_LINE_SIZE);

	qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, size);
	if (qsbr == NULL || rte_rcu_qsbr_init(qsbr, n_workers) != 0) {
		rcu_fini();
		return -ENOMEM;
	}
	/* Registered but offline until the worker says otherwise: nobody waits for it. */
	for (unsigned i = 0; i < n_workers; i++)
		rte_rcu_qsbr_thread_register(qsbr, i);
	return 0;
}

struct rte_rcu_qsbr *rcu_qsbr(void)
{
	return qsbr;
}

void rcu_on_pending(void (*cb)(void))
{
	pending_cb = cb;
}

void rcu_retire_when(bool (*ready)(void *arg), void (*fn)(void *arg), void *arg)
{
	struct retired *r = malloc(sizeof(*r));

	if (r == NULL) {
		/* Nowhere to note it: wait here, which is right if slow. */
		rcu_synchronize();
		if (ready == NULL || ready(arg))
			fn(arg);
		else
			log_err("out of memory: an object in use by a crypto device is leaked");
		return;
	}
	*r = (struct retired){
		.token = rte_rcu_qsbr_start(qsbr), .ready = ready, .fn = fn, .arg = arg};
	STAILQ_INSERT_TAIL(&queue, r, next);
	if (waiting++ == 0 && pending_cb != NULL)
		pending_cb();
}

void rcu_retire(void (*fn)(void *arg), void *arg)
{
	rcu_retire_when(NULL, fn, arg);
}

static void run_first(void)
{
	struct retired *r = STAILQ_FIRST(&queue);

	/* Off the queue before fn() runs: it may retire more. */
	STAILQ_REMOVE_HEAD(&queue, next);
	waiting--;
	r->fn(r->arg);
	free(r);
}

unsigned rcu_poll(void)
{
	const struct retired *r;

	while ((r = STAILQ_FIRST(&queue)) != NULL) {
		if (rte_rcu_qsbr_check(qsbr, r->token, false) != 1)
			break;
		if (r->ready != NULL && !r->ready(r->arg))
			break;
		run_first();
	}
	return waiting;
}

void rcu_synchronize(void)
{
	rte_rcu_qsbr_synchronize(qsbr, RTE_QSBR_THRID_INVALID);
}

void rcu_drain(void)
{
	while (!STAILQ_EMPTY(&queue))
		run_first();
}

void rcu_fini(void)
{
	rcu_drain();
	free(qsbr);
	qsbr = NULL;
	pending_cb = NULL;
}
