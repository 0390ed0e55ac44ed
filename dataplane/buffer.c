/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/buffer.h"

#include "dataplane/worker.h"

#include <rte_memcpy.h>

struct rte_mempool *large_buffers;

static uint32_t room_of(struct rte_mempool *pool)
{
	return rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
}

struct rte_mempool *buffer_pool(const struct worker *w, uint32_t len)
{
	return likely(len <= room_of(w->pool)) ? w->pool : large_buffers;
}

struct rte_mbuf *buffer_for(struct worker *w, uint32_t len)
{
	struct rte_mempool *pool = buffer_pool(w, len + BUFFER_TAIL);

	return pool != NULL ? rte_pktmbuf_alloc(pool) : NULL;
}

/* The largest packets leave no room in front: nobody needs it, for nothing larger can be made of them.
 * Headers are read as aligned to 2 bytes. */
static bool set_len(struct rte_mbuf *m, uint32_t len)
{
	if (len > m->buf_len)
		return false;
	m->data_off = RTE_MIN((uint32_t)m->data_off, RTE_ALIGN_FLOOR(m->buf_len - len, 2));
	m->data_len = len;
	m->pkt_len = len;
	return true;
}

static void copy_chain(struct rte_mbuf *to, const struct rte_mbuf *m)
{
	uint8_t *at = rte_pktmbuf_mtod(to, uint8_t *);

	to->ol_flags = m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
	to->l2_len = m->l2_len;
	to->l3_len = m->l3_len;
	for (; m != NULL; m = m->next) {
		rte_memcpy(at, rte_pktmbuf_mtod(m, const void *), m->data_len);
		at += m->data_len;
	}
}

struct rte_mbuf *buffer_join(struct worker *w, struct rte_mbuf *m, enum drop_reason *why)
{
	uint32_t rest = m->pkt_len - m->data_len;
	struct rte_mbuf *one;

	if (rest + BUFFER_TAIL <= rte_pktmbuf_tailroom(m) && rte_pktmbuf_linearize(m) == 0)
		return m;
	*why = DROP_SEGMENTS;
	if (m->pkt_len > UINT16_MAX)
		return NULL;
	*why = DROP_NO_MBUF;
	one = buffer_for(w, m->pkt_len);
	if (one == NULL)
		return NULL;
	if (!set_len(one, m->pkt_len)) {
		*why = DROP_SEGMENTS;
		rte_pktmbuf_free(one);
		return NULL;
	}
	copy_chain(one, m);
	rte_pktmbuf_free(m);
	return one;
}

void buffer_leave_large(struct worker *w, struct pkt *p)
{
	struct rte_mbuf *m;

	if (likely(p->m->pool != large_buffers) || buffer_pool(w, p->len + BUFFER_TAIL) != w->pool)
		return;
	m = rte_pktmbuf_alloc(w->pool);
	if (m == NULL)
		return;
	rte_memcpy(rte_pktmbuf_append(m, p->len), p->l3, p->len);
	rte_pktmbuf_free(p->m);
	p->m = m;
	p->l3 = rte_pktmbuf_mtod(m, uint8_t *);
}
