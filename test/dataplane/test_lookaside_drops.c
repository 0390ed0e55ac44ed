/* SPDX-License-Identifier: BSD-3-Clause */
/* What is refused on the crypto device's path: the same packets, counted the same, as on IPsec-MB's;
 * and what only a device can do: be full, refuse a packet, give it back when much has changed. */
#include "device_fixture.h"

#include "dataplane/esp.h"
#include "dataplane/lookaside.h"
#include "dataplane/lookaside_device.h"

#define MANY     300
#define PASSED   DROP_REASON_COUNT
#define ESN_SPAN (1ull << 32)

static struct frame inner(void)
{
	return frame_udp(TUNNEL_WAN, FAR4, HOST4, 30);
}

/* Frames of these numbers, made by IPsec-MB. */
static void seal(const struct kind *k, const uint64_t *seq, struct frame *f, unsigned n)
{
	struct frame in = inner();

	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(k, SA_IN, 0));
	for (unsigned i = 0; i < n; i++)
		f[i] = tunnel_seal(&t, seq[i], &in, 0);
}

/* What became of one frame: PASSED or why it was dropped. */
static unsigned verdict(const struct frame *f)
{
	const uint64_t *drops = dp.worker[0]->stats.drops;
	uint64_t before[DROP_REASON_COUNT];
	struct frame out;
	unsigned reason;

	memcpy(before, drops, sizeof(before));
	send_burst(TUNNEL_WAN, f, 1);
	for (reason = 0; reason < PASSED && drops[reason] == before[reason];)
		reason++;
	CU_ASSERT_EQUAL(dp_out_any(TUNNEL_LAN, &out), reason == PASSED);
	dp_drops_forget();
	return reason;
}

/* Both paths say the same of each. */
static void judge(const struct kind *k, const struct frame *f, unsigned *verdicts, unsigned n)
{
	struct sa_stats direct, through;

	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(k, SA_IN, 0));
	for (unsigned i = 0; i < n; i++)
		verdicts[i] = verdict(&f[i]);
	direct = sa_stats_sum(t.in);
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(k, SA_IN, SA_LOOKASIDE));
	for (unsigned i = 0; i < n; i++)
		CU_ASSERT_EQUAL(verdict(&f[i]), verdicts[i]);
	through = sa_stats_sum(t.in);
	CU_ASSERT_EQUAL(through.packets, direct.packets);
	CU_ASSERT_EQUAL(through.bytes, direct.bytes);
	CU_ASSERT_EQUAL(through.errors, direct.errors);
}

/* librte_ipsec's own window would let an eighth to a half of these pass, for ever. */
static void replay(const struct kind *k)
{
	static struct frame f[MANY];
	static uint64_t seq[MANY];
	struct frame in = inner();

	for (unsigned i = 0; i < MANY; i++)
		seq[i] = RTE_MAX(k->first_seq, 1u) + i;
	seal(k, seq, f, MANY);
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(k, SA_IN, SA_LOOKASIDE));
	send_burst(TUNNEL_WAN, f, MANY);
	in = frame_forwarded(&in, TUNNEL_LAN, TUNNEL_LAN_STATION);
	for (unsigned i = 0; i < MANY; i++)
		CU_ASSERT(dp_out(TUNNEL_LAN, &in));
	for (unsigned round = 0; round < 20; round++) {
		send_burst(TUNNEL_WAN, f, MANY);
		CU_ASSERT(dp_dropped(DROP_ESP_REPLAY, MANY));
		CU_ASSERT(dp_quiet());
	}
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).packets, MANY);
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).errors, 20 * MANY);
}

static void replay_kinds(void)
{
	static const uint32_t windows[] = {300, 512, 1024, 4096};

	for (unsigned i = 0; i < RTE_DIM(windows); i++) {
		replay(&(struct kind){&algs[0], IP_V4, 0, 0, windows[i]});
		replay(&(struct kind){&algs[0], IP_V4, SA_ESN, 0, windows[i]});
		replay(&(struct kind){&algs[8], IP_V6, SA_ESN, ESN_SPAN - 100, windows[i]});
	}
}

static void replays_never_pass(void)
{
	on_each_device(replay_kinds);
}

/* Two of each number in one burst: neither was known when both went to the device. */
static void twins(void)
{
	static struct frame f[2 * 100];
	static uint64_t seq[2 * 100];
	const struct kind k = {&algs[0], IP_V4, 0, 0, 128};
	struct frame in = inner();

	for (unsigned i = 0; i < RTE_DIM(seq); i++)
		seq[i] = 1 + i / 2;
	seal(&k, seq, f, RTE_DIM(seq));
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_IN, SA_LOOKASIDE));
	send_burst(TUNNEL_WAN, f, RTE_DIM(f));
	in = frame_forwarded(&in, TUNNEL_LAN, TUNNEL_LAN_STATION);
	for (unsigned i = 0; i < 100; i++)
		CU_ASSERT(dp_out(TUNNEL_LAN, &in));
	CU_ASSERT(dp_dropped(DROP_ESP_REPLAY, 100));
}

static void twins_in_one_burst(void)
{
	on_each_device(twins);
}

static void edges(const struct kind *k)
{
	const uint64_t w = k->window, a = k->first_seq;
	/* With ESN, a lower half left of the window is one of 2^32 packets later. */
	const unsigned dup = DROP_ESP_REPLAY,
		       late = k->flags & SA_ESN ? DROP_ESP_ICV : DROP_ESP_LATE;
	const struct {
		uint64_t seq;
		unsigned verdict;
	} step[] = {
		{a, PASSED},
		{a, dup},
		{a + 1, PASSED},
		{a + w, PASSED},
		{a + 1, dup},
		{a, late},
		{a + 2, PASSED},
		{a + w, dup},
		{a + 1000 + w, PASSED},
		{a + 1000, late},
		{a + 1001, PASSED},
		{a + 1001, dup},
		{a + 999, late},
		{a + 100000, PASSED},
		{a + 99999, PASSED},
		{a + 1000 + w, late},
	};
	struct frame f[RTE_DIM(step)];
	uint64_t seq[RTE_DIM(step)];
	unsigned v[RTE_DIM(step)];

	for (unsigned i = 0; i < RTE_DIM(step); i++)
		seq[i] = step[i].seq;
	seal(k, seq, f, RTE_DIM(step));
	judge(k, f, v, RTE_DIM(step));
	for (unsigned i = 0; i < RTE_DIM(step); i++)
		CU_ASSERT_EQUAL(v[i], step[i].verdict);
}

static void edges_of_windows(void)
{
	static const uint32_t windows[] = {32, 64, 100, 512};

	for (unsigned i = 0; i < RTE_DIM(windows); i++) {
		edges(&(struct kind){&algs[0], IP_V4, 0, 5, windows[i]});
		edges(&(struct kind){&algs[0], IP_V4, SA_ESN, 5, windows[i]});
		/* The window spans the lower half's end, 0 among its numbers. */
		edges(&(struct kind){&algs[0], IP_V4, SA_ESN, ESN_SPAN - 10, windows[i]});
		edges(&(struct kind){&algs[8], IP_V4, SA_ESN, 9 * ESN_SPAN - 1, windows[i]});
	}
}

static void windows_have_the_same_edges(void)
{
	on_each_device(edges_of_windows);
}

/* Number 0, with and without a window, and no replay protection at all. */
static void special_numbers(void)
{
	const uint64_t seq[] = {0, 1, 1, 0, UINT32_MAX, 5, 0};
	struct frame f[RTE_DIM(seq)];
	unsigned v[RTE_DIM(seq)];
	struct kind k = {&algs[0], IP_V4, 0, 0, 64};

	seal(&k, seq, f, RTE_DIM(seq));
	judge(&k, f, v, RTE_DIM(seq));
	CU_ASSERT_EQUAL(v[0], DROP_ESP_SEQ_ZERO);
	CU_ASSERT_EQUAL(v[1], PASSED);
	CU_ASSERT_EQUAL(v[2], DROP_ESP_REPLAY);
	CU_ASSERT_EQUAL(v[4], PASSED);
	k.window = 0;
	judge(&k, f, v, RTE_DIM(seq));
	for (unsigned i = 0; i < RTE_DIM(seq); i++)
		CU_ASSERT_EQUAL(v[i], PASSED);
}

static void zero_and_no_window(void)
{
	on_each_device(special_numbers);
}

/* Every byte that the ICV covers, and the ICV itself; and, with ESN, the half that isn't sent. */
static void spoil(const struct kind *k)
{
	const uint64_t seq[] = {RTE_MAX(k->first_seq, 1u)};
	struct frame f, bad, in = inner();
	unsigned esp;

	seal(k, seq, &f, 1);
	esp = tunnel_esp_at(&f, t.in);
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(k, SA_IN, SA_LOOKASIDE));
	/* Not the SPI, which names another SA, nor what makes the number another one. */
	for (unsigned at = esp + sizeof(struct esp_hdr); at < f.len; at++) {
		bad = f;
		bad.b[at] ^= 1u << at % 8;
		tunnel_drops(&bad, DROP_ESP_ICV);
	}
	bad = f;
	bad.b[esp + 7] ^= 0x08;
	tunnel_drops(&bad, DROP_ESP_ICV);
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).packets, 0);
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).errors, f.len - esp - 8 + 1);
	/* None of them moved the window. */
	tunnel_passes(&f, &in);
}

static void wrong_high_half(const struct kind *k)
{
	const uint64_t seq[] = {3 * ESN_SPAN + 77};
	const struct kind other = {k->alg, k->outer, SA_ESN, 4 * ESN_SPAN + 70, 64};
	struct frame f;

	seal(k, seq, &f, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&other, SA_IN, SA_LOOKASIDE));
	tunnel_drops(&f, DROP_ESP_ICV);
}

static void spoil_all(void)
{
	for (unsigned a = 0; a < n_algs; a++) {
		if (!device_has(&algs[a]))
			continue;
		spoil(&(struct kind){&algs[a], IP_V4, 0, 0, 64});
		spoil(&(struct kind){&algs[a], IP_V6, SA_ESN | SA_UDP_ENCAP, 0, 64});
		spoil(&(struct kind){&algs[a], IP_V4, SA_ESN, 5 * ESN_SPAN, 64});
		wrong_high_half(&(struct kind){&algs[a], IP_V4, SA_ESN, 0, 64});
	}
}

static void spoiled_packets_are_dropped(void)
{
	on_each_device(spoil_all);
}

/* One worker's turn up to the device, which keeps what it gets. */
static void half_a_turn(void)
{
	struct worker *w = dp.worker[0];

	stage_rx(w);
	esp_in(w);
	stage_forward(w);
	stage_vti_out(w);
	esp_out(w);
	CU_ASSERT_EQUAL(w->n_pending, 0);
	rte_pktmbuf_free_bulk(w->to_free, w->n_free);
	w->n_free = 0;
}

/* `n` packets into a device that nobody empties, then all that it took. Returns how many those were. */
static unsigned stuff(unsigned port, const struct frame *f, unsigned n, struct sa *sa)
{
	unsigned out_port = port == TUNNEL_LAN ? TUNNEL_WAN : TUNNEL_LAN, out = 0;
	enum drop_reason reason = port == TUNNEL_LAN ? DROP_ESP_CRYPTO_OUT : DROP_ESP_CRYPTO_IN;
	struct frame got;

	for (unsigned i = 0; i < n; i++)
		dp_send(port, &f[i]);
	for (unsigned i = 0; i < n; i += TURN_MAX)
		half_a_turn();
	out = sa_stats_sum(sa).inflight;
	CU_ASSERT_EQUAL(dp.worker[0]->in_device, out);
	CU_ASSERT_EQUAL(sa_stats_sum(sa).errors, n - out);
	dp_run();
	CU_ASSERT_EQUAL(sa_stats_sum(sa).inflight, 0);
	CU_ASSERT(dp_dropped(reason, n - out));
	for (unsigned i = 0; i < out; i++)
		CU_ASSERT_FATAL(dp_out_any(out_port, &got));
	CU_ASSERT(dp_quiet());
	device_is_empty();
	return out;
}

#define FLOOD 3000

static void fill_device(void)
{
	static struct frame in[FLOOD], esp[FLOOD];
	static uint64_t seq[FLOOD];
	const struct kind k = {&algs[0], IP_V4, 0, 0, 4096};
	unsigned taken;

	for (unsigned i = 0; i < FLOOD; i++) {
		in[i] = frame_udp(TUNNEL_LAN, HOST4, FAR4, 20);
		seq[i] = 1 + i;
	}
	seal(&k, seq, esp, FLOOD);
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_OUT, SA_LOOKASIDE));
	taken = stuff(TUNNEL_LAN, in, FLOOD, t.out);
	CU_ASSERT(taken >= 1024 && taken < FLOOD);
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_IN, SA_LOOKASIDE));
	taken = stuff(TUNNEL_WAN, esp, FLOOD, t.in);
	CU_ASSERT(taken >= 1024 && taken < FLOOD);
}

static void full_device_drops_and_goes_on(void)
{
	on_each_device(fill_device);
}

static void take_ops(void)
{
	static void *op[16384];
	const struct kind k = {&algs[0], IP_V4, 0, 0, 64};
	struct frame out = frame_udp(TUNNEL_LAN, HOST4, FAR4, 20), in = inner(), esp, got;
	const uint64_t seq[] = {1};
	unsigned n = 0;

	seal(&k, seq, &esp, 1);
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_IN, SA_LOOKASIDE));
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_OUT, SA_LOOKASIDE));
	while (n < RTE_DIM(op) && rte_mempool_get(lookaside_device.ops, &op[n]) == 0)
		n++;
	CU_ASSERT_FATAL(n > 0 && n < RTE_DIM(op));
	send_burst(TUNNEL_LAN, &out, 1);
	CU_ASSERT(dp_dropped(DROP_ESP_CRYPTO_OUT, 1));
	tunnel_drops(&esp, DROP_ESP_CRYPTO_IN);
	rte_mempool_put_bulk(lookaside_device.ops, op, n);
	/* Its number was not used up. */
	tunnel_passes(&esp, &in);
	send_burst(TUNNEL_LAN, &out, 1);
	CU_ASSERT(dp_out_any(TUNNEL_WAN, &got));
	/* The dropped packet's number is: no number is ever given twice. */
	CU_ASSERT_EQUAL(got.b[tunnel_esp_at(&got, t.out) + 7], 2);
	CU_ASSERT_EQUAL(t.out->seq, 3);
}

static void no_operations_left(void)
{
	on_each_device(take_ops);
}

/* Buffers with room for ESP's trailer but not for what librte_ipsec keeps behind it (the
 * authenticated data): in between good ones, which keep their numbers. */
static void tight_buffers(void)
{
	const struct kind k = {&algs[0], IP_V4, SA_ESN, 0, 64};
	struct frame out = frame_udp(TUNNEL_LAN, HOST4, FAR4, 20), got;
	static const uint8_t numbers[] = {1, 3, 5};

	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_OUT, SA_LOOKASIDE));
	for (unsigned i = 0; i < 5; i++) {
		struct rte_mbuf *m = dp_mbuf(&out);

		if (i % 2 == 1) {
			memmove((char *)m->buf_addr + m->buf_len - out.len - 21,
				rte_pktmbuf_mtod(m, void *), out.len);
			m->data_off = m->buf_len - out.len - 21;
		}
		dp_send_mbuf(TUNNEL_LAN, 0, m);
	}
	dp_run();
	CU_ASSERT(dp_dropped(DROP_ESP_CRYPTO_OUT, 2));
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_FATAL(dp_out_any(TUNNEL_WAN, &got));
		CU_ASSERT_EQUAL(got.b[tunnel_esp_at(&got, t.out) + 7], numbers[i]);
	}
}

static void buffers_without_room(void)
{
	on_each_device(tight_buffers);
}

/* The interface that a packet came from is removed while the device has the packet. */
static void lose_interface(void)
{
	const struct kind k = {&algs[0], IP_V4, 0, 0, 64};
	struct iface *wan = dp.port[TUNNEL_WAN].iface;
	uint64_t drops = wan->stats[0].rx_drops;
	const uint64_t seq[] = {1};
	struct frame f;

	seal(&k, seq, &f, 1);
	f.b[f.len - 1] ^= 1;
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_IN, SA_LOOKASIDE));
	dp_send(TUNNEL_WAN, &f);
	half_a_turn();
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).inflight, 1);
	atomic_store(&iface_table[wan->id], NULL);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_ESP_ICV, 1));
	CU_ASSERT_EQUAL(wan->stats[0].rx_drops, drops);
	atomic_store(&iface_table[wan->id], wan);
	tunnel_drops(&f, DROP_ESP_ICV);
	CU_ASSERT_EQUAL(wan->stats[0].rx_drops, drops + 1);
}

static void interface_goes_meanwhile(void)
{
	on_each_device(lose_interface);
}

/* The tunnel interface goes: its SA is made to forget it before it is freed (sa_bind.c). */
static void lose_vti(void)
{
	const struct kind k = {&algs[0], IP_V4, 0, 0, 64};
	const uint64_t seq[] = {1, 2};
	struct iface *vti;
	struct frame f[2];

	seal(&k, seq, f, RTE_DIM(f));
	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_IN, SA_LOOKASIDE));
	vti = atomic_load(&t.in->vti);
	dp_send(TUNNEL_WAN, &f[0]);
	half_a_turn();
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).inflight, 1);
	atomic_store(&t.in->vti, NULL);
	dp_run();
	CU_ASSERT(dp_dropped(DROP_ESP_NO_VTI, 1));
	CU_ASSERT_EQUAL(dp_stats(vti).rx_drops + dp_stats(vti).rx_packets, 0);
	atomic_store(&t.in->vti, vti);
	dp_send(TUNNEL_WAN, &f[1]);
	dp_run();
	CU_ASSERT(dp_out_any(TUNNEL_LAN, &f[1]));
}

static void tunnel_goes_meanwhile(void)
{
	on_each_device(lose_vti);
}

/* A worker that is stopped brings home what it has in the device. */
static void stop_worker(void)
{
	const struct kind k = {&algs[0], IP_V4, 0, 0, 64};
	struct frame out = frame_udp(TUNNEL_LAN, HOST4, FAR4, 20), got;
	const _Atomic bool stop = true;

	CU_ASSERT_PTR_NOT_NULL_FATAL(open_sa(&k, SA_OUT, SA_LOOKASIDE));
	for (unsigned i = 0; i < TURN_MAX; i++)
		dp_send(TUNNEL_LAN, &out);
	half_a_turn();
	CU_ASSERT_EQUAL(sa_stats_sum(t.out).inflight, TURN_MAX);
	worker_run(dp.worker[0], &stop, 0);
	CU_ASSERT_EQUAL(sa_stats_sum(t.out).inflight, 0);
	for (unsigned i = 0; i < TURN_MAX; i++)
		CU_ASSERT(dp_out_any(TUNNEL_WAN, &got));
}

static void worker_stops_with_packets_in_the_device(void)
{
	on_each_device(stop_worker);
}

DP_MAIN("lookaside drops", 1, DP_TEST(replays_never_pass), DP_TEST(twins_in_one_burst),
	DP_TEST(windows_have_the_same_edges), DP_TEST(zero_and_no_window),
	DP_TEST(spoiled_packets_are_dropped), DP_TEST(full_device_drops_and_goes_on),
	DP_TEST(no_operations_left), DP_TEST(buffers_without_room),
	DP_TEST(interface_goes_meanwhile), DP_TEST(tunnel_goes_meanwhile),
	DP_TEST(worker_stops_with_packets_in_the_device))
