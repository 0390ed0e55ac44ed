/* SPDX-License-Identifier: BSD-3-Clause */
/* What commands do differently while viaductctl batch runs them. */
#ifndef VIADUCT_CLI_BATCH_H
#define VIADUCT_CLI_BATCH_H

#include "control/cli/grammar.h"

/* Send and go on; a refusal is told with the line's number. What follows reads zeros from *rep. */
int batch_call(struct cli *cli, unsigned type, const void *req, void *rep);

#endif
