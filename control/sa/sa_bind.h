/* SPDX-License-Identifier: BSD-3-Clause */
/* Which VTI an SA belongs to, and which of a VTI's outbound SAs sends. Between sadb.c, its lifetimes
 * and the VTIs; others use sadb.h. */
#ifndef VIADUCT_SA_BIND_H
#define VIADUCT_SA_BIND_H

#include "control/sa/sadb.h"

/* Bind to where the SA belongs now, which may be nowhere; and again when it expired. */
void sa_bind(struct sa_entry *s);

/* Take it from its VTI; the newest of the others takes over sending. Then it is bound again, or let go
 * before it is retired. */
void sa_unbind(struct sa_entry *s);
void sa_let_go(struct sa_entry *s);

/* Does its VTI send with it, in any family? */
bool sa_is_active(const struct sa_entry *s);

/* Choose the outbound ones: the newest live one of each family. */
void sa_bind_choose(struct vti *v);

#endif
