/* SPDX-License-Identifier: BSD-3-Clause */
/* Changing a FIB while workers read it: left-right over two copies (see dataplane/fib.h). */
#ifndef VIADUCT_FIB_WRITER_H
#define VIADUCT_FIB_WRITER_H

#include "dataplane/addr.h"
#include "dataplane/fib.h"

/* Make the VRF's FIB (both copies of both families) and publish it in fib_table. Multicast,
 * link-local and broadcast destinations lead to NH_ID_LOCAL from the start. 0 or negative errno. */
int fib_create(uint8_t vrf, uint32_t max_routes4, uint32_t max_routes6);
void fib_destroy(uint8_t vrf);

/* Queue one change: prefix (host bits zero) to next hop id, or its removal. 0 or -ENOMEM. */
int fib_set(uint8_t vrf, const struct addr *prefix, uint8_t len, uint32_t nh_id);
int fib_unset(uint8_t vrf, const struct addr *prefix, uint8_t len);

/* Apply what is queued: edit the idle copy, swap, rcu_synchronize(), edit the other. Changes that
 * a full table refuses are counted and logged once. Returns their number. */
unsigned fib_commit(uint8_t vrf);

#endif
