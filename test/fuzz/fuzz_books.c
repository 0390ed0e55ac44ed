/* SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz_books.h"

#include "fuzz_tunnels.h"

#include "../dataplane/harness.h"

#include "control/iface/path_mtu.h"
#include "dataplane/buffer.h"
#include "dataplane/vlan.h"

#include <rte_cycles.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define BUFFERS_MAX 16384

static uint64_t packets_in, packets_out, inputs;

/* What the router may not have, and how much it may. */
static struct rte_mbuf *taken[BUFFERS_MAX];
static unsigned n_taken, ordinary_left = UINT_MAX, large_left = UINT_MAX;

_Noreturn void fuzz_fail(const char *what)
{
	fprintf(stderr, "fuzz: %s\n", what);
	abort();
}

/* The harness's checks, outside of a CUnit run. */
CU_BOOL CU_assertImplementation(CU_BOOL ok, unsigned line, const char *what, const char *file,
	const char *function, CU_BOOL fatal)
{
	(void)line, (void)file, (void)function, (void)fatal;
	if (!ok)
		fuzz_fail(what);
	return ok;
}

static struct rte_mbuf *buffer_of(const uint8_t *bytes, unsigned len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(dp.pool);

	must(m != NULL, "packet pool is empty");
	memcpy(rte_pktmbuf_append(m, len), bytes, len);
	return m;
}

/* Behind what `chain` has, in more than one buffer where one does not hold it. */
static struct rte_mbuf *append(struct rte_mbuf *chain, const uint8_t *bytes, unsigned len)
{
	do {
		const unsigned n = RTE_MIN(len, (unsigned)FRAME_MAX);
		struct rte_mbuf *m = buffer_of(bytes, n);

		if (chain == NULL)
			chain = m;
		else
			must(rte_pktmbuf_chain(chain, m) == 0, "chain");
		bytes += n;
		len -= n;
	} while (len > 0);
	return chain;
}

void books_receive_chain(
	unsigned port, const uint8_t *bytes, unsigned len, const uint16_t *cut, unsigned n)
{
	struct rte_mbuf *m = NULL;
	unsigned from = 0, to;

	for (unsigned i = 0; i <= n; i++) {
		to = i < n ? cut[i] : len;
		/* No device gives an empty buffer, but for an empty frame. */
		if (to > len || (to <= from && (m != NULL || i < n)))
			continue;
		m = append(m, bytes + from, to - from);
		from = to;
	}
	dp_send_mbuf(port, 0, m);
	packets_in++;
}

void books_receive(unsigned port, const uint8_t *bytes, unsigned len)
{
	books_receive_chain(port, bytes, len, NULL, 0);
}

void books_inject(struct host_tag tag, const uint8_t *bytes, unsigned len)
{
	dp_inject(0, tag, bytes, len);
	packets_in++;
}

/* A VLAN's tag comes off, as nobody else than the VLAN may have put it there. */
static void check_tag(unsigned port, struct rte_mbuf *m)
{
	if (!vlan_is_tagged(m))
		return;
	if (vlan_of_port(dp.port[port].iface, vlan_id(m)) == NULL)
		fuzz_fail("sent a frame with a tag of no VLAN");
	vlan_strip(m);
}

static void check_frame(unsigned port, struct rte_mbuf *m, bool kernel)
{
	const struct rte_ether_hdr *eth;
	struct pkt p = {.m = m};

	check_tag(port, m);
	eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	if (m->nb_segs != 1 || m->pkt_len != m->data_len)
		fuzz_fail("sent a frame in pieces");
	p.l3 = (uint8_t *)(uintptr_t)(eth + 1);
	if (m->data_len <= L3 || parse_ip(&p, m->data_len - L3) != DROP_REASON_COUNT)
		fuzz_fail("sent a malformed packet");
	if (L3 + p.len != m->data_len || p.len > iface_mtu(dp.port[port].iface))
		fuzz_fail("sent a frame of a wrong length");
	if (!rte_is_same_ether_addr(&eth->src_addr, &dp.port[port].iface->mac) ||
		(eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4)) != (p.family == IP_V4))
		fuzz_fail("sent a frame with a wrong Ethernet header");
	if (!kernel)
		tunnels_check_sent(&p);
}

static void collect_host(unsigned worker)
{
	struct rte_mbuf *m;

	while ((m = dp_host(worker)) != NULL) {
		const uint8_t op = host_tag(m)->op;

		packets_out += op != HOST_MIRROR && op != HOST_MOVED;
		rte_mbuf_sanity_check(m, 1);
		if (op == HOST_PATH_MTU)
			path_mtu_news_seen(m);
		else
			rte_pktmbuf_free(m);
	}
}

static void collect(bool kernel)
{
	struct rte_mbuf *m;

	for (unsigned port = 0; port < DP_PORTS; port++) {
		while ((m = dp_out_mbuf(port)) != NULL) {
			packets_out++;
			/* Frames of the kernel's go out of port 0. */
			if (!kernel || port != 0)
				check_frame(port, m, kernel);
			rte_pktmbuf_free(m);
		}
	}
	for (unsigned i = 0; i < dp.n_workers; i++)
		collect_host(i);
}

static void check_vectors(const struct worker *w)
{
	unsigned left = w->esp_in.n + w->fwd.n + w->vti_out.n + w->pieces.n + w->outer_pieces.n +
		w->icmp.n + w->n_pending + w->n_free;

	for (unsigned port = 0; port < DP_PORTS; port++)
		left += w->tx[dp.port[port].port_id]->n;
	for (unsigned i = 0; w->parcels != NULL && i < w->n_workers; i++)
		left += w->parcels[i].n;
	if (left != 0)
		fuzz_fail("a packet was left between the stages");
}

/* Fragments that wait are given up. */
static void give_up(struct worker *w)
{
	w->now = rte_rdtsc() + inputs * 32 * rte_get_tsc_hz();
	reassemble_expire(w);
	worker_turn(w);
	check_vectors(w);
}

static void check_books(void)
{
	uint64_t in = packets_in, out = packets_out;

	inputs++;
	for (unsigned i = 0; i < dp.n_workers; i++) {
		struct worker *w = dp.worker[i];

		give_up(w);
		in += w->stats.icmp_sent + w->stats.fragments_made;
		out += w->stats.fragments_joined;
		for (unsigned reason = 0; reason < DROP_REASON_COUNT; reason++)
			out += reason == DROP_ICMP_SUPPRESSED ? 0 : w->stats.drops[reason];
	}
	if (in != out)
		fuzz_fail("a packet was counted twice or not at all");
	if (rte_mempool_in_use_count(dp.pool) + rte_mempool_in_use_count(large_buffers) != 0)
		fuzz_fail("a buffer leaked");
}

void books_scarce(unsigned ordinary, unsigned large)
{
	ordinary_left = ordinary;
	large_left = large;
}

static void take_all_but(struct rte_mempool *pool, unsigned left)
{
	unsigned n = rte_mempool_avail_count(pool);

	for (; n > left && n_taken < BUFFERS_MAX; n--)
		taken[n_taken++] = rte_pktmbuf_alloc(pool);
}

void books_close(bool kernel)
{
	take_all_but(dp.pool, ordinary_left);
	take_all_but(large_buffers, large_left);
	dp_run();
	rte_pktmbuf_free_bulk(taken, n_taken);
	n_taken = 0;
	books_scarce(UINT_MAX, UINT_MAX);
	collect(kernel);
	check_books();
}
