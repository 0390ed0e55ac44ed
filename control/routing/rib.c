/* SPDX-License-Identifier: BSD-3-Clause */
/* One table: local, main and default are searched as one, as the kernel does unless its rules were
 * changed, with local preferred. The candidates keep their table's id. What the FIB has no room for is
 * kept here and marked so. */
#include "control/routing/rib.h"

#include "control/addr_text.h"
#include "control/rcu.h"
#include "control/routing/fib_writer.h"
#include "control/routing/nexthops.h"
#include "control/routing/prefix.h"
#include "control/routing/rib_entry.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

static unsigned n_candidates[2]; /* by AF_INDEX */
static uint8_t epoch[2];

static unsigned table_rank(uint32_t table)
{
	switch (table) {
	case RT_TABLE_LOCAL:
		return 0;
	case RT_TABLE_DEFAULT:
		return 2;
	default:
		return 1;
	}
}

/* Does a come before b? */
static bool better(const struct candidate *a, const struct candidate *b)
{
	if (candidate_is_guard(a) || candidate_is_guard(b))
		return candidate_is_guard(a) && !candidate_is_guard(b);
	if (a->origin != b->origin)
		return a->origin < b->origin;
	if (a->table != b->table)
		return table_rank(a->table) < table_rank(b->table);
	return a->metric < b->metric;
}

/* Of the same source and weight: such ones replace each other, or stand side by side. */
static bool same_rank(const struct candidate *c, const struct rib_route *r)
{
	return c->origin == r->origin && c->table == r->table && c->metric == r->metric;
}

static bool same_hop(const struct candidate *c, const struct rib_route *r)
{
	if (!addr_eq(&c->gateway, &r->gateway))
		return false;
	if (r->origin == VIADUCT_ORIGIN_KERNEL)
		return c->kernel_oif == r->kernel_oif;
	return c->iface == r->iface;
}

/* As rib_del() compares: what r leaves out is not asked. */
static bool matches(const struct candidate *c, const struct rib_route *r)
{
	if (!same_rank(c, r))
		return false;
	if (r->gateway.family == IP_NONE && r->iface == NULL && r->kernel_oif == 0)
		return true;
	return same_hop(c, r);
}

static void fill(struct candidate *c, const struct rib_route *r)
{
	c->iface = r->iface;
	c->gateway = r->gateway;
	c->kernel_oif = r->kernel_oif;
	c->metric = r->metric;
	c->table = r->table;
	c->object = r->object;
	c->type = r->type;
	c->origin = r->origin;
	c->protocol = r->protocol;
	c->epoch = epoch[AF_INDEX(r->prefix.family)];
}

static void insert(struct rib_entry *e, struct candidate *c)
{
	struct candidate **at = &e->candidates;

	while (*at != NULL && !better(c, *at))
		at = &(*at)->next;
	c->next = *at;
	*at = c;
	n_candidates[AF_INDEX(e->prefix.family)]++;
}

/* It is out of the list already. */
static void detach(struct rib_entry *e, struct candidate *c)
{
	rib_object_unref(c->object);
	if (e->active == c)
		e->active = NULL;
	rib_depend(e, c, false);
	if (candidate_is_guard(c))
		guard_unlink(e);
	n_candidates[AF_INDEX(e->prefix.family)]--;
	rib_dirty(e);
}

static void removed(struct rib_entry *e, struct candidate *c)
{
	detach(e, c);
	free(c);
}

/* The guard is the first. */
/* Its VTI goes, and nobody has said where its packets may go instead. */
static void lost(struct rib_entry *e, struct candidate *c)
{
	if (!candidate_needs_guard(c) || guard_of(e) != NULL) {
		removed(e, c);
		return;
	}
	detach(e, c);
	guard_make(e, c);
	insert(e, c);
}

static void drop_guard(struct rib_entry *e)
{
	struct candidate *c = guard_of(e);

	if (c == NULL)
		return;
	e->candidates = c->next;
	removed(e, c);
}

/* Nothing a packet would notice has changed. */
static bool unchanged(const struct candidate *c, const struct rib_route *r)
{
	return c->type == r->type && c->iface == r->iface && same_hop(c, r);
}

static void update(struct rib_entry *e, struct candidate *c, const struct rib_route *r)
{
	bool same = unchanged(c, r);

	if (!same)
		rib_depend(e, c, false);
	rib_object_ref(r->object);
	rib_object_unref(c->object);
	fill(c, r);
	if (!same) {
		rib_depend(e, c, true);
		rib_dirty(e);
	}
}

static int add_new(struct rib_entry *e, const struct rib_route *r)
{
	struct candidate *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	fill(c, r);
	rib_object_ref(c->object);
	insert(e, c);
	if (candidate_is_guard(c))
		guard_link(e);
	rib_depend(e, c, true);
	rib_dirty(e);
	return 0;
}

/* The kernel still names a route by the device of a VTI that we have deleted already. */
static bool by_lost_device(const struct rib_entry *e, const struct rib_route *r)
{
	const struct candidate *c = guard_of(e);

	return c != NULL && r->origin == VIADUCT_ORIGIN_KERNEL && r->iface == NULL &&
		r->kernel_oif != 0 && r->kernel_oif == c->kernel_oif;
}

/* Somebody says anew where the prefix's packets go. A neighbour says nothing. */
static bool ends_guard(const struct rib_route *r)
{
	return r->origin != VIADUCT_ORIGIN_GUARD && r->origin != VIADUCT_ORIGIN_NEIGH;
}

static int add(const struct rib_route *r, bool side_by_side, struct err *err)
{
	struct rib_entry *e;
	struct candidate *c;
	int rc;

	if (fib_prefix_is_fixed(&r->prefix, r->prefix_len, NULL, NULL))
		return err_set(err, EINVAL,
			"prefix: multicast and link-local destinations always go to the kernel");
	e = rib_entry_get(&r->prefix, r->prefix_len);
	if (e == NULL)
		return err_set(err, ENOMEM, "out of memory for a route");
	if (by_lost_device(e, r))
		return 0;
	for (c = e->candidates; c != NULL; c = c->next) {
		if (same_rank(c, r) && (!side_by_side || same_hop(c, r))) {
			if (!unchanged(c, r) && ends_guard(r))
				drop_guard(e);
			update(e, c, r);
			return 0;
		}
	}
	rc = add_new(e, r);
	if (rc == 0 && ends_guard(r))
		drop_guard(e);
	if (rc != 0 && e->candidates == NULL && e->nh_id == 0 && !e->dirty)
		rib_entry_free(e);
	return rc == 0 ? 0 : err_set(err, ENOMEM, "out of memory for a route");
}

int rib_add(const struct rib_route *r, struct err *err)
{
	return add(r, false, err);
}

int rib_append(const struct rib_route *r, struct err *err)
{
	return add(r, true, err);
}

int rib_del(const struct rib_route *r, struct err *err)
{
	struct rib_entry *e = rib_find(&r->prefix, r->prefix_len);
	struct viaduct_addr a = addr_to_api(&r->prefix);
	char text[PREFIX_TEXT_LEN];

	for (struct candidate **at = e == NULL ? NULL : &e->candidates; at != NULL && *at != NULL;
		at = &(*at)->next) {
		struct candidate *c = *at;

		if (!matches(c, r))
			continue;
		*at = c->next;
		removed(e, c);
		return 0;
	}
	return err_set(err, ENOENT, "no such route: %s metric %u",
		prefix_text(&a, r->prefix_len, text), r->metric);
}

/* Remove the candidates for which drop() says so, which is never a guard: removed() or lost() does it. */
static unsigned remove_if(struct rib_entry *e,
	bool (*drop)(const struct candidate *c, const void *arg), const void *arg,
	void (*how)(struct rib_entry *e, struct candidate *c))
{
	struct candidate **at = &e->candidates;
	unsigned n = 0;

	while (*at != NULL) {
		struct candidate *c = *at;

		if (drop(c, arg)) {
			*at = c->next;
			how(e, c);
			n++;
		} else {
			at = &c->next;
		}
	}
	return n;
}

static bool is_same_gatewayed(const struct candidate *c, const void *arg)
{
	return same_rank(c, arg) && c->gateway.family != IP_NONE;
}

static bool is_same_direct(const struct candidate *c, const void *arg)
{
	return same_rank(c, arg) && c->gateway.family == IP_NONE;
}

unsigned rib_del_hops(const struct rib_route *r, bool with_gateway)
{
	struct rib_entry *e = rib_find(&r->prefix, r->prefix_len);

	if (e == NULL)
		return 0;
	return remove_if(e, with_gateway ? is_same_gatewayed : is_same_direct, r, removed);
}

bool rib_get(const struct rib_route *key, struct rib_route *out)
{
	const struct rib_entry *e = rib_find(&key->prefix, key->prefix_len);
	const struct candidate *c = e != NULL ? e->candidates : NULL;

	while (c != NULL && !matches(c, key))
		c = c->next;
	if (c == NULL)
		return false;
	*out = (struct rib_route){
		.prefix = e->prefix,
		.prefix_len = e->len,
		.type = c->type,
		.origin = c->origin,
		.protocol = c->protocol,
		.metric = c->metric,
		.gateway = c->gateway,
		.iface = c->iface,
		.kernel_oif = c->kernel_oif,
		.table = c->table,
		.object = c->object,
	};
	return true;
}

int rib_lowest_metric(const struct addr *prefix, uint8_t len, unsigned origin, uint32_t *metric)
{
	const struct rib_entry *e = rib_find(prefix, len);

	for (const struct candidate *c = e == NULL ? NULL : e->candidates; c != NULL; c = c->next) {
		if (c->origin == origin) {
			*metric = c->metric;
			return 0;
		}
	}
	return -ENOENT;
}

static bool is_by_iface(const struct candidate *c, const void *iface)
{
	return c->iface == iface;
}

static bool is_kernels_by_iface(const struct candidate *c, const void *iface)
{
	return c->iface == iface && c->origin == VIADUCT_ORIGIN_KERNEL;
}

void rib_iface_down(struct iface *vti)
{
	for (struct rib_entry *e = rib_first(); e != NULL; e = e->hh.next)
		remove_if(e, is_kernels_by_iface, vti, lost);
}

void rib_forget_iface(struct iface *iface)
{
	struct rib_entry *e, *tmp;

	for (e = rib_first(); e != NULL; e = tmp) {
		tmp = e->hh.next;
		/* A gateway's route without a device may lead there too. */
		if (remove_if(e, is_by_iface, iface, lost) == 0 && e->active != NULL &&
			candidate_is_floating(e->active))
			rib_dirty(e);
	}
	rib_commit();
	rcu_synchronize();
}

void rib_mark(unsigned family)
{
	epoch[AF_INDEX(family)]++;
}

static bool is_stale(const struct candidate *c, const void *current)
{
	return c->origin == VIADUCT_ORIGIN_KERNEL && c->epoch != *(const uint8_t *)current;
}

void rib_sweep(unsigned family)
{
	struct rib_entry *e, *tmp;

	for (e = rib_first(); e != NULL; e = tmp) {
		tmp = e->hh.next;
		if (e->prefix.family == family)
			remove_if(e, is_stale, &epoch[AF_INDEX(family)], removed);
	}
}

unsigned rib_count(unsigned family)
{
	return n_candidates[AF_INDEX(family)];
}

void rib_fini(void)
{
	struct rib_entry *e, *tmp;

	rib_commit_fini();
	guards_fini();
	for (e = rib_first(); e != NULL; e = tmp) {
		tmp = e->hh.next;
		while (e->candidates != NULL) {
			struct candidate *c = e->candidates;

			e->candidates = c->next;
			rib_object_unref(c->object);
			free(c);
		}
		rib_entry_free(e);
	}
	memset(n_candidates, 0, sizeof(n_candidates));
}
