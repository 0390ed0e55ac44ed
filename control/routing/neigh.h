/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbours as the kernel knows them, packets that wait for one, and keeping used ones alive. */
#ifndef VIADUCT_NEIGH_H
#define VIADUCT_NEIGH_H

#include "dataplane/drop.h"
#include "dataplane/iface.h"

#include <rte_mbuf.h>
#include <viaduct_api.h>

/* The kernel's entry changed (netlink.c). mac NULL: no address (failed or gone). Resolved ones get
 * a host route to an NH_PORT next hop; packets that waited are sent. state: NUD_*. */
void neigh_update(struct iface *iface, const struct addr *a, const struct rte_ether_addr *mac,
	uint16_t state);
void neigh_delete(struct iface *iface, const struct addr *a);

/* NULL or the entry's MAC when it is resolved. */
const struct rte_ether_addr *neigh_mac(struct iface *iface, const struct addr *a);

/* A worker met an unresolved neighbour: hold the packet (bounded), ask the kernel to resolve it. The
 * mbuf is the callee's. */
void neigh_hold(struct iface *iface, const struct addr *a, struct rte_mbuf *m);

/* Routes inside a connected network changed (rib_commit.c): which neighbours have host routes? */
void neigh_recheck(void);

/* Once a second: drop what waited too long, have the kernel confirm stale entries in use. */
void neigh_tick(void);

void neigh_mark(void);
void neigh_sweep(void);
void neigh_forget_iface(struct iface *iface);
unsigned neigh_count(void);
int neigh_each(int (*cb)(const struct viaduct_neigh *n, void *arg), void *arg);
/* Packets dropped here: NEIGH_QUEUE_FULL; 0 for other reasons. Those of NEIGH_FAILED go to a worker, which
 * tells their senders. */
uint64_t neigh_drops(enum drop_reason reason);
void neigh_fini(void);

#endif
