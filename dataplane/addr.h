/* SPDX-License-Identifier: BSD-3-Clause */
/* An IPv4 or IPv6 address as dataplane and control plane hold it. */
#ifndef VIADUCT_ADDR_H
#define VIADUCT_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Also the index of a family in two-element arrays (see AF_INDEX). */
enum ip_family {
	IP_NONE = 0,
	IP_V4 = 4,
	IP_V6 = 6
};

#define AF_INDEX(family) ((family) == IP_V6)

struct addr {
	uint8_t family; /* enum ip_family; IP_NONE: no address (any) */
	uint8_t pad[3];
	union {
		uint32_t v4; /* network byte order */
		uint8_t v6[16];
		uint64_t q[2]; /* an IPv4 address leaves the rest zero, so that two compares do */
	} __attribute__((packed, aligned(4)));
};

static inline struct addr addr_v4(uint32_t be)
{
	struct addr a = {.family = IP_V4};

	a.v4 = be;
	return a;
}

static inline struct addr addr_v6(const void *bytes)
{
	struct addr a = {.family = IP_V6};

	memcpy(a.v6, bytes, 16);
	return a;
}

static inline bool addr_eq(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && a->q[0] == b->q[0] && a->q[1] == b->q[1];
}

/* Length in bytes of an address of this family. */
static inline unsigned addr_len(unsigned family)
{
	return family == IP_V6 ? 16 : 4;
}

#endif
