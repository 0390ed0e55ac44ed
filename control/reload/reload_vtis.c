/* SPDX-License-Identifier: BSD-3-Clause */
/* VTIs. A field that the file leaves as it was keeps what it has now, whoever set it. */
#include "config/tables.h"
#include "control/api/vti_choices.h"
#include "control/iface/ifaces.h"
#include "control/iface/vti_plan.h"
#include "control/log.h"
#include "control/reload/reload_plan.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_FIELDS                                                                                 \
	(VIADUCT_VTI_LOCAL | VIADUCT_VTI_REMOTE | VIADUCT_VTI_REQID | VIADUCT_VTI_IF_ID |          \
		VIADUCT_VTI_MARK)

static void describe(const struct step *s, struct viaduct_change *c)
{
	const struct viaduct_vti *v = s->to != NULL ? s->to : s->from;

	snprintf(c->name, sizeof(c->name), "%s", v->name);
	if (s->from != NULL && s->to != NULL)
		describe_settings(c->text, sizeof(c->text), vti_settings, s->from, s->to);
}

static void describe_adopt(const struct step *s, struct viaduct_change *c)
{
	struct viaduct_vti was = s->vti.conf;

	was.reqid = s->vti.reqid_auto ? 0 : was.reqid;
	snprintf(c->name, sizeof(c->name), "%s", was.name);
	describe_settings(c->text, sizeof(c->text), vti_settings, &was, s->to);
}

static int apply_add(struct step *s, struct err *e)
{
	struct vti *v;
	const int ret = vti_add(s->to, &v, e);

	if (ret == 0)
		v->origin = VIADUCT_ORIGIN_CONFIG;
	return ret;
}

static void undo_add(struct step *s)
{
	vti_del(((const struct viaduct_vti *)s->to)->name, NULL);
}

static void keep_state(struct step *s, const struct vti *v)
{
	s->vti.conf = v->conf;
	s->vti.reqid_auto = v->reqid_auto;
	s->vti.origin = v->origin;
}

static int apply_set(struct step *s, struct err *e)
{
	struct vti *v = vti_by_name(s->vti.wanted.name);

	keep_state(s, v);
	if (s->vti.wanted.fields != 0 && vti_set(&s->vti.wanted, NULL, e) < 0)
		return -EINVAL;
	v->origin = VIADUCT_ORIGIN_CONFIG;
	return 0;
}

static void undo_set(struct step *s)
{
	struct vti *v = vti_by_name(s->vti.conf.name);
	struct err e;

	if (vti_restore(v, &s->vti.conf, s->vti.reqid_auto, &e) < 0)
		log_err("%s: %s", v->conf.name, e.text);
	v->origin = s->vti.origin;
}

/* A key that no other VTI can have: no ends, a reqid of its own. */
static int apply_aside(struct step *s, struct err *e)
{
	const struct vti *v = s->from;
	struct viaduct_vti req = {.fields = KEY_FIELDS};

	keep_state(s, v);
	memcpy(req.name, v->conf.name, sizeof(req.name));
	return vti_set(&req, NULL, e);
}

static int apply_del(struct step *s, struct err *e)
{
	(void)e;
	vti_del(((const struct viaduct_vti *)s->from)->name, NULL);
	return 0;
}

static const struct step_kind add_vti = {.object = "vti",
	.change = VIADUCT_CHANGE_ADD,
	.phase = PHASE_MAKE,
	.apply = apply_add,
	.undo = undo_add,
	.describe = describe};
static const struct step_kind set_vti = {.object = "vti",
	.change = VIADUCT_CHANGE_SET,
	.phase = PHASE_MAKE,
	.apply = apply_set,
	.undo = undo_set,
	.describe = describe};
static const struct step_kind adopt_vti = {.object = "vti",
	.change = VIADUCT_CHANGE_ADOPT,
	.phase = PHASE_MAKE,
	.apply = apply_set,
	.undo = undo_set,
	.describe = describe_adopt};
static const struct step_kind aside_vti = {
	.phase = PHASE_CLEAR, .apply = apply_aside, .undo = undo_set};
static const struct step_kind del_vti = {.object = "vti",
	.change = VIADUCT_CHANGE_DEL,
	.phase = PHASE_REMOVE,
	.apply = apply_del,
	.describe = describe};

static bool same_addr(const struct viaduct_addr *a, const struct viaduct_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static uint32_t full_mask(const struct viaduct_vti *v)
{
	return v->mark != 0 && v->mark_mask == 0 ? UINT32_MAX : v->mark_mask;
}

/* enum viaduct_vti_field of what differs. */
static uint32_t differing(const struct viaduct_vti *a, const struct viaduct_vti *b)
{
	uint32_t f = 0;

	f |= same_addr(&a->local, &b->local) ? 0 : VIADUCT_VTI_LOCAL;
	f |= same_addr(&a->remote, &b->remote) ? 0 : VIADUCT_VTI_REMOTE;
	f |= a->reqid == b->reqid ? 0 : VIADUCT_VTI_REQID;
	f |= a->if_id == b->if_id ? 0 : VIADUCT_VTI_IF_ID;
	f |= a->mark == b->mark && full_mask(a) == full_mask(b) ? 0 : VIADUCT_VTI_MARK;
	f |= strcmp(a->description, b->description) == 0 ? 0 : VIADUCT_VTI_DESCRIPTION;
	f |= a->mtu == b->mtu ? 0 : VIADUCT_VTI_MTU;
	f |= a->admin_up == b->admin_up ? 0 : VIADUCT_VTI_ADMIN;
	f |= a->parallel == b->parallel ? 0 : VIADUCT_VTI_PARALLEL;
	for (unsigned i = 0; i < VTI_CHOICES; i++)
		f |= vti_choice_equal(i, a, b) ? 0 : vti_choice_field(i);
	return f;
}

/* What runs, as a file would say it. */
static struct viaduct_vti as_file(const struct vti *v)
{
	struct viaduct_vti conf = v->conf;

	if (v->reqid_auto)
		conf.reqid = 0;
	return conf;
}

static int plan_one(
	struct plan *p, const struct viaduct_vti *from, const struct viaduct_vti *to, struct err *e)
{
	const struct vti *v = vti_by_name(to->name);
	struct viaduct_vti is;
	struct step *s;
	uint32_t fields;

	if (v == NULL && (iface_by_name(to->name) != NULL || if_nametoindex(to->name) != 0))
		return plan_error(p, e, EBUSY,
			"vtis: %s: an interface of this name exists already; expected another name",
			to->name);
	if (v == NULL) {
		s = plan_add(p, &add_vti, NULL, to);
	} else if (from == NULL || v->origin != VIADUCT_ORIGIN_CONFIG) {
		is = as_file(v);
		fields = differing(&is, to);
		s = plan_add(p, &adopt_vti, NULL, to);
	} else {
		fields = differing(from, to);
		if (fields == 0)
			return 0;
		s = plan_add(p, &set_vti, from, to);
	}
	if (s == NULL)
		return -ENOMEM;
	s->vti.wanted = *to;
	if (v != NULL) {
		s->vti.wanted.fields = fields;
		keep_state(s, v);
	}
	return 0;
}

static int plan_removal(struct plan *p, const struct lookup *to)
{
	for (unsigned i = 0; i < p->from->n_vtis; i++) {
		const struct viaduct_vti *from = &p->from->vtis[i];
		const struct vti *v = vti_by_name(from->name);

		if (lookup_find(to, from) != NULL || v == NULL ||
			v->origin != VIADUCT_ORIGIN_CONFIG)
			continue;
		if (plan_add(p, &del_vti, from, NULL) == NULL)
			return -ENOMEM;
	}
	return 0;
}

/* One that will be, or is. */
struct future {
	const struct vti *v; /* NULL: new */
	struct viaduct_vti conf;
	bool reqid_auto, changes, goes, aside;
	unsigned step; /* where it changes or is new */
};

/* As vti_add() judges (vti.c): automatic reqids tell apart, but where an if_id or mark decides. */
static bool same_key(
	const struct viaduct_vti *a, bool a_auto, const struct viaduct_vti *b, bool b_auto)
{
	const bool keyed = a->if_id != 0 || a->mark != 0;

	if (a->if_id != b->if_id || a->mark != b->mark || a->mark_mask != b->mark_mask ||
		!same_addr(&a->local, &b->local) || !same_addr(&a->remote, &b->remote))
		return false;
	if (a_auto || b_auto)
		return keyed && a_auto && b_auto;
	return a->reqid == b->reqid;
}

static struct future *future_of(struct future *f, unsigned n, const struct vti *v)
{
	for (unsigned i = 0; i < n; i++) {
		if (f[i].v == v)
			return &f[i];
	}
	return NULL;
}

/* All VTIs as they will be; those that go at the end of the list's running part are marked. */
static int foresee(
	const struct plan *p, unsigned first, struct future *f, unsigned *n, struct err *e)
{
	const unsigned n_running = vti_count();
	struct future *at;
	struct err why;

	*n = 0;
	for (const struct vti *v = vti_first(); v != NULL; v = v->hh.next)
		f[(*n)++] = (struct future){.v = v, .conf = v->conf, .reqid_auto = v->reqid_auto};
	for (unsigned i = first; i < p->n; i++) {
		const struct step *s = &p->steps[i];
		const struct viaduct_vti *named = s->to != NULL ? s->to : s->from;
		const struct vti *v = vti_by_name(named->name);

		at = v != NULL ? future_of(f, n_running, v) : &f[(*n)++];
		at->v = v;
		at->step = i;
		at->goes = s->to == NULL;
		at->changes = !at->goes;
		if (at->goes)
			continue;
		memcpy(at->conf.name, named->name, sizeof(at->conf.name));
		if (vti_plan(&s->vti.wanted, v, &at->conf, &at->reqid_auto, &why) < 0)
			return plan_error(p, e, EINVAL, "vtis: %s: %s", named->name, why.text);
	}
	return 0;
}

static int check_unique(const struct plan *p, const struct future *f, unsigned n, struct err *e)
{
	for (unsigned i = 0; i < n; i++) {
		for (unsigned j = 0; j < n && f[i].changes; j++) {
			if (i == j || f[j].goes ||
				!same_key(&f[i].conf, f[i].reqid_auto, &f[j].conf, f[j].reqid_auto))
				continue;
			return plan_error(p, e, EEXIST,
				"vtis: %s: has the same local, remote, if_id, mark and reqid as "
				"%s; "
				"expected one of them to differ",
				f[i].conf.name, f[j].conf.name);
		}
	}
	return 0;
}

/* Who has, now, the key that another will have. */
static bool in_the_way(const struct future *f, unsigned n, const struct future *it)
{
	for (unsigned i = 0; i < n; i++) {
		if (f[i].changes && &f[i] != it &&
			same_key(&f[i].conf, f[i].reqid_auto, &it->v->conf, it->v->reqid_auto))
			return true;
	}
	return false;
}

static int plan_asides(struct plan *p, struct future *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct future *it = &f[i];

		if (it->v == NULL || !(it->changes || it->goes) || !in_the_way(f, n, it))
			continue;
		if (plan_add(p, &aside_vti, it->v, NULL) == NULL)
			return -ENOMEM;
		/* Its own key has to be set again as a whole. */
		if (it->changes) {
			struct viaduct_vti *wanted = &p->steps[it->step].vti.wanted;
			const uint32_t fields = wanted->fields | KEY_FIELDS;

			*wanted = it->conf;
			wanted->fields = fields;
			wanted->reqid = it->reqid_auto ? 0 : wanted->reqid;
		}
	}
	return 0;
}

/* What could be refused half-way, two VTIs that nothing tells apart, is found before. */
static int check_keys(struct plan *p, unsigned first, struct err *e)
{
	struct future *f = calloc(vti_count() + p->n - first + 1, sizeof(*f));
	unsigned n;
	int ret;

	if (f == NULL)
		return -ENOMEM;
	ret = foresee(p, first, f, &n, e);
	if (ret == 0)
		ret = check_unique(p, f, n, e);
	if (ret == 0)
		ret = plan_asides(p, f, n);
	free(f);
	return ret;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct viaduct_vti *)a)->name, ((const struct viaduct_vti *)b)->name);
}

int plan_vtis(struct plan *p, struct err *e)
{
	const unsigned first = p->n;
	struct lookup from = {0}, to = {0};
	int ret =
		lookup_fill(&from, by_name, p->from->vtis, p->from->n_vtis, sizeof(*p->from->vtis));

	if (ret == 0)
		ret = lookup_fill(&to, by_name, p->to->vtis, p->to->n_vtis, sizeof(*p->to->vtis));
	for (unsigned i = 0; i < p->to->n_vtis && ret == 0; i++)
		ret = plan_one(p, lookup_find(&from, &p->to->vtis[i]), &p->to->vtis[i], e);
	if (ret == 0)
		ret = plan_removal(p, &to);
	if (ret == 0 && p->n > first)
		ret = check_keys(p, first, e);
	lookup_free(&from);
	lookup_free(&to);
	return ret == -ENOMEM ? err_set(e, ENOMEM, "no memory to compare the VTIs") : ret;
}
