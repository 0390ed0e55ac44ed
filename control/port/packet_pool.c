/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/port/packet_pool.h"

#include "dataplane/host.h"

#include <rte_eal.h>
#include <rte_errno.h>

/* A thread that is preempted inside this kind of ring doesn't make the others wait. Workers may share
 * their CPUs, and the host thread always does. */
#define POOL_OPS "ring_mt_rts"

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
static struct rte_mempool *pool_packed(unsigned n, unsigned cache, unsigned size)
{
	unsigned element = sizeof(struct rte_mbuf) + MBUF_PRIV_SIZE + RTE_PKTMBUF_HEADROOM + size;
	struct rte_mempool *pool = rte_mempool_create_empty("packets", n, element, cache,
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

struct rte_mempool *packet_pool_new(unsigned n, unsigned cache, unsigned size)
{
	if (rte_eal_has_hugepages())
		return rte_pktmbuf_pool_create_by_ops("packets", n, cache, MBUF_PRIV_SIZE,
			RTE_PKTMBUF_HEADROOM + size, SOCKET_ID_ANY, POOL_OPS);
	return pool_packed(n, cache, size);
}
