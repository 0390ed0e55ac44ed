/* SPDX-License-Identifier: BSD-3-Clause */
/* Into a tunnel: choose the SA and make the packet fit, so that only the encryption is left.
 *
 * Packets come in runs of one interface; the run shares the look at the interface and the counters.
 * A packet larger than the tunnel's MTU is answered with Packet Too Big, or cut before it is
 * encrypted (RFC 4301 8.2): the far gateway then never has to reassemble. */
#include "dataplane/esp.h"
#include "dataplane/mss.h"
#include "dataplane/worker.h"

#include <rte_branch_prediction.h>

#include <netinet/in.h>

#define FETCH_BATCH      16u /* tunnels whose SAs are fetched at once */
#define TUNNEL_DEPTH_MAX 4   /* a tunnel in a tunnel in a tunnel; more is a routing loop */

/* What a run's packets of one family have in common. */
struct way {
	struct sa *sa;
	uint16_t mtu;             /* 0: nothing passes, refusal says why */
	enum drop_reason refusal; /* DROP_REASON_COUNT: none */
};

struct run {
	struct iface *out;
	struct way way; /* of the family at hand */
	uint64_t packets, bytes;
};

/* Encrypt packets of one family that fit, count them, and show them to whoever captures. */
static void enter(struct worker *w, struct run *r, struct pkt *p, unsigned n)
{
	const struct way *way = &r->way;
	bool tcp = false;

	r->packets += n;
	for (unsigned i = 0; i < n; i++) {
		r->bytes += p[i].len;
		tcp |= p[i].proto == IPPROTO_TCP;
	}
	if (tcp)
		mss_clamp(r->out, p, n);
	if (unlikely(iface_has(r->out, IFACE_MIRROR))) {
		for (unsigned i = 0; i < n; i++)
			host_mirror(w, &p[i], r->out);
	}
	esp_wrap(w, way->sa, p, n, way->mtu);
}

static void too_big(struct worker *w, struct run *r, struct pkt *p, uint16_t mtu)
{
	unsigned n;

	/* The twin's MTU is no less than IPv6's: the kernel can't know better. esp_route.c cuts it. */
	if ((p->flags & PKT_OWN) && p->len <= IP6_MTU_MIN) {
		enter(w, r, p, 1);
		return;
	}
	if (esp_inner_df(p->l3, p->family)) {
		icmp_error(w, p, ERR_TOO_BIG, mtu);
		worker_drop_out(w, p, r->out, DROP_TOO_BIG);
		return;
	}
	n = fragment_ip4(w, p, mtu, &w->pieces);
	if (n > 0)
		enter(w, r, w->pieces.p, n);
	w->pieces.n = 0;
}

/* Its sender fails at once instead of waiting for answers; unless an SA may be about to come. */
static void refuse(
	struct worker *w, struct iface *out, const struct pkt *p, enum drop_reason reason)
{
	bool final = reason == DROP_VTI_DOWN ||
		(reason == DROP_VTI_NO_SA &&
			!atomic_load_explicit(&host_hold_asks, memory_order_relaxed));

	if (final && !(p->flags & PKT_OWN))
		icmp_error(w, p, ERR_HOST_UNREACH, 0);
	worker_drop_out(w, p, out, reason);
}

/* One that does not simply enter: no way to take, too deep, or too large for it. */
static void stopped(struct worker *w, struct run *r, struct pkt *p)
{
	const struct way *way = &r->way;

	if (way->refusal == DROP_VTI_NO_SA && host_hold(w, p, r->out))
		return;
	if (way->refusal != DROP_REASON_COUNT)
		refuse(w, r->out, p, way->refusal);
	else if (p->depth == TUNNEL_DEPTH_MAX)
		worker_drop_out(w, p, r->out, DROP_VTI_LOOP);
	else
		too_big(w, r, p, way->mtu);
}

/* Packets at the front of p that simply enter, all of one family. */
static unsigned entering(const struct run *r, const struct pkt *p, unsigned n)
{
	uint8_t family = p->family;
	uint16_t mtu = r->way.mtu;
	unsigned i = 0;

	while (i < n &&
		likely(p[i].len <= mtu && p[i].family == family && p[i].depth < TUNNEL_DEPTH_MAX))
		i++;
	return i;
}

/* The SA is moving to other ends, or its time is over. */
static void take_successor(struct way *way)
{
	way->sa = sa_follow(way->sa);
	if (atomic_load_explicit(&way->sa->expired, memory_order_relaxed) != SA_LIVE)
		way->refusal = DROP_ESP_EXPIRED_OUT;
}

static struct way find_way(const struct iface *out, bool six)
{
	struct way way = {
		.sa = atomic_load_explicit(&out->sa_out[six], memory_order_acquire),
		.mtu = six ? RTE_MAX(iface_mtu(out), IP6_MTU_MIN) : iface_mtu(out),
		.refusal = DROP_REASON_COUNT,
	};

	if (!iface_has(out, IFACE_UP))
		way.refusal = DROP_VTI_DOWN;
	else if (way.sa == NULL)
		way.refusal = DROP_VTI_NO_SA;
	else if (unlikely(atomic_load_explicit(&way.sa->expired, memory_order_relaxed)))
		take_successor(&way);
	if (unlikely(way.refusal != DROP_REASON_COUNT))
		way.mtu = 0;
	return way;
}

/* Each VTI's packets are numbered and sent by one worker: peers with a replay window of 32 or 64 drop
 * what two workers would overtake each other with. It also keeps the order across a rekey. Where the
 * peer's window is large enough, each worker keeps what it has. */
static uint16_t serving_worker(const struct worker *w, const struct iface *out)
{
	if (w->n_workers == 1 || iface_has(out, IFACE_PARALLEL))
		return w->id;
	return out->id % w->n_workers;
}

void vti_prefetch(
	const struct worker *w, const struct iface **out, const uint8_t *family, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		rte_prefetch0(out[i]);
		rte_prefetch0_write(&out[i]->stats[w->id]);
	}
	for (unsigned i = 0; i < n; i++) {
		const struct sa *s = atomic_load_explicit(
			&out[i]->sa_out[AF_INDEX(family[i])], memory_order_acquire);

		if (s == NULL || serving_worker(w, out[i]) != w->id)
			continue; /* another worker has what it needs in its cache */
		rte_prefetch0(s);
		rte_prefetch0_write(&s->mould);
		rte_prefetch0_write(&s->worker[w->id]);
	}
}

void vti_send(struct worker *w, struct iface *out, struct pkt *p, unsigned n)
{
	uint16_t serving = serving_worker(w, out);
	struct iface_stats *stats = &out->stats[w->id];
	struct run r = {.out = out};
	unsigned run;

	if (serving != w->id) {
		host_to_vti_worker(w, serving, out, p, n);
		return;
	}
	for (unsigned i = 0; i < n; i += run) {
		r.way = find_way(out, p[i].family == IP_V6);
		run = entering(&r, &p[i], n - i);
		if (likely(run > 0)) {
			enter(w, &r, &p[i], run);
		} else {
			stopped(w, &r, &p[i]);
			run = 1;
		}
	}
	stats->tx_packets += r.packets;
	stats->tx_bytes += r.bytes;
}

static unsigned out_run(const struct pkt *p, unsigned n)
{
	unsigned i = 1;

	while (i < n && p[i].out == p[0].out)
		i++;
	return i;
}

/* What comes from another worker is often of many tunnels. */
static void prefetch_some(const struct worker *w, const struct pkt *p, unsigned n)
{
	const struct iface *out[FETCH_BATCH];
	uint8_t family[FETCH_BATCH];

	for (unsigned i = 0; i < n; i++) {
		out[i] = p[i].out;
		family[i] = p[i].family;
	}
	vti_prefetch(w, out, family, n);
}

void stage_vti_out(struct worker *w)
{
	struct vec *v = &w->vti_out;
	unsigned run, fetched = 0;

	/* v may grow meanwhile: a tunnel's outer packet can be routed into another tunnel. */
	for (unsigned i = 0; i < v->n; i += run) {
		run = out_run(&v->p[i], v->n - i);
		if (i + run > fetched && run < FETCH_BATCH / 4) {
			fetched = i + RTE_MIN(v->n - i, FETCH_BATCH);
			prefetch_some(w, &v->p[i], fetched - i);
		}
		vti_send(w, v->p[i].out, &v->p[i], run);
	}
	if (unlikely(v->n > 0))
		cycles_charge(&w->cycles, CYCLES_HEADERS, v->n);
	v->n = 0;
}
