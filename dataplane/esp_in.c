/* SPDX-License-Identifier: BSD-3-Clause */
/* Decryption: what can be refused without it is, then a chunk of packets of whatever SAs is decrypted
 * in one call, then each run of one SA goes on to esp_in_done(). */
#include "dataplane/crypto_key.h"
#include "dataplane/esp.h"
#include "dataplane/esp_inner.h"
#include "dataplane/lookaside.h"
#include "dataplane/worker.h"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
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
	uint8_t flags, family;
	bool any_source, esn;
};

static struct rules rules_of(const struct sa *sa)
{
	bool encap = sa->flags & SA_UDP_ENCAP;

	return (struct rules){
		.fixed = sizeof(struct esp_hdr) + sa->iv_len + sa->icv_len,
		.align = sa->align,
		.flags = encap ? PKT_UDP_ENCAP : 0,
		.family = sa->family,
		/* A peer behind NAT may change its address and port at any time, and only the ICV
		 * tells whether it was the peer: encapsulated packets are not judged by their
		 * source. */
		.any_source = encap || (sa->flags & SA_ANY_SOURCE),
		.esn = sa->flags & SA_ESN,
	};
}

static inline bool source_is(const struct sa *sa, uint8_t family, const uint8_t *l3)
{
	return family == IP_V4 ? memcmp(l3 + 12, &sa->src.v4, 4) == 0
			       : memcmp(l3 + 8, sa->src.v6, 16) == 0;
}

/* Everything that speaks against a packet before it is decrypted; fills op and seq. */
static inline enum drop_reason check(const struct sa *sa, const struct rules *r,
	const struct pkt *p, struct crypto_op *op, uint64_t *seq)
{
	uint8_t *l3 = p->l3, *esp = l3 + p->l4_off;
	/* Below the least possible length it wraps round, beyond any packet's. */
	uint32_t len = p->len - p->l4_off - r->fixed;
	uint64_t number = rte_be_to_cpu_32(((const struct esp_hdr *)esp)->seq);

	if (unlikely((p->flags & PKT_UDP_ENCAP) != r->flags))
		return DROP_ESP_ENCAP;
	if (unlikely(!r->any_source && !source_is(sa, r->family, l3)))
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

/* What decryption and what follows need of an SA that may not be in any cache: the replay window and
 * counters, the tunnel's interface, and the key schedule. */
static inline void prefetch_sa(const struct worker *w, const struct sa *sa)
{
	const struct iface *vti = atomic_load_explicit(&sa->vti, memory_order_relaxed);

	rte_prefetch0(&sa->replay);
	rte_prefetch0_write(&sa->worker[w->id]);
	rte_prefetch0_write(&sa->worker[sa->worker_count]); /* the window's words */
	if (vti != NULL) {
		rte_prefetch0(vti);
		rte_prefetch0_write(&vti->stats[w->id]);
	}
	crypto_key_prefetch(sa);
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

/* Check packets of any SAs, decrypt them and pass them on. */
static void esp_in_chunk(struct worker *w, struct pkt *p, unsigned n_p)
{
	struct crypto_op op[CHUNK];
	uint64_t seq[CHUNK];
	uint8_t ok[CHUNK], run[CHUNK];
	unsigned n_runs = find_runs(w, p, n_p, run), n = 0;

	for (unsigned i = 0, k = 0; k < n_runs; k++) {
		struct sa *sa = p[i].sa;
		unsigned kept = check_run(w, sa, &p[i], run[k], &p[n], op + n, seq + n);

		i += run[k];
		run[k] = kept;
		if (likely(!(sa->flags & SA_LOOKASIDE))) {
			n += kept;
			continue;
		}
		if (kept > 0)
			lookaside_in(w, sa, &p[n], seq + n, kept);
		run[k] = 0;
	}
	cycles_charge(&w->cycles, CYCLES_ESP_IN, n_p);
	crypto_open(w->crypto, op, n);
	cycles_charge(&w->cycles, CYCLES_DECRYPT, n);
	for (unsigned i = 0; i < n; i++)
		ok[i] = op[i].ok;
	for (unsigned i = 0, k = 0; k < n_runs; i += run[k++]) {
		if (likely(run[k] > 0))
			esp_in_done(w, p[i].sa, &p[i], seq + i, ok + i, run[k]);
	}
	cycles_charge(&w->cycles, CYCLES_ESP_IN, 0);
}

void esp_in(struct worker *w)
{
	struct vec *v = &w->esp_in;

	for (unsigned i = 0; i < v->n; i += CHUNK)
		esp_in_chunk(w, &v->p[i], RTE_MIN(v->n - i, (unsigned)CHUNK));
	v->n = 0;
}
