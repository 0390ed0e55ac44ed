/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's routes, of all kinds: added, replaced, removed, also without a word. */
#include "netlink_fixture.h"

static void routes_of_all_kinds(void)
{
	begin();
	up();
	ip("route add 10.2.0.0/16 dev vti0");
	ip("route add default via 10.1.0.254");
	ip("route add blackhole 10.3.0.0/16");
	ip("route add unreachable 10.4.0.0/16");
	ip("route add prohibit 10.5.0.0/16");
	ip("route add 10.6.0.0/16 dev lan0p");
	ip("-6 route add 2001:db8:2::/48 dev vti0");
	ip("-6 route add default via 2001:db8:1::fe");
	ip("-6 route add blackhole 2001:db8:3::/48");
	ip("-6 route add 2001:db8:4::/48 via fe80::99 dev lan0");
	ip("route add 10.7.0.0/16 via inet6 fe80::99 dev lan0");
	ip("route add 10.8.0.0/16 dev vti0 table 77"); /* not a table of ours */
	follow();
	EXPECT("10.2.0.1", NH_VTI);
	EXPECT("8.8.8.8", NH_PENDING);
	EXPECT("10.3.0.1", NH_BLACKHOLE);
	EXPECT("10.4.0.1", NH_UNREACHABLE);
	EXPECT("10.5.0.1", NH_PROHIBIT);
	EXPECT("10.6.0.1", NH_KERNEL);
	EXPECT("10.8.0.1", NH_PENDING);
	EXPECT("2001:db8:2::1", NH_VTI);
	EXPECT("2a00::1", NH_PENDING);
	EXPECT("2001:db8:3::1", NH_BLACKHOLE);
	CU_ASSERT_EQUAL(to("2001:db8:4::1")->gateway.v6[15], 0x99);
	CU_ASSERT_EQUAL(to("10.7.0.1")->gateway.family, IP_V6);
	ip("route del 10.2.0.0/16");
	ip("route del default");
	ip("route del blackhole 10.3.0.0/16");
	ip("-6 route del 2001:db8:2::/48");
	ip("-6 route del default");
	ip("-6 route del blackhole 2001:db8:3::/48");
	follow();
	EXPECT("10.2.0.1", NH_NO_ROUTE);
	EXPECT("8.8.8.8", NH_NO_ROUTE);
	EXPECT("10.3.0.1", NH_NO_ROUTE);
	EXPECT("2001:db8:2::1", NH_NO_ROUTE);
	EXPECT("2a00::1", NH_NO_ROUTE);
	EXPECT("2001:db8:3::1", NH_NO_ROUTE);
	end();
}

static void metrics_replace_append(void)
{
	begin();
	up();
	ip("route add 10.2.0.0/16 dev vti0 metric 10");
	ip("route add 10.2.0.0/16 via 10.1.0.254 metric 5");
	follow();
	EXPECT("10.2.0.1", NH_PENDING);
	ip("route replace blackhole 10.2.0.0/16 metric 5");
	follow();
	EXPECT("10.2.0.1", NH_BLACKHOLE);
	ip("route del 10.2.0.0/16 metric 5");
	follow();
	EXPECT("10.2.0.1", NH_VTI);
	/* Side by side: the first one counts, and leaves the field to the other. */
	ip("route append 10.2.0.0/16 via 10.1.0.253 metric 10");
	follow();
	EXPECT("10.2.0.1", NH_VTI);
	ip("route del 10.2.0.0/16 dev vti0 metric 10");
	follow();
	EXPECT("10.2.0.1", NH_PENDING);
	ip("-6 route add 2001:db8:2::/48 via 2001:db8:1::fe metric 5");
	ip("-6 route replace 2001:db8:2::/48 via 2001:db8:1::fd metric 5");
	ip("-6 route add 2001:db8:2::/48 dev vti0 metric 10");
	follow();
	CU_ASSERT_EQUAL(to("2001:db8:2::1")->gateway.v6[15], 0xfd);
	ip("-6 route del 2001:db8:2::/48 metric 5");
	follow();
	EXPECT("2001:db8:2::1", NH_VTI);
	end();
}

static void multipath_uses_one_hop(void)
{
	begin();
	up();
	ip("route add 10.2.0.0/16 nexthop via 10.1.0.254 nexthop dev vti0");
	ip("-6 route add 2001:db8:2::/48 nexthop via 2001:db8:1::fe nexthop via 2001:db8:1::fd");
	follow();
	CU_ASSERT_EQUAL(to("10.2.0.1")->gateway.v4, parse("10.1.0.254").v4);
	CU_ASSERT_EQUAL(to("2001:db8:2::1")->gateway.v6[15], 0xfe);
	/* A hop of an IPv6 route can go alone, the rest stays. */
	ip("-6 route del 2001:db8:2::/48 via 2001:db8:1::fe");
	follow();
	CU_ASSERT_EQUAL(to("2001:db8:2::1")->gateway.v6[15], 0xfd);
	ip("-6 route append 2001:db8:2::/48 via 2001:db8:1::fc");
	follow();
	ip("-6 route del 2001:db8:2::/48");
	ip("-6 route del 2001:db8:2::/48 2>/dev/null; true");
	follow();
	EXPECT("2001:db8:2::1", NH_NO_ROUTE);
	/* The device of the first hop goes down: nobody says so, the other one is used. */
	ip("link set lan0 down");
	follow();
	EXPECT("10.2.0.1", NH_VTI);
	ip("route del 10.2.0.0/16");
	follow();
	EXPECT("10.2.0.1", NH_NO_ROUTE);
	end();
}

/* Next-hop objects, as FRR uses them. */
static void nexthop_objects(void)
{
	begin();
	up();
	ip("nexthop add id 7 via 10.1.0.254 dev lan0");
	ip("route add 10.2.0.0/16 nhid 7");
	follow();
	CU_ASSERT_EQUAL(to("10.2.0.1")->gateway.v4, parse("10.1.0.254").v4);
	ip("nexthop replace id 7 via 10.1.0.253 dev lan0");
	follow();
	CU_ASSERT_EQUAL(to("10.2.0.1")->gateway.v4, parse("10.1.0.253").v4);
	ip("nexthop add id 8 via 10.1.0.252 dev lan0");
	ip("nexthop add id 9 group 8/7");
	ip("route replace 10.2.0.0/16 nhid 9");
	follow();
	CU_ASSERT_EQUAL(to("10.2.0.1")->gateway.v4, parse("10.1.0.252").v4);
	ip("nexthop del id 8"); /* out of the group as well */
	follow();
	CU_ASSERT_EQUAL(to("10.2.0.1")->gateway.v4, parse("10.1.0.253").v4);
	ip("nexthop del id 9");
	follow();
	EXPECT("10.2.0.1", NH_NO_ROUTE);
	end();
}

/* The kernel drops IPv4 routes without telling when their device or source address goes. */
static void silent_removals_are_noticed(void)
{
	begin();
	up();
	ip("addr add 10.9.9.9/32 dev lan0");
	ip("route add 10.2.0.0/16 dev vti0");
	ip("-6 route add 2001:db8:2::/48 dev vti0");
	ip("route add 10.3.0.0/16 via 10.1.0.254 src 10.9.9.9");
	follow();
	EXPECT("10.2.0.1", NH_VTI);
	EXPECT("10.3.0.1", NH_PENDING);
	ip("addr del 10.9.9.9/32 dev lan0");
	follow();
	EXPECT("10.3.0.1", NH_NO_ROUTE);
	ip("link set vti0 down");
	follow();
	EXPECT("10.2.0.1", NH_GUARD);
	EXPECT("2001:db8:2::1", NH_GUARD);
	CU_ASSERT_FALSE(told[1].up);
	EXPECT("10.1.0.1", NH_LOCAL);
	end();
}

/* Down, down and up at once, deleted by hand: no packet for the tunnel takes the default route. */
static void tunnels_routes_are_guarded(void)
{
	begin();
	up();
	ip("route add default via 10.1.0.254");
	ip("-6 route add default via 2001:db8:1::fe");
	ip("route add 10.2.0.0/16 dev vti0");
	ip("-6 route add 2001:db8:2::/48 dev vti0");
	follow();
	ip("link set vti0 down");
	ip("link set vti0 up");
	follow();
	EXPECT("10.2.0.1", NH_GUARD);
	EXPECT("2001:db8:2::1", NH_GUARD);
	EXPECT("10.3.0.1", NH_PENDING);
	ip("route add 10.2.0.0/16 dev vti0");
	ip("-6 route add 2001:db8:2::/48 dev vti0");
	follow();
	EXPECT("10.2.0.1", NH_VTI);
	EXPECT("2001:db8:2::1", NH_VTI);
	ip("route del 10.2.0.0/16 dev vti0");
	follow();
	EXPECT("10.2.0.1", NH_PENDING);
	ip("route add 10.2.0.0/16 dev vti0");
	follow();
	ip("link del vti0");
	follow();
	EXPECT("10.2.0.1", NH_GUARD);
	EXPECT("2001:db8:2::1", NH_GUARD);
	ip("route add 10.2.0.0/16 via 10.1.0.253");
	follow();
	EXPECT("10.2.0.1", NH_PENDING);
	end();
}

NETLINK_MAIN("netlink_route", UNIT_TEST(routes_of_all_kinds), UNIT_TEST(metrics_replace_append),
	UNIT_TEST(multipath_uses_one_hop), UNIT_TEST(nexthop_objects),
	UNIT_TEST(silent_removals_are_noticed), UNIT_TEST(tunnels_routes_are_guarded))
