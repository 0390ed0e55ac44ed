/* SPDX-License-Identifier: BSD-3-Clause */
/* Cycles by stage: each stage counts exactly the packets that went through it, and the stages and the
 * idle time together are all the time there was. */
#include "dp_sa.h"

#define HOST4 "10.0.0.9" /* behind port 0 */
#define FAR4  "10.2.3.4"
#define US4   "10.0.1.1"
#define PEER4 "192.0.2.2" /* behind port 1 */
#define SPI   0x1000
#define N     300 /* more than a turn takes */

static struct cycles before;
static uint64_t expected[CYCLES_STAGE_COUNT];

static void begin(void)
{
	before = dp.worker[0]->cycles;
	memset(expected, 0, sizeof(expected));
}

static void expect(enum cycles_stage stage, uint64_t packets)
{
	expected[stage] += packets;
}

/* Since begin() the stages have counted what was expected; those with packets, and no others, have
 * taken time; and nothing of the time is missing. */
static void check(void)
{
	const struct cycles *now = &dp.worker[0]->cycles;
	uint64_t sum = 0;

	for (unsigned i = 0; i < CYCLES_STAGE_COUNT; i++) {
		uint64_t packets = now->stage[i].packets - before.stage[i].packets;
		uint64_t cycles = now->stage[i].cycles - before.stage[i].cycles;

		sum += cycles;
		if (packets != expected[i])
			fprintf(stderr, "stage %s: %lu packets, not %lu\n", cycles_name(i), packets,
				expected[i]);
		CU_ASSERT_EQUAL(packets, expected[i]);
		/* Time without packets: a turn ends in "tx", which also frees what was dropped. */
		if (packets > 0)
			CU_ASSERT(cycles > 0);
		if (packets == 0 && cycles_kind(i) != CYCLES_REST && i != CYCLES_TX)
			CU_ASSERT_EQUAL(cycles, 0);
	}
	CU_ASSERT_EQUAL(sum, now->mark - before.mark);
}

static void feed(const struct frame *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		dp_send(0, f);
	dp_run();
}

static void take(unsigned port, struct frame *to, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		CU_ASSERT(dp_out_any(port, &to[i]));
}

static void forwarded(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), out[N];

	dp_route("10.2.0.0/16", dp_station(1, "10.0.1.2", 2));
	begin();
	feed(&f, N);
	expect(CYCLES_RX, N);
	expect(CYCLES_PARSE, N);
	expect(CYCLES_LOOKUP, N);
	expect(CYCLES_HEADERS, N);
	expect(CYCLES_TX, N);
	check();
	take(1, out, N);
}

/* What is dropped on the way is counted as far as it came. */
static void dropped(void)
{
	struct frame bad = frame_udp(0, HOST4, FAR4, 20), stray = bad;
	uint64_t errors;

	bad.b[L3 + 10] ^= 1;
	begin();
	feed(&bad, 5);
	feed(&stray, 7);
	expect(CYCLES_RX, 12);
	expect(CYCLES_PARSE, 12);
	expect(CYCLES_LOOKUP, 7);
	expect(CYCLES_HEADERS, 7);
	CU_ASSERT_EQUAL(dp.worker[0]->stats.drops[DROP_IP4_CHECKSUM], 5);
	/* The ICMP errors are routed in the next turn, and there is no route for them either. */
	errors = dp.worker[0]->stats.icmp_sent;
	expect(CYCLES_LOOKUP, errors);
	expect(CYCLES_HEADERS, errors);
	CU_ASSERT_EQUAL(dp.worker[0]->stats.drops[DROP_NO_ROUTE], 7 + errors);
	dp_drops_forget();
	check();
}

static void tunnel(void)
{
	static struct frame wire[N], out[N];
	struct frame f = frame_udp(0, HOST4, FAR4, 20);
	const uint64_t *drops = dp.worker[0]->stats.drops;
	struct iface *vti = dp_vti("vti0");

	dp_sa(vti, &(struct dp_sa){SA_OUT, SPI, US4, PEER4});
	dp_sa(vti, &(struct dp_sa){SA_IN, SPI, US4, PEER4});
	dp_route("192.0.2.2/32", dp_station(1, "10.0.1.2", 2));
	dp_route("10.2.0.0/16", dp_through(vti));
	begin();
	feed(&f, N);
	expect(CYCLES_RX, N);
	expect(CYCLES_PARSE, N);
	expect(CYCLES_LOOKUP, N);
	expect(CYCLES_HEADERS, N);
	expect(CYCLES_ENCRYPT, N);
	expect(CYCLES_TX, N);
	check();
	take(1, wire, N);

	/* The same, from the kernel. */
	begin();
	dp_inject(0, (struct host_tag){.op = HOST_TUNNEL, .iface = vti->id}, f.b + L3, f.len - L3);
	dp_run();
	expect(CYCLES_HOST, 1);
	expect(CYCLES_HEADERS, 1);
	expect(CYCLES_ENCRYPT, 1);
	expect(CYCLES_TX, 1);
	check();
	take(1, out, 1);

	/* And back: once more with all of them seen before, which need not be decrypted. */
	dp_route("10.2.0.0/16", dp_station(2, "10.0.2.3", 3));
	begin();
	for (unsigned i = 0; i < 2 * N; i++) {
		dp_readdress(&wire[i % N], 1);
		dp_send(1, &wire[i % N]);
		if (i == N - 1)
			dp_run();
	}
	dp_run();
	expect(CYCLES_RX, 2 * N);
	expect(CYCLES_PARSE, 2 * N);
	expect(CYCLES_ESP_IN, 2 * N);
	expect(CYCLES_DECRYPT, N);
	expect(CYCLES_LOOKUP, N);
	expect(CYCLES_HEADERS, N);
	expect(CYCLES_TX, N);
	CU_ASSERT_EQUAL(drops[DROP_ESP_REPLAY] + drops[DROP_ESP_LATE], N);
	dp_drops_forget();
	check();
	take(2, out, N);
}

static void from_the_kernel(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20), out;
	struct host_tag tag = {.op = HOST_SEND, .iface = dp.port[1].iface->id};

	begin();
	for (unsigned i = 0; i < 3; i++)
		dp_inject(0, tag, f.b, f.len);
	dp_run();
	expect(CYCLES_HOST, 3);
	expect(CYCLES_TX, 3);
	check();
	for (unsigned i = 0; i < 3; i++)
		CU_ASSERT(dp_out_any(1, &out));
}

/* Looking for packets in vain is no work; nor is the time between the turns. */
static void idle(void)
{
	uint64_t start;

	worker_turn(dp.worker[0]);
	begin();
	start = rte_rdtsc();
	for (unsigned i = 0; i < 100; i++)
		worker_turn(dp.worker[0]);
	check();
	CU_ASSERT_EQUAL(cycles_busy(&dp.worker[0]->cycles), cycles_busy(&before));
	CU_ASSERT(dp.worker[0]->cycles.mark > start);
}

DP_MAIN("cycles", 1, DP_TEST(forwarded), DP_TEST(dropped), DP_TEST(tunnel),
	DP_TEST(from_the_kernel), DP_TEST(idle))
