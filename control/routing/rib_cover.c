/* SPDX-License-Identifier: BSD-3-Clause */
/* Prefixes that found no room in the FIB, and the ones around them to which their packets then go.
 *
 * Where a route into a tunnel is missing its packets must not leave in the clear instead. They can't be
 * told from the others that the prefix around it takes, so that one's next hop becomes a `partial` one:
 * what is encrypted leaves by it, and what the router sends itself, but nothing that is only forwarded.
 * That ends when there is room. */
#include "control/log.h"
#include "control/routing/rib_entry.h"

static TAILQ_HEAD(missing_list, rib_entry) missing = TAILQ_HEAD_INITIALIZER(missing);
static TAILQ_HEAD(partial_list, rib_entry) partials = TAILQ_HEAD_INITIALIZER(partials);

/* What would not have left by a port in the clear. */
static bool stays_inside(const struct rib_entry *e)
{
	bool tunnel, leads;

	for (const struct candidate *c = e->candidates; c != NULL; c = c->next) {
		if (candidate_is_guard(c))
			return guard_stops(e);
		tunnel = candidate_into_tunnel(c, &leads);
		if (leads)
			return tunnel || c->type != VIADUCT_ROUTE_UNICAST;
	}
	return false;
}

void cover_missing(struct rib_entry *e, bool is)
{
	is = is && stays_inside(e);
	if (is && !e->missing)
		TAILQ_INSERT_TAIL(&missing, e, missing_link);
	if (!is && e->missing)
		TAILQ_REMOVE(&missing, e, missing_link);
	e->missing = is;
}

static bool leads_somewhere(const struct rib_entry *e)
{
	bool leads;

	for (const struct candidate *c = e->candidates; c != NULL && !e->refused; c = c->next) {
		if (candidate_is_guard(c) && !guard_stops(e))
			continue;
		candidate_into_tunnel(c, &leads);
		if (leads)
			return true;
	}
	return false;
}

void cover_forget(struct rib_entry *e)
{
	if (e->partial)
		TAILQ_REMOVE(&partials, e, partial_link);
	e->partial = false;
}

static void set_partial(struct rib_entry *e, bool is)
{
	e->around_missing = is;
	if (is == e->partial)
		return;
	e->partial = is;
	if (is)
		TAILQ_INSERT_TAIL(&partials, e, partial_link);
	else
		TAILQ_REMOVE(&partials, e, partial_link);
	rib_dirty(e);
}

void covers_mark(void)
{
	struct rib_entry *e, *next;

	TAILQ_FOREACH (e, &partials, partial_link)
		e->around_missing = false;
	TAILQ_FOREACH (e, &missing, missing_link) {
		struct rib_entry *around = rib_around(e, leads_somewhere);

		if (around != NULL)
			set_partial(around, true);
	}
	for (e = TAILQ_FIRST(&partials); e != NULL; e = next) {
		next = TAILQ_NEXT(e, partial_link);
		if (!e->around_missing)
			set_partial(e, false);
	}
}

bool covers_any(void)
{
	return !TAILQ_EMPTY(&missing) || !TAILQ_EMPTY(&partials);
}

void covers_fini(void)
{
	TAILQ_INIT(&missing);
	TAILQ_INIT(&partials);
}
