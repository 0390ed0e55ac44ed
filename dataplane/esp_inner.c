/* SPDX-License-Identifier: BSD-3-Clause */
/* After decryption: the sequence numbers are taken, and the inner packets checked and passed on. */
#include "dataplane/esp_inner.h"

#include "dataplane/esp.h"
#include "dataplane/mss.h"
#include "dataplane/outer_rules.h"
#include "dataplane/parse_ip.h"
#include "dataplane/worker.h"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_vect.h>

#include <netinet/in.h>

#define GOOD DROP_REASON_COUNT

/* RFC 3168's code points. */
enum {
	ECN_NOT = 0,
	ECN_ECT1 = 1,
	ECN_ECT0 = 2,
	ECN_CE = 3,
	ECN_MASK = 3
};

/* Longest padding that one compare covers: what any cipher here needs. */
#define PAD_USUAL 16

/* RFC 4303 2.4: 1, 2, 3 ... Whoever holds the key may still send nonsense. end: behind the last byte
 * of padding. At least an ESP and an IP header precede it. */
static inline bool padding_good(const uint8_t *end, unsigned len)
{
	static const uint8_t right[2 * PAD_USUAL] = {
		[PAD_USUAL] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	unsigned wrong = 0;

	if (likely(len <= PAD_USUAL)) {
		/* Zeros where no padding is. */
		__m128i want = _mm_loadu_si128((const __m128i *)(right + len));
		__m128i have = _mm_loadu_si128((const __m128i *)(end - PAD_USUAL));
		__m128i any = _mm_cmpeq_epi8(want, _mm_setzero_si128());

		return _mm_movemask_epi8(_mm_or_si128(any, _mm_cmpeq_epi8(want, have))) == 0xffff;
	}
	for (unsigned i = 0; i < len; i++)
		wrong |= end[(int)i - (int)len] ^ (i + 1);
	return (wrong & 0xff) == 0;
}

static void set_ecn4(uint8_t *l3, uint8_t ecn)
{
	uint16_t before, after, check;
	uint32_t sum;

	memcpy(&before, l3, 2);
	l3[1] = (l3[1] & ~ECN_MASK) | ecn;
	memcpy(&after, l3, 2);
	memcpy(&check, l3 + 10, 2);
	/* RFC 1624: HC' = ~(~HC + ~m + m') */
	sum = (uint16_t)~check + (uint32_t)(uint16_t)~before + after;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	check = (uint16_t)~sum;
	memcpy(l3 + 10, &check, 2);
}

static void set_ecn(struct pkt *p, uint8_t ecn)
{
	if (p->family == IP_V4)
		set_ecn4(p->l3, ecn);
	else
		p->l3[1] = (p->l3[1] & ~(ECN_MASK << 4)) | ecn << 4;
}

/* RFC 6040 4.2, figure 4. */
static enum drop_reason merge_ecn(struct pkt *p, uint8_t outer)
{
	uint8_t inner = esp_inner_tos(p->l3, p->family) & ECN_MASK;

	if (likely(outer == ECN_NOT || outer == inner))
		return GOOD;
	if (inner == ECN_NOT)
		return outer == ECN_CE ? DROP_ESP_ECN : GOOD;
	if (outer == ECN_CE || (outer == ECN_ECT1 && inner == ECN_ECT0))
		set_ecn(p, outer);
	return GOOD;
}

/* The inner packet's first byte and the bytes up to the padding, as ESP's trailer tells. */
static inline enum drop_reason strip_trailer(
	const struct sa *sa, const struct pkt *p, uint8_t **inner, uint32_t *room)
{
	uint8_t *text = p->l3 + p->l4_off + sizeof(struct esp_hdr) + sa->iv_len;
	const uint8_t *trailer = p->l3 + p->len - sa->icv_len - ESP_TRAILER_LEN;
	uint8_t pad = trailer[0], next = trailer[1], version;

	if (unlikely(pad > trailer - text || !padding_good(trailer, pad)))
		return DROP_ESP_PADDING;
	if (unlikely(next == ESP_NEXT_DUMMY))
		return DROP_ESP_DUMMY;
	if (unlikely(next != ESP_NEXT_IP4 && next != ESP_NEXT_IP6))
		return DROP_ESP_NEXT_HEADER;
	*room = trailer - pad - text;
	if (unlikely(*room == 0))
		return DROP_TOO_SHORT;
	version = text[0] >> 4;
	if (unlikely(version != (next == ESP_NEXT_IP4 ? 4 : 6)))
		return next == ESP_NEXT_IP4 ? DROP_IP4_VERSION : DROP_IP6_VERSION;
	*inner = text;
	return GOOD;
}

/* Strip ESP's trailer and the outer header, check what was inside, and settle ECN. p is the outer
 * packet, decrypted in place; `to` becomes the inner one, all but `in` and `nh`. */
static inline enum drop_reason unwrap(
	const struct sa *sa, const struct pkt *p, struct pkt *to, bool ecn)
{
	uint8_t outer_ecn = esp_inner_tos(p->l3, p->family) & ECN_MASK;
	enum drop_reason bad;
	uint32_t room, len;

	bad = strip_trailer(sa, p, &to->l3, &room);
	if (unlikely(bad != GOOD))
		return bad;
	to->m = p->m;
	to->flags = PKT_DECRYPTED;
	to->depth = p->depth;
	/* Bytes behind the inner packet are the peer's traffic flow padding (RFC 4303 2.7). */
	len = ip4_plain(to->l3, room);
	if (likely(len != 0)) {
		to->len = len;
		to->l4_off = sizeof(struct rte_ipv4_hdr);
		to->family = IP_V4;
		to->proto = ((const struct rte_ipv4_hdr *)to->l3)->next_proto_id;
	} else {
		bad = parse_ip(to, room);
		if (bad != GOOD)
			return bad;
	}
	if (unlikely(sa->n_selectors != 0 && !esp_selected(sa, to)))
		return DROP_ESP_SELECTOR;
	return ecn ? merge_ecn(to, outer_ecn) : GOOD;
}

/* Does the outer ECN field count? The VTI has the last word. */
static inline bool heeds_ecn(const struct sa *sa, const struct iface *vti)
{
	const struct outer_rules *r = NULL;

	if (likely(vti != NULL))
		r = atomic_load_explicit(&vti->outer, memory_order_acquire);
	if (unlikely(r != NULL && r->ecn != OUTER_ECN_SA))
		return r->ecn == OUTER_ECN_TRUE;
	return !(sa->flags & SA_NO_ECN);
}

static bool all_are(const uint8_t *v, uint8_t value, unsigned n)
{
	uint8_t other = v[0] ^ value;

	if (n == 1) /* not worth a loop */
		return other == 0;
	for (unsigned i = 0; i < n; i++)
		other |= v[i] ^ value;
	return other == 0;
}

/* Drop what has a wrong ICV; the rest moves to the front. Returns how many. */
static unsigned drop_forged(struct worker *w, struct sa *sa, struct pkt *p, const uint8_t *ok,
	unsigned n, const uint64_t *seq, uint64_t *good_seq)
{
	unsigned good = 0;

	for (unsigned i = 0; i < n; i++) {
		if (unlikely(!ok[i])) {
			esp_drop_in(w, sa, &p[i], DROP_ESP_ICV);
			continue;
		}
		p[good] = p[i];
		good_seq[good++] = seq[i];
	}
	return good;
}

static unsigned drop_replayed(
	struct worker *w, struct sa *sa, struct pkt *p, const uint8_t *verdict, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (verdict[i] == REPLAY_OK)
			p[kept++] = p[i];
		else
			esp_drop_in(w, sa, &p[i], esp_replay_drop[verdict[i]]);
	}
	return kept;
}

/* The first `taken` sequence numbers are; some of the others, or some ICV, may be wrong. */
static __rte_noinline unsigned judge(struct worker *w, struct sa *sa, struct pkt *p,
	const uint64_t *seq, const uint8_t *ok, unsigned n, unsigned taken)
{
	uint64_t good_seq[2 * VEC_MAX];
	uint8_t verdict[2 * VEC_MAX];

	if (unlikely(taken == 0)) {
		n = drop_forged(w, sa, p, ok, n, seq, good_seq);
		seq = good_seq;
		if (n == 0)
			return 0;
	}
	memset(verdict, REPLAY_OK, taken);
	if (w->n_workers == 1)
		replay_accept_run_alone(&sa->replay, seq + taken, verdict + taken, n - taken);
	else
		replay_accept_run(&sa->replay, seq + taken, verdict + taken, n - taken);
	return likely(all_are(verdict, REPLAY_OK, n)) ? n : drop_replayed(w, sa, p, verdict, n);
}

/* Drop what is not authentic or was seen before; the rest moves to the front. Returns how many. */
static inline unsigned authentic(struct worker *w, struct sa *sa, struct pkt *p,
	const uint64_t *seq, const uint8_t *ok, unsigned n)
{
	unsigned taken = 0;

	if (likely(all_are(ok, 1, n)))
		taken = replay_accept_fresh(&sa->replay, seq, n, w->n_workers > 1);
	return likely(taken == n) ? n : judge(w, sa, p, seq, ok, n, taken);
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
		esp_drop_in(w, sa, p, bad);
}

/* The inner packets are described where they go, at the end of w->fwd. */
void esp_in_done(struct worker *w, struct sa *sa, struct pkt *p, const uint64_t *seq,
	const uint8_t *ok, unsigned n)
{
	struct sa_worker *sw = &sa->worker[w->id];
	struct vec *fwd = &w->fwd;
	uint64_t packets = 0, bytes = 0;
	enum drop_reason bad, no_tunnel;
	const unsigned first = fwd->n;
	struct iface *vti;
	bool mirror, ecn, tcp = false;

	n = authentic(w, sa, p, seq, ok, n);
	if (n == 0)
		return;
	if (unlikely(p[n - 1].flags & PKT_UDP_ENCAP))
		esp_peer_check(w, sa, &p[n - 1]);
	/* Even a packet that is refused below proves that the peer lives. */
	sw->last_use = w->now;
	no_tunnel = tunnel_of(sa, &vti);
	ecn = heeds_ecn(sa, vti);
	mirror = vti != NULL && iface_has(vti, IFACE_MIRROR);
	for (unsigned i = 0; i < n; i++) {
		struct pkt *to = &fwd->p[fwd->n];

		bad = unwrap(sa, &p[i], to, ecn);
		if (likely(bad == GOOD))
			bad = no_tunnel;
		if (unlikely(bad != GOOD)) {
			if (vti != NULL)
				p[i].in = vti;
			refuse(w, sa, &p[i], bad);
			continue;
		}
		to->in = vti;
		packets++;
		bytes += to->len;
		tcp |= to->proto == IPPROTO_TCP;
		if (unlikely(mirror))
			host_mirror(w, to, vti);
		fwd->n++;
	}
	if (tcp)
		mss_clamp(vti, &fwd->p[first], fwd->n - first);
	sw->packets += packets;
	sw->bytes += bytes;
	if (vti != NULL) {
		vti->stats[w->id].rx_packets += packets;
		vti->stats[w->id].rx_bytes += bytes;
	}
}
