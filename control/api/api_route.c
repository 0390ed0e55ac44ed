/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests about routes and neighbours. */
#include "control/addr_text.h"
#include "control/api/api_handlers.h"
#include "control/routing/neigh.h"
#include "control/routing/rib.h"

#include <errno.h>
#include <stdbool.h>

/* A commit waits for the workers to leave the old tables: one does for all requests that came together.
 * Their answers are sent after it, so an answer means that the workers forward by the route. */
static bool uncommitted;

void api_routes_commit(void)
{
	if (uncommitted)
		rib_commit();
	uncommitted = false;
}

int api_route_change(const struct viaduct_route *r,
	int (*change)(const struct viaduct_route *r, struct err *e), struct err *e)
{
	const int ret = change(r, e);

	if (ret == 0)
		uncommitted = true;
	return ret;
}

static int route_change(const struct viaduct_route *req,
	int (*change)(const struct viaduct_route *r, struct err *e), struct err *e)
{
	struct viaduct_route r = *req;

	r.origin = VIADUCT_ORIGIN_API;
	return api_route_change(&r, change, e);
}

int handle_ROUTE_ADD(struct api_client *c, const void *req, void *rep, struct err *e)
{
	return route_change(req, route_add, e);
}

int handle_ROUTE_DEL(struct api_client *c, const void *req, void *rep, struct err *e)
{
	return route_change(req, route_del, e);
}

static int route_item(const struct viaduct_route *r, void *client)
{
	return api_item(client, r);
}

int handle_ROUTE_DUMP(struct api_client *c, const void *req, void *rep, struct err *e)
{
	api_routes_commit();
	return rib_each(route_item, c);
}

int handle_ROUTE_LOOKUP(struct api_client *c, const void *req, void *rep, struct err *e)
{
	const struct viaduct_route_lookup *r = req;
	const struct addr dst = addr_from_api(&r->dst);
	char buf[ADDR_TEXT_LEN];
	int ret;

	api_routes_commit();
	ret = rib_lookup(&dst, rep);
	if (ret < 0)
		return err_set(e, -ret, "no route to %s", addr_text(&r->dst, buf));
	return 0;
}

static int neigh_item(const struct viaduct_neigh *n, void *client)
{
	return api_item(client, n);
}

int handle_NEIGH_DUMP(struct api_client *c, const void *req, void *rep, struct err *e)
{
	return neigh_each(neigh_item, c);
}
