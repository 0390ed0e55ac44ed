/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets on their way to the cryptodev and back. */
#include "dataplane/lookaside.h"

#include "dataplane/crypto.h"
#include "dataplane/esp_header.h"
#include "dataplane/lookaside_device.h"
#include "dataplane/worker.h"

#include <rte_branch_prediction.h>
#include <rte_cryptodev.h>

#include <netinet/in.h>

#define BATCH 64

/* Bytes of the outer IP header, UDP excluded. */
static uint16_t ip_len(const struct sa *sa)
{
	return sa->family == IP_V4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr);
}

/* Let the mbuf's data be the `len` bytes at `start`. */
static void mbuf_span(struct rte_mbuf *m, uint8_t *start, uint16_t len)
{
	m->data_off = start - (uint8_t *)m->buf_addr;
	m->data_len = len;
	m->pkt_len = len;
}

static void drop(struct worker *w, struct sa *sa, const struct pkt *p)
{
	if (sa->dir == SA_OUT) {
		esp_drop_out(w, sa, p, DROP_ESP_CRYPTO_OUT);
	} else {
		sa->worker[w->id].errors++;
		worker_drop_in(w, p, DROP_ESP_CRYPTO_IN);
	}
}

static void free_ops(struct rte_crypto_op **op, unsigned n)
{
	if (n > 0)
		rte_mempool_put_bulk(lookaside_device.ops, (void **)op, n);
}

/* The control thread frees an SA once it has read 0 from every worker, so whatever was done with the
 * SA must come before. */
static void add_inflight(struct worker *w, struct sa *sa, uint32_t n)
{
	_Atomic uint32_t *inflight = &sa->worker[w->id].inflight;
	uint32_t old = atomic_load_explicit(inflight, memory_order_relaxed);

	atomic_store_explicit(inflight, old + n, memory_order_release);
	w->in_device += n;
}

static void enqueue(struct worker *w, struct sa *sa, struct rte_crypto_op **op, unsigned n)
{
	unsigned taken = rte_cryptodev_enqueue_burst(lookaside_device.id, w->id, op, n);

	add_inflight(w, sa, taken);
	for (unsigned i = taken; i < n; i++)
		drop(w, sa, &lookaside_op(op[i])->pkt);
	free_ops(op + taken, n - taken);
}

/* librte_ipsec leaves the packets that it prepared, m[0] to m[good - 1], in their order. Theirs move
 * to the front of p and seq, the others are dropped. */
static void keep_prepared(struct worker *w, struct sa *sa, struct pkt *p, uint64_t *seq, unsigned n,
	struct rte_mbuf *const *m, unsigned good)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (kept == good || p[i].m != m[kept]) {
			drop(w, sa, &p[i]);
			continue;
		}
		p[kept] = p[i];
		seq[kept++] = seq[i];
	}
}

/* Write the sequence number wherever librte_ipsec wrote one of its own: the SA has one count, and
 * librte_ipsec knows neither it nor, inbound, the upper half that replay.h found. */
static void put_seq(
	const struct sa *sa, struct rte_crypto_op *op, struct esp_hdr *esp, uint64_t seq)
{
	const bool aead = cipher_info(sa->cipher)->aead, esn = sa->flags & SA_ESN;
	const uint32_t lo = rte_cpu_to_be_32(seq), hi = rte_cpu_to_be_32(seq >> 32);
	const uint64_t all = rte_cpu_to_be_64(seq);

	if (aead && esn)
		memcpy(op->sym->aead.aad.data + sizeof(esp->spi), &all, sizeof(all));
	else if (aead)
		memcpy(op->sym->aead.aad.data + sizeof(esp->spi), &lo, sizeof(lo));
	else if (esn) /* hashed behind the text (RFC 4303 2.2.1) */
		memcpy(op->sym->auth.digest.data - sizeof(hi), &hi, sizeof(hi));
	if (sa->dir == SA_IN)
		return;
	esp->seq = lo;
	if (aead || sa->cipher == CIPHER_AES_CTR) {
		memcpy(esp + 1, &all, sizeof(all));
		memcpy(lookaside_op(op)->iv + sizeof(sa->salt), &all, sizeof(all));
	}
}

/* RFC 3602 asks for an unpredictable IV. librte_ipsec leaves the operation's as it was and encrypts
 * the sequence number in front of the text, which comes out the same for every packet. */
static void put_cbc_iv(
	struct worker *w, const struct sa *sa, struct rte_crypto_op *op, struct esp_hdr *esp)
{
	crypto_random(w->crypto, esp + 1, sa->iv_len);
	memcpy(lookaside_op(op)->iv, esp + 1, sa->iv_len);
	op->sym->cipher.data.offset += sa->iv_len;
	op->sym->cipher.data.length -= sa->iv_len;
}

/* What librte_ipsec left open in a packet that it prepared, and what is needed when it is back. */
static void complete(struct worker *w, struct sa *sa, struct rte_crypto_op *op, const struct pkt *p,
	uint64_t seq)
{
	const bool out = sa->dir == SA_OUT;
	struct esp_hdr *esp = rte_pktmbuf_mtod_offset(p->m, void *, out ? ip_len(sa) : 0);
	struct lookaside_op *lo = lookaside_op(op);

	put_seq(sa, op, esp, seq);
	lo->pkt = *p;
	lo->sa = sa;
	lo->seq = seq;
	lo->in = p->in != NULL ? p->in->id : 0;
	if (!out)
		return;
	lo->outer = esp_outer_for(sa, p);
	if (sa->cipher == CIPHER_AES_CBC)
		put_cbc_iv(w, sa, op, esp);
}

/* Hand over at most BATCH packets that are laid out as librte_ipsec wants them. */
static void submit(struct worker *w, struct sa *sa, struct pkt *p, uint64_t *seq, unsigned n)
{
	struct rte_crypto_op *op[BATCH];
	struct rte_mbuf *m[BATCH];
	unsigned good;

	if (unlikely(rte_crypto_op_bulk_alloc(
			     lookaside_device.ops, RTE_CRYPTO_OP_TYPE_SYMMETRIC, op, n) != n)) {
		for (unsigned i = 0; i < n; i++)
			drop(w, sa, &p[i]);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		m[i] = p[i].m;
	good = rte_ipsec_pkt_crypto_prepare(&sa->lookaside->session, m, op, n);
	if (unlikely(good < n)) {
		keep_prepared(w, sa, p, seq, n, m, good);
		free_ops(op + good, n - good);
	}
	for (unsigned i = 0; i < good; i++)
		complete(w, sa, op[i], &p[i], seq[i]);
	if (likely(good > 0))
		enqueue(w, sa, op, good);
}

/* An IP header that librte_ipsec can put ESP behind: of everything in it, only its protocol, which
 * becomes ESP's next header, lasts. The real one is written when the packet comes back. */
static void put_scaffold(const struct sa *sa, struct pkt *p)
{
	uint16_t len = ip_len(sa);
	uint8_t *ip = p->l3 - len;

	memcpy(ip, sa->hdr, len);
	ip[sa->family == IP_V4 ? offsetof(struct rte_ipv4_hdr, next_proto_id)
			       : offsetof(struct rte_ipv6_hdr, proto)] =
		p->family == IP_V4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	mbuf_span(p->m, ip, len + p->len);
	p->m->l2_len = 0;
	p->m->l3_len = len;
}

void lookaside_out(struct worker *w, struct sa *sa, struct pkt *p, unsigned n, uint64_t seq)
{
	uint64_t number[BATCH];

	for (unsigned done = 0; done < n; done += BATCH) {
		unsigned batch = RTE_MIN(n - done, (unsigned)BATCH);

		for (unsigned i = 0; i < batch; i++) {
			number[i] = seq + done + i;
			put_scaffold(sa, &p[done + i]);
		}
		submit(w, sa, p + done, number, batch);
	}
}

void lookaside_in(struct worker *w, struct sa *sa, struct pkt *p, const uint64_t *seq, unsigned n)
{
	uint64_t number[BATCH];

	for (unsigned done = 0; done < n; done += BATCH) {
		unsigned batch = RTE_MIN(n - done, (unsigned)BATCH);

		for (unsigned i = 0; i < batch; i++) {
			struct pkt *q = &p[done + i];

			number[i] = seq[done + i];
			mbuf_span(q->m, q->l3 + q->l4_off, q->len - q->l4_off);
			q->m->l2_len = 0;
			q->m->l3_len = 0;
		}
		submit(w, sa, p + done, number, batch);
	}
}

/* Let librte_ipsec take the upper half of the sequence number out again, then put the real outer
 * header in front. */
static void finish_out(struct worker *w, struct sa *sa, struct rte_crypto_op **op, unsigned n)
{
	struct rte_mbuf *m[BATCH];
	struct pkt p[BATCH];
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++)
		m[i] = op[i]->sym->m_src;
	rte_ipsec_pkt_process(&sa->lookaside->session, m, n);
	for (unsigned i = 0; i < n; i++) {
		const struct lookaside_op *lo = lookaside_op(op[i]);
		uint8_t *esp = rte_pktmbuf_mtod_offset(lo->pkt.m, uint8_t *, ip_len(sa));
		uint32_t esp_len = lo->pkt.m->pkt_len - ip_len(sa);

		if (unlikely(op[i]->status != RTE_CRYPTO_OP_STATUS_SUCCESS)) {
			esp_drop_out(w, sa, &lo->pkt, DROP_ESP_CRYPTO_OUT);
			continue;
		}
		p[kept] = lo->pkt;
		p[kept].l3 = esp_outer_header(sa, esp, esp_len, &lo->outer);
		p[kept].len = esp_len + sa->hdr_len - sizeof(struct esp_hdr);
		mbuf_span(p[kept].m, p[kept].l3, p[kept].len);
		kept++;
	}
	esp_out_done(w, sa, p, kept);
}

/* librte_ipsec has no part in this: what is in the packet is looked at by the stage that both crypto
 * paths share, and its replay window must not move. */
static void finish_in(struct worker *w, struct sa *sa, struct rte_crypto_op **op, unsigned n)
{
	uint64_t seq[BATCH];
	struct pkt p[BATCH];
	uint8_t ok[BATCH];
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct lookaside_op *lo = lookaside_op(op[i]);

		p[kept] = lo->pkt;
		/* It may have gone while the packet was away. */
		p[kept].in = iface_by_id(lo->in);
		mbuf_span(lo->pkt.m, lo->pkt.l3, lo->pkt.len);
		ok[kept] = op[i]->status == RTE_CRYPTO_OP_STATUS_SUCCESS;
		seq[kept] = lo->seq;
		if (likely(ok[kept] || op[i]->status == RTE_CRYPTO_OP_STATUS_AUTH_FAILED))
			kept++;
		else
			drop(w, sa, &p[kept]);
	}
	if (likely(kept > 0))
		esp_in_done(w, sa, p, seq, ok, kept);
}

static unsigned sa_run(struct rte_crypto_op **op, unsigned n)
{
	const struct sa *sa = lookaside_op(op[0])->sa;
	unsigned i = 1;

	while (i < n && lookaside_op(op[i])->sa == sa)
		i++;
	return i;
}

static void finish(struct worker *w, struct rte_crypto_op **op, unsigned n)
{
	unsigned run;

	for (unsigned i = 0; i < n; i += run) {
		struct sa *sa = lookaside_op(op[i])->sa;

		run = sa_run(op + i, n - i);
		if (sa->dir == SA_OUT)
			finish_out(w, sa, op + i, run);
		else
			finish_in(w, sa, op + i, run);
		add_inflight(w, sa, -run);
	}
}

unsigned lookaside_poll(struct worker *w)
{
	struct rte_crypto_op *op[BATCH];
	unsigned total = 0, n;

	while (w->in_device > 0 && total < VEC_MAX) {
		n = rte_cryptodev_dequeue_burst(lookaside_device.id, w->id, op, BATCH);
		if (n == 0)
			break;
		finish(w, op, n);
		free_ops(op, n);
		total += n;
	}
	return total;
}
