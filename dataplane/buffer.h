/* SPDX-License-Identifier: BSD-3-Clause */
/* Every stage sees a packet in one buffer. Ordinary buffers hold the frames of all ports (mbuf_size); what
 * is larger - a chain from a device, ESP that came in fragments, a jumbo packet of the kernel's - is copied
 * into a large one. */
#ifndef VIADUCT_BUFFER_H
#define VIADUCT_BUFFER_H

#include "dataplane/drop.h"
#include "dataplane/pkt.h"

#include <rte_mbuf.h>

struct worker;

/* All that an mbuf can describe. */
#define LARGE_BUFFER_SIZE (UINT16_MAX - RTE_PKTMBUF_HEADROOM)

/* Behind a packet, for ESP's padding, trailer and ICV; its headers have the headroom. */
#define BUFFER_TAIL 64

/* There are few, and they go to no device unless the packet fits nowhere else. NULL: none at all. */
extern struct rte_mempool *large_buffers;

/* Whose buffers hold `len` bytes: the ordinary ones if they do. NULL: none at all. */
struct rte_mempool *buffer_pool(const struct worker *w, uint32_t len);

/* An empty one, which also holds what ESP adds. NULL: none is free. */
struct rte_mbuf *buffer_for(struct worker *w, uint32_t len);

/* A chain's bytes in one buffer. NULL: m is as it was, and *why says which drop it is. */
struct rte_mbuf *buffer_join(struct worker *w, struct rte_mbuf *m, enum drop_reason *why);

/* Move what became small from a large buffer to an ordinary one, if there is any. */
void buffer_leave_large(struct worker *w, struct pkt *p);

#endif
