/* SPDX-License-Identifier: BSD-3-Clause */
/* Inbound SAs by SPI and destination address: open addressing, readers without locks.
 *
 * The control thread inserts and removes in place (a slot's pointer is written before its key
 * appears, and a removed slot keeps its key, so that probing goes on past it); when it is half
 * full it builds a larger table aside and publishes that. An SA is retired through RCU after
 * it was removed. */
#ifndef VIADUCT_SPI_TABLE_H
#define VIADUCT_SPI_TABLE_H

#include "dataplane/addr.h"

#include <stdatomic.h>

struct sa;

struct spi_slot {
	_Atomic uint32_t spi;  /* host order; 0: never used */
	struct sa *_Atomic sa; /* NULL: removed */
};

struct spi_table {
	uint32_t mask;
	uint32_t used; /* slots with a key, removed ones included */
	struct spi_slot slot[];
};

/* The table workers read. Never NULL after spi_table_init(). */
extern struct spi_table *_Atomic spi_table;

static inline uint32_t spi_hash(uint32_t spi)
{
	return spi * 2654435769u; /* Fibonacci hashing: SPIs drawn by hand are often consecutive */
}

/* Worker side. dst: outer destination address, 4 or 16 bytes by family. NULL: no such SA. */
struct sa *spi_lookup(uint32_t spi, unsigned family, const void *dst);

/* Fetch what spi_lookup() will look at: first the slot, later the SA that stands there, which is very
 * likely the one. NULL: none. */
void spi_prefetch_slot(uint32_t spi);
struct sa *spi_prefetch_sa(uint32_t spi);

/* Control side. 0, or -EEXIST (same SPI and address), -ENOMEM. `retire` is called with a table
 * that was replaced: it frees it, by free(3), once no worker can read it. */
int spi_insert(struct sa *sa, void (*retire)(void *old));
void spi_remove(struct sa *sa);
/* Another SA with the same SPI and address, by one store. */
void spi_replace(const struct sa *old, struct sa *sa);
int spi_table_init(void);
void spi_table_free(void);

#endif
