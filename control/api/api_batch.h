/* SPDX-License-Identifier: BSD-3-Clause */
/* All or nothing: a client's requests between BATCH_BEGIN and BATCH_COMMIT. */
#ifndef VIADUCT_API_BATCH_H
#define VIADUCT_API_BATCH_H

#include "control/err.h"

#include <viaduct_api.h>

/* One commit is one turn of the control loop: these bound how long it can take. */
#define API_BATCH_REQUESTS 1024
#define API_BATCH_BYTES    (2 * 1024 * 1024)

struct api_client;

/* Take a request into the client's open batch: it is answered at the commit, or at once where the batch
 * has failed already. refused: a negative errno and *e where it is no request at all. */
void api_batch_add(struct api_client *c, const struct viaduct_msg *msg, const void *req,
	size_t size, int refused, const struct err *e);

/* The client goes: nothing has happened. Keys are wiped. NULL is no batch. */
struct api_batch;
void api_batch_free(struct api_batch *b);

#endif
