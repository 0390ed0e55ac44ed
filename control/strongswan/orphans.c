/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lists of orphans, few and seldom.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#include "orphans.h"

#include <collections/linked_list.h>
#include <utils/debug.h>

struct orphan {
	struct viaduct_sa_id id;
	struct viaduct_addr local, remote;
	uint32_t reqid;
	bool replaced;
};

struct orphans {
	linked_list_t *sas;      /* struct orphan */
	linked_list_t *policies; /* struct viaduct_policy, of their reqids */
};

struct orphans *orphans_create(void)
{
	struct orphans *orphans;

	INIT(orphans, .sas = linked_list_create(), .policies = linked_list_create(), );
	return orphans;
}

void orphans_forget(struct orphans *orphans)
{
	void *item;

	while (orphans->sas->remove_first(orphans->sas, &item) == SUCCESS)
		free(item);
	while (orphans->policies->remove_first(orphans->policies, &item) == SUCCESS)
		free(item);
}

void orphans_destroy(struct orphans *orphans)
{
	orphans_forget(orphans);
	orphans->sas->destroy(orphans->sas);
	orphans->policies->destroy(orphans->policies);
	free(orphans);
}

static int found_sa(const void *item, void *arg)
{
	const struct viaduct_sa_info *sa = item;
	const bool in = sa->dir == VIADUCT_IN;
	struct orphans *orphans = arg;
	struct orphan *orphan;

	if (sa->origin != VIADUCT_ORIGIN_IKE)
		return 0;
	INIT(orphan, .id = sa->id, .local = in ? sa->id.dst : sa->src,
		.remote = in ? sa->src : sa->id.dst, .reqid = sa->reqid, );
	orphans->sas->insert_last(orphans->sas, orphan);
	return 0;
}

static bool is_of(struct orphans *orphans, uint32_t reqid)
{
	enumerator_t *enumerator = orphans->sas->create_enumerator(orphans->sas);
	struct orphan *orphan;
	bool found = FALSE;

	while (!found && enumerator->enumerate(enumerator, &orphan))
		found = orphan->reqid == reqid;
	enumerator->destroy(enumerator);
	return found;
}

static int found_policy(const void *item, void *arg)
{
	const struct viaduct_policy *policy = item;
	struct orphans *orphans = arg;

	if (is_of(orphans, policy->reqid))
		orphans->policies->insert_last(orphans->policies,
			memcpy(malloc(sizeof(*policy)), policy, sizeof(*policy)));
	return 0;
}

void orphans_find(struct orphans *orphans, struct link *link)
{
	unsigned count;

	if (link_dump(link, VIADUCT_SA_DUMP, found_sa, orphans) < 0)
		return;
	count = orphans->sas->get_count(orphans->sas);
	if (count == 0)
		return;
	link_dump(link, VIADUCT_POLICY_DUMP, found_policy, orphans);
	DBG1(DBG_KNL,
		"viaduct: %u SAs are left of a former charon; they stay until others take over",
		count);
}

static bool same(const struct viaduct_addr *a, const struct viaduct_addr *b)
{
	return memeq(a, b, sizeof(*a));
}

bool orphans_replaced(struct orphans *orphans, const struct viaduct_sa *out)
{
	enumerator_t *enumerator = orphans->sas->create_enumerator(orphans->sas);
	struct orphan *orphan;
	bool some = FALSE;

	while (enumerator->enumerate(enumerator, &orphan)) {
		if (same(&orphan->local, &out->src) && same(&orphan->remote, &out->id.dst))
			orphan->replaced = some = TRUE;
	}
	enumerator->destroy(enumerator);
	return some;
}

/* The new charon may have the same policies: each installed them once, and only the former's
 * are taken back. */
static void remove_policies(struct orphans *orphans, struct link *link)
{
	struct viaduct_policy *policy;
	enumerator_t *enumerator = orphans->policies->create_enumerator(orphans->policies);

	while (enumerator->enumerate(enumerator, &policy)) {
		if (is_of(orphans, policy->reqid))
			continue;
		link_call(link, VIADUCT_POLICY_DEL, policy, NULL);
		orphans->policies->remove_at(orphans->policies, enumerator);
		free(policy);
	}
	enumerator->destroy(enumerator);
}

void orphans_remove_replaced(struct orphans *orphans, struct link *link)
{
	enumerator_t *enumerator = orphans->sas->create_enumerator(orphans->sas);
	struct orphan *orphan;
	unsigned count = 0;

	while (enumerator->enumerate(enumerator, &orphan)) {
		if (!orphan->replaced)
			continue;
		count++;
		link_call(link, VIADUCT_SA_DEL, &orphan->id, NULL);
		orphans->sas->remove_at(orphans->sas, enumerator);
		free(orphan);
	}
	enumerator->destroy(enumerator);
	remove_policies(orphans, link);
	if (count > 0)
		DBG1(DBG_KNL, "viaduct: removed %u SAs of a former charon", count);
}

void orphans_expired(struct orphans *orphans, struct link *link, const struct viaduct_sa_id *id)
{
	enumerator_t *enumerator = orphans->sas->create_enumerator(orphans->sas);
	struct orphan *orphan;

	while (enumerator->enumerate(enumerator, &orphan)) {
		if (memeq(&orphan->id, id, sizeof(*id)))
			orphan->replaced = TRUE;
	}
	enumerator->destroy(enumerator);
	orphans_remove_replaced(orphans, link);
}
