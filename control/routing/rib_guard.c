/* SPDX-License-Identifier: BSD-3-Clause */
/* Guards: what is left of a route into a tunnel when its VTI goes down or is deleted.
 *
 * Linux drops such routes, and their packets follow the next shorter prefix: the default route, out of the
 * port to the outside, in the clear. Here a route into a tunnel ends only by somebody's word: it is deleted,
 * or the prefix gets another one. Until then the guard takes its place. It may only send packets into
 * another tunnel, where the same or a shorter prefix leads there; it drops them where a port is all
 * that is left. */
#include "control/routing/rib_entry.h"

static TAILQ_HEAD(guard_list, rib_entry) guards = TAILQ_HEAD_INITIALIZER(guards);
static unsigned n_guards;
static uint8_t longest[2]; /* by AF_INDEX: no guard's prefix is longer */
static bool stale;

struct candidate *guard_of(const struct rib_entry *e)
{
	return e->candidates != NULL && candidate_is_guard(e->candidates) ? e->candidates : NULL;
}

bool candidate_needs_guard(const struct candidate *c)
{
	return c->type == VIADUCT_ROUTE_UNICAST && c->iface != NULL && c->iface->kind == IFACE_VTI;
}

/* Its kernel_oif stays, see rib_add(). */
void guard_make(struct rib_entry *e, struct candidate *c)
{
	*c = (struct candidate){.type = VIADUCT_ROUTE_UNREACHABLE,
		.origin = VIADUCT_ORIGIN_GUARD,
		.protocol = c->protocol,
		.kernel_oif = c->kernel_oif,
		.epoch = c->epoch};
	guard_link(e);
}

void guard_link(struct rib_entry *e)
{
	uint8_t *max = &longest[AF_INDEX(e->prefix.family)];

	TAILQ_INSERT_TAIL(&guards, e, guard_link);
	n_guards++;
	if (*max < e->len)
		*max = e->len;
}

void guard_unlink(struct rib_entry *e)
{
	TAILQ_REMOVE(&guards, e, guard_link);
	if (--n_guards == 0)
		longest[0] = longest[1] = 0;
}

void guard_depend(const struct rib_entry *e)
{
	if (n_guards > 0 && e->len < longest[AF_INDEX(e->prefix.family)])
		stale = true;
}

void guards_dirty(void)
{
	struct rib_entry *e;

	if (!stale)
		return;
	stale = false;
	TAILQ_FOREACH (e, &guards, guard_link)
		rib_dirty(e);
}

/* The first of the entry's candidates that leads anywhere, guards and neighbours aside. */
static bool next_way(const struct rib_entry *e, bool *tunnel)
{
	for (const struct candidate *c = e->candidates; c != NULL; c = c->next) {
		bool leads;

		if (candidate_is_guard(c) || c->origin == VIADUCT_ORIGIN_NEIGH)
			continue;
		*tunnel = candidate_into_tunnel(c, &leads);
		if (leads)
			return true;
	}
	return false;
}

static bool has_way(const struct rib_entry *e)
{
	bool tunnel;

	return next_way(e, &tunnel);
}

bool guard_stops(const struct rib_entry *e)
{
	bool tunnel;

	if (!has_way(e))
		e = rib_around(e, has_way);
	return e == NULL || !next_way(e, &tunnel) || !tunnel;
}

unsigned rib_guards(void)
{
	return n_guards;
}

void guards_fini(void)
{
	TAILQ_INIT(&guards);
	n_guards = 0;
	longest[0] = longest[1] = 0;
	stale = false;
}
