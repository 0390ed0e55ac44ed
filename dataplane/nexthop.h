/* SPDX-License-Identifier: BSD-3-Clause */
/* What a route points to. A FIB entry holds a next hop's id; nexthop_table turns it into the
 * structure, which is never changed once published: the control thread builds another one,
 * stores its pointer and retires the old one through RCU. */
#ifndef VIADUCT_NEXTHOP_H
#define VIADUCT_NEXTHOP_H

#include "dataplane/addr.h"
#include "dataplane/iface.h"

#define NEXTHOP_MAX (1u << 20)

enum nexthop_type {
	NH_NO_ROUTE,    /* id 0: nothing matched */
	NH_BLACKHOLE,   /* drop silently */
	NH_UNREACHABLE, /* drop, ICMP host unreachable */
	NH_PROHIBIT,    /* drop, ICMP administratively prohibited */
	NH_GUARD,       /* led into a tunnel that is gone: drop, ICMP host unreachable */
	NH_FIB_FULL,    /* the kernel's to route, were the table not `partial`: drop */
	NH_LOCAL,       /* an address of the router's own (or multicast): to the kernel, or ESP */
	NH_KERNEL,      /* the kernel routes it to a device that is not ours: to the kernel */
	NH_GLEAN, /* connected network, neighbour not yet known: resolve the packet's destination */
	NH_PENDING, /* gateway not yet resolved: resolve `gateway` */
	NH_PORT,    /* resolved: `l2` goes in front, out of `iface` */
	NH_VTI,     /* through the tunnel `iface` */
};

/* Fixed ids, so that a FIB can be filled before anything else exists. */
enum nexthop_id {
	NH_ID_NO_ROUTE = 0,
	NH_ID_BLACKHOLE,
	NH_ID_UNREACHABLE,
	NH_ID_PROHIBIT,
	NH_ID_GUARD,
	NH_ID_FIB_FULL,
	NH_ID_KERNEL,
	NH_ID_LOCAL,
	NH_ID_DYNAMIC
};

struct nexthop {
	uint8_t type; /* enum nexthop_type */
	/* NH_PORT: the whole link-layer header, 14 bytes for Ethernet, 18 on a VLAN. Its last two, the
	 * EtherType, are written for each packet's family. */
	uint8_t l2_len;
	uint8_t l2[RTE_ETHER_HDR_LEN + 4];
	/* A longer prefix, into a tunnel, found no room in the FIB, and its packets come here: none
	 * that is only forwarded may leave (control/routing/rib_cover.c). */
	bool partial;
	uint32_t id;
	struct iface *iface; /* of the types GLEAN, PENDING, PORT, VTI */
	struct addr gateway; /* NH_PENDING, NH_PORT by way of a gateway */
} __rte_cache_aligned;

extern struct nexthop *_Atomic nexthop_table[NEXTHOP_MAX];

static inline const struct nexthop *nexthop_by_id(uint32_t id)
{
	return atomic_load_explicit(&nexthop_table[id], memory_order_acquire);
}

#endif
