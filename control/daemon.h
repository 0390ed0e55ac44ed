/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon as a whole: what main() puts together and others may ask for. */
#ifndef VIADUCT_DAEMON_H
#define VIADUCT_DAEMON_H

#include "config/config.h"
#include "control/err.h"
#include "dataplane/worker.h"

#include <viaduct_api.h>

struct config_source;

struct daemon_state {
	const struct config *config;
	struct worker **workers;
	unsigned n_workers;
	struct rte_mempool *pool;
	uint64_t started_ns; /* CLOCK_MONOTONIC */
	bool lookaside;      /* crypto runs on a cryptodev */
};

extern struct daemon_state daemon_state;

/* Start everything, serve until SIGTERM or SIGINT, stop everything. 0, or a negative errno when it
 * could not start. */
int daemon_run(struct config *c, const struct config_source *source, struct err *e);

#define VIADUCT_VERSION_STRING "viaductd " VIADUCT_VERSION

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t monotonic_ns(void);

void daemon_status(struct viaduct_status *st);
void worker_fill_info(unsigned i, struct viaduct_worker_info *info);
/* Sum over workers, the host thread and packets that waited for a neighbour or an SA. */
uint64_t drop_sum(unsigned reason);

#endif
