/* SPDX-License-Identifier: BSD-3-Clause */
/* For tests of code that makes IP packets: a worker without devices, packets in mbufs of its pool,
 * and a checksum that is not the code's own. */
#ifndef VIADUCT_TEST_IP_PACKETS_H
#define VIADUCT_TEST_IP_PACKETS_H

#include "dataplane/worker.h"
#include "unit.h"

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_malloc.h>

static struct worker *worker;

/* A worker as worker_new() leaves it, but without rings. */
static inline void start_worker(unsigned mbufs, uint16_t room)
{
	worker = rte_zmalloc("worker", sizeof(*worker), RTE_CACHE_LINE_SIZE);
	CU_ASSERT_FATAL(worker != NULL);
	worker->n_workers = 1;
	worker->now = rte_rdtsc();
	worker->pool = rte_pktmbuf_pool_create(
		"pool", mbufs, 0, MBUF_PRIV_SIZE, RTE_PKTMBUF_HEADROOM + room, rte_socket_id());
	CU_ASSERT_FATAL(worker->pool != NULL);
	worker->fragments = fragment_table_new();
	CU_ASSERT_FATAL(worker->fragments != NULL);
}

static inline void free_vec(struct vec *v)
{
	for (unsigned i = 0; i < v->n; i++)
		rte_pktmbuf_free(v->p[i].m);
	v->n = 0;
}

/* What a turn's end does. */
static inline void end_turn(void)
{
	rte_pktmbuf_free_bulk(worker->to_free, worker->n_free);
	worker->n_free = 0;
}

/* Every buffer must be back. */
static inline void stop_worker(void)
{
	free_vec(&worker->icmp);
	free_vec(&worker->pieces);
	end_turn();
	fragment_table_free(worker->fragments);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(worker->pool), 0);
	rte_mempool_free(worker->pool);
	rte_free(worker);
}

/* An interface for one worker; rte_free() it. */
static inline struct iface *new_iface(uint8_t kind)
{
	struct iface *i =
		rte_zmalloc("iface", sizeof(*i) + sizeof(struct iface_stats), RTE_CACHE_LINE_SIZE);

	CU_ASSERT_FATAL(i != NULL);
	i->id = 1;
	i->kind = kind;
	i->flags = IFACE_UP;
	return i;
}

/* `front` bytes of something else stand before the IP header, as a link layer's would. */
static inline struct pkt packet_at(unsigned front, const uint8_t *bytes, uint16_t len)
{
	struct pkt p = {.m = rte_pktmbuf_alloc(worker->pool)};

	CU_ASSERT_FATAL(p.m != NULL);
	CU_ASSERT_FATAL(rte_pktmbuf_append(p.m, front + len) != NULL);
	p.l3 = rte_pktmbuf_mtod_offset(p.m, uint8_t *, front);
	memcpy(p.l3, bytes, len);
	CU_ASSERT_EQUAL_FATAL(parse_ip(&p, len), DROP_REASON_COUNT);
	return p;
}

/* RFC 1071, byte by byte; 0 over data that holds its own right checksum. */
static inline uint16_t checksum(const uint8_t *data, unsigned len, uint32_t sum)
{
	for (unsigned i = 0; i < len; i++)
		sum += i & 1 ? data[i] : data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

#endif
