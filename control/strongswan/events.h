/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What viaductd reports -> what charon does about it.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#ifndef EVENTS_H
#define EVENTS_H

#include <library.h>

#include <viaduct_api.h>

/* charon queues a rekeying (soft) or a deletion (hard) of the CHILD_SA. */
void event_expire(const struct viaduct_sa_id *id, bool hard);

/* Traffic for a tunnel without SAs: charon negotiates what its trap of this reqid is for. */
void event_acquire(const struct viaduct_acquire *acquire);

/* The peer's NAT has given it another address or port. */
void event_mapping(const struct viaduct_mapping *mapping);

#endif
