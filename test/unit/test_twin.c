/* SPDX-License-Identifier: BSD-3-Clause */
/* Twins and the host thread against the real kernel, in a network namespace of the test's own. Needs
 * root and /dev/net/tun; without them it says so and is skipped. */
#include "control/iface/ifaces.h"
#include "control/iface/twin.h"
#include "control/iface/twin_closer.h"
#include "control/netlink/netlink.h"
#include "control/rcu.h"
#include "dataplane/host.h"
#include "dataplane/worker.h"

#include "unit.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <rte_eal.h>
#include <rte_ip.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SKIPPED   77 /* meson's word for it */
#define LOCAL     "192.0.2.1"
#define REMOTE    "192.0.2.2"
#define PORT      5000
#define TEXT      "sixteen bytes ..."
#define TIMEOUT   2000 /* ms: far beyond the host thread's longest sleep */
#define MBUF_SIZE 2048
#define MANY      300 /* more than the kernel is asked to remove at once */

static struct worker *worker;
static struct rte_mempool *pool;

static struct iface *interface_new(enum iface_kind kind, const char *name)
{
	struct iface *i = iface_new(kind, name, 1);

	CU_ASSERT_PTR_NOT_NULL_FATAL(i);
	atomic_store(&i->mtu, 1400);
	memcpy(i->mac.addr_bytes, "\x02\x00\x00\x00\x00\x01", 6);
	return i;
}

static void interface_free(struct iface *i)
{
	iface_retire(i);
	rcu_drain();
}

static struct ifreq request(const char *name)
{
	struct ifreq r = {0};

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return r;
}

static void control(unsigned long what, struct ifreq *r)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	CU_ASSERT_EQUAL_FATAL(ioctl(s, what, r), 0);
	close(s);
}

/* 192.0.2.1/24, up. */
static void configure(const char *name)
{
	struct ifreq r = request(name);
	struct sockaddr_in *a = (struct sockaddr_in *)&r.ifr_addr;

	a->sin_family = AF_INET;
	inet_pton(AF_INET, LOCAL, &a->sin_addr);
	control(SIOCSIFADDR, &r);
	inet_pton(AF_INET, "255.255.255.0", &a->sin_addr);
	control(SIOCSIFNETMASK, &r);
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	control(SIOCSIFFLAGS, &r);
}

static int udp_socket(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	CU_ASSERT_EQUAL_FATAL(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
	return s;
}

static int packet_socket(const struct iface *i)
{
	struct sockaddr_ll a = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = i->kernel_ifindex};
	int s = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, htons(ETH_P_ALL));

	CU_ASSERT_EQUAL_FATAL(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
	return s;
}

static bool readable(int fd, int timeout)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, timeout) == 1;
}

/* Wait until the host thread has counted. */
static bool becomes(const uint64_t *counter, uint64_t value)
{
	for (int i = 0; i < TIMEOUT && *(const volatile uint64_t *)counter != value; i++)
		usleep(1000);
	return *counter == value;
}

/* The next packet the host thread passes on with this operation; others (the kernel's own IPv6
 * multicast) are passed over. */
static struct rte_mbuf *injected(uint8_t family)
{
	void *m;

	for (int i = 0; i < TIMEOUT; i++) {
		while (rte_ring_dequeue(worker->inject, &m) == 0) {
			if (*rte_pktmbuf_mtod((struct rte_mbuf *)m, uint8_t *) >> 4 == family)
				return m;
			rte_pktmbuf_free(m);
		}
		usleep(1000);
	}
	return NULL;
}

/* A UDP packet from 192.0.2.2 to the socket. */
static struct rte_mbuf *udp_packet(uint16_t iface, uint8_t op)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct iphdr *ip = (struct iphdr *)rte_pktmbuf_append(m, 28 + strlen(TEXT));
	struct udphdr *udp = (struct udphdr *)(ip + 1);

	*ip = (struct iphdr){
		.version = 4, .ihl = 5, .ttl = 9, .protocol = IPPROTO_UDP, .tot_len = htons(45)};
	inet_pton(AF_INET, REMOTE, &ip->saddr);
	inet_pton(AF_INET, LOCAL, &ip->daddr);
	ip->check = rte_ipv4_cksum((struct rte_ipv4_hdr *)ip);
	*udp = (struct udphdr){.dest = htons(PORT), .source = htons(PORT), .len = htons(25)};
	memcpy(udp + 1, TEXT, strlen(TEXT));
	*host_tag(m) = (struct host_tag){.op = op, .iface = iface};
	return m;
}

static void from_kernel_to_tunnel(void)
{
	struct iface *vti = interface_new(IFACE_VTI, "vti0");
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	struct twin *twin;
	struct rte_mbuf *m;
	struct iphdr *ip;
	uint16_t check;
	int s;

	CU_ASSERT_EQUAL_FATAL(twin_create(vti, &twin, NULL), 0);
	CU_ASSERT_EQUAL(vti->kernel_ifindex, if_nametoindex("vti0"));
	twin_set_carrier(twin, true);
	configure("vti0");
	s = udp_socket();
	inet_pton(AF_INET, REMOTE, &to.sin_addr);
	CU_ASSERT_EQUAL(
		sendto(s, TEXT, strlen(TEXT), 0, (struct sockaddr *)&to, sizeof(to)), strlen(TEXT));
	m = injected(4);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	CU_ASSERT_EQUAL(host_tag(m)->op, HOST_TUNNEL);
	CU_ASSERT_EQUAL(host_tag(m)->iface, vti->id);
	CU_ASSERT_EQUAL(m->pkt_len, 20 + 8 + strlen(TEXT));
	ip = rte_pktmbuf_mtod(m, struct iphdr *);
	CU_ASSERT_EQUAL(ip->protocol, IPPROTO_UDP);
	CU_ASSERT_EQUAL(ip->daddr, to.sin_addr.s_addr);
	/* No offload: the kernel has written both checksums. */
	CU_ASSERT_EQUAL(rte_ipv4_udptcp_cksum_verify((struct rte_ipv4_hdr *)ip, ip + 1), 0);
	check = ip->check;
	ip->check = 0;
	CU_ASSERT_EQUAL(rte_ipv4_cksum((struct rte_ipv4_hdr *)ip), check);
	CU_ASSERT_EQUAL(memcmp((char *)(ip + 1) + 8, TEXT, strlen(TEXT)), 0);
	rte_pktmbuf_free(m);
	close(s);
	twin_destroy(twin);
	twin_closings_wait();
	CU_ASSERT_EQUAL(if_nametoindex("vti0"), 0);
	interface_free(vti);
}

static void punts_reach_sockets_and_mirrors_only_captures(void)
{
	struct iface *vti = interface_new(IFACE_VTI, "vti0");
	struct host_stats before = *host_stats();
	struct twin *twin;
	char got[64] = "";
	int udp, capture;

	CU_ASSERT_EQUAL_FATAL(twin_create(vti, &twin, NULL), 0);
	twin_set_carrier(twin, true);
	configure("vti0");
	udp = udp_socket();
	capture = packet_socket(vti);
	rte_ring_enqueue(worker->to_host, udp_packet(vti->id, HOST_MIRROR));
	CU_ASSERT_TRUE(readable(capture, TIMEOUT));
	do {
		CU_ASSERT_FATAL(recv(capture, got, sizeof(got), 0) > 0);
	} while ((uint8_t)*got >> 4 != 4);
	CU_ASSERT_EQUAL(memcmp(got + 28, TEXT, strlen(TEXT)), 0);
	CU_ASSERT_FALSE(readable(udp, 20));
	rte_ring_enqueue(worker->to_host, udp_packet(vti->id, HOST_PUNT));
	CU_ASSERT_TRUE(readable(udp, TIMEOUT));
	CU_ASSERT_EQUAL(recv(udp, got, sizeof(got), 0), strlen(TEXT));
	CU_ASSERT_EQUAL(memcmp(got, TEXT, strlen(TEXT)), 0);
	CU_ASSERT_TRUE(becomes(&host_stats()->mirrored, before.mirrored + 1));
	CU_ASSERT_TRUE(becomes(&host_stats()->to_kernel, before.to_kernel + 1));
	close(udp);
	close(capture);
	twin_destroy(twin);
	interface_free(vti);
}

/* The kernel follows the carrier a moment later. */
static bool running_becomes(const char *name, bool running)
{
	struct ifreq r = request(name);

	for (int i = 0; i < TIMEOUT; i++) {
		control(SIOCGIFFLAGS, &r);
		if (!(r.ifr_flags & IFF_RUNNING) == !running)
			return true;
		usleep(1000);
	}
	return false;
}

static void port_twin_has_mac_mtu_and_carrier(void)
{
	struct iface *port = interface_new(IFACE_PORT, "wan0");
	struct ifreq r = request("wan0");
	struct twin *twin;

	CU_ASSERT_EQUAL_FATAL(twin_create(port, &twin, NULL), 0);
	control(SIOCGIFHWADDR, &r);
	CU_ASSERT_EQUAL(memcmp(r.ifr_hwaddr.sa_data, &port->mac, 6), 0);
	control(SIOCGIFMTU, &r);
	CU_ASSERT_EQUAL(r.ifr_mtu, 1400);
	configure("wan0");
	CU_ASSERT_TRUE(running_becomes("wan0", false));
	CU_ASSERT_EQUAL(twin_set_carrier(twin, true), 0);
	CU_ASSERT_TRUE(running_becomes("wan0", true));
	twin_destroy(twin);
	interface_free(port);
}

static void taken_name_is_refused(void)
{
	struct iface *first = interface_new(IFACE_VTI, "vti0");
	struct iface *lo = interface_new(IFACE_VTI, "lo");
	struct iface *second = interface_new(IFACE_PORT, "vti0");
	struct twin *twin, *none = NULL;
	struct err e = {""};

	CU_ASSERT_EQUAL_FATAL(twin_create(first, &twin, NULL), 0);
	CU_ASSERT_EQUAL(twin_create(second, &none, &e), -EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "vti0"));
	CU_ASSERT_EQUAL(twin_create(lo, &none, &e), -EBUSY);
	CU_ASSERT_PTR_NULL(none);
	twin_destroy(twin);
	interface_free(first);
	interface_free(second);
	interface_free(lo);
}

static void punts_to_a_twin_that_is_gone_or_down_are_counted(void)
{
	struct iface *vti = interface_new(IFACE_VTI, "vti0");
	uint64_t before = host_stats()->drops[DROP_PUNT_ERROR];
	struct twin *twin;

	CU_ASSERT_EQUAL_FATAL(twin_create(vti, &twin, NULL), 0); /* down */
	rte_ring_enqueue(worker->to_host, udp_packet(vti->id, HOST_PUNT));
	CU_ASSERT_TRUE(becomes(&host_stats()->drops[DROP_PUNT_ERROR], before + 1));
	twin_destroy(twin);
	rte_ring_enqueue(worker->to_host, udp_packet(vti->id, HOST_PUNT));
	CU_ASSERT_TRUE(becomes(&host_stats()->drops[DROP_PUNT_ERROR], before + 2));
	interface_free(vti);
}

static void resolve_wakes_the_control_thread(void)
{
	void *m = NULL;

	/* What the kernel sent on earlier twins (router solicitations) may still be there. */
	while (rte_ring_dequeue(worker->inject, &m) == 0)
		rte_pktmbuf_free(m);
	CU_ASSERT_FALSE(readable(host_event_fd(), 0));
	rte_ring_enqueue(worker->to_host, udp_packet(7, HOST_RESOLVE));
	CU_ASSERT_TRUE(readable(host_event_fd(), TIMEOUT));
	CU_ASSERT_EQUAL_FATAL(rte_ring_dequeue(host_control_ring(), &m), 0);
	CU_ASSERT_EQUAL(host_tag(m)->iface, 7);
	host_forward(m, 7);
	CU_ASSERT_EQUAL_FATAL(rte_ring_dequeue(worker->inject, &m), 0);
	CU_ASSERT_EQUAL(host_tag(m)->op, HOST_FORWARD);
	rte_pktmbuf_free(m);
}

static void given_up(uint8_t flags, uint16_t in)
{
	struct rte_mbuf *m = udp_packet(7, HOST_RESOLVE);

	host_tag(m)->flags = flags;
	host_tag(m)->in = in;
	host_unreachable(m, DROP_NEIGH_FAILED);
}

static void who_sent_what_waited_in_vain_is_told_by_a_worker(void)
{
	const uint64_t before = host_stats()->drops[DROP_NEIGH_FAILED];
	void *m = NULL;

	while (rte_ring_dequeue(worker->inject, &m) == 0)
		rte_pktmbuf_free(m);
	given_up(PKT_FORWARDED, 3);
	CU_ASSERT_EQUAL_FATAL(rte_ring_dequeue(worker->inject, &m), 0);
	CU_ASSERT_EQUAL(host_tag(m)->op, HOST_UNREACHABLE);
	CU_ASSERT_EQUAL(host_tag(m)->reason, DROP_NEIGH_FAILED);
	CU_ASSERT_EQUAL(host_tag(m)->in, 3);
	CU_ASSERT_EQUAL(host_tag(m)->flags, PKT_FORWARDED);
	rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(host_stats()->drops[DROP_NEIGH_FAILED], before);
	/* The router's own packets are only dropped. */
	given_up(PKT_OWN, 3);
	given_up(0, 0);
	CU_ASSERT_NOT_EQUAL(rte_ring_dequeue(worker->inject, &m), 0);
	CU_ASSERT_EQUAL(host_stats()->drops[DROP_NEIGH_FAILED], before + 2);
}

static void twins_come_and_go_under_traffic(void)
{
	uint64_t handled = 0;

	for (int round = 0; round < 50; round++) {
		struct iface *vti = interface_new(IFACE_VTI, "vti0");
		struct twin *twin;

		CU_ASSERT_EQUAL_FATAL(twin_create(vti, &twin, NULL), 0);
		twin_set_carrier(twin, true);
		configure("vti0");
		for (int i = 0; i < 20; i++) {
			rte_ring_enqueue(worker->to_host, udp_packet(vti->id, HOST_PUNT));
			handled++;
		}
		twin_destroy(twin);
		interface_free(vti);
	}
	for (int i = 0; i < TIMEOUT && rte_ring_count(worker->to_host) > 0; i++)
		usleep(1000);
	CU_ASSERT_EQUAL(rte_ring_count(worker->to_host), 0);
	CU_ASSERT_EQUAL(handled, 1000);
}

static unsigned open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void many_named(const char *format, struct iface **ifaces, struct twin **twins, unsigned n)
{
	char name[IFNAMSIZ];

	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), format, i);
		ifaces[i] = interface_new(IFACE_VTI, name);
		CU_ASSERT_EQUAL_FATAL(twin_create(ifaces[i], &twins[i], NULL), 0);
	}
}

static void destroy_many(struct iface **ifaces, struct twin **twins, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		twin_destroy(twins[i]);
		interface_free(ifaces[i]);
	}
}

static void many_go_and_only_they(void)
{
	unsigned files;
	struct iface *ifaces[MANY], *other[2];
	struct twin *twins[MANY], *others[2];
	eventfd_t count;
	uint64_t number;

	twin_closings_wait();
	files = open_files();
	eventfd_read(twin_closer_fd(), &count);
	many_named("other%u", other, others, 2);
	many_named("vti%u", ifaces, twins, MANY);
	number = twin_closings();
	destroy_many(ifaces, twins, MANY);
	CU_ASSERT_EQUAL(twin_closings(), number + MANY);
	CU_ASSERT_TRUE(readable(twin_closer_fd(), TIMEOUT));
	twin_closings_wait();
	CU_ASSERT_TRUE(twin_is_closed(number + MANY));
	CU_ASSERT_FALSE(twin_is_closed(number + MANY + 1));
	CU_ASSERT_EQUAL(if_nametoindex("vti0"), 0);
	CU_ASSERT_EQUAL(if_nametoindex("vti299"), 0);
	CU_ASSERT_EQUAL(if_nametoindex("other1"), other[1]->kernel_ifindex);
	destroy_many(other, others, 2);
	twin_closings_wait();
	CU_ASSERT_EQUAL(open_files(), files);
}

/* Without this each would cost the kernel's whole wait. */
static void devices_are_removed_as_a_group(void)
{
	struct iface *ifaces[4];
	struct twin *twins[4];
	uint32_t first[3];

	many_named("vti%u", ifaces, twins, 4);
	for (unsigned i = 0; i < 3; i++)
		first[i] = ifaces[i]->kernel_ifindex;
	CU_ASSERT_EQUAL(netlink_remove_devices(first, 1), 0);
	CU_ASSERT_EQUAL(if_nametoindex("vti0"), 0);
	CU_ASSERT_NOT_EQUAL(if_nametoindex("vti1"), 0);
	CU_ASSERT_EQUAL(netlink_remove_devices(first, 3), 0); /* one is gone */
	CU_ASSERT_EQUAL(if_nametoindex("vti1"), 0);
	CU_ASSERT_EQUAL(if_nametoindex("vti2"), 0);
	CU_ASSERT_EQUAL(if_nametoindex("vti3"), ifaces[3]->kernel_ifindex);
	destroy_many(ifaces, twins, 4);
	twin_closings_wait();
	CU_ASSERT_EQUAL(if_nametoindex("vti3"), 0);
}

static void name_is_free_again_at_once(void)
{
	struct iface *ifaces[8];
	struct twin *twins[8];
	uint32_t before;

	many_named("vti%u", ifaces, twins, 8);
	before = ifaces[7]->kernel_ifindex;
	for (int round = 0; round < 3; round++) {
		destroy_many(ifaces, twins, 8);
		many_named("vti%u", ifaces, twins, 8);
	}
	CU_ASSERT_NOT_EQUAL(ifaces[7]->kernel_ifindex, before);
	twin_closings_wait();
	CU_ASSERT_EQUAL(if_nametoindex("vti7"), ifaces[7]->kernel_ifindex);
	destroy_many(ifaces, twins, 8);
}

/* Its name says nothing, its old index may by now be another device's. */
static void renamed_or_deleted_by_hand_goes_too(void)
{
	struct ifreq r = request("vti1");
	struct iface *ifaces[3];
	struct twin *twins[3];

	many_named("vti%u", ifaces, twins, 3);
	strcpy(r.ifr_newname, "renamed");
	control(SIOCSIFNAME, &r);
	CU_ASSERT_EQUAL(netlink_remove_devices(&ifaces[2]->kernel_ifindex, 1), 0);
	destroy_many(ifaces, twins, 3);
	twin_closings_wait();
	CU_ASSERT_EQUAL(if_nametoindex("vti0"), 0);
	CU_ASSERT_EQUAL(if_nametoindex("renamed"), 0);
}

static void end_waits_for_all(void)
{
	struct iface *ifaces[8];
	struct twin *twins[8];

	many_named("vti%u", ifaces, twins, 8);
	destroy_many(ifaces, twins, 8);
	twin_closer_stop();
	CU_ASSERT_EQUAL(twin_closer_fd(), -1);
	CU_ASSERT_EQUAL(if_nametoindex("vti0"), 0);
	CU_ASSERT_EQUAL(if_nametoindex("vti7"), 0);
	/* As when a start fails. */
	many_named("vti%u", ifaces, twins, 1);
	destroy_many(ifaces, twins, 1);
	CU_ASSERT_EQUAL(if_nametoindex("vti0"), 0);
	CU_ASSERT_EQUAL(twin_closer_start(NULL), 0);
}

/* Last: after host_stop() every buffer is back. */
static void no_buffer_is_lost(void)
{
	void *m;

	twin_closer_stop();
	host_stop();
	while (rte_ring_dequeue(worker->inject, &m) == 0)
		rte_pktmbuf_free(m);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
}

/* Only what the host thread uses of a worker. */
static struct worker *rings_only(void)
{
	struct worker *w = calloc(1, sizeof(*w));

	w->inject = rte_ring_create("inject", 1024, SOCKET_ID_ANY, 0);
	w->to_host = rte_ring_create("to_host", 1024, SOCKET_ID_ANY, 0);
	return w;
}

static int setup(void)
{
	pool = rte_pktmbuf_pool_create("packets", 4095, 32, MBUF_PRIV_SIZE,
		RTE_PKTMBUF_HEADROOM + MBUF_SIZE, SOCKET_ID_ANY);
	worker = rings_only();
	return rcu_init(1) < 0 || twin_closer_start(NULL) < 0 ||
		host_start(&worker, 1, pool, NULL) < 0;
}

int main(int argc, char **argv)
{
	static const CU_TestInfo tests[] = {UNIT_TEST(from_kernel_to_tunnel),
		UNIT_TEST(punts_reach_sockets_and_mirrors_only_captures),
		UNIT_TEST(port_twin_has_mac_mtu_and_carrier), UNIT_TEST(taken_name_is_refused),
		UNIT_TEST(punts_to_a_twin_that_is_gone_or_down_are_counted),
		UNIT_TEST(resolve_wakes_the_control_thread),
		UNIT_TEST(who_sent_what_waited_in_vain_is_told_by_a_worker),
		UNIT_TEST(twins_come_and_go_under_traffic), UNIT_TEST(many_go_and_only_they),
		UNIT_TEST(devices_are_removed_as_a_group), UNIT_TEST(name_is_free_again_at_once),
		UNIT_TEST(renamed_or_deleted_by_hand_goes_too), UNIT_TEST(end_waits_for_all),
		UNIT_TEST(no_buffer_is_lost), CU_TEST_INFO_NULL};
	char *eal[] = {argv[0], UNIT_EAL_ARGS};

	if (unshare(CLONE_NEWNET) < 0 || access("/dev/net/tun", R_OK | W_OK) < 0) {
		printf("SKIP twin: needs root (a network namespace) and /dev/net/tun\n");
		return SKIPPED;
	}
	if (rte_eal_init(RTE_DIM(eal), eal) < 0 || setup())
		return 1;
	return unit_run("twin", tests, argc, argv);
}
