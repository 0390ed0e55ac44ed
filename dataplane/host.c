/* SPDX-License-Identifier: BSD-3-Clause */
/* Worker's side of the rings to and from the host thread. */
#include "dataplane/host.h"

#include "dataplane/buffer.h"
#include "dataplane/esp.h"
#include "dataplane/vlan.h"
#include "dataplane/worker.h"

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_memcpy.h>

#define RECEIVE_MAX 64 /* packets of the kernel's in one turn */

/* Make the mbuf hold exactly these bytes, which lie somewhere in its buffer. */
static void set_data(struct rte_mbuf *m, const uint8_t *start, uint16_t len)
{
	m->data_off = start - (const uint8_t *)m->buf_addr;
	m->data_len = len;
	m->pkt_len = len;
}

static bool to_host(struct worker *w, struct rte_mbuf *m, const struct host_tag *tag)
{
	*host_tag(m) = *tag;
	return rte_ring_sp_enqueue(w->to_host, m) == 0;
}

/* A packet that lost its Ethernet header on the way (reassembled, waited for a neighbour) gets one
 * from nobody to the port, as the twin expects. False: no room. */
static bool add_ethernet(struct pkt *p)
{
	struct rte_ether_hdr *eth;

	set_data(p->m, p->l3, p->len);
	eth = (struct rte_ether_hdr *)rte_pktmbuf_prepend(p->m, sizeof(*eth));
	if (eth == NULL)
		return false;
	eth->dst_addr = p->in->mac;
	memset(&eth->src_addr, 0, sizeof(eth->src_addr));
	eth->ether_type =
		p->family == IP_V4 ? RTE_BE16(RTE_ETHER_TYPE_IPV4) : RTE_BE16(RTE_ETHER_TYPE_IPV6);
	return true;
}

/* A port's twin gets the frame as it came, a VTI's the IP packet. */
static bool shape_punt(struct pkt *p)
{
	const uint8_t *data = rte_pktmbuf_mtod(p->m, const uint8_t *);

	if (p->in->kind == IFACE_VTI) {
		set_data(p->m, p->l3, p->len);
		return true;
	}
	return data + RTE_ETHER_HDR_LEN == p->l3 || add_ethernet(p);
}

void host_punt(struct worker *w, struct pkt *p)
{
	struct host_tag tag = {.op = HOST_PUNT};

	if (unlikely(p->in == NULL || !shape_punt(p))) {
		/* Our own packet to ourselves: no twin it could come from. */
		worker_drop_in(w, p, DROP_PUNT_ERROR);
		return;
	}
	tag.iface = p->in->id;
	if (to_host(w, p->m, &tag))
		w->stats.punted++;
	else
		worker_drop_in(w, p, DROP_PUNT_FULL);
}

void host_resolve(struct worker *w, struct pkt *p, struct iface *out, const struct addr *target)
{
	struct host_tag tag = {
		.op = HOST_RESOLVE,
		.flags = p->flags,
		.iface = out->id,
		.l3_off = 0,
		.in = p->in != NULL ? p->in->id : 0,
		.target = *target,
	};

	set_data(p->m, p->l3, p->len);
	if (!to_host(w, p->m, &tag))
		worker_drop_out(w, p, out, DROP_NEIGH_QUEUE_FULL);
}

/* Another worker may count down at the same time, and the control thread set the number anew. */
static bool take_one(_Atomic uint16_t *left)
{
	uint16_t n = atomic_load_explicit(left, memory_order_relaxed);

	while (n > 0) {
		if (atomic_compare_exchange_weak_explicit(
			    left, &n, n - 1, memory_order_relaxed, memory_order_relaxed))
			return true;
	}
	return false;
}

_Atomic bool host_hold_asks;

bool host_hold(struct worker *w, struct pkt *p, struct iface *out)
{
	struct host_tag tag = {
		.op = HOST_HOLD,
		.flags = p->flags,
		.depth = p->depth,
		.iface = out->id,
		.in = p->in != NULL ? p->in->id : 0,
	};

	if (!take_one(&out->hold[AF_INDEX(p->family)]))
		return false;
	set_data(p->m, p->l3, p->len);
	return to_host(w, p->m, &tag);
}

_Atomic uint16_t host_early_room;

bool host_early(struct worker *w, struct pkt *p, uint16_t spi_off)
{
	struct host_tag tag = {
		.op = HOST_EARLY,
		.flags = p->flags,
		.in = p->in != NULL ? p->in->id : 0,
		.spi_off = spi_off,
	};

	if (likely(!take_one(&host_early_room)))
		return false;
	set_data(p->m, p->l3, p->len);
	return to_host(w, p->m, &tag);
}

_Atomic uint16_t host_path_mtu_room;

bool host_path_mtu(struct worker *w, struct pkt *p, uint16_t quote, uint16_t spi_off)
{
	const struct host_tag tag = {.op = HOST_PATH_MTU, .quote = quote, .spi_off = spi_off};

	if (!take_one(&host_path_mtu_room))
		return false;
	set_data(p->m, p->l3, p->len);
	return to_host(w, p->m, &tag);
}

/* What comes in a packet's first bytes, as far as they tell of its sender and its SA. */
void host_moved(struct worker *w, const struct pkt *p)
{
	struct host_tag tag = {.op = HOST_MOVED, .l3_off = p->l4_off};
	uint16_t len = p->l4_off + sizeof(struct esp_hdr);
	struct rte_mbuf *copy = rte_pktmbuf_alloc(w->pool);
	char *data;

	if (copy == NULL)
		return; /* a later packet tells the same */
	data = rte_pktmbuf_append(copy, len);
	if (data != NULL)
		rte_memcpy(data, p->l3, len);
	if (data == NULL || !to_host(w, copy, &tag))
		rte_pktmbuf_free(copy);
}

/* First byte and length of what a capture on this interface shows. */
static const uint8_t *mirror_range(const struct pkt *p, const struct iface *on, uint16_t *len)
{
	const uint8_t *start = p->l3;

	if (on->kind == IFACE_PORT)
		start = rte_pktmbuf_mtod(p->m, const uint8_t *);
	*len = p->l3 + p->len - start;
	return start;
}

void host_mirror(struct worker *w, const struct pkt *p, struct iface *on)
{
	struct host_tag tag = {.op = HOST_MIRROR, .iface = on->id};
	const uint8_t *start;
	struct rte_mbuf *copy;
	uint16_t len;
	char *data;

	if (likely(!iface_has(on, IFACE_MIRROR)))
		return;
	start = mirror_range(p, on, &len);
	copy = buffer_for(w, len);
	if (copy == NULL) {
		w->stats.mirror_lost++;
		return;
	}
	data = rte_pktmbuf_append(copy, len);
	if (data != NULL) {
		rte_memcpy(data, start, len);
		if (on->vlan != 0 && vlan_is_tagged(copy)) /* on its way out */
			vlan_strip(copy);
		if (to_host(w, copy, &tag)) {
			w->stats.mirrored++;
			return;
		}
	}
	rte_pktmbuf_free(copy);
	w->stats.mirror_lost++;
}

static void count_sent(struct iface_stats *s, uint32_t bytes)
{
	s->tx_packets++;
	s->tx_bytes += bytes;
}

static void send_frame(struct worker *w, struct iface *out, struct rte_mbuf *m)
{
	struct pkt p = {.m = m};
	uint32_t len = m->pkt_len;

	if (out->kind != IFACE_PORT || len < RTE_ETHER_HDR_LEN ||
		(out->vlan != 0 && !vlan_insert(m, out->vlan))) {
		worker_drop_out(w, &p, out, DROP_INJECT_BAD);
		return;
	}
	len -= RTE_ETHER_HDR_LEN;
	if (!iface_has(out, IFACE_UP)) {
		worker_drop_out(w, &p, out, DROP_TX_IFACE_DOWN);
		return;
	}
	count_sent(&out->stats[w->id], len);
	if (out->parent != NULL)
		count_sent(&out->parent->stats[w->id], len);
	port_tx(w, out->port_id, m);
}

static void into_tunnel(struct worker *w, struct pkt *p, struct iface *out)
{
	uint8_t flags = p->flags;

	if (out->kind != IFACE_VTI || parse_ip(p, p->m->data_len) != DROP_REASON_COUNT) {
		worker_drop_out(w, p, out, DROP_INJECT_BAD);
		return;
	}
	p->flags |= flags;
	p->out = out;
	if (unlikely(VEC_ROOM(&w->vti_out) == 0))
		stage_vti_out(w);
	vec_push(&w->vti_out, p);
}

/* The kernel has routed it and counted its TTL down: it is as good as the router's own. */
static void send_tunnel(struct worker *w, struct iface *out, struct rte_mbuf *m)
{
	struct pkt p = {.m = m, .l3 = rte_pktmbuf_mtod(m, uint8_t *), .flags = PKT_OWN};

	into_tunnel(w, &p, out);
}

void host_to_vti_worker(struct worker *w, uint16_t to, struct iface *out, struct pkt *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *m = p[i].m;

		set_data(m, p[i].l3, p[i].len);
		*host_tag(m) = (struct host_tag){.op = HOST_VTI,
			.flags = p[i].flags,
			.depth = p[i].depth,
			.proto = p[i].proto,
			.iface = out->id,
			.l4_off = p[i].l4_off,
			.in = p[i].in != NULL ? p[i].in->id : 0};
		handoff_later(w, to, m);
	}
}

static unsigned vti_run(struct rte_mbuf **m, unsigned n)
{
	const struct host_tag *first = host_tag(m[0]);
	unsigned i = 1;

	while (i < n && host_tag(m[i])->op == HOST_VTI && host_tag(m[i])->iface == first->iface &&
		host_tag(m[i])->in == first->in)
		i++;
	return i;
}

/* The other worker has parsed them. Either interface may have gone while they waited. */
unsigned host_from_worker(struct worker *w, struct rte_mbuf **m, unsigned n)
{
	struct iface *out = iface_by_id(host_tag(m[0])->iface),
		     *in = iface_by_id(host_tag(m[0])->in);
	struct vec *v = &w->vti_out;

	n = vti_run(m, n);
	for (unsigned i = 0; i < n; i++) {
		const struct host_tag *tag = host_tag(m[i]);
		uint8_t *l3 = rte_pktmbuf_mtod(m[i], uint8_t *);

		if (unlikely(out == NULL || out->kind != IFACE_VTI)) {
			worker_drop(w, m[i], DROP_VTI_DOWN);
			continue;
		}
		if (unlikely(VEC_ROOM(v) == 0))
			stage_vti_out(w);
		v->p[v->n++] = (struct pkt){
			.m = m[i],
			.l3 = l3,
			.in = in,
			.out = out,
			.len = m[i]->data_len,
			.l4_off = tag->l4_off,
			.family = l3[0] >> 4,
			.proto = tag->proto,
			.flags = tag->flags,
			.depth = tag->depth,
		};
	}
	return n;
}

/* It waited for an SA; either interface may have gone meanwhile. */
static void from_hold(struct worker *w, struct rte_mbuf *m)
{
	const struct host_tag *tag = host_tag(m);
	struct iface *out = iface_by_id(tag->iface);
	struct pkt p = {
		.m = m,
		.l3 = rte_pktmbuf_mtod(m, uint8_t *),
		.in = iface_by_id(tag->in),
		.flags = tag->flags,
		.depth = tag->depth,
	};

	if (out == NULL)
		worker_drop(w, m, DROP_VTI_DOWN);
	else
		into_tunnel(w, &p, out);
}

/* The IP packet that a worker sent away and that is back. */
static bool describe(struct pkt *p, const struct host_tag *tag, struct rte_mbuf *m)
{
	*p = (struct pkt){.m = m, .in = iface_by_id(tag->in)};
	if (tag->l3_off >= m->data_len)
		return false;
	p->l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, tag->l3_off);
	if (parse_ip(p, m->data_len - tag->l3_off) != DROP_REASON_COUNT)
		return false;
	p->flags |= tag->flags;
	return true;
}

static void route_again(struct worker *w, const struct host_tag *tag, struct rte_mbuf *m)
{
	struct pkt p;

	if (describe(&p, tag, m))
		vec_push(&w->fwd, &p);
	else
		worker_drop_in(w, &p, DROP_INJECT_BAD);
}

static_assert(DROP_REASON_COUNT <= UINT8_MAX, "struct host_tag has a byte for it");

static void unreachable(struct worker *w, const struct host_tag *tag, struct rte_mbuf *m)
{
	struct pkt p;

	if (describe(&p, tag, m))
		icmp_error(w, &p, ERR_HOST_UNREACH, 0);
	worker_drop_out(w, &p, iface_by_id(tag->iface), tag->reason);
}

static void receive_one(struct worker *w, struct rte_mbuf *m)
{
	const struct host_tag tag = *host_tag(m);
	struct iface *iface = iface_by_id(tag.iface);

	if (tag.op == HOST_FORWARD)
		route_again(w, &tag, m);
	else if (tag.op == HOST_UNREACHABLE)
		unreachable(w, &tag, m);
	else if (tag.op == HOST_VTI)
		from_hold(w, m);
	else if (iface == NULL || m->nb_segs > 1)
		worker_drop(w, m, DROP_INJECT_BAD);
	else if (tag.op == HOST_SEND)
		send_frame(w, iface, m);
	else if (tag.op == HOST_TUNNEL)
		send_tunnel(w, iface, m);
	else
		worker_drop(w, m, DROP_INJECT_BAD);
}

unsigned host_receive(struct worker *w)
{
	struct rte_mbuf *m[RECEIVE_MAX];
	unsigned n = rte_ring_sc_dequeue_burst(w->inject, (void **)m, RECEIVE_MAX, NULL);

	for (unsigned i = 0; i < n; i++)
		receive_one(w, m[i]);
	w->stats.injected += n;
	return n;
}
