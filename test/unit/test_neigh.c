/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/iface/ifaces.h"
#include "control/iface/twin.h"
#include "control/netlink/netlink.h"
#include "control/rcu.h"
#include "control/routing/fib_writer.h"
#include "control/routing/neigh.h"
#include "control/routing/nexthops.h"
#include "control/routing/rib.h"
#include "dataplane/host.h"

#include "unit.h"

#include <rte_eal.h>
#include <rte_ip.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

static const struct rte_ether_addr mac = {{0x02, 0, 0, 0, 0, 0xaa}};
static struct rte_mempool *pool;
static struct iface *lan;

/* The kernel and the workers: what neigh.c asks of them is written down. */
static struct {
	unsigned asked, forwarded;
	unsigned failed; /* packets whose senders are told */
	int answer;      /* of netlink_neigh_use() */
	struct addr last;
	uint8_t order[64]; /* first payload byte of each packet that was forwarded */
} fake;

int netlink_neigh_use(uint32_t ifindex, const struct addr *a)
{
	CU_ASSERT_EQUAL(ifindex, 10);
	fake.asked++;
	fake.last = *a;
	return fake.answer;
}

void host_forward(struct rte_mbuf *m, uint16_t iface_id)
{
	CU_ASSERT_EQUAL(iface_id, lan->id);
	fake.order[fake.forwarded++ % 64] = *rte_pktmbuf_mtod_offset(m, uint8_t *, 40);
	rte_pktmbuf_free(m);
}

void host_unreachable(struct rte_mbuf *m, enum drop_reason reason)
{
	CU_ASSERT_EQUAL(reason, DROP_NEIGH_FAILED);
	fake.failed++;
	rte_pktmbuf_free(m);
}

static struct addr host(unsigned last)
{
	return addr_v4(htonl(10u << 24 | 1 << 16 | last));
}

static struct rib_route net(void)
{
	return (struct rib_route){.prefix = host(0),
		.prefix_len = 16,
		.type = VIADUCT_ROUTE_UNICAST,
		.origin = VIADUCT_ORIGIN_KERNEL,
		.table = RT_TABLE_MAIN,
		.iface = lan,
		.kernel_oif = 10};
}

static void begin(void)
{
	struct rib_route r;

	memset(&fake, 0, sizeof(fake));
	if (pool == NULL)
		pool = rte_pktmbuf_pool_create("test", 8191, 0, MBUF_PRIV_SIZE, 512, SOCKET_ID_ANY);
	CU_ASSERT_EQUAL_FATAL(rcu_init(1), 0);
	CU_ASSERT_EQUAL_FATAL(nexthops_init(), 0);
	CU_ASSERT_EQUAL_FATAL(fib_create(0, 10000, 100), 0);
	lan = iface_new(IFACE_PORT, "lan0", 1);
	lan->kernel_ifindex = 10;
	iface_publish(lan);
	r = net();
	CU_ASSERT_EQUAL(rib_add(&r, NULL), 0);
	rib_commit();
}

static void end(void)
{
	neigh_fini();
	rib_fini();
	iface_retire(lan);
	fib_destroy(0);
	rcu_drain();
	nexthops_fini();
	rcu_fini();
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0); /* nothing leaks */
}

/* An IPv4 packet to dst as a worker would send it here, waiting for `target`. */
static struct rte_mbuf *packet(struct addr target, struct addr dst, uint8_t mark)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	struct rte_ipv4_hdr *ip;

	if (m == NULL)
		abort();
	m->data_len = 64;
	m->pkt_len = 64;
	ip = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
	memset(ip, 0, 64);
	ip->version_ihl = 0x45;
	ip->dst_addr = dst.v4;
	((uint8_t *)ip)[40] = mark;
	*host_tag(m) = (struct host_tag){.op = HOST_RESOLVE, .iface = lan->id, .target = target};
	return m;
}

static void hold(unsigned last, uint8_t mark)
{
	struct addr a = host(last);

	neigh_hold(lan, &a, packet(a, a, mark));
}

static void held_packets_go_in_order_once_resolved(void)
{
	struct addr a = host(5);

	begin();
	for (unsigned i = 0; i < 5; i++)
		hold(5, i);
	CU_ASSERT_EQUAL(fake.asked, 1);
	CU_ASSERT_TRUE(addr_eq(&fake.last, &a));
	CU_ASSERT_EQUAL(fake.forwarded, 0);
	neigh_update(lan, &a, NULL, NUD_INCOMPLETE);
	CU_ASSERT_EQUAL(fake.forwarded, 0);
	neigh_update(lan, &a, &mac, NUD_REACHABLE);
	CU_ASSERT_EQUAL(fake.forwarded, 5);
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(fake.order[i], i);
	/* One that was on its way here meanwhile goes on at once. */
	hold(5, 9);
	CU_ASSERT_EQUAL(fake.forwarded, 6);
	CU_ASSERT_EQUAL(fake.asked, 1);
	CU_ASSERT_EQUAL(neigh_count(), 1);
	end();
}

static void packets_through_a_gateway_wait_for_it(void)
{
	struct addr gw = host(1), far = addr_v4(htonl(0x08080808));
	struct rib_route r;

	begin();
	r = net();
	r.prefix = addr_v4(0);
	r.prefix_len = 0;
	r.gateway = gw;
	rib_add(&r, NULL);
	rib_commit();
	neigh_hold(lan, &gw, packet(gw, far, 1));
	neigh_update(lan, &gw, &mac, NUD_REACHABLE);
	CU_ASSERT_EQUAL(fake.forwarded, 1);
	end();
}

static void failure_is_told_to_the_senders(void)
{
	struct addr a = host(5);

	begin();
	hold(5, 0);
	hold(5, 1);
	neigh_update(lan, &a, NULL, NUD_INCOMPLETE);
	CU_ASSERT_EQUAL(fake.failed, 0);
	neigh_update(lan, &a, NULL, NUD_FAILED);
	CU_ASSERT_EQUAL(fake.failed, 2);
	/* The next packet asks again. */
	hold(5, 2);
	CU_ASSERT_EQUAL(fake.asked, 2);
	neigh_delete(lan, &a);
	CU_ASSERT_EQUAL(fake.failed, 3);
	/* The kernel refuses (its table is full, the device is down). */
	fake.answer = -ENOBUFS;
	hold(6, 0);
	CU_ASSERT_EQUAL(fake.failed, 4);
	CU_ASSERT_EQUAL(neigh_drops(DROP_NO_ROUTE), 0);
	end();
}

static void silence_drops_after_three_seconds(void)
{
	begin();
	hold(5, 0);
	for (unsigned i = 0; i < 3; i++)
		neigh_tick();
	CU_ASSERT_EQUAL(fake.failed, 0);
	neigh_tick();
	CU_ASSERT_EQUAL(fake.failed, 1);
	CU_ASSERT_EQUAL(neigh_count(), 0); /* the kernel never had it */
	end();
}

static void holding_is_bounded(void)
{
	uint64_t before = neigh_drops(DROP_NEIGH_QUEUE_FULL);

	begin();
	for (unsigned i = 0; i < 68; i++)
		hold(5, i);
	CU_ASSERT_EQUAL(neigh_drops(DROP_NEIGH_QUEUE_FULL), before + 4);
	CU_ASSERT_EQUAL(fake.failed, 0); /* the next one may find room */
	/* A scan of the network: so many questions a second and no more. */
	for (unsigned i = 0; i < 3000; i++)
		hold(100 + i, 0);
	CU_ASSERT_EQUAL(fake.asked, 2048);
	CU_ASSERT_EQUAL(neigh_drops(DROP_NEIGH_QUEUE_FULL), before + 4 + 3000 - 2047);
	neigh_tick();
	for (unsigned i = 0; i < 3000; i++)
		hold(10000 + i, 0);
	/* All that is held: 64, 2047, and up to 4096. */
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 4096);
	end();
}

/* Resolved, but its network is gone: not to be sent round and round. */
static void resolved_without_a_way_is_dropped(void)
{
	struct rib_route r;
	struct addr a = host(5);

	begin();
	r = net();
	neigh_update(lan, &a, &mac, NUD_REACHABLE);
	rib_commit();
	r.metric = 7;
	r.iface = lan;
	r.gateway = host(77);
	r.prefix_len = 16;
	rib_add(&r, NULL);
	r = net();
	rib_del(&r, NULL);
	hold(5, 0); /* commits: the way is a gateway's now, which is not resolved */
	CU_ASSERT_EQUAL(fake.forwarded, 0);
	CU_ASSERT_EQUAL(fake.failed, 1);
	end();
}

static void stale_ones_in_use_are_confirmed(void)
{
	struct addr used = host(5), unused = addr_v4(htonl(0x0b000001));

	begin();
	neigh_update(lan, &used, &mac, NUD_STALE);
	neigh_update(lan, &unused, &mac, NUD_STALE);
	rib_commit();
	for (unsigned i = 0; i < 29; i++)
		neigh_tick();
	CU_ASSERT_EQUAL(fake.asked, 0);
	neigh_tick();
	CU_ASSERT_EQUAL(fake.asked, 1);
	CU_ASSERT_TRUE(addr_eq(&fake.last, &used));
	for (unsigned i = 0; i < 29; i++)
		neigh_tick();
	CU_ASSERT_EQUAL(fake.asked, 1);
	neigh_update(lan, &used, &mac, NUD_REACHABLE);
	for (unsigned i = 0; i < 60; i++)
		neigh_tick();
	CU_ASSERT_EQUAL(fake.asked, 1);
	end();
}

static int take(const struct viaduct_neigh *n, void *arg)
{
	*(struct viaduct_neigh *)arg = *n;
	return 0;
}

static void sweep_removes_what_was_not_named(void)
{
	struct addr a = host(5), b = host(6);
	struct viaduct_neigh n;

	begin();
	neigh_update(lan, &a, &mac, NUD_STALE);
	neigh_update(lan, &b, &mac, NUD_STALE);
	hold(7, 0); /* not the kernel's: stays */
	neigh_mark();
	neigh_update(lan, &a, &mac, NUD_PERMANENT);
	neigh_sweep();
	CU_ASSERT_EQUAL(neigh_count(), 2);
	CU_ASSERT_PTR_NULL(neigh_mac(lan, &b));
	CU_ASSERT_PTR_NOT_NULL(neigh_mac(lan, &a));
	neigh_tick();
	CU_ASSERT_EQUAL(neigh_each(take, &n), 0);
	neigh_forget_iface(lan);
	CU_ASSERT_EQUAL(neigh_count(), 0);
	neigh_update(lan, &a, &mac, NUD_PERMANENT);
	neigh_each(take, &n);
	CU_ASSERT_STRING_EQUAL(n.dev, "lan0");
	CU_ASSERT_EQUAL(n.state, NUD_PERMANENT);
	CU_ASSERT_EQUAL(n.addr.family, 4);
	CU_ASSERT_EQUAL(n.mac[5], 0xaa);
	end();
}

UNIT_EAL_MAIN("neigh", UNIT_TEST(held_packets_go_in_order_once_resolved),
	UNIT_TEST(packets_through_a_gateway_wait_for_it), UNIT_TEST(failure_is_told_to_the_senders),
	UNIT_TEST(silence_drops_after_three_seconds), UNIT_TEST(holding_is_bounded),
	UNIT_TEST(resolved_without_a_way_is_dropped), UNIT_TEST(stale_ones_in_use_are_confirmed),
	UNIT_TEST(sweep_removes_what_was_not_named))
