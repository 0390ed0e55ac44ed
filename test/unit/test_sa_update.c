/* SPDX-License-Identifier: BSD-3-Clause */
/* SAs get other ends while they are in use: what they had counted, sent and received stays. */
#include "sadb_fixture.h"

#include "dataplane/esp.h"

#include <rte_ip.h>

#include <pthread.h>
#include <sched.h>

#define NEW_THERE "198.51.100.7"
#define NEW_HERE  "203.0.113.5"
#define HERE6     "2001:db8::1"
#define THERE6    "2001:db8::2"

static struct viaduct_sa_id at(const char *dst, uint32_t spi)
{
	return (struct viaduct_sa_id){.dst = A(dst), .spi = spi};
}

/* From where an SA of the fixture is to these two addresses. */
static struct viaduct_sa_update move_to(
	uint8_t dir, uint32_t spi, const char *new_src, const char *new_dst)
{
	return (struct viaduct_sa_update){
		.id = id_of(dir, spi), .new_src = A(new_src), .new_dst = A(new_dst)};
}

static struct sa *sa_at(const char *dst, uint32_t spi)
{
	const struct viaduct_sa_id id = at(dst, spi);
	const struct sa_entry *s = sadb_find(&id);

	return s != NULL ? s->sa : NULL;
}

/* One that a test goes on with. */
static struct sa *need(struct sa *sa)
{
	if (sa == NULL)
		abort();
	return sa;
}

static struct viaduct_sa_info info_at(const char *dst, uint32_t spi)
{
	const struct viaduct_sa_id id = at(dst, spi);
	struct viaduct_sa_info info = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(sadb_find(&id));
	sadb_fill_info(sadb_find(&id), &info);
	return info;
}

static void updates(const struct viaduct_sa_update *u)
{
	const int rc = sadb_update(u, &e);

	if (rc != 0)
		printf("    %s\n", e.text);
	CU_ASSERT_EQUAL(rc, 0);
}

static void outbound_goes_on(void)
{
	struct viaduct_sa_update u = move_to(VIADUCT_OUT, 0x2000, NEW_HERE, NEW_THERE);
	struct viaduct_sa r = sa_request(VIADUCT_OUT, 0x2000, 7);
	const struct rte_ipv4_hdr *ip;
	struct viaduct_sa_info info;
	struct crypto_key *key;
	struct sa *sa;
	struct vti *v;

	begin();
	v = vti("vti0", 7, 0, 0);
	r.lifetime.hard_packets = 1000;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	sa = need(find(VIADUCT_OUT, 0x2000));
	sa->seq = 43;
	sa->worker[0] = (struct sa_worker){.packets = 40, .bytes = 4000, .last_use = 5};
	sa->worker[1] = (struct sa_worker){.packets = 2, .bytes = 200, .errors = 1};
	key = sa->key;
	fake.now_ns += 60 * SECOND;
	updates(&u);
	CU_ASSERT_PTR_NULL(find(VIADUCT_OUT, 0x2000));
	sa = need(sa_at(NEW_THERE, 0x2000));
	CU_ASSERT_PTR_EQUAL(sa->key, key);
	CU_ASSERT_EQUAL(sa->seq, 43);
	CU_ASSERT_EQUAL(sa->seq_max, 1000);
	ip = (const struct rte_ipv4_hdr *)sa->hdr;
	CU_ASSERT_EQUAL(memcmp(&ip->src_addr, A(NEW_HERE).bytes, 4), 0);
	CU_ASSERT_EQUAL(memcmp(&ip->dst_addr, A(NEW_THERE).bytes, 4), 0);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], sa);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[1], sa);
	CU_ASSERT_PTR_EQUAL(sa->vti, v->iface);
	CU_ASSERT_EQUAL(rcu_poll(), 0); /* the old one is freed, the keys are not */
	sa->worker[1].packets++;
	sa->worker[1].bytes += 100;
	info = info_at(NEW_THERE, 0x2000);
	CU_ASSERT_EQUAL(info.packets, 43);
	CU_ASSERT_EQUAL(info.bytes, 4300);
	CU_ASSERT_EQUAL(info.errors, 1);
	CU_ASSERT_EQUAL(info.seq, 42);
	CU_ASSERT_EQUAL(info.age_s, 60);
	CU_ASSERT_NOT_EQUAL(info.idle_s, UINT64_MAX);
	CU_ASSERT_EQUAL(info.active, 1);
	CU_ASSERT_EQUAL(memcmp(&info.src, &u.new_src, sizeof(info.src)), 0);
	CU_ASSERT_EQUAL(sadb_count(), 1);
	end();
}

static void inbound_changes_in_place(void)
{
	struct viaduct_sa_update u = move_to(VIADUCT_IN, 0x1000, NEW_THERE, NEW_HERE);
	struct sa *sa;

	begin();
	add(VIADUCT_IN, 0x1000, 7);
	sa = need(find(VIADUCT_IN, 0x1000));
	for (uint64_t seq = 1; seq < 10; seq++)
		CU_ASSERT_EQUAL(replay_accept(&sa->replay, seq), REPLAY_OK);
	sa->worker[0].packets = 9;
	updates(&u);
	CU_ASSERT_PTR_EQUAL(sa_at(NEW_HERE, 0x1000), sa);
	CU_ASSERT_PTR_NULL(find(VIADUCT_IN, 0x1000));
	CU_ASSERT_EQUAL(replay_accept(&sa->replay, 9), REPLAY_DUPLICATE);
	CU_ASSERT_EQUAL(info_at(NEW_HERE, 0x1000).packets, 9);
	CU_ASSERT_EQUAL(info_at(NEW_HERE, 0x1000).seq, 9);
	/* What is on its way to the former address is still taken, for ten seconds. */
	CU_ASSERT_PTR_EQUAL(spi_lookup(0x1000, IP_V4, u.new_dst.bytes), sa);
	CU_ASSERT_PTR_EQUAL(lookup_in(0x1000), sa);
	fake.now_ns += 9 * SECOND;
	sadb_tick();
	CU_ASSERT_PTR_EQUAL(lookup_in(0x1000), sa);
	fake.now_ns += SECOND;
	sadb_tick();
	CU_ASSERT_PTR_NULL(lookup_in(0x1000));
	CU_ASSERT_PTR_EQUAL(spi_lookup(0x1000, IP_V4, u.new_dst.bytes), sa);
	/* And back. */
	u = (struct viaduct_sa_update){
		.id = at(NEW_HERE, 0x1000), .new_src = A(THERE), .new_dst = A(HERE)};
	updates(&u);
	CU_ASSERT_PTR_EQUAL(lookup_in(0x1000), sa);
	CU_ASSERT_PTR_EQUAL(find(VIADUCT_IN, 0x1000), sa);
	end();
}

/* The same SPI, installed anew where another SA was a moment ago: packets are for the new one. */
static void former_address_is_free(void)
{
	const struct viaduct_sa_update u = move_to(VIADUCT_IN, 0x1000, THERE, NEW_HERE);
	const struct viaduct_addr new_here = A(NEW_HERE);
	struct viaduct_sa_update back = u;
	struct sa *moved;

	begin();
	add(VIADUCT_IN, 0x1000, 7);
	moved = lookup_in(0x1000);
	updates(&u);
	add(VIADUCT_IN, 0x1000, 8);
	CU_ASSERT_PTR_NOT_EQUAL(lookup_in(0x1000), moved);
	CU_ASSERT_PTR_EQUAL(lookup_in(0x1000), find(VIADUCT_IN, 0x1000));
	CU_ASSERT_PTR_EQUAL(spi_lookup(0x1000, IP_V4, new_here.bytes), moved);
	/* Nor may one move to where another is. */
	back.id = at(NEW_HERE, 0x1000);
	back.new_dst = A(HERE);
	CU_ASSERT_EQUAL(sadb_update(&back, &e), -EEXIST);
	CU_ASSERT_STRING_EQUAL(e.text, "new_dst: 0x00001000 to 192.0.2.1 exists already");
	CU_ASSERT_PTR_EQUAL(spi_lookup(0x1000, IP_V4, new_here.bytes), moved);
	/* One moves away, the other takes its place while packets to the first are under way. */
	back = move_to(VIADUCT_IN, 0x1000, THERE, "203.0.113.6");
	updates(&back);
	back.id = at(NEW_HERE, 0x1000);
	back.new_dst = A(HERE);
	updates(&back);
	CU_ASSERT_PTR_EQUAL(lookup_in(0x1000), moved);
	end();
}

static void encapsulation_and_family_change(void)
{
	struct viaduct_sa_update u = move_to(VIADUCT_OUT, 0x2000, HERE, THERE);
	struct viaduct_sa_update in = move_to(VIADUCT_IN, 0x1000, THERE, HERE);
	struct iface path = {.name = "wan"};
	struct viaduct_sa_info info;
	struct vti *v;
	uint32_t mtu;

	begin();
	atomic_store(&path.mtu, 1500);
	fake.path = &path;
	v = vti("vti0", 7, 0, 0);
	add(VIADUCT_IN, 0x1000, 7);
	add(VIADUCT_OUT, 0x2000, 7);
	mtu = iface_mtu(v->iface);
	u.encap = in.encap = 1;
	u.new_sport = in.new_dport = 4500;
	u.new_dport = in.new_sport = 20000;
	updates(&u);
	updates(&in);
	CU_ASSERT_EQUAL(iface_mtu(v->iface), mtu - 8);
	CU_ASSERT_EQUAL(need(find(VIADUCT_OUT, 0x2000))->hdr_len, 20 + 8 + 8);
	CU_ASSERT_TRUE(need(find(VIADUCT_OUT, 0x2000))->mould.udp);
	info = info_of(VIADUCT_OUT, 0x2000);
	CU_ASSERT_EQUAL(info.flags, VIADUCT_SA_ENCAP);
	CU_ASSERT_EQUAL(info.sport, 4500);
	CU_ASSERT_EQUAL(info.dport, 20000);
	CU_ASSERT_EQUAL(
		sa_ends_now(need(find(VIADUCT_IN, 0x1000)))->flags, SA_UDP_ENCAP | SA_ANY_SOURCE);
	/* Another mapping of the peer's NAT. */
	u.new_dport = in.new_sport = 20001;
	updates(&u);
	updates(&in);
	CU_ASSERT_EQUAL(info_of(VIADUCT_IN, 0x1000).sport, 20001);
	CU_ASSERT_EQUAL(info_of(VIADUCT_OUT, 0x2000).dport, 20001);
	u.encap = in.encap = 0;
	u.new_src = in.new_dst = A(HERE6);
	u.new_dst = in.new_src = A(THERE6);
	updates(&u);
	updates(&in);
	CU_ASSERT_EQUAL(need(sa_at(THERE6, 0x2000))->family, IP_V6);
	CU_ASSERT_EQUAL(need(sa_at(THERE6, 0x2000))->hdr_len, 40 + 8);
	CU_ASSERT_EQUAL(info_at(HERE6, 0x1000).flags, 0);
	CU_ASSERT_EQUAL(info_at(HERE6, 0x1000).sport, 0);
	CU_ASSERT_EQUAL(iface_mtu(v->iface), mtu - 20);
	end();
}

/* charon moved it, so it stays, with those that replace it, where its mark or reqid put it. */
static void stays_with_its_vti(void)
{
	struct viaduct_vti r = {.name = "vti0",
		.fields = VIADUCT_VTI_REQID | VIADUCT_VTI_LOCAL | VIADUCT_VTI_REMOTE,
		.reqid = 7,
		.local = A(HERE),
		.remote = A(THERE)};
	struct viaduct_sa_update u = move_to(VIADUCT_OUT, 0x2000, HERE, NEW_THERE);
	struct viaduct_sa rekeyed = sa_request(VIADUCT_OUT, 0x2001, 7);
	struct vti *v = NULL;

	begin();
	CU_ASSERT_EQUAL(vti_add(&r, &v, &e), 0);
	add(VIADUCT_OUT, 0x2000, 7);
	updates(&u);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], sa_at(NEW_THERE, 0x2000));
	sadb_rebind();
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], sa_at(NEW_THERE, 0x2000));
	rekeyed.id.dst = A(NEW_THERE);
	CU_ASSERT_EQUAL(sadb_add(&rekeyed, &e), 0);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], sa_at(NEW_THERE, 0x2001));
	/* The VTI is told the new address: it is theirs all the same. */
	r.fields = VIADUCT_VTI_REMOTE;
	r.remote = A(NEW_THERE);
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), 0);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], sa_at(NEW_THERE, 0x2001));
	/* Another reqid's from there is not. */
	rekeyed = sa_request(VIADUCT_OUT, 0x2002, 8);
	rekeyed.id.dst = A("192.0.2.99");
	CU_ASSERT_EQUAL(sadb_add(&rekeyed, &e), 0);
	CU_ASSERT_PTR_NULL(need(sa_at("192.0.2.99", 0x2002))->vti);
	end();
}

static void expired_stays_expired(void)
{
	const struct viaduct_sa_update u = move_to(VIADUCT_OUT, 0x2000, HERE, NEW_THERE);
	struct viaduct_sa r = sa_request(VIADUCT_OUT, 0x2000, 7);

	begin();
	r.lifetime.hard_seconds = 5;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	fake.now_ns += 5 * SECOND;
	sadb_tick();
	updates(&u);
	CU_ASSERT_EQUAL(need(sa_at(NEW_THERE, 0x2000))->expired, SA_EXPIRED);
	sadb_tick();
	CU_ASSERT_EQUAL(fake.events, 1);
	end();
}

static void refuse(struct viaduct_sa_update u, int code, const char *sentence)
{
	CU_ASSERT_EQUAL(sadb_update(&u, &e), -code);
	if (strcmp(e.text, sentence) != 0)
		printf("\n    expected: %s\n    got:      %s\n", sentence, e.text);
	CU_ASSERT_STRING_EQUAL(e.text, sentence);
	CU_ASSERT_PTR_NOT_NULL(find(VIADUCT_OUT, 0x2000));
}

#define REFUSE(code, sentence, ...)                                                                \
	do {                                                                                       \
		struct viaduct_sa_update u = move_to(VIADUCT_OUT, 0x2000, HERE, NEW_THERE);        \
                                                                                                   \
		__VA_ARGS__;                                                                       \
		refuse(u, code, sentence);                                                         \
	} while (0)

static void refuses(void)
{
	struct sa *sa;

	begin();
	add(VIADUCT_OUT, 0x2000, 7);
	sa = need(find(VIADUCT_OUT, 0x2000));
	REFUSE(ENOENT, "spi: no SA 0x00002001 to 192.0.2.2", u.id.spi = 0x2001);
	REFUSE(EINVAL, "new_src: address family 9; expected an IPv4 or IPv6 address",
		u.new_src.family = 9);
	REFUSE(EINVAL, "new_dst: address family 0; expected an IPv4 or IPv6 address",
		u.new_dst.family = 0);
	REFUSE(EINVAL,
		"new_src: 2001:db8::1; expected an address of the same family as new_dst "
		"198.51.100.7",
		u.new_src = A(HERE6));
	REFUSE(EINVAL, "encap: 2; expected 0 or 1", u.encap = 2);
	REFUSE(EINVAL, "new_sport: 0; UDP encapsulation needs both ports", u.encap = 1);
	REFUSE(EINVAL, "new_dport: 0; UDP encapsulation needs both ports", u.encap = 1,
		u.new_sport = 4500);
	REFUSE(EINVAL, "spi 0x00002000: new dst: 0.0.0.0, but one address is expected",
		u.new_dst = A("0.0.0.0"));
	sa->flags |= SA_LOOKASIDE;
	REFUSE(EOPNOTSUPP,
		"new_dst: 2001:db8::2; an SA in a crypto device can't change its address family; "
		"delete it and install another one (IKE: rekey)",
		u.new_src = A(HERE6), u.new_dst = A(THERE6));
	sa->flags &= ~SA_LOOKASIDE;
	CU_ASSERT_PTR_EQUAL(find(VIADUCT_OUT, 0x2000), sa);
	end();
}

/* A worker that numbers packets as fast as it can, while the SA moves to and fro. */
struct numbering {
	struct iface *vti;
	_Atomic bool stop;
	_Atomic uint64_t taken;
	uint64_t wrong;
};

/* EAL has bound the test to one CPU, which is not enough for two. */
static void use_all_cpus(void)
{
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	pthread_setaffinity_np(pthread_self(), sizeof(all), &all);
}

static void *number_packets(void *arg)
{
	struct numbering *n = arg;
	uint64_t expected = 1;

	use_all_cpus();
	rte_rcu_qsbr_thread_online(rcu_qsbr(), 0);
	while (!atomic_load(&n->stop)) {
		struct sa *sa = sa_follow(atomic_load(&n->vti->sa_out[0]));
		uint64_t seq = atomic_fetch_add(&sa->seq, 1);

		n->wrong += seq != expected;
		expected = seq + 1;
		sa->worker[0].packets++;
		if (atomic_fetch_add(&n->taken, 1) % 64 == 0)
			sched_yield();
		rte_rcu_qsbr_quiescent(rcu_qsbr(), 0);
	}
	rte_rcu_qsbr_thread_offline(rcu_qsbr(), 0);
	return NULL;
}

static void no_number_twice_none_left_out(void)
{
	static const char *const place[] = {THERE, NEW_THERE};
	struct numbering n = {0};
	uint64_t last = 0;
	pthread_t worker;

	begin();
	n.vti = vti("vti0", 7, 0, 0)->iface;
	add(VIADUCT_OUT, 0x2000, 7);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&worker, NULL, number_packets, &n), 0);
	while (atomic_load(&n.taken) == 0)
		sched_yield();
	for (unsigned i = 0; i < 500; i++) {
		const struct viaduct_sa_update u = {.id = at(place[i % 2], 0x2000),
			.new_src = A(HERE),
			.new_dst = A(place[(i + 1) % 2])};

		updates(&u);
		CU_ASSERT(info_at(place[(i + 1) % 2], 0x2000).packets >= last);
		last = info_at(place[(i + 1) % 2], 0x2000).packets;
		rcu_poll();
	}
	atomic_store(&n.stop, true);
	pthread_join(worker, NULL);
	CU_ASSERT_EQUAL(n.wrong, 0);
	CU_ASSERT(n.taken > 500);
	CU_ASSERT_EQUAL(info_at(THERE, 0x2000).packets, n.taken);
	CU_ASSERT_EQUAL(info_at(THERE, 0x2000).seq, n.taken);
	rcu_poll();
	end();
}

#define PARALLEL   2
#define NUMBERS    (1u << 24) /* that are looked at */
#define MOVES_MIN  300
#define NUMBER_MIN 2000

static _Atomic uint8_t given[NUMBERS];

/* One of two workers, to which the VTI is open while it is parallel. */
struct parallel_worker {
	struct iface *vti;
	unsigned id;
	_Atomic bool *stop;
	_Atomic uint64_t taken, twice;
};

static void *number_in_parallel(void *arg)
{
	struct parallel_worker *n = arg;

	use_all_cpus();
	rte_rcu_qsbr_thread_online(rcu_qsbr(), n->id);
	while (!atomic_load(n->stop)) {
		if (n->id == 0 || iface_has(n->vti, IFACE_PARALLEL)) {
			struct sa *sa = sa_follow(atomic_load(&n->vti->sa_out[0]));
			uint64_t seq;

			/* Here the other one, and the control thread, may go on. */
			sched_yield();
			seq = atomic_fetch_add(&sa->seq, 1);
			n->twice += seq >= NUMBERS || atomic_fetch_add(&given[seq], 1) != 0;
			n->taken++;
		}
		rte_rcu_qsbr_quiescent(rcu_qsbr(), n->id);
		sched_yield();
	}
	rte_rcu_qsbr_thread_offline(rcu_qsbr(), n->id);
	return NULL;
}

static struct iface *parallel_vti(void)
{
	struct viaduct_vti set = {.fields = VIADUCT_VTI_PARALLEL, .parallel = 1};
	struct vti *v = vti("vti0", 7, 0, 0);

	memcpy(set.name, v->conf.name, sizeof(set.name));
	CU_ASSERT_EQUAL(vti_set(&set, NULL, &e), 0);
	return v->iface;
}

static void move_to_and_fro(const struct parallel_worker *n)
{
	static const char *const place[] = {THERE, NEW_THERE};

	for (unsigned i = 0; i < MOVES_MIN || i % 2 != 0 || n[0].taken + n[1].taken < NUMBER_MIN;
		i++) {
		const struct viaduct_sa_update u = {.id = at(place[i % 2], 0x2000),
			.new_src = A(HERE),
			.new_dst = A(place[(i + 1) % 2])};

		updates(&u);
		CU_ASSERT_TRUE(iface_has(n[0].vti, IFACE_PARALLEL));
		rcu_poll();
	}
}

/* Both workers number an SA's packets while it moves: none twice, none left out. */
static void parallel_no_number_twice(void)
{
	static struct parallel_worker n[PARALLEL];
	static _Atomic bool stop;
	pthread_t worker[PARALLEL];
	struct iface *vti;

	begin();
	vti = parallel_vti();
	add(VIADUCT_OUT, 0x2000, 7);
	for (unsigned i = 0; i < PARALLEL; i++) {
		n[i] = (struct parallel_worker){.vti = vti, .id = i, .stop = &stop};
		CU_ASSERT_EQUAL_FATAL(
			pthread_create(&worker[i], NULL, number_in_parallel, &n[i]), 0);
	}
	while (n[0].taken == 0 || n[1].taken == 0)
		sched_yield();
	move_to_and_fro(n);
	atomic_store(&stop, true);
	for (unsigned i = 0; i < PARALLEL; i++)
		pthread_join(worker[i], NULL);
	CU_ASSERT_EQUAL(n[0].twice + n[1].twice, 0);
	CU_ASSERT_EQUAL(info_at(THERE, 0x2000).seq, n[0].taken + n[1].taken);
	rcu_poll();
	end();
}

UNIT_EAL_MAIN("sa_update", UNIT_TEST(outbound_goes_on), UNIT_TEST(inbound_changes_in_place),
	UNIT_TEST(former_address_is_free), UNIT_TEST(encapsulation_and_family_change),
	UNIT_TEST(stays_with_its_vti), UNIT_TEST(expired_stays_expired), UNIT_TEST(refuses),
	UNIT_TEST(no_number_twice_none_left_out), UNIT_TEST(parallel_no_number_twice))
