/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/iface/vti.h"
#include "control/api/api_server.h"
#include "control/daemon.h"
#include "control/iface/iface_name.h"
#include "control/iface/ifaces.h"
#include "control/iface/twin.h"
#include "control/iface/vti_mtu.h"
#include "control/iface/vti_options.h"
#include "control/iface/vti_plan.h"
#include "control/log.h"
#include "control/netlink/netlink.h"
#include "control/routing/neigh.h"
#include "control/routing/rib.h"
#include "control/sa/hold.h"
#include "control/sa/sa_bind.h"

#include <errno.h>
#include <stdlib.h>

static struct vti *vtis;

struct vti *vti_by_name(const char *name)
{
	struct vti *v;

	HASH_FIND_STR(vtis, name, v);
	return v;
}

struct vti *vti_by_iface(const struct iface *iface)
{
	struct vti *v = vti_by_name(iface->name);

	return v != NULL && v->iface == iface ? v : NULL;
}

struct vti *vti_first(void)
{
	return vtis;
}

unsigned vti_count(void)
{
	return HASH_COUNT(vtis);
}

static int check_name(const char name[VIADUCT_NAME_LEN], struct err *e)
{
	if (memchr(name, '\0', VIADUCT_NAME_LEN) == NULL || !iface_name_valid(name))
		return err_set(e, EINVAL,
			"name: \"%.*s\"; expected 1 to 15 characters without '/' or spaces",
			VIADUCT_NAME_LEN, name);
	if (iface_by_name(name) != NULL)
		return err_set(e, EEXIST, "name: %s exists already", name);
	return 0;
}

static int plan(const struct viaduct_vti *req, const struct vti *self, struct viaduct_vti *conf,
	bool *reqid_auto, struct err *e)
{
	const int rc = vti_plan(req, self, conf, reqid_auto, e);

	return rc == 0 ? vti_check_unique(conf, *reqid_auto, self, e) : rc;
}

/* Until the kernel tells of it, what it tells is older. */
static int set_admin(struct vti *v, bool up, struct err *e)
{
	const int rc = netlink_set_link(v->iface->kernel_ifindex, up, e);

	if (rc < 0)
		return rc;
	v->admin_asked = true;
	iface_set_flag(v->iface, IFACE_UP, up);
	if (!up)
		hold_drop(v);
	return 0;
}

/* The interface, its twin and its place in the dataplane. */
static int build(struct vti *v, struct err *e)
{
	struct outer_rules *rules;
	int rc;

	v->iface = iface_new(IFACE_VTI, v->conf.name, daemon_state.n_workers);
	if (v->iface == NULL)
		return err_set(
			e, ENOSPC, "name: %s: no memory or no interface id left", v->conf.name);
	vti_mtu_asked(v, RTE_ETHER_MTU); /* a new TUN's, which the kernel tells of first */
	vti_mtu_asked(v, v->conf.mtu != 0 ? v->conf.mtu : vti_mtu_compute(v));
	atomic_store_explicit(&v->iface->mtu, v->mtu.asked, memory_order_relaxed);
	rc = vti_options_make(&v->conf, &rules, e);
	if (rc < 0)
		return rc;
	vti_options_apply(v->iface, &v->conf, rules);
	rc = twin_create(v->iface, &v->twin, e);
	if (rc < 0)
		return rc;
	iface_publish(v->iface);
	return v->conf.admin_up ? set_admin(v, true, e) : 0;
}

/* Nothing of the control plane points to it any more. */
static void tear_down(struct vti *v)
{
	if (v->twin != NULL)
		twin_destroy(v->twin);
	if (v->iface != NULL)
		iface_retire(v->iface);
	free(v);
}

/* Once for whatever changed since the last time. */
static void announce(struct vti *v)
{
	struct viaduct_vti_info info;

	if (!v->changed)
		return;
	v->changed = false;
	vti_fill_info(v, &info);
	api_event(VIADUCT_SUB_VTI, VIADUCT_EVENT_VTI, &info, sizeof(info));
}

int vti_add(const struct viaduct_vti *req, struct vti **out, struct err *e)
{
	struct vti *v;
	int rc = check_name(req->name, e);

	if (rc < 0)
		return rc;
	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return err_set(e, ENOMEM, "no memory for another VTI");
	memcpy(v->conf.name, req->name, sizeof(v->conf.name));
	v->origin = VIADUCT_ORIGIN_API;
	rc = plan(req, NULL, &v->conf, &v->reqid_auto, e);
	if (rc == 0)
		rc = build(v, e);
	if (rc < 0) {
		tear_down(v);
		return rc;
	}
	HASH_ADD_KEYPTR(hh, vtis, v->conf.name, strlen(v->conf.name), v);
	vti_match_insert(v);
	v->changed = true;
	sadb_rebind(); /* SAs may have been waiting for it */
	vti_refresh(v);
	log_info("%s: created, reqid %u", v->conf.name, v->conf.reqid);
	if (out != NULL)
		*out = v;
	return 0;
}

/* What the kernel may refuse, before anything else is changed. */
static int set_kernel(struct vti *v, const struct viaduct_vti *conf, struct err *e)
{
	const uint32_t ifindex = v->iface->kernel_ifindex;
	int rc;

	if (conf->mtu != 0 && conf->mtu != v->mtu.asked) {
		rc = netlink_set_mtu(ifindex, conf->mtu, e);
		if (rc < 0)
			return rc;
		vti_mtu_asked(v, conf->mtu);
	}
	if (conf->admin_up == v->conf.admin_up)
		return 0;
	rc = set_admin(v, conf->admin_up, e);
	if (rc < 0)
		vti_mtu_apply(v); /* back to what it was */
	return rc;
}

static int apply(struct vti *v, const struct viaduct_vti *conf, bool reqid_auto, struct err *e)
{
	const bool rebind = !vti_same_key(conf, false, &v->conf, false);
	struct outer_rules *rules;
	int rc = vti_options_make(conf, &rules, e);

	if (rc == 0) {
		rc = set_kernel(v, conf, e);
		if (rc < 0)
			free(rules);
	}
	if (rc < 0)
		return rc;
	vti_match_remove(v);
	v->changed = memcmp(conf, &v->conf, sizeof(*conf)) != 0;
	v->conf = *conf;
	v->reqid_auto = reqid_auto;
	vti_options_apply(v->iface, conf, rules);
	vti_match_insert(v);
	if (rebind)
		sadb_rebind();
	vti_refresh(v);
	return 0;
}

int vti_restore(struct vti *v, const struct viaduct_vti *conf, bool reqid_auto, struct err *e)
{
	return apply(v, conf, reqid_auto, e);
}

int vti_set(const struct viaduct_vti *req, struct vti **out, struct err *e)
{
	struct viaduct_vti conf;
	struct vti *v = NULL;
	bool reqid_auto;
	int rc;

	if (memchr(req->name, '\0', sizeof(req->name)) != NULL)
		v = vti_by_name(req->name);
	if (v == NULL)
		return err_set(e, ENOENT, "name: no VTI %.*s", VIADUCT_NAME_LEN, req->name);
	rc = plan(req, v, &conf, &reqid_auto, e);
	if (rc == 0)
		rc = apply(v, &conf, reqid_auto, e);
	if (rc == 0 && out != NULL)
		*out = v;
	return rc;
}

static void destroy(struct vti *v)
{
	HASH_DEL(vtis, v);
	vti_match_remove(v);
	rib_forget_iface(v->iface);
	neigh_forget_iface(v->iface);
	sadb_unbind(v);
	hold_forget(v);
	tear_down(v);
}

int vti_del(const char *name, struct err *e)
{
	struct vti *v = vti_by_name(name);

	if (v == NULL)
		return err_set(e, ENOENT, "name: no VTI %s", name);
	destroy(v);
	log_info("%s: deleted", name);
	return 0;
}

void vti_fini(void)
{
	struct vti *v, *next;

	HASH_ITER (hh, vtis, v, next)
		destroy(v);
}

void vti_refresh(struct vti *v)
{
	const bool was = iface_has(v->iface, IFACE_CARRIER);
	bool carrier;

	sa_bind_choose(v);
	carrier = v->sas_in > 0 && v->sas_out > 0;
	if (vti_mtu_apply(v))
		v->changed = true;
	if (carrier != was) {
		iface_set_flag(v->iface, IFACE_CARRIER, carrier);
		if (twin_set_carrier(v->twin, carrier) < 0)
			log_err("%s: cannot set the kernel device's carrier", v->conf.name);
		v->changed = true;
	}
	hold_refresh(v); /* now that what waited has an SA, and the MTU is its */
	announce(v);
}

void vti_kernel_link(struct vti *v, bool up, uint32_t mtu, bool promisc)
{
	if (v->admin_asked && up != v->conf.admin_up)
		up = v->conf.admin_up; /* old news */
	else
		v->admin_asked = false;
	if (v->conf.admin_up != up) {
		v->conf.admin_up = up;
		v->changed = true;
	}
	iface_set_flag(v->iface, IFACE_UP, up);
	iface_set_flag(v->iface, IFACE_MIRROR, promisc);
	if (!up)
		hold_drop(v);
	if (vti_mtu_by_hand(v, mtu)) {
		log_notice("%s: MTU set to %u by hand", v->conf.name, mtu);
		v->conf.mtu = mtu;
		v->mtu.asked = mtu;
		v->mtu.n_earlier = 0;
		vti_refresh(v);
	}
	announce(v);
}

void vti_fill_info(const struct vti *v, struct viaduct_vti_info *info)
{
	struct iface_stats sum;
	uint32_t expires;

	iface_stats_sum(v->iface, &sum);
	*info = (struct viaduct_vti_info){
		.vti = v->conf,
		.ifindex = v->iface->kernel_ifindex,
		.mtu_now = iface_mtu(v->iface),
		.path_mtu = vti_mtu_path(v, &expires),
		.carrier = iface_has(v->iface, IFACE_CARRIER),
		.reqid_auto = v->reqid_auto,
		.sas_in = v->sas_in,
		.sas_out = v->sas_out,
		.held = hold_count(v),
		.stats = {sum.rx_packets, sum.rx_bytes, sum.rx_drops, sum.tx_packets, sum.tx_bytes,
			sum.tx_drops},
		.origin = v->origin,
	};
	info->path_mtu_expires = expires;
}
