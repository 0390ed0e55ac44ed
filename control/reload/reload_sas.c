/* SPDX-License-Identifier: BSD-3-Clause */
/* SAs keyed by hand. What is the same in the file stays as it is, numbers and counters included. */
#include "config/key_digest.h"
#include "config/tables.h"
#include "control/addr_text.h"
#include "control/rcu.h"
#include "control/reload/reload_plan.h"
#include "control/sa/sa_resume.h"

#include "config/setting_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void name_of(const struct viaduct_sa_id *id, char *buf, size_t size)
{
	char dst[ADDR_TEXT_LEN];

	snprintf(buf, size, "0x%08x to %s", id->spi, addr_text(&id->dst, dst));
}

/* Installed as a change of an SA that has a digest. 0, or negative: it is gone again. */
static int mark(const struct step *s, struct sa_entry *entry, struct err *e)
{
	if (sa_resume_mark(entry, s->sa.to) == 0)
		return 0;
	return err_set(e, ENOMEM, "no memory for another SA");
}

static int apply_add(struct step *s, struct err *e)
{
	struct viaduct_sa req = *(const struct viaduct_sa *)s->to;
	int ret;

	req.first_seq = sa_resume_first(&req.id, s->sa.to);
	ret = sadb_add(&req, e);
	if (ret == 0) {
		ret = mark(s, sadb_find(&req.id), e);
		if (ret < 0)
			sadb_del(&req.id, NULL);
	}
	explicit_bzero(&req, sizeof(req));
	return ret;
}

static void undo_add(struct step *s)
{
	sadb_del(&((const struct viaduct_sa *)s->to)->id, NULL);
}

/* The same keys go on with their numbers. */
static struct sa_entry *successor(const struct step *s, const struct sa_entry *old, struct err *e)
{
	struct viaduct_sa req = *(const struct viaduct_sa *)s->to;
	struct sa_entry *new;

	if (key_digest_equal(s->sa.from, s->sa.to))
		req.first_seq = sa_resume_after(old);
	else
		req.first_seq = sa_resume_first(&req.id, s->sa.to);
	new = sadb_make(&req, e);
	explicit_bzero(&req, sizeof(req));
	if (new != NULL && mark(s, new, e) < 0) {
		sadb_discard(new);
		return NULL;
	}
	return new;
}

static int apply_replace(struct step *s, struct err *e)
{
	const struct viaduct_sa *to = s->to;
	struct sa_entry *new = successor(s, sadb_find(&to->id), e);

	if (new == NULL)
		return -EINVAL;
	s->sa.old = sadb_swap(new);
	return 0;
}

static void undo_replace(struct step *s)
{
	sadb_discard(sadb_swap(s->sa.old));
}

static void finish_replace(struct step *s)
{
	sadb_discard(s->sa.old);
}

static void update_from(
	const struct viaduct_sa *is, const struct viaduct_sa *to, struct viaduct_sa_update *u)
{
	*u = (struct viaduct_sa_update){
		.id = is->id,
		.new_src = to->src,
		.new_dst = to->id.dst,
		.new_sport = to->sport,
		.new_dport = to->dport,
		.encap = to->flags & VIADUCT_SA_ENCAP ? 1 : 0,
		.new_reqid = to->reqid,
	};
}

static int apply_update(struct step *s, struct err *e)
{
	struct viaduct_sa_update u;

	update_from(s->from, s->to, &u);
	return sadb_update(&u, e);
}

static void undo_update(struct step *s)
{
	struct viaduct_sa_update u;

	update_from(s->to, s->from, &u);
	sadb_update(&u, NULL);
}

/* Asked for by name: it may have been removed meanwhile, which is as good. */
static int apply_del(struct step *s, struct err *e)
{
	(void)e;
	sadb_del(&((const struct viaduct_sa *)s->from)->id, NULL);
	return 0;
}

/* As its settings are read, without the keys. */
static struct config_sa without_keys(const struct viaduct_sa *sa)
{
	struct config_sa a = {.sa = *sa};

	explicit_bzero(a.sa.enc_key, sizeof(a.sa.enc_key));
	explicit_bzero(a.sa.auth_key, sizeof(a.sa.auth_key));
	return a;
}

static void describe(const struct step *s, struct viaduct_change *c)
{
	const struct viaduct_sa *sa = s->to != NULL ? s->to : s->from;
	struct config_sa from, to;
	size_t n;

	name_of(&sa->id, c->name, sizeof(c->name));
	if (s->from == NULL || s->to == NULL)
		return;
	from = without_keys(s->from);
	to = without_keys(s->to);
	describe_settings(c->text, sizeof(c->text), sa_settings, &from, &to);
	n = strlen(c->text);
	if (!key_digest_equal(s->sa.from, s->sa.to))
		snprintf(c->text + n, sizeof(c->text) - n, "%sother keys", n > 0 ? ", " : "");
}

static const struct step_kind add_sa = {.object = "sa",
	.change = VIADUCT_CHANGE_ADD,
	.phase = PHASE_SA,
	.apply = apply_add,
	.undo = undo_add,
	.describe = describe};
static const struct step_kind replace_sa = {.object = "sa",
	.change = VIADUCT_CHANGE_REPLACE,
	.phase = PHASE_SA,
	.apply = apply_replace,
	.undo = undo_replace,
	.finish = finish_replace,
	.describe = describe};
static const struct step_kind update_sa = {.object = "sa",
	.change = VIADUCT_CHANGE_SET,
	.phase = PHASE_SA,
	.apply = apply_update,
	.undo = undo_update,
	.describe = describe};
static const struct step_kind del_sa = {.object = "sa",
	.change = VIADUCT_CHANGE_DEL,
	.phase = PHASE_REMOVE,
	.apply = apply_del,
	.describe = describe};

enum how {
	SAME,
	IN_PLACE,
	ANEW
};

static int setting_changed(
	const struct setting *t, const char *name, const char *a, const char *b, void *arg)
{
	static const char *const in_place[] = {"src", "encap", "reqid"};
	enum how *how = arg, this = ANEW;

	(void)name;
	(void)a;
	(void)b;
	for (unsigned i = 0; i < sizeof(in_place) / sizeof(in_place[0]); i++) {
		if (strcmp(t->name, in_place[i]) == 0)
			this = IN_PLACE;
	}
	*how = this > *how ? this : *how;
	return 0;
}

/* Where a key stands makes no difference, nor does the name of its file: only what it is. */
static enum how how_to_change(const struct viaduct_sa *from, const struct config_keys *from_keys,
	const struct viaduct_sa *to, const struct config_keys *to_keys)
{
	const struct config_sa a = without_keys(from), b = without_keys(to);
	enum how how = SAME;

	if (!key_digest_equal(&from_keys->digest, &to_keys->digest))
		return ANEW;
	settings_compare(sa_settings, &a, &b, setting_changed, &how);
	return how == IN_PLACE && to->reqid == 0 && from->reqid != 0 ? ANEW : how;
}

static int plan_one(
	struct plan *p, const struct viaduct_sa *from, const struct viaduct_sa *to, struct err *e)
{
	static const struct step_kind *const kinds[] = {
		[IN_PLACE] = &update_sa, [ANEW] = &replace_sa};
	const struct config_keys *from_keys =
		from != NULL ? &p->from->keys[from - p->from->sas] : NULL;
	const struct config_keys *to_keys = &p->to->keys[to - p->to->sas];
	const struct sa_entry *is = sadb_find(&to->id);
	enum how how = SAME;
	char name[VIADUCT_TEXT_LEN];
	struct step *s;

	name_of(&to->id, name, sizeof(name));
	if (is != NULL && is->origin != VIADUCT_ORIGIN_CONFIG)
		return plan_error(p, e, EEXIST,
			"sas: %s: was installed %s; remove it first, or choose another SPI", name,
			is->origin == VIADUCT_ORIGIN_IKE ? "by IKE" : "by the API");
	if (is != NULL && from != NULL)
		how = how_to_change(from, from_keys, to, to_keys);
	if (is != NULL && how == SAME)
		return 0;
	if (is != NULL && from->dir != to->dir)
		return plan_error(p, e, EINVAL,
			"sas: %s: dir: changed; expected another SPI for the other direction",
			name);
	s = plan_add(p, is == NULL ? &add_sa : kinds[how], is == NULL ? NULL : from, to);
	if (s == NULL)
		return -ENOMEM;
	s->sa.from = from_keys != NULL ? &from_keys->digest : NULL;
	s->sa.to = &to_keys->digest;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	return memcmp(&((const struct viaduct_sa *)a)->id, &((const struct viaduct_sa *)b)->id,
		sizeof(struct viaduct_sa_id));
}

static int plan_removal(struct plan *p, const struct lookup *to)
{
	for (unsigned i = 0; i < p->from->n_sas; i++) {
		const struct viaduct_sa *from = &p->from->sas[i];
		const struct sa_entry *is = sadb_find(&from->id);

		if (lookup_find(to, from) != NULL || is == NULL ||
			is->origin != VIADUCT_ORIGIN_CONFIG)
			continue;
		if (plan_add(p, &del_sa, from, NULL) == NULL)
			return -ENOMEM;
	}
	return 0;
}

int plan_sas(struct plan *p, struct err *e)
{
	struct lookup from = {0}, to = {0};
	int ret = lookup_fill(&from, by_id, p->from->sas, p->from->n_sas, sizeof(*p->from->sas));

	if (ret == 0)
		ret = lookup_fill(&to, by_id, p->to->sas, p->to->n_sas, sizeof(*p->to->sas));
	for (unsigned i = 0; i < p->to->n_sas && ret == 0; i++)
		ret = plan_one(p, lookup_find(&from, &p->to->sas[i]), &p->to->sas[i], e);
	if (ret == 0)
		ret = plan_removal(p, &to);
	lookup_free(&from);
	lookup_free(&to);
	return ret == -ENOMEM ? err_set(e, ENOMEM, "no memory to compare the SAs") : ret;
}
