/* SPDX-License-Identifier: BSD-3-Clause */
/* A port's queues: how many, their sizes and offloads, and which worker has which. */
#ifndef VIADUCT_PORT_QUEUES_H
#define VIADUCT_PORT_QUEUES_H

#include "control/port/ports.h"

/* Configure the device (queues, RSS, MTU) for n workers; sets n_rxq and n_txq. */
int port_queues_setup(struct port *p, const struct config *c, const struct config_port *cp,
	unsigned n, struct rte_mempool *pool, struct err *e);

/* Give the queues to the workers, which do not run yet. */
int port_queues_assign(struct port *p, struct worker **workers, unsigned n, struct err *e);

#endif
