/* SPDX-License-Identifier: BSD-3-Clause */
/* Against the real kernel, in a network namespace of its own: lan0 is one end of a veth pair and
 * plays a port's twin, vti0 is a TUN device and plays a VTI's. Needs root. */
#include "control/fib_writer.h"
#include "control/ifaces.h"
#include "control/neigh.h"
#include "control/netlink.h"
#include "control/nexthops.h"
#include "control/ports.h"
#include "control/rcu.h"
#include "control/rib.h"
#include "control/twin.h"
#include "control/vti.h"

#include "unit.h"

#include <rte_eal.h>

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#define SKIP 77 /* meson's exit status for a skipped test */

static struct event_base *base;
static struct iface *lan, *vti0;
static int netlink_fd; /* the follower's socket */

static struct {
	bool up, promisc;
	uint32_t mtu;
	unsigned calls;
} told[2]; /* port, VTI */

struct port *port_by_iface(const struct iface *iface)
{
	return iface == lan ? (struct port *)&told[0] : NULL;
}

struct vti *vti_by_iface(const struct iface *iface)
{
	return iface == vti0 ? (struct vti *)&told[1] : NULL;
}

static void note(unsigned i, bool up, uint32_t mtu, bool promisc)
{
	told[i].up = up;
	told[i].mtu = mtu;
	told[i].promisc = promisc;
	told[i].calls++;
}

void port_kernel_link(struct port *p, bool up, uint32_t mtu, bool promisc)
{
	(void)p;
	note(0, up, mtu, promisc);
}

void vti_kernel_link(struct vti *v, bool up, uint32_t mtu, bool promisc)
{
	(void)v;
	note(1, up, mtu, promisc);
}

void host_forward(struct rte_mbuf *m, uint16_t iface_id)
{
	(void)iface_id;
	rte_pktmbuf_free(m);
}

/* Run a command that must succeed. */
static void ip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void ip(const char *fmt, ...)
{
	char cmd[512] = "ip ";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd + 3, sizeof(cmd) - 3, fmt, ap);
	va_end(ap);
	if (system(cmd) != 0)
		printf(" (failed: %s) ", cmd);
}

/* Let the follower take in what the kernel has said so far. */
static void follow(void)
{
	for (unsigned i = 0; i < 200; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	rcu_poll();
}

static struct iface *make_iface(enum iface_kind kind, const char *name)
{
	struct iface *i = iface_new(kind, name, 1);

	i->kernel_ifindex = if_nametoindex(name);
	CU_ASSERT_NOT_EQUAL_FATAL(i->kernel_ifindex, 0);
	iface_publish(i);
	return i;
}

static void begin_with_routes(uint32_t max_routes)
{
	int probe = dup(0);
	struct err e = {"-"};

	memset(told, 0, sizeof(told));
	ip("link add lan0 type veth peer name lan0p");
	ip("link set lan0p up");
	ip("tuntap add vti0 mode tun");
	CU_ASSERT_EQUAL_FATAL(rcu_init(1), 0);
	CU_ASSERT_EQUAL_FATAL(nexthops_init(), 0);
	CU_ASSERT_EQUAL_FATAL(fib_create(0, max_routes, max_routes), 0);
	CU_ASSERT_EQUAL_FATAL(rib_init(max_routes, max_routes), 0);
	lan = make_iface(IFACE_PORT, "lan0");
	vti0 = make_iface(IFACE_VTI, "vti0");
	base = event_base_new();
	close(probe);
	netlink_fd = probe; /* the lowest free one: what netlink_start() opens first */
	CU_ASSERT_EQUAL(netlink_start(base, &e), 0);
	CU_ASSERT_STRING_EQUAL(e.text, "-");
}

static void begin(void)
{
	begin_with_routes(1000);
}

static void end(void)
{
	netlink_stop();
	event_base_free(base);
	neigh_fini();
	rib_fini();
	iface_retire(lan);
	iface_retire(vti0);
	fib_destroy(0);
	rcu_drain();
	nexthops_fini();
	rcu_fini();
	ip("link del lan0 2>/dev/null");
	ip("link del vti0 2>/dev/null || true");
}

static struct addr parse(const char *text)
{
	struct addr a = {.family = strchr(text, ':') != NULL ? IP_V6 : IP_V4};

	CU_ASSERT_EQUAL_FATAL(inet_pton(a.family == IP_V6 ? AF_INET6 : AF_INET, text, a.v6), 1);
	return a;
}

static const struct nexthop *to(const char *dst)
{
	struct addr a = parse(dst);

	return nexthop_by_id(fib_lookup(fib_by_vrf(0), a.family, a.v6));
}

#define EXPECT(dst, nh_type) CU_ASSERT_EQUAL(to(dst)->type, nh_type)

static void up(void)
{
	ip("addr add 10.1.0.1/24 dev lan0");
	ip("addr add 2001:db8:1::1/64 dev lan0 nodad");
	ip("link set lan0 up");
	ip("link set vti0 up");
}

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
	EXPECT("10.2.0.1", NH_NO_ROUTE);
	EXPECT("2001:db8:2::1", NH_NO_ROUTE);
	CU_ASSERT_FALSE(told[1].up);
	EXPECT("10.1.0.1", NH_LOCAL);
	end();
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
	follow();
	CU_ASSERT_PTR_NOT_NULL_FATAL(lan->ip6);
	CU_ASSERT_EQUAL(lan->ip6->v6[0], 0xfe);
	CU_ASSERT_EQUAL(lan->ip6->v6[15], 0x77);
	ip("addr add 2001:db8:1::2/64 dev lan0 nodad");
	follow();
	CU_ASSERT_EQUAL(lan->ip6->v6[0], 0x20);
	ip("-6 addr flush dev lan0");
	follow();
	CU_ASSERT_PTR_NULL(lan->ip6);
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
	EXPECT("10.2.0.1", NH_NO_ROUTE);
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

int main(int argc, char **argv)
{
	static const CU_TestInfo tests[] = {UNIT_TEST(state_is_read_then_followed),
		UNIT_TEST(routes_of_all_kinds), UNIT_TEST(metrics_replace_append),
		UNIT_TEST(multipath_uses_one_hop), UNIT_TEST(nexthop_objects),
		UNIT_TEST(silent_removals_are_noticed), UNIT_TEST(addresses_of_interfaces),
		UNIT_TEST(neighbours), UNIT_TEST(links), UNIT_TEST(overrun_is_recovered),
		CU_TEST_INFO_NULL};
	char *eal[] = {argv[0], UNIT_EAL_ARGS};

	if (unshare(CLONE_NEWNET) != 0 ||
		system("ip link add t0 type veth peer name t1 && "
		       "ip tuntap add t2 mode tun && ip link del t0 && "
		       "ip link del t2") != 0) {
		printf("SKIPPED netlink: no network namespace with veth and TUN devices here\n");
		return SKIP;
	}
	if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)
		return 1;
	return unit_run("netlink", tests, argc, argv);
}
