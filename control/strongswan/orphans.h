/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a former charon left in viaductd when it was killed. Its SAs go on carrying traffic until new
 * ones between the same two addresses have taken over, or their life ends; then they are removed.
 *
 * All functions: with the link's lock held.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#ifndef ORPHANS_H
#define ORPHANS_H

#include <library.h>

#include <viaduct_api.h>

#include "link.h"

struct orphans;

struct orphans *orphans_create(void);
void orphans_destroy(struct orphans *orphans);

/* Before anything of our own is there: all that an IKE daemon installed is an orphan. */
void orphans_find(struct orphans *orphans, struct link *link);
/* They are gone: viaductd was restarted. */
void orphans_forget(struct orphans *orphans);

/* This outbound SA is installed. TRUE: it takes orphans' place, to be removed a little later, when the
 * peer sends by the new ones too. */
bool orphans_replaced(struct orphans *orphans, const struct viaduct_sa *out);
void orphans_remove_replaced(struct orphans *orphans, struct link *link);

/* A hard lifetime ended: if it was an orphan's, it is removed. */
void orphans_expired(struct orphans *orphans, struct link *link, const struct viaduct_sa_id *id);

#endif
