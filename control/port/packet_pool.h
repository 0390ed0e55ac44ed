/* SPDX-License-Identifier: BSD-3-Clause */
/* The pools of packet buffers: ordinary ones, and some that hold the largest IP packet. */
#ifndef VIADUCT_PACKET_POOL_H
#define VIADUCT_PACKET_POOL_H

#include "config/config.h"

#include <rte_mempool.h>

/* n buffers with room for `size` bytes behind the headroom, and caches of `cache` buffers for each
 * thread in front of them. NULL with rte_errno. */
struct rte_mempool *packet_pool_new(unsigned n, unsigned cache, unsigned size);

/* The size: mbuf_size, or what the largest MTU of any port needs. */
uint32_t packet_buffer_size(const struct config *c);

/* Make and free dataplane/buffer.h's large buffers. Negative errno. */
int large_buffers_new(const struct config *c);
void large_buffers_free(void);
unsigned large_buffers_wanted(const struct config *c);

#endif
