/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/addr_text.h"
#include "control/iface/vti.h"

#define BUCKETS 4096

LIST_HEAD(vti_list, vti);

static struct vti_list by_if_id[BUCKETS], by_mark[BUCKETS], by_reqid[BUCKETS];

static struct vti_list *bucket(struct vti_list *table, uint32_t key)
{
	return &table[(key ^ key >> 16) % BUCKETS];
}

void vti_match_insert(struct vti *v)
{
	LIST_INSERT_HEAD(bucket(by_if_id, v->conf.if_id), v, same_if_id);
	LIST_INSERT_HEAD(bucket(by_mark, v->conf.mark), v, same_mark);
	LIST_INSERT_HEAD(bucket(by_reqid, v->conf.reqid), v, same_reqid);
}

void vti_match_remove(struct vti *v)
{
	LIST_REMOVE(v, same_if_id);
	LIST_REMOVE(v, same_mark);
	LIST_REMOVE(v, same_reqid);
}

static uint32_t full_mask(uint32_t mask)
{
	return mask != 0 ? mask : UINT32_MAX;
}

/* As in Linux vti: the tunnel's traffic bears the VTI's mark, and an SA is for traffic whose mark,
 * masked by the SA's mask, is the SA's. Also the other way round, for a VTI with a mask. */
static bool mark_matches(const struct viaduct_vti *v, const struct vti_key *key)
{
	return v->mark != 0 &&
		((v->mark & full_mask(key->mark_mask)) == key->mark ||
			(key->mark & full_mask(v->mark_mask)) == v->mark);
}

static bool key_matches(const struct viaduct_vti *v, const struct vti_key *key)
{
	if (key->if_id != 0)
		return v->if_id == key->if_id;
	if (key->mark != 0)
		return mark_matches(v, key);
	return key->reqid != 0 && v->reqid == key->reqid;
}

/* -1: another address; 0: the VTI takes any; 1: the same. */
static int addr_matches(const struct viaduct_addr *of_vti, const struct addr *a)
{
	const struct addr mine = addr_from_api(of_vti);

	if (mine.family == IP_NONE)
		return 0;
	return addr_eq(&mine, a) ? 1 : -1;
}

/* -1: not this one; else the better the higher. */
static int score(const struct viaduct_vti *v, const struct vti_key *key)
{
	const int local = addr_matches(&v->local, &key->local);
	const int remote = addr_matches(&v->remote, &key->remote);

	if (!key_matches(v, key) || local < 0 || remote < 0)
		return -1;
	return 8 * (v->mark == key->mark) + 4 * (v->reqid == key->reqid) + 2 * remote + local;
}

struct best {
	struct vti *vti;
	int score;
};

static void consider(struct best *b, struct vti *v, const struct vti_key *key)
{
	const int s = score(&v->conf, key);

	if (s > b->score)
		*b = (struct best){v, s};
}

/* The same mark beats all that match by a mask: only without one must each VTI be asked. */
static void match_mark(struct best *b, const struct vti_key *key)
{
	struct vti *v;

	LIST_FOREACH (v, bucket(by_mark, key->mark), same_mark)
		consider(b, v, key);
	if (b->vti != NULL && b->vti->conf.mark == key->mark)
		return;
	for (v = vti_first(); v != NULL; v = v->hh.next)
		consider(b, v, key);
}

/* A VTI that names nothing but its two ends takes what runs between them. */
static struct vti *match_ends(const struct vti_key *key)
{
	for (struct vti *v = vti_first(); v != NULL; v = v->hh.next) {
		if (v->reqid_auto && v->conf.if_id == 0 && v->conf.mark == 0 &&
			addr_matches(&v->conf.local, &key->local) == 1 &&
			addr_matches(&v->conf.remote, &key->remote) == 1)
			return v;
	}
	return NULL;
}

struct vti *vti_match(const struct vti_key *key)
{
	struct best b = {.score = -1};
	struct vti *v;

	if (key->if_id != 0) {
		LIST_FOREACH (v, bucket(by_if_id, key->if_id), same_if_id)
			consider(&b, v, key);
	} else if (key->mark != 0) {
		match_mark(&b, key);
	} else if (key->reqid != 0) {
		LIST_FOREACH (v, bucket(by_reqid, key->reqid), same_reqid)
			consider(&b, v, key);
		if (b.vti == NULL)
			b.vti = match_ends(key);
	}
	return b.vti;
}
