/* SPDX-License-Identifier: BSD-3-Clause */
/* Encryption: every header, IV and trailer of the burst is written first, then the burst is
 * encrypted in one call, then each run of one SA goes to its outer next hop. */
#include "dataplane/crypto.h"
#include "dataplane/esp_header.h"
#include "dataplane/lookaside.h"
#include "dataplane/worker.h"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>

/* Room in front of the outer header for a link-layer header with a VLAN tag. */
#define L2_ROOM (RTE_ETHER_HDR_LEN + 4)

#define PAD_MAX 16 /* bytes written at the text's end, whatever of them is padding */

/* RFC 4303 2.4. */
static const uint8_t padding[PAD_MAX] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void drop_run(
	struct worker *w, struct sa *sa, struct pkt *p, unsigned n, enum drop_reason reason)
{
	for (unsigned i = 0; i < n; i++)
		esp_drop_out(w, sa, &p[i], reason);
}

/* Take n sequence numbers from *first on; returns how many there were. Adding past the last one does
 * no harm: see seq_max. */
static unsigned take_seq(struct sa *sa, unsigned n, uint64_t *first)
{
	if (unlikely(atomic_load_explicit(&sa->seq, memory_order_relaxed) > sa->seq_max))
		return 0;
	*first = atomic_fetch_add_explicit(&sa->seq, n, memory_order_relaxed);
	if (likely(*first + n - 1 <= sa->seq_max))
		return n;
	return *first > sa->seq_max ? 0 : sa->seq_max - *first + 1;
}

static uint32_t text_len(const struct sa *sa, uint32_t inner)
{
	return RTE_ALIGN_CEIL(inner + ESP_TRAILER_LEN, sa->align);
}

static bool has_room(const struct sa *sa, const struct pkt *p)
{
	const uint8_t *buf = p->m->buf_addr, *end = p->l3 + p->len;
	uint32_t tail = text_len(sa, p->len) - p->len + sa->icv_len;

	return p->l3 - buf >= sa->hdr_len + sa->iv_len + L2_ROOM &&
		buf + p->m->buf_len - end >= (ptrdiff_t)RTE_MAX(tail, sizeof(padding));
}

/* Keep the packets whose buffers have room, at the front of p. */
static unsigned keep_roomy(struct worker *w, struct sa *sa, struct pkt *p, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (unlikely(!has_room(sa, &p[i])))
			esp_drop_out(w, sa, &p[i], DROP_ESP_NO_ROOM);
		else if (likely(kept == i))
			kept++;
		else
			p[kept++] = p[i];
	}
	return kept;
}

static void put_iv(struct worker *w, const struct sa *sa, uint8_t *iv, uint64_t seq)
{
	uint64_t be = rte_cpu_to_be_64(seq);

	if (sa->iv_len == sizeof(be)) /* a counter: unique, and that is all it must be */
		memcpy(iv, &be, sizeof(be));
	else if (sa->iv_len != 0)
		crypto_random(w->crypto, iv, sa->iv_len);
}

/* Wrap one packet; only the text is not yet encrypted and the ICV not there. */
static void wrap(struct worker *w, struct sa *sa, struct pkt *p, struct crypto_op *op, uint64_t seq)
{
	uint32_t len = text_len(sa, p->len), pad = len - p->len - ESP_TRAILER_LEN;
	uint8_t *esp = p->l3 - sa->iv_len - sizeof(struct esp_hdr);
	uint8_t *end = p->l3 + p->len;
	uint32_t esp_len = sizeof(struct esp_hdr) + sa->iv_len + len + sa->icv_len;

	memcpy(end, padding, PAD_MAX);
	end[pad] = pad;
	end[pad + 1] = p->family == IP_V4 ? ESP_NEXT_IP4 : ESP_NEXT_IP6;
	put_iv(w, sa, esp + sizeof(struct esp_hdr), seq);
	op->sa = sa;
	op->esp = esp;
	op->text_len = len;
	op->seq_hi = seq >> 32;
	p->l3 = esp_put_header(sa, esp, esp_len, esp_inner_tos(p->l3, p->family),
		esp_inner_df(p->l3, p->family), seq);
	p->len = esp_len + sa->hdr_len - sizeof(struct esp_hdr);
}

/* The run's packets that can be sent are kept at the front of p, numbered from *seq on. */
static unsigned admit(struct worker *w, struct sa *sa, struct pkt *p, unsigned n, uint64_t *seq)
{
	struct sa_worker *sw = &sa->worker[w->id];
	uint64_t bytes = 0;
	unsigned granted;

	if (unlikely(atomic_load_explicit(&sa->expired, memory_order_relaxed))) {
		drop_run(w, sa, p, n, DROP_ESP_EXPIRED_OUT);
		return 0;
	}
	n = keep_roomy(w, sa, p, n);
	if (n == 0)
		return 0;
	granted = take_seq(sa, n, seq);
	drop_run(w, sa, p + granted, n - granted, DROP_ESP_SEQ_EXHAUSTED);
	if (granted == 0)
		return 0;
	for (unsigned i = 0; i < granted; i++)
		bytes += p[i].len;
	sw->bytes += bytes;
	sw->packets += granted;
	sw->last_use = w->now;
	return granted;
}

static unsigned sa_run(const struct pkt *p, unsigned n)
{
	unsigned i = 1;

	while (i < n && p[i].sa == p[0].sa)
		i++;
	return i;
}

void esp_out(struct worker *w)
{
	struct crypto_op op[2 * VEC_MAX];
	uint8_t ok[2 * VEC_MAX];
	struct vec *v = &w->esp_out;
	unsigned n = 0, run, sent;
	uint64_t seq;

	for (unsigned i = 0; i < v->n; i += run) {
		struct sa *sa = v->p[i].sa;

		run = sa_run(&v->p[i], v->n - i);
		sent = admit(w, sa, &v->p[i], run, &seq);
		if (unlikely(sa->flags & SA_LOOKASIDE)) {
			if (sent > 0)
				lookaside_out(w, sa, &v->p[i], sent, seq);
			continue;
		}
		for (unsigned j = 0; j < sent; j++, n++) {
			if (unlikely(n != i + j))
				v->p[n] = v->p[i + j];
			wrap(w, sa, &v->p[n], &op[n], seq + j);
		}
	}
	v->n = 0;
	crypto_seal(w->crypto, op, n);
	for (unsigned i = 0; i < n; i++)
		ok[i] = op[i].ok;
	for (unsigned i = 0; i < n; i += run) {
		run = sa_run(&v->p[i], n - i);
		esp_out_done(w, v->p[i].sa, &v->p[i], ok + i, run);
	}
}
