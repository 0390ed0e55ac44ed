/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/routing/fib_writer.h"

#include "control/log.h"
#include "control/rcu.h"
#include "control/routing/fib_copy.h"
#include "control/routing/prefix.h"
#include "dataplane/nexthop.h"
#include "dataplane/own_src.h"

#include <rte_malloc.h>

#include <errno.h>
#include <stdlib.h>

/* Room kept in the queue between commits; what a full table's load took beyond it is given back. */
#define QUEUE_KEEP 4096

/* Changes of one commit that are worth sorting. */
#define SORT_MIN 1024

struct change {
	struct addr prefix;
	uint8_t len;
	bool refused;
	uint32_t nh_id;  /* NH_ID_NO_ROUTE: remove */
	uint32_t serial; /* place in the queue */
};

struct writer {
	struct fib *fib;
	struct fib_copy copy[2];
	uint8_t active[2]; /* by AF_INDEX: the copy that is published */
	struct change *queue;
	uint32_t n, room;
	bool committed;      /* what is in the queue is history, kept for fib_each_refused() */
	bool full_logged[2]; /* by AF_INDEX; until a commit is accepted whole */
};

static struct writer writers[VRF_MAX];
static uint64_t refused_count;

/* Destinations that are the kernel's whatever routes say: a router never forwards link-local
 * packets (RFC 4291 2.5.6) and multicast here is only that of routing protocols. */
static const struct {
	uint8_t family, len;
	uint8_t bytes[4];
} fixed_prefixes[] = {
	{IP_V4, 4, {224}},
	{IP_V4, 32, {255, 255, 255, 255}},
	{IP_V6, 8, {0xff}},
	{IP_V6, 10, {0xfe, 0x80}},
};

static struct addr fixed_addr(unsigned i)
{
	struct addr a = {.family = fixed_prefixes[i].family};

	memcpy(a.v6, fixed_prefixes[i].bytes, sizeof(fixed_prefixes[i].bytes));
	return a;
}

static void publish(struct writer *w, unsigned family, unsigned copy)
{
	struct fib *fib = w->fib;

	if (family == IP_V4)
		atomic_store_explicit(&fib->v4, w->copy[copy].v4, memory_order_release);
	else
		atomic_store_explicit(&fib->v6, w->copy[copy].v6, memory_order_release);
	w->active[AF_INDEX(family)] = copy;
}

static int queue_fixed(uint8_t vrf)
{
	for (unsigned i = 0; i < RTE_DIM(fixed_prefixes); i++) {
		struct addr a = fixed_addr(i);
		int rc = fib_set(vrf, &a, fixed_prefixes[i].len, NH_ID_LOCAL);

		if (rc != 0)
			return rc;
	}
	return 0;
}

size_t fib_memory(uint32_t max_routes4, uint32_t max_routes6)
{
	return 2 * fib_copy_memory(max_routes4, max_routes6);
}

int fib_create(uint8_t vrf, uint32_t max_routes4, uint32_t max_routes6)
{
	struct fib *fib = rte_zmalloc("fib", sizeof(*fib), RTE_CACHE_LINE_SIZE);
	const uint32_t n_fixed = RTE_DIM(fixed_prefixes);
	struct writer *w = &writers[vrf];
	char name[16];
	int rc = 0;

	if (fib == NULL)
		return -ENOMEM;
	*w = (struct writer){.fib = fib};
	for (unsigned i = 0; i < 2 && rc == 0; i++) {
		snprintf(name, sizeof(name), "%u_%u", vrf, i);
		rc = fib_copy_open(&w->copy[i], name, max_routes4 + n_fixed, max_routes6 + n_fixed);
	}
	if (rc == 0)
		rc = queue_fixed(vrf);
	if (rc != 0) {
		fib_destroy(vrf);
		return rc;
	}
	publish(w, IP_V4, 0);
	publish(w, IP_V6, 0);
	fib_commit(vrf);
	atomic_store_explicit(&fib_table[vrf], fib, memory_order_release);
	return 0;
}

void fib_destroy(uint8_t vrf)
{
	struct writer *w = &writers[vrf];

	if (w->fib == NULL)
		return;
	if (fib_by_vrf(vrf) != NULL) {
		atomic_store_explicit(&fib_table[vrf], NULL, memory_order_release);
		rcu_synchronize();
	}
	fib_copy_close(&w->copy[0]);
	fib_copy_close(&w->copy[1]);
	rte_free(w->fib);
	free(w->queue);
	*w = (struct writer){0};
}

static void queue_reset(struct writer *w)
{
	w->n = 0;
	w->committed = false;
	if (w->room > QUEUE_KEEP) {
		free(w->queue);
		w->queue = NULL;
		w->room = 0;
	}
}

static int queue_change(uint8_t vrf, const struct addr *prefix, uint8_t len, uint32_t nh_id)
{
	struct writer *w = &writers[vrf];

	if (w->committed)
		queue_reset(w);
	if (w->n == w->room) {
		uint32_t room = w->room == 0 ? 64 : w->room * 2;
		struct change *q = realloc(w->queue, room * sizeof(*q));

		if (q == NULL)
			return -ENOMEM;
		w->queue = q;
		w->room = room;
	}
	w->queue[w->n] =
		(struct change){.prefix = *prefix, .len = len, .nh_id = nh_id, .serial = w->n};
	w->n++;
	return 0;
}

int fib_set(uint8_t vrf, const struct addr *prefix, uint8_t len, uint32_t nh_id)
{
	if (nh_id == NH_ID_LOCAL && len == addr_len(prefix->family) * 8)
		own_src_note(prefix);
	return queue_change(vrf, prefix, len, nh_id);
}

int fib_unset(uint8_t vrf, const struct addr *prefix, uint8_t len)
{
	return queue_change(vrf, prefix, len, NH_ID_NO_ROUTE);
}

/* Apply the family's changes to one copy. What one copy refuses the other one, which went through
 * the same changes, refuses too; marking it keeps them equal whatever happens. */
static unsigned apply(struct writer *w, unsigned family, struct fib_copy *copy)
{
	unsigned n_refused = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		struct change *c = &w->queue[i];

		if (c->prefix.family != family)
			continue;
		if (c->nh_id != NH_ID_NO_ROUTE && !c->refused)
			c->refused = fib_copy_set(copy, &c->prefix, c->len, c->nh_id) != 0;
		if (c->nh_id == NH_ID_NO_ROUTE || c->refused)
			fib_copy_unset(copy, &c->prefix, c->len);
		n_refused += c->refused;
	}
	return n_refused;
}

static int in_order(const void *va, const void *vb)
{
	const struct change *a = va, *b = vb;
	int diff = a->prefix.family - b->prefix.family;

	if (diff == 0)
		diff = memcmp(a->prefix.v6, b->prefix.v6, sizeof(a->prefix.v6));
	if (diff == 0)
		diff = a->len - b->len;
	return diff != 0 ? diff : (a->serial > b->serial) - (a->serial < b->serial);
}

static void report(struct writer *w, unsigned family, unsigned n_refused)
{
	bool *logged = &w->full_logged[AF_INDEX(family)];

	refused_count += n_refused;
	if (n_refused != 0 && !*logged)
		log_err("IPv%u forwarding table is full: %u routes are not in use; raise "
			"max_routes%u",
			family, n_refused, family);
	*logged = n_refused != 0;
}

static bool has_family(const struct writer *w, unsigned family)
{
	for (uint32_t i = 0; i < w->n; i++) {
		if (w->queue[i].prefix.family == family)
			return true;
	}
	return false;
}

unsigned fib_commit(uint8_t vrf)
{
	static const uint8_t families[2] = {IP_V4, IP_V6};
	struct writer *w = &writers[vrf];
	unsigned n_refused[2] = {0, 0};
	bool changed[2];

	if (w->committed)
		queue_reset(w);
	if (w->n == 0)
		return 0;
	/* Neighbours in the table are neighbours in memory: a full table loads several times as fast. */
	if (w->n >= SORT_MIN)
		qsort(w->queue, w->n, sizeof(w->queue[0]), in_order);
	for (unsigned i = 0; i < 2; i++) {
		changed[i] = has_family(w, families[i]);
		if (!changed[i])
			continue;
		unsigned idle = !w->active[i];

		apply(w, families[i], &w->copy[idle]);
		publish(w, families[i], idle);
	}
	atomic_fetch_add_explicit(&w->fib->generation, 1, memory_order_release);
	rcu_synchronize();
	for (unsigned i = 0; i < 2; i++) {
		if (!changed[i])
			continue;
		n_refused[i] = apply(w, families[i], &w->copy[!w->active[i]]);
		report(w, families[i], n_refused[i]);
	}
	w->committed = true;
	return n_refused[0] + n_refused[1];
}

void fib_each_refused(
	uint8_t vrf, void (*cb)(const struct addr *prefix, uint8_t len, void *arg), void *arg)
{
	const struct writer *w = &writers[vrf];

	for (uint32_t i = 0; w->committed && i < w->n; i++) {
		if (w->queue[i].refused)
			cb(&w->queue[i].prefix, w->queue[i].len, arg);
	}
}

uint64_t fib_refused_count(void)
{
	return refused_count;
}

void fib_invalidate_cached(void)
{
	for (unsigned vrf = 0; vrf < VRF_MAX; vrf++) {
		if (writers[vrf].fib != NULL)
			atomic_fetch_add_explicit(
				&writers[vrf].fib->generation, 1, memory_order_release);
	}
}

bool fib_prefix_is_fixed(
	const struct addr *prefix, uint8_t len, struct addr *fixed, uint8_t *fixed_len)
{
	for (unsigned i = 0; i < RTE_DIM(fixed_prefixes); i++) {
		struct addr f = fixed_addr(i);
		unsigned bits = fixed_prefixes[i].len;

		if (f.family != prefix->family || len < bits)
			continue;
		if (!prefix_covers(&f, bits, prefix))
			continue;
		if (fixed != NULL) {
			*fixed = f;
			*fixed_len = bits;
		}
		return true;
	}
	return false;
}
