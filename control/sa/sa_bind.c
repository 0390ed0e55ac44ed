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

/* Newest first. What is bound is nearly always the newest; not so when a VTI takes over SAs. */
static void insert_sender(struct sa_entry *s, unsigned af)
{
	struct sa_entry *before = NULL, *next = LIST_FIRST(&s->vti->senders[af]);

	while (next != NULL && next->serial > s->serial) {
		before = next;
		next = LIST_NEXT(next, sender[af]);
	}
	if (before != NULL)
		LIST_INSERT_AFTER(before, s, sender[af]);
	else
		LIST_INSERT_HEAD(&s->vti->senders[af], s, sender[af]);
	s->sends |= 1u << af;
}

static uint32_t *count_of(const struct sa_entry *s)
{
	return s->sa->dir == SA_IN ? &s->vti->sas_in : &s->vti->sas_out;
}

/* Kept up to date with each SA, not worked out from all of them: a VTI may have thousands. */
static void count_in(struct sa_entry *s)
{
	if (!sa_is_live(s))
		return;
	++*count_of(s);
	s->counted = true;
	for (unsigned af = 0; af < 2; af++) {
		if (s->sa->dir == SA_OUT && carries(s, 1u << af))
			insert_sender(s, af);
	}
}

static void count_out(struct sa_entry *s)
{
	if (s->counted)
		--*count_of(s);
	s->counted = false;
	for (unsigned af = 0; af < 2; af++) {
		if (s->sends & 1u << af)
			LIST_REMOVE(s, sender[af]);
	}
	s->sends = 0;
}

void sa_bind_choose(struct vti *v)
{
	/* The one store that switches a rekeyed tunnel; the old SA is still good for whoever read
	 * the old pointer. */
	for (unsigned af = 0; af < 2; af++) {
		const struct sa_entry *s = LIST_FIRST(&v->senders[af]);

		atomic_store_explicit(
			&v->iface->sa_out[af], s != NULL ? s->sa : NULL, memory_order_release);
	}
}

static void detach(struct sa_entry *s)
{
	count_out(s);
	DL_DELETE2(s->vti->sas, s, vti_prev, vti_next);
	s->vti = NULL;
}

static void attach(struct sa_entry *s, struct vti *v)
{
	DL_APPEND2(v->sas, s, vti_prev, vti_next);
	s->vti = v;
	count_in(s);
}

/* It expired, was updated, or its policies say something else now. */
static void recount(struct sa_entry *s)
{
	count_out(s);
	count_in(s);
}

/* They have left their VTI but point to its interface, and are not retired: a batch of changes may put
 * them back. An interface retired before its SA would be freed before it, too. */
static LIST_HEAD(, sa_entry) formers = LIST_HEAD_INITIALIZER(formers);

void sa_let_go(struct sa_entry *s)
{
	if (s->former)
		LIST_REMOVE(s, formers);
	s->former = false;
}

void sa_bind(struct sa_entry *s)
{
	struct vti *old = s->vti, *v = find_vti(s);

	sa_let_go(s);
	if (old != v && old != NULL)
		detach(s);
	if (old != v && v != NULL)
		attach(s, v);
	else if (v != NULL)
		recount(s);
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
	LIST_INSERT_HEAD(&formers, s, formers);
	s->former = true;
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
	LIST_FOREACH (s, &formers, formers) {
		if (atomic_load(&s->sa->vti) == v->iface)
			atomic_store_explicit(&s->sa->vti, NULL, memory_order_release);
	}
}
