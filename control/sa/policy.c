/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/addr_text.h"
#include "control/sa/sadb.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

struct policy {
	struct viaduct_policy p;
	uint32_t users; /* child SAs that installed the same one */
	struct policy *prev, *next;
};

/* All policies of one reqid, oldest first: rarely more than six (two families, three directions). */
struct policy_group {
	uint32_t reqid;
	struct policy *list;
	UT_hash_handle hh;
};

static struct policy_group *groups;
static unsigned n_policies;

static struct policy_group *group_find(uint32_t reqid)
{
	struct policy_group *g;

	HASH_FIND_INT(groups, &reqid, g);
	return g;
}

static struct policy_group *group_get(uint32_t reqid)
{
	struct policy_group *g = group_find(reqid);

	if (g != NULL)
		return g;
	g = calloc(1, sizeof(*g));
	if (g == NULL)
		return NULL;
	g->reqid = reqid;
	HASH_ADD_INT(groups, reqid, g);
	return g;
}

/* strongSwan tells policies apart by direction, selector, mark and if_id; the priority may differ
 * between the installation and the removal of the same one. */
static bool same(const struct viaduct_policy *a, const struct viaduct_policy *b)
{
	return a->dir == b->dir && a->if_id == b->if_id && a->mark == b->mark &&
		a->mark_mask == b->mark_mask && memcmp(&a->src, &b->src, sizeof(a->src)) == 0 &&
		memcmp(&a->dst, &b->dst, sizeof(a->dst)) == 0 &&
		memcmp(&a->selector, &b->selector, sizeof(a->selector)) == 0;
}

static struct policy *find(const struct policy_group *g, const struct viaduct_policy *p)
{
	struct policy *known;

	if (g == NULL)
		return NULL;
	DL_FOREACH(g->list, known)
	{
		if (same(&known->p, p))
			return known;
	}
	return NULL;
}

static int check_outer(const char *field, const struct viaduct_addr *a, struct err *e)
{
	if (a->family == IP_NONE || a->family == IP_V4 || a->family == IP_V6)
		return 0;
	return err_set(
		e, EINVAL, "%s: address family %u; expected 4, 6 or 0 (any)", field, a->family);
}

static int check(const struct viaduct_policy *p, struct err *e)
{
	const struct viaduct_selector *s = &p->selector;

	if (p->dir != VIADUCT_IN && p->dir != VIADUCT_OUT)
		return err_set(e, EINVAL, "dir: %u; expected 1 (in) or 2 (out)", p->dir);
	if (p->reqid == 0)
		return err_set(e, EINVAL, "reqid: 0; expected the reqid of the policy's SAs");
	if (s->family != IP_V4 && s->family != IP_V6)
		return err_set(e, EINVAL, "selector.family: %u; expected 4 or 6", s->family);
	if (check_outer("src", &p->src, e) < 0)
		return -EINVAL;
	return check_outer("dst", &p->dst, e);
}

int policy_add(const struct viaduct_policy *p, struct err *e)
{
	struct policy_group *g;
	struct policy *known;
	const int rc = check(p, e);

	if (rc < 0)
		return rc;
	g = group_get(p->reqid);
	known = find(g, p);
	if (known != NULL) {
		known->users++;
		known->p.priority = p->priority;
		return 0;
	}
	known = g != NULL ? calloc(1, sizeof(*known)) : NULL;
	if (known == NULL)
		return err_set(e, ENOMEM, "no memory for another policy");
	known->p = *p;
	known->users = 1;
	DL_APPEND(g->list, known);
	n_policies++;
	sadb_rebind_reqid(p->reqid);
	return 0;
}

static void detach(struct policy_group *g, struct policy *p)
{
	DL_DELETE(g->list, p);
	n_policies--;
	if (g->list == NULL) {
		HASH_DEL(groups, g);
		free(g);
	}
}

struct policy *policy_take(const struct viaduct_policy *p, struct err *e)
{
	struct policy_group *g = group_find(p->reqid);
	struct policy *known = find(g, p);

	if (known == NULL) {
		err_set(e, ENOENT, "no such policy with reqid %u", p->reqid);
		return NULL;
	}
	if (--known->users > 0)
		return known;
	detach(g, known);
	sadb_rebind_reqid(p->reqid);
	return known;
}

bool policy_is_used(const struct policy *p)
{
	return p->users > 0;
}

/* `next` still says before which one it stood: nothing changed since but what was undone. */
int policy_put_back(struct policy *p)
{
	struct policy_group *g;

	if (p->users++ > 0)
		return 0;
	g = group_get(p->p.reqid);
	if (g == NULL)
		return -ENOMEM;
	if (p->next != NULL)
		DL_PREPEND_ELEM(g->list, p->next, p);
	else
		DL_APPEND(g->list, p);
	n_policies++;
	sadb_rebind_reqid(p->p.reqid);
	return 0;
}

void policy_discard(struct policy *p)
{
	free(p);
}

int policy_del(const struct viaduct_policy *p, struct err *e)
{
	struct policy *taken = policy_take(p, e);

	if (taken == NULL)
		return -ENOENT;
	if (!policy_is_used(taken))
		policy_discard(taken);
	return 0;
}

void policy_flush(void)
{
	struct policy_group *g, *next;
	struct policy *p, *next_p;

	HASH_ITER (hh, groups, g, next) {
		DL_FOREACH_SAFE(g->list, p, next_p)
		{
			free(p);
		}
		HASH_DEL(groups, g);
		free(g);
	}
	n_policies = 0;
	sadb_rebind();
}

unsigned policy_count(void)
{
	return n_policies;
}

int policy_each(int (*cb)(const struct viaduct_policy *p, void *arg), void *arg)
{
	struct policy_group *g, *next;
	struct policy *p;
	int rc;

	HASH_ITER (hh, groups, g, next) {
		DL_FOREACH(g->list, p)
		{
			rc = cb(&p->p, arg);
			if (rc != 0)
				return rc;
		}
	}
	return 0;
}

/* The policy that counts is the newest one that names a key: a child SA that was renegotiated with
 * another mark or if_id installs its policies before the old ones go. */
void policy_lookup(
	uint32_t reqid, uint8_t dir, uint32_t *if_id, uint32_t *mark, uint32_t *mark_mask)
{
	const struct policy_group *g = group_find(reqid);
	const struct policy *p;

	*if_id = *mark = *mark_mask = 0;
	if (g == NULL)
		return;
	DL_FOREACH(g->list, p)
	{
		if (p->p.dir != dir || (p->p.if_id == 0 && p->p.mark == 0))
			continue;
		*if_id = p->p.if_id;
		*mark = p->p.mark;
		*mark_mask = p->p.mark_mask;
	}
}

unsigned policy_families(uint32_t reqid, uint8_t dir)
{
	const struct policy_group *g = group_find(reqid);
	const struct policy *p;
	unsigned families = 0;

	if (g == NULL)
		return 0;
	DL_FOREACH(g->list, p)
	{
		if (p->p.dir == dir)
			families |= 1u << AF_INDEX(p->p.selector.family);
	}
	return families;
}
