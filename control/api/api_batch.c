/* SPDX-License-Identifier: BSD-3-Clause */
/* A batch collects requests and does nothing until its commit, which runs them in one turn of the
 * control loop: no other client is served in between. The first that fails has those before it undone.
 * Events wait for the end. */
#include "control/api/api_batch.h"
#include "control/api/api_client.h"
#include "control/api/api_handlers.h"
#include "control/api/api_undo.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct request {
	STAILQ_ENTRY(request) next;
	struct viaduct_msg msg;
	const struct api_change *change;
	union api_undo undo;
	struct viaduct_vti reply; /* of those that have one */
	size_t size;
	uint64_t data[]; /* the request's structure, aligned */
};

struct api_batch {
	STAILQ_HEAD(, request) requests;
	unsigned n;
	size_t bytes;
	int failed; /* negative errno: it can only be ended */
	struct err why;
};

static void clear(struct api_batch *b)
{
	struct request *r;

	while ((r = STAILQ_FIRST(&b->requests)) != NULL) {
		STAILQ_REMOVE_HEAD(&b->requests, next);
		explicit_bzero(r->data, r->size);
		free(r);
	}
	b->n = 0;
	b->bytes = 0;
}

void api_batch_free(struct api_batch *b)
{
	if (b == NULL)
		return;
	clear(b);
	free(b);
}

static void cancel(struct api_client *c, const struct viaduct_msg *msg, const struct err *why)
{
	struct err e;

	err_set(&e, ECANCELED, "not done: %.240s", why->text);
	api_answer(c, msg, -ECANCELED, NULL, &e);
}

/* Request number i is why nothing happens. All that wait are answered, in their order. */
static void fail(struct api_client *c, unsigned i, const struct viaduct_msg *msg, int code,
	const struct err *e)
{
	struct api_batch *b = c->batch;
	const struct request *r;

	b->failed = code;
	err_set(&b->why, -code, "request %u of the batch, %s: %.200s", i,
		api_message_name(msg->type), e->text);
	STAILQ_FOREACH (r, &b->requests, next) {
		if (&r->msg == msg)
			api_answer(c, msg, code, NULL, e);
		else
			cancel(c, &r->msg, &b->why);
	}
	clear(b);
}

static int refuse(const struct api_batch *b, const struct viaduct_msg *msg, size_t size,
	int refused, struct err *e)
{
	if (refused < 0)
		return refused;
	if (api_change(msg->type) == NULL)
		return err_set(
			e, EOPNOTSUPP, "%s can't be part of a batch", api_message_name(msg->type));
	if (b->n >= API_BATCH_REQUESTS || b->bytes + size > API_BATCH_BYTES)
		return err_set(e, E2BIG, "a batch has at most %d requests of %d bytes together",
			API_BATCH_REQUESTS, API_BATCH_BYTES);
	return 0;
}

static struct request *keep(
	struct api_batch *b, const struct viaduct_msg *msg, const void *req, size_t size)
{
	struct request *r = calloc(1, sizeof(*r) + size);

	if (r == NULL)
		return NULL;
	r->msg = *msg;
	r->change = api_change(msg->type);
	r->size = size;
	memcpy(r->data, req, size);
	STAILQ_INSERT_TAIL(&b->requests, r, next);
	b->n++;
	b->bytes += size;
	return r;
}

void api_batch_add(struct api_client *c, const struct viaduct_msg *msg, const void *req,
	size_t size, int refused, const struct err *e)
{
	struct api_batch *b = c->batch;
	struct err why = *e;

	if (b->failed != 0) {
		cancel(c, msg, &b->why);
		return;
	}
	refused = refuse(b, msg, size, refused, &why);
	if (refused == 0 && keep(b, msg, req, size) == NULL)
		refused = err_set(&why, ENOMEM, "no memory for a batch");
	if (refused == 0)
		return;
	fail(c, b->n + 1, msg, refused, &why);
	api_answer(c, msg, refused, NULL, &why);
}

int handle_BATCH_BEGIN(struct api_client *c, const void *req, void *rep, struct err *e)
{
	if (c->batch != NULL)
		return err_set(e, EBUSY, "a batch is open already");
	c->batch = calloc(1, sizeof(*c->batch));
	if (c->batch == NULL)
		return err_set(e, ENOMEM, "no memory for a batch");
	STAILQ_INIT(&c->batch->requests);
	return 0;
}

static void undo_before(struct api_batch *b, const struct request *end)
{
	struct request *done[API_BATCH_REQUESTS], *r;
	unsigned n = 0;

	STAILQ_FOREACH (r, &b->requests, next) {
		if (r == end)
			break;
		done[n++] = r;
	}
	while (n-- > 0)
		done[n]->change->undo(&done[n]->undo);
}

static void keep_all(struct api_client *c)
{
	struct request *r;

	STAILQ_FOREACH (r, &c->batch->requests, next) {
		if (r->change->keep != NULL)
			r->change->keep(&r->undo);
	}
	/* An answer means that the workers forward by it. */
	api_routes_commit();
	STAILQ_FOREACH (r, &c->batch->requests, next)
		api_answer(c, &r->msg, 0, &r->reply, NULL);
}

static int commit(struct api_client *c)
{
	struct api_batch *b = c->batch;
	struct err e = {""};
	struct request *r;
	unsigned i = 0;
	int ret = 0;

	api_events_hold();
	STAILQ_FOREACH (r, &b->requests, next) {
		i++;
		ret = r->change->run(r->data, &r->reply, &r->undo, &e);
		explicit_bzero(r->data, r->size);
		if (ret < 0)
			break;
	}
	if (ret < 0) {
		undo_before(b, r);
		api_routes_commit();
		fail(c, i, &r->msg, ret, &e);
	} else {
		keep_all(c);
	}
	api_events_release(ret == 0);
	return ret;
}

static int no_batch(struct err *e)
{
	return err_set(e, EINVAL, "no batch is open: BATCH_BEGIN comes first");
}

int handle_BATCH_COMMIT(struct api_client *c, const void *req, void *rep, struct err *e)
{
	struct api_batch *b = c->batch;
	int ret;

	if (b == NULL)
		return no_batch(e);
	if (b->failed == 0)
		commit(c);
	ret = b->failed;
	*e = b->why;
	c->batch = NULL;
	api_batch_free(b);
	return ret;
}

int handle_BATCH_ABORT(struct api_client *c, const void *req, void *rep, struct err *e)
{
	struct err why = {"the batch was aborted"};
	struct api_batch *b = c->batch;
	const struct request *r;

	if (b == NULL)
		return no_batch(e);
	STAILQ_FOREACH (r, &b->requests, next)
		cancel(c, &r->msg, &why);
	c->batch = NULL;
	api_batch_free(b);
	return 0;
}
