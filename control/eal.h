/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's environment (EAL): its arguments made from the configuration. */
#ifndef VIADUCT_EAL_H
#define VIADUCT_EAL_H

#include "config/config.h"
#include "control/err.h"

/* Lcore 0 is the control thread on the CPUs that the workers leave over, lcore i + 1 worker i. */
#define WORKER_LCORE(worker) ((worker) + 1)

/* Once per process, before any other of DPDK's functions. */
int eal_start(const struct config *c, struct err *e);
void eal_stop(void);

#endif
