/* SPDX-License-Identifier: BSD-3-Clause */
/* The traces: plain packets of many flows, and what the gateway makes of them when it encrypts, by
 * the receive queue that a NIC would choose. */
#include "bench_workers.h"

#include "dataplane/spread.h"
#include "frame.h"

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_udp.h>

#include <netinet/in.h>

/* The same numbers each time, so that runs can be compared. */
static uint32_t draw(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 32;
}

/* Each flow once, in random order. */
static void shuffle(uint32_t *order, uint64_t *state)
{
	for (unsigned i = 0; i < FLOWS; i++) {
		unsigned other = draw(state) % (i + 1);

		order[i] = order[other];
		order[other] = i;
	}
}

static void put_frame(uint8_t *frame, const struct gateway *g, bool many, struct mark mark)
{
	struct rte_ether_hdr *eth = (void *)frame;
	struct rte_ipv4_hdr *ip = (void *)(eth + 1);
	struct rte_udp_hdr *udp = (void *)(ip + 1);
	unsigned tunnel = many ? mark.flow % TUNNELS : SINGLE;

	eth->dst_addr = mac_of_port(0);
	eth->src_addr = mac_of_station(1);
	eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = rte_cpu_to_be_16(opt.size);
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_UDP;
	ip->src_addr = RTE_BE32(RTE_IPV4(10, 255, 0, 1));
	ip->dst_addr = rte_cpu_to_be_32(RTE_IPV4(10, g->id, tunnel, 1 + mark.flow % FLOWS));
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->src_port = rte_cpu_to_be_16(1024 + mark.flow);
	udp->dst_port = RTE_BE16(2000);
	udp->dgram_len = rte_cpu_to_be_16(opt.size - sizeof(*ip));
	memcpy(frame + MARK_OFFSET, &mark, sizeof(mark));
}

static void *memory(size_t size)
{
	void *p = rte_zmalloc("trace", size, RTE_CACHE_LINE_SIZE);

	must(p != NULL, "memory");
	return p;
}

static void trace_new(struct trace *t, unsigned len)
{
	t->len = len;
	t->stride = RTE_CACHE_LINE_ROUNDUP(len);
	t->frames = memory((size_t)t->stride * FRAMES);
}

static void make_plain(struct gateway *g, bool many, unsigned queue)
{
	struct trace *t = &g->plain[many][queue];
	uint32_t order[FLOWS];
	uint64_t state = 1 + queue;

	trace_new(t, L3 + opt.size);
	for (; t->n < FRAMES; t->n++) {
		struct mark mark = {.serial = t->n / FLOWS};

		if (t->n % FLOWS == 0)
			shuffle(order, &state);
		mark.flow = queue * FLOWS + order[t->n % FLOWS];
		put_frame(t->frames + (size_t)t->n * t->stride, g, many, mark);
	}
}

void load_feed(struct lane *l, const struct trace *t, unsigned *at)
{
	unsigned n = RTE_MIN(t->n - *at, (unsigned)TURN_MAX);
	const uint8_t *frame = t->frames + (size_t)*at * t->stride;
	struct rte_mbuf *m[TURN_MAX];

	if (rte_ring_count(l->queue) >= TURN_MAX)
		return;
	must(rte_pktmbuf_alloc_bulk(packets, m, n) == 0, "packet pool is empty");
	for (unsigned i = 0; i < n; i++, frame += t->stride) {
		memcpy(rte_pktmbuf_mtod(m[i], void *), frame, t->len);
		m[i]->data_len = t->len;
		m[i]->pkt_len = t->len;
	}
	must(rte_ring_sp_enqueue_bulk(l->queue, (void **)m, n, NULL) == n, "receive queue is full");
	*at += n;
}

static void add_tunnel(struct trace *t, struct tunnel *tunnel)
{
	for (unsigned i = 0; i < t->n_tunnels; i++) {
		if (t->tunnel[i] == tunnel)
			return;
	}
	t->tunnel[t->n_tunnels++] = tunnel;
}

/* Into the trace of the queue that its SPI leads to; a full one takes no more. */
static void put_sealed(struct gateway *g, bool many, struct rte_mbuf *m)
{
	unsigned queue = many ? (uint64_t)spread_hash(m) * g->n >> 32 : 0;
	struct trace *t = &g->esp[many][queue];
	uint32_t spi;

	memcpy(&spi, rte_pktmbuf_mtod_offset(m, void *, L3 + sizeof(struct rte_ipv4_hdr)),
		sizeof(spi));
	if (t->frames == NULL)
		trace_new(t, rte_pktmbuf_data_len(m));
	must(m->data_len == t->len, "ESP packets of different lengths");
	if (t->n < FRAMES) {
		memcpy(t->frames + (size_t)t->n++ * t->stride, rte_pktmbuf_mtod(m, void *), t->len);
		add_tunnel(t, &g->tunnel[rte_be_to_cpu_32(spi) % (2 * TUNNELS)]);
	}
	rte_pktmbuf_free(m);
}

static bool full(const struct gateway *g, bool many)
{
	for (unsigned q = 0; q < (many ? g->n : 1); q++) {
		if (g->esp[many][q].n < FRAMES)
			return false;
	}
	return true;
}

/* For another time through: serial numbers only grow. */
static void advance(struct trace *plain)
{
	uint8_t *at = plain->frames + MARK_OFFSET;
	struct mark mark;

	for (unsigned i = 0; i < plain->n; i++, at += plain->stride) {
		memcpy(&mark, at, sizeof(mark));
		mark.serial += FRAMES / FLOWS + 1;
		memcpy(at, &mark, sizeof(mark));
	}
}

/* The plain trace of the first queue through the maker, until there are enough for each queue. */
static void make_esp(struct gateway *g, bool many)
{
	struct trace *plain = &g->plain[many][0];
	void *m;

	for (unsigned k = 0; !full(g, many); k++) {
		must(k < 64, "no SPI leads to one of the queues");
		for (unsigned at = 0; at < plain->n;) {
			load_feed(&maker, plain, &at);
			worker_turn(maker.w);
			while (rte_ring_dequeue(sealed, &m) == 0)
				put_sealed(g, many, m);
		}
		advance(plain);
	}
}

void load_make(struct gateway *g)
{
	for (unsigned many = 0; many < 2; many++) {
		for (unsigned q = 0; q < g->n; q++)
			make_plain(g, many, q);
	}
	world_watch(g, true);
	for (unsigned i = 0; i <= SINGLE; i++)
		g->tunnel[i].before = atomic_load(&g->tunnel[i].sa_out->seq) - 1;
	for (unsigned many = 0; many < 2; many++)
		make_esp(g, many);
	world_watch(g, false);
	world_check_drops();
}

void load_reopen(struct tunnel *t, uint64_t top)
{
	struct replay *r = &t->sa_in->replay;

	memset(r->slots, 0, (r->slot_mask + 1) * sizeof(*r->slots));
	replay_init(r, r->window, r->slots);
	replay_seek(r, top);
}
