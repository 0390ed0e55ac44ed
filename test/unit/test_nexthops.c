/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/iface/ifaces.h"
#include "control/rcu.h"
#include "control/routing/nexthops.h"

#include "unit.h"

#include <rte_eal.h>

#include <arpa/inet.h>

static struct iface *wan, *vti;
static const struct rte_ether_addr mac_a = {{0x02, 0, 0, 0, 0, 0xaa}};
static const struct rte_ether_addr mac_b = {{0x02, 0, 0, 0, 0, 0xbb}};

static struct addr gw(unsigned last)
{
	return addr_v4(htonl(10u << 24 | last));
}

static void begin(void)
{
	CU_ASSERT_EQUAL_FATAL(rcu_init(1), 0);
	CU_ASSERT_EQUAL_FATAL(nexthops_init(), 0);
	wan = iface_new(IFACE_PORT, "wan0", 1);
	vti = iface_new(IFACE_VTI, "vti0", 1);
	wan->mac = (struct rte_ether_addr){{0x02, 0, 0, 0, 0, 1}};
	iface_publish(wan);
	iface_publish(vti);
}

static void end(void)
{
	iface_retire(wan);
	iface_retire(vti);
	rcu_drain();
	nexthops_fini();
	rcu_fini();
}

static void fixed_ones_are_there(void)
{
	begin();
	CU_ASSERT_EQUAL(nexthop_by_id(NH_ID_NO_ROUTE)->type, NH_NO_ROUTE);
	CU_ASSERT_EQUAL(nexthop_by_id(NH_ID_LOCAL)->type, NH_LOCAL);
	CU_ASSERT_EQUAL(nexthop_by_id(NH_ID_KERNEL)->type, NH_KERNEL);
	CU_ASSERT_EQUAL(nexthop_get(NH_BLACKHOLE, NULL, NULL, NULL), NH_ID_BLACKHOLE);
	CU_ASSERT_EQUAL(nexthop_get(NH_UNREACHABLE, NULL, NULL, NULL), NH_ID_UNREACHABLE);
	CU_ASSERT_EQUAL(nexthop_get(NH_PROHIBIT, NULL, NULL, NULL), NH_ID_PROHIBIT);
	CU_ASSERT_PTR_NULL(nexthop_by_id(NH_ID_DYNAMIC));
	nexthop_put(NH_ID_LOCAL);
	nexthops_reap();
	CU_ASSERT_PTR_NOT_NULL(nexthop_by_id(NH_ID_LOCAL));
	end();
}

static void equal_ones_are_shared(void)
{
	struct addr a = gw(1), b = gw(2);
	uint32_t v, w, g;

	begin();
	v = nexthop_get(NH_VTI, vti, NULL, NULL);
	CU_ASSERT_EQUAL(v, NH_ID_DYNAMIC);                      /* dense */
	CU_ASSERT_EQUAL(nexthop_get(NH_VTI, vti, &a, NULL), v); /* a tunnel has no gateways */
	w = nexthop_get(NH_PENDING, wan, &a, NULL);
	CU_ASSERT_EQUAL(w, v + 1);
	CU_ASSERT_EQUAL(nexthop_get(NH_PENDING, wan, &a, NULL), w);
	CU_ASSERT_EQUAL(nexthop_get(NH_PENDING, wan, &b, NULL), w + 1);
	g = nexthop_get(NH_GLEAN, wan, NULL, NULL);
	CU_ASSERT_EQUAL(g, w + 2);
	CU_ASSERT_EQUAL(nexthop_by_id(v)->type, NH_VTI);
	CU_ASSERT_PTR_EQUAL(nexthop_by_id(v)->iface, vti);
	CU_ASSERT_EQUAL(nexthop_by_id(w)->type, NH_PENDING);
	CU_ASSERT_TRUE(addr_eq(&nexthop_by_id(w)->gateway, &a));
	CU_ASSERT_EQUAL(nexthop_by_id(g)->type, NH_GLEAN);
	CU_ASSERT_EQUAL(nexthop_by_id(g)->gateway.family, IP_NONE);
	CU_ASSERT_EQUAL(nexthop_count(), NH_ID_DYNAMIC + 4);
	end();
}

/* Its header has the tag, and room for the EtherType. */
static void header_of_a_vlan(void)
{
	static const uint8_t header[] = {
		2, 0, 0, 0, 0, 0xaa, 2, 0, 0, 0, 0, 1, 0x81, 0x00, 0x0a, 0xbc};
	const struct nexthop *nh;
	struct addr a = gw(1);

	begin();
	wan->vlan = 0xabc;
	nh = nexthop_by_id(nexthop_get(NH_PORT, wan, &a, &mac_a));
	CU_ASSERT_EQUAL(nh->l2_len, sizeof(header) + 2);
	CU_ASSERT_EQUAL(memcmp(nh->l2, header, sizeof(header)), 0);
	end();
}

static void resolving_keeps_the_id(void)
{
	static const uint8_t header_a[] = {2, 0, 0, 0, 0, 0xaa, 2, 0, 0, 0, 0, 1};
	const struct nexthop *nh, *before;
	struct addr a = gw(1);
	uint32_t id;

	begin();
	id = nexthop_get(NH_PENDING, wan, &a, NULL);
	CU_ASSERT_TRUE(nexthop_in_use(wan, &a));
	nexthop_resolve(wan, &a, &mac_a);
	nh = nexthop_by_id(id);
	CU_ASSERT_EQUAL(nh->type, NH_PORT);
	CU_ASSERT_EQUAL(nh->id, id);
	CU_ASSERT_EQUAL(nh->l2_len, 14);
	CU_ASSERT_EQUAL(memcmp(nh->l2, header_a, sizeof(header_a)), 0);
	/* Asking for the gateway's next hop again gives the resolved one. */
	CU_ASSERT_EQUAL(nexthop_get(NH_PENDING, wan, &a, NULL), id);
	CU_ASSERT_EQUAL(nexthop_get(NH_PORT, wan, &a, &mac_a), id);
	CU_ASSERT_PTR_EQUAL(nexthop_by_id(id), nh); /* nothing new: not replaced */
	before = nh;
	nexthop_resolve(wan, &a, &mac_b);
	nh = nexthop_by_id(id);
	CU_ASSERT_PTR_NOT_EQUAL(nh, before);
	CU_ASSERT_EQUAL(nh->l2[5], 0xbb);
	CU_ASSERT_EQUAL(before->l2[5], 0xaa); /* workers may still read it */
	nexthop_resolve(wan, &a, NULL);
	CU_ASSERT_EQUAL(nexthop_by_id(id)->type, NH_PENDING);
	CU_ASSERT_TRUE(addr_eq(&nexthop_by_id(id)->gateway, &a));
	end();
}

static void ids_return_after_the_workers_let_go(void)
{
	struct addr a = gw(1), b = gw(2);
	const struct nexthop *nh;
	uint32_t id;

	begin();
	rte_rcu_qsbr_thread_online(rcu_qsbr(), 0);
	id = nexthop_get(NH_PENDING, wan, &a, NULL);
	nexthop_get(NH_PENDING, wan, &a, NULL);
	nexthop_put(id);
	nexthops_reap();
	CU_ASSERT_PTR_NOT_NULL(nexthop_by_id(id)); /* one reference is left */
	nexthop_put(id);
	CU_ASSERT_FALSE(nexthop_in_use(wan, &a));
	CU_ASSERT_PTR_NOT_NULL(nexthop_by_id(id)); /* FIBs may lead to it until the reap */
	nh = nexthop_by_id(id);
	CU_ASSERT_EQUAL(nexthop_get(NH_PENDING, wan, &a, NULL), id); /* came back in time */
	nexthop_put(id);
	nexthops_reap();
	CU_ASSERT_PTR_NULL(nexthop_by_id(id));
	CU_ASSERT_EQUAL(nh->id, id); /* a worker that has it may go on reading */
	CU_ASSERT_EQUAL(nexthop_get(NH_PENDING, wan, &b, NULL), id + 1);
	rte_rcu_qsbr_quiescent(rcu_qsbr(), 0);
	CU_ASSERT_EQUAL(rcu_poll(), 0);
	CU_ASSERT_EQUAL(nexthop_get(NH_PENDING, wan, &a, NULL), id);
	rte_rcu_qsbr_thread_offline(rcu_qsbr(), 0);
	end();
}

static void names(void)
{
	CU_ASSERT_STRING_EQUAL(nexthop_type_name(NH_VTI), "vti");
	CU_ASSERT_STRING_EQUAL(nexthop_type_name(NH_GLEAN), "glean");
	CU_ASSERT_STRING_EQUAL(nexthop_type_name(NH_VTI + 1), "unknown");
}

UNIT_EAL_MAIN("nexthops", UNIT_TEST(fixed_ones_are_there), UNIT_TEST(equal_ones_are_shared),
	UNIT_TEST(resolving_keeps_the_id), UNIT_TEST(header_of_a_vlan),
	UNIT_TEST(ids_return_after_the_workers_let_go), UNIT_TEST(names))
