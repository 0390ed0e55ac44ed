/* SPDX-License-Identifier: BSD-3-Clause */
/* The workers as threads: made, launched on their lcores, stopped. */
#ifndef VIADUCT_WORKERS_H
#define VIADUCT_WORKERS_H

#include "control/err.h"
#include "dataplane/worker.h"

/* n workers that know each other; none runs yet. NULL with *e. */
struct worker **workers_new(unsigned n, struct rte_mempool *pool, struct err *e);
/* They must be stopped. */
void workers_free(struct worker **workers, unsigned n);

/* Worker i on lcore i + 1. idle_us: see worker_run(). */
int workers_launch(struct worker **workers, unsigned n, unsigned idle_us, struct err *e);
/* Ask them to stop and wait until they have. */
void workers_stop(void);

/* Has every worker made a turn since the last call? */
bool workers_alive(struct worker **workers, unsigned n);

#endif
