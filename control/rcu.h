/* SPDX-License-Identifier: BSD-3-Clause */
/* When may what workers read be freed? After every worker has passed a quiescent state. */
#ifndef VIADUCT_RCU_H
#define VIADUCT_RCU_H

#include <rte_rcu_qsbr.h>

/* One reader per worker, thread ids 0 .. n_workers - 1. NULL on no memory. */
int rcu_init(unsigned n_workers);
struct rte_rcu_qsbr *rcu_qsbr(void);

/* Call fn(arg) on the control thread once no worker can hold arg any more. Order is kept. The
 * object must have been unpublished already. Never blocks. */
void rcu_retire(void (*fn)(void *arg), void *arg);

/* As above, but only once ready(arg) says so too (asked again and again); e.g. packets of an SA
 * are still inside a crypto device. */
void rcu_retire_when(_Bool (*ready)(void *arg), void (*fn)(void *arg), void *arg);

/* cb() is called when something begins to wait: time to call rcu_poll() now and then. */
void rcu_on_pending(void (*cb)(void));

/* Run what has become safe; the control loop calls it. Returns what is still waiting. */
unsigned rcu_poll(void);

/* Wait here until every worker has been quiescent (microseconds; workers that sleep are offline). */
void rcu_synchronize(void);

/* At exit, workers stopped: run everything. */
void rcu_drain(void);
void rcu_fini(void);

#endif
