/* SPDX-License-Identifier: BSD-3-Clause */
/* The pool of packet buffers. */
#ifndef VIADUCT_PACKET_POOL_H
#define VIADUCT_PACKET_POOL_H

#include <rte_mempool.h>

/* n buffers with room for `size` bytes behind the headroom, and caches of `cache` buffers for each
 * thread in front of them. NULL with rte_errno. */
struct rte_mempool *packet_pool_new(unsigned n, unsigned cache, unsigned size);

#endif
