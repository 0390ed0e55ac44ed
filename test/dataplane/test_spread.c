/* SPDX-License-Identifier: BSD-3-Clause */
/* Two workers: packets spread in software, frames handed to the owner of a transmit queue, and both
 * as threads of their own while routes change. */
#include "dataplane/spread.h"
#include "dp_sa.h"

#include <netinet/in.h>
#include <pthread.h>
#include <unistd.h>

#define FLOWS    40
#define PER_FLOW 20
#define HOST4    "10.0.0.9"
#define FAR4     "10.2.3.4"
#define STATION  2
#define WAIT_MS  20000

static uint32_t hash(const struct frame *f)
{
	struct rte_mbuf *m = dp_mbuf(f);
	uint32_t h = spread_hash(m);

	rte_pktmbuf_free(m);
	return h;
}

static struct frame esp(const char *src, const char *dst, uint32_t spi, uint8_t seq)
{
	uint8_t b[40] = {spi >> 24, spi >> 16, spi >> 8, spi, 0, 0, 0, seq};

	return frame_ip(0, src, dst, IPPROTO_ESP, b, sizeof(b));
}

/* The same ESP packet inside UDP. */
static struct frame natt(const char *src, const char *dst, uint32_t spi, uint16_t sport)
{
	uint8_t b[48] = {sport >> 8, sport, 4500 >> 8, 4500 & 0xff, 0, 48, 0, 0, spi >> 24,
		spi >> 16, spi >> 8, spi};

	return frame_ip(0, src, dst, IPPROTO_UDP, b, sizeof(b));
}

static void esp_hashes_by_spi_and_destination(void)
{
	struct frame a = esp("10.0.0.7", "10.0.0.1", 0x1000, 1), b;

	b = esp("10.0.0.8", "10.0.0.1", 0x1000, 2);
	CU_ASSERT_EQUAL(hash(&a), hash(&b));
	b = natt("10.0.0.8", "10.0.0.1", 0x1000, 4500);
	CU_ASSERT_EQUAL(hash(&a), hash(&b));
	b = natt("10.0.0.9", "10.0.0.1", 0x1000, 1);
	CU_ASSERT_EQUAL(hash(&a), hash(&b));
	b = esp("10.0.0.7", "10.0.0.1", 0x1001, 1);
	CU_ASSERT_NOT_EQUAL(hash(&a), hash(&b));
	b = esp("10.0.0.7", "10.0.0.2", 0x1000, 1);
	CU_ASSERT_NOT_EQUAL(hash(&a), hash(&b));
	a = esp("2001:db8::7", "2001:db8::1", 0x1000, 1);
	b = esp("2001:db8::8", "2001:db8::1", 0x1000, 2);
	CU_ASSERT_EQUAL(hash(&a), hash(&b));
	b = esp("2001:db8::7", "2001:db8::2", 0x1000, 1);
	CU_ASSERT_NOT_EQUAL(hash(&a), hash(&b));
}

static void flows_hash_by_five_tuple(void)
{
	struct frame a = frame_udp(0, HOST4, FAR4, 20), b = frame_udp(0, HOST4, FAR4, 30);

	CU_ASSERT_EQUAL(hash(&a), hash(&b));
	b.b[L3 + 20]++;
	CU_ASSERT_NOT_EQUAL(hash(&a), hash(&b));
	b = a;
	b.b[L3 + 9] = IPPROTO_TCP;
	CU_ASSERT_NOT_EQUAL(hash(&a), hash(&b));
}

/* A later fragment's payload must not be taken for ports. */
static void fragments_stay_together(void)
{
	struct frame a = frame_udp(0, HOST4, FAR4, 20), b;

	a.b[L3 + 6] = 0x20;
	b = a;
	b.b[L3 + 6] = 0;
	b.b[L3 + 7] = 5;
	b.b[L3 + 20] ^= 0xff;
	CU_ASSERT_EQUAL(hash(&a), hash(&b));
	a = frame_udp(0, "2001:db8::9", "2001:db8:ffff::4", 20);
	a.b[L3 + 6] = 44;
	b = a;
	b.b[L3 + 40] ^= 0xff;
	CU_ASSERT_EQUAL(hash(&a), hash(&b));
}

static void hashes_of_nonsense(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);

	f.b[12] = 0x08;
	f.b[13] = 0x06;
	CU_ASSERT_EQUAL(hash(&f), 0);
	for (unsigned len = 0; len < L3 + 40; len++) {
		f = frame_udp(0, HOST4, FAR4, 20);
		f.len = len;
		CU_ASSERT(len >= L3 + 20 || hash(&f) == 0);
		f = frame_udp(0, "2001:db8::9", "2001:db8:ffff::4", 20);
		f.len = len;
		CU_ASSERT_EQUAL(hash(&f), 0);
	}
}

static void even(void)
{
	unsigned upper = 0;

	for (unsigned i = 0; i < 1000; i++) {
		struct frame f = esp("10.0.0.7", "10.0.0.1", 0x1000 + i, 1);

		upper += hash(&f) >> 31;
	}
	CU_ASSERT(upper > 400 && upper < 600);
}

/* Packet `n` of flow `flow`: the flow is in the source port, n in the payload. */
static struct frame packet(unsigned flow, unsigned n)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);

	f.b[L3 + 21] = flow;
	f.b[L3 + 28] = n;
	return f;
}

/* Worker 0 receives for both. */
static void spread_from_worker_0(void)
{
	dp.worker[0]->spread = true;
	dp.worker[1]->n_rx = 0;
	dp_route("10.2.0.0/16", dp_station(1, "10.0.1.2", STATION));
	dp_route("10.0.0.9/32", dp_station(0, NULL, 1));
}

/* All packets, each flow's in order. */
static void all_in_order(void)
{
	unsigned next[FLOWS] = {0}, total = 0, wrong = 0;
	struct frame got;

	while (dp_out_any(1, &got)) {
		unsigned flow = got.b[L3 + 21], n = got.b[L3 + 28];
		struct frame want = packet(flow, n);

		want = frame_forwarded(&want, 1, STATION);
		wrong += !frame_eq(&want, got.b, got.len);
		wrong += flow >= FLOWS || n != next[flow]++;
		total++;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(total, FLOWS * PER_FLOW);
}

static void send_flows(void)
{
	for (unsigned n = 0; n < PER_FLOW; n++) {
		for (unsigned flow = 0; flow < FLOWS; flow++) {
			struct frame f = packet(flow, n);

			dp_send(0, &f);
		}
	}
}

static void spreading_keeps_order(void)
{
	unsigned here, there;

	spread_from_worker_0();
	send_flows();
	dp_run();
	here = dp.worker[0]->stats.tx_packets;
	there = dp.worker[1]->stats.tx_packets;
	CU_ASSERT_EQUAL(here + there, FLOWS * PER_FLOW);
	CU_ASSERT(here > FLOWS * PER_FLOW / 4 && there > FLOWS * PER_FLOW / 4);
	/* Whole flows: multiples of PER_FLOW. */
	CU_ASSERT_EQUAL(here % PER_FLOW, 0);
	all_in_order();
	CU_ASSERT_EQUAL(dp_stats(dp.port[0].iface).rx_packets, FLOWS * PER_FLOW);
	CU_ASSERT_EQUAL(dp.port[0].iface->stats[1].rx_packets, there);
}

static void not_ip_stays(void)
{
	struct frame f = frame_udp(0, HOST4, FAR4, 20);
	struct rte_mbuf *m;

	spread_from_worker_0();
	f.b[13] = 0x06; /* ARP */
	dp_send(0, &f);
	dp_run();
	m = dp_host(0);
	CU_ASSERT_PTR_NOT_NULL(m);
	rte_pktmbuf_free(m);
}

/* Frames for a port whose only transmit queue is worker 0's. */
static void queue_of_another_worker(void)
{
	spread_from_worker_0();
	dp.worker[1]->tx[dp.port[1].port_id]->owner = 0;
	send_flows();
	dp_run();
	CU_ASSERT(rte_ring_empty(dp.port[1].tx[1]));
	CU_ASSERT_EQUAL(dp.worker[0]->stats.tx_packets, FLOWS * PER_FLOW);
	CU_ASSERT_EQUAL(dp.worker[1]->stats.tx_packets, 0);
	all_in_order();
}

/* A worker that doesn't keep up loses what is handed to it, counted; the other goes on. */
static void full_handoff(void)
{
	unsigned room = rte_ring_get_capacity(dp.worker[1]->handoff), sent = 0, lost;
	struct frame f = packet(0, 0), got;

	spread_from_worker_0();
	for (unsigned flow = 0; hash(&f) >> 31 == 0; flow++)
		f = packet(flow, 0);
	for (; sent < room + 70; sent++) {
		dp_send(0, &f);
		if (sent % 64 == 0)
			worker_turn(dp.worker[0]);
	}
	worker_turn(dp.worker[0]);
	CU_ASSERT(dp_dropped(DROP_HANDOFF_FULL, 70));
	dp_run();
	for (lost = sent; dp_out_any(1, &got); lost--)
		;
	CU_ASSERT_EQUAL(lost, 70);
}

static void interface_gone_meanwhile(void)
{
	struct frame f = packet(0, 0);
	struct iface *i = dp.port[0].iface;

	spread_from_worker_0();
	for (unsigned flow = 0; hash(&f) >> 31 == 0; flow++)
		f = packet(flow, 0);
	dp_send(0, &f);
	worker_turn(dp.worker[0]);
	atomic_store(&iface_table[i->id], NULL);
	worker_turn(dp.worker[1]);
	atomic_store(&iface_table[i->id], i);
	CU_ASSERT(dp_dropped(DROP_RX_IFACE_DOWN, 1));
}

static _Atomic bool stop;

static void *run(void *worker)
{
	worker_run(worker, &stop, 50);
	return NULL;
}

static void start_threads(pthread_t thread[2])
{
	atomic_store(&stop, false);
	for (unsigned i = 0; i < 2; i++)
		must(pthread_create(&thread[i], NULL, run, dp.worker[i]) == 0, "thread");
}

static void stop_threads(pthread_t thread[2])
{
	atomic_store(&stop, true);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
}

/* Wait for n frames out of port 1's queues. */
static bool wait_out(unsigned n)
{
	for (unsigned ms = 0; ms < WAIT_MS; ms++) {
		if (rte_ring_count(dp.port[1].tx[0]) + rte_ring_count(dp.port[1].tx[1]) >= n)
			return true;
		usleep(1000);
	}
	return false;
}

/* Routes come and go and each change waits for both workers; the traffic doesn't notice. */
static void threads_while_routes_change(void)
{
	uint32_t nh = dp_station(2, "10.0.2.9", 9);
	pthread_t thread[2];

	spread_from_worker_0();
	start_threads(thread);
	for (unsigned n = 0; n < PER_FLOW; n++) {
		for (unsigned flow = 0; flow < FLOWS; flow++) {
			struct frame f = packet(flow, n);

			dp_send(0, &f);
		}
		dp_route("10.3.0.0/16", nh);
		dp_unroute("10.3.0.0/16");
	}
	CU_ASSERT(wait_out(FLOWS * PER_FLOW));
	stop_threads(thread);
	CU_ASSERT(dp.worker[0]->stats.tx_packets > 0 && dp.worker[1]->stats.tx_packets > 0);
	all_in_order();
}

/* Both workers send on one SA at once: no sequence number twice, none left out. */
static void threads_share_an_sa(void)
{
	struct iface *vti = dp_vti("vti0");
	uint8_t seen[FLOWS * PER_FLOW + 1] = {0};
	unsigned wrong = 0, total = 0;
	pthread_t thread[2];
	struct frame got;

	spread_from_worker_0();
	dp_sa(vti, &(struct dp_sa){SA_OUT, 0x1000, "10.0.1.1", "192.0.2.2"});
	dp_route("192.0.2.2/32", dp_station(1, "10.0.1.2", STATION));
	dp_route("10.2.0.0/16", dp_through(vti));
	start_threads(thread);
	send_flows();
	CU_ASSERT(wait_out(FLOWS * PER_FLOW));
	stop_threads(thread);
	while (dp_out_any(1, &got)) {
		unsigned seq = got.b[L3 + 26] << 8 | got.b[L3 + 27];

		wrong += seq == 0 || seq > FLOWS * PER_FLOW || seen[seq]++ != 0;
		total++;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(total, FLOWS * PER_FLOW);
}

static struct iface *one_sa_vti(void)
{
	struct iface *vti = dp_vti("vti0");

	dp_sa(vti, &(struct dp_sa){SA_OUT, 0x1000, "10.0.1.1", "192.0.2.2"});
	dp_route("192.0.2.2/32", dp_station(1, "10.0.1.2", STATION));
	dp_route("10.2.0.0/16", dp_through(vti));
	return vti;
}

/* Frames that each worker has sent out of port 1, after some into each one's receive queue. */
static void send_by_queue(unsigned sent[2])
{
	struct frame f = packet(1, 1);

	for (unsigned i = 0; i < PER_FLOW; i++) {
		dp_send_queue(0, 0, &f);
		dp_send_queue(0, 1, &f);
		if (i % 4 == 0)
			dp_send_queue(0, 1, &f);
		worker_turn(dp.worker[i % 2]);
	}
	dp_run();
	for (unsigned i = 0; i < 2; i++)
		sent[i] = rte_ring_count(dp.port[1].tx[i]);
}

/* Numbers `first` and following, each once. */
static void numbered_once(unsigned first, unsigned n)
{
	uint8_t seen[8 * PER_FLOW] = {0};
	unsigned wrong = 0, total = 0;
	struct frame got;

	while (dp_out_any(1, &got)) {
		unsigned at = (got.b[L3 + 26] << 8 | got.b[L3 + 27]) - first;

		wrong += at >= n || seen[at]++ != 0;
		total++;
	}
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(total, n);
}

#define BY_QUEUE_0 PER_FLOW
#define BY_QUEUE_1 (PER_FLOW + PER_FLOW / 4)
#define BY_BOTH    (BY_QUEUE_0 + BY_QUEUE_1)

/* One worker sends a VTI's packets; where the VTI is parallel, each those that it received. */
static void parallel_vti(void)
{
	struct iface *vti = one_sa_vti();
	unsigned sent[2], serving = vti->id % 2;

	dp_route("10.0.0.9/32", dp_station(0, NULL, 1));
	send_by_queue(sent);
	CU_ASSERT(sent[serving] == BY_BOTH && sent[!serving] == 0);
	CU_ASSERT_EQUAL(vti->stats[serving].tx_packets, BY_BOTH);
	numbered_once(1, BY_BOTH);
	atomic_fetch_or(&vti->flags, IFACE_PARALLEL);
	send_by_queue(sent);
	CU_ASSERT(sent[0] == BY_QUEUE_0 && sent[1] == BY_QUEUE_1);
	CU_ASSERT_EQUAL(vti->stats[!serving].tx_packets, sent[!serving]);
	numbered_once(1 + BY_BOTH, BY_BOTH);
	atomic_fetch_and(&vti->flags, (uint16_t)~IFACE_PARALLEL);
	send_by_queue(sent);
	CU_ASSERT(sent[serving] == BY_BOTH && sent[!serving] == 0);
	numbered_once(1 + 2 * BY_BOTH, BY_BOTH);
}

/* The last numbers go to whoever comes first, and none to anybody after that. */
static void parallel_until_exhausted(void)
{
	struct iface *vti = one_sa_vti();
	struct sa *sa = atomic_load(&vti->sa_out[0]);
	unsigned sent[2];

	atomic_fetch_or(&vti->flags, IFACE_PARALLEL);
	sa->seq_max = BY_QUEUE_0;
	send_by_queue(sent);
	CU_ASSERT(sent[0] > 0 && sent[1] > 0);
	numbered_once(1, BY_QUEUE_0);
	CU_ASSERT(dp_dropped(DROP_ESP_SEQ_EXHAUSTED, BY_QUEUE_1));
}

DP_MAIN("spread", 2, DP_TEST(esp_hashes_by_spi_and_destination), DP_TEST(flows_hash_by_five_tuple),
	DP_TEST(fragments_stay_together), DP_TEST(hashes_of_nonsense), DP_TEST(even),
	DP_TEST(spreading_keeps_order), DP_TEST(not_ip_stays), DP_TEST(queue_of_another_worker),
	DP_TEST(full_handoff), DP_TEST(interface_gone_meanwhile),
	DP_TEST(threads_while_routes_change), DP_TEST(threads_share_an_sa), DP_TEST(parallel_vti),
	DP_TEST(parallel_until_exhausted))
