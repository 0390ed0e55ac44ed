/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets on their way to the cryptodev and back. */
#include "dataplane/lookaside.h"

#include "dataplane/crypto.h"
#include "dataplane/esp_header.h"
#include "dataplane/lookaside_device.h"
#include "dataplane/worker.h"

#include <rte_cryptodev.h>

#include <netinet/in.h>

#define BATCH 64

/* Bytes of the outer IP header, UDP excluded. */
static uint16_t ip_len(const struct sa *sa)
{
	return sa->family == IP_V4 ? 20 : 40;
}

/* Let the mbuf's data be the `len` bytes at `start`. */
static void mbuf_span(struct rte_mbuf *m, uint8_t *start, uint16_t len)
{
	m->data_off = start - (uint8_t *)m->buf_addr;
	m->data_len = len;
	m->pkt_len = len;
}

static void drop_all(struct worker *w, struct sa *sa, struct pkt *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (sa->dir == SA_OUT) {
			esp_drop_out(w, sa, &p[i], DROP_ESP_CRYPTO_OUT);
		} else {
			sa->worker[w->id].errors++;
			worker_drop_in(w, &p[i], DROP_ESP_CRYPTO_IN);
		}
	}
}

/* Enqueue n prepared operations; those that the device does not take are dropped. */
static void enqueue(struct worker *w, struct sa *sa, struct rte_crypto_op **op, unsigned n)
{
	unsigned taken = rte_cryptodev_enqueue_burst(lookaside_device.id, w->id, op, n);

	sa->worker[w->id].inflight += taken;
	for (unsigned i = taken; i < n; i++)
		drop_all(w, sa, &lookaside_op(op[i])->pkt, 1);
	if (taken < n)
		rte_mempool_put_bulk(lookaside_device.ops, (void **)op + taken, n - taken);
}

/* An IP header that librte_ipsec can put ESP behind: of everything in it, only its protocol, which
 * becomes ESP's next header, lasts. The real one is written when the packet comes back. */
static void put_scaffold(const struct sa *sa, struct pkt *p)
{
	uint16_t len = ip_len(sa);
	uint8_t *ip = p->l3 - len;

	memcpy(ip, sa->hdr, len);
	ip[sa->family == IP_V4 ? 9 : 6] = p->family == IP_V4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	mbuf_span(p->m, ip, len + p->len);
	p->m->l2_len = 0;
	p->m->l3_len = len;
}

/* RFC 3602 asks for an unpredictable IV. librte_ipsec leaves the operation's as it was and encrypts
 * the sequence number in front of the text, which comes out the same for every packet. */
static void put_cbc_iv(struct worker *w, const struct sa *sa, struct rte_crypto_op *op)
{
	uint8_t *iv = rte_pktmbuf_mtod_offset(
		op->sym->m_src, uint8_t *, ip_len(sa) + sizeof(struct esp_hdr));

	crypto_random(w->crypto, iv, sa->iv_len);
	memcpy(lookaside_op(op)->iv, iv, sa->iv_len);
	op->sym->cipher.data.offset += sa->iv_len;
	op->sym->cipher.data.length -= sa->iv_len;
}

/* librte_ipsec moves packets it cannot prepare behind the good ones, so that descriptors must be
 * found again by their mbuf. */
static void sort_like(struct pkt *p, struct rte_mbuf *const *m, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		for (unsigned j = i; p[i].m != m[i] && j < n; j++) {
			if (p[j].m == m[i]) {
				struct pkt t = p[i];

				p[i] = p[j];
				p[j] = t;
			}
		}
	}
}

/* Prepare up to BATCH packets; returns how many are at the front of p and op, drops the rest. */
static unsigned prepare(
	struct worker *w, struct sa *sa, struct pkt *p, struct rte_crypto_op **op, unsigned n)
{
	struct rte_mbuf *m[BATCH];
	unsigned good;

	if (rte_crypto_op_bulk_alloc(lookaside_device.ops, RTE_CRYPTO_OP_TYPE_SYMMETRIC, op, n) !=
		n) {
		drop_all(w, sa, p, n);
		return 0;
	}
	for (unsigned i = 0; i < n; i++)
		m[i] = p[i].m;
	good = rte_ipsec_pkt_crypto_prepare(&sa->lookaside->session, m, op, n);
	if (unlikely(good < n)) {
		sort_like(p, m, n);
		drop_all(w, sa, p + good, n - good);
		rte_mempool_put_bulk(lookaside_device.ops, (void **)op + good, n - good);
	}
	return good;
}

static void out_batch(struct worker *w, struct sa *sa, struct pkt *p, unsigned n)
{
	struct rte_crypto_op *op[BATCH];
	uint8_t tos, df;

	for (unsigned i = 0; i < n; i++)
		put_scaffold(sa, &p[i]);
	n = prepare(w, sa, p, op, n);
	for (unsigned i = 0; i < n; i++) {
		struct lookaside_op *lo = lookaside_op(op[i]);

		tos = esp_inner_tos(p[i].l3, p[i].family);
		df = esp_inner_df(p[i].l3, p[i].family);
		lo->pkt = p[i];
		lo->sa = sa;
		lo->tos = tos;
		lo->df = df;
		if (sa->cipher == CIPHER_AES_CBC)
			put_cbc_iv(w, sa, op[i]);
	}
	enqueue(w, sa, op, n);
}

void lookaside_out(struct worker *w, struct sa *sa, struct pkt *p, unsigned n, uint64_t seq)
{
	/* librte_ipsec counts the SA's sequence numbers itself, from the same first one. */
	(void)seq;
	for (unsigned i = 0; i < n; i += BATCH)
		out_batch(w, sa, p + i, RTE_MIN(n - i, (unsigned)BATCH));
}

/* librte_ipsec derived the upper half of the sequence number from a window that is not in use. */
static void put_seq_hi(const struct sa *sa, struct rte_crypto_op *op, uint64_t seq)
{
	uint64_t be = rte_cpu_to_be_64(seq);
	uint32_t hi = rte_cpu_to_be_32(seq >> 32);

	if (cipher_info(sa->cipher)->aead)
		memcpy(op->sym->aead.aad.data + sizeof(uint32_t), &be, sizeof(be));
	else
		memcpy(op->sym->auth.digest.data - sizeof(hi), &hi, sizeof(hi));
}

/* Sequence numbers must follow their packets when some could not be prepared. */
static uint64_t seq_of(const struct pkt *p, const struct pkt *was, const uint64_t *seq, unsigned i)
{
	for (; was[i].m != p->m; i++)
		;
	return seq[i];
}

static void in_batch(
	struct worker *w, struct sa *sa, struct pkt *p, const uint64_t *seq, unsigned n)
{
	struct rte_crypto_op *op[BATCH];
	struct pkt was[BATCH];
	unsigned good;

	memcpy(was, p, n * sizeof(*p));
	for (unsigned i = 0; i < n; i++) {
		mbuf_span(p[i].m, p[i].l3 + p[i].l4_off, p[i].len - p[i].l4_off);
		p[i].m->l2_len = 0;
		p[i].m->l3_len = 0;
	}
	good = prepare(w, sa, p, op, n);
	for (unsigned i = 0; i < good; i++) {
		struct lookaside_op *lo = lookaside_op(op[i]);

		lo->pkt = p[i];
		lo->sa = sa;
		lo->seq = good == n ? seq[i] : seq_of(&p[i], was, seq, 0);
		if (sa->flags & SA_ESN)
			put_seq_hi(sa, op[i], lo->seq);
	}
	enqueue(w, sa, op, good);
}

void lookaside_in(struct worker *w, struct sa *sa, struct pkt *p, const uint64_t *seq, unsigned n)
{
	for (unsigned i = 0; i < n; i += BATCH)
		in_batch(w, sa, p + i, seq + i, RTE_MIN(n - i, (unsigned)BATCH));
}

/* Let librte_ipsec take the upper half of the sequence number out again, then put the real outer
 * header in front. */
static void finish_out(struct worker *w, struct sa *sa, struct rte_crypto_op **op, unsigned n)
{
	struct rte_mbuf *m[BATCH];
	struct pkt p[BATCH];
	uint8_t ok[BATCH];

	for (unsigned i = 0; i < n; i++)
		m[i] = op[i]->sym->m_src;
	rte_ipsec_pkt_process(&sa->lookaside->session, m, n);
	for (unsigned i = 0; i < n; i++) {
		struct lookaside_op *lo = lookaside_op(op[i]);
		uint8_t *start = rte_pktmbuf_mtod(lo->pkt.m, uint8_t *);
		uint32_t esp_len = lo->pkt.m->pkt_len - ip_len(sa);

		p[i] = lo->pkt;
		ok[i] = op[i]->status == RTE_CRYPTO_OP_STATUS_SUCCESS;
		p[i].l3 = esp_outer_header(sa, start + ip_len(sa), esp_len, lo->tos, lo->df);
		p[i].len = esp_len + sa->hdr_len - sizeof(struct esp_hdr);
		mbuf_span(p[i].m, p[i].l3, p[i].len);
	}
	esp_out_done(w, sa, p, ok, n);
}

/* The trailer, padding and inner packet are looked at by the stage both crypto paths share. */
static void finish_in(struct worker *w, struct sa *sa, struct rte_crypto_op **op, unsigned n)
{
	uint64_t seq[BATCH];
	struct pkt p[BATCH];
	uint8_t ok[BATCH];

	for (unsigned i = 0; i < n; i++) {
		struct lookaside_op *lo = lookaside_op(op[i]);

		p[i] = lo->pkt;
		seq[i] = lo->seq;
		ok[i] = op[i]->status == RTE_CRYPTO_OP_STATUS_SUCCESS;
		mbuf_span(p[i].m, p[i].l3, p[i].len);
	}
	esp_in_done(w, sa, p, seq, ok, n);
}

static unsigned sa_run(struct rte_crypto_op **op, unsigned n)
{
	unsigned i = 1;

	while (i < n && lookaside_op(op[i])->sa == lookaside_op(op[0])->sa)
		i++;
	return i;
}

void lookaside_poll(struct worker *w)
{
	struct rte_crypto_op *op[BATCH];
	unsigned n, run;

	while (VEC_ROOM(&w->fwd) >= BATCH && VEC_ROOM(&w->tx_out) >= BATCH) {
		n = rte_cryptodev_dequeue_burst(lookaside_device.id, w->id, op, BATCH);
		for (unsigned i = 0; i < n; i += run) {
			struct sa *sa = lookaside_op(op[i])->sa;

			run = sa_run(op + i, n - i);
			if (sa->dir == SA_OUT)
				finish_out(w, sa, op + i, run);
			else
				finish_in(w, sa, op + i, run);
			sa->worker[w->id].inflight -= run;
		}
		if (n == 0)
			break;
		rte_mempool_put_bulk(lookaside_device.ops, (void **)op, n);
	}
}
