/* SPDX-License-Identifier: BSD-3-Clause */
/* SPIs that were promised to an IKE daemon and not used yet; see sadb_alloc_spi(). */
#ifndef VIADUCT_SPI_ALLOC_H
#define VIADUCT_SPI_ALLOC_H

#include <viaduct_api.h>

/* The SPI has become an SA: no need to keep it aside. */
void spi_release(const struct viaduct_sa_id *id);

/* Once a second. */
void spi_alloc_tick(uint64_t now_ns);
unsigned spi_reserved_count(void);
void spi_alloc_fini(void);

#endif
