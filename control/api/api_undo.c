/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/api/api_undo.h"
#include "control/api/api_handlers.h"
#include "control/iface/vti.h"
#include "control/log.h"
#include "control/sa/spi_alloc.h"

#include <errno.h>
#include <string.h>

static void check(int ret, const struct err *e)
{
	if (ret < 0)
		log_err("taking back a batch: %s", e->text);
}

static int sa_add(const void *req, void *rep, union api_undo *u, struct err *e)
{
	const struct viaduct_sa *r = req;

	u->sa_add.id = r->id;
	u->sa_add.spi_kept_until = spi_kept_until(&r->id);
	return sadb_add(r, e);
}

static void sa_add_undo(union api_undo *u)
{
	struct err e;

	check(sadb_del(&u->sa_add.id, &e), &e);
	if (u->sa_add.spi_kept_until != 0)
		spi_keep(&u->sa_add.id, u->sa_add.spi_kept_until);
}

static int sa_del(const void *req, void *rep, union api_undo *u, struct err *e)
{
	u->sa_del = sadb_detach(req, e);
	return u->sa_del != NULL ? 0 : -ENOENT;
}

static void sa_del_undo(union api_undo *u)
{
	sadb_reattach(u->sa_del);
}

static void sa_del_keep(union api_undo *u)
{
	sadb_discard(u->sa_del);
}

static int sa_update(const void *req, void *rep, union api_undo *u, struct err *e)
{
	const struct viaduct_sa_update *r = req;
	const struct sa_entry *s = sadb_find(&r->id);

	if (s != NULL) {
		u->sa_update.id = (struct viaduct_sa_id){.dst = r->new_dst, .spi = r->id.spi};
		sadb_former(s, &u->sa_update.former);
	}
	return sadb_update(r, e);
}

static void sa_update_undo(union api_undo *u)
{
	struct err e;

	check(sadb_update_undo(&u->sa_update.id, &u->sa_update.former, &e), &e);
}

static int vti_adds(const void *req, void *rep, union api_undo *u, struct err *e)
{
	const struct viaduct_vti *r = req;
	struct vti *v;
	int ret = vti_add(r, &v, e);

	memcpy(u->vti_name.name, r->name, sizeof(u->vti_name.name));
	if (ret == 0)
		*(struct viaduct_vti *)rep = v->conf;
	return ret;
}

static void vti_add_undo(union api_undo *u)
{
	struct err e;

	check(vti_del(u->vti_name.name, &e), &e);
}

static int vti_sets(const void *req, void *rep, union api_undo *u, struct err *e)
{
	const struct viaduct_vti *r = req;
	struct vti *v = vti_by_name(r->name);
	int ret;

	if (v != NULL) {
		u->vti.conf = v->conf;
		u->vti.reqid_auto = v->reqid_auto;
	}
	ret = vti_set(r, &v, e);
	if (ret == 0)
		*(struct viaduct_vti *)rep = v->conf;
	return ret;
}

static void vti_set_undo(union api_undo *u)
{
	struct vti *v = vti_by_name(u->vti.conf.name);
	struct err e;

	check(v != NULL ? vti_restore(v, &u->vti.conf, u->vti.reqid_auto, &e) : 0, &e);
}

/* Its kernel device cannot be brought back: it stays until nothing can fail any more. */
static int vti_dels(const void *req, void *rep, union api_undo *u, struct err *e)
{
	u->vti_name = *(const struct viaduct_name *)req;
	if (vti_by_name(u->vti_name.name) == NULL)
		return err_set(e, ENOENT, "name: no VTI %s", u->vti_name.name);
	return 0;
}

static void vti_del_undo(union api_undo *u)
{
}

/* The same one may have been named twice. */
static void vti_del_keep(union api_undo *u)
{
	if (vti_by_name(u->vti_name.name) != NULL)
		vti_del(u->vti_name.name, NULL);
}

static int policy_adds(const void *req, void *rep, union api_undo *u, struct err *e)
{
	u->policy_add = *(const struct viaduct_policy *)req;
	return policy_add(req, e);
}

static void policy_add_undo(union api_undo *u)
{
	struct err e;

	check(policy_del(&u->policy_add, &e), &e);
}

static int policy_dels(const void *req, void *rep, union api_undo *u, struct err *e)
{
	u->policy_del.policy = policy_take(req, e);
	if (u->policy_del.policy == NULL)
		return -ENOENT;
	u->policy_del.gone = !policy_is_used(u->policy_del.policy);
	return 0;
}

static void policy_del_undo(union api_undo *u)
{
	const int ret = policy_put_back(u->policy_del.policy);
	const struct err e = {"no memory to put a policy back"};

	check(ret, &e);
}

static void policy_del_keep(union api_undo *u)
{
	if (u->policy_del.gone)
		policy_discard(u->policy_del.policy);
}

static void route_of(union api_undo *u, const void *req)
{
	u->route.route = *(const struct viaduct_route *)req;
	u->route.route.origin = VIADUCT_ORIGIN_API;
}

static int route_adds(const void *req, void *rep, union api_undo *u, struct err *e)
{
	route_of(u, req);
	u->route.had = route_replaces(&u->route.route, &u->route.old);
	return api_route_change(&u->route.route, route_add, e);
}

static void route_add_undo(union api_undo *u)
{
	struct err e;

	if (u->route.had)
		check(rib_add(&u->route.old, &e), &e);
	else
		check(route_del(&u->route.route, &e), &e);
}

static int route_dels(const void *req, void *rep, union api_undo *u, struct err *e)
{
	route_of(u, req);
	u->route.had = route_deletes(&u->route.route, &u->route.old);
	return api_route_change(&u->route.route, route_del, e);
}

static void route_del_undo(union api_undo *u)
{
	struct err e;

	if (u->route.had)
		check(rib_add(&u->route.old, &e), &e);
}

const struct api_change *api_change(unsigned type)
{
	static const struct api_change changes[] = {
		[VIADUCT_SA_ADD] = {sa_add, sa_add_undo},
		[VIADUCT_SA_DEL] = {sa_del, sa_del_undo, sa_del_keep},
		[VIADUCT_SA_UPDATE] = {sa_update, sa_update_undo},
		[VIADUCT_VTI_ADD] = {vti_adds, vti_add_undo},
		[VIADUCT_VTI_SET] = {vti_sets, vti_set_undo},
		[VIADUCT_VTI_DEL] = {vti_dels, vti_del_undo, vti_del_keep},
		[VIADUCT_POLICY_ADD] = {policy_adds, policy_add_undo},
		[VIADUCT_POLICY_DEL] = {policy_dels, policy_del_undo, policy_del_keep},
		[VIADUCT_ROUTE_ADD] = {route_adds, route_add_undo},
		[VIADUCT_ROUTE_DEL] = {route_dels, route_del_undo},
	};

	if (type >= sizeof(changes) / sizeof(changes[0]) || changes[type].run == NULL)
		return NULL;
	return &changes[type];
}
