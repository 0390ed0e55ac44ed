/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/sa/acquire.h"

#include "control/addr_text.h"
#include "control/api/api_server.h"
#include "control/iface/vti.h"
#include "control/sa/sadb.h"
#include "dataplane/esp_inner.h"
#include "dataplane/worker.h"

/* False: no IP packet, which no worker would have sent here. */
static bool read_packet(struct rte_mbuf *m, struct viaduct_acquire *a)
{
	struct pkt p = {.m = m, .l3 = rte_pktmbuf_mtod(m, uint8_t *)};
	struct selector_ports ports;
	const uint8_t *src;
	unsigned len;

	if (parse_ip(&p, m->data_len) != DROP_REASON_COUNT)
		return false;
	len = addr_len(p.family);
	src = p.l3 + (p.family == IP_V4 ? 12 : 8);
	a->src.family = a->dst.family = p.family;
	memcpy(a->src.bytes, src, len);
	memcpy(a->dst.bytes, src + len, len);
	a->proto = p.proto;
	ports = selector_ports(&p);
	a->sport = ports.src;
	a->dport = ports.dst;
	return true;
}

static bool addr_in(const uint8_t range[2][16], const struct viaduct_addr *a)
{
	const unsigned len = addr_len(a->family);

	return memcmp(a->bytes, range[0], len) >= 0 && memcmp(a->bytes, range[1], len) <= 0;
}

static bool port_in(const uint16_t range[2], uint16_t port)
{
	return port >= range[0] && port <= range[1];
}

static bool covers(const struct viaduct_selector *s, const struct viaduct_acquire *a)
{
	return s->family == a->src.family && (s->proto == 0 || s->proto == a->proto) &&
		addr_in(s->src, &a->src) && addr_in(s->dst, &a->dst) &&
		port_in(s->src_port, a->sport) && port_in(s->dst_port, a->dport);
}

/* Without this most policies would be looked up among all VTIs, for each packet. */
static bool may_be_of(const struct viaduct_policy *p, const struct vti *v)
{
	if (p->dir != VIADUCT_OUT)
		return false;
	if (p->if_id != 0)
		return p->if_id == v->conf.if_id;
	if (p->mark != 0)
		return v->conf.mark != 0;
	return p->reqid == v->conf.reqid || v->reqid_auto;
}

/* A policy without outer addresses goes with any. */
static struct addr end_of(const struct viaduct_addr *of_policy, const struct viaduct_addr *of_vti)
{
	return addr_from_api(of_policy->family != IP_NONE ? of_policy : of_vti);
}

static bool is_of(const struct viaduct_policy *p, const struct vti *v)
{
	const struct vti_key key = {
		.if_id = p->if_id,
		.mark = p->mark,
		.mark_mask = p->mark_mask,
		.reqid = p->reqid,
		.local = end_of(&p->src, &v->conf.local),
		.remote = end_of(&p->dst, &v->conf.remote),
	};

	return may_be_of(p, v) && vti_match(&key) == v;
}

struct search {
	const struct vti *vti;
	const struct viaduct_acquire *packet;
	bool any;                          /* the VTI has policies */
	const struct viaduct_policy *best; /* that covers the packet */
};

/* A lower number is the higher priority, as in XFRM. */
static int consider(const struct viaduct_policy *p, void *arg)
{
	struct search *s = arg;

	if (!is_of(p, s->vti))
		return 0;
	s->any = true;
	if (covers(&p->selector, s->packet) && (s->best == NULL || p->priority < s->best->priority))
		s->best = p;
	return 0;
}

bool acquire_describe(const struct vti *v, struct rte_mbuf *m, struct viaduct_acquire *out)
{
	struct search s = {.vti = v, .packet = out};

	*out = (struct viaduct_acquire){
		.reqid = v->conf.reqid,
		.if_id = v->conf.if_id,
		.mark = v->conf.mark,
		.mark_mask = v->conf.mark_mask,
	};
	memcpy(out->vti, v->conf.name, sizeof(out->vti));
	if (!read_packet(m, out))
		return false;
	policy_each(consider, &s);
	if (s.best != NULL)
		out->reqid = s.best->reqid;
	return s.best != NULL || !s.any;
}

void acquire_raise(const struct viaduct_acquire *a)
{
	api_event(VIADUCT_SUB_ACQUIRE, VIADUCT_EVENT_ACQUIRE, a, sizeof(*a));
}
