/* SPDX-License-Identifier: BSD-3-Clause */
/* The routing table's entries, between rib.c, which keeps them, and rib_commit.c, which brings them
 * into the FIB. */
#ifndef VIADUCT_RIB_ENTRY_H
#define VIADUCT_RIB_ENTRY_H

#include "control/routing/rib.h"

#include <sys/queue.h>
#include <uthash.h>

/* One way to a prefix: struct rib_route without the prefix. */
struct candidate {
	struct candidate *next;
	struct iface *iface;
	struct addr gateway;
	uint32_t kernel_oif, metric, table, object;
	uint8_t type, origin, protocol;
	uint8_t epoch; /* of the last rib_mark() before it was named */
};

struct rib_entry {
	/* The hash key: address and length. */
	struct addr prefix;
	uint8_t len;
	bool dirty;
	bool refused;                   /* best, but the FIB is full */
	bool missing;                   /* refused, and its packets must not leave in the clear */
	bool partial;                   /* packets of a missing one come here */
	bool around_missing;            /* while covers_mark() looks for these */
	uint32_t nh_id;                 /* what the FIB has, with a reference; 0: nothing */
	uint32_t old_nh_id;             /* within a commit: what it had */
	struct candidate *candidates;   /* the best first */
	const struct candidate *active; /* the one in the FIB */
	struct rib_entry *next_dirty;
	TAILQ_ENTRY(rib_entry) refused_link;
	TAILQ_ENTRY(rib_entry) missing_link, partial_link;
	TAILQ_ENTRY(rib_entry) guard_link; /* where a candidate is a guard */
	UT_hash_handle hh;
};

#define RIB_KEY_LEN (offsetof(struct rib_entry, len) + 1 - offsetof(struct rib_entry, prefix))

/* rib_entry.c */
struct rib_entry *rib_find(const struct addr *prefix, uint8_t len);
struct rib_entry *rib_first(void); /* then ->hh.next */
/* Into the order of rib_each(): by family, address and length. */
void rib_sort(void);
/* The one there is, or a new one. NULL: no memory. */
struct rib_entry *rib_entry_get(const struct addr *prefix, uint8_t len);
/* The longest prefix of at most `len` bits that covers `a` and for which want() says yes. */
struct rib_entry *rib_longest(
	const struct addr *a, int len, bool (*want)(const struct rib_entry *e));
/* The longest prefix around e's, shorter than it, for which want() says yes. */
struct rib_entry *rib_around(
	const struct rib_entry *e, bool (*want)(const struct rib_entry *around));

/* Without candidates any more, and out of the FIB. */
void rib_entry_free(struct rib_entry *e);

/* The entry's guard; NULL: none. */
struct candidate *guard_of(const struct rib_entry *e);

/* rib_objects.c */
void rib_object_ref(uint32_t id);
void rib_object_unref(uint32_t id);

/* rib_guard.c */
static inline bool candidate_is_guard(const struct candidate *c)
{
	return c->origin == VIADUCT_ORIGIN_GUARD;
}
/* Would a route lost with its VTI leave its packets to a port? */
bool candidate_needs_guard(const struct candidate *c);
/* The candidate, which is out of the list, becomes a guard; the caller inserts it. */
void guard_make(struct rib_entry *e, struct candidate *c);
/* One comes or goes. */
void guard_link(struct rib_entry *e);
void guard_unlink(struct rib_entry *e);
/* A candidate of e's changed: guards of longer prefixes may have to be decided anew. */
void guard_depend(const struct rib_entry *e);
void guards_dirty(void);
/* Does the guard of this prefix stop its packets, or is there another tunnel for them? */
bool guard_stops(const struct rib_entry *e);
void guards_fini(void);

/* rib_cover.c: the FIB refused the entry, or no longer does. */
void cover_missing(struct rib_entry *e, bool is);
/* Find anew which ones are `partial`. */
void covers_mark(void);
void cover_forget(struct rib_entry *e);
bool covers_any(void);
void covers_fini(void);

/* rib_commit.c: the entry's candidates changed. */
void rib_dirty(struct rib_entry *e);
/* A candidate comes or goes: routes that depend on others may have to be decided anew. */
void rib_depend(const struct rib_entry *e, const struct candidate *c, bool added);
/* The hop that it comes to now is a tunnel; false for *leads: nowhere now. */
bool candidate_into_tunnel(const struct candidate *c, bool *leads);
/* A gateway that the API or the configuration gave without a device. */
bool candidate_is_floating(const struct candidate *c);
/* Directly on a device of ours. */
bool candidate_is_connected(const struct candidate *c);
void rib_commit_fini(void);

#endif
