/* SPDX-License-Identifier: BSD-3-Clause */
/* What goes into the router under test and what comes out, and the books over it. */
#include "traffic.h"

#include "control/iface/ifaces.h"
#include "harness.h"

#include <arpa/inet.h>
#include <stdio.h>

static uint64_t packets_in, packets_out;
static uint64_t drops_seen[DROP_REASON_COUNT];

struct rte_mbuf *dp_mbuf(const struct frame *f)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(dp.pool);

	must(m != NULL, "packet pool is empty");
	memcpy(rte_pktmbuf_append(m, f->len), f->b, f->len);
	return m;
}

void dp_send_mbuf(unsigned port, unsigned queue, struct rte_mbuf *m)
{
	must(rte_ring_enqueue(dp.port[port].rx[queue], m) == 0, "ring is full");
	packets_in++;
}

void dp_send_queue(unsigned port, unsigned queue, const struct frame *f)
{
	dp_send_mbuf(port, queue, dp_mbuf(f));
}

void dp_send(unsigned port, const struct frame *f)
{
	dp_send_queue(port, 0, f);
}

void dp_inject(unsigned worker, struct host_tag tag, const void *data, unsigned len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(dp.pool);

	must(m != NULL, "packet pool is empty");
	memcpy(rte_pktmbuf_append(m, len), data, len);
	*host_tag(m) = tag;
	must(rte_ring_enqueue(dp.worker[worker]->inject, m) == 0, "ring is full");
	packets_in++;
}

void dp_run(void)
{
	unsigned idle = 0;

	/* Twice: a worker's last words may be for one that had its turn before. */
	for (unsigned round = 0; idle < 2 && round < 10000; round++) {
		unsigned n = 0;

		for (unsigned i = 0; i < dp.n_workers; i++)
			n += worker_turn(dp.worker[i]);
		idle = n == 0 ? idle + 1 : 0;
	}
	CU_ASSERT_EQUAL(idle, 2);
}

struct rte_mbuf *dp_out_mbuf(unsigned port)
{
	void *m;

	for (unsigned q = 0; q < DP_WORKERS_MAX; q++) {
		if (rte_ring_dequeue(dp.port[port].tx[q], &m) == 0) {
			packets_out++;
			return m;
		}
	}
	return NULL;
}

/* Free m and say whether it had these bytes. */
static bool is_frame(const struct frame *want, struct rte_mbuf *m)
{
	bool same = m->nb_segs == 1 && m->pkt_len == m->data_len &&
		frame_eq(want, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len);

	rte_pktmbuf_free(m);
	return same;
}

bool dp_out(unsigned port, const struct frame *want)
{
	struct rte_mbuf *m = dp_out_mbuf(port);

	if (m == NULL) {
		fprintf(stderr, "port %u sent nothing\n", port);
		return false;
	}
	return is_frame(want, m);
}

bool dp_out_any(unsigned port, struct frame *got)
{
	struct rte_mbuf *m = dp_out_mbuf(port);

	if (m == NULL)
		return false;
	got->len = RTE_MIN(m->data_len, FRAME_MAX);
	memcpy(got->b, rte_pktmbuf_mtod(m, void *), got->len);
	rte_pktmbuf_free(m);
	return true;
}

bool dp_quiet(void)
{
	for (unsigned port = 0; port < DP_PORTS; port++) {
		for (unsigned q = 0; q < DP_WORKERS_MAX; q++) {
			if (!rte_ring_empty(dp.port[port].tx[q])) {
				fprintf(stderr, "port %u sent a frame\n", port);
				return false;
			}
		}
	}
	return true;
}

struct rte_mbuf *dp_host(unsigned worker)
{
	void *m;

	if (rte_ring_dequeue(dp.worker[worker]->to_host, &m) != 0)
		return NULL;
	/* Copies don't count. */
	packets_out += host_tag(m)->op != HOST_MIRROR && host_tag(m)->op != HOST_MOVED;
	return m;
}

static struct rte_mbuf *next_host(const char *what, const struct iface *iface, enum host_op op)
{
	struct rte_mbuf *m = NULL;

	for (unsigned i = 0; i < dp.n_workers && m == NULL; i++)
		m = dp_host(i);
	if (m == NULL) {
		fprintf(stderr, "%s %s: nothing\n", what, iface->name);
		return NULL;
	}
	if (host_tag(m)->op == op && host_tag(m)->iface == iface->id)
		return m;
	fprintf(stderr, "%s %s: got op %u interface %u\n", what, iface->name, host_tag(m)->op,
		host_tag(m)->iface);
	rte_pktmbuf_free(m);
	return NULL;
}

bool dp_punted(const struct iface *twin, const struct frame *want)
{
	struct rte_mbuf *m = next_host("punt to", twin, HOST_PUNT);

	return m != NULL && is_frame(want, m);
}

bool dp_mirrored(const struct iface *twin, const struct frame *want)
{
	struct rte_mbuf *m = next_host("mirror to", twin, HOST_MIRROR);

	return m != NULL && is_frame(want, m);
}

bool dp_resolving(const struct iface *out, const char *target, const uint8_t *l3, unsigned len)
{
	struct rte_mbuf *m = next_host("resolve on", out, HOST_RESOLVE);
	char got[INET6_ADDRSTRLEN] = "";
	struct frame want = {.len = len};
	const struct host_tag *tag;

	if (m == NULL)
		return false;
	tag = host_tag(m);
	inet_ntop(
		tag->target.family == IP_V6 ? AF_INET6 : AF_INET, tag->target.v6, got, sizeof(got));
	if (strcmp(got, target) != 0) {
		fprintf(stderr, "resolve %s, expected %s\n", got, target);
		rte_pktmbuf_free(m);
		return false;
	}
	rte_pktmbuf_adj(m, tag->l3_off);
	memcpy(want.b, l3, len);
	return is_frame(&want, m);
}

static uint64_t drop_count(unsigned reason)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < dp.n_workers; i++)
		n += dp.worker[i]->stats.drops[reason];
	return n;
}

bool dp_dropped2(enum drop_reason a, uint64_t n_a, enum drop_reason b, uint64_t n_b)
{
	bool right = true;

	for (unsigned r = 0; r < DROP_REASON_COUNT; r++) {
		uint64_t want = (r == a ? n_a : 0) + (r == b ? n_b : 0);
		uint64_t total = drop_count(r), got = total - drops_seen[r];

		drops_seen[r] = total;
		if (got == want)
			continue;
		fprintf(stderr, "drops %s: %lu, expected %lu\n", drop_name(r), got, want);
		right = false;
	}
	return right;
}

bool dp_dropped(enum drop_reason reason, uint64_t n)
{
	return dp_dropped2(reason, n, reason, 0);
}

bool dp_none_dropped(void)
{
	return dp_dropped(0, 0);
}

void dp_expect_punted(const struct frame *f)
{
	dp_send(0, f);
	dp_run();
	CU_ASSERT(dp_punted(dp.port[0].iface, f));
	CU_ASSERT(dp_none_dropped());
}

void dp_expect_forwarded(const struct frame *f)
{
	const struct frame want = frame_forwarded(f, 1, 2);

	dp_send(0, f);
	dp_run();
	CU_ASSERT(dp_out(1, &want));
	CU_ASSERT(dp_none_dropped());
}

void dp_drops_forget(void)
{
	for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
		drops_seen[r] = drop_count(r);
}

struct iface_stats dp_stats(const struct iface *i)
{
	struct iface_stats sum;

	iface_stats_sum(i, &sum);
	return sum;
}

void traffic_start(void)
{
	packets_in = packets_out = 0;
	memset(drops_seen, 0, sizeof(drops_seen));
}

/* Every packet that came in or was made by the router left it, was counted as a drop, or is a fragment
 * that still waits for others: nothing else holds a buffer by now. ICMP errors that were never made
 * are no packets. */
static void check_books(void)
{
	uint64_t in = packets_in, out = packets_out + rte_mempool_in_use_count(dp.pool);

	for (unsigned i = 0; i < dp.n_workers; i++) {
		const struct worker_stats *s = &dp.worker[i]->stats;

		in += s->icmp_sent + s->fragments_made;
		out += s->fragments_joined;
	}
	for (unsigned r = 0; r < DROP_REASON_COUNT; r++)
		out += r == DROP_ICMP_SUPPRESSED ? 0 : drop_count(r);
	if (in != out)
		fprintf(stderr, "%lu packets in, %lu out\n", in, out);
	CU_ASSERT_EQUAL(in, out);
}

void traffic_stop(void)
{
	struct rte_mbuf *m;
	unsigned left = 0;

	dp_run();
	for (unsigned port = 0; port < DP_PORTS; port++) {
		while ((m = dp_out_mbuf(port)) != NULL) {
			fprintf(stderr, "port %u: a frame more than expected\n", port);
			rte_pktmbuf_free(m);
			left++;
		}
	}
	for (unsigned i = 0; i < dp.n_workers; i++) {
		while ((m = dp_host(i)) != NULL) {
			fprintf(stderr, "worker %u: a packet to the host more than expected\n", i);
			rte_pktmbuf_free(m);
			left++;
		}
	}
	CU_ASSERT_EQUAL(left, 0);
	CU_ASSERT(dp_none_dropped());
	check_books();
}
