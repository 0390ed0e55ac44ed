/* SPDX-License-Identifier: BSD-3-Clause */
/* Two workers, one SA: the owner lends pieces of its cryptography, turn by turn in an order that the test
 * chooses. What comes out is what one worker alone makes, in the same order. */
#include "dataplane/lend.h"

#include "control/rcu.h"
#include "dataplane/crypto.h"
#include "dataplane/spi_table.h"
#include "dp_sa.h"

#include <rte_cycles.h>

#define HOST4 "10.0.0.9" /* behind port 0 */
#define FAR4  "10.2.3.4" /* through the tunnel; when decrypted, behind port 2 */
#define US4   "10.0.1.1"
#define PEER4 "192.0.2.2" /* behind port 1 */
#define SPI   0x1000
#define BURST TURN_MAX

#define OWNER  dp.worker[0]
#define HELPER dp.worker[1]

static struct iface *vti;
static struct sa *out_sa, *in_sa;

/* One whose packets the owner numbers. */
static struct iface *vti_of_owner(const char *name)
{
	struct iface *i = dp_vti(name);

	return i->id % 2 == OWNER->id ? i : dp_vti(name);
}

static void open_tunnel(uint8_t cipher, uint8_t auth)
{
	struct dp_sa c = {SA_OUT, SPI, US4, PEER4, cipher, auth};

	vti = vti_of_owner("vti0");
	out_sa = dp_sa(vti, &c);
	c.dir = SA_IN;
	in_sa = dp_sa(vti, &c);
	dp_route("192.0.2.2/32", dp_station(1, "10.0.1.2", 2));
	dp_route("10.2.0.0/16", dp_through(vti));
}

/* Decrypted packets go out of port 2. */
static void turn_routes(void)
{
	dp_route("10.2.0.0/16", dp_station(2, "10.0.2.3", 3));
}

static struct frame inner(unsigned n)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 40 + n % 7 * 30);

	f.b[L3 + 28] = n;
	f.b[L3 + 29] = n >> 8;
	return f;
}

static void send_inner(unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		struct frame f = inner(i);

		dp_send(0, &f);
	}
}

/* What a worker alone makes of packets 0 to n - 1: one at a time, which is never lent. An SA sends each
 * number once, so another one takes its place afterwards, with the same keys. */
static void seal_alone(struct frame *wire, unsigned n, uint8_t cipher, uint8_t auth)
{
	for (unsigned i = 0; i < n; i++) {
		send_inner(i, 1);
		dp_run();
		CU_ASSERT(dp_out_any(1, &wire[i]));
	}
	out_sa = dp_sa(vti, &(struct dp_sa){SA_OUT, SPI, US4, PEER4, cipher, auth});
	CU_ASSERT_EQUAL(OWNER->sealing->next, 0);
}

static void expect_sealed(const struct frame *wire, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++)
		CU_ASSERT(dp_out(1, &wire[i]));
}

static void send_sealed(const struct frame *wire, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		struct frame f = wire[i];

		dp_readdress(&f, 1);
		dp_send(1, &f);
	}
}

/* As the inner packet was sent, less two hops. */
static void expect_opened(unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		struct frame f = inner(i), want;

		f.b[L3 + 8]--;
		frame_checksum(&f);
		want = frame_forwarded(&f, 2, 3);
		CU_ASSERT(dp_out(2, &want));
	}
}

/* As after a turn in which somebody took a piece: only then does the owner leave any. */
static void helped(struct lend *l)
{
	l->helped = OWNER->stats.turns;
}

/* A piece that somebody took, and has not done. */
static struct lend_piece take_piece(struct lend *l)
{
	return l->piece[atomic_fetch_add(&l->taken, 1) % LEND_PIECES];
}

static void finish_piece(struct lend *l, struct lend_piece p)
{
	if (l->open)
		crypto_open(HELPER->crypto, p.op, p.n);
	else
		crypto_seal(HELPER->crypto, p.op, p.n);
	atomic_fetch_sub(&l->lot[p.lot].undone, 1);
}

static uint64_t done_by(const struct worker *w, enum cycles_stage stage)
{
	return w->cycles.stage[stage].packets;
}

/* The helper does one piece of a burst, the owner the other. */
static void both_seal(uint8_t cipher, uint8_t auth)
{
	static struct frame wire[BURST];
	uint64_t alone;

	open_tunnel(cipher, auth);
	seal_alone(wire, BURST, cipher, auth);
	alone = done_by(OWNER, CYCLES_ENCRYPT);
	send_inner(0, BURST);
	helped(OWNER->sealing);
	CU_ASSERT(worker_turn(OWNER) > 0);
	CU_ASSERT(dp_quiet());
	CU_ASSERT_EQUAL(lend_out(OWNER->sealing), 1);
	CU_ASSERT_EQUAL(worker_turn(HELPER), LEND_PIECE);
	CU_ASSERT_EQUAL(HELPER->stats.busy_turns, 1);
	CU_ASSERT(dp_quiet());
	worker_turn(OWNER);
	CU_ASSERT_EQUAL(lend_out(OWNER->sealing), 0);
	expect_sealed(wire, 0, BURST);
	CU_ASSERT_EQUAL(done_by(HELPER, CYCLES_ENCRYPT), BURST / 2);
	CU_ASSERT_EQUAL(done_by(OWNER, CYCLES_ENCRYPT) - alone, BURST / 2);
	CU_ASSERT_EQUAL(out_sa->worker[0].packets, BURST);
	CU_ASSERT_EQUAL(out_sa->worker[1].packets, 0);
	CU_ASSERT_EQUAL(worker_turn(OWNER), 0);
}

static void both_seal_gcm(void)
{
	both_seal(CIPHER_AES_GCM_16, AUTH_NONE);
}

/* No random IVs, so that the bytes can be told. */
static void both_seal_hmac(void)
{
	both_seal(CIPHER_NULL, AUTH_HMAC_SHA2_256_128);
}

static void both_open(uint8_t cipher, uint8_t auth)
{
	static struct frame wire[BURST];

	open_tunnel(cipher, auth);
	seal_alone(wire, BURST, cipher, auth);
	turn_routes();
	send_sealed(wire, 0, BURST);
	helped(OWNER->opening);
	worker_turn(OWNER);
	CU_ASSERT(dp_quiet());
	CU_ASSERT_EQUAL(lend_out(OWNER->opening), 1);
	CU_ASSERT_EQUAL(worker_turn(HELPER), LEND_PIECE);
	worker_turn(OWNER);
	expect_opened(0, BURST);
	CU_ASSERT_EQUAL(done_by(HELPER, CYCLES_DECRYPT), BURST / 2);
	CU_ASSERT_EQUAL(done_by(OWNER, CYCLES_DECRYPT), BURST / 2);
	CU_ASSERT_EQUAL(in_sa->worker[0].packets, BURST);
	CU_ASSERT_EQUAL(in_sa->worker[1].packets, 0);
	CU_ASSERT_EQUAL(worker_turn(OWNER), 0);
}

static void both_open_gcm(void)
{
	both_open(CIPHER_AES_GCM_16, AUTH_NONE);
}

static void both_open_cbc(void)
{
	both_open(CIPHER_AES_CBC, AUTH_HMAC_SHA1_96);
}

/* With nobody helping nothing stays behind, and few packets are not even offered. */
static void nothing_waits_for_nobody(void)
{
	static struct frame wire[BURST];

	open_tunnel(CIPHER_AES_GCM_16, AUTH_NONE);
	seal_alone(wire, BURST, CIPHER_AES_GCM_16, AUTH_NONE);
	send_inner(0, LEND_MIN - 1);
	helped(OWNER->sealing);
	worker_turn(OWNER);
	CU_ASSERT_EQUAL(OWNER->sealing->next, 0);
	expect_sealed(wire, 0, LEND_MIN - 1);
	/* More than two pieces, but no backlog. */
	out_sa = dp_sa(vti, &(struct dp_sa){SA_OUT, SPI, US4, PEER4});
	send_inner(0, LEND_MIN);
	helped(OWNER->sealing);
	worker_turn(OWNER);
	CU_ASSERT_EQUAL(OWNER->sealing->next, 1);
	expect_sealed(wire, 0, LEND_MIN);
	/* A backlog, but it is long since anybody helped. */
	out_sa = dp_sa(vti, &(struct dp_sa){SA_OUT, SPI, US4, PEER4});
	for (unsigned i = 0; i < 100; i++)
		worker_turn(OWNER);
	send_inner(0, BURST);
	worker_turn(OWNER);
	CU_ASSERT_EQUAL(OWNER->sealing->next, 2);
	expect_sealed(wire, 0, BURST);
	CU_ASSERT_EQUAL(worker_turn(HELPER), 0);
}

/* A worker with packets of its own does not help. */
static void loaded_worker_does_not_help(void)
{
	struct frame f = frame_udp(0, HOST4, "10.3.0.1", 20), want = frame_forwarded(&f, 2, 3), got;

	open_tunnel(CIPHER_AES_GCM_16, AUTH_NONE);
	dp_route("10.3.0.0/16", dp_station(2, "10.0.2.3", 3));
	send_inner(0, BURST);
	helped(OWNER->sealing);
	worker_turn(OWNER);
	for (unsigned i = 0; i < BURST / 2; i++)
		dp_send_queue(0, 1, &f);
	CU_ASSERT_EQUAL(worker_turn(HELPER), BURST / 2);
	CU_ASSERT_EQUAL(done_by(HELPER, CYCLES_ENCRYPT), 0);
	dp_send_queue(0, 1, &f);
	CU_ASSERT_EQUAL(worker_turn(HELPER), 1 + LEND_PIECE);
	for (unsigned i = 0; i < BURST / 2 + 1; i++)
		CU_ASSERT(dp_out(2, &want));
	dp_run();
	for (unsigned i = 0; i < BURST; i++)
		CU_ASSERT(dp_out_any(1, &got));
}

/* Somebody is interrupted in the midst of a piece: what is behind it waits, whoever did it, even a
 * single packet; the ports are left alone before there is no room; then all go, in order. */
static void order_behind_a_slow_piece(void)
{
	const unsigned bursts = 2 * LEND_LOTS, n = bursts * BURST;
	static struct frame wire[2 * LEND_LOTS * BURST];
	struct lend *l = OWNER->sealing;
	struct lend_piece slow;

	open_tunnel(CIPHER_AES_GCM_16, AUTH_NONE);
	seal_alone(wire, n, CIPHER_AES_GCM_16, AUTH_NONE);
	send_inner(0, BURST);
	helped(l);
	worker_turn(OWNER);
	slow = take_piece(l);
	send_inner(BURST, 1);
	worker_turn(OWNER);
	CU_ASSERT_EQUAL(lend_out(l), 2);
	send_inner(BURST + 1, n - BURST - 1);
	for (unsigned i = 0; i < 3 * bursts; i++) {
		CU_ASSERT(worker_turn(OWNER) > 0);
		worker_turn(HELPER);
	}
	CU_ASSERT(dp_quiet());
	CU_ASSERT(lend_out(l) < LEND_LOTS);
	CU_ASSERT_EQUAL(atomic_load(&l->offered), atomic_load(&l->taken));
	CU_ASSERT(!rte_ring_empty(dp.port[0].rx[0]));
	finish_piece(l, slow);
	dp_run();
	expect_sealed(wire, 0, n);
}

/* The same way in: the window is 64 wide, and a packet that is behind by more would be dropped. */
static void window_behind_a_slow_piece(void)
{
	const unsigned n = 2 * LEND_LOTS * BURST;
	static struct frame wire[2 * LEND_LOTS * BURST];
	struct lend *l = OWNER->opening;
	struct lend_piece slow;

	open_tunnel(CIPHER_AES_GCM_16, AUTH_NONE);
	seal_alone(wire, n, CIPHER_AES_GCM_16, AUTH_NONE);
	turn_routes();
	send_sealed(wire, 0, BURST);
	helped(l);
	worker_turn(OWNER);
	slow = take_piece(l);
	send_sealed(wire, BURST, 1);
	worker_turn(OWNER);
	send_sealed(wire, BURST + 1, n - BURST - 1);
	for (unsigned i = 0; i < 100; i++) {
		worker_turn(OWNER);
		worker_turn(HELPER);
	}
	CU_ASSERT(dp_quiet());
	CU_ASSERT(!rte_ring_empty(dp.port[1].rx[0]));
	finish_piece(l, slow);
	dp_run();
	expect_opened(0, n);
	CU_ASSERT(dp_none_dropped());
}

/* Forged and repeated packets among those that others decrypt. */
static void bad_packets_in_a_lot(void)
{
	static struct frame wire[BURST];

	open_tunnel(CIPHER_AES_GCM_16, AUTH_NONE);
	seal_alone(wire, BURST, CIPHER_AES_GCM_16, AUTH_NONE);
	turn_routes();
	wire[3].b[wire[3].len - 1] ^= 1;
	wire[BURST - 2].b[wire[BURST - 2].len - 1] ^= 1;
	wire[7] = wire[6];
	send_sealed(wire, 0, BURST);
	helped(OWNER->opening);
	worker_turn(OWNER);
	worker_turn(HELPER);
	worker_turn(OWNER);
	expect_opened(0, 3);
	expect_opened(4, 3);
	expect_opened(8, BURST - 10);
	expect_opened(BURST - 1, 1);
	CU_ASSERT(dp_dropped2(DROP_ESP_ICV, 2, DROP_ESP_REPLAY, 1));
	CU_ASSERT_EQUAL(sa_stats_sum(in_sa).errors, 3);
}

/* An SA that is retired while its packets are out is not freed before they are home. */
static void sa_retired_while_lent(void)
{
	static struct frame wire[2 * BURST];
	struct lend *l = OWNER->opening;
	struct lend_piece slow;
	uint64_t token;

	open_tunnel(CIPHER_AES_GCM_16, AUTH_NONE);
	seal_alone(wire, 2 * BURST, CIPHER_AES_GCM_16, AUTH_NONE);
	turn_routes();
	rte_rcu_qsbr_thread_online(rcu_qsbr(), OWNER->id);
	send_sealed(wire, 0, BURST);
	helped(l);
	worker_turn(OWNER);
	worker_quiescent(OWNER);
	slow = take_piece(l);
	spi_remove(in_sa);
	token = rte_rcu_qsbr_start(rcu_qsbr());
	for (unsigned i = 0; i < 10; i++) {
		worker_turn(OWNER);
		worker_quiescent(OWNER);
	}
	CU_ASSERT_EQUAL(rte_rcu_qsbr_check(rcu_qsbr(), token, false), 0);
	finish_piece(l, slow);
	worker_turn(OWNER);
	worker_quiescent(OWNER);
	CU_ASSERT_EQUAL(rte_rcu_qsbr_check(rcu_qsbr(), token, false), 1);
	expect_opened(0, BURST);
	send_sealed(wire, BURST, 1);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_OWN_SRC, 1)); /* as any packet that says it is from us */
	rte_rcu_qsbr_thread_offline(rcu_qsbr(), OWNER->id);
	must(spi_insert(in_sa, free) == 0, "spi_insert");
}

/* Lots are out at the end of each turn, as under a load that two workers just carry: RCU waits some
 * turns, not for ever. */
static void load_does_not_hold_up_rcu(void)
{
	unsigned quiescent = 0, longest = 0, since = 0, total = 0;
	struct lend *l = OWNER->sealing;
	struct frame got;

	open_tunnel(CIPHER_AES_GCM_16, AUTH_NONE);
	rte_rcu_qsbr_thread_online(rcu_qsbr(), OWNER->id);
	for (unsigned turn = 0; turn < 300; turn++) {
		uint64_t token = rte_rcu_qsbr_start(rcu_qsbr());

		if (rte_ring_count(dp.port[0].rx[0]) < BURST) {
			send_inner(total, BURST);
			total += BURST;
		}
		helped(l);
		worker_turn(OWNER);
		worker_quiescent(OWNER);
		since = rte_rcu_qsbr_check(rcu_qsbr(), token, false) == 1 ? 0 : since + 1;
		quiescent += since == 0;
		longest = RTE_MAX(longest, since);
		worker_turn(HELPER);
		while (dp_out_any(1, &got))
			;
	}
	CU_ASSERT(quiescent > 0 && quiescent < 20);
	CU_ASSERT(longest > 50 && longest < 80);
	rte_rcu_qsbr_thread_offline(rcu_qsbr(), OWNER->id);
	dp_run();
	while (dp_out_any(1, &got))
		;
	CU_ASSERT(done_by(HELPER, CYCLES_ENCRYPT) > 100 * LEND_PIECE);
	CU_ASSERT_EQUAL(out_sa->worker[0].packets, total);
}

/* A worker's end takes its lots home. */
static void end_takes_lots_home(void)
{
	_Atomic bool stop = true;
	struct frame got;

	open_tunnel(CIPHER_AES_GCM_16, AUTH_NONE);
	send_inner(0, BURST);
	helped(OWNER->sealing);
	worker_turn(OWNER);
	CU_ASSERT(dp_quiet());
	worker_run(OWNER, &stop, 0);
	for (unsigned i = 0; i < BURST; i++)
		CU_ASSERT(dp_out_any(1, &got));
	rte_rcu_qsbr_thread_register(rcu_qsbr(), OWNER->id);
}

/* A worker that is freed with packets out frees them. The teardown counts the buffers. */
static void freed_with_lots_out(void)
{
	struct worker *w = worker_new(0, 2, dp.pool, rcu_qsbr());
	struct worker *peers[] = {w, HELPER};
	static struct frame wire[BURST];
	struct rte_mbuf *m[BURST];

	must(w != NULL, "worker");
	w->peers = peers;
	open_tunnel(CIPHER_AES_GCM_16, AUTH_NONE);
	seal_alone(wire, BURST, CIPHER_AES_GCM_16, AUTH_NONE);
	for (unsigned dir = 0; dir < 2; dir++) {
		w->rx[0] = (struct worker_rx){dp.port[dir].iface, dp.port[dir].port_id, 0};
		w->n_rx = 1;
		w->sealing->helped = w->opening->helped = w->stats.turns;
		for (unsigned i = 0; i < BURST; i++) {
			struct frame f = dir == 0 ? inner(i) : wire[i];

			if (dir == 1)
				dp_readdress(&f, 1);
			m[i] = dp_mbuf(&f);
			must(rte_ring_enqueue(dp.port[dir].rx[0], m[i]) == 0, "ring is full");
		}
		worker_turn(w);
	}
	CU_ASSERT_EQUAL(lend_out(w->sealing), 1);
	CU_ASSERT_EQUAL(lend_out(w->opening), 1);
	worker_free(w);
}

DP_MAIN("lend", 2, DP_TEST(both_seal_gcm), DP_TEST(both_seal_hmac), DP_TEST(both_open_gcm),
	DP_TEST(both_open_cbc), DP_TEST(nothing_waits_for_nobody),
	DP_TEST(loaded_worker_does_not_help), DP_TEST(order_behind_a_slow_piece),
	DP_TEST(window_behind_a_slow_piece), DP_TEST(bad_packets_in_a_lot),
	DP_TEST(sa_retired_while_lent), DP_TEST(load_does_not_hold_up_rcu),
	DP_TEST(end_takes_lots_home), DP_TEST(freed_with_lots_out))
