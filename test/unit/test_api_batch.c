/* SPDX-License-Identifier: BSD-3-Clause */
/* Batches: all of it or nothing, in whatever order things fail. Over the real server, SA database, policies
 * and routing table; those of VTIs need a kernel: test/system/test_api.sh. */
#include "control/addr_text.h"
#include "control/api/api_batch.h"
#include "control/daemon.h"
#include "control/rcu.h"
#include "control/routing/fib_writer.h"
#include "control/routing/nexthops.h"
#include "control/routing/rib.h"
#include "control/sa/sadb.h"
#include "control/sa/spi_alloc.h"
#include "dataplane/spi_table.h"
#include "test/unit/api_raw.h"
#include "test/unit/unit.h"

#include <rte_eal.h>

static char text[VIADUCT_MSG_MAX];
static int fd;
static uint32_t next_id;

static void begin(void)
{
	daemon_state.n_workers = 1;
	CU_ASSERT_EQUAL_FATAL(rcu_init(1), 0);
	CU_ASSERT_EQUAL_FATAL(spi_table_init(), 0);
	CU_ASSERT_EQUAL_FATAL(nexthops_init(), 0);
	CU_ASSERT_EQUAL_FATAL(fib_create(0, 1000, 1000), 0);
	raw_server_start();
	fd = raw_client();
	next_id = 1;
}

static void end(void)
{
	close(fd);
	turn();
	raw_server_stop();
	sadb_fini();
	CU_ASSERT_EQUAL(policy_count(), 0);
	rib_fini();
	fib_destroy(0);
	rcu_drain();
	nexthops_fini();
	spi_table_free();
	rcu_fini();
}

static struct viaduct_addr A(const char *a) {
	struct viaduct_addr out = {0};

	if (addr_parse(a, &out) < 0)
		abort();
	return out;
}

static struct viaduct_sa
sa_of(uint8_t dir, uint32_t spi)
{
	struct viaduct_sa r = {
		.id = {.dst = A(dir == VIADUCT_IN ? "192.0.2.1" : "192.0.2.2"), .spi = spi},
		.src = A(dir == VIADUCT_IN ? "192.0.2.2" : "192.0.2.1"),
		.dir = dir,
		.cipher = VIADUCT_CIPHER_AES_GCM_16,
		.reqid = 7,
		.enc_key_len = 20,
	};

	memset(r.enc_key, 0xa7, sizeof(r.enc_key));
	return r;
}

static struct viaduct_policy policy_of(uint32_t mark)
{
	return (struct viaduct_policy){.dir = VIADUCT_IN,
		.reqid = 7,
		.mark = mark,
		.mark_mask = UINT32_MAX,
		.selector = {.family = 4, .src_port = {0, 65535}, .dst_port = {0, 65535}}};
}

static struct viaduct_route route_of(const char *prefix, uint8_t type, uint32_t metric)
{
	return (struct viaduct_route){
		.prefix = A(prefix), .prefix_len = 24, .type = type, .metric = metric};
}

static void req(unsigned type, const void *data)
{
	const int sizes[] = {
#define X(name, number, request, reply, write, dump) [number] = sizeof(struct request),
		VIADUCT_MESSAGES(X)
#undef X
	};

	raw_request(fd, type, next_id++, data != NULL ? data : "", sizes[type]);
}

static void add_sa(uint8_t dir, uint32_t spi)
{
	const struct viaduct_sa r = sa_of(dir, spi);

	req(VIADUCT_SA_ADD, &r);
}

static void del_sa(uint8_t dir, uint32_t spi)
{
	const struct viaduct_sa_id id = sa_of(dir, spi).id;

	req(VIADUCT_SA_DEL, &id);
}

static void route(unsigned type, const char *prefix, uint8_t kind, uint32_t metric)
{
	const struct viaduct_route r = route_of(prefix, kind, metric);

	req(type, &r);
}

static void policy(unsigned type, uint32_t mark)
{
	const struct viaduct_policy p = policy_of(mark);

	req(type, &p);
}

/* The next answer's status; -1: none. */
static int answer(void)
{
	struct viaduct_msg msg;

	memset(text, 0, sizeof(text));
	return raw_receive(fd, &msg, text, sizeof(text)) == 1 ? (int)msg.status : -1;
}

/* So many answers, all with this status. */
static void answers(unsigned n, int status)
{
	unsigned wrong = 0;

	while (n-- > 0)
		wrong += answer() != status;
	CU_ASSERT_EQUAL(wrong, 0);
}

static struct sa_entry *find(uint8_t dir, uint32_t spi)
{
	const struct viaduct_sa_id id = sa_of(dir, spi).id;

	return sadb_find(&id);
}

static bool lookup_in(uint32_t spi)
{
	const struct viaduct_addr dst = A("192.0.2.1");

	return spi_lookup(spi, IP_V4, dst.bytes) != NULL;
}

static int route_type(const char *dst)
{
	const struct viaduct_addr a = A(dst);
	const struct addr addr = addr_from_api(&a);
	struct viaduct_route r;

	return rib_lookup(&addr, &r) == 0 ? r.type : -1;
}

static void nothing_happens_before_the_commit(void)
{
	begin();
	req(VIADUCT_BATCH_BEGIN, NULL);
	CU_ASSERT_EQUAL(answer(), 0);
	add_sa(VIADUCT_IN, 1000);
	add_sa(VIADUCT_OUT, 1001);
	route(VIADUCT_ROUTE_ADD, "10.1.1.0", VIADUCT_ROUTE_BLACKHOLE, 0);
	CU_ASSERT_EQUAL(answer(), -1);
	CU_ASSERT_EQUAL(sadb_count(), 0);
	req(VIADUCT_BATCH_COMMIT, NULL);
	answers(4, 0);
	CU_ASSERT_EQUAL(sadb_count(), 2);
	CU_ASSERT(lookup_in(1000));
	CU_ASSERT_EQUAL(route_type("10.1.1.1"), VIADUCT_ROUTE_BLACKHOLE);
	/* The next request is for itself again. */
	del_sa(VIADUCT_IN, 1000);
	CU_ASSERT_EQUAL(answer(), 0);
	end();
}

static void one_that_fails_undoes_all(void)
{
	const struct viaduct_spi_alloc alloc = {.dst = A("192.0.2.1"), .min = 2000, .max = 2000};
	struct sa_entry *old_in, *old_out;

	begin();
	add_sa(VIADUCT_IN, 1000);
	add_sa(VIADUCT_OUT, 1001);
	route(VIADUCT_ROUTE_ADD, "10.1.1.0", VIADUCT_ROUTE_BLACKHOLE, 0);
	route(VIADUCT_ROUTE_ADD, "10.1.2.0", VIADUCT_ROUTE_PROHIBIT, 5);
	policy(VIADUCT_POLICY_ADD, 1);
	policy(VIADUCT_POLICY_ADD, 1);
	policy(VIADUCT_POLICY_ADD, 2);
	req(VIADUCT_SPI_ALLOC, &alloc);
	answers(8, 0);
	old_in = find(VIADUCT_IN, 1000);
	old_out = find(VIADUCT_OUT, 1001);

	req(VIADUCT_BATCH_BEGIN, NULL);
	add_sa(VIADUCT_IN, 2000);
	del_sa(VIADUCT_IN, 1000);
	del_sa(VIADUCT_OUT, 1001);
	add_sa(VIADUCT_OUT, 1001); /* the same again, with another key */
	route(VIADUCT_ROUTE_ADD, "10.1.1.0", VIADUCT_ROUTE_UNREACHABLE, 0);
	route(VIADUCT_ROUTE_ADD, "10.1.3.0", VIADUCT_ROUTE_UNREACHABLE, 0);
	route(VIADUCT_ROUTE_DEL, "10.1.2.0", VIADUCT_ROUTE_PROHIBIT, 5);
	policy(VIADUCT_POLICY_DEL, 1);
	policy(VIADUCT_POLICY_DEL, 1);
	policy(VIADUCT_POLICY_ADD, 3);
	del_sa(VIADUCT_IN, 9999); /* there is none */
	add_sa(VIADUCT_IN, 2001);
	req(VIADUCT_BATCH_COMMIT, NULL);
	CU_ASSERT_EQUAL(answer(), 0);
	answers(10, ECANCELED);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "request 11 of the batch, SA_DEL"));
	CU_ASSERT_EQUAL(answer(), ENOENT);
	CU_ASSERT_EQUAL(answer(), ECANCELED);
	CU_ASSERT_EQUAL(answer(), ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "request 11 of the batch, SA_DEL"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "0x0000270f"));

	/* The very entries are back, and the workers' tables and reservations with them. */
	CU_ASSERT_PTR_EQUAL(find(VIADUCT_IN, 1000), old_in);
	CU_ASSERT_PTR_EQUAL(find(VIADUCT_OUT, 1001), old_out);
	CU_ASSERT_EQUAL(sadb_count(), 2);
	CU_ASSERT(lookup_in(1000));
	CU_ASSERT(!lookup_in(2000));
	CU_ASSERT_EQUAL(spi_reserved_count(), 1);
	CU_ASSERT_EQUAL(route_type("10.1.1.1"), VIADUCT_ROUTE_BLACKHOLE);
	CU_ASSERT_EQUAL(route_type("10.1.2.1"), VIADUCT_ROUTE_PROHIBIT);
	CU_ASSERT_EQUAL(route_type("10.1.3.1"), -1);
	CU_ASSERT_EQUAL(policy_count(), 2);
	/* Installed twice: it goes with the second deletion. */
	policy(VIADUCT_POLICY_DEL, 1);
	policy(VIADUCT_POLICY_DEL, 1);
	policy(VIADUCT_POLICY_DEL, 1);
	answers(2, 0);
	CU_ASSERT_EQUAL(answer(), ENOENT);
	end();
}

static void a_rekey_in_one_step(void)
{
	begin();
	add_sa(VIADUCT_IN, 1000);
	add_sa(VIADUCT_OUT, 1001);
	answers(2, 0);
	req(VIADUCT_BATCH_BEGIN, NULL);
	add_sa(VIADUCT_IN, 2000);
	add_sa(VIADUCT_OUT, 2001);
	del_sa(VIADUCT_OUT, 1001);
	del_sa(VIADUCT_IN, 1000);
	req(VIADUCT_BATCH_COMMIT, NULL);
	answers(6, 0);
	CU_ASSERT_EQUAL(sadb_count(), 2);
	CU_ASSERT(lookup_in(2000) && !lookup_in(1000));
	/* What was detached is freed: end() finds the reclamation queue complete. */
	end();
}

/* What is no request, or may not be in a batch, is told at once; the rest is not even tried. */
static void a_batch_that_cannot_succeed_fails_at_once(void)
{
	struct viaduct_sa bad = sa_of(VIADUCT_IN, 1000);

	begin();
	req(VIADUCT_BATCH_BEGIN, NULL);
	add_sa(VIADUCT_IN, 1000);
	bad.dir = 9;
	req(VIADUCT_SA_ADD, &bad);
	CU_ASSERT_EQUAL(answer(), 0);
	CU_ASSERT_EQUAL(answer(), ECANCELED);
	CU_ASSERT_EQUAL(answer(), EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "dir"));
	add_sa(VIADUCT_IN, 1001);
	CU_ASSERT_EQUAL(answer(), ECANCELED);
	req(VIADUCT_BATCH_COMMIT, NULL);
	CU_ASSERT_EQUAL(answer(), EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "request 2 of the batch, SA_ADD: dir"));
	CU_ASSERT_EQUAL(sadb_count(), 0);

	for (unsigned i = 0; i < 5; i++) {
		static const unsigned types[] = {VIADUCT_SA_FLUSH, VIADUCT_STATUS,
			VIADUCT_BATCH_BEGIN, VIADUCT_RELOAD, VIADUCT_CONFIG_DUMP};
		static const char *const names[] = {
			"SA_FLUSH", "STATUS", "BATCH_BEGIN", "RELOAD", "CONFIG_DUMP"};
		const struct viaduct_reload none = {0};

		req(VIADUCT_BATCH_BEGIN, NULL);
		req(types[i], &none);
		req(VIADUCT_BATCH_COMMIT, NULL);
		CU_ASSERT_EQUAL(answer(), 0);
		CU_ASSERT_EQUAL(answer(), EOPNOTSUPP);
		CU_ASSERT_EQUAL(strncmp(text, names[i], strlen(names[i])), 0);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "can't be part of a batch"));
		CU_ASSERT_EQUAL(answer(), EOPNOTSUPP);
	}
	req(VIADUCT_BATCH_COMMIT, NULL);
	CU_ASSERT_EQUAL(answer(), EINVAL);
	req(VIADUCT_BATCH_ABORT, NULL);
	CU_ASSERT_EQUAL(answer(), EINVAL);
	end();
}

static struct viaduct_sa_update move_to(struct viaduct_sa_id id, const char *src, const char *dst)
{
	return (struct viaduct_sa_update){.id = id, .new_src = A(src), .new_dst = A(dst)};
}

static struct viaduct_sa_info info_of(uint8_t dir, uint32_t spi)
{
	struct viaduct_sa_info info = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(find(dir, spi));
	sadb_fill_info(find(dir, spi), &info);
	info.age_s = 0;
	return info;
}

static bool takes_packets_at(const char *dst, uint32_t spi)
{
	const struct viaduct_addr a = A(dst);

	return spi_lookup(spi, IP_V4, a.bytes) != NULL;
}

/* Two SAs that have carried something; the inbound one was at another source before. */
static void two_used(void)
{
	struct viaduct_sa_update u =
		move_to(sa_of(VIADUCT_IN, 1000).id, "198.51.100.7", "192.0.2.1");
	struct viaduct_sa r = sa_of(VIADUCT_IN, 1000);

	r.reqid = 0;
	req(VIADUCT_SA_ADD, &r);
	add_sa(VIADUCT_OUT, 1001);
	req(VIADUCT_SA_UPDATE, &u);
	answers(3, 0);
	replay_accept(&find(VIADUCT_IN, 1000)->sa->replay, 50);
	find(VIADUCT_OUT, 1001)->sa->seq = 43;
	find(VIADUCT_OUT, 1001)->sa->worker[0] = (struct sa_worker){.packets = 42, .bytes = 4200};
}

/* Moved, moved again, into UDP and out of it: and nothing of it has been. */
static void an_update_is_taken_back(void)
{
	struct viaduct_sa_info in, out, now;
	struct viaduct_sa_update u;
	const struct sa_ends *old;
	struct sa_entry *s;

	begin();
	two_used();
	s = find(VIADUCT_IN, 1000);
	in = info_of(VIADUCT_IN, 1000);
	out = info_of(VIADUCT_OUT, 1001);
	req(VIADUCT_BATCH_BEGIN, NULL);
	u = move_to(s->id, "203.0.113.9", "192.0.2.77");
	u.encap = 1;
	u.new_sport = 61000;
	u.new_dport = 4500;
	u.new_reqid = 9;
	req(VIADUCT_SA_UPDATE, &u);
	u = move_to((struct viaduct_sa_id){.dst = A("192.0.2.77"), .spi = 1000}, "203.0.113.10",
		"192.0.2.78");
	req(VIADUCT_SA_UPDATE, &u);
	u = move_to(sa_of(VIADUCT_OUT, 1001).id, "192.0.2.77", "203.0.113.9");
	u.new_reqid = 9;
	req(VIADUCT_SA_UPDATE, &u);
	del_sa(VIADUCT_IN, 9999); /* there is none */
	req(VIADUCT_BATCH_COMMIT, NULL);
	CU_ASSERT_EQUAL(answer(), 0);
	answers(3, ECANCELED);
	answers(2, ENOENT);

	CU_ASSERT_PTR_EQUAL(find(VIADUCT_IN, 1000), s);
	now = info_of(VIADUCT_IN, 1000);
	CU_ASSERT_EQUAL(memcmp(&now, &in, sizeof(now)), 0);
	now = info_of(VIADUCT_OUT, 1001);
	CU_ASSERT_EQUAL(memcmp(&now, &out, sizeof(now)), 0);
	CU_ASSERT_EQUAL(find(VIADUCT_OUT, 1001)->sa->seq, 43);
	CU_ASSERT_EQUAL(replay_check(&s->sa->replay, 50), REPLAY_DUPLICATE);
	/* It takes packets where it took them before, and of the source that it had before that. */
	CU_ASSERT(takes_packets_at("192.0.2.1", 1000));
	CU_ASSERT(!takes_packets_at("192.0.2.77", 1000));
	CU_ASSERT(!takes_packets_at("192.0.2.78", 1000));
	old = sa_ends_old(s->sa);
	CU_ASSERT_PTR_NOT_NULL_FATAL(old);
	CU_ASSERT_EQUAL(memcmp(&old->src.v4, A("192.0.2.2").bytes, 4), 0);
	CU_ASSERT(s->old_ends_end_ns > 0);
	end();
}

static void an_update_that_is_kept(void)
{
	struct viaduct_sa_update u;

	begin();
	two_used();
	req(VIADUCT_BATCH_BEGIN, NULL);
	u = move_to(sa_of(VIADUCT_IN, 1000).id, "203.0.113.9", "192.0.2.77");
	req(VIADUCT_SA_UPDATE, &u);
	del_sa(VIADUCT_OUT, 1001);
	req(VIADUCT_BATCH_COMMIT, NULL);
	answers(4, 0);
	CU_ASSERT_PTR_NULL(find(VIADUCT_IN, 1000));
	CU_ASSERT_PTR_NOT_NULL(sadb_find(&(struct viaduct_sa_id){.dst = u.new_dst, .spi = 1000}));
	CU_ASSERT(takes_packets_at("192.0.2.77", 1000));
	CU_ASSERT(takes_packets_at("192.0.2.1", 1000)); /* those under way */
	end();
}

static void batches_are_bounded(void)
{
	begin();
	req(VIADUCT_BATCH_BEGIN, NULL);
	CU_ASSERT_EQUAL(answer(), 0);
	for (unsigned i = 0; i < API_BATCH_REQUESTS; i++)
		del_sa(VIADUCT_IN, 1000 + i);
	CU_ASSERT_EQUAL(answer(), -1);
	del_sa(VIADUCT_IN, 999);
	answers(API_BATCH_REQUESTS, ECANCELED);
	CU_ASSERT_EQUAL(answer(), E2BIG);
	req(VIADUCT_BATCH_COMMIT, NULL);
	CU_ASSERT_EQUAL(answer(), E2BIG);
	end();
}

static void ended_by_abort_or_by_leaving(void)
{
	begin();
	req(VIADUCT_BATCH_BEGIN, NULL);
	add_sa(VIADUCT_IN, 1000);
	req(VIADUCT_BATCH_ABORT, NULL);
	CU_ASSERT_EQUAL(answer(), 0);
	CU_ASSERT_EQUAL(answer(), ECANCELED);
	CU_ASSERT_EQUAL(answer(), 0);
	req(VIADUCT_BATCH_BEGIN, NULL);
	add_sa(VIADUCT_IN, 1000);
	CU_ASSERT_EQUAL(answer(), 0);
	close(fd);
	turn();
	CU_ASSERT_EQUAL(sadb_count(), 0);
	CU_ASSERT_EQUAL(api_client_count(), 0);
	fd = raw_client();
	end();
}

static void events_come_after_the_commit_or_not_at_all(void)
{
	const struct viaduct_subscribe sub = {.mask = VIADUCT_SUB_SA};
	const struct viaduct_sa_expire ev = {.reqid = 5};
	struct viaduct_msg msg;

	begin();
	req(VIADUCT_SUBSCRIBE, &sub);
	CU_ASSERT_EQUAL(answer(), 0);
	api_events_hold();
	api_event(VIADUCT_SUB_SA, VIADUCT_EVENT_SA_EXPIRE, &ev, sizeof(ev));
	CU_ASSERT_EQUAL(answer(), -1);
	api_events_release(false);
	CU_ASSERT_EQUAL(answer(), -1);
	api_events_hold();
	api_event(VIADUCT_SUB_SA, VIADUCT_EVENT_SA_EXPIRE, &ev, sizeof(ev));
	api_events_release(true);
	CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), 1);
	CU_ASSERT_EQUAL(msg.type, VIADUCT_EVENT_SA_EXPIRE);
	CU_ASSERT_EQUAL(memcmp(text, &ev, sizeof(ev)), 0);
	end();
}

static void random_update(uint32_t spi)
{
	struct viaduct_sa_update u = move_to(
		sa_of(VIADUCT_IN, spi).id, random() % 2 ? "203.0.113.9" : "192.0.2.2", "192.0.2.1");

	u.encap = random() % 2;
	u.new_sport = u.encap ? 1 + random() % 3 : 0;
	u.new_dport = u.encap ? 4500 : 0;
	u.new_reqid = random() % 3;
	req(VIADUCT_SA_UPDATE, &u);
}

/* Any mixture, failing anywhere: what there was before is what there is after, byte for byte. */
static void random_batches_leave_no_trace(void)
{
	struct viaduct_sa_info before[8], after[8];
	unsigned committed = 0, failed = 0;

	begin();
	srandom(1);
	for (unsigned round = 0; round < 2000; round++) {
		unsigned n = random() % 12, have = sadb_count();

		memset(before, 0, sizeof(before));
		memset(after, 0, sizeof(after));
		for (unsigned i = 0; i < 8; i++) {
			if (find(VIADUCT_IN, 1000 + i) != NULL)
				sadb_fill_info(find(VIADUCT_IN, 1000 + i), &before[i]);
		}
		req(VIADUCT_BATCH_BEGIN, NULL);
		for (unsigned i = 0; i < n; i++) {
			const uint32_t spi = 1000 + random() % 8;

			if (random() % 3 == 0)
				random_update(spi);
			else if (random() % 2)
				add_sa(VIADUCT_IN, spi);
			else
				del_sa(VIADUCT_IN, spi);
		}
		req(VIADUCT_BATCH_COMMIT, NULL);
		for (unsigned i = 0; i < n + 1; i++)
			answer();
		if (answer() == 0) {
			committed++;
			continue;
		}
		failed++;
		CU_ASSERT_EQUAL_FATAL(sadb_count(), have);
		for (unsigned i = 0; i < 8; i++) {
			if (find(VIADUCT_IN, 1000 + i) != NULL)
				sadb_fill_info(find(VIADUCT_IN, 1000 + i), &after[i]);
			CU_ASSERT_EQUAL_FATAL(
				lookup_in(1000 + i), find(VIADUCT_IN, 1000 + i) != NULL);
			after[i].age_s = before[i].age_s;
		}
		CU_ASSERT_EQUAL_FATAL(memcmp(before, after, sizeof(before)), 0);
	}
	CU_ASSERT(committed > 200);
	CU_ASSERT(failed > 200);
	end();
}

UNIT_EAL_MAIN("api_batch", UNIT_TEST(nothing_happens_before_the_commit),
	UNIT_TEST(one_that_fails_undoes_all), UNIT_TEST(a_rekey_in_one_step),
	UNIT_TEST(a_batch_that_cannot_succeed_fails_at_once), UNIT_TEST(an_update_is_taken_back),
	UNIT_TEST(an_update_that_is_kept), UNIT_TEST(batches_are_bounded),
	UNIT_TEST(ended_by_abort_or_by_leaving),
	UNIT_TEST(events_come_after_the_commit_or_not_at_all),
	UNIT_TEST(random_batches_leave_no_trace))
