/* SPDX-License-Identifier: BSD-3-Clause */
/* The next-hop table's control side: one entry per (type, interface, gateway), shared and counted. */
#ifndef VIADUCT_NEXTHOPS_H
#define VIADUCT_NEXTHOPS_H

#include "dataplane/nexthop.h"

int nexthops_init(void); /* the fixed ids */
void nexthops_fini(void);

/* Take a reference to the next hop of this kind, made if need be; its id, 0 on no memory.
 * gateway: NULL or IP_NONE for none. mac: with NH_PORT the neighbour's address. For a gateway whose
 * address is not known ask for NH_PENDING; where it is known already the answer is its NH_PORT. */
uint32_t nexthop_get(enum nexthop_type type, struct iface *iface, const struct addr *gateway,
	const struct rte_ether_addr *mac);

/* The same for a prefix around one that has no room in the FIB: see `partial`. */
uint32_t nexthop_get_partial(enum nexthop_type type, struct iface *iface,
	const struct addr *gateway, const struct rte_ether_addr *mac);

/* Drop a reference. One without references stays until nexthops_reap(), since FIBs may still
 * lead to it. */
void nexthop_put(uint32_t id);

/* Unpublish the next hops without references and retire them through RCU; their ids are used again
 * only then. Call it when all FIBs have been committed. */
void nexthops_reap(void);

/* The gateway's link-layer address was learned, changed or lost (mac NULL): replaces every NH_PORT
 * and NH_PENDING of (iface, gateway) under the same id, so that routes need no change. */
void nexthop_resolve(
	struct iface *iface, const struct addr *gateway, const struct rte_ether_addr *mac);

/* Does any route lead through this gateway, or to it? */
bool nexthop_in_use(struct iface *iface, const struct addr *gateway);

unsigned nexthop_count(void); /* fixed ones included */

const char *nexthop_type_name(enum nexthop_type type);

#endif
