/* SPDX-License-Identifier: BSD-3-Clause */
/* Sequence numbers of the configuration's SAs that went: should one come back with the same keys, by
 * `viaductctl reload`, it goes on from there. Neither does it send a number twice, nor does it receive
 * what it received before. Until the daemon ends. */
#ifndef VIADUCT_SA_RESUME_H
#define VIADUCT_SA_RESUME_H

#include "config/config.h"
#include "control/sa/sadb.h"

/* The SA is the configuration's, with these keys. 0, or -ENOMEM. */
int sa_resume_mark(struct sa_entry *s, const struct key_digest *keys);

/* It goes: remember. Nothing for SAs that are not the configuration's. */
void sa_resume_keep(struct sa_entry *s);

/* The first number for an SA with this id and these keys (struct viaduct_sa's first_seq); 0: there was
 * none before. */
uint64_t sa_resume_first(const struct viaduct_sa_id *id, const struct key_digest *keys);

/* The first number for one that takes over from `s`, which workers still use. */
uint64_t sa_resume_after(const struct sa_entry *s);

void sa_resume_fini(void);

#endif
