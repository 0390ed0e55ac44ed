/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SAs and policies in viaductd, by identity.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#include "kept.h"

#include <collections/hashtable.h>
#include <utils/debug.h>
#include <viaduct.h>

#include <errno.h>
#include <sys/mman.h>

struct kept_sa {
	struct viaduct_sa_id id;
	struct viaduct_sa *in; /* inbound: everything, keys too; NULL: outbound */
	uint32_t reqid;
	bool lost; /* outbound: the daemon it was in has ended */
};

struct kept_policy {
	struct viaduct_policy policy;
	unsigned users, traps; /* traps: users that are to be negotiated when there is traffic */
};

struct kept {
	hashtable_t *sas, *policies;
	linked_list_t *missed_sas, *missed_policies; /* deletions */
};

static u_int hash_sa(const struct viaduct_sa_id *id)
{
	return chunk_hash(chunk_from_thing(*id));
}

static bool equal_sas(const struct viaduct_sa_id *a, const struct viaduct_sa_id *b)
{
	return memeq(a, b, sizeof(*a));
}

static u_int hash_policy(const struct viaduct_policy *policy)
{
	return chunk_hash(chunk_from_thing(*policy));
}

static bool equal_policies(const struct viaduct_policy *a, const struct viaduct_policy *b)
{
	return memeq(a, b, sizeof(*a));
}

static void *copy_of(const void *data, size_t len)
{
	void *copy = malloc(len);

	memcpy(copy, data, len);
	return copy;
}

/* A page that is neither swapped nor dumped, as far as the system lets us. */
static struct viaduct_sa *secret_copy(const struct viaduct_sa *sa)
{
	struct viaduct_sa *copy = mmap(
		NULL, sizeof(*copy), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED)
		return NULL;
	mlock(copy, sizeof(*copy));
	madvise(copy, sizeof(*copy), MADV_DONTDUMP);
	*copy = *sa;
	return copy;
}

static void secret_free(struct viaduct_sa *sa)
{
	if (sa == NULL)
		return;
	memwipe(sa, sizeof(*sa));
	munmap(sa, sizeof(*sa));
}

static void sa_free(struct kept_sa *sa)
{
	secret_free(sa->in);
	free(sa);
}

void kept_add_sa(struct kept *kept, const struct viaduct_sa *sa)
{
	struct kept_sa *entry, *old;

	INIT(entry, .id = sa->id, .in = sa->dir == VIADUCT_IN ? secret_copy(sa) : NULL,
		.reqid = sa->reqid, );
	old = kept->sas->put(kept->sas, &entry->id, entry);
	if (old != NULL)
		sa_free(old);
}

void kept_update_sa(struct kept *kept, const struct viaduct_sa_update *update)
{
	struct kept_sa *entry = kept->sas->remove(kept->sas, &update->id);

	if (entry == NULL)
		return;
	entry->id.dst = update->new_dst;
	entry->reqid = update->new_reqid ?: entry->reqid;
	if (entry->in != NULL) {
		entry->in->id = entry->id;
		entry->in->src = update->new_src;
		entry->in->sport = update->new_sport;
		entry->in->dport = update->new_dport;
		entry->in->flags &= ~VIADUCT_SA_ENCAP;
		entry->in->flags |= update->encap ? VIADUCT_SA_ENCAP : 0;
		entry->in->reqid = update->new_reqid ?: entry->in->reqid;
	}
	kept->sas->put(kept->sas, &entry->id, entry);
}

bool kept_has_sa(struct kept *kept, const struct viaduct_sa_id *id)
{
	return kept->sas->get(kept->sas, id) != NULL;
}

void kept_remove_sa(struct kept *kept, const struct viaduct_sa_id *id, bool missed)
{
	struct kept_sa *entry = kept->sas->remove(kept->sas, id);

	/* Also one we never added: the daemon may have taken a request we gave up waiting for. */
	if (missed)
		kept->missed_sas->insert_last(kept->missed_sas, copy_of(id, sizeof(*id)));
	if (entry != NULL)
		sa_free(entry);
}

bool kept_add_policy(struct kept *kept, const struct viaduct_policy *policy, bool trap)
{
	struct kept_policy *entry = kept->policies->get(kept->policies, policy);

	if (entry != NULL) {
		entry->users++;
		entry->traps += trap;
		return FALSE;
	}
	INIT(entry, .policy = *policy, .users = 1, .traps = trap, );
	kept->policies->put(kept->policies, &entry->policy, entry);
	return TRUE;
}

bool kept_remove_policy(struct kept *kept, const struct viaduct_policy *policy, bool trap)
{
	struct kept_policy *entry = kept->policies->get(kept->policies, policy);

	if (entry == NULL)
		return FALSE;
	entry->traps -= trap && entry->traps > 0;
	if (--entry->users > 0)
		return FALSE;
	kept->policies->remove(kept->policies, policy);
	free(entry);
	return TRUE;
}

void kept_missed_policy(struct kept *kept, const struct viaduct_policy *policy)
{
	kept->missed_policies->insert_last(kept->missed_policies, copy_of(policy, sizeof(*policy)));
}

static void forget_missed(struct kept *kept)
{
	void *item;

	while (kept->missed_sas->remove_first(kept->missed_sas, &item) == SUCCESS)
		free(item);
	while (kept->missed_policies->remove_first(kept->missed_policies, &item) == SUCCESS)
		free(item);
}

void kept_catch_up(struct kept *kept, struct link *link)
{
	void *item;

	while (kept->missed_sas->remove_first(kept->missed_sas, &item) == SUCCESS) {
		link_call(link, VIADUCT_SA_DEL, item, NULL);
		free(item);
	}
	while (kept->missed_policies->remove_first(kept->missed_policies, &item) == SUCCESS) {
		link_call(link, VIADUCT_POLICY_DEL, item, NULL);
		free(item);
	}
}

static void restore_policies(struct kept *kept, struct link *link)
{
	struct kept_policy *entry;
	enumerator_t *enumerator;

	enumerator = kept->policies->create_enumerator(kept->policies);
	while (enumerator->enumerate(enumerator, NULL, &entry)) {
		if (link_call(link, VIADUCT_POLICY_ADD, &entry->policy, NULL) < 0)
			DBG1(DBG_KNL, "viaduct: policy of reqid %u is not restored: %s",
				entry->policy.reqid, link_error(link));
	}
	enumerator->destroy(enumerator);
}

static void restore_sas(struct kept *kept, struct link *link)
{
	unsigned restored = 0, lost = 0;
	struct kept_sa *entry;
	enumerator_t *enumerator;

	enumerator = kept->sas->create_enumerator(kept->sas);
	while (enumerator->enumerate(enumerator, NULL, &entry)) {
		if (entry->in == NULL) {
			entry->lost = TRUE;
			lost++;
		} else if (link_call(link, VIADUCT_SA_ADD, entry->in, NULL) == 0) {
			restored++;
		} else {
			DBG1(DBG_KNL, "viaduct: inbound SA %.8x is not restored: %s", entry->id.spi,
				link_error(link));
		}
	}
	enumerator->destroy(enumerator);
	if (restored > 0 || lost > 0)
		DBG1(DBG_KNL, "viaduct: %u inbound SAs restored, %u outbound ones to be rekeyed",
			restored, lost);
}

void kept_restore(struct kept *kept, struct link *link)
{
	forget_missed(kept);
	restore_policies(kept, link);
	restore_sas(kept, link);
}

static bool has_trap(struct kept *kept, uint32_t reqid)
{
	struct kept_policy *entry;
	enumerator_t *enumerator;
	bool found = FALSE;

	enumerator = kept->policies->create_enumerator(kept->policies);
	while (!found && enumerator->enumerate(enumerator, NULL, &entry))
		found = entry->traps > 0 && entry->policy.reqid == reqid;
	enumerator->destroy(enumerator);
	return found;
}

static bool is_being_replaced(struct kept *kept, uint32_t reqid)
{
	struct kept_sa *entry;
	enumerator_t *enumerator;
	bool found = FALSE;

	enumerator = kept->sas->create_enumerator(kept->sas);
	while (!found && enumerator->enumerate(enumerator, NULL, &entry))
		found = entry->lost && entry->reqid == reqid;
	enumerator->destroy(enumerator);
	return found;
}

bool kept_may_acquire(struct kept *kept, uint32_t reqid)
{
	return has_trap(kept, reqid) && !is_being_replaced(kept, reqid);
}

static bool is_policy(const struct viaduct_policy *a, const struct viaduct_policy *b)
{
	return a->dir == b->dir && a->if_id == b->if_id && a->mark == b->mark &&
		a->mark_mask == b->mark_mask &&
		memeq(&a->selector, &b->selector, sizeof(a->selector));
}

/* 0: none, or several. */
static uint32_t reqid_of(struct kept *kept, const struct viaduct_policy *policy)
{
	struct kept_policy *entry;
	enumerator_t *enumerator;
	uint32_t reqid = 0;
	bool several = FALSE;

	enumerator = kept->policies->create_enumerator(kept->policies);
	while (enumerator->enumerate(enumerator, NULL, &entry)) {
		if (!is_policy(&entry->policy, policy))
			continue;
		several |= reqid != 0 && reqid != entry->policy.reqid;
		reqid = entry->policy.reqid;
	}
	enumerator->destroy(enumerator);
	return several ? 0 : reqid;
}

linked_list_t *kept_sas_of(struct kept *kept, const struct viaduct_policy *policy)
{
	const uint32_t reqid = reqid_of(kept, policy);
	const bool in = policy->dir == VIADUCT_IN;
	struct kept_sa *entry;
	enumerator_t *enumerator;
	linked_list_t *sas;

	if (reqid == 0)
		return NULL;
	sas = linked_list_create();
	enumerator = kept->sas->create_enumerator(kept->sas);
	while (enumerator->enumerate(enumerator, NULL, &entry)) {
		if (entry->reqid == reqid && (entry->in != NULL) == in)
			sas->insert_last(sas, copy_of(&entry->id, sizeof(entry->id)));
	}
	enumerator->destroy(enumerator);
	return sas;
}

linked_list_t *kept_lost(struct kept *kept)
{
	linked_list_t *lost = linked_list_create();
	struct kept_sa *entry;
	enumerator_t *enumerator;

	enumerator = kept->sas->create_enumerator(kept->sas);
	while (enumerator->enumerate(enumerator, NULL, &entry)) {
		if (entry->lost)
			lost->insert_last(lost, copy_of(&entry->id, sizeof(entry->id)));
	}
	enumerator->destroy(enumerator);
	return lost;
}

void kept_flush_sas(struct kept *kept)
{
	struct kept_sa *entry;
	enumerator_t *enumerator;

	enumerator = kept->sas->create_enumerator(kept->sas);
	while (enumerator->enumerate(enumerator, NULL, &entry)) {
		kept->sas->remove_at(kept->sas, enumerator);
		sa_free(entry);
	}
	enumerator->destroy(enumerator);
}

void kept_flush_policies(struct kept *kept)
{
	struct kept_policy *entry;
	enumerator_t *enumerator;

	enumerator = kept->policies->create_enumerator(kept->policies);
	while (enumerator->enumerate(enumerator, NULL, &entry)) {
		kept->policies->remove_at(kept->policies, enumerator);
		free(entry);
	}
	enumerator->destroy(enumerator);
}

struct kept *kept_create(void)
{
	struct kept *kept;

	INIT(kept,
		.sas = hashtable_create(
			(hashtable_hash_t)hash_sa, (hashtable_equals_t)equal_sas, 32),
		.policies = hashtable_create(
			(hashtable_hash_t)hash_policy, (hashtable_equals_t)equal_policies, 32),
		.missed_sas = linked_list_create(), .missed_policies = linked_list_create(), );
	return kept;
}

void kept_destroy(struct kept *kept)
{
	kept_flush_sas(kept);
	kept_flush_policies(kept);
	forget_missed(kept);
	kept->sas->destroy(kept->sas);
	kept->policies->destroy(kept->policies);
	kept->missed_sas->destroy(kept->missed_sas);
	kept->missed_policies->destroy(kept->missed_policies);
	free(kept);
}
