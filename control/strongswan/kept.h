/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What viaductd was given, to give it again when it was restarted.
 *
 * Inbound SAs are put back as they were. Outbound ones are not: how far their sequence numbers had
 * come is lost with the daemon, and sending with one a second time would repeat an AEAD nonce, which
 * gives away plaintext and the authentication key. Their CHILD_SAs have to be rekeyed instead.
 *
 * Keys (of inbound SAs only) lie in pages of their own that are neither swapped nor dumped, and are
 * wiped. All functions: with the link's lock held.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#ifndef KEPT_H
#define KEPT_H

#include <library.h>

#include <collections/linked_list.h>
#include <viaduct_api.h>

#include "link.h"

struct kept;

struct kept *kept_create(void);
void kept_destroy(struct kept *kept);

void kept_add_sa(struct kept *kept, const struct viaduct_sa *sa);
void kept_update_sa(struct kept *kept, const struct viaduct_sa_update *update);
bool kept_has_sa(struct kept *kept, const struct viaduct_sa_id *id);
/* missed: the daemon did not hear of it; told by kept_catch_up(). */
void kept_remove_sa(struct kept *kept, const struct viaduct_sa_id *id, bool missed);
void kept_flush_sas(struct kept *kept);

/* Policies are counted, as each CHILD_SA installs its own: TRUE where the daemon must be told.
 * trap: it is there to have a CHILD_SA negotiated when there is traffic. */
bool kept_add_policy(struct kept *kept, const struct viaduct_policy *policy, bool trap);
bool kept_remove_policy(struct kept *kept, const struct viaduct_policy *policy, bool trap);
void kept_missed_policy(struct kept *kept, const struct viaduct_policy *policy);
void kept_flush_policies(struct kept *kept);

/* The same daemon is back: what was deleted meanwhile is deleted there. */
void kept_catch_up(struct kept *kept, struct link *link);
/* A new daemon: give it everything. */
void kept_restore(struct kept *kept, struct link *link);

/* Shall charon negotiate for traffic that found no SA? Not without a trap policy of that reqid, nor
 * where a lost SA is being rekeyed: that would make two CHILD_SAs. */
bool kept_may_acquire(struct kept *kept, uint32_t reqid);

/* The SAs of a policy, whose reqid and priority don't count: struct viaduct_sa_id, to be freed. NULL
 * where there is none such, or more than one reqid has it. */
linked_list_t *kept_sas_of(struct kept *kept, const struct viaduct_policy *policy);

/* Outbound SAs that are lost and not yet replaced: struct viaduct_sa_id, to be freed. */
linked_list_t *kept_lost(struct kept *kept);

#endif
