/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/port/packet_pool.h"

#include "control/port/port_af_packet.h"
#include "dataplane/buffer.h"
#include "dataplane/host.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ether.h>

#include <assert.h>

/* A thread that is preempted inside this kind of ring doesn't make the others wait. Workers may share
 * their CPUs, and the host thread always does. */
#define POOL_OPS "ring_mt_rts"

#define SIZE_MIN 2048u
/* Link-layer headers, and ESP's trailer behind a packet that fills the MTU. */
#define FRAME_EXTRA AF_PACKET_OVERHEAD
/* NICs are told of their buffers in units of up to so many bytes, and use no more than whole ones. */
#define SIZE_UNIT 1024

/* Packets in them are on their way into a tunnel, out of one or to the kernel, and leave soon. */
#define LARGE 256

static int populate(struct rte_mempool *pool, unsigned size)
{
	struct rte_pktmbuf_pool_private conf = {
		.mbuf_data_room_size = RTE_PKTMBUF_HEADROOM + size,
		.mbuf_priv_size = MBUF_PRIV_SIZE,
	};
	int rc = rte_mempool_set_ops_byname(pool, POOL_OPS, NULL);

	if (rc < 0)
		return rc;
	rte_pktmbuf_pool_init(pool, &conf);
	rc = rte_mempool_populate_default(pool);
	if (rc < 0)
		return rc;
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return 0;
}

/* Where pages are small, DPDK puts each buffer into a page of its own, at the same offset in all of
 * them: their first lines then share one set of the L1 cache and a few sets of the L2 cache, and a
 * burst evicts itself. That is for devices which read physical memory, and those need huge pages. */
static struct rte_mempool *pool_packed(const char *name, unsigned n, unsigned cache, unsigned size)
{
	unsigned element = sizeof(struct rte_mbuf) + MBUF_PRIV_SIZE + RTE_PKTMBUF_HEADROOM + size;
	struct rte_mempool *pool = rte_mempool_create_empty(name, n, element, cache,
		sizeof(struct rte_pktmbuf_pool_private), SOCKET_ID_ANY,
		RTE_MEMPOOL_F_NO_IOVA_CONTIG);
	int rc;

	if (pool == NULL)
		return NULL;
	rc = populate(pool, size);
	if (rc < 0) {
		rte_mempool_free(pool);
		rte_errno = -rc;
		return NULL;
	}
	return pool;
}

static struct rte_mempool *pool_new(const char *name, unsigned n, unsigned cache, unsigned size)
{
	if (rte_eal_has_hugepages())
		return rte_pktmbuf_pool_create_by_ops(name, n, cache, MBUF_PRIV_SIZE,
			RTE_PKTMBUF_HEADROOM + size, SOCKET_ID_ANY, POOL_OPS);
	return pool_packed(name, n, cache, size);
}

struct rte_mempool *packet_pool_new(unsigned n, unsigned cache, unsigned size)
{
	return pool_new("packets", n, cache, size);
}

static_assert(FRAME_EXTRA >= RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN + BUFFER_TAIL, "and ESP's end");

uint32_t packet_buffer_size(const struct config *c)
{
	uint32_t mtu = 0;

	if (c->mbuf_size != 0)
		return c->mbuf_size;
	for (unsigned i = 0; i < c->n_ports; i++)
		mtu = RTE_MAX(mtu, c->ports[i].mtu);
	return RTE_MAX(RTE_ALIGN_CEIL(mtu + FRAME_EXTRA, SIZE_UNIT), SIZE_MIN);
}

/* Where buffers are smaller than a port's frames, jumbo packets are sent from large ones, and wait in
 * the devices' queues. */
unsigned large_buffers_wanted(const struct config *c)
{
	const uint32_t size = packet_buffer_size(c);
	unsigned n = LARGE;

	for (unsigned i = 0; i < c->n_ports; i++) {
		if (c->ports[i].device[0] != '\0' && c->ports[i].mtu + RTE_ETHER_HDR_LEN > size)
			n += c->ports[i].tx_descriptors * c->n_cores;
	}
	return n;
}

int large_buffers_new(const struct config *c)
{
	large_buffers = pool_new("large", large_buffers_wanted(c), 0, LARGE_BUFFER_SIZE);
	return large_buffers != NULL ? 0 : -rte_errno;
}

void large_buffers_free(void)
{
	rte_mempool_free(large_buffers);
	large_buffers = NULL;
}
