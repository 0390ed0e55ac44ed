/* SPDX-License-Identifier: BSD-3-Clause */
/* The next-hop table's control side: one entry per (type, interface, gateway), shared and counted. */
#ifndef VIADUCT_NEXTHOPS_H
#define VIADUCT_NEXTHOPS_H

#include "dataplane/nexthop.h"

int nexthops_init(void); /* the fixed ids */
void nexthops_fini(void);

/* Take a reference to the next hop of this kind, made if need be; its id, 0 on no memory.
 * gateway: NULL or IP_NONE for none. mac: with NH_PORT the neighbour's address. For a gateway whose
 * address is not known ask for NH_PENDING. */
uint32_t nexthop_get(enum nexthop_type type, struct iface *iface, const struct addr *gateway,
	const struct rte_ether_addr *mac);

/* Drop a reference; the last one unpublishes the id once the FIBs have been committed and retires
 * the structure through RCU. */
void nexthop_put(uint32_t id);

/* The gateway's link-layer address was learned, changed or lost (mac NULL): replaces every NH_PORT
 * and NH_PENDING of (iface, gateway) under the same id, so that routes need no change. */
void nexthop_resolve(
	struct iface *iface, const struct addr *gateway, const struct rte_ether_addr *mac);

const char *nexthop_type_name(enum nexthop_type type);

#endif
