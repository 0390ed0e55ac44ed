/* SPDX-License-Identifier: BSD-3-Clause */
/* What the routing table is asked: routes, the way to an address, and who is connected. */
#include "control/addr_text.h"
#include "control/routing/fib_writer.h"
#include "control/routing/nexthops.h"
#include "control/routing/rib.h"
#include "control/routing/rib_entry.h"

#include <errno.h>

static void to_api(const struct rib_entry *e, const struct candidate *c, struct viaduct_route *out)
{
	const struct nexthop *nh = nexthop_by_id(e->nh_id);

	memset(out, 0, sizeof(*out));
	out->prefix = addr_to_api(&e->prefix);
	out->prefix_len = e->len;
	out->type = c->type;
	out->origin = c->origin;
	out->active = c == e->active;
	out->metric = c->metric;
	out->protocol = c->protocol;
	out->gateway = addr_to_api(&c->gateway);
	if (c->iface != NULL)
		memcpy(out->dev, c->iface->name, sizeof(out->dev));
	else if (c->kernel_oif != 0)
		if_indextoname(c->kernel_oif, out->dev);
	else if (out->active && nh != NULL && nh->iface != NULL)
		memcpy(out->dev, nh->iface->name, sizeof(out->dev));
	if (out->active && nh != NULL)
		snprintf(out->state, sizeof(out->state), "%s", nexthop_type_name(nh->type));
	else if (e->refused && e->candidates == c)
		snprintf(out->state, sizeof(out->state), "fib full");
}

int rib_each(int (*cb)(const struct viaduct_route *r, void *arg), void *arg)
{
	struct viaduct_route out;
	int rc = 0;

	rib_sort();
	for (const struct rib_entry *e = rib_first(); e != NULL; e = e->hh.next) {
		for (const struct candidate *c = e->candidates; c != NULL && rc == 0; c = c->next) {
			to_api(e, c, &out);
			rc = cb(&out, arg);
		}
	}
	return rc;
}

static bool in_fib(const struct rib_entry *e)
{
	return e->active != NULL && e->nh_id != 0;
}

int rib_lookup(const struct addr *dst, struct viaduct_route *out)
{
	const struct candidate local = {
		.type = VIADUCT_ROUTE_LOCAL, .origin = VIADUCT_ORIGIN_KERNEL};
	struct rib_entry fixed = {.active = &local, .nh_id = NH_ID_LOCAL};
	const struct rib_entry *e = &fixed;

	if (!fib_prefix_is_fixed(dst, addr_len(dst->family) * 8, &fixed.prefix, &fixed.len))
		e = rib_longest(dst, addr_len(dst->family) * 8, in_fib);
	if (e == NULL)
		return -ENOENT;
	to_api(e, e->active, out);
	return 0;
}

/* Neighbours' host routes depend on the answer, so they don't count. */
static const struct candidate *given(const struct rib_entry *e)
{
	return e->candidates != NULL && e->candidates->origin != VIADUCT_ORIGIN_NEIGH
		? e->candidates
		: NULL;
}

static bool is_given(const struct rib_entry *e)
{
	return given(e) != NULL;
}

struct iface *rib_connected_iface(const struct addr *a)
{
	const struct rib_entry *e = rib_longest(a, addr_len(a->family) * 8, is_given);

	if (e == NULL || !candidate_is_connected(given(e)))
		return NULL;
	return given(e)->iface;
}

bool rib_gateway_lost(const struct addr *a)
{
	const struct rib_entry *e = rib_longest(a, addr_len(a->family) * 8, is_given);

	return e != NULL && guard_of(e) != NULL;
}
