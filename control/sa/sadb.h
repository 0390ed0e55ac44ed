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
struct key_digest;

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
	/* Its ends when it was installed: what a VTI with ends of its own is compared with, so that
	 * an SA that moves stays with its VTI. */
	struct addr first_src, first_dst;
	struct vti *vti;                      /* bound to; NULL: none yet */
	struct sa_entry *vti_prev, *vti_next; /* the VTI's other SAs */
	bool former;                          /* unbound, and not yet discarded */
	LIST_ENTRY(sa_entry) formers;
	bool counted;  /* among the VTI's live ones */
	uint8_t sends; /* enum sa_family: in which of the VTI's lists of senders */
	LIST_ENTRY(sa_entry) sender[2];
	uint32_t reqid, if_id, mark, mark_mask;
	uint32_t api_flags;
	uint16_t key_bits;
	uint8_t origin;          /* enum viaduct_origin: API, CONFIG or IKE */
	struct key_digest *keys; /* of the configuration's SAs (sa_resume.h), else NULL */
	struct viaduct_lifetime life;
	uint64_t created_ns;      /* CLOCK_MONOTONIC */
	uint64_t old_ends_end_ns; /* when packets of its former ends are refused; 0: they are */
	struct sa_stats base;     /* counted before an update replaced the SA */
	bool soft_sent, hard_sent;
	bool watched;
	LIST_ENTRY(sa_entry) watch; /* looked at often: sa_lifetime.c */
	uint64_t serial;            /* rises with every SA: the newest outbound one sends */
	uint8_t families;           /* of its own selectors, enum sa_family; 0: it named none */
	LIST_ENTRY(sa_entry) same_reqid; /* hash chain */
	UT_hash_handle hh;
};

/* Install. Keys are copied into the SA's schedules; the caller wipes its message. */
int sadb_add(const struct viaduct_sa *req, struct err *e);
int sadb_del(const struct viaduct_sa_id *id, struct err *e);
/* Change addresses, ports and encapsulation while packets flow: keys, counters, sequence numbers and
 * replay window stay (sa_update.c). */
int sadb_update(const struct viaduct_sa_update *req, struct err *e);

/* To take an update back: what the SA was before it. */
struct sa_former {
	struct viaduct_sa_id id;
	uint32_t reqid;
	struct sa_ends ends, before; /* before: former ends whose packets it still took */
	uint64_t before_end_ns;
};
void sadb_former(const struct sa_entry *s, struct sa_former *f);
int sadb_update_undo(const struct viaduct_sa_id *id, const struct sa_former *f, struct err *e);
void sadb_flush(void);

/* A deletion that may be taken back (api_undo.c): NULL with -ENOENT in *e; then put back as it was, or
 * freed once no worker can hold it. */
struct sa_entry *sadb_detach(const struct viaduct_sa_id *id, struct err *e);
void sadb_reattach(struct sa_entry *s);
void sadb_discard(struct sa_entry *s);

/* Built and seen by nobody, to be swapped in or discarded. NULL with *e. */
struct sa_entry *sadb_make(const struct viaduct_sa *req, struct err *e);
/* Put it in the place of the SA with the same id and direction, which is returned: there is always one
 * that sends or receives. That one is discarded, or swapped in again. */
struct sa_entry *sadb_swap(struct sa_entry *s);

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

/* For sa_update.c: the destination or reqid it is found by changes. */
void sadb_rename(struct sa_entry *s, const struct viaduct_sa_id *id, uint32_t reqid);
/* An address and SPI are somebody's now: no other SA takes packets there any more because it once had
 * that address. */
void sadb_claim(const struct viaduct_sa_id *id);
/* Free what no worker can find any more, when none holds it. */
void sadb_retire(struct sa *sa);
/* Packets, bytes, errors and last use since it was installed. */
struct sa_stats sadb_stats(const struct sa_entry *s);

/* Look at lifetimes; called once a second. Raises VIADUCT_EVENT_SA_EXPIRE. */
void sadb_tick(void);
/* At those that packets may use up; called ten times a second. */
void sadb_tick_often(void);

/* Policies: what ties a reqid to a mark or if_id when the SA itself carries none (strongSwan's
 * inbound SAs). Counted, since the same one may be installed by several child SAs. */
int policy_add(const struct viaduct_policy *p, struct err *e);
int policy_del(const struct viaduct_policy *p, struct err *e);
void policy_flush(void);
/* A deletion that may be taken back, the last one first (api_undo.c): NULL with -ENOENT in *e; then put
 * back as it was, or freed. */
struct policy;
struct policy *policy_take(const struct viaduct_policy *p, struct err *e);
int policy_put_back(struct policy *p);
bool policy_is_used(const struct policy *p); /* others have installed it too: it did not go */
void policy_discard(struct policy *p);
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
