/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef VIADUCT_CONFIG_INCLUDES_H
#define VIADUCT_CONFIG_INCLUDES_H

#include "control/err.h"

/* Before libconfig reads `path` and what it includes from `dir`: it ends the process on a directory,
 * and waits for ever on a pipe. 0, or -EINVAL with *e. */
int includes_check(const char *path, const char *dir, struct err *e);

#endif
