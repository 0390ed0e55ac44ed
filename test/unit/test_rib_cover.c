/* SPDX-License-Identifier: BSD-3-Clause */
/* The FIB is full, and a route into a tunnel is missing in it: the prefix around it takes nothing more
 * that is only forwarded, until there is room. */
#include "rib_fixture.h"

#include <linux/neighbour.h>

#define TRIED 100

static const struct rte_ether_addr mac = {{0x02, 0, 0, 0, 0, 0xaa}};

static struct rib_route nth(unsigned i, struct iface *iface)
{
	struct rib_route r = kernel_route("20.0.0.0", 24, NULL, iface, 0);

	r.prefix.v4 = htonl(20u << 24 | i << 8);
	return r;
}

static void fill(struct iface *iface)
{
	for (unsigned i = 0; i < TRIED; i++)
		add(nth(i, iface));
	rib_commit();
	CU_ASSERT(rib_refused() > 50 && rib_refused() < TRIED);
}

static void drain(struct iface *iface, unsigned from)
{
	for (unsigned i = from; i < TRIED; i++) {
		struct rib_route r = nth(i, iface);

		CU_ASSERT_EQUAL(rib_del(&r, NULL), 0);
	}
	rib_commit();
}

static void start(void)
{
	begin(16);
	add(kernel_route("0.0.0.0", 0, "192.0.2.1", port[1], 0));
	rib_commit();
	CU_ASSERT_FALSE(nexthop_to("9.9.9.9")->partial);
}

/* Wherever its packets would go: either into their tunnel, or to a next hop that takes none of them. */
static void none_leaves(void)
{
	for (unsigned i = 0; i < TRIED; i++) {
		uint32_t dst = htonl(20u << 24 | i << 8 | 7);
		const struct nexthop *nh =
			nexthop_by_id(fib_lookup(fib_by_vrf(0), IP_V4, (uint8_t *)&dst));

		CU_ASSERT(nh->type == NH_VTI || nh->partial);
	}
}

static void default_route_is_barred(void)
{
	start();
	fill(vti[0]);
	none_leaves();
	CU_ASSERT(nexthop_to("9.9.9.9")->partial);
	CU_ASSERT_EQUAL(nexthop_to("9.9.9.9")->type, NH_PENDING);
	/* ESP still needs the way. */
	neigh_update(port[1], &(struct addr){.family = IP_V4, .v6 = {192, 0, 2, 1}}, &mac,
		NUD_REACHABLE);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("9.9.9.9")->type, NH_PORT);
	CU_ASSERT(nexthop_to("9.9.9.9")->partial);
	/* Other changes meanwhile. */
	for (unsigned i = 0; i < 5; i++) {
		struct rib_route r = nth(i, vti[0]);

		CU_ASSERT_EQUAL(rib_del(&r, NULL), 0);
		rib_commit();
		CU_ASSERT(nexthop_to("9.9.9.9")->partial);
		add(r);
		rib_commit();
		none_leaves();
	}
	drain(vti[0], 5);
	CU_ASSERT_EQUAL(rib_refused(), 0);
	CU_ASSERT_FALSE(nexthop_to("9.9.9.9")->partial);
	CU_ASSERT_EQUAL(nexthop_to("9.9.9.9")->type, NH_PORT);
	drain(vti[0], TRIED);
	end();
}

/* The longest prefix around them, not those further out; and the next one when it goes. */
static void nearest_prefix_is_barred(void)
{
	struct rib_route near;

	start();
	near = kernel_route("20.0.0.0", 8, "192.0.2.2", port[1], 0);
	add(near);
	rib_commit();
	fill(vti[0]);
	none_leaves();
	CU_ASSERT(nexthop_to("20.255.0.1")->partial);
	CU_ASSERT_FALSE(nexthop_to("9.9.9.9")->partial);
	CU_ASSERT_EQUAL(rib_del(&near, NULL), 0);
	rib_commit();
	none_leaves();
	CU_ASSERT(nexthop_to("9.9.9.9")->partial);
	drain(vti[0], 0);
	CU_ASSERT_FALSE(nexthop_to("9.9.9.9")->partial);
	end();
}

/* Ports' routes that are missing leak nothing; nor do tunnels' with a tunnel around them. */
static void what_does_not_matter(void)
{
	start();
	fill(port[0]);
	CU_ASSERT_FALSE(nexthop_to("9.9.9.9")->partial);
	drain(port[0], 0);
	add(kernel_route("20.0.0.0", 8, NULL, vti[1], 0));
	rib_commit();
	fill(vti[0]);
	CU_ASSERT_FALSE(nexthop_to("9.9.9.9")->partial);
	CU_ASSERT_EQUAL(nexthop_to("20.0.99.1")->type, NH_VTI);
	end();
}

/* To a device of the kernel's alone. */
static void kernels_route_is_barred(void)
{
	begin(16);
	add(kernel_route("0.0.0.0", 0, NULL, NULL, 0));
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("9.9.9.9")->type, NH_KERNEL);
	fill(vti[0]);
	CU_ASSERT_EQUAL(nexthop_to("9.9.9.9")->type, NH_FIB_FULL);
	drain(vti[0], 0);
	CU_ASSERT_EQUAL(nexthop_to("9.9.9.9")->type, NH_KERNEL);
	end();
}

UNIT_EAL_MAIN("rib_cover", UNIT_TEST(default_route_is_barred), UNIT_TEST(nearest_prefix_is_barred),
	UNIT_TEST(what_does_not_matter), UNIT_TEST(kernels_route_is_barred))
