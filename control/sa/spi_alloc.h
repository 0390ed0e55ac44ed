/* SPDX-License-Identifier: BSD-3-Clause */
/* SPIs that were promised to an IKE daemon and not used yet; see sadb_alloc_spi(). */
#ifndef VIADUCT_SPI_ALLOC_H
#define VIADUCT_SPI_ALLOC_H

#include <viaduct_api.h>

/* The SPI has become an SA: no need to keep it aside. */
void spi_release(const struct viaduct_sa_id *id);

/* Until when it is kept (CLOCK_MONOTONIC), 0: it is not; and to keep it again after all. */
uint64_t spi_kept_until(const struct viaduct_sa_id *id);
void spi_keep(const struct viaduct_sa_id *id, uint64_t until_ns);

/* Once a second. */
void spi_alloc_tick(uint64_t now_ns);
unsigned spi_reserved_count(void);
void spi_alloc_fini(void);

#endif
