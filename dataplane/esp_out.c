/* SPDX-License-Identifier: BSD-3-Clause */
/* Encryption: every header, IV and trailer of the burst is written first, then the burst is
 * encrypted in one call, then each run of one SA goes to its outer next hop. Where that is a port, as
 * nearly always, the frame's Ethernet header is written with the others. */
#include "dataplane/crypto.h"
#include "dataplane/esp_header.h"
#include "dataplane/l2.h"
#include "dataplane/lend.h"
#include "dataplane/lookaside.h"
#include "dataplane/vlan.h"
#include "dataplane/worker.h"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_malloc.h>

/* Room in front of the outer header for a link-layer header with a VLAN tag. */
#define L2_ROOM VLAN_HDR_LEN

#define PAD_MAX 16 /* bytes written at the text's end, whatever of them is padding */

/* RFC 4303 2.4. */
static const uint8_t padding[PAD_MAX] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void drop_run(
	struct worker *w, struct sa *sa, const struct pkt *p, unsigned n, enum drop_reason reason)
{
	for (unsigned i = 0; i < n; i++)
		esp_drop_out(w, sa, &p[i], reason);
}

/* An only worker needs no locked instruction: one a packet would show where each is of another SA. */
static uint64_t add_seq(struct sa *sa, unsigned n)
{
	uint64_t first;

	if (sa->worker_count > 1)
		return atomic_fetch_add_explicit(&sa->seq, n, memory_order_relaxed);
	first = atomic_load_explicit(&sa->seq, memory_order_relaxed);
	atomic_store_explicit(&sa->seq, first + n, memory_order_relaxed);
	return first;
}

/* Take n sequence numbers from *first on; returns how many there were. Adding past the last one does
 * no harm: see seq_max. */
static unsigned take_seq(struct sa *sa, unsigned n, uint64_t *first)
{
	if (unlikely(atomic_load_explicit(&sa->seq, memory_order_relaxed) > sa->seq_max))
		return 0;
	*first = add_seq(sa, n);
	if (likely(*first + n - 1 <= sa->seq_max))
		return n;
	return *first > sa->seq_max ? 0 : sa->seq_max - *first + 1;
}

static uint32_t text_len(uint32_t inner, uint32_t align)
{
	return RTE_ALIGN_CEIL(inner + ESP_TRAILER_LEN, align);
}

/* One run of an SA's packets. */
struct run {
	struct sa *sa;
	/* The port's next hop where frames are complete and only need to be queued; NULL: the
	 * packets' way is found when they are encrypted. */
	const struct nexthop *nh;
	uint32_t bytes; /* outer IP bytes, where nh is set */
	uint16_t first, n;
};

#define BATCH_MAX (2 * VEC_MAX) /* crypto_seal() takes no more */

/* What is wrapped and not yet encrypted: by packet, and its runs. */
struct seal_batch {
	unsigned n, n_runs;
	struct crypto_op op[BATCH_MAX];
	struct rte_mbuf *m[BATCH_MAX];
	struct run run[BATCH_MAX];
	struct pkt outer[BATCH_MAX]; /* of runs without nh */
};

struct seal_batch *seal_batch_new(unsigned n)
{
	return rte_zmalloc("seal_batch", n * sizeof(struct seal_batch), RTE_CACHE_LINE_SIZE);
}

void seal_batch_free(struct seal_batch *b, const struct lend *l)
{
	for (uint32_t lot = l != NULL ? l->first : 0; l != NULL && lot != l->next; lot++)
		rte_pktmbuf_free_bulk(b[lend_place(lot)].m, b[lend_place(lot)].n);
	rte_free(b);
}

/* What a run's packets have in common, kept in registers: see esp_mould. */
struct mould {
	struct esp_mould esp;
	const struct outer_rules *rules;
	struct sa *sa;
	struct l2_head l2;    /* where frame is set */
	uint32_t front, tail; /* room in the buffer before and behind the inner packet */
	uint32_t align, icv_len;
	uint8_t iv_len;
	bool counter_iv, frame;
};

static __rte_always_inline struct mould mould_of(struct sa *sa, const struct nexthop *nh)
{
	struct mould k = {
		.esp = sa->mould,
		.rules = esp_rules(sa),
		.sa = sa,
		.front = sa->hdr_len + sa->iv_len + L2_ROOM,
		.tail = RTE_MAX(
			sa->align - 1 + ESP_TRAILER_LEN + sa->icv_len, PAD_MAX + ESP_TRAILER_LEN),
		.align = sa->align,
		.icv_len = sa->icv_len,
		.iv_len = sa->iv_len,
		.counter_iv = sa->iv_len == sizeof(uint64_t),
		.frame = nh != NULL,
	};

	if (nh != NULL)
		k.l2 = l2_head(nh);
	if (unlikely(k.rules != NULL))
		esp_mould_ruled(&k.esp, k.rules);
	return k;
}

static inline void put_iv(struct worker *w, const struct mould *k, uint8_t *iv, uint64_t seq)
{
	uint64_t be = rte_cpu_to_be_64(seq);

	if (likely(k->counter_iv)) /* unique, and that is all it must be */
		memcpy(iv, &be, sizeof(be));
	else if (k->iv_len != 0)
		crypto_random(w->crypto, iv, k->iv_len);
}

/* Nearly all packets' mould: AEAD with IPv4 outside, to a port. A copy that says so at compile time. */
static __rte_always_inline struct mould plain_mould(const struct mould *k)
{
	struct mould plain = *k;

	plain.esp.four = true;
	plain.esp.udp = false;
	plain.esp.varies = false;
	/* What is the same in all packets is put in once. */
	plain.esp.ip4[0] |= (uint64_t)k->esp.tos << 8;
	plain.esp.ip4[1] |= k->esp.ttl;
	plain.esp.ip4_sum += ((uint32_t)k->esp.tos << 8) + k->esp.ttl;
	plain.esp.tos = 0;
	plain.esp.ttl = 0;
	plain.esp.hdr_len = sizeof(struct rte_ipv4_hdr) + sizeof(struct esp_hdr);
	plain.align = 4;
	plain.icv_len = 16;
	plain.iv_len = sizeof(uint64_t);
	plain.counter_iv = true;
	plain.frame = true;
	plain.l2 = l2_head_plain(&k->l2);
	return plain;
}

static inline bool is_plain(const struct mould *k)
{
	return k->esp.four && !k->esp.udp && !k->esp.varies && k->align == 4 && k->icv_len == 16 &&
		k->counter_iv && k->frame && k->l2.len == RTE_ETHER_HDR_LEN;
}

/* Wrap one packet; only the text is not yet encrypted and the ICV not there. Returns the outer
 * packet's length. */
static __rte_always_inline uint32_t wrap(struct worker *w, const struct mould *k,
	const struct pkt *p, struct crypto_op *op, uint64_t seq)
{
	uint32_t len = text_len(p->len, k->align), pad = len - p->len - ESP_TRAILER_LEN;
	uint8_t *esp = p->l3 - k->iv_len - sizeof(struct esp_hdr), *outer;
	uint8_t *end = p->l3 + p->len;
	uint32_t esp_len = sizeof(struct esp_hdr) + k->iv_len + len + k->icv_len;
	struct esp_outer o = esp_outer_of(&k->esp, k->rules, p);
	uint16_t last = pad | (p->family == IP_V4 ? ESP_NEXT_IP4 : ESP_NEXT_IP6) << 8;

	memcpy(end, padding, PAD_MAX);
	memcpy(end + pad, &last, sizeof(last));
	op->sa = k->sa;
	op->esp = esp;
	op->text_len = len;
	op->seq_hi = seq >> 32;
	outer = esp_put_header(&k->esp, k->sa->hdr, esp, esp_len, &o, seq);
	put_iv(w, k, esp + sizeof(struct esp_hdr), seq);
	len = esp + esp_len - outer;
	if (likely(k->frame))
		l2_put(&k->l2, k->esp.four ? IP_V4 : IP_V6, p->m, outer, len);
	return len;
}

static inline bool has_room(const struct mould *k, const struct pkt *p)
{
	const struct rte_mbuf *m = p->m;
	uint32_t before = p->l3 - (const uint8_t *)m->buf_addr;

	return likely(before >= k->front && before + p->len + k->tail <= m->buf_len);
}

/* A crypto device's SA: its packets are numbered, and the rest is lookaside_out()'s. */
static void device_run(struct worker *w, struct sa *sa, const struct pkt *p, unsigned n)
{
	const struct mould k = mould_of(sa, NULL);
	struct sa_worker *sw = &sa->worker[w->id];
	struct pkt roomy[BATCH_MAX];
	unsigned kept = 0, granted;
	uint64_t seq;

	for (unsigned i = 0; i < n; i++) {
		if (likely(has_room(&k, &p[i])))
			roomy[kept++] = p[i];
		else
			esp_drop_out(w, sa, &p[i], DROP_ESP_NO_ROOM);
	}
	granted = take_seq(sa, kept, &seq);
	drop_run(w, sa, roomy + granted, kept - granted, DROP_ESP_SEQ_EXHAUSTED);
	if (granted == 0)
		return;
	for (unsigned i = 0; i < granted; i++)
		sw->bytes += roomy[i].len;
	sw->packets += granted;
	sw->last_use = w->now;
	lookaside_out(w, sa, roomy, granted, seq);
}

/* A packet whose way is yet to be found, as it will look. */
static void keep_outer(struct pkt *outer, const struct pkt *p, const struct mould *k,
	const struct crypto_op *op, uint32_t len)
{
	*outer = *p;
	outer->l3 = op->esp + sizeof(struct esp_hdr) - k->esp.hdr_len;
	outer->len = len;
	outer->depth++;
}

/* Wrap n packets, numbered from seq on, into r, which is the batch's last run. One that has no room
 * in its buffer is dropped, and its number with it. */
static __rte_always_inline void wrap_all(struct worker *w, const struct mould *k, struct run *r,
	const struct pkt *p, unsigned n, uint64_t seq)
{
	struct sa_worker *sw = &k->sa->worker[w->id];
	struct seal_batch *b = w->seal;
	uint32_t at = b->n, inner = 0, outer = 0;

	for (unsigned i = 0; i < n; i++, seq++) {
		uint32_t len;

		if (unlikely(!has_room(k, &p[i]))) {
			esp_drop_out(w, k->sa, &p[i], DROP_ESP_NO_ROOM);
			continue;
		}
		len = wrap(w, k, &p[i], &b->op[at], seq);
		if (unlikely(!k->frame))
			keep_outer(&b->outer[at], &p[i], k, &b->op[at], len);
		b->m[at++] = p[i].m;
		inner += p[i].len;
		outer += len;
	}
	r->n = at - b->n;
	r->bytes = outer;
	b->n = at;
	sw->bytes += inner;
	sw->packets += r->n;
	sw->last_use = w->now;
}

/* Number the packets, at most as many as the batch has room for, and write all but the ciphertext.
 * nh: the port's next hop, where they leave as frames. */
static void wrap_run(
	struct worker *w, struct sa *sa, const struct nexthop *nh, const struct pkt *p, unsigned n)
{
	struct run *r = &w->seal->run[w->seal->n_runs++];
	struct mould k = mould_of(sa, nh);
	uint64_t seq = 0;
	unsigned granted;

	*r = (struct run){.sa = sa, .nh = nh, .first = w->seal->n};
	granted = take_seq(sa, n, &seq);
	drop_run(w, sa, p + granted, n - granted, DROP_ESP_SEQ_EXHAUSTED);
	if (likely(is_plain(&k))) {
		const struct mould plain = plain_mould(&k);

		wrap_all(w, &plain, r, p, granted, seq);
	} else {
		wrap_all(w, &k, r, p, granted, seq);
	}
}

/* The next hop, when it is a port that only needs to be given frames, and the largest inner packet
 * whose outer one it takes whole. */
static const struct nexthop *frame_nexthop(struct worker *w, struct sa *sa, uint32_t *largest)
{
	const struct nexthop *nh = esp_out_nexthop(w, sa);
	uint32_t fixed = sa->hdr_len + sa->iv_len + sa->icv_len, mtu;

	if (unlikely(nh == NULL || nh->type != NH_PORT))
		return NULL;
	/* Over IPv6 its UDP checksum needs the ciphertext. */
	if (unlikely(sa->family == IP_V6 && (sa->flags & SA_UDP_ENCAP)))
		return NULL;
	mtu = RTE_MIN(
		iface_mtu(nh->iface), atomic_load_explicit(&sa->path_mtu, memory_order_relaxed));
	if (unlikely(iface_has(nh->iface, IFACE_MIRROR) || mtu < fixed + sa->align))
		return NULL;
	*largest = RTE_ALIGN_FLOOR(mtu - fixed, sa->align) - ESP_TRAILER_LEN;
	return nh;
}

/* Packets at the front of p that either all leave as frames or all not. */
static unsigned alike(const struct pkt *p, unsigned n, uint32_t largest)
{
	bool frames = p->len <= largest;
	unsigned i = 1;

	while (i < n && (p[i].len <= largest) == frames)
		i++;
	return i;
}

void esp_wrap(struct worker *w, struct sa *sa, const struct pkt *p, unsigned n, uint16_t longest)
{
	uint32_t largest = 0;
	const struct nexthop *nh;
	unsigned run;

	/* One that has moved since vti_send() chose it is good for this run. */
	if (unlikely(atomic_load_explicit(&sa->expired, memory_order_relaxed) == SA_EXPIRED)) {
		drop_run(w, sa, p, n, DROP_ESP_EXPIRED_OUT);
		return;
	}
	if (unlikely(sa->flags & SA_LOOKASIDE)) {
		device_run(w, sa, p, n);
		return;
	}
	nh = frame_nexthop(w, sa, &largest);
	for (; n > 0; p += run, n -= run) {
		if (unlikely(w->seal->n == BATCH_MAX || w->seal->n_runs == BATCH_MAX))
			esp_out(w);
		run = RTE_MIN(n, BATCH_MAX - w->seal->n);
		if (unlikely(longest > largest))
			run = alike(p, run, largest);
		wrap_run(w, sa, p->len <= largest ? nh : NULL, p, run);
	}
}

/* What failed to encrypt is dropped; the rest of the run moves together. */
static void drop_failed(struct worker *w, struct seal_batch *b, struct run *r)
{
	unsigned kept = r->first;

	for (unsigned i = r->first; i < r->first + r->n; i++) {
		struct pkt p = {.m = b->m[i]};

		if (unlikely(!b->op[i].ok)) {
			r->bytes -= r->nh != NULL ? p.m->pkt_len - r->nh->l2_len : 0;
			esp_drop_out(w, r->sa, &p, DROP_ESP_CRYPTO_OUT);
			continue;
		}
		b->outer[kept] = b->outer[i];
		b->m[kept++] = b->m[i];
	}
	r->n = kept - r->first;
}

/* Did all of it encrypt? */
static bool sealed(const struct seal_batch *b, const struct run *r)
{
	bool all = true;

	for (unsigned i = r->first; i < r->first + r->n; i++)
		all &= b->op[i].ok;
	return all;
}

/* Frames of one port go to it together, whatever their SAs. Returns how many of the runs at r. */
static unsigned send_frames(
	struct worker *w, struct seal_batch *b, const struct run *r, unsigned n_runs)
{
	unsigned n = r->n, i;
	uint64_t bytes = r->bytes;

	for (i = 1; i < n_runs && r[i].nh == r->nh && sealed(b, &r[i]); i++) {
		n += r[i].n;
		bytes += r[i].bytes;
	}
	port_send_frames(w, r->nh->iface, &b->m[r->first], n, bytes);
	return i;
}

/* To the device, or to where the far end is found. Returns how many of the runs at r. */
static unsigned send_runs(struct worker *w, struct seal_batch *b, struct run *r, unsigned n_runs)
{
	if (unlikely(!sealed(b, r))) {
		drop_failed(w, b, r);
		n_runs = 1; /* behind it is a gap */
	}
	if (likely(r->nh != NULL))
		return send_frames(w, b, r, n_runs);
	esp_out_done(w, r->sa, &b->outer[r->first], r->n);
	return 1;
}

static void send_batch(struct worker *w, struct seal_batch *b)
{
	for (unsigned i = 0; i < b->n_runs;)
		i += send_runs(w, b, &b->run[i], b->n_runs - i);
	b->n = 0;
	b->n_runs = 0;
}

static void send_home(struct worker *w)
{
	struct lend *l = w->sealing;

	while (lend_home(l)) {
		send_batch(w, &w->seals[lend_place(l->first)]);
		l->first++;
	}
}

/* Others may help to encrypt the batch; the next packets go into another one. */
static void lend_batch(struct worker *w)
{
	struct lend *l = w->sealing;

	lend_offer(l, w->seal->op, w->seal->n);
	if (unlikely(lend_out(l) == LEND_LOTS)) {
		lend_wait(w, l);
		send_home(w);
	}
	w->seal = &w->seals[lend_place(l->next)];
}

void esp_out(struct worker *w)
{
	struct seal_batch *b = w->seal;

	if (b->n_runs > 0 && likely(!lend_worth(w->sealing, b->n))) {
		crypto_seal(w->crypto, b->op, b->n);
		cycles_charge(&w->cycles, CYCLES_ENCRYPT, b->n);
		send_batch(w, b);
	} else if (b->n_runs > 0) {
		lend_batch(w);
	}
	if (unlikely(w->sealing != NULL && lend_out(w->sealing) > 0)) {
		lend_work(w, w->sealing);
		send_home(w);
	}
}
