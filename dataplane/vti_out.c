/* SPDX-License-Identifier: BSD-3-Clause */
/* Into a tunnel: choose the SA and make the packet fit, so that esp_out() only has to encrypt.
 *
 * Packets come in runs of one interface; the run shares the look at the interface and the counters.
 * A packet larger than the tunnel's MTU is answered with Packet Too Big, or cut before it is
 * encrypted (RFC 4301 8.2): the far gateway then never has to reassemble. */
#include "dataplane/esp.h"
#include "dataplane/worker.h"

#include <rte_branch_prediction.h>

#define TUNNEL_DEPTH_MAX 4    /* a tunnel in a tunnel in a tunnel; more is a routing loop */
#define IP6_MTU_MIN      1280 /* RFC 8200 5: a link that can't must fragment below IPv6 */

/* What a run's packets of one family have in common. */
struct way {
	struct sa *sa;
	uint16_t mtu;
	enum drop_reason refusal; /* DROP_REASON_COUNT: none */
};

struct run {
	struct iface *out;
	struct way way[2]; /* by AF_INDEX */
	uint64_t packets, bytes;
	bool mirror;
};

/* Count packets that w->esp_out has got, and show them to whoever captures. */
static void sent(struct worker *w, struct run *r, const struct pkt *p, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		r->packets++;
		r->bytes += p[i].len;
		if (unlikely(r->mirror))
			host_mirror(w, &p[i], r->out);
	}
}

static void too_big(struct worker *w, struct run *r, struct pkt *p, uint16_t mtu)
{
	unsigned n;

	if (esp_inner_df(p->l3, p->family)) {
		icmp_error(w, p, ERR_TOO_BIG, mtu);
		worker_drop_out(w, p, r->out, DROP_TOO_BIG);
		return;
	}
	n = fragment_ip4(w, p, mtu, &w->esp_out, esp_out);
	sent(w, r, &w->esp_out.p[w->esp_out.n - n], n);
}

static void tunnel(struct worker *w, struct run *r, struct pkt *p)
{
	const struct way *way = &r->way[AF_INDEX(p->family)];
	struct pkt *to;

	if (unlikely(way->refusal != DROP_REASON_COUNT)) {
		worker_drop_out(w, p, r->out, way->refusal);
		return;
	}
	if (unlikely(p->depth == TUNNEL_DEPTH_MAX)) {
		worker_drop_out(w, p, r->out, DROP_VTI_LOOP);
		return;
	}
	if (unlikely(p->len > way->mtu)) {
		p->depth++;
		p->sa = way->sa;
		too_big(w, r, p, way->mtu);
		return;
	}
	if (unlikely(VEC_ROOM(&w->esp_out) == 0))
		esp_out(w);
	to = vec_push(&w->esp_out, p);
	to->depth++;
	to->sa = way->sa;
	sent(w, r, to, 1);
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
	else if (atomic_load_explicit(&way.sa->expired, memory_order_relaxed))
		way.refusal = DROP_ESP_EXPIRED_OUT;
	return way;
}

/* Each VTI's packets are numbered and sent by one worker: peers with a replay window of 32 or 64 drop
 * what two workers would overtake each other with. It also keeps the order across a rekey. */
static uint16_t serving_worker(const struct worker *w, const struct iface *out)
{
	return w->n_workers > 1 ? out->id % w->n_workers : w->id;
}

static unsigned run_end(const struct vec *v, unsigned i)
{
	const struct iface *out = v->p[i].out;

	while (i < v->n && v->p[i].out == out)
		i++;
	return i;
}

/* The run that starts at v->p[i]. Returns its end. */
static unsigned tunnel_run(struct worker *w, struct vec *v, unsigned i)
{
	struct iface *out = v->p[i].out;
	uint16_t serving = serving_worker(w, out);
	struct iface_stats *stats = &out->stats[w->id];
	struct run r = {
		.out = out,
		.way = {find_way(out, false), find_way(out, true)},
		.mirror = iface_has(out, IFACE_MIRROR),
	};

	if (serving != w->id) {
		unsigned end = run_end(v, i);

		host_to_vti_worker(w, serving, out, &v->p[i], end - i);
		return end;
	}
	for (; i < v->n && v->p[i].out == out; i++)
		tunnel(w, &r, &v->p[i]);
	stats->tx_packets += r.packets;
	stats->tx_bytes += r.bytes;
	return i;
}

void stage_vti_out(struct worker *w)
{
	struct vec *v = &w->vti_out;
	unsigned i = 0;

	/* v may grow meanwhile: a tunnel's outer packet can be routed into another tunnel. */
	while (i < v->n)
		i = tunnel_run(w, v, i);
	v->n = 0;
}
