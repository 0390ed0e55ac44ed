/* SPDX-License-Identifier: BSD-3-Clause */
/* Were an SA's keys changed? Asked long after the keys themselves were wiped. */
#ifndef VIADUCT_KEY_DIGEST_H
#define VIADUCT_KEY_DIGEST_H

#include "config/config.h"

#include <stdbool.h>

/* SHA-256 over a secret drawn when the process started, the algorithms and the keys: worth nothing
 * to who has it but not the secret. 0, or -ENOMEM. */
int key_digest(const struct viaduct_sa *a, struct key_digest *d);

bool key_digest_equal(const struct key_digest *a, const struct key_digest *b);

#endif
