/* SPDX-License-Identifier: BSD-3-Clause */
/* The security association database's control side: add, delete, update, bind to VTIs, lifetimes. */
#ifndef VIADUCT_SADB_H
#define VIADUCT_SADB_H

#include "control/err.h"
#include "dataplane/sa.h"

#include <sys/queue.h>
#include <uthash.h>
#include <viaduct_api.h>

struct vti;

/* Inner families, one bit each: 1 << AF_INDEX(family). */
enum sa_family {
	SA_FAMILY_V4 = 1 << 0,
	SA_FAMILY_V6 = 1 << 1,
	SA_FAMILY_BOTH = SA_FAMILY_V4 | SA_FAMILY_V6
};

/* What sadb knows of an SA; no keys here: they live in sa->key only. */
struct sa_entry {
	struct viaduct_sa_id id; /* hash key: destination and SPI */
	struct sa *sa;
	struct vti *vti;                      /* bound to; NULL: none yet */
	struct sa_entry *vti_prev, *vti_next; /* the VTI's other SAs */
	uint32_t reqid, if_id, mark, mark_mask;
	uint32_t api_flags;
	uint16_t key_bits;
	struct viaduct_lifetime life;
	uint64_t created_ns;               /* CLOCK_MONOTONIC */
	uint64_t base_packets, base_bytes; /* counted before an update replaced the SA */
	bool soft_sent, hard_sent;
	uint64_t serial;  /* rises with every SA: the newest outbound one sends */
	uint8_t families; /* of its own selectors, enum sa_family; 0: it named none */
	LIST_ENTRY(sa_entry) same_reqid; /* hash chain */
	UT_hash_handle hh;
};

/* Install. Keys are copied into the SA's schedules; the caller wipes its message. */
int sadb_add(const struct viaduct_sa *req, struct err *e);
int sadb_del(const struct viaduct_sa_id *id, struct err *e);
int sadb_update(const struct viaduct_sa_update *req, struct err *e);
void sadb_flush(void);

struct sa_entry *sadb_find(const struct viaduct_sa_id *id);
struct sa_entry *sadb_first(void); /* then ->hh.next */
unsigned sadb_count(void);
void sadb_fill_info(const struct sa_entry *s, struct viaduct_sa_info *info);

/* An unused SPI, drawn at random, kept aside for three minutes. */
int sadb_alloc_spi(const struct viaduct_spi_alloc *req, uint32_t *spi, struct err *e);

/* A VTI or policy came, went or changed: bind every SA again to where it belongs now. */
void sadb_rebind(void);
/* Only those with this reqid: a policy of theirs came or went. */
void sadb_rebind_reqid(uint32_t reqid);
/* A VTI goes: its SAs stay, unbound. */
void sadb_unbind(struct vti *v);

/* Look at lifetimes; called once a second. Raises VIADUCT_EVENT_SA_EXPIRE. */
void sadb_tick(void);

/* Policies: what ties a reqid to a mark or if_id when the SA itself carries none (strongSwan's
 * inbound SAs). Counted, since the same one may be installed by several child SAs. */
int policy_add(const struct viaduct_policy *p, struct err *e);
int policy_del(const struct viaduct_policy *p, struct err *e);
void policy_flush(void);
unsigned policy_count(void);
/* Calls cb for each until it returns not 0. */
int policy_each(int (*cb)(const struct viaduct_policy *p, void *arg), void *arg);
/* if_id and mark that the policies of this reqid and direction give; zeros where none does. */
void policy_lookup(
	uint32_t reqid, uint8_t dir, uint32_t *if_id, uint32_t *mark, uint32_t *mark_mask);
/* Inner families (enum sa_family) that the policies of this reqid and direction cover; 0: no policy. */
unsigned policy_families(uint32_t reqid, uint8_t dir);

void sadb_fini(void);

#endif
