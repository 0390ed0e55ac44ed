/* SPDX-License-Identifier: BSD-3-Clause */
/* The routing table: which candidate is used, and which next hop it leads to. */
#include "rib_fixture.h"

#include <linux/neighbour.h>

static const struct rte_ether_addr mac = {{0x02, 0, 0, 0, 0, 0xaa}};

static void kinds_of_next_hops(void)
{
	struct rib_route r;

	begin(100);
	add(kernel_route("10.1.0.0", 16, NULL, port[0], 0));
	add(kernel_route("10.2.0.0", 16, NULL, vti[0], 0));
	add(kernel_route("10.3.0.0", 16, "10.1.0.1", port[0], 0));
	add(kernel_route("10.4.0.0", 16, "10.1.0.1", vti[1], 0));
	add(kernel_route("10.5.0.0", 16, NULL, NULL, 0));
	r = kernel_route("10.1.0.9", 32, NULL, port[0], 0);
	r.type = VIADUCT_ROUTE_LOCAL;
	r.table = RT_TABLE_LOCAL;
	add(r);
	r = kernel_route("10.6.0.0", 16, NULL, NULL, 0);
	r.type = VIADUCT_ROUTE_BLACKHOLE;
	add(r);
	add(kernel_route("2001:db8:2::", 48, NULL, vti[0], 1024));
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_NO_ROUTE); /* not before the commit */
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_GLEAN);
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.1.0.5")->iface, port[0]);
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.9")->type, NH_LOCAL);
	CU_ASSERT_EQUAL(nexthop_to("10.2.0.5")->type, NH_VTI);
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.2.0.5")->iface, vti[0]);
	CU_ASSERT_EQUAL(nexthop_to("10.3.0.5")->type, NH_PENDING);
	CU_ASSERT_EQUAL(nexthop_to("10.3.0.5")->gateway.v4, parse("10.1.0.1").v4);
	CU_ASSERT_EQUAL(nexthop_to("10.4.0.5")->type, NH_VTI);
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.4.0.5")->iface, vti[1]);
	CU_ASSERT_EQUAL(nexthop_to("10.5.0.5")->type, NH_KERNEL);
	CU_ASSERT_EQUAL(nexthop_to("10.6.0.5")->type, NH_BLACKHOLE);
	CU_ASSERT_EQUAL(nexthop_to("10.7.0.5")->type, NH_NO_ROUTE);
	CU_ASSERT_PTR_EQUAL(nexthop_to("2001:db8:2::1")->iface, vti[0]);
	CU_ASSERT_EQUAL(rib_count(IP_V4), 7);
	CU_ASSERT_EQUAL(rib_count(IP_V6), 1);
	end();
}

static void best_candidate_wins(void)
{
	struct viaduct_route out;
	struct addr dst = parse("10.2.0.1");
	struct rib_route r;

	begin(100);
	r = kernel_route("10.2.0.0", 16, NULL, vti[1], 50);
	r.origin = VIADUCT_ORIGIN_API;
	r.table = r.kernel_oif = 0;
	add(r);
	rib_commit();
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.2.0.1")->iface, vti[1]);
	/* The kernel's come first, whatever the metric; among them the lowest metric. */
	add(kernel_route("10.2.0.0", 16, NULL, vti[0], 200));
	add(kernel_route("10.2.0.0", 16, "10.9.9.9", port[0], 100));
	rib_commit();
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.2.0.1")->iface, port[0]);
	CU_ASSERT_EQUAL(rib_lookup(&dst, &out), 0);
	CU_ASSERT_EQUAL(out.metric, 100);
	CU_ASSERT_EQUAL(out.active, 1);
	CU_ASSERT_STRING_EQUAL(out.dev, "lan0");
	CU_ASSERT_STRING_EQUAL(out.state, "pending");
	CU_ASSERT_EQUAL(out.gateway.family, 4);
	CU_ASSERT_EQUAL(out.prefix_len, 16);
	/* Replaced in place. */
	add(kernel_route("10.2.0.0", 16, NULL, vti[1], 100));
	rib_commit();
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.2.0.1")->iface, vti[1]);
	CU_ASSERT_EQUAL(rib_count(IP_V4), 3);
	r = kernel_route("10.2.0.0", 16, NULL, NULL, 100);
	r.kernel_oif = 0;
	CU_ASSERT_EQUAL(rib_del(&r, NULL), 0);
	CU_ASSERT_EQUAL(rib_del(&r, NULL), -ENOENT);
	rib_commit();
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.2.0.1")->iface, vti[0]);
	end();
}

static void fixed_prefixes_are_refused(void)
{
	struct rib_route r;
	struct viaduct_route out;
	struct addr group = parse("224.0.0.5");
	struct err e;

	begin(100);
	r = kernel_route("fe80::", 64, NULL, port[0], 256);
	CU_ASSERT_EQUAL(rib_add(&r, &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "link-local"));
	CU_ASSERT_EQUAL(rib_count(IP_V6), 0);
	CU_ASSERT_EQUAL(rib_lookup(&group, &out), 0);
	CU_ASSERT_EQUAL(out.type, VIADUCT_ROUTE_LOCAL);
	CU_ASSERT_EQUAL(out.prefix_len, 4);
	end();
}

static void neighbours_get_host_routes_where_they_are_connected(void)
{
	struct addr on = parse("10.1.0.5"), off = parse("10.7.0.5"), on6 = parse("2001:db8::5"),
		    ll = parse("fe80::5");
	struct rib_route r;

	begin(100);
	/* Neighbours may be known before the network is. */
	neigh_update(port[0], &on, &mac, NUD_REACHABLE);
	neigh_update(port[0], &off, &mac, NUD_STALE);
	neigh_update(port[0], &on6, &mac, NUD_STALE);
	neigh_update(port[0], &ll, &mac, NUD_STALE);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_NO_ROUTE);
	add(kernel_route("10.1.0.0", 24, NULL, port[0], 0));
	add(kernel_route("2001:db8::", 64, NULL, port[0], 256));
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_PORT);
	CU_ASSERT_EQUAL(memcmp(nexthop_to("10.1.0.5")->l2, &mac, 6), 0);
	CU_ASSERT_EQUAL(nexthop_to("2001:db8::5")->type, NH_PORT);
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.6")->type, NH_GLEAN);
	CU_ASSERT_EQUAL(nexthop_to("10.7.0.5")->type, NH_NO_ROUTE);
	CU_ASSERT_EQUAL(nexthop_to("fe80::5")->type, NH_LOCAL);
	CU_ASSERT_EQUAL(rib_count(IP_V4), 2);
	/* A more specific route takes the address elsewhere. */
	add(kernel_route("10.1.0.4", 30, NULL, vti[0], 0));
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_VTI);
	r = kernel_route("10.1.0.4", 30, NULL, vti[0], 0);
	rib_del(&r, NULL);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_PORT);
	/* A host route on the same network says no more than the network's. */
	add(kernel_route("10.1.0.5", 32, NULL, port[0], 0));
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_PORT);
	/* But one of the router's own addresses stays its own. */
	r = kernel_route("10.1.0.5", 32, NULL, port[0], 0);
	r.type = VIADUCT_ROUTE_LOCAL;
	r.table = RT_TABLE_LOCAL;
	add(r);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_LOCAL);
	rib_del(&r, NULL);
	/* Lost, and the network gone. */
	neigh_update(port[0], &on, NULL, NUD_FAILED);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_GLEAN);
	r = kernel_route("2001:db8::", 64, NULL, port[0], 256);
	rib_del(&r, NULL);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("2001:db8::5")->type, NH_NO_ROUTE);
	CU_ASSERT_EQUAL(rib_count(IP_V6), 0);
	end();
}

static void gateways_are_resolved_under_the_routes(void)
{
	struct addr gw = parse("10.1.0.1"), ll = parse("fe80::1");
	uint32_t id;

	begin(100);
	neigh_update(port[0], &ll, &mac, NUD_STALE);
	add(kernel_route("10.1.0.0", 24, NULL, port[0], 0));
	add(kernel_route("0.0.0.0", 0, "10.1.0.1", port[0], 0));
	add(kernel_route("::", 0, "fe80::1", port[0], 1024));
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("::1234")->type, NH_PORT);
	CU_ASSERT_EQUAL(nexthop_to("8.8.8.8")->type, NH_PENDING);
	id = nexthop_to("8.8.8.8")->id;
	neigh_update(port[0], &gw, &mac, NUD_REACHABLE);
	CU_ASSERT_EQUAL(nexthop_to("8.8.8.8")->type, NH_PORT); /* at once, without a commit */
	CU_ASSERT_EQUAL(nexthop_to("8.8.8.8")->id, id);
	rib_commit();
	/* The host route to the gateway and the routes through it share one next hop. */
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.1")->id, id);
	neigh_delete(port[0], &gw);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("8.8.8.8")->type, NH_PENDING);
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.1")->type, NH_GLEAN);
	end();
}

static unsigned n_marked_full;

static int count_full(const struct viaduct_route *r, void *arg)
{
	(void)arg;
	if (strcmp(r->state, "fib full") == 0) {
		CU_ASSERT_EQUAL(r->active, 0);
		n_marked_full++;
	} else {
		CU_ASSERT_EQUAL(r->active, 1);
	}
	return 0;
}

static void full_fib_marks_routes_and_heals(void)
{
	struct rib_route r;
	unsigned full;

	begin(16);
	r = kernel_route("20.0.0.0", 24, NULL, vti[0], 0);
	for (unsigned i = 0; i < 100; i++) {
		r.prefix.v4 = htonl(20u << 24 | i << 8);
		r.iface = vti[i & 1];
		CU_ASSERT_EQUAL(rib_add(&r, NULL), 0);
	}
	rib_commit();
	full = rib_refused();
	CU_ASSERT_TRUE(full > 50 && full < 100);
	n_marked_full = 0;
	rib_each(count_full, NULL);
	CU_ASSERT_EQUAL(n_marked_full, full);
	/* Take away ten that are in use: as many of the others come in. */
	for (unsigned i = 0; i < 10; i++) {
		r.prefix.v4 = htonl(20u << 24 | i << 8);
		r.iface = vti[i & 1];
		CU_ASSERT_EQUAL(rib_del(&r, NULL), 0);
	}
	rib_commit();
	CU_ASSERT_TRUE(rib_refused() < full - 5);
	n_marked_full = 0;
	rib_each(count_full, NULL);
	CU_ASSERT_EQUAL(n_marked_full, rib_refused());
	CU_ASSERT_EQUAL(rib_count(IP_V4), 90);
	for (unsigned i = 10; i < 100; i++) {
		r.prefix.v4 = htonl(20u << 24 | i << 8);
		r.iface = vti[i & 1];
		CU_ASSERT_EQUAL(rib_del(&r, NULL), 0);
	}
	rib_commit();
	CU_ASSERT_EQUAL(rib_refused(), 0);
	CU_ASSERT_EQUAL(rib_count(IP_V4), 0);
	end();
}

static void mark_and_sweep(void)
{
	struct rib_route api;

	begin(100);
	api = kernel_route("10.8.0.0", 16, NULL, vti[0], 0);
	api.origin = VIADUCT_ORIGIN_API;
	api.iface = vti[0];
	add(api);
	add(kernel_route("10.1.0.0", 16, NULL, port[0], 0));
	add(kernel_route("10.2.0.0", 16, NULL, port[0], 0));
	add(kernel_route("2001:db8::", 32, NULL, port[0], 0));
	rib_commit();
	rib_mark(IP_V4);
	add(kernel_route("10.2.0.0", 16, NULL, port[0], 0));
	rib_sweep(IP_V4);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.1")->type, NH_NO_ROUTE);
	CU_ASSERT_EQUAL(nexthop_to("10.2.0.1")->type, NH_GLEAN);
	CU_ASSERT_EQUAL(nexthop_to("10.8.0.1")->type, NH_VTI);
	CU_ASSERT_EQUAL(nexthop_to("2001:db8::1")->type, NH_GLEAN);
	CU_ASSERT_EQUAL(rib_count(IP_V4), 2);
	end();
}

UNIT_EAL_MAIN("rib", UNIT_TEST(kinds_of_next_hops), UNIT_TEST(best_candidate_wins),
	UNIT_TEST(fixed_prefixes_are_refused),
	UNIT_TEST(neighbours_get_host_routes_where_they_are_connected),
	UNIT_TEST(gateways_are_resolved_under_the_routes),
	UNIT_TEST(full_fib_marks_routes_and_heals), UNIT_TEST(mark_and_sweep))
