/* SPDX-License-Identifier: BSD-3-Clause */
/* That this process's memory stays in this process: never swapped out, in no core file, not read by
 * another process that is not root. */
#ifndef VIADUCT_SECRETS_H
#define VIADUCT_SECRETS_H

#include <stdbool.h>

/* Before the first key is read. What the system refuses is warned of in the log. */
void secrets_protect(void);

/* The configuration's word: core files after all, or none for good. */
void secrets_core_dumps(bool allowed);

/* What called functions have left on the stack: whole vector registers are spilled there when a
 * library's function is first called, and memcpy(3) moves keys through them. */
void secrets_wipe_stack(void);

#endif
