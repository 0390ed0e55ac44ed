/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes as they were given, whoever gave them: per prefix the candidates, of which the best (lowest
 * origin rank, then metric) is in the FIB. */
#ifndef VIADUCT_RIB_H
#define VIADUCT_RIB_H

#include "control/err.h"
#include "dataplane/addr.h"
#include "dataplane/iface.h"

#include <viaduct_api.h>

struct rib_route {
	struct addr prefix; /* host bits zero; family set */
	uint8_t prefix_len;
	uint8_t type;   /* enum viaduct_route_type */
	uint8_t origin; /* enum viaduct_route_origin */
	uint8_t protocol;
	uint32_t metric;
	struct addr gateway; /* IP_NONE: directly on the device */
	struct iface *iface; /* NULL: none (blackhole, or a device of the kernel's alone) */
	uint32_t kernel_oif; /* kernel route: its device, ours or not */
};

int rib_init(uint32_t max_routes4, uint32_t max_routes6);
void rib_fini(void);

/* Add, or replace the candidate with the same prefix, origin and metric. Takes effect at the next
 * rib_commit(), which the control loop calls when it has handled what was waiting. */
int rib_add(const struct rib_route *r, struct err *e);
/* -ENOENT where there is no such candidate. */
int rib_del(const struct rib_route *r, struct err *e);

/* Apply what was queued to the FIB: one swap for all of it. */
void rib_commit(void);

/* An interface goes: forget every route by it, commit, and wait until no worker uses it. */
void rib_forget_iface(struct iface *iface);

/* Resync (netlink.c): rib_mark() before a full dump of kernel routes, rib_sweep() after it removes
 * those of kernel origin that the dump did not name again. */
void rib_mark(void);
void rib_sweep(void);

unsigned rib_count(unsigned family);
int rib_each(int (*cb)(const struct viaduct_route *r, void *arg), void *arg);
/* The route a packet to `dst` takes. -ENOENT: none. */
int rib_lookup(const struct addr *dst, struct viaduct_route *out);

/* From the API and the configuration: names checked, origin set by the caller. */
int route_add(const struct viaduct_route *r, struct err *e);
int route_del(const struct viaduct_route *r, struct err *e);

#endif
