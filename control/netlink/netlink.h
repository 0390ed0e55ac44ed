/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's interfaces, addresses, routes and neighbours, followed by rtnetlink. */
#ifndef VIADUCT_NETLINK_H
#define VIADUCT_NETLINK_H

#include "control/err.h"
#include "dataplane/addr.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;

/* Subscribe, then read the whole state; from then on follow. After an overrun (ENOBUFS) the state
 * is read again and what is gone is removed. */
int netlink_start(struct event_base *base, struct err *e);
void netlink_stop(void);

/* Requests to the kernel about a device, by ifindex. 0 or a negative errno with *e. */
int netlink_set_link(uint32_t ifindex, bool up, struct err *e);
int netlink_set_mtu(uint32_t ifindex, uint32_t mtu, struct err *e);
/* Remove devices of ours together, which takes hardly longer than one alone. Any thread may; those
 * that are gone already are passed over. 0, or a negative errno where they may still be there. */
int netlink_remove_devices(const uint32_t *ifindex, unsigned n);
/* Start or refresh neighbour resolution (NTF_USE). */
int netlink_neigh_use(uint32_t ifindex, const struct addr *a);

struct netlink_stats {
	uint64_t resyncs, routes, links, addrs, neighs; /* messages of each kind */
};
const struct netlink_stats *netlink_stats(void);

#endif
