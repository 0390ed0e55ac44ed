/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses and prefixes as text, and between the API's structure and the dataplane's. Needs neither
 * DPDK nor the daemon: viaductctl uses it too. */
#ifndef VIADUCT_ADDR_TEXT_H
#define VIADUCT_ADDR_TEXT_H

#include "dataplane/addr.h"

#include <viaduct_api.h>

#define ADDR_TEXT_LEN   46 /* as INET6_ADDRSTRLEN */
#define PREFIX_TEXT_LEN 50

/* 0, or -EINVAL where the text is no IPv4 or IPv6 address. */
int addr_parse(const char *text, struct viaduct_addr *a);

/* "10.2.0.0/16", "default" (0.0.0.0/0), "default6" (::/0); an address alone is a host prefix.
 * -EINVAL: no prefix; -ERANGE: bits are set beyond the length. */
int prefix_parse(const char *text, struct viaduct_addr *a, uint8_t *len);

/* Write into buf and return it; "any" for family 0. */
const char *addr_text(const struct viaduct_addr *a, char buf[ADDR_TEXT_LEN]);
const char *prefix_text(const struct viaduct_addr *a, unsigned len, char buf[PREFIX_TEXT_LEN]);

/* Bits of an address of this family: 32 or 128. */
unsigned addr_bits(unsigned family);
/* Are all bits after the first `len` zero? */
bool addr_host_bits_zero(const struct viaduct_addr *a, unsigned len);

struct addr addr_from_api(const struct viaduct_addr *a);
struct viaduct_addr addr_to_api(const struct addr *a);

#endif
