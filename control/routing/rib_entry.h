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
	uint32_t nh_id;                 /* what the FIB has, with a reference; 0: nothing */
	uint32_t old_nh_id;             /* within a commit: what it had */
	struct candidate *candidates;   /* the best first */
	const struct candidate *active; /* the one in the FIB */
	struct rib_entry *next_dirty;
	TAILQ_ENTRY(rib_entry) refused_link;
	UT_hash_handle hh;
};

#define RIB_KEY_LEN (offsetof(struct rib_entry, len) + 1 - offsetof(struct rib_entry, prefix))

struct rib_entry *rib_find(const struct addr *prefix, uint8_t len);
struct rib_entry *rib_first(void);

/* Without candidates any more, and out of the FIB. */
void rib_entry_free(struct rib_entry *e);

/* rib_objects.c */
void rib_object_ref(uint32_t id);
void rib_object_unref(uint32_t id);

/* rib_commit.c: the entry's candidates changed. */
void rib_dirty(struct rib_entry *e);
/* A candidate comes or goes: routes that depend on others may have to be decided anew. */
void rib_depend(const struct rib_entry *e, const struct candidate *c, bool added);
/* A gateway that the API or the configuration gave without a device. */
bool candidate_is_floating(const struct candidate *c);
/* Directly on a device of ours. */
bool candidate_is_connected(const struct candidate *c);
void rib_commit_fini(void);

#endif
