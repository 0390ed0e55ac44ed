/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that wait for an outbound SA, and what is told meanwhile. */
#include "control/sa/hold.h"
#include "dataplane/host.h"
#include "sadb_fixture.h"

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#define PER_VTI 64
#define ALL     4096

static struct rte_mempool *pool;
static uint64_t drops_before[DROP_REASON_COUNT];

static void start(void)
{
	begin();
	if (pool == NULL)
		pool = rte_pktmbuf_pool_create("test", 8191, 0, MBUF_PRIV_SIZE, 256, SOCKET_ID_ANY);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
	for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
		drops_before[r] = hold_drops(r);
	fake.listeners = true;
	hold_listeners();
}

static void stop(void)
{
	end();
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
	fake.listeners = false;
	hold_listeners();
}

/* Since the last call: so many for this reason, and none for another. Their senders are told, but for
 * those that found no room. */
static bool dropped(enum drop_reason reason, unsigned n)
{
	bool right = true;

	for (unsigned r = 0; r < DROP_REASON_COUNT; r++) {
		const uint64_t silent = hold_drops(r) - drops_before[r],
			       got = silent + fake.unreachable[r];

		right &= silent == (r == DROP_VTI_HOLD_FULL ? got : 0);
		drops_before[r] += silent;
		fake.unreachable[r] = 0;
		if (got == (r == reason ? n : 0))
			continue;
		printf("    %s: %lu\n", drop_name(r), got);
		right = false;
	}
	return right;
}

static struct vti *vti_up(const char *name, uint32_t reqid, uint32_t if_id)
{
	struct viaduct_vti set = {.fields = VIADUCT_VTI_ADMIN, .admin_up = 1};
	struct vti *v = vti(name, reqid, if_id, 0);

	strcpy(set.name, name);
	CU_ASSERT_EQUAL(vti_set(&set, NULL, &e), 0);
	return v;
}

/* Zeros, to be filled, as a worker would send them here. */
static void *packet(const struct vti *v, unsigned len, struct rte_mbuf **m)
{
	void *data;

	*m = rte_pktmbuf_alloc(pool);
	data = *m != NULL ? rte_pktmbuf_append(*m, len) : NULL;
	if (data == NULL)
		abort();
	*host_tag(*m) = (struct host_tag){.op = HOST_HOLD, .iface = v->iface->id};
	return memset(data, 0, len);
}

static struct rte_mbuf *udp4(const struct vti *v, const char *dst, uint16_t dport, uint8_t mark)
{
	const struct viaduct_addr src = A("10.1.0.2"), to = A(dst);
	struct rte_udp_hdr *udp;
	struct rte_mbuf *m;
	struct rte_ipv4_hdr *ip = packet(v, 29, &m);

	ip->version_ihl = 0x45;
	ip->total_length = htons(29);
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_UDP;
	memcpy(&ip->src_addr, src.bytes, 4);
	memcpy(&ip->dst_addr, to.bytes, 4);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp = (struct rte_udp_hdr *)(ip + 1);
	udp->src_port = htons(5000);
	udp->dst_port = htons(dport);
	*(uint8_t *)(udp + 1) = mark;
	return m;
}

static struct rte_mbuf *echo6(const struct vti *v, uint8_t mark)
{
	const struct viaduct_addr src = A("2001:db8:1::2"), dst = A("2001:db8:2::2");
	struct rte_mbuf *m;
	struct rte_ipv6_hdr *ip = packet(v, 49, &m);

	ip->vtc_flow = htonl(6u << 28);
	ip->payload_len = htons(9);
	ip->proto = IPPROTO_ICMPV6;
	ip->hop_limits = 64;
	memcpy(ip->src_addr, src.bytes, 16);
	memcpy(ip->dst_addr, dst.bytes, 16);
	*(uint8_t *)(ip + 1) = 128;
	((uint8_t *)ip)[48] = mark;
	return m;
}

static void four(const struct vti *v, uint8_t mark)
{
	hold_packet(udp4(v, "10.2.0.2", 53, mark));
}

static void six(const struct vti *v, uint8_t mark)
{
	hold_packet(echo6(v, mark));
}

/* What workers see of it. */
static unsigned room(const struct vti *v, unsigned af)
{
	return atomic_load(&v->iface->hold[af]);
}

static void the_first_packet_asks(void)
{
	const struct viaduct_addr src = A("10.1.0.2"), dst = A("10.2.0.2");
	struct vti *v;

	start();
	v = vti_up("vti0", 7, 42);
	CU_ASSERT_EQUAL(room(v, 0), PER_VTI);
	CU_ASSERT_EQUAL(room(v, 1), PER_VTI);
	four(v, 1);
	CU_ASSERT_EQUAL(fake.acquires, 1);
	CU_ASSERT_STRING_EQUAL(fake.acquire.vti, "vti0");
	CU_ASSERT_EQUAL(fake.acquire.reqid, 7);
	CU_ASSERT_EQUAL(fake.acquire.if_id, 42);
	CU_ASSERT_EQUAL(memcmp(&fake.acquire.src, &src, sizeof(src)), 0);
	CU_ASSERT_EQUAL(memcmp(&fake.acquire.dst, &dst, sizeof(dst)), 0);
	CU_ASSERT_EQUAL(fake.acquire.proto, IPPROTO_UDP);
	CU_ASSERT_EQUAL(fake.acquire.sport, 5000);
	CU_ASSERT_EQUAL(fake.acquire.dport, 53);
	/* Each family asks for itself; more packets of one don't. */
	six(v, 2);
	CU_ASSERT_EQUAL(fake.acquires, 2);
	CU_ASSERT_EQUAL(fake.acquire.src.family, 6);
	CU_ASSERT_EQUAL(fake.acquire.proto, IPPROTO_ICMPV6);
	CU_ASSERT_EQUAL(fake.acquire.sport, 128);
	CU_ASSERT_EQUAL(fake.acquire.dport, 0);
	for (unsigned i = 0; i < 10; i++)
		four(v, 3);
	CU_ASSERT_EQUAL(fake.acquires, 2);
	CU_ASSERT_EQUAL(hold_count(v), 12);
	CU_ASSERT_EQUAL(fake.n_sent, 0);
	stop();
}

static void all_go_in_order_when_the_sa_comes(void)
{
	struct vti *v;

	start();
	v = vti_up("vti0", 100, 0);
	for (unsigned i = 0; i < 40; i++)
		i % 3 == 0 ? six(v, i) : four(v, i);
	add(VIADUCT_IN, 0x1000, 100);
	CU_ASSERT_EQUAL(fake.n_sent, 0);
	add(VIADUCT_OUT, 0x2000, 100);
	CU_ASSERT_EQUAL(fake.n_sent, 40);
	/* Each family in its order: first all of IPv4. */
	for (unsigned i = 0, k = 0, l = 26; i < 40; i++)
		CU_ASSERT_EQUAL(fake.sent[i % 3 == 0 ? l++ : k++], i);
	CU_ASSERT_EQUAL(hold_count(v), 0);
	/* One that was on its way here meanwhile. */
	four(v, 99);
	CU_ASSERT_EQUAL(fake.sent[40], 99);
	CU_ASSERT_EQUAL(fake.acquires, 2);
	CU_ASSERT(dropped(0, 0));
	/* The SA goes: the next packet asks at once. */
	del(VIADUCT_OUT, 0x2000);
	CU_ASSERT_EQUAL(room(v, 0), PER_VTI);
	four(v, 100);
	CU_ASSERT_EQUAL(fake.acquires, 3);
	CU_ASSERT_EQUAL(fake.n_sent, 41);
	stop();
	CU_ASSERT(dropped(DROP_VTI_DOWN, 1));
}

static void an_sa_of_one_family_frees_that_one(void)
{
	struct viaduct_sa r = sa_request(VIADUCT_OUT, 0x2000, 100);
	struct vti *v;

	start();
	v = vti_up("vti0", 100, 0);
	four(v, 4);
	six(v, 6);
	r.n_selectors = 1;
	r.selectors[0] = (struct viaduct_selector){
		.family = IP_V6, .src_port = {0, 65535}, .dst_port = {0, 65535}};
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_EQUAL(fake.n_sent, 1);
	CU_ASSERT_EQUAL(fake.sent[0], 6);
	CU_ASSERT_EQUAL(hold_count(v), 1);
	r.id.spi++;
	r.selectors[0].family = IP_V4;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_EQUAL(fake.n_sent, 2);
	CU_ASSERT_EQUAL(fake.sent[1], 4);
	CU_ASSERT_EQUAL(hold_count(v), 0);
	stop();
}

static void holding_is_bounded(void)
{
	struct vti *v;

	start();
	v = vti_up("vti0", 100, 0);
	for (unsigned i = 0; i < PER_VTI + 5; i++)
		four(v, i);
	CU_ASSERT_EQUAL(hold_count(v), PER_VTI);
	CU_ASSERT(dropped(DROP_VTI_HOLD_FULL, 5));
	hold_tick();
	CU_ASSERT_EQUAL(room(v, 0), 0);
	CU_ASSERT_EQUAL(room(v, 1), PER_VTI);
	add(VIADUCT_OUT, 0x2000, 100);
	/* It is the first ones that are kept. */
	CU_ASSERT_EQUAL(fake.n_sent, PER_VTI);
	CU_ASSERT_EQUAL(fake.sent[0], 0);
	CU_ASSERT_EQUAL(fake.sent[PER_VTI - 1], PER_VTI - 1);
	stop();
}

static void the_oldest_of_all_make_room(void)
{
	struct vti *v[ALL / PER_VTI + 2];
	char name[VIADUCT_NAME_LEN];

	start();
	for (unsigned i = 0; i < RTE_DIM(v); i++) {
		snprintf(name, sizeof(name), "vti%u", i);
		v[i] = vti_up(name, 100 + i, 0);
	}
	for (unsigned i = 0; i < ALL; i++)
		four(v[i / PER_VTI], i);
	CU_ASSERT(dropped(0, 0));
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), ALL);
	hold_tick();
	CU_ASSERT_EQUAL(room(v[ALL / PER_VTI], 0), 1);
	CU_ASSERT_EQUAL(room(v[0], 0), 0);
	/* Others' first packet still asks, and takes the place of the very oldest. */
	fake.acquires = 0;
	four(v[ALL / PER_VTI], 1);
	CU_ASSERT_EQUAL(fake.acquires, 1);
	CU_ASSERT(dropped(DROP_VTI_HOLD_FULL, 1));
	CU_ASSERT_EQUAL(hold_count(v[0]), PER_VTI - 1);
	/* Its second one does not. */
	four(v[ALL / PER_VTI], 2);
	CU_ASSERT(dropped(DROP_VTI_HOLD_FULL, 1));
	CU_ASSERT_EQUAL(hold_count(v[0]), PER_VTI - 1);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), ALL);
	stop();
}

static void waiting_ends_after_thirty_seconds(void)
{
	struct vti *v;

	start();
	v = vti_up("vti0", 100, 0);
	four(v, 1);
	hold_tick();
	four(v, 2);
	for (unsigned i = 0; i < 29; i++)
		hold_tick();
	CU_ASSERT_EQUAL(hold_count(v), 2);
	hold_tick();
	CU_ASSERT_EQUAL(hold_count(v), 1);
	CU_ASSERT(dropped(DROP_VTI_HOLD_TIMEOUT, 1));
	CU_ASSERT_EQUAL(room(v, 0), PER_VTI - 1);
	hold_tick();
	CU_ASSERT(dropped(DROP_VTI_HOLD_TIMEOUT, 1));
	CU_ASSERT_EQUAL(hold_count(v), 0);
	stop();
}

static void asks_again_ever_more_slowly(void)
{
	/* Seconds after the first packet. */
	static const unsigned at[] = {0, 1, 3, 7, 15, 31, 61, 91, 121};
	struct vti *v;
	unsigned k = 0;

	start();
	v = vti_up("vti0", 100, 0);
	for (unsigned t = 0; t < 130; t++) {
		four(v, t);
		k += k < RTE_DIM(at) && at[k] == t;
		CU_ASSERT_EQUAL(fake.acquires, k);
		hold_tick();
		k += k < RTE_DIM(at) && at[k] == t + 1;
		CU_ASSERT_EQUAL(fake.acquires, k);
	}
	/* Quiet until all have gone: then it begins anew. */
	for (unsigned t = 0; t < 70; t++)
		hold_tick();
	fake.acquires = 0;
	four(v, 0);
	CU_ASSERT_EQUAL(fake.acquires, 1);
	hold_tick();
	CU_ASSERT_EQUAL(fake.acquires, 2);
	stop();
}

static void a_vti_that_goes_drops_what_waits(void)
{
	struct viaduct_vti set = {.name = "vti0", .fields = VIADUCT_VTI_ADMIN};
	struct vti *v;

	start();
	v = vti_up("vti0", 100, 0);
	four(v, 1);
	six(v, 2);
	CU_ASSERT_EQUAL(vti_set(&set, NULL, &e), 0);
	CU_ASSERT(dropped(DROP_VTI_DOWN, 2));
	CU_ASSERT_EQUAL(hold_count(v), 0);
	four(v, 3); /* it was on its way */
	CU_ASSERT(dropped(DROP_VTI_DOWN, 1));
	set.admin_up = 1;
	CU_ASSERT_EQUAL(vti_set(&set, NULL, &e), 0);
	four(v, 4);
	/* As the kernel says it. */
	vti_kernel_link(v, true, 1500, false);
	vti_kernel_link(v, false, 1500, false);
	CU_ASSERT(dropped(DROP_VTI_DOWN, 1));
	vti_kernel_link(v, true, 1500, false);
	four(v, 5);
	{
		struct rte_mbuf *late = udp4(v, "10.2.0.2", 53, 6);

		CU_ASSERT_EQUAL(vti_del("vti0", &e), 0);
		CU_ASSERT(dropped(DROP_VTI_DOWN, 1));
		hold_packet(late);
		CU_ASSERT(dropped(DROP_VTI_DOWN, 1));
	}
	CU_ASSERT_EQUAL(fake.n_sent, 0);
	stop();
}

static void without_listeners_nothing_is_held(void)
{
	struct vti *v;

	start();
	v = vti_up("vti0", 100, 0);
	four(v, 1);
	fake.listeners = false;
	hold_tick();
	CU_ASSERT_EQUAL(room(v, 0), 0);
	CU_ASSERT_FALSE(atomic_load(&host_hold_asks));
	four(v, 2);
	CU_ASSERT(dropped(DROP_VTI_NO_SA, 1));
	CU_ASSERT_EQUAL(hold_count(v), 1); /* the daemon may be back in time */
	fake.listeners = true;
	hold_listeners();
	CU_ASSERT(atomic_load(&host_hold_asks));
	CU_ASSERT_EQUAL(room(v, 0), PER_VTI - 1);
	CU_ASSERT_EQUAL(room(v, 1), PER_VTI);
	stop();
}

static struct viaduct_policy trap(
	uint32_t reqid, uint32_t if_id, const char *from, const char *to, uint32_t priority)
{
	struct viaduct_policy p = {.dir = VIADUCT_OUT,
		.reqid = reqid,
		.if_id = if_id,
		.priority = priority,
		.src = A(HERE),
		.dst = A(THERE),
		.selector = {.src_port = {0, 65535}, .dst_port = {0, 65535}}};
	const struct viaduct_addr low = A(from), high = A(to);

	p.selector.family = low.family;
	memset(p.selector.src[1], 0xff, 16);
	memcpy(p.selector.dst[0], low.bytes, 16);
	memcpy(p.selector.dst[1], high.bytes, 16);
	return p;
}

static void policies_give_the_reqid(void)
{
	struct viaduct_policy wide = trap(3, 42, "0.0.0.0", "255.255.255.255", 300);
	struct viaduct_policy narrow = trap(4, 42, "10.2.0.0", "10.2.0.255", 200);
	struct viaduct_policy other = trap(5, 43, "0.0.0.0", "255.255.255.255", 100);
	struct viaduct_policy in = wide;
	struct vti *v;

	start();
	v = vti_up("vti0", 0, 42);
	vti_up("vti1", 0, 43);
	in.dir = VIADUCT_IN;
	in.reqid = 6;
	CU_ASSERT_EQUAL(policy_add(&in, &e), 0);
	CU_ASSERT_EQUAL(policy_add(&wide, &e), 0);
	CU_ASSERT_EQUAL(policy_add(&other, &e), 0);
	four(v, 1);
	CU_ASSERT_EQUAL(fake.acquire.reqid, 3);
	CU_ASSERT_EQUAL(policy_add(&narrow, &e), 0);
	hold_tick();
	CU_ASSERT_EQUAL(fake.acquires, 2);
	CU_ASSERT_EQUAL(fake.acquire.reqid, 4);
	stop();
}

static void nobody_negotiates_for_what_no_policy_covers(void)
{
	struct viaduct_policy narrow = trap(4, 42, "10.2.0.0", "10.2.0.255", 200);
	struct vti *v;

	start();
	v = vti_up("vti0", 0, 42);
	CU_ASSERT_EQUAL(policy_add(&narrow, &e), 0);
	six(v, 1);
	hold_packet(udp4(v, "10.3.0.1", 53, 2));
	CU_ASSERT_EQUAL(fake.acquires, 0);
	CU_ASSERT(dropped(DROP_VTI_NO_SA, 2));
	/* Such packets come one a second at most. */
	hold_tick();
	CU_ASSERT_EQUAL(room(v, 0), 1);
	CU_ASSERT_EQUAL(room(v, 1), 1);
	four(v, 3);
	CU_ASSERT_EQUAL(fake.acquires, 1);
	CU_ASSERT_EQUAL(fake.acquire.reqid, 4);
	CU_ASSERT_EQUAL(room(v, 0), PER_VTI - 1);
	stop();
}

UNIT_EAL_MAIN("hold", UNIT_TEST(the_first_packet_asks),
	UNIT_TEST(all_go_in_order_when_the_sa_comes), UNIT_TEST(an_sa_of_one_family_frees_that_one),
	UNIT_TEST(holding_is_bounded), UNIT_TEST(the_oldest_of_all_make_room),
	UNIT_TEST(waiting_ends_after_thirty_seconds), UNIT_TEST(asks_again_ever_more_slowly),
	UNIT_TEST(a_vti_that_goes_drops_what_waits), UNIT_TEST(without_listeners_nothing_is_held),
	UNIT_TEST(policies_give_the_reqid), UNIT_TEST(nobody_negotiates_for_what_no_policy_covers))
