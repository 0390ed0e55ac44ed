/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's links, addresses and neighbours; start and resynchronisation. */
#include "netlink_fixture.h"

/* What is there before the start is read, what comes later is followed. */
static void state_is_read_then_followed(void)
{
	ip("link set lo up");
	begin();
	EXPECT("127.0.0.1", NH_LOCAL);
	EXPECT("10.1.0.1", NH_NO_ROUTE);
	up();
	follow();
	EXPECT("10.1.0.1", NH_LOCAL);
	EXPECT("10.1.0.255", NH_LOCAL);
	EXPECT("10.1.0.5", NH_GLEAN);
	EXPECT("2001:db8:1::1", NH_LOCAL);
	EXPECT("2001:db8:1::5", NH_GLEAN);
	CU_ASSERT_PTR_EQUAL(to("10.1.0.5")->iface, lan);
	CU_ASSERT_TRUE(told[0].up);
	CU_ASSERT_TRUE(told[1].up);
	CU_ASSERT_EQUAL(told[0].mtu, 1500);
	CU_ASSERT_EQUAL(lan->ip4, parse("10.1.0.1").v4);
	CU_ASSERT_PTR_NOT_NULL_FATAL(lan->ip6);
	CU_ASSERT_EQUAL(memcmp(lan->ip6->v6, parse("2001:db8:1::1").v6, 16), 0);
	/* A second follower, started now, finds all of it. */
	netlink_stop();
	rib_fini();
	rib_commit();
	CU_ASSERT_EQUAL(netlink_start(base, NULL), 0);
	EXPECT("10.1.0.1", NH_LOCAL);
	EXPECT("2001:db8:1::5", NH_GLEAN);
	end();
}

/* The kernel calls an IPv6 address usable a moment later. */
#define SOON(condition)                                                                            \
	do {                                                                                       \
		for (unsigned ms = 0; ms < 1000 && !(condition); ms++) {                           \
			usleep(1000);                                                              \
			follow();                                                                  \
		}                                                                                  \
		CU_ASSERT_TRUE(condition);                                                         \
	} while (0)

static bool ip6_is(const struct iface *i, const char *text)
{
	const struct addr want = parse(text);

	return i->ip6 != NULL && addr_eq(i->ip6, &want);
}

static void addresses_of_interfaces(void)
{
	begin();
	up();
	ip("addr add 10.1.0.2/24 dev lan0"); /* secondary */
	ip("addr add 172.16.0.1 peer 172.16.0.2 dev vti0");
	follow();
	CU_ASSERT_EQUAL(lan->ip4, parse("10.1.0.1").v4);
	CU_ASSERT_EQUAL(vti0->ip4, parse("172.16.0.1").v4);
	EXPECT("172.16.0.2", NH_VTI);
	EXPECT("172.16.0.1", NH_LOCAL);
	ip("addr add 10.50.0.1/24 dev lan0");
	ip("addr del 10.1.0.1/24 dev lan0"); /* the secondary one goes with it */
	follow();
	CU_ASSERT_EQUAL(lan->ip4, parse("10.50.0.1").v4);
	EXPECT("10.1.0.1", NH_NO_ROUTE);
	/* Link-local until there is a better one, and again after that. */
	ip("addr del 2001:db8:1::1/64 dev lan0");
	ip("addr add fe80::77/64 dev lan0 nodad");
	ip("-6 addr flush dev lan0 scope link 2>/dev/null; ip addr add fe80::77/64 dev lan0 nodad");
	SOON(ip6_is(lan, "fe80::77"));
	ip("addr add 2001:db8:1::2/64 dev lan0 nodad");
	SOON(ip6_is(lan, "2001:db8:1::2"));
	ip("-6 addr flush dev lan0");
	follow();
	CU_ASSERT_PTR_NULL(lan->ip6);
	end();
}

/* An interface without an address answers from another one's, while that has it. */
static void unnumbered_borrow_an_address(void)
{
	begin();
	ip("addr add 203.0.113.9/24 dev lan0p"); /* not an interface of ours */
	ip("link set vti0 up");
	ip("addr add fe80::77/64 dev vti0 nodad");
	follow();
	CU_ASSERT_EQUAL(vti0->ip4, 0);
	SOON(ip6_is(vti0, "fe80::77")); /* nothing better */
	up();
	follow();
	CU_ASSERT_EQUAL(vti0->ip4, parse("10.1.0.1").v4);
	SOON(ip6_is(vti0, "2001:db8:1::1")); /* a link-local one can't be routed */
	/* The lender's next one. */
	ip("addr add 10.50.0.1/24 dev lan0");
	ip("addr add 2001:db8:50::1/64 dev lan0 nodad");
	ip("addr del 10.1.0.1/24 dev lan0");
	ip("addr del 2001:db8:1::1/64 dev lan0");
	follow();
	CU_ASSERT_EQUAL(vti0->ip4, parse("10.50.0.1").v4);
	CU_ASSERT_EQUAL(lan->ip4, parse("10.50.0.1").v4);
	SOON(ip6_is(vti0, "2001:db8:50::1"));
	/* Its own, and then the roles the other way round. */
	ip("addr add 172.16.0.1/32 dev vti0");
	ip("addr add 2001:db8:16::1/128 dev vti0 nodad");
	follow();
	CU_ASSERT_EQUAL(vti0->ip4, parse("172.16.0.1").v4);
	SOON(ip6_is(vti0, "2001:db8:16::1"));
	ip("addr flush dev lan0");
	follow();
	CU_ASSERT_EQUAL(lan->ip4, parse("172.16.0.1").v4);
	SOON(ip6_is(lan, "2001:db8:16::1"));
	ip("link del vti0");
	follow();
	CU_ASSERT_EQUAL(lan->ip4, 0);
	CU_ASSERT_PTR_NULL(lan->ip6);
	end();
}

/* The loopback device's own address is the router's in any case: unnumbered interfaces prefer it. */
static void unnumbered_prefer_the_loopbacks_address(void)
{
	begin();
	up();
	ip("link set vti0 up");
	ip("link set lo up"); /* 127.0.0.1 and ::1 are nobody's to lend */
	follow();
	CU_ASSERT_EQUAL(vti0->ip4, parse("10.1.0.1").v4);
	SOON(ip6_is(vti0, "2001:db8:1::1"));
	ip("addr add 10.99.0.1/32 dev lo");
	ip("addr add 2001:db8:99::1/128 dev lo nodad");
	follow();
	CU_ASSERT_EQUAL(vti0->ip4, parse("10.99.0.1").v4);
	SOON(ip6_is(vti0, "2001:db8:99::1"));
	CU_ASSERT_EQUAL(lan->ip4, parse("10.1.0.1").v4);
	ip("addr del 10.99.0.1/32 dev lo");
	ip("addr del 2001:db8:99::1/128 dev lo");
	follow();
	CU_ASSERT_EQUAL(vti0->ip4, parse("10.1.0.1").v4);
	SOON(ip6_is(vti0, "2001:db8:1::1"));
	end();
}

static void neighbours(void)
{
	static const uint8_t mac[] = {2, 0, 0, 0, 0, 5};
	struct addr a = parse("10.1.0.7");

	begin();
	up();
	ip("neigh add 10.1.0.5 lladdr 02:00:00:00:00:05 dev lan0");
	ip("neigh add 2001:db8:1::5 lladdr 02:00:00:00:00:05 nud stale dev lan0");
	ip("neigh add fe80::5 lladdr 02:00:00:00:00:05 dev lan0");
	ip("-6 route add default via fe80::5 dev lan0");
	follow();
	EXPECT("10.1.0.5", NH_PORT);
	CU_ASSERT_EQUAL(memcmp(to("10.1.0.5")->l2, mac, 6), 0);
	EXPECT("2001:db8:1::5", NH_PORT);
	EXPECT("2a00::1", NH_PORT);
	ip("neigh change 10.1.0.5 lladdr 02:00:00:00:00:06 dev lan0");
	follow();
	CU_ASSERT_EQUAL(to("10.1.0.5")->l2[5], 6);
	ip("neigh del 10.1.0.5 dev lan0");
	follow();
	EXPECT("10.1.0.5", NH_GLEAN);
	/* Asking makes the kernel start its own resolution. */
	CU_ASSERT_EQUAL(netlink_neigh_use(lan->kernel_ifindex, &a), 0);
	CU_ASSERT_EQUAL(system("ip neigh show dev lan0 10.1.0.7 | grep -q INCOMPLETE"), 0);
	CU_ASSERT_EQUAL(netlink_neigh_use(99999, &a), -ENODEV);
	end();
}

static void links(void)
{
	struct err e;

	begin();
	CU_ASSERT_FALSE(told[1].up);
	CU_ASSERT_EQUAL(netlink_set_link(vti0->kernel_ifindex, true, &e), 0);
	CU_ASSERT_EQUAL(netlink_set_mtu(vti0->kernel_ifindex, 1400, &e), 0);
	follow();
	CU_ASSERT_TRUE(told[1].up);
	CU_ASSERT_EQUAL(told[1].mtu, 1400);
	ip("link set vti0 promisc on");
	follow();
	CU_ASSERT_TRUE(told[1].promisc);
	CU_ASSERT_EQUAL(netlink_set_mtu(vti0->kernel_ifindex, 10, &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "vti0: the kernel refuses MTU 10: "));
	CU_ASSERT_EQUAL(netlink_set_link(99999, true, &e), -ENODEV);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "ifindex 99999: the kernel refuses"));
	/* Deleted behind our back: told as down, its routes are gone. */
	ip("route add 10.2.0.0/16 dev vti0");
	follow();
	EXPECT("10.2.0.1", NH_VTI);
	ip("link del vti0");
	follow();
	CU_ASSERT_FALSE(told[1].up);
	EXPECT("10.2.0.1", NH_GUARD);
	end();
}

static void write_batch(const char *verb, const char *dev, unsigned from, unsigned n)
{
	FILE *f = popen("ip -batch -", "w");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	for (unsigned i = from; i < from + n; i++)
		fprintf(f, "route %s 20.%u.%u.0/24 dev %s\n", verb, i >> 8, i & 255, dev);
	CU_ASSERT_EQUAL(pclose(f), 0);
}

/* More messages than the socket holds, while nobody reads: some are lost, the state is not. */
static void overrun_is_recovered(void)
{
	int tiny = 4096;
	uint64_t resyncs;

	begin_with_routes(20000);
	up();
	ip("route add 10.2.0.0/16 dev vti0");
	follow();
	resyncs = netlink_stats()->resyncs;
	CU_ASSERT_EQUAL(setsockopt(netlink_fd, SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny)), 0);
	write_batch("add", "vti0", 0, 5000);
	ip("route del 10.2.0.0/16 dev vti0");
	ip("neigh add 10.1.0.5 lladdr 02:00:00:00:00:05 dev lan0");
	ip("link set vti0 mtu 1399");
	ip("addr add 172.16.0.1/32 dev vti0");
	follow();
	CU_ASSERT_TRUE(netlink_stats()->resyncs > resyncs);
	EXPECT("20.0.0.1", NH_VTI);
	EXPECT("20.19.135.1", NH_VTI);
	EXPECT("20.19.136.1", NH_NO_ROUTE);
	EXPECT("10.2.0.1", NH_NO_ROUTE);
	EXPECT("10.1.0.5", NH_PORT);
	CU_ASSERT_EQUAL(told[1].mtu, 1399);
	CU_ASSERT_EQUAL(vti0->ip4, parse("172.16.0.1").v4);
	CU_ASSERT_TRUE(rib_count(IP_V4) > 5000);
	/* And away again, also beyond the socket's size. */
	write_batch("del", "vti0", 100, 4900);
	follow();
	EXPECT("20.0.0.1", NH_VTI);
	EXPECT("20.1.0.1", NH_NO_ROUTE);
	CU_ASSERT_TRUE(rib_count(IP_V4) < 150);
	end();
}

NETLINK_MAIN("netlink", UNIT_TEST(state_is_read_then_followed), UNIT_TEST(addresses_of_interfaces),
	UNIT_TEST(unnumbered_borrow_an_address), UNIT_TEST(unnumbered_prefer_the_loopbacks_address),
	UNIT_TEST(neighbours), UNIT_TEST(links), UNIT_TEST(overrun_is_recovered))
