/* SPDX-License-Identifier: BSD-3-Clause */
/* What a VTI would be with a request applied: merged with what it is, checked, its reqid chosen. */
#include "control/iface/vti_plan.h"
#include "control/addr_text.h"
#include "control/api/vti_choices.h"
#include "control/iface/vti_mtu.h"
#include "control/sa/sadb.h"

#include <errno.h>

/* Automatic reqids start where IKE daemons, which count from 1, and people rarely are. */
#define REQID_AUTO_FIRST 16384

#define FIELDS_ALL                                                                                 \
	(VIADUCT_VTI_LOCAL | VIADUCT_VTI_REMOTE | VIADUCT_VTI_REQID | VIADUCT_VTI_IF_ID |          \
		VIADUCT_VTI_MARK | VIADUCT_VTI_DESCRIPTION | VIADUCT_VTI_MTU | VIADUCT_VTI_ADMIN | \
		VIADUCT_VTI_PARALLEL | VIADUCT_VTI_MSS | VIADUCT_VTI_FRAGMENT | VIADUCT_VTI_DF |   \
		VIADUCT_VTI_DSCP | VIADUCT_VTI_ECN | VIADUCT_VTI_TTL | VIADUCT_VTI_FLOW_LABEL |    \
		VIADUCT_VTI_RPF)

static bool reqid_taken(uint32_t reqid)
{
	const struct sa_entry *s;
	const struct vti *v;

	for (v = vti_first(); v != NULL; v = v->hh.next) {
		if (v->conf.reqid == reqid)
			return true;
	}
	for (s = sadb_first(); s != NULL; s = s->hh.next) {
		if (s->reqid == reqid)
			return true;
	}
	return false;
}

static uint32_t reqid_highest(void)
{
	uint32_t highest = 0;
	const struct sa_entry *s;
	const struct vti *v;

	for (v = vti_first(); v != NULL; v = v->hh.next)
		highest = RTE_MAX(highest, v->conf.reqid);
	for (s = sadb_first(); s != NULL; s = s->hh.next)
		highest = RTE_MAX(highest, s->reqid);
	return highest;
}

static uint32_t reqid_new(void)
{
	const uint32_t highest = reqid_highest();
	uint32_t reqid = REQID_AUTO_FIRST;

	if (highest < REQID_AUTO_FIRST)
		return REQID_AUTO_FIRST;
	if (highest < UINT32_MAX)
		return highest + 1;
	while (reqid_taken(reqid))
		reqid++;
	return reqid;
}

/* Lay the fields that the request sets over what holds now. */
static void merge(struct viaduct_vti *conf, const struct viaduct_vti *req)
{
	if (req->fields & VIADUCT_VTI_LOCAL)
		conf->local = req->local;
	if (req->fields & VIADUCT_VTI_REMOTE)
		conf->remote = req->remote;
	if (req->fields & VIADUCT_VTI_REQID)
		conf->reqid = req->reqid;
	if (req->fields & VIADUCT_VTI_IF_ID)
		conf->if_id = req->if_id;
	if (req->fields & VIADUCT_VTI_MARK) {
		conf->mark = req->mark;
		conf->mark_mask = req->mark_mask;
	}
	if (req->fields & VIADUCT_VTI_DESCRIPTION)
		memcpy(conf->description, req->description, sizeof(conf->description));
	if (req->fields & VIADUCT_VTI_MTU)
		conf->mtu = req->mtu;
	if (req->fields & VIADUCT_VTI_ADMIN)
		conf->admin_up = req->admin_up;
	if (req->fields & VIADUCT_VTI_PARALLEL)
		conf->parallel = req->parallel;
	for (unsigned i = 0; i < VTI_CHOICES; i++) {
		if (req->fields & vti_choice_field(i))
			vti_choice_copy(i, conf, req);
	}
	if (conf->ttl == 0)
		conf->ttl = vti_choices[VTI_TTL].def;
}

/* One spelling for each meaning, so that VTIs can be compared. */
static void normalise(struct viaduct_vti *conf)
{
	struct addr a = addr_from_api(&conf->local);

	conf->local = addr_to_api(&a);
	a = addr_from_api(&conf->remote);
	conf->remote = addr_to_api(&a);
	if (conf->mark == 0)
		conf->mark_mask = 0;
	else if (conf->mark_mask == 0)
		conf->mark_mask = UINT32_MAX;
}

static int check_addr(const char *field, const struct viaduct_addr *a, struct err *e)
{
	char text[ADDR_TEXT_LEN];
	bool bad;

	if (a->family == IP_NONE)
		return 0;
	if (a->family != IP_V4 && a->family != IP_V6)
		return err_set(e, EINVAL, "%s: address family %u; expected 4, 6 or 0 (any)", field,
			a->family);
	bad = a->family == IP_V4 ? a->bytes[0] == 0 || a->bytes[0] >= 224 : a->bytes[0] == 0xff;
	if (a->family == IP_V6 && memcmp(a->bytes, (const uint8_t[16]){0}, 16) == 0)
		bad = true;
	if (bad)
		return err_set(
			e, EINVAL, "%s: %s; expected a unicast address", field, addr_text(a, text));
	return 0;
}

static int check_addrs(const struct viaduct_vti *c, struct err *e)
{
	char local[ADDR_TEXT_LEN], remote[ADDR_TEXT_LEN];

	if (check_addr("local", &c->local, e) < 0 || check_addr("remote", &c->remote, e) < 0)
		return -EINVAL;
	if (c->local.family == IP_NONE || c->remote.family == IP_NONE)
		return 0;
	if (c->local.family != c->remote.family)
		return err_set(e, EINVAL,
			"remote: %s; expected an address of the same family as local %s",
			addr_text(&c->remote, remote), addr_text(&c->local, local));
	if (memcmp(&c->local, &c->remote, sizeof(c->local)) == 0)
		return err_set(e, EINVAL, "remote: %s; expected another address than local",
			addr_text(&c->remote, remote));
	return 0;
}

static int check_choices(const struct viaduct_vti *v, struct err *e)
{
	for (unsigned i = 0; i < VTI_CHOICES; i++) {
		const struct choice *c = &vti_choices[i];

		if (!choice_valid(c, v))
			return err_set(e, EINVAL, "%s: %u; expected %s", c->name, choice_get(c, v),
				c->expects);
	}
	return 0;
}

static int check(const struct viaduct_vti *c, struct err *e)
{
	if (check_addrs(c, e) < 0)
		return -EINVAL;
	if (c->mtu != 0 && (c->mtu < VTI_MTU_MIN || c->mtu > VTI_MTU_MAX))
		return err_set(e, EINVAL, "mtu: %u; expected %u to %u, or 0 to compute it", c->mtu,
			VTI_MTU_MIN, VTI_MTU_MAX);
	if (c->admin_up > 1)
		return err_set(e, EINVAL, "admin_up: %u; expected 0 or 1", c->admin_up);
	if (c->parallel > 1)
		return err_set(e, EINVAL, "parallel: %u; expected 0 or 1", c->parallel);
	if (memchr(c->description, '\0', sizeof(c->description)) == NULL)
		return err_set(e, EINVAL, "description: longer than %zu bytes",
			sizeof(c->description) - 1);
	if (c->mark_mask != 0 && (c->mark & ~c->mark_mask) != 0)
		return err_set(e, EINVAL, "mark: 0x%x has bits outside its mask 0x%x", c->mark,
			c->mark_mask);
	return check_choices(c, e);
}

bool vti_same_key(
	const struct viaduct_vti *a, bool a_auto, const struct viaduct_vti *b, bool b_auto)
{
	const bool keyed = a->if_id != 0 || a->mark != 0;

	return a->if_id == b->if_id && a->mark == b->mark && a->mark_mask == b->mark_mask &&
		(a->reqid == b->reqid || (keyed && a_auto && b_auto)) &&
		memcmp(&a->local, &b->local, sizeof(a->local)) == 0 &&
		memcmp(&a->remote, &b->remote, sizeof(a->remote)) == 0;
}

int vti_check_unique(
	const struct viaduct_vti *c, bool reqid_auto, const struct vti *self, struct err *e)
{
	const struct vti *v;

	for (v = vti_first(); v != NULL; v = v->hh.next) {
		if (v == self || !vti_same_key(c, reqid_auto, &v->conf, v->reqid_auto))
			continue;
		return err_set(e, EEXIST,
			"%s: has the same local, remote, if_id, mark and reqid as %s; "
			"expected one of them to differ",
			c->name, v->conf.name);
	}
	return 0;
}

int vti_plan(const struct viaduct_vti *req, const struct vti *self, struct viaduct_vti *conf,
	bool *reqid_auto, struct err *e)
{
	*reqid_auto = self == NULL || self->reqid_auto;
	if (self != NULL)
		*conf = self->conf;
	if (req->fields & ~(uint32_t)FIELDS_ALL)
		return err_set(e, EINVAL, "fields: 0x%x has bits that nobody knows", req->fields);
	merge(conf, req);
	if (check(conf, e) < 0)
		return -EINVAL;
	normalise(conf);
	if (req->fields & VIADUCT_VTI_REQID)
		*reqid_auto = conf->reqid == 0;
	if (conf->reqid == 0)
		conf->reqid = self != NULL && self->reqid_auto ? self->conf.reqid : reqid_new();
	conf->fields = FIELDS_ALL;
	return 0;
}
