/* SPDX-License-Identifier: BSD-3-Clause */
/* Decryption: what can be refused without it is, then a chunk of packets of whatever SAs is decrypted
 * in one call, then each run of one SA goes on to esp_in_done(). */
#include "dataplane/crypto.h"
#include "dataplane/esp.h"
#include "dataplane/esp_inner.h"
#include "dataplane/lend.h"
#include "dataplane/lookaside.h"
#include "dataplane/worker.h"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>

#define GOOD DROP_REASON_COUNT

/* Packets that go through all steps together: their headers stay in the L1 cache in between, and
 * multi-buffer crypto has enough of them to fill its lanes. */
#define CHUNK 64

const uint8_t esp_replay_drop[] = {
	[REPLAY_OK] = GOOD,
	[REPLAY_DUPLICATE] = DROP_ESP_REPLAY,
	[REPLAY_LATE] = DROP_ESP_LATE,
	[REPLAY_ZERO] = DROP_ESP_SEQ_ZERO,
};

void esp_drop_in(struct worker *w, struct sa *sa, const struct pkt *p, enum drop_reason reason)
{
	sa->worker[w->id].errors++;
	worker_drop_in(w, p, reason);
}

/* What the checks before decryption need of an SA, for a run of its packets. */
struct rules {
	uint32_t fixed; /* bytes of an ESP packet that are not text */
	uint32_t align;
	const struct sa_ends *ends;
	uint32_t src4; /* of the ends */
	uint8_t flags, family;
	bool any_source, esn;
};

static struct rules rules_of(const struct sa *sa)
{
	const struct sa_ends *ends = sa_ends_now(sa);
	bool encap = ends->flags & SA_UDP_ENCAP;

	return (struct rules){
		.fixed = sizeof(struct esp_hdr) + sa->iv_len + sa->icv_len,
		.align = sa->align,
		.ends = ends,
		.src4 = ends->src.v4,
		.flags = encap ? PKT_UDP_ENCAP : 0,
		.family = ends->src.family,
		/* A peer behind NAT may change its address and port at any time, and only the ICV
		 * tells whether it was the peer: encapsulated packets are not judged by their
		 * source. */
		.any_source = encap || (ends->flags & SA_ANY_SOURCE),
		.esn = sa->flags & SA_ESN,
	};
}

static inline bool source_is(const struct sa_ends *ends, uint8_t family, const uint8_t *l3)
{
	return family == IP_V4 ? memcmp(l3 + 12, &ends->src.v4, 4) == 0
			       : memcmp(l3 + 8, ends->src.v6, 16) == 0;
}

static inline bool comes_from_peer(const struct rules *r, const uint8_t *l3)
{
	return likely(r->family == IP_V4) ? memcmp(l3 + 12, &r->src4, 4) == 0
					  : memcmp(l3 + 8, r->ends->src.v6, 16) == 0;
}

/* Was it sent before the peer learnt of the SA's new ends? */
static __rte_noinline bool suits_old_ends(const struct sa *sa, const struct pkt *p)
{
	const struct sa_ends *old = sa_ends_old(sa);
	bool encap;

	if (old == NULL || old->src.family != p->family)
		return false;
	encap = old->flags & SA_UDP_ENCAP;
	if (encap != !!(p->flags & PKT_UDP_ENCAP))
		return false;
	return encap || (old->flags & SA_ANY_SOURCE) || source_is(old, p->family, p->l3);
}

/* Everything that speaks against a packet before it is decrypted; fills op and seq. */
static inline enum drop_reason check(const struct sa *sa, const struct rules *r,
	const struct pkt *p, struct crypto_op *op, uint64_t *seq)
{
	uint8_t *l3 = p->l3, *esp = l3 + p->l4_off;
	/* Below the least possible length it wraps round, beyond any packet's. */
	uint32_t len = p->len - p->l4_off - r->fixed;
	uint64_t number = rte_be_to_cpu_32(((const struct esp_hdr *)esp)->seq);

	if (unlikely((p->flags & PKT_UDP_ENCAP) != r->flags) && !suits_old_ends(sa, p))
		return DROP_ESP_ENCAP;
	if (unlikely(!r->any_source && !comes_from_peer(r, l3)) && !suits_old_ends(sa, p))
		return DROP_ESP_SOURCE;
	if (unlikely((len & (r->align - 1)) != 0 || len - r->align > UINT16_MAX))
		return DROP_ESP_SHORT;
	if (r->esn)
		number = replay_full_seq(&sa->replay, number, true);
	*seq = number;
	op->sa = sa;
	op->esp = esp;
	op->text_len = len;
	op->seq_hi = number >> 32;
	return likely(replay_ahead(&sa->replay, number))
		? GOOD
		: esp_replay_drop[replay_check(&sa->replay, number)];
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
	const struct rules rules = rules_of(sa);
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (likely(!expired))
			bad = check(sa, &rules, &p[i], &op[kept], &seq[kept]);
		if (unlikely(bad != GOOD)) {
			esp_drop_in(w, sa, &p[i], bad);
			continue;
		}
		if (unlikely(&to[kept] != &p[i]))
			to[kept] = p[i];
		kept++;
	}
	return kept;
}

/* What follows decryption needs of an SA that may not be in any cache: counters and the tunnel's
 * interface. The replay window was fetched with the SA, and crypto_open() fetches the key. */
static inline void prefetch_sa(const struct worker *w, const struct sa *sa)
{
	const struct iface *vti = atomic_load_explicit(&sa->vti, memory_order_relaxed);

	rte_prefetch0_write(&sa->worker[w->id]);
	if (vti != NULL) {
		rte_prefetch0(vti);
		rte_prefetch0_write(&vti->stats[w->id]);
	}
}

/* The runs of packets of one SA, as their lengths. A chunk of many SAs has them fetched at once. */
static unsigned find_runs(const struct worker *w, const struct pkt *p, unsigned n, uint8_t *run)
{
	unsigned n_runs = 0;

	for (unsigned i = 0; i < n; i += run[n_runs++])
		run[n_runs] = sa_run(&p[i], n - i);
	for (unsigned i = 0, k = 0; n_runs > 1 && k < n_runs; i += run[k++])
		prefetch_sa(w, p[i].sa);
	return n_runs;
}

/* Packets of any SAs on their way through decryption, and the runs of one SA, as their lengths. */
struct chunk {
	struct crypto_op op[CHUNK];
	uint64_t seq[CHUNK];
	unsigned n, n_runs;
	uint8_t run[CHUNK];
};

/* One that others may be decrypting. */
struct open_lot {
	struct chunk chunk;
	struct pkt p[CHUNK];
};

struct open_lot *open_lots_new(unsigned n)
{
	return rte_zmalloc("open_lots", n * sizeof(struct open_lot), RTE_CACHE_LINE_SIZE);
}

void open_lots_free(struct open_lot *lots, const struct lend *l)
{
	for (uint32_t lot = l != NULL ? l->first : 0; l != NULL && lot != l->next; lot++) {
		const struct open_lot *out = &lots[lend_place(lot)];

		for (unsigned i = 0; i < out->chunk.n; i++)
			rte_pktmbuf_free(out->p[i].m);
	}
	rte_free(lots);
}

/* What is worth decrypting moves to `to`, which may be `p`. */
static void check_chunk(
	struct worker *w, struct chunk *c, struct pkt *p, unsigned n_p, struct pkt *to)
{
	unsigned n_runs = find_runs(w, p, n_p, c->run), n = 0;

	for (unsigned i = 0, k = 0; k < n_runs; k++) {
		struct sa *sa = p[i].sa;
		unsigned kept = check_run(w, sa, &p[i], c->run[k], &to[n], c->op + n, c->seq + n);

		i += c->run[k];
		c->run[k] = kept;
		if (likely(!(sa->flags & SA_LOOKASIDE))) {
			n += kept;
			continue;
		}
		if (kept > 0)
			lookaside_in(w, sa, &to[n], c->seq + n, kept);
		c->run[k] = 0;
	}
	c->n = n;
	c->n_runs = n_runs;
	cycles_charge(&w->cycles, CYCLES_ESP_IN, n_p);
}

static void finish_chunk(struct worker *w, const struct chunk *c, struct pkt *p)
{
	uint8_t ok[CHUNK];

	for (unsigned i = 0; i < c->n; i++)
		ok[i] = c->op[i].ok;
	for (unsigned i = 0, k = 0; k < c->n_runs; i += c->run[k++]) {
		if (likely(c->run[k] > 0))
			esp_in_done(w, p[i].sa, &p[i], c->seq + i, ok + i, c->run[k]);
	}
	cycles_charge(&w->cycles, CYCLES_ESP_IN, 0);
}

static void open_here(struct worker *w, struct pkt *p, unsigned n)
{
	struct chunk c;

	check_chunk(w, &c, p, n, p);
	crypto_open(w->crypto, c.op, c.n);
	cycles_charge(&w->cycles, CYCLES_DECRYPT, c.n);
	finish_chunk(w, &c, p);
}

/* Where others have decrypted, the text is in their caches. */
static void prefetch_text(const struct open_lot *lot)
{
	for (unsigned i = 0; i < lot->chunk.n; i++) {
		const struct pkt *p = &lot->p[i];

		rte_prefetch0(lot->chunk.op[i].esp + sizeof(struct esp_hdr) + p->sa->iv_len);
		rte_prefetch0(p->l3 + p->len - p->sa->icv_len - ESP_TRAILER_LEN);
	}
}

/* In order, as far as there is room for what comes out. */
static void finish_home(struct worker *w)
{
	struct lend *l = w->opening;

	while (lend_home(l) && VEC_ROOM(&w->fwd) >= CHUNK) {
		struct open_lot *lot = &w->opens[lend_place(l->first)];

		prefetch_text(lot);
		finish_chunk(w, &lot->chunk, lot->p);
		l->first++;
	}
}

/* Others may help. There is a free lot at the start of a turn, and room in w->fwd when ESP that was found
 * there makes another round: here nothing waits for ever. */
static void lend_chunk(struct worker *w, struct pkt *p, unsigned n)
{
	struct lend *l = w->opening;
	struct open_lot *lot;

	while (unlikely(lend_out(l) == LEND_LOTS)) {
		lend_wait(w, l);
		finish_home(w);
	}
	lot = &w->opens[lend_place(l->next)];
	check_chunk(w, &lot->chunk, p, n, lot->p);
	lend_offer(l, lot->chunk.op, lot->chunk.n);
}

void esp_in(struct worker *w)
{
	struct vec *v = &w->esp_in;

	for (unsigned i = 0; i < v->n; i += CHUNK) {
		unsigned n = RTE_MIN(v->n - i, (unsigned)CHUNK);

		if (likely(!lend_worth(w->opening, n)))
			open_here(w, &v->p[i], n);
		else
			lend_chunk(w, &v->p[i], n);
	}
	v->n = 0;
	if (unlikely(w->opening != NULL && lend_out(w->opening) > 0)) {
		lend_work(w, w->opening);
		finish_home(w);
	}
}
