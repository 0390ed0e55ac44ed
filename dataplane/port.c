/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames from and to the devices. */
#include "dataplane/l2.h"
#include "dataplane/nexthop.h"
#include "dataplane/spread.h"
#include "dataplane/vlan.h"
#include "dataplane/worker.h"

#include <rte_byteorder.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_prefetch.h>

#define RX_BURST   SPREAD_MAX
#define TX_RETRIES 4 /* calls in which the device takes nothing, before the rest is dropped */

/* At most `max` packets of one queue. Returns how many the device gave. */
static unsigned rx_queue(struct worker *w, const struct worker_rx *rx, unsigned max)
{
	struct rte_mbuf *m[RX_BURST];
	unsigned n = rte_eth_rx_burst(rx->port_id, rx->queue, m, RTE_MIN(max, (unsigned)RX_BURST));
	unsigned mine = n;

	if (n == 0)
		return 0;
	for (unsigned i = 0; i < RTE_MIN(n, 4u); i++)
		rte_prefetch0(rte_pktmbuf_mtod(m[i], void *));
	if (w->spread)
		mine = spread(w, rx->iface, m, n);
	cycles_charge(&w->cycles, CYCLES_RX, n);
	if (mine > 0) {
		parse_frames(w, rx->iface, m, mine);
		cycles_charge(&w->cycles, CYCLES_PARSE, mine);
	}
	w->stats.rx_packets += n;
	return n;
}

/* A burst of each queue, round after round while there is room and some queue fills its burst. The
 * queue after the last one served begins the next turn, so that none starves. */
static unsigned rx_ports(struct worker *w, unsigned room)
{
	unsigned taken = 0, empty = 0;

	while (empty < w->n_rx && taken < room) {
		unsigned n = rx_queue(w, &w->rx[w->rx_next], room - taken);

		taken += n;
		empty = n < RX_BURST ? empty + 1 : 0;
		if (++w->rx_next == w->n_rx)
			w->rx_next = 0;
	}
	if (taken > 0 && w->n_rx > 1) /* the polls since the last burst */
		cycles_charge(&w->cycles, CYCLES_RX, 0);
	return taken;
}

static unsigned rx_handoff(struct worker *w, unsigned max)
{
	unsigned n = handoff_receive(w, max);

	if (n > 0)
		cycles_charge(&w->cycles, CYCLES_HANDOFF, n);
	return n;
}

/* Of what the kernel leaves, other workers' packets get half, and what the ports leave. */
unsigned stage_rx(struct worker *w)
{
	unsigned n = host_receive(w), handed = 0;

	if (n > 0)
		cycles_charge(&w->cycles, CYCLES_HOST, n);
	if (w->n_workers > 1) {
		handed = rx_handoff(w, (TURN_MAX - n) / 2);
		n += handed;
	}
	n += rx_ports(w, TURN_MAX - n);
	if (handed > 0 && n < TURN_MAX)
		n += rx_handoff(w, TURN_MAX - n);
	return n;
}

static void uncount(struct worker *w, struct iface *i, const struct rte_mbuf *m, uint32_t l2_len)
{
	struct iface_stats *stats = &i->stats[w->id];

	stats->tx_packets--;
	stats->tx_bytes -= m->pkt_len - l2_len;
	stats->tx_drops++;
}

/* What the device or the other worker has no room for, from the `sent`th frame on, was counted as sent
 * when it was queued. */
static void drop_queued(
	struct worker *w, const struct worker_tx *tx, unsigned sent, enum drop_reason why)
{
	for (unsigned i = sent; i < tx->n; i++) {
		struct rte_mbuf *m = tx->m[i];
		struct iface *vlan = vlan_is_tagged(m) ? vlan_of_port(tx->iface, vlan_id(m)) : NULL;

		uncount(w, tx->iface, m, RTE_ETHER_HDR_LEN + (vlan != NULL ? RTE_VLAN_HLEN : 0));
		if (vlan != NULL)
			uncount(w, vlan, m, VLAN_HDR_LEN);
		worker_drop(w, m, why);
	}
}

/* The queue is another worker's. */
static void hand_to_owner(struct worker *w, uint16_t port_id, struct worker_tx *tx)
{
	const struct host_tag tag = {.op = HOST_TX, .iface = port_id};
	unsigned sent;

	for (unsigned i = 0; i < tx->n; i++)
		*host_tag(tx->m[i]) = tag;
	sent = worker_hand_over(w, tx->owner, tx->m, tx->n);
	if (unlikely(sent < tx->n))
		drop_queued(w, tx, sent, DROP_HANDOFF_FULL);
}

static void send_to_device(struct worker *w, uint16_t port_id, struct worker_tx *tx)
{
	unsigned sent = 0, refusals = 0;

	while (sent < tx->n && refusals < TX_RETRIES) {
		unsigned n = rte_eth_tx_burst(port_id, tx->queue, tx->m + sent, tx->n - sent);

		sent += n;
		refusals += n == 0;
	}
	w->stats.tx_packets += sent;
	if (unlikely(sent < tx->n))
		drop_queued(w, tx, sent, DROP_TX_QUEUE_FULL);
}

static void flush_port(struct worker *w, uint16_t port_id)
{
	struct worker_tx *tx = w->tx[port_id];

	w->cycles.stage[CYCLES_TX].packets += tx->n;
	if (tx->owner == w->id)
		send_to_device(w, port_id, tx);
	else
		hand_to_owner(w, port_id, tx);
	tx->n = 0;
}

static struct worker_tx *tx_of(struct worker *w, uint16_t port_id)
{
	return port_id < PORT_MAX ? w->tx[port_id] : NULL;
}

static inline void enqueue(struct worker *w, uint16_t port_id, struct worker_tx *tx,
	struct rte_mbuf *const *m, unsigned n)
{
	unsigned room;

	for (; n > 0; n -= room, m += room) {
		if (unlikely(tx->n == VEC_MAX))
			flush_port(w, port_id);
		else if (unlikely(tx->n == 0))
			w->pending[w->n_pending++] = port_id;
		room = RTE_MIN(n, (unsigned)VEC_MAX - tx->n);
		memcpy(&tx->m[tx->n], m, room * sizeof(*m));
		tx->n += room;
	}
}

void port_tx(struct worker *w, uint16_t port_id, struct rte_mbuf *m)
{
	struct worker_tx *tx = tx_of(w, port_id);

	if (likely(tx != NULL))
		enqueue(w, port_id, tx, &m, 1);
	else
		worker_drop(w, m, DROP_TX_IFACE_DOWN);
}

void port_flush(struct worker *w)
{
	for (unsigned i = 0; i < w->n_pending; i++)
		flush_port(w, w->pending[i]);
	w->n_pending = 0;
}

static struct worker_tx *tx_ready(struct worker *w, const struct iface *out)
{
	return likely(iface_has(out, IFACE_UP)) ? tx_of(w, out->port_id) : NULL;
}

/* A port counts what its VLANs send, too. */
static inline void count_sent(struct worker *w, const struct worker_tx *tx, struct iface *out,
	uint64_t packets, uint64_t bytes)
{
	out->stats[w->id].tx_packets += packets;
	out->stats[w->id].tx_bytes += bytes;
	if (unlikely(out != tx->iface)) {
		tx->iface->stats[w->id].tx_packets += packets;
		tx->iface->stats[w->id].tx_bytes += bytes;
	}
}

static void drop_run(
	struct worker *w, struct iface *out, const struct pkt *p, unsigned n, enum drop_reason why)
{
	for (unsigned i = 0; i < n; i++)
		worker_drop_out(w, &p[i], out, why);
}

/* What follows the IP packet in its buffer (Ethernet padding) is cut off. */
void port_send(struct worker *w, const struct nexthop *nh, struct pkt *p, unsigned n)
{
	const struct l2_head head = l2_head(nh), plain = l2_head_plain(&head);
	struct iface *out = nh->iface;
	struct worker_tx *tx = tx_ready(w, out);
	bool mirror = iface_has(out, IFACE_MIRROR);
	struct rte_mbuf *m[2 * VEC_MAX];
	unsigned packets = 0;
	uint64_t bytes = 0;

	if (unlikely(tx == NULL)) {
		drop_run(w, out, p, n, DROP_TX_IFACE_DOWN);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		if (unlikely(p[i].l3 - (uint8_t *)p[i].m->buf_addr < head.len)) {
			worker_drop_out(w, &p[i], out, DROP_TX_ERROR);
			continue;
		}
		if (likely(head.len == RTE_ETHER_HDR_LEN))
			l2_put(&plain, p[i].family, p[i].m, p[i].l3, p[i].len);
		else
			l2_put(&head, p[i].family, p[i].m, p[i].l3, p[i].len);
		if (unlikely(mirror))
			host_mirror(w, &p[i], out);
		m[packets++] = p[i].m;
		bytes += p[i].len;
	}
	enqueue(w, out->port_id, tx, m, packets);
	count_sent(w, tx, out, packets, bytes);
}

void port_send_frames(
	struct worker *w, struct iface *out, struct rte_mbuf **m, unsigned n, uint64_t bytes)
{
	struct worker_tx *tx = tx_ready(w, out);

	if (unlikely(tx == NULL)) {
		out->stats[w->id].tx_drops += n;
		for (unsigned i = 0; i < n; i++)
			worker_drop(w, m[i], DROP_TX_IFACE_DOWN);
		return;
	}
	count_sent(w, tx, out, n, bytes);
	enqueue(w, out->port_id, tx, m, n);
}
