/* SPDX-License-Identifier: BSD-3-Clause */
/* What the daemon may still do once it has read its configuration. */
#ifndef VIADUCT_PRIVILEGES_H
#define VIADUCT_PRIVILEGES_H

#include "config/config.h"

/* Become the configured user, keep the capabilities that the configuration needs, and none can come
 * back. Before there are other threads: capabilities are each thread's own, and new ones inherit. */
int privileges_drop(const struct config *c, struct err *e);

#endif
