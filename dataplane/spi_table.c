/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/spi_table.h"

#include "dataplane/sa.h"

#include <rte_prefetch.h>

#include <errno.h>
#include <stdlib.h>

#define SLOTS_MIN 1024

struct spi_table *_Atomic spi_table;

/* Low bits of the hash are low bits of the SPI: fold the high ones in. */
static inline uint32_t first_slot(const struct spi_table *t, uint32_t spi)
{
	uint32_t h = spi_hash(spi);

	return (h ^ h >> 15) & t->mask;
}

struct sa *spi_lookup(uint32_t spi, unsigned family, const void *dst)
{
	struct spi_table *t = atomic_load_explicit(&spi_table, memory_order_acquire);
	uint32_t key;

	if (spi == 0) /* marks an empty slot, and no SA may have it */
		return NULL;
	for (uint32_t i = first_slot(t, spi);; i = (i + 1) & t->mask) {
		key = atomic_load_explicit(&t->slot[i].spi, memory_order_acquire);
		if (key == spi) {
			struct sa *sa = atomic_load_explicit(&t->slot[i].sa, memory_order_acquire);

			if (sa != NULL && sa_dst_is(sa, family, dst))
				return sa;
		} else if (key == 0) {
			return NULL;
		}
	}
}

void spi_prefetch_slot(uint32_t spi)
{
	struct spi_table *t = atomic_load_explicit(&spi_table, memory_order_acquire);

	rte_prefetch0(&t->slot[first_slot(t, spi)]);
}

struct sa *spi_prefetch_sa(uint32_t spi)
{
	struct spi_table *t = atomic_load_explicit(&spi_table, memory_order_acquire);
	struct sa *sa = atomic_load_explicit(&t->slot[first_slot(t, spi)].sa, memory_order_relaxed);

	if (sa != NULL) {
		rte_prefetch0(sa);
		rte_prefetch0(sa->dst.v6);
		rte_prefetch0_write(&sa->replay);
	}
	return sa;
}

static struct spi_table *table_new(uint32_t slots)
{
	struct spi_table *t = calloc(1, sizeof(*t) + slots * sizeof(t->slot[0]));

	if (t != NULL)
		t->mask = slots - 1;
	return t;
}

/* A slot for this SPI: one that had it before and is free again, else the first unused one. */
static struct spi_slot *slot_for(struct spi_table *t, uint32_t spi)
{
	uint32_t i = first_slot(t, spi);

	while (t->slot[i].spi != 0 && !(t->slot[i].spi == spi && t->slot[i].sa == NULL))
		i = (i + 1) & t->mask;
	return &t->slot[i];
}

static void put(struct spi_table *t, struct sa *sa)
{
	struct spi_slot *s = slot_for(t, sa->spi);

	atomic_store_explicit(&s->sa, sa, memory_order_release);
	if (s->spi == 0) {
		atomic_store_explicit(&s->spi, sa->spi, memory_order_release);
		t->used++;
	}
}

static uint32_t live_count(const struct spi_table *t)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i <= t->mask; i++)
		n += t->slot[i].sa != NULL;
	return n;
}

/* A table without the removed keys, at most a quarter full. */
static struct spi_table *rebuild(const struct spi_table *old)
{
	uint32_t live = live_count(old), slots = SLOTS_MIN;
	struct spi_table *t;

	while (slots < 4 * (live + 1))
		slots *= 2;
	t = table_new(slots);
	if (t == NULL)
		return NULL;
	for (uint32_t i = 0; i <= old->mask; i++) {
		if (old->slot[i].sa != NULL)
			put(t, old->slot[i].sa);
	}
	return t;
}

int spi_insert(struct sa *sa, void (*retire)(void *old))
{
	struct spi_table *t = spi_table, *bigger;

	if (spi_lookup(sa->spi, sa->dst.family, sa->dst.v6) != NULL)
		return -EEXIST;
	if (2 * (t->used + 1) > t->mask + 1) {
		bigger = rebuild(t);
		if (bigger == NULL)
			return -ENOMEM;
		put(bigger, sa);
		atomic_store_explicit(&spi_table, bigger, memory_order_release);
		retire(t);
		return 0;
	}
	put(t, sa);
	return 0;
}

void spi_remove(struct sa *sa)
{
	struct spi_table *t = spi_table;

	for (uint32_t i = first_slot(t, sa->spi); t->slot[i].spi != 0; i = (i + 1) & t->mask) {
		if (t->slot[i].sa == sa) {
			atomic_store_explicit(&t->slot[i].sa, NULL, memory_order_release);
			return;
		}
	}
}

void spi_replace(const struct sa *old, struct sa *sa)
{
	struct spi_table *t = spi_table;

	for (uint32_t i = first_slot(t, sa->spi); t->slot[i].spi != 0; i = (i + 1) & t->mask) {
		if (t->slot[i].sa == old) {
			atomic_store_explicit(&t->slot[i].sa, sa, memory_order_release);
			return;
		}
	}
}

int spi_table_init(void)
{
	struct spi_table *t = table_new(SLOTS_MIN);

	if (t == NULL)
		return -ENOMEM;
	atomic_store_explicit(&spi_table, t, memory_order_release);
	return 0;
}

void spi_table_free(void)
{
	free(spi_table);
	atomic_store_explicit(&spi_table, NULL, memory_order_relaxed);
}
