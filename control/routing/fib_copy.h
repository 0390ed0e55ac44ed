/* SPDX-License-Identifier: BSD-3-Clause */
/* One copy of a VRF's tables that nobody reads at the moment: rte_fib and rte_fib6, with what their
 * bookkeeping in DPDK 22.11 gets wrong kept out of sight. */
#ifndef VIADUCT_FIB_COPY_H
#define VIADUCT_FIB_COPY_H

#include "dataplane/addr.h"

#include <rte_fib.h>
#include <rte_fib6.h>

#include <stddef.h>

struct fib_copy {
	struct rte_fib *v4;
	struct rte_fib6 *v6; /* another one after a rebuild */
	char name4[32], name6[32];
	uint32_t max_routes6;
	uint32_t groups4, groups4_max; /* in use by prefixes beyond /24 */
	uint32_t leaked6, groups6_max; /* see rebuild6() */
};

int fib_copy_open(struct fib_copy *c, const char *name, uint32_t max_routes4, uint32_t max_routes6);
void fib_copy_close(struct fib_copy *c);

/* Bytes of DPDK memory of one copy. */
size_t fib_copy_memory(uint32_t max_routes4, uint32_t max_routes6);

/* Add or replace; host bits are zero. -ENOSPC or -ENOMEM where the table is full: it is as before. */
int fib_copy_set(struct fib_copy *c, const struct addr *prefix, uint8_t len, uint32_t nh_id);
/* Nothing happens where there is no such prefix. */
void fib_copy_unset(struct fib_copy *c, const struct addr *prefix, uint8_t len);

#endif
