/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes as they were given, whoever gave them: per prefix the candidates, of which the best usable
 * one (lowest origin rank, then table, then metric) is in the FIB. */
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
	uint8_t origin; /* enum viaduct_origin */
	uint8_t protocol;
	uint32_t metric;
	struct addr gateway; /* IP_NONE: directly on the device */
	struct iface *iface; /* NULL: none (blackhole), a device of the kernel's alone, or, with a
			      * gateway that did not come from the kernel, where that is connected */
	uint32_t kernel_oif; /* kernel route: its device, ours or not */
	uint32_t table;      /* kernel route: RT_TABLE_LOCAL, _MAIN or _DEFAULT, else 0 */
	uint32_t object;     /* kernel route: its next-hop object, 0: none */
};

void rib_fini(void);

/* Add, or replace the candidate with the same prefix, origin, table and metric. Takes effect at the
 * next rib_commit(): whoever changes routes calls it when it has handled what was waiting.
 * -EINVAL for what is inside a prefix that is always local (see fib_prefix_is_fixed()). */
int rib_add(const struct rib_route *r, struct err *e);

/* The same, but candidates that differ in next hop stand side by side; the first one wins. The
 * kernel's `ip route append`, and IPv6 routes of one metric. */
int rib_append(const struct rib_route *r, struct err *e);

/* Remove the first candidate with this prefix, origin, table and metric, and, where r has a gateway
 * or device, with that one. -ENOENT where there is none. */
int rib_del(const struct rib_route *r, struct err *e);

/* The candidate that rib_del() would remove. False: there is none. */
bool rib_get(const struct rib_route *key, struct rib_route *out);

/* Remove those with this prefix, origin, table and metric that have a gateway, or those that have
 * none. Returns their number. */
unsigned rib_del_hops(const struct rib_route *r, bool with_gateway);

/* The lowest metric of an origin's candidates for the prefix. -ENOENT: there are none. */
int rib_lowest_metric(const struct addr *prefix, uint8_t len, unsigned origin, uint32_t *metric);

/* Apply what was queued to the FIB: one swap for all of it. */
void rib_commit(void);

/* The VTI's kernel device went down or away, and the kernel's routes by it with it, partly without a
 * word. Nobody has said that their packets may go another way: a guard stays in each one's place. It
 * drops what would leave by a port in the clear, until a route to the prefix is added or the guard is
 * deleted (rib_guard.c). */
void rib_iface_down(struct iface *vti);

/* An interface goes: forget every route by it, commit, and wait until no worker uses it. A VTI's leave
 * guards. */
void rib_forget_iface(struct iface *iface);

/* Resync (netlink.c): rib_mark() before a full dump of one family's kernel routes, rib_sweep()
 * after it removes those of kernel origin that the dump did not name again. */
void rib_mark(unsigned family);
void rib_sweep(unsigned family);

unsigned rib_guards(void);

/* Does any route have its next hop from this object of the kernel's? */
bool rib_uses_object(uint32_t id);

unsigned rib_count(unsigned family);
/* Candidates that are the best of their prefix, but found the FIB full. */
unsigned rib_refused(void);
/* In order of family, prefix and length. */
int rib_each(int (*cb)(const struct viaduct_route *r, void *arg), void *arg);
/* The route a packet to `dst` takes. -ENOENT: none. */
int rib_lookup(const struct addr *dst, struct viaduct_route *out);

/* The interface on whose connected network `a` is; NULL where another route, or none, covers it. */
struct iface *rib_connected_iface(const struct addr *a);
/* Was `a` last on the connected network of a VTI that is gone? */
bool rib_gateway_lost(const struct addr *a);

/* From the API and the configuration: names checked, origin set by the caller. In route_del() a
 * metric of 0 means the lowest there is. */
int route_add(const struct viaduct_route *r, struct err *e);
int route_del(const struct viaduct_route *r, struct err *e);
/* The one with this prefix and metric that came from the API or the configuration, as it was given. */
bool route_given(const struct viaduct_route *r, unsigned origin, struct viaduct_route *out);
/* Which route they would replace or remove; false: none. */
bool route_replaces(const struct viaduct_route *r, struct rib_route *old);
bool route_deletes(const struct viaduct_route *r, struct rib_route *old);

#endif
