/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes of the file: one for each prefix and metric. */
#include "config/setting_text.h"
#include "config/tables.h"
#include "control/addr_text.h"
#include "control/iface/ifaces.h"
#include "control/log.h"
#include "control/reload/reload_plan.h"
#include "control/routing/rib.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void describe(const struct step *s, struct viaduct_change *c)
{
	const struct viaduct_route *r = s->to != NULL ? s->to : s->from;
	char text[PREFIX_TEXT_LEN], via[ADDR_TEXT_LEN];

	snprintf(c->name, sizeof(c->name), "%s", prefix_text(&r->prefix, r->prefix_len, text));
	if (r->metric != 0)
		snprintf(c->name, sizeof(c->name), "%s metric %u", text, r->metric);
	if (s->from != NULL && s->to != NULL)
		describe_settings(c->text, sizeof(c->text), route_settings, s->from, s->to);
	else if (r->gateway.family != 0)
		snprintf(c->text, sizeof(c->text), "via %s%s%s", addr_text(&r->gateway, via),
			r->dev[0] != '\0' ? " dev " : "", r->dev);
	else if (r->dev[0] != '\0')
		snprintf(c->text, sizeof(c->text), "dev %s", r->dev);
}

static void describe_restart(const struct step *s, struct viaduct_change *c)
{
	const struct viaduct_route *r = s->to;

	describe(s, c);
	snprintf(c->text, sizeof(c->text), "its port %s does not run yet", r->dev);
}

static int apply_add(struct step *s, struct err *e)
{
	return route_add(s->to, e);
}

static void undo_add(struct step *s)
{
	route_del(s->to, NULL);
}

static void undo_set(struct step *s)
{
	struct err e;

	if (route_add(&s->route, &e) < 0)
		log_err("%s", e.text);
}

static int apply_del(struct step *s, struct err *e)
{
	(void)e;
	route_del(s->from, NULL);
	return 0;
}

/* The API's own, which the file's has replaced. */
static int apply_drop(struct step *s, struct err *e)
{
	(void)e;
	route_del(&s->route, NULL);
	return 0;
}

static const struct step_kind add_route = {.object = "route",
	.change = VIADUCT_CHANGE_ADD,
	.phase = PHASE_ROUTE,
	.apply = apply_add,
	.undo = undo_add,
	.describe = describe};
static const struct step_kind set_route = {.object = "route",
	.change = VIADUCT_CHANGE_SET,
	.phase = PHASE_ROUTE,
	.apply = apply_add,
	.undo = undo_set,
	.describe = describe};
static const struct step_kind adopt_route = {.object = "route",
	.change = VIADUCT_CHANGE_ADOPT,
	.phase = PHASE_ROUTE,
	.apply = apply_add,
	.undo = undo_add,
	.describe = describe};
static const struct step_kind drop_route = {.phase = PHASE_REMOVE, .apply = apply_drop};
static const struct step_kind del_route = {.object = "route",
	.change = VIADUCT_CHANGE_DEL,
	.phase = PHASE_REMOVE,
	.apply = apply_del,
	.describe = describe};
static const struct step_kind wait_route = {
	.object = "route", .change = VIADUCT_CHANGE_RESTART, .describe = describe_restart};

static int differs(
	const struct setting *t, const char *name, const char *a, const char *b, void *arg)
{
	(void)t;
	(void)name;
	(void)a;
	(void)b;
	*(bool *)arg = true;
	return 1;
}

static bool same_route(const struct viaduct_route *a, const struct viaduct_route *b)
{
	bool different = false;

	settings_compare(route_settings, a, b, differs, &different);
	return !different;
}

/* A port that is new in the file, too. */
static bool waits_for_port(const struct plan *p, const struct viaduct_route *r)
{
	for (unsigned i = 0; i < p->to->n_ports && r->dev[0] != '\0'; i++) {
		if (strcmp(p->to->ports[i].name, r->dev) == 0)
			return iface_by_name(r->dev) == NULL && !plan_adds_port(p, r->dev);
	}
	return false;
}

static int plan_new(struct plan *p, const struct viaduct_route *to)
{
	struct viaduct_route api;
	const bool adopt = route_given(to, VIADUCT_ORIGIN_API, &api) && same_route(&api, to);
	struct step *s;

	if (plan_add(p, adopt ? &adopt_route : &add_route, NULL, to) == NULL)
		return -ENOMEM;
	if (!adopt)
		return 0;
	s = plan_add(p, &drop_route, NULL, NULL);
	if (s == NULL)
		return -ENOMEM;
	s->route = api;
	return 0;
}

static int plan_one(
	struct plan *p, const struct viaduct_route *from, const struct viaduct_route *to)
{
	struct viaduct_route is;
	struct step *s;

	if (waits_for_port(p, to))
		return plan_add(p, &wait_route, NULL, to) != NULL ? 0 : -ENOMEM;
	if (!route_given(to, VIADUCT_ORIGIN_CONFIG, &is))
		return plan_new(p, to);
	if (from != NULL && same_route(from, to))
		return 0;
	s = plan_add(p, &set_route, from, to);
	if (s == NULL)
		return -ENOMEM;
	s->route = is;
	return 0;
}

static int plan_removal(struct plan *p, const struct lookup *to)
{
	for (unsigned i = 0; i < p->from->n_routes; i++) {
		const struct viaduct_route *from = &p->from->routes[i];
		struct viaduct_route is;

		if (lookup_find(to, from) != NULL || !route_given(from, VIADUCT_ORIGIN_CONFIG, &is))
			continue;
		if (plan_add(p, &del_route, from, NULL) == NULL)
			return -ENOMEM;
	}
	return 0;
}

int plan_routes(struct plan *p, struct err *e)
{
	struct lookup from = {0}, to = {0};
	int ret = lookup_fill(
		&from, route_compare, p->from->routes, p->from->n_routes, sizeof(*p->from->routes));

	if (ret == 0)
		ret = lookup_fill(
			&to, route_compare, p->to->routes, p->to->n_routes, sizeof(*p->to->routes));
	for (unsigned i = 0; i < p->to->n_routes && ret == 0; i++)
		ret = plan_one(p, lookup_find(&from, &p->to->routes[i]), &p->to->routes[i]);
	if (ret == 0)
		ret = plan_removal(p, &to);
	lookup_free(&from);
	lookup_free(&to);
	return ret < 0 ? err_set(e, ENOMEM, "no memory to compare the routes") : 0;
}

/* Those that wait for a restart are still to come. */
void settle_routes(struct plan *p)
{
	struct config *to = p->to;
	unsigned n = 0;

	for (unsigned i = 0; i < to->n_routes; i++) {
		if (!waits_for_port(p, &to->routes[i]))
			to->routes[n++] = to->routes[i];
	}
	to->n_routes = n;
}
