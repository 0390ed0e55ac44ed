/* SPDX-License-Identifier: BSD-3-Clause */
/* Prefixes as address and length. */
#ifndef VIADUCT_PREFIX_H
#define VIADUCT_PREFIX_H

#include "dataplane/addr.h"

/* The address with all bits after the first `len` cleared. */
static inline struct addr prefix_of(const struct addr *a, uint8_t len)
{
	struct addr p = *a;

	for (unsigned i = len / 8; i < sizeof(p.v6); i++)
		p.v6[i] &= i == len / 8 ? (uint8_t)(0xff00 >> len % 8) : 0;
	return p;
}

/* Is `a` (an address, or a prefix at least as long) inside prefix/len? */
static inline bool prefix_covers(const struct addr *prefix, uint8_t len, const struct addr *a)
{
	struct addr p = prefix_of(a, len);

	return addr_eq(prefix, &p);
}

#endif
