/* SPDX-License-Identifier: BSD-3-Clause */
/* Against the real kernel, in a network namespace of its own: lan0 is one end of a veth pair and
 * plays a port's twin, vti0 is a TUN device and plays a VTI's. Needs root. */
#ifndef VIADUCT_TEST_NETLINK_FIXTURE_H
#define VIADUCT_TEST_NETLINK_FIXTURE_H

#include "control/iface/ifaces.h"
#include "control/iface/twin.h"
#include "control/iface/vti.h"
#include "control/netlink/netlink.h"
#include "control/port/ports.h"
#include "control/rcu.h"
#include "control/routing/fib_writer.h"
#include "control/routing/neigh.h"
#include "control/routing/nexthops.h"
#include "control/routing/rib.h"

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

static inline void note(unsigned i, bool up, uint32_t mtu, bool promisc)
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

void host_unreachable(struct rte_mbuf *m, enum drop_reason reason)
{
	(void)reason;
	rte_pktmbuf_free(m);
}

/* Run a command that must succeed. */
static inline __attribute__((format(printf, 1, 2))) void ip(const char *fmt, ...)
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
static inline void follow(void)
{
	for (unsigned i = 0; i < 200; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	rcu_poll();
}

static inline struct iface *make_iface(enum iface_kind kind, const char *name)
{
	struct iface *i = iface_new(kind, name, 1);

	i->kernel_ifindex = if_nametoindex(name);
	CU_ASSERT_NOT_EQUAL_FATAL(i->kernel_ifindex, 0);
	iface_publish(i);
	return i;
}

static inline void begin_with_routes(uint32_t max_routes)
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
	lan = make_iface(IFACE_PORT, "lan0");
	vti0 = make_iface(IFACE_VTI, "vti0");
	base = event_base_new();
	close(probe);
	netlink_fd = probe; /* the lowest free one: what netlink_start() opens first */
	CU_ASSERT_EQUAL(netlink_start(base, &e), 0);
	CU_ASSERT_STRING_EQUAL(e.text, "-");
}

static inline void begin(void)
{
	begin_with_routes(1000);
}

static inline void end(void)
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

static inline struct addr parse(const char *text)
{
	struct addr a = {.family = strchr(text, ':') != NULL ? IP_V6 : IP_V4};

	CU_ASSERT_EQUAL_FATAL(inet_pton(a.family == IP_V6 ? AF_INET6 : AF_INET, text, a.v6), 1);
	return a;
}

static inline const struct nexthop *to(const char *dst)
{
	struct addr a = parse(dst);

	return nexthop_by_id(fib_lookup(fib_by_vrf(0), a.family, a.v6));
}

#define EXPECT(dst, nh_type) CU_ASSERT_EQUAL(to(dst)->type, nh_type)

static inline void up(void)
{
	ip("addr add 10.1.0.1/24 dev lan0");
	ip("addr add 2001:db8:1::1/64 dev lan0 nodad");
	ip("link set lan0 up");
	ip("link set vti0 up");
}

/* Exit status 77, skipped, where there may be no namespace. */
static inline int netlink_run(const char *suite, const CU_TestInfo *tests, int argc, char **argv)
{
	char *eal[] = {argv[0], UNIT_EAL_ARGS};

	if (unshare(CLONE_NEWNET) != 0 ||
		system("ip link add t0 type veth peer name t1 && "
		       "ip tuntap add t2 mode tun && ip link del t0 && "
		       "ip link del t2") != 0) {
		printf("SKIPPED %s: no network namespace with veth and TUN devices here\n", suite);
		return SKIP;
	}
	if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)
		return 1;
	return unit_run(suite, tests, argc, argv);
}

#define NETLINK_MAIN(suite, ...)                                                                   \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		static const CU_TestInfo tests[] = {__VA_ARGS__, CU_TEST_INFO_NULL};               \
                                                                                                   \
		return netlink_run(suite, tests, argc, argv);                                      \
	}

#endif
