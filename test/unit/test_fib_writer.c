/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/rcu.h"
#include "control/routing/fib_writer.h"
#include "control/routing/prefix.h"
#include "dataplane/nexthop.h"

#include "unit.h"

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_pause.h>

#include <arpa/inet.h>
#include <pthread.h>

#define MODEL_MAX 512

static const uint8_t families[2] = {IP_V4, IP_V6};

static struct addr parse(const char *text)
{
	struct addr a = {.family = strchr(text, ':') != NULL ? IP_V6 : IP_V4};

	inet_pton(a.family == IP_V6 ? AF_INET6 : AF_INET, text, a.v6);
	return a;
}

static uint32_t lookup(uint8_t vrf, const char *text)
{
	struct addr a = parse(text);

	return fib_lookup(fib_by_vrf(vrf), a.family, a.v6);
}

static void set(uint8_t vrf, const char *prefix, uint8_t len, uint32_t nh)
{
	struct addr a = parse(prefix);

	CU_ASSERT_EQUAL_FATAL(nh == 0 ? fib_unset(vrf, &a, len) : fib_set(vrf, &a, len, nh), 0);
}

static void begin(uint32_t max_routes)
{
	CU_ASSERT_EQUAL_FATAL(rcu_init(1), 0);
	CU_ASSERT_EQUAL_FATAL(fib_create(0, max_routes, max_routes), 0);
}

static void end(void)
{
	fib_destroy(0);
	CU_ASSERT_PTR_NULL(fib_by_vrf(0));
	rcu_fini();
}

static void fixed_destinations_are_local(void)
{
	begin(100);
	CU_ASSERT_EQUAL(lookup(0, "224.0.0.5"), NH_ID_LOCAL);
	CU_ASSERT_EQUAL(lookup(0, "239.255.255.255"), NH_ID_LOCAL);
	CU_ASSERT_EQUAL(lookup(0, "240.0.0.1"), NH_ID_NO_ROUTE);
	CU_ASSERT_EQUAL(lookup(0, "255.255.255.255"), NH_ID_LOCAL);
	CU_ASSERT_EQUAL(lookup(0, "255.255.255.254"), NH_ID_NO_ROUTE);
	CU_ASSERT_EQUAL(lookup(0, "ff02::1"), NH_ID_LOCAL);
	CU_ASSERT_EQUAL(lookup(0, "fe80::1"), NH_ID_LOCAL);
	CU_ASSERT_EQUAL(lookup(0, "febf::1"), NH_ID_LOCAL);
	CU_ASSERT_EQUAL(lookup(0, "fec0::1"), NH_ID_NO_ROUTE);
	CU_ASSERT_EQUAL(lookup(0, "10.0.0.1"), NH_ID_NO_ROUTE);
	/* Default routes leave them alone. */
	set(0, "0.0.0.0", 0, 77);
	set(0, "::", 0, 78);
	CU_ASSERT_EQUAL(fib_commit(0), 0);
	CU_ASSERT_EQUAL(lookup(0, "224.0.0.5"), NH_ID_LOCAL);
	CU_ASSERT_EQUAL(lookup(0, "fe80::1"), NH_ID_LOCAL);
	CU_ASSERT_EQUAL(lookup(0, "10.0.0.1"), 77);
	CU_ASSERT_EQUAL(lookup(0, "2001:db8::1"), 78);
	end();
}

static void fixed_prefixes_are_told(void)
{
	struct addr a = parse("224.0.0.0"), f;
	uint8_t len = 0;

	CU_ASSERT_TRUE(fib_prefix_is_fixed(&a, 24, &f, &len));
	CU_ASSERT_EQUAL(len, 4);
	CU_ASSERT_TRUE(addr_eq(&a, &f));
	CU_ASSERT_FALSE(fib_prefix_is_fixed(&a, 3, NULL, NULL));
	a = parse("fe80::");
	CU_ASSERT_TRUE(fib_prefix_is_fixed(&a, 64, NULL, NULL));
	a = parse("::");
	CU_ASSERT_FALSE(fib_prefix_is_fixed(&a, 0, NULL, NULL));
}

static void prefix_bits(void)
{
	struct addr a = parse("203.0.113.129"), p;

	p = prefix_of(&a, 25);
	CU_ASSERT_EQUAL(p.v4, parse("203.0.113.128").v4);
	p = prefix_of(&a, 0);
	CU_ASSERT_EQUAL(p.v4, 0);
	p = prefix_of(&a, 32);
	CU_ASSERT_TRUE(addr_eq(&p, &a));
	a = parse("2001:db8:ffff:ffff::1");
	p = prefix_of(&a, 33);
	CU_ASSERT_EQUAL(memcmp(p.v6, parse("2001:db8:8000::").v6, 16), 0);
	CU_ASSERT_TRUE(prefix_covers(&p, 33, &a));
	CU_ASSERT_FALSE(prefix_covers(&p, 35, &a));
}

static void generation_counts_swaps(void)
{
	struct fib *fib;
	uint32_t before;

	begin(100);
	fib = fib_by_vrf(0);
	before = fib->generation;
	CU_ASSERT_EQUAL(fib_commit(0), 0);
	CU_ASSERT_EQUAL(fib->generation, before); /* nothing to do */
	set(0, "10.0.0.0", 8, 9);
	CU_ASSERT_EQUAL(lookup(0, "10.0.0.1"), NH_ID_NO_ROUTE); /* not before the commit */
	CU_ASSERT_EQUAL(fib_commit(0), 0);
	CU_ASSERT_EQUAL(fib->generation, before + 1);
	CU_ASSERT_EQUAL(lookup(0, "10.0.0.1"), 9);
	fib_invalidate_cached();
	CU_ASSERT_EQUAL(fib->generation, before + 2);
	end();
}

/* A naive table: the longest prefix by looking at all of them. */
static struct {
	struct addr prefix;
	uint8_t len;
	uint32_t nh; /* 0: free */
} model[MODEL_MAX];

static uint32_t model_lookup(const struct addr *a)
{
	uint32_t nh = fib_prefix_is_fixed(a, addr_len(a->family) * 8, NULL, NULL) ? NH_ID_LOCAL : 0;
	int best = -1;

	if (nh != 0)
		return nh;
	for (unsigned i = 0; i < MODEL_MAX; i++) {
		if (model[i].nh != 0 && model[i].len > best &&
			prefix_covers(&model[i].prefix, model[i].len, a)) {
			best = model[i].len;
			nh = model[i].nh;
		}
	}
	return nh;
}

/* Few distinct bits, so that prefixes nest and collide at every length. */
static struct addr random_addr(unsigned family)
{
	struct addr a = {.family = family};

	for (unsigned i = 0; i < addr_len(family); i++)
		a.v6[i] = rand() % 3 == 0 ? rand() : (rand() & 1) * 0x81;
	a.v6[0] = family == IP_V4 ? 10 + rand() % 2 : 0x20;
	return a;
}

/* One random change, in the model and in the queue. */
static void random_change(unsigned family)
{
	struct addr a = random_addr(family);
	unsigned slot = rand() % MODEL_MAX;
	uint8_t len = rand() % (addr_len(family) * 8 + 1);

	if (model[slot].nh != 0) {
		fib_unset(0, &model[slot].prefix, model[slot].len);
		model[slot].nh = 0;
		return;
	}
	a = prefix_of(&a, len);
	if (fib_prefix_is_fixed(&a, len, NULL, NULL))
		return;
	for (unsigned i = 0; i < MODEL_MAX; i++) {
		if (model[i].nh != 0 && model[i].len == len && addr_eq(&model[i].prefix, &a))
			slot = i; /* replaces that one */
	}
	model[slot].prefix = a;
	model[slot].len = len;
	model[slot].nh = NH_ID_DYNAMIC + rand() % 4; /* often that of the prefix around it */
	fib_set(0, &a, len, model[slot].nh);
}

static unsigned check_model(unsigned n)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < n; i++) {
		struct addr a = random_addr(families[i & 1]);
		unsigned k = rand() % MODEL_MAX;

		/* Half of them at the edges of prefixes that are there. */
		if ((i & 2) && model[k].nh != 0)
			a = model[k].prefix;
		wrong += fib_lookup(fib_by_vrf(0), a.family, a.v6) != model_lookup(&a);
	}
	return wrong;
}

static void random_changes_match_naive_table(void)
{
	memset(model, 0, sizeof(model));
	srand(4303);
	begin(10000);
	for (unsigned round = 0; round < 1500; round++) {
		for (unsigned i = rand() % 12; i > 0; i--)
			random_change(families[rand() & 1]);
		CU_ASSERT_EQUAL(fib_commit(0), 0);
		CU_ASSERT_EQUAL(check_model(200), 0);
	}
	/* Empty it: both copies must come out clean. */
	for (unsigned i = 0; i < MODEL_MAX; i++) {
		if (model[i].nh != 0)
			fib_unset(0, &model[i].prefix, model[i].len);
		model[i].nh = 0;
	}
	fib_commit(0);
	CU_ASSERT_EQUAL(check_model(1000), 0);
	set(0, "203.0.113.0", 24, 99);
	fib_commit(0);
	CU_ASSERT_EQUAL(check_model(1000), 0);
	end();
}

static unsigned n_told;

static void told(const struct addr *prefix, uint8_t len, void *arg)
{
	(void)arg;
	CU_ASSERT_EQUAL(prefix->family, IP_V4);
	CU_ASSERT_EQUAL(len, 24);
	n_told++;
}

static void full_table_refuses_and_goes_on(void)
{
	struct addr a = {.family = IP_V4};
	uint64_t before = fib_refused_count();
	unsigned refused, in = 0;

	/* Room for max_routes; rte_fib's nodes allow somewhat more where prefixes are neighbours. */
	begin(16);
	for (unsigned i = 0; i < 256; i++) {
		a.v4 = htonl(10u << 24 | i << 8);
		fib_set(0, &a, 24, NH_ID_DYNAMIC + i);
	}
	refused = fib_commit(0);
	CU_ASSERT_TRUE(refused > 0 && refused <= 240);
	n_told = 0;
	fib_each_refused(0, told, NULL);
	CU_ASSERT_EQUAL(n_told, refused);
	CU_ASSERT_EQUAL(fib_refused_count() - before, refused);
	for (unsigned i = 0; i < 256; i++) {
		uint32_t be = htonl(10u << 24 | i << 8 | 1);
		uint32_t nh = fib_lookup(fib_by_vrf(0), IP_V4, &be);

		CU_ASSERT_TRUE(nh == NH_ID_NO_ROUTE || nh == NH_ID_DYNAMIC + i);
		in += nh != NH_ID_NO_ROUTE;
	}
	CU_ASSERT_EQUAL(in, 256 - refused);
	/* One goes, another one fits; the other copy says the same. */
	CU_ASSERT_EQUAL(lookup(0, "10.0.0.1"), NH_ID_DYNAMIC);
	set(0, "10.0.0.0", 24, 0);
	set(0, "10.1.0.0", 24, 500);
	CU_ASSERT_EQUAL(fib_commit(0), 0);
	CU_ASSERT_EQUAL(lookup(0, "10.1.0.1"), 500);
	CU_ASSERT_EQUAL(lookup(0, "10.0.0.1"), NH_ID_NO_ROUTE);
	set(0, "2001:db8::", 32, 501);
	set(0, "10.1.0.0", 24, 502);
	CU_ASSERT_EQUAL(fib_commit(0), 0);
	CU_ASSERT_EQUAL(lookup(0, "10.1.0.1"), 502);
	CU_ASSERT_EQUAL(lookup(0, "10.0.1.1"), NH_ID_DYNAMIC + 1);
	end();
}

/* The reader looks up addresses that are covered all the time while the writer changes what lies
 * around them. rte_fib alone would hand out a freed group's new contents here. */
static struct {
	_Atomic bool stop;
	_Atomic uint64_t lookups, wrong, generations;
} reader;

static bool may_be(const uint64_t nh, uint64_t cover, uint64_t specific)
{
	return nh == cover || nh == specific;
}

/* EAL has pinned the main thread, whose affinity threads inherit. */
static void use_any_cpu(void)
{
	cpu_set_t all;

	CPU_ZERO(&all);
	for (unsigned i = 0; i < CPU_SETSIZE; i++)
		CPU_SET(i, &all);
	pthread_setaffinity_np(pthread_self(), sizeof(all), &all);
}

static void *read_all_the_time(void *arg)
{
	struct fib *fib = fib_by_vrf(0);
	uint32_t dst4[8], last = 0;
	uint8_t dst6[8][16];
	uint64_t nh[8];

	(void)arg;
	use_any_cpu();
	for (unsigned i = 0; i < 8; i++) {
		struct addr a = parse("2001:db8::1");

		dst4[i] = 10u << 24 | i << 8 | 200; /* 10.0.i.200 */
		memcpy(dst6[i], a.v6, 16);
		dst6[i][7] = i;
	}
	rte_rcu_qsbr_thread_online(rcu_qsbr(), 0);
	while (!reader.stop) {
		fib_lookup4_bulk(fib, dst4, nh, 8);
		for (unsigned i = 0; i < 8; i++)
			reader.wrong += !may_be(nh[i], 100, 200 + i);
		fib_lookup6_bulk(fib, dst6, nh, 8);
		for (unsigned i = 0; i < 8; i++)
			reader.wrong += !may_be(nh[i], 101, 300 + i);
		reader.generations += fib->generation != last;
		last = fib->generation;
		reader.lookups += 16;
		rte_rcu_qsbr_quiescent(rcu_qsbr(), 0);
	}
	rte_rcu_qsbr_thread_offline(rcu_qsbr(), 0);
	return NULL;
}

/* Longer prefixes come and go around each address; those that hold it have nh 200 + i, 300 + i. */
static void churn(void)
{
	for (unsigned n = rand() % 6; n > 0; n--) {
		struct addr a = {.family = IP_V4}, b = parse("2001:db8::");
		unsigned i = rand() % 8, on = rand() & 1, low = rand() & 1;

		a.v4 = htonl(10u << 24 | i << 8 | (low ? 0 : 128));
		fib_set(0, &a, low ? 26 : 25, low ? 7777 : 200 + i);
		if (!on)
			fib_unset(0, &a, low ? 26 : 25);
		b.v6[7] = i;
		if (low)
			b.v6[8] = 1 + rand() % 3;
		fib_set(0, &b, low ? 72 : 64 + 8 * (rand() % 6), low ? 7778 : 300 + i);
		if (!on) {
			for (unsigned len = 64; len <= 104; len += 8)
				fib_unset(0, &b, len);
		}
	}
	CU_ASSERT_EQUAL(fib_commit(0), 0);
}

static void readers_never_miss_a_covered_address(void)
{
	pthread_t t;

	memset(&reader, 0, sizeof(reader));
	begin(10000);
	set(0, "10.0.0.0", 8, 100);
	set(0, "2001:db8::", 32, 101);
	fib_commit(0);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&t, NULL, read_all_the_time, NULL), 0);
	while (reader.lookups == 0)
		rte_pause();
	for (unsigned i = 0; i < 5000; i++)
		churn();
	reader.stop = true;
	pthread_join(t, NULL);
	CU_ASSERT_EQUAL(reader.wrong, 0);
	CU_ASSERT_TRUE(reader.generations > 1000);
	printf(" %lu lookups over %lu swaps ", reader.lookups, reader.generations);
	end();
}

/* A route inside another one through the same tunnel comes and goes; then any other. rte_fib's own
 * bookkeeping would be at its end after the first (IPv4) or after some thousand (IPv6). */
static void flapping_never_uses_up_the_table(void)
{
	static const char *const inner[] = {"10.2.0.1", "2001:db8:2::1"};
	static const uint8_t len[] = {32, 128};
	unsigned refused = 0;

	begin(1000);
	set(0, "10.2.0.0", 16, 50);
	set(0, "2001:db8::", 32, 50);
	CU_ASSERT_EQUAL(fib_commit(0), 0);
	for (unsigned i = 0; i < 10000; i++) {
		for (unsigned f = 0; f < 2; f++)
			set(0, inner[f], len[f], i % 3 == 0 ? 50 : i % 3 == 1 ? 51 : 0);
		refused += fib_commit(0);
	}
	CU_ASSERT_EQUAL(refused, 0);
	set(0, "10.2.7.7", 32, 52);
	set(0, "2001:db8:7::7", 128, 52);
	CU_ASSERT_EQUAL(fib_commit(0), 0);
	CU_ASSERT_EQUAL(lookup(0, "10.2.7.7"), 52);
	CU_ASSERT_EQUAL(lookup(0, "2001:db8:7::7"), 52);
	CU_ASSERT_EQUAL(lookup(0, "2001:db8:7::8"), 50);
	CU_ASSERT_EQUAL(lookup(0, "fe80::1"), NH_ID_LOCAL);
	end();
}

/* Every /24 wants a group of its own; when there are none left nothing else is harmed. */
static void full_groups_leave_the_rest_intact(void)
{
	struct addr a = {.family = IP_V4};
	unsigned refused, wrong = 0;

	begin(3000); /* 1024 groups: two are never used, one is that of 255.255.255.255 */
	set(0, "0.0.0.0", 0, 40);
	for (unsigned i = 0; i < 2000; i++) {
		a.v4 = htonl(10u << 24 | i << 8 | 128);
		fib_set(0, &a, 25, 50);
	}
	refused = fib_commit(0);
	CU_ASSERT_EQUAL(refused, 2000 - 1021);
	/* The default route's change has to go around all of them. */
	set(0, "0.0.0.0", 0, 41);
	CU_ASSERT_EQUAL(fib_commit(0), 0);
	for (unsigned i = 0; i < 2000 * 256; i += 64) {
		uint32_t be = htonl((10u << 24) + i);
		uint32_t nh = fib_lookup(fib_by_vrf(0), IP_V4, &be);

		wrong += nh != ((i & 128) && i < 1021 * 256 ? 50 : 41);
	}
	CU_ASSERT_EQUAL(wrong, 0);
	end();
}

UNIT_EAL_MAIN("fib_writer", UNIT_TEST(flapping_never_uses_up_the_table),
	UNIT_TEST(full_groups_leave_the_rest_intact), UNIT_TEST(fixed_destinations_are_local),
	UNIT_TEST(fixed_prefixes_are_told), UNIT_TEST(prefix_bits),
	UNIT_TEST(generation_counts_swaps), UNIT_TEST(random_changes_match_naive_table),
	UNIT_TEST(full_table_refuses_and_goes_on), UNIT_TEST(readers_never_miss_a_covered_address))
