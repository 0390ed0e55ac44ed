/* SPDX-License-Identifier: BSD-3-Clause */
/* Which SAs are looked at often: those that packets may use up. Others use sadb.h. */
#ifndef VIADUCT_SA_LIFETIME_H
#define VIADUCT_SA_LIFETIME_H

#include "control/sa/sadb.h"

/* It was installed. */
void sa_lifetime_begin(struct sa_entry *s);
/* It goes. */
void sa_lifetime_end(struct sa_entry *s);

#endif
