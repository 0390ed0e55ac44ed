/* SPDX-License-Identifier: BSD-3-Clause */
/* Decryption: what can be refused without it is, then the whole burst is decrypted in one call, then
 * each run of one SA has its sequence numbers taken and its inner packets looked at. */
#include "dataplane/crypto.h"
#include "dataplane/esp.h"
#include "dataplane/esp_inner.h"
#include "dataplane/lookaside.h"
#include "dataplane/worker.h"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_prefetch.h>

#define GOOD DROP_REASON_COUNT

static const uint8_t replay_drop[] = {
	[REPLAY_OK] = GOOD,
	[REPLAY_DUPLICATE] = DROP_ESP_REPLAY,
	[REPLAY_LATE] = DROP_ESP_LATE,
	[REPLAY_ZERO] = DROP_ESP_SEQ_ZERO,
};

static void drop(struct worker *w, struct sa *sa, const struct pkt *p, enum drop_reason reason)
{
	sa->worker[w->id].errors++;
	worker_drop_in(w, p, reason);
}

static bool source_is(const struct sa *sa, const struct pkt *p)
{
	return sa->family == IP_V4 ? memcmp(p->l3 + 12, &sa->src.v4, 4) == 0
				   : memcmp(p->l3 + 8, sa->src.v6, 16) == 0;
}

/* Bytes of ciphertext, or -1: too few, or not a multiple of what the algorithms need. */
static int32_t text_len(const struct sa *sa, const struct pkt *p)
{
	int32_t len =
		p->len - p->l4_off - (int32_t)sizeof(struct esp_hdr) - sa->iv_len - sa->icv_len;

	return len < sa->align || (len & (sa->align - 1)) != 0 ? -1 : len;
}

/* A peer behind NAT may change its address and port at any time, and only the ICV tells whether it
 * was the peer: encapsulated packets are not judged by their source. */
static enum drop_reason check_outer(const struct sa *sa, const struct pkt *p)
{
	bool encap = p->flags & PKT_UDP_ENCAP;

	if (unlikely(encap != !!(sa->flags & SA_UDP_ENCAP)))
		return DROP_ESP_ENCAP;
	if (!encap && !(sa->flags & SA_ANY_SOURCE) && unlikely(!source_is(sa, p)))
		return DROP_ESP_SOURCE;
	return GOOD;
}

/* Everything that speaks against a packet before it is decrypted; fills op and seq. */
static enum drop_reason check(
	const struct sa *sa, const struct pkt *p, struct crypto_op *op, uint64_t *seq)
{
	const struct esp_hdr *esp = (const struct esp_hdr *)(p->l3 + p->l4_off);
	enum drop_reason bad = check_outer(sa, p);
	int32_t len = text_len(sa, p);

	if (unlikely(bad != GOOD))
		return bad;
	if (unlikely(len < 0))
		return DROP_ESP_SHORT;
	*seq = replay_full_seq(&sa->replay, rte_be_to_cpu_32(esp->seq), sa->flags & SA_ESN);
	op->sa = sa;
	op->esp = p->l3 + p->l4_off;
	op->text_len = len;
	op->seq_hi = *seq >> 32;
	return replay_drop[replay_check(&sa->replay, *seq)];
}

static unsigned sa_run(const struct pkt *p, unsigned n)
{
	unsigned i = 1;

	while (i < n && p[i].sa == p[0].sa)
		i++;
	return i;
}

/* Packets worth decrypting move to `to`, which may be `p`. Returns how many. */
static unsigned check_run(struct worker *w, struct sa *sa, const struct pkt *p, unsigned n,
	struct pkt *to, struct crypto_op *op, uint64_t *seq)
{
	bool expired = atomic_load_explicit(&sa->expired, memory_order_relaxed);
	enum drop_reason bad = DROP_ESP_EXPIRED_IN;
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (likely(!expired))
			bad = check(sa, &p[i], &op[kept], &seq[kept]);
		if (unlikely(bad != GOOD)) {
			drop(w, sa, &p[i], bad);
			continue;
		}
		if (unlikely(&to[kept] != &p[i]))
			to[kept] = p[i];
		kept++;
	}
	return kept;
}

void esp_in(struct worker *w)
{
	struct crypto_op op[2 * VEC_MAX];
	uint64_t seq[2 * VEC_MAX];
	uint8_t ok[2 * VEC_MAX];
	struct vec *v = &w->esp_in;
	unsigned n = 0, run, kept;

	for (unsigned i = 0; i < v->n; i += run) {
		struct sa *sa = v->p[i].sa;

		run = sa_run(&v->p[i], v->n - i);
		kept = check_run(w, sa, &v->p[i], run, &v->p[n], op + n, seq + n);
		if (likely(!(sa->flags & SA_LOOKASIDE)))
			n += kept;
		else if (kept > 0)
			lookaside_in(w, sa, &v->p[n], seq + n, kept);
	}
	v->n = 0;
	crypto_open(w->crypto, op, n);
	for (unsigned i = 0; i < n; i++)
		ok[i] = op[i].ok;
	for (unsigned i = 0; i < n; i += run) {
		run = sa_run(&v->p[i], n - i);
		esp_in_done(w, v->p[i].sa, &v->p[i], seq + i, ok + i, run);
	}
}

/* Drop what is not authentic or was seen before; the rest moves to the front. Returns how many. */
static unsigned authentic(struct worker *w, struct sa *sa, struct pkt *p, const uint64_t *seq,
	const uint8_t *ok, unsigned n)
{
	uint64_t good_seq[2 * VEC_MAX];
	uint8_t verdict[2 * VEC_MAX];
	unsigned good = 0, kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (unlikely(!ok[i])) {
			drop(w, sa, &p[i], DROP_ESP_ICV);
			continue;
		}
		if (unlikely(good != i))
			p[good] = p[i];
		good_seq[good++] = seq[i];
	}
	if (unlikely(good == 0))
		return 0;
	replay_accept_run(&sa->replay, good_seq, verdict, good);
	for (unsigned i = 0; i < good; i++) {
		if (unlikely(verdict[i] != REPLAY_OK)) {
			drop(w, sa, &p[i], replay_drop[verdict[i]]);
			continue;
		}
		if (unlikely(kept != i))
			p[kept] = p[i];
		kept++;
	}
	return kept;
}

/* Where the SA's packets come out, or why they do not. */
static enum drop_reason tunnel_of(const struct sa *sa, struct iface **vti)
{
	*vti = atomic_load_explicit(&sa->vti, memory_order_acquire);
	if (unlikely(*vti == NULL))
		return DROP_ESP_NO_VTI;
	return likely(iface_has(*vti, IFACE_UP)) ? GOOD : DROP_RX_IFACE_DOWN;
}

/* RFC 4303 2.6: a dummy packet is no error of anybody's. */
static void refuse(struct worker *w, struct sa *sa, const struct pkt *p, enum drop_reason bad)
{
	if (bad == DROP_ESP_DUMMY)
		worker_drop(w, p->m, bad);
	else
		drop(w, sa, p, bad);
}

void esp_in_done(struct worker *w, struct sa *sa, struct pkt *p, const uint64_t *seq,
	const uint8_t *ok, unsigned n)
{
	struct sa_worker *sw = &sa->worker[w->id];
	uint64_t packets = 0, bytes = 0;
	enum drop_reason bad, no_tunnel;
	struct iface *vti;

	n = authentic(w, sa, p, seq, ok, n);
	if (n == 0)
		return;
	/* Even a packet that is refused below proves that the peer lives. */
	sw->last_use = w->now;
	no_tunnel = tunnel_of(sa, &vti);
	for (unsigned i = 0; i < n; i++) {
		if (vti != NULL)
			p[i].in = vti;
		bad = esp_unwrap(sa, &p[i]);
		if (likely(bad == GOOD))
			bad = no_tunnel;
		if (unlikely(bad != GOOD)) {
			refuse(w, sa, &p[i], bad);
			continue;
		}
		packets++;
		bytes += p[i].len;
		if (unlikely(iface_has(vti, IFACE_MIRROR)))
			host_mirror(w, &p[i], vti);
		vec_push(&w->fwd, &p[i]);
	}
	sw->packets += packets;
	sw->bytes += bytes;
	if (vti != NULL) {
		vti->stats[w->id].rx_packets += packets;
		vti->stats[w->id].rx_bytes += bytes;
	}
}
