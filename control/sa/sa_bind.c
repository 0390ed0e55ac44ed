/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/sa/sa_bind.h"
#include "control/iface/vti.h"

#include <utlist.h>

/* May its VTI count on it? (hard lifetime not passed) */
static bool sa_is_live(const struct sa_entry *s)
{
	return !atomic_load_explicit(&s->sa->expired, memory_order_relaxed);
}

bool sa_is_active(const struct sa_entry *s)
{
	if (s->vti == NULL || s->sa->dir != SA_OUT)
		return false;
	return s->vti->iface->sa_out[0] == s->sa || s->vti->iface->sa_out[1] == s->sa;
}

static void set_ends(struct vti_key *key, const struct sa_entry *s, const struct addr *src,
	const struct addr *dst)
{
	const bool in = s->sa->dir == SA_IN;

	key->local = in ? *dst : *src;
	key->remote = in ? *src : *dst;
}

/* strongSwan gives inbound SAs no mark (5.9.8), only their policies: ask those. An SA that has moved
 * stays where it was, also with a VTI that names the former ends. If there is none any more, the
 * present ones say where it belongs. */
static struct vti *find_vti(const struct sa_entry *s)
{
	const struct sa_ends *now = sa_ends_now(s->sa);
	struct vti_key key = {
		.if_id = s->if_id,
		.mark = s->mark,
		.mark_mask = s->mark_mask,
		.reqid = s->reqid,
	};
	struct vti *v;

	if (key.if_id == 0 && key.mark == 0)
		policy_lookup(s->reqid, s->sa->dir, &key.if_id, &key.mark, &key.mark_mask);
	set_ends(&key, s, &s->first_src, &s->first_dst);
	v = vti_match(&key);
	if (v != NULL)
		return v;
	set_ends(&key, s, &now->src, &now->dst);
	return vti_match(&key);
}

/* Without selectors of its own and without policies an SA carries both families. */
static bool carries(const struct sa_entry *s, unsigned family_bit)
{
	unsigned families = s->families;

	if (families == 0)
		families = policy_families(s->reqid, s->sa->dir);
	return families == 0 || (families & family_bit) != 0;
}

static struct sa *newest_out(const struct vti *v, unsigned family_bit)
{
	const struct sa_entry *s, *best = NULL;

	DL_FOREACH2(v->sas, s, vti_next)
	{
		if (s->sa->dir != SA_OUT || !sa_is_live(s) || !carries(s, family_bit))
			continue;
		if (best == NULL || s->serial > best->serial)
			best = s;
	}
	return best != NULL ? best->sa : NULL;
}

void sa_bind_choose(struct vti *v)
{
	const struct sa_entry *s;

	v->sas_in = v->sas_out = 0;
	DL_FOREACH2(v->sas, s, vti_next)
	{
		if (sa_is_live(s))
			(s->sa->dir == SA_IN ? v->sas_in++ : v->sas_out++);
	}
	/* The one store that switches a rekeyed tunnel; the old SA is still good for whoever read
	 * the old pointer. */
	for (unsigned af = 0; af < 2; af++)
		atomic_store_explicit(
			&v->iface->sa_out[af], newest_out(v, 1u << af), memory_order_release);
}

static void detach(struct sa_entry *s)
{
	DL_DELETE2(s->vti->sas, s, vti_prev, vti_next);
	s->vti = NULL;
}

static void attach(struct sa_entry *s, struct vti *v)
{
	DL_APPEND2(v->sas, s, vti_prev, vti_next);
	s->vti = v;
}

void sa_bind(struct sa_entry *s)
{
	struct vti *old = s->vti, *v = find_vti(s);

	if (old != v && old != NULL)
		detach(s);
	if (old != v && v != NULL)
		attach(s, v);
	/* Before it can be chosen to send: who meets the SA finds its interface. */
	atomic_store_explicit(&s->sa->vti, v != NULL ? v->iface : NULL, memory_order_release);
	if (old != v && old != NULL)
		vti_refresh(old);
	if (v != NULL)
		vti_refresh(v);
}

void sa_unbind(struct sa_entry *s)
{
	struct vti *v = s->vti;

	if (v == NULL)
		return;
	/* sa->vti stays: packets that are being decrypted now still arrive on their interface. */
	detach(s);
	vti_refresh(v);
}

void sadb_unbind(struct vti *v)
{
	struct sa_entry *s, *next;

	for (unsigned af = 0; af < 2; af++)
		atomic_store_explicit(&v->iface->sa_out[af], NULL, memory_order_release);
	/* The VTI is out of vti_match()'s reach: they stay unbound or find another one. */
	DL_FOREACH_SAFE2(v->sas, s, next, vti_next)
	{
		detach(s);
		sa_bind(s);
	}
}
