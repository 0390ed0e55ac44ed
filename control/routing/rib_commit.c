/* SPDX-License-Identifier: BSD-3-Clause */
/* From candidates to the FIB: which one counts, what next hop that is, and one FIB commit for all
 * entries that changed.
 *
 * A route has one next hop here; of the kernel's multipath routes it is the first usable one
 * (netlink_route.c). A group would be one more kind of next hop: hop_of() is where it is chosen. */
#include "control/log.h"
#include "control/routing/fib_writer.h"
#include "control/routing/neigh.h"
#include "control/routing/nexthops.h"
#include "control/routing/prefix.h"
#include "control/routing/rib_entry.h"

#include <errno.h>
#include <stdlib.h>

/* A network on a port: its neighbours' host routes depend on what is inside it. */
struct connected {
	struct addr prefix;
	uint8_t len;
	uint32_t n; /* candidates that say so */
};

static struct rib_entry *dirty;
static TAILQ_HEAD(refused_list, rib_entry) refused = TAILQ_HEAD_INITIALIZER(refused);
static unsigned n_refused;
static struct connected *connected;
static unsigned n_connected, room_connected;
static unsigned n_floating;
static bool neighs_stale, floating_stale, no_memory_logged;

void rib_dirty(struct rib_entry *e)
{
	if (e->dirty)
		return;
	e->dirty = true;
	e->next_dirty = dirty;
	dirty = e;
}

bool candidate_is_floating(const struct candidate *c)
{
	return c->iface == NULL && c->gateway.family != IP_NONE &&
		c->origin != VIADUCT_ORIGIN_KERNEL;
}

bool candidate_is_connected(const struct candidate *c)
{
	return c->type == VIADUCT_ROUTE_UNICAST && c->iface != NULL &&
		c->gateway.family == IP_NONE && c->origin != VIADUCT_ORIGIN_NEIGH;
}

static struct connected *connected_find(const struct rib_entry *e)
{
	for (unsigned i = 0; i < n_connected; i++) {
		if (connected[i].len == e->len && addr_eq(&connected[i].prefix, &e->prefix))
			return &connected[i];
	}
	return NULL;
}

static void connected_add(const struct rib_entry *e)
{
	struct connected *c = connected_find(e);

	if (c != NULL) {
		c->n++;
		return;
	}
	if (n_connected == room_connected) {
		unsigned room = room_connected == 0 ? 16 : room_connected * 2;

		c = realloc(connected, room * sizeof(*c));
		if (c == NULL) {
			log_err("out of memory: neighbours of a network get no host routes");
			return;
		}
		connected = c;
		room_connected = room;
	}
	connected[n_connected++] = (struct connected){.prefix = e->prefix, .len = e->len, .n = 1};
}

static void connected_del(const struct rib_entry *e)
{
	struct connected *c = connected_find(e);

	if (c != NULL && --c->n == 0)
		*c = connected[--n_connected];
}

static bool inside_connected(const struct rib_entry *e)
{
	for (unsigned i = 0; i < n_connected; i++) {
		if (connected[i].len <= e->len &&
			prefix_covers(&connected[i].prefix, connected[i].len, &e->prefix))
			return true;
	}
	return false;
}

void rib_depend(const struct rib_entry *e, const struct candidate *c, bool added)
{
	bool on_port = candidate_is_connected(c) && c->iface->kind == IFACE_PORT;

	if (c->origin == VIADUCT_ORIGIN_NEIGH)
		return;
	guard_depend(e);
	if (on_port && added)
		connected_add(e);
	if (inside_connected(e))
		neighs_stale = true;
	if (on_port && !added)
		connected_del(e);
	if (candidate_is_floating(c))
		n_floating += added ? 1 : -1;
	else if (candidate_is_connected(c))
		floating_stale = true;
}

static void dirty_floating(void)
{
	for (struct rib_entry *e = n_floating > 0 ? rib_first() : NULL; e != NULL; e = e->hh.next) {
		for (const struct candidate *c = e->candidates; c != NULL; c = c->next) {
			if (candidate_is_floating(c))
				rib_dirty(e);
		}
	}
}

/* What a candidate comes to. */
struct hop {
	enum nexthop_type type;
	struct iface *iface;
	const struct addr *gateway;
	const struct rte_ether_addr *mac;
};

static bool unicast_hop(const struct candidate *c, struct hop *h)
{
	h->iface = c->iface;
	if (candidate_is_floating(c)) {
		h->iface = rib_connected_iface(&c->gateway);
		if (h->iface == NULL) {
			h->type = NH_GUARD;
			return rib_gateway_lost(&c->gateway);
		}
	}
	if (h->iface == NULL) {
		h->type = NH_KERNEL;
	} else if (h->iface->kind == IFACE_VTI) {
		h->type = NH_VTI;
	} else if (c->gateway.family == IP_NONE) {
		h->type = NH_GLEAN;
	} else {
		h->gateway = &c->gateway;
		h->mac = neigh_mac(h->iface, h->gateway);
		h->type = h->mac == NULL ? NH_PENDING : NH_PORT;
	}
	return true;
}

/* False: leads nowhere now. */
static bool hop_of(const struct candidate *c, struct hop *h)
{
	*h = (struct hop){0};
	switch (c->type) {
	case VIADUCT_ROUTE_UNICAST:
		return unicast_hop(c, h);
	case VIADUCT_ROUTE_LOCAL:
		h->type = NH_LOCAL;
		return true;
	case VIADUCT_ROUTE_BLACKHOLE:
		h->type = NH_BLACKHOLE;
		return true;
	case VIADUCT_ROUTE_UNREACHABLE:
		h->type = NH_UNREACHABLE;
		return true;
	case VIADUCT_ROUTE_PROHIBIT:
		h->type = NH_PROHIBIT;
		return true;
	default:
		return false;
	}
}

/* A host route of the kernel's on a connected network (a peer address, /32 or /128 by hand) ranks
 * above the neighbour's, but says only where it is; the neighbour's entry says how to reach it. */
static const struct candidate *neighbour_instead(const struct candidate *c)
{
	const struct iface *iface = c->iface;

	for (c = c->next; c != NULL; c = c->next) {
		if (c->origin == VIADUCT_ORIGIN_NEIGH && c->iface == iface)
			return c;
	}
	return NULL;
}

bool candidate_into_tunnel(const struct candidate *c, bool *leads)
{
	struct hop h;

	*leads = hop_of(c, &h);
	return *leads && h.type == NH_VTI;
}

/* The candidate that counts, NULL: none. */
static const struct candidate *choose(const struct rib_entry *e, struct hop *h)
{
	for (const struct candidate *c = e->candidates; c != NULL; c = c->next) {
		const struct candidate *n;

		if (candidate_is_guard(c)) {
			*h = (struct hop){.type = NH_GUARD};
			if (guard_stops(e))
				return c;
			continue;
		}
		if (!hop_of(c, h))
			continue;
		n = h->type == NH_GLEAN ? neighbour_instead(c) : NULL;
		if (n != NULL)
			hop_of(n, h);
		return n != NULL ? n : c;
	}
	return NULL;
}

static void out_of_memory(void)
{
	if (!no_memory_logged)
		log_err("out of memory: routes are not brought into use");
	no_memory_logged = true;
}

static void forget_refusal(struct rib_entry *e)
{
	if (e->refused) {
		TAILQ_REMOVE(&refused, e, refused_link);
		n_refused--;
	}
	e->refused = false;
}

/* Queue the entry's change, if it is one. Returns 1 where it takes a prefix out of the FIB. */
static unsigned stage(struct rib_entry *e)
{
	struct hop h;
	const struct candidate *c = choose(e, &h);
	uint32_t id = 0;
	int rc;

	forget_refusal(e);
	if (c != NULL) {
		id = (e->partial ? nexthop_get_partial : nexthop_get)(
			h.type, h.iface, h.gateway, h.mac);
		if (id == 0)
			out_of_memory();
	}
	e->active = id == 0 ? NULL : c;
	if (id == e->nh_id) {
		nexthop_put(id);
		return 0;
	}
	rc = id == 0 ? fib_unset(0, &e->prefix, e->len) : fib_set(0, &e->prefix, e->len, id);
	if (rc != 0) {
		out_of_memory();
		nexthop_put(id);
		return 0;
	}
	e->old_nh_id = e->nh_id;
	e->nh_id = id;
	return id == 0;
}

static void on_refused(const struct addr *prefix, uint8_t len, void *arg)
{
	struct rib_entry *e = rib_find(prefix, len);

	(void)arg;
	nexthop_put(e->nh_id);
	e->nh_id = 0;
	e->active = NULL;
	e->refused = true;
	TAILQ_INSERT_TAIL(&refused, e, refused_link);
	n_refused++;
	cover_missing(e, true);
}

/* The FIBs lead to the old next hops no more. */
static void finish(struct rib_entry *e)
{
	nexthop_put(e->old_nh_id);
	e->old_nh_id = 0;
	if (!e->refused)
		cover_missing(e, false);
	if (e->candidates == NULL && e->nh_id == 0) {
		forget_refusal(e);
		cover_forget(e);
		rib_entry_free(e);
	}
}

/* Returns how many prefixes left the FIB. */
static unsigned commit_dirty(void)
{
	struct rib_entry *list = dirty, *next;
	unsigned n_removed = 0;

	dirty = NULL;
	for (struct rib_entry *e = list; e != NULL; e = e->next_dirty) {
		e->dirty = false;
		n_removed += stage(e);
	}
	if (fib_commit(0) > 0)
		fib_each_refused(0, on_refused, NULL);
	for (struct rib_entry *e = list; e != NULL; e = next) {
		next = e->next_dirty;
		finish(e);
	}
	nexthops_reap();
	return n_removed;
}

void rib_commit(void)
{
	unsigned n_removed;

	if (neighs_stale) {
		neighs_stale = false;
		neigh_recheck();
	}
	if (floating_stale) {
		floating_stale = false;
		dirty_floating();
	}
	guards_dirty();
	if (dirty == NULL)
		return;
	if (covers_any())
		covers_mark();
	no_memory_logged = false;
	n_removed = commit_dirty();
	/* As many as there is room for now, the longest waiting first. */
	for (struct rib_entry *e = TAILQ_FIRST(&refused); e != NULL && n_removed > 0;
		e = TAILQ_NEXT(e, refused_link), n_removed--)
		rib_dirty(e);
	if (dirty != NULL)
		commit_dirty();
	if (covers_any())
		covers_mark();
	if (dirty != NULL)
		commit_dirty();
}

unsigned rib_refused(void)
{
	return n_refused;
}

void rib_commit_fini(void)
{
	dirty = NULL;
	covers_fini();
	TAILQ_INIT(&refused);
	n_refused = n_floating = n_connected = room_connected = 0;
	free(connected);
	connected = NULL;
	neighs_stale = floating_stale = no_memory_logged = false;
}
