/* SPDX-License-Identifier: BSD-3-Clause */
/* The routing table with its next hops and FIB, two ports and two VTIs, without a kernel. */
#ifndef VIADUCT_TEST_RIB_FIXTURE_H
#define VIADUCT_TEST_RIB_FIXTURE_H

#include "control/iface/ifaces.h"
#include "control/rcu.h"
#include "control/routing/fib_writer.h"
#include "control/routing/neigh.h"
#include "control/routing/nexthops.h"
#include "control/routing/rib.h"

#include "unit.h"

#include <rte_eal.h>

#include <arpa/inet.h>
#include <linux/rtnetlink.h>

static struct iface *port[2], *vti[2];

static inline struct addr parse(const char *text)
{
	struct addr a = {.family = strchr(text, ':') != NULL ? IP_V6 : IP_V4};

	CU_ASSERT_EQUAL_FATAL(inet_pton(a.family == IP_V6 ? AF_INET6 : AF_INET, text, a.v6), 1);
	return a;
}

static inline struct iface *make_iface(enum iface_kind kind, const char *name, unsigned ifindex)
{
	struct iface *i = iface_new(kind, name, 1);

	i->kernel_ifindex = ifindex;
	i->mac = (struct rte_ether_addr){{0x02, 0, 0, 0, 1, ifindex}};
	iface_publish(i);
	return i;
}

static inline void begin(uint32_t max_routes)
{
	CU_ASSERT_EQUAL_FATAL(rcu_init(1), 0);
	CU_ASSERT_EQUAL_FATAL(nexthops_init(), 0);
	CU_ASSERT_EQUAL_FATAL(fib_create(0, max_routes, max_routes), 0);
	port[0] = make_iface(IFACE_PORT, "lan0", 10);
	port[1] = make_iface(IFACE_PORT, "wan0", 11);
	vti[0] = make_iface(IFACE_VTI, "vti0", 12);
	vti[1] = make_iface(IFACE_VTI, "vti1", 13);
}

static inline void end(void)
{
	neigh_fini();
	rib_fini();
	for (unsigned i = 0; i < 2; i++) {
		iface_retire(port[i]);
		iface_retire(vti[i]);
	}
	fib_destroy(0);
	rcu_drain();
	nexthops_fini();
	rcu_fini();
}

/* "10.0.0.0/8" by way of gateway (may be NULL) on iface. */
static inline struct rib_route kernel_route(
	const char *prefix, uint8_t len, const char *gateway, struct iface *iface, uint32_t metric)
{
	struct rib_route r = {
		.prefix = parse(prefix),
		.prefix_len = len,
		.type = VIADUCT_ROUTE_UNICAST,
		.origin = VIADUCT_ORIGIN_KERNEL,
		.metric = metric,
		.iface = iface,
		.kernel_oif = iface == NULL ? 1 : iface->kernel_ifindex,
		.table = RT_TABLE_MAIN,
	};

	if (gateway != NULL)
		r.gateway = parse(gateway);
	return r;
}

static inline void add(struct rib_route r)
{
	struct err e;

	CU_ASSERT_EQUAL_FATAL(rib_add(&r, &e), 0);
}

static inline const struct nexthop *nexthop_to(const char *dst)
{
	struct addr a = parse(dst);

	return nexthop_by_id(fib_lookup(fib_by_vrf(0), a.family, a.v6));
}

#endif
