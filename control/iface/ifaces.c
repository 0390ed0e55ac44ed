/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/iface/ifaces.h"

#include "control/rcu.h"

#include <stdlib.h>
#include <uthash.h>

/* What only the control side needs to know of an interface. */
struct entry {
	struct iface *iface;
	unsigned n_workers;
	UT_hash_handle hh; /* by iface->name */
};

static struct entry *by_name;
static struct entry *by_id[IFACE_MAX];

/* Ids by the twin's ifindex (modulo), a hint only: verified on use, found by a search otherwise. */
static uint16_t ifindex_hint[4096];

/* Ids are given out round robin: a packet in a ring that still names an interface long gone must
 * not reach the one that came after it. */
static uint16_t free_id(void)
{
	static uint16_t last;

	for (unsigned i = 1; i < IFACE_MAX; i++) {
		uint16_t id = last + i;

		if (id != 0 && by_id[id] == NULL) {
			last = id;
			return id;
		}
	}
	return 0;
}

struct iface *iface_new(enum iface_kind kind, const char *name, unsigned n_workers)
{
	size_t size = sizeof(struct iface) + n_workers * sizeof(struct iface_stats);
	struct entry *e = calloc(1, sizeof(*e));
	uint16_t id = free_id();

	if (e == NULL || id == 0)
		goto fail;
	e->iface = aligned_alloc(RTE_CACHE_LINE_SIZE, size);
	if (e->iface == NULL)
		goto fail;
	memset(e->iface, 0, size);
	e->n_workers = n_workers;
	e->iface->id = id;
	e->iface->kind = kind;
	snprintf(e->iface->name, sizeof(e->iface->name), "%s", name);
	by_id[id] = e;
	HASH_ADD_KEYPTR(hh, by_name, e->iface->name, strlen(e->iface->name), e);
	return e->iface;
fail:
	free(e);
	return NULL;
}

void iface_publish(struct iface *i)
{
	atomic_store_explicit(&iface_table[i->id], i, memory_order_release);
}

/* The id is free only now: until here a worker may still have indexed by it. */
static void iface_free(void *arg)
{
	struct entry *e = arg;

	by_id[e->iface->id] = NULL;
	free(atomic_load(&e->iface->ip6));
	free(atomic_load(&e->iface->outer));
	free(e->iface);
	free(e);
}

void iface_retire(struct iface *i)
{
	struct entry *e = by_id[i->id];

	HASH_DEL(by_name, e);
	atomic_store_explicit(&iface_table[i->id], NULL, memory_order_release);
	rcu_retire(iface_free, e);
}

struct iface *iface_by_name(const char *name)
{
	struct entry *e;

	HASH_FIND_STR(by_name, name, e);
	return e == NULL ? NULL : e->iface;
}

struct iface *iface_by_kernel_ifindex(uint32_t ifindex)
{
	uint16_t *hint = &ifindex_hint[ifindex % RTE_DIM(ifindex_hint)];
	struct iface *i = iface_by_id(*hint);

	if (ifindex == 0)
		return NULL;
	if (i != NULL && i->kernel_ifindex == ifindex)
		return i;
	for (struct entry *e = by_name; e != NULL; e = e->hh.next) {
		if (e->iface->kernel_ifindex == ifindex) {
			*hint = e->iface->id;
			return e->iface;
		}
	}
	return NULL;
}

void iface_stats_sum(const struct iface *i, struct iface_stats *sum)
{
	const struct entry *e = by_id[i->id];

	memset(sum, 0, sizeof(*sum));
	for (unsigned w = 0; w < e->n_workers; w++) {
		const struct iface_stats *s = &i->stats[w];

		sum->rx_packets += s->rx_packets;
		sum->rx_bytes += s->rx_bytes;
		sum->tx_packets += s->tx_packets;
		sum->tx_bytes += s->tx_bytes;
		sum->rx_drops += s->rx_drops;
		sum->tx_drops += s->tx_drops;
	}
}

void iface_set_flag(struct iface *i, enum iface_flag flag, bool on)
{
	if (on)
		atomic_fetch_or_explicit(&i->flags, flag, memory_order_relaxed);
	else
		atomic_fetch_and_explicit(&i->flags, (uint16_t)~flag, memory_order_relaxed);
}
