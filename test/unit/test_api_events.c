/* SPDX-License-Identifier: BSD-3-Clause */
/* Events and dumps on one stream: who subscribes and then asks for a snapshot misses nothing, and what it
 * reads late still shows that moment. Drops above a rate. */
#include "control/addr_text.h"
#include "control/daemon.h"
#include "control/rcu.h"
#include "control/routing/fib_writer.h"
#include "control/routing/nexthops.h"
#include "control/routing/rib.h"
#include "control/sa/sadb.h"
#include "dataplane/host.h"
#include "dataplane/spi_table.h"
#include "test/unit/api_raw.h"
#include "test/unit/unit.h"

#include <rte_eal.h>

#define SAS 3000

static uint64_t text[VIADUCT_MSG_MAX / 8];
static int fd;

static void begin(void)
{
	daemon_state.n_workers = 1;
	CU_ASSERT_EQUAL_FATAL(rcu_init(1), 0);
	CU_ASSERT_EQUAL_FATAL(spi_table_init(), 0);
	CU_ASSERT_EQUAL_FATAL(nexthops_init(), 0);
	CU_ASSERT_EQUAL_FATAL(fib_create(0, 1000, 1000), 0);
	raw_server_start();
	fd = raw_client();
}

static void end(void)
{
	close(fd);
	turn();
	raw_server_stop();
	sadb_fini();
	rib_fini();
	fib_destroy(0);
	rcu_drain();
	nexthops_fini();
	spi_table_free();
	rcu_fini();
}

static struct viaduct_sa sa_of(uint32_t spi)
{
	struct viaduct_sa r = {
		.id = {.dst = {.family = 4, .bytes = {192, 0, 2, 1}}, .spi = spi},
		.src = {.family = 4, .bytes = {192, 0, 2, 2}},
		.dir = VIADUCT_IN,
		.cipher = VIADUCT_CIPHER_AES_GCM_16,
		.enc_key_len = 20,
	};

	return r;
}

static void raise_event(uint32_t reqid)
{
	const struct viaduct_sa_expire ev = {.reqid = reqid};

	api_event(VIADUCT_SUB_SA, VIADUCT_EVENT_SA_EXPIRE, &ev, sizeof(ev));
}

static void subscribe(uint32_t mask, uint32_t drops_per_second)
{
	const struct viaduct_subscribe sub = {mask, drops_per_second};

	CU_ASSERT_EQUAL(raw_call(fd, VIADUCT_SUBSCRIBE, &sub, sizeof(sub), (char *)text), 0);
}

static struct viaduct_msg next(void)
{
	struct viaduct_msg msg = {0};

	CU_ASSERT_EQUAL_FATAL(raw_receive(fd, &msg, text, sizeof(text)), 1);
	return msg;
}

static void a_snapshot_is_one_moment_in_the_stream(void)
{
	const struct viaduct_snapshot snap = {
		.kinds = VIADUCT_SNAPSHOT_SAS | VIADUCT_SNAPSHOT_VTIS};
	const struct viaduct_sa_expire *ev = (const void *)text;
	const struct api_client *c;
	struct viaduct_msg msg;
	unsigned items = 0;
	struct err e;

	begin();
	subscribe(VIADUCT_SUB_SA, 0);
	for (uint32_t i = 0; i < SAS; i++) {
		const struct viaduct_sa r = sa_of(1000 + i);

		CU_ASSERT_EQUAL_FATAL(sadb_add(&r, &e), 0);
	}
	raise_event(1);
	raw_request(fd, VIADUCT_SNAPSHOT, 9, &snap, sizeof(snap));
	turn();
	/* More than the socket holds: the rest waits in the daemon while everything changes. */
	c = LIST_FIRST(&api_clients);
	CU_ASSERT(api_client_queued(c) > 100000);
	raise_event(2);
	for (uint32_t i = 0; i < SAS; i += 2) {
		const struct viaduct_sa_id id = sa_of(1000 + i).id;

		CU_ASSERT_EQUAL_FATAL(sadb_del(&id, &e), 0);
	}
	msg = next();
	CU_ASSERT(msg.flags == VIADUCT_EVENT && ev->reqid == 1);
	while ((msg = next()).flags == (VIADUCT_REPLY | VIADUCT_MORE)) {
		CU_ASSERT_EQUAL_FATAL(msg.type, VIADUCT_SA_DUMP);
		CU_ASSERT_EQUAL_FATAL(msg.id, 9);
		items++;
	}
	CU_ASSERT_EQUAL(items, SAS);
	CU_ASSERT_EQUAL(msg.type, VIADUCT_SNAPSHOT);
	CU_ASSERT_EQUAL(msg.flags, VIADUCT_REPLY);
	CU_ASSERT_EQUAL(msg.status, 0);
	msg = next();
	CU_ASSERT(msg.flags == VIADUCT_EVENT && ev->reqid == 2);
	end();
}

static void kinds_come_in_order_with_their_types(void)
{
	const struct viaduct_policy policy = {
		.dir = VIADUCT_OUT, .reqid = 1, .selector = {.family = 4}};
	const struct viaduct_snapshot all = {0}, bad = {.kinds = 1 << 9};
	const struct viaduct_route route = {.prefix = {.family = 4, .bytes = {10, 1}},
		.prefix_len = 16,
		.type = VIADUCT_ROUTE_BLACKHOLE};
	const struct viaduct_sa sa = sa_of(1000);
	static const unsigned expected[] = {
		VIADUCT_SA_DUMP, VIADUCT_POLICY_DUMP, VIADUCT_ROUTE_DUMP, VIADUCT_SNAPSHOT};
	char *answer = (char *)text;

	begin();
	CU_ASSERT_EQUAL(raw_call(fd, VIADUCT_SA_ADD, &sa, sizeof(sa), answer), 0);
	CU_ASSERT_EQUAL(raw_call(fd, VIADUCT_POLICY_ADD, &policy, sizeof(policy), answer), 0);
	CU_ASSERT_EQUAL(raw_call(fd, VIADUCT_ROUTE_ADD, &route, sizeof(route), answer), 0);
	CU_ASSERT_EQUAL(raw_call(fd, VIADUCT_SNAPSHOT, &bad, sizeof(bad), answer), EINVAL);
	raw_request(fd, VIADUCT_SNAPSHOT, 9, &all, sizeof(all));
	for (unsigned i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(next().type, expected[i]);
	end();
}

/* All of them together hold no more than 128 MiB of what was not read, and one more dump. */
static void unread_dumps_are_bounded(void)
{
	int slow[API_CLIENTS_MAX - 1];
	const struct api_client *c;
	unsigned refused = 0;
	size_t queued = 0;
	struct err e;

	begin();
	for (uint32_t i = 0; i < 5 * SAS; i++) {
		const struct viaduct_sa r = sa_of(1000 + i);

		CU_ASSERT_EQUAL_FATAL(sadb_add(&r, &e), 0);
	}
	for (unsigned i = 0; i < API_CLIENTS_MAX - 1; i++) {
		slow[i] = raw_client();
		raw_request(slow[i], VIADUCT_SA_DUMP, 1, "", 0);
		turn();
	}
	LIST_FOREACH (c, &api_clients, link)
		queued += api_client_queued(c);
	CU_ASSERT(queued > API_DUMPS_MAX);
	CU_ASSERT(queued < API_DUMPS_MAX + 5 * SAS * (sizeof(struct viaduct_sa_info) + 16));
	refused = raw_call(fd, VIADUCT_SA_DUMP, "", 0, (char *)text);
	CU_ASSERT_EQUAL(refused, EAGAIN);
	CU_ASSERT_EQUAL(raw_call(fd, 9999, "", 0, (char *)text), EOPNOTSUPP);
	for (unsigned i = 0; i < API_CLIENTS_MAX - 1; i++)
		close(slow[i]);
	turn();
	raw_request(fd, VIADUCT_SA_DUMP, 8, "", 0);
	CU_ASSERT_EQUAL(next().flags, VIADUCT_REPLY | VIADUCT_MORE);
	end();
}

static void drops_above_a_rate(void)
{
	static struct worker worker;
	struct worker *workers[] = {&worker};
	const struct viaduct_drops *ev = (const void *)text;
	struct viaduct_msg msg;

	begin();
	daemon_state.workers = workers;
	subscribe(VIADUCT_SUB_DROPS, 1000);
	api_tick();
	usleep(20000);
	worker.stats.drops[DROP_NO_ROUTE] = 1000; /* within some 20 ms: far above */
	worker.stats.drops[DROP_TTL_EXCEEDED] = 1;
	api_tick();
	msg = next();
	CU_ASSERT_EQUAL(msg.type, VIADUCT_EVENT_DROPS);
	CU_ASSERT_EQUAL(msg.len, sizeof(*ev));
	CU_ASSERT_STRING_EQUAL(ev->name, "no_route");
	CU_ASSERT_EQUAL(ev->reason, DROP_NO_ROUTE);
	CU_ASSERT_EQUAL(ev->over, 1);
	CU_ASSERT_EQUAL(ev->threshold, 1000);
	CU_ASSERT_EQUAL(ev->packets, 1000);
	CU_ASSERT(ev->per_second > 1000 && ev->per_second <= 50000);
	/* More of the same is no news. */
	usleep(20000);
	worker.stats.drops[DROP_NO_ROUTE] += 1000;
	api_tick();
	CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), 0);
	/* Neither is a rate that is below the threshold, but above half of it. */
	usleep(100000);
	worker.stats.drops[DROP_NO_ROUTE] += 80;
	api_tick();
	CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), 0);
	usleep(20000);
	api_tick();
	msg = next();
	CU_ASSERT_EQUAL(ev->over, 0);
	CU_ASSERT_EQUAL(ev->packets, 2080);
	CU_ASSERT_EQUAL(ev->per_second, 0);
	usleep(20000);
	api_tick();
	CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), 0);
	daemon_state.workers = NULL;
	daemon_state.n_workers = 0;
	end();
}

UNIT_EAL_MAIN("api_events", UNIT_TEST(a_snapshot_is_one_moment_in_the_stream),
	UNIT_TEST(kinds_come_in_order_with_their_types), UNIT_TEST(unread_dumps_are_bounded),
	UNIT_TEST(drops_above_a_rate))
