/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way to viaductd: a connection for requests and one for events, made again every second while
 * they are lost. charon has many threads: requests go one at a time, between link_lock() and
 * link_unlock(), which also guard what the caller remembers about them.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#ifndef LINK_H
#define LINK_H

#include <library.h>

#include <viaduct_api.h>

struct link;

struct link_user {
	/* Connected, lock held, link_call() works. restarted: to a daemon that knows nothing of us. */
	void (*connected)(void *arg, bool restarted);
	/* VIADUCT_EVENT_*, in a thread of charon's, lock not held. */
	void (*event)(void *arg, unsigned type, const void *data);
	void *arg;
};

struct link *link_create(const char *path, unsigned timeout_s, struct link_user user);
/* Connects; if that fails it goes on trying. */
void link_start(struct link *link);
/* charon's threads have ended. */
void link_destroy(struct link *link);

void link_lock(struct link *link);
void link_unlock(struct link *link);

/* As viaduct_call(). -ENOTCONN at once while there is no daemon. */
int link_call(struct link *link, unsigned type, const void *req, void *rep);
/* As viaduct_dump(). */
int link_dump(struct link *link, unsigned type, int (*cb)(const void *item, void *arg), void *arg);
/* Whether such a result means that nobody answered, as opposed to a refusal. */
bool link_lost(int ret);
/* Why the last call failed. */
const char *link_error(const struct link *link);

#endif
