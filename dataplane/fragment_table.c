/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/fragment_table.h"

#include "dataplane/worker.h"

#include <rte_cycles.h>
#include <rte_jhash.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_random.h>

#define GOOD DROP_REASON_COUNT

#define TIMEOUT_S     30 /* as Linux; RFC 1122 3.3.2 asks for a minute, written for slow links */
#define REFUSED_S     1  /* that a refused packet's other fragments are refused, too */
#define SETS          64
#define SET_SIZE      32
#define FRAGMENTS_MAX 128 /* of a packet: 65535 bytes by a link of 576 */
#define POOL_SHARE    8
#define SET_SHARE     8
#define SET_LEAST     64 /* buffers of a set, where there are few: a packet of 64 KiB, by Ethernet */

/* A packet of which something is missing. Its fragments are a list in the order of their offsets. */
struct incomplete {
	struct fragment_key key;
	struct rte_mbuf *first, *last;
	uint64_t expires;      /* TSC */
	uint32_t bytes, total; /* of payload; total 0: the last fragment has not come */
	uint16_t n;
	uint8_t ecn;
	enum drop_reason refused; /* all that comes is dropped for this; GOOD: it is not */
};

struct set {
	uint32_t held;          /* buffers that wait in it */
	uint32_t tag[SET_SIZE]; /* hash of the key; 0: free */
	struct incomplete packet[SET_SIZE];
};

struct fragment_table {
	uint64_t next_expiry; /* TSC */
	uint32_t held;        /* buffers that wait */
	uint32_t n;           /* packets */
	uint32_t seed;
	uint32_t next_victim; /* set that is asked first when another one needs its buffers */
	struct set set[SETS];
};

/* A fragment's place, which stands in the private area of its mbuf. */
struct place {
	uint32_t offset, end;
};

static struct place *place_of(struct rte_mbuf *m)
{
	return rte_mbuf_to_priv(m);
}

struct fragment_table *fragment_table_new(void)
{
	struct fragment_table *t = rte_zmalloc_socket("fragments", sizeof(*t), 0, rte_socket_id());

	if (t != NULL)
		t->seed = rte_rand();
	return t;
}

static void free_list(struct rte_mbuf *m)
{
	struct rte_mbuf *next;

	for (; m != NULL; m = next) {
		next = m->next;
		m->next = NULL;
		rte_pktmbuf_free(m);
	}
}

void fragment_table_free(struct fragment_table *t)
{
	for (unsigned s = 0; t != NULL && s < SETS; s++) {
		for (unsigned i = 0; i < SET_SIZE; i++)
			free_list(t->set[s].packet[i].first);
	}
	rte_free(t);
}

/* Each fragment is a packet that arrived, and counts as one. */
static void drop_fragments(
	struct worker *w, struct set *s, struct incomplete *p, enum drop_reason why)
{
	struct rte_mbuf *m, *next;

	for (m = p->first; m != NULL; m = next) {
		next = m->next;
		m->next = NULL;
		worker_drop(w, m, why);
	}
	w->fragments->held -= p->n;
	s->held -= p->n;
	p->first = p->last = NULL;
	p->n = 0;
}

static void forget(struct fragment_table *t, struct set *s, struct incomplete *p)
{
	s->tag[p - s->packet] = 0;
	t->n--;
}

static void give_up(struct worker *w, struct set *s, struct incomplete *p, enum drop_reason why)
{
	drop_fragments(w, s, p, why);
	forget(w->fragments, s, p);
}

/* RFC 5722: of a packet with overlapping fragments none is used, also none of those still to come. */
static void refuse(struct worker *w, struct set *s, struct incomplete *p, enum drop_reason why)
{
	drop_fragments(w, s, p, why);
	p->refused = why;
	p->expires = w->now + REFUSED_S * rte_get_tsc_hz();
}

static void expire_set(struct worker *w, struct set *s)
{
	for (unsigned i = 0; i < SET_SIZE; i++) {
		if (s->tag[i] != 0 && w->now >= s->packet[i].expires)
			give_up(w, s, &s->packet[i], DROP_FRAG_TIMEOUT);
	}
}

void reassemble_expire(struct worker *w)
{
	struct fragment_table *t = w->fragments;

	if (likely(t->n == 0 || w->now < t->next_expiry))
		return;
	t->next_expiry = w->now + rte_get_tsc_hz() / 10;
	for (unsigned s = 0; s < SETS; s++)
		expire_set(w, &t->set[s]);
}

/* Other than `but`, and of those that hold buffers where that is asked. NULL: none. */
static struct incomplete *oldest(struct set *s, const struct incomplete *but, bool holding)
{
	struct incomplete *found = NULL;

	for (unsigned i = 0; i < SET_SIZE; i++) {
		struct incomplete *p = &s->packet[i];

		if (s->tag[i] == 0 || p == but || (holding && p->n == 0))
			continue;
		if (found == NULL || p->expires < found->expires)
			found = p;
	}
	return found;
}

static struct incomplete *find(
	struct worker *w, struct set *s, const struct fragment_key *key, uint32_t tag)
{
	for (unsigned i = 0; i < SET_SIZE; i++) {
		struct incomplete *p = &s->packet[i];

		if (likely(s->tag[i] != tag || memcmp(&p->key, key, sizeof(*key)) != 0))
			continue;
		if (likely(w->now < p->expires))
			return p;
		give_up(w, s, p, DROP_FRAG_TIMEOUT);
	}
	return NULL;
}

static struct incomplete *begin(
	struct worker *w, struct set *s, const struct fragment_key *key, uint32_t tag)
{
	unsigned i = 0;

	while (i < SET_SIZE && s->tag[i] != 0)
		i++;
	if (i == SET_SIZE) {
		struct incomplete *p = oldest(s, NULL, false);

		i = p - s->packet;
		give_up(w, s, p, DROP_FRAG_FULL);
	}
	s->tag[i] = tag;
	s->packet[i] = (struct incomplete){
		.key = *key,
		.expires = w->now + TIMEOUT_S * rte_get_tsc_hz(),
		.refused = GOOD,
	};
	w->fragments->n++;
	return &s->packet[i];
}

/* Sets take turns in giving their buffers to one that has none left to give. */
static bool take_from_another(struct worker *w, const struct incomplete *p)
{
	struct fragment_table *t = w->fragments;

	for (unsigned i = 0; i < SETS; i++) {
		struct set *s = &t->set[t->next_victim++ % SETS];
		struct incomplete *victim = s->held > 0 ? oldest(s, p, true) : NULL;

		if (victim == NULL)
			continue;
		give_up(w, s, victim, DROP_FRAG_FULL);
		return true;
	}
	return false;
}

/* Room for one buffer more. False: the packet has all there is for one. */
static bool make_room(struct worker *w, struct set *s, const struct incomplete *p)
{
	const uint32_t held_max = w->pool->size / POOL_SHARE / w->n_workers;
	const uint32_t set_max =
		RTE_MAX(held_max / SET_SHARE, RTE_MIN(held_max, (uint32_t)SET_LEAST));

	while (s->held >= set_max || w->fragments->held >= held_max) {
		struct incomplete *victim = oldest(s, p, true);

		if (victim != NULL)
			give_up(w, s, victim, DROP_FRAG_FULL);
		else if (s->held >= set_max || !take_from_another(w, p))
			return false;
	}
	return true;
}

/* Find f's place, behind *prev (NULL: the first). GOOD: it goes there. */
static enum drop_reason find_place(
	const struct incomplete *p, const struct fragment *f, struct rte_mbuf **prev)
{
	const uint32_t end = f->offset + f->payload;
	struct rte_mbuf *next = p->first;

	*prev = NULL;
	if (p->last != NULL && f->offset >= place_of(p->last)->end) {
		*prev = p->last; /* in order, as most come */
		next = NULL;
	}
	while (next != NULL && place_of(next)->offset < f->offset) {
		*prev = next;
		next = next->next;
	}
	if (next != NULL && place_of(next)->offset == f->offset && place_of(next)->end == end)
		return DROP_FRAG_DUPLICATE;
	if ((*prev != NULL && place_of(*prev)->end > f->offset) ||
		(next != NULL && place_of(next)->offset < end))
		return DROP_FRAG_OVERLAP;
	/* One end, and nothing behind it. */
	if (!f->more && (next != NULL || p->total != 0))
		return DROP_FRAG_INVALID;
	if (p->total != 0 && end > p->total)
		return DROP_FRAG_INVALID;
	return GOOD;
}

static void insert(struct worker *w, struct set *s, struct incomplete *p, const struct fragment *f,
	struct rte_mbuf *prev)
{
	struct rte_mbuf **at = prev != NULL ? &prev->next : &p->first;

	*place_of(f->m) = (struct place){f->offset, f->offset + f->payload};
	f->m->next = *at;
	*at = f->m;
	if (f->m->next == NULL)
		p->last = f->m;
	if (!f->more)
		p->total = f->offset + f->payload;
	p->bytes += f->payload;
	p->ecn |= 1 << f->ecn;
	p->n++;
	s->held++;
	w->fragments->held++;
}

static enum drop_reason add(
	struct worker *w, struct set *s, struct incomplete *p, const struct fragment *f)
{
	struct rte_mbuf *prev;
	enum drop_reason bad;

	if (unlikely(p->refused != GOOD))
		return p->refused;
	bad = find_place(p, f, &prev);
	if (bad == GOOD && (p->n == FRAGMENTS_MAX || !make_room(w, s, p)))
		bad = DROP_FRAG_FULL;
	if (bad == GOOD)
		insert(w, s, p, f, prev);
	else if (bad != DROP_FRAG_DUPLICATE) /* harmless: RFC 8200 4.5 */
		refuse(w, s, p, bad);
	return bad;
}

/* No two overlap and none is beyond the end: as many bytes as the whole has are the whole. */
static bool is_whole(const struct incomplete *p)
{
	return p->total != 0 && p->bytes == p->total;
}

static struct fragment_chain take_out(struct worker *w, struct set *s, struct incomplete *p)
{
	struct fragment_chain whole = {.m = p->first, .payload = p->total, .ecn = p->ecn};

	whole.m->nb_segs = p->n;
	for (const struct rte_mbuf *m = p->first->next; m != NULL; m = m->next)
		whole.m->pkt_len += m->data_len;
	w->fragments->held -= p->n;
	s->held -= p->n;
	p->first = p->last = NULL;
	p->n = 0;
	forget(w->fragments, s, p);
	return whole;
}

bool fragment_add(struct worker *w, const struct fragment_key *key, const struct fragment *f,
	struct fragment_chain *whole)
{
	struct fragment_table *t = w->fragments;
	uint32_t ends = rte_jhash(key, 2 * sizeof(key->src), t->seed);
	uint32_t tag = rte_jhash(key, sizeof(*key), t->seed) | 1;
	struct set *s = &t->set[ends % SETS];
	struct incomplete *p = find(w, s, key, tag);
	enum drop_reason bad;

	if (p == NULL)
		p = begin(w, s, key, tag);
	bad = add(w, s, p, f);
	if (bad != GOOD) {
		worker_drop(w, f->m, bad);
		return false;
	}
	if (!is_whole(p))
		return false;
	*whole = take_out(w, s, p);
	return true;
}
