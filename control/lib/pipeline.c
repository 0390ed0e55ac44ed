/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests that do not wait for the answers of those before them. */
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

bool pipeline_waits(const struct viaduct *v)
{
	return v->pipeline != NULL && v->pipeline->count > 0;
}

/* The oldest request's callback. It leaves the queue first: the callback sees what is still awaited. */
static void answer(struct viaduct *v, int status, const char *error, const void *reply)
{
	struct pipeline *p = v->pipeline;
	const struct pending done = p->pending[p->first];
	const struct viaduct_answer a = {
		.type = done.type, .status = status, .error = error, .reply = reply};

	p->first = (p->first + 1) % PIPELINE_MAX;
	p->count--;
	p->refused += status != 0;
	if (done.type == VIADUCT_BATCH_BEGIN && status != 0)
		p->in_batch = false;
	if (done.type == VIADUCT_BATCH_COMMIT || done.type == VIADUCT_BATCH_ABORT)
		p->commit_status = status;
	if (done.cb == NULL)
		return;
	v->busy = true;
	done.cb(&a, done.arg);
	v->busy = false;
}

int pipeline_answer(struct viaduct *v, const struct frame *f)
{
	const struct pending *next = &v->pipeline->pending[v->pipeline->first];
	const void *data = NULL;
	int status = 0;

	if (!(f->msg.flags & VIADUCT_REPLY) || f->msg.flags & VIADUCT_MORE ||
		f->msg.id != next->id || f->msg.type != next->type)
		return viaduct_break(v, EPROTO,
			"unexpected frame: type %u id %u flags %#x, awaited the answer to type %u "
			"id %u",
			f->msg.type, f->msg.id, f->msg.flags, next->type, next->id);
	if (f->msg.status != 0) {
		status = frame_refusal(v, f);
	} else {
		data = frame_payload(v, f, viaduct_reply_size(f->msg.type));
		if (data == NULL)
			return viaduct_break(v, EPROTO,
				"answer to type %u has %u bytes instead of %d", f->msg.type,
				f->msg.len, viaduct_reply_size(f->msg.type));
	}
	answer(v, status, status != 0 ? v->error : "", data);
	return 0;
}

/* The connection is gone: no request is left without an answer. */
static int lost(struct viaduct *v)
{
	while (pipeline_waits(v))
		answer(v, v->broken, v->error, NULL);
	v->pipeline->in_batch = false;
	return v->broken;
}

/* What has been written may hold keys. */
static void out_written(struct pipeline *p, size_t n)
{
	explicit_bzero(p->out + p->out_start, n);
	p->out_start += n;
	if (p->out_start == p->out_end)
		p->out_start = p->out_end = 0;
}

int pipeline_push(struct viaduct *v)
{
	struct pipeline *p = v->pipeline;
	ssize_t n;

	while (p != NULL && p->out_start < p->out_end) {
		n = send(v->fd, p->out + p->out_start, p->out_end - p->out_start,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0) {
			out_written(p, n);
		} else if (errno == EPIPE || errno == ECONNRESET) {
			/* Its last words may wait to be read. */
			out_written(p, p->out_end - p->out_start);
		} else if (errno == EAGAIN) {
			break;
		} else if (errno != EINTR) {
			return viaduct_break(
				v, errno, "cannot send to viaductd: %s", strerror(errno));
		}
	}
	return 0;
}

/* One frame, waiting for it: an answer, or an event that is kept. */
static int frame_await(struct viaduct *v, int timeout_ms)
{
	struct frame f;
	int ret = frame_receive(v, &f, timeout_ms);

	if (ret <= 0)
		return ret;
	if (f.msg.flags & VIADUCT_EVENT)
		ret = event_keep(v, &f);
	else if (f.msg.flags & VIADUCT_REPLY && f.msg.id == 0 && f.msg.status != 0)
		ret = frame_refusal(v, &f);
	else if (pipeline_waits(v))
		ret = pipeline_answer(v, &f);
	else
		ret = viaduct_break(
			v, EPROTO, "unexpected frame: type %u id %u", f.msg.type, f.msg.id);
	return ret < 0 ? ret : 1;
}

/* Until something moved: bytes out, or a frame in. Who only wrote would wait for a daemon that waits for
 * its answers to be read. */
static int progress(struct viaduct *v)
{
	const struct pipeline *p = v->pipeline;
	const short events = p->out_start < p->out_end ? POLLIN | POLLOUT : POLLIN;
	int ret;

	ret = pipeline_push(v);
	/* What has arrived goes first, without asking the kernel. */
	if (ret == 0)
		ret = frame_await(v, 0);
	if (ret != 0)
		return ret;
	ret = connection_wait(v->fd, events, v->timeout_ms);
	if (ret == 0)
		return viaduct_break(
			v, ETIMEDOUT, "viaductd did not answer within %d ms", v->timeout_ms);
	return ret < 0 ? viaduct_break(v, -ret, "poll: %s", strerror(-ret)) : 0;
}

/* Wait until at most so many requests are unanswered. */
static int drain(struct viaduct *v, unsigned left)
{
	int ret = v->broken;

	while (ret >= 0 && v->pipeline->count > left)
		ret = progress(v);
	return ret < 0 ? lost(v) : 0;
}

/* Room for one more request of so many bytes. */
static int make_room(struct viaduct *v, size_t len)
{
	struct pipeline *p = v->pipeline;
	int ret = 0;

	if (p->count == PIPELINE_MAX) {
		if (p->in_batch)
			return viaduct_fail(
				v, E2BIG, "more than %d requests in a batch", PIPELINE_MAX - 2);
		ret = drain(v, PIPELINE_MAX / 2);
	}
	while (ret >= 0 && sizeof(p->out) - p->out_end < len && p->out_end > 0)
		ret = progress(v);
	return ret < 0 ? lost(v) : 0;
}

int viaduct_send(struct viaduct *v, unsigned type, const void *req, viaduct_reply_cb cb, void *arg)
{
	struct viaduct_msg msg = {.type = type};
	struct pipeline *p;
	int ret = request_check(v, type, false, req);

	if (ret < 0)
		return ret;
	if (v->pipeline == NULL) {
		v->pipeline = calloc(1, sizeof(*v->pipeline));
		/* Keys wait in it; where the limit is too low they do so in other memory. */
		if (v->pipeline != NULL)
			mlock(v->pipeline, sizeof(*v->pipeline));
	}
	p = v->pipeline;
	if (p == NULL)
		return viaduct_fail(v, ENOMEM, "no memory to pipeline requests");
	msg.len = message_request_len(type, req);
	ret = make_room(v, sizeof(msg) + msg.len);
	if (ret < 0)
		return ret;
	msg.id = request_id(v);
	memcpy(p->out + p->out_end, &msg, sizeof(msg));
	if (msg.len > 0)
		memcpy(p->out + p->out_end + sizeof(msg), req, msg.len);
	p->out_end += sizeof(msg) + msg.len;
	p->pending[(p->first + p->count++) % PIPELINE_MAX] =
		(struct pending){.id = msg.id, .type = type, .cb = cb, .arg = arg};
	if (type == VIADUCT_BATCH_BEGIN)
		p->in_batch = true;
	else if (type == VIADUCT_BATCH_COMMIT || type == VIADUCT_BATCH_ABORT)
		p->in_batch = false;
	return p->out_end - p->out_start < PIPELINE_OUT / 4 ? 0 : pipeline_push(v);
}

int viaduct_flush(struct viaduct *v)
{
	struct pipeline *p = v->pipeline;
	int ret;

	if (v->busy)
		return viaduct_fail(v, EBUSY, "a call from within a callback");
	if (p == NULL)
		return v->broken;
	if (p->in_batch && v->broken == 0)
		return viaduct_fail(v, EBUSY, "a batch is open: its answers come at the commit");
	ret = drain(v, 0);
	if (ret == 0)
		ret = p->refused;
	p->refused = 0;
	return ret;
}

int pipeline_settle(struct viaduct *v)
{
	if (v->pipeline == NULL)
		return 0;
	if (v->pipeline->in_batch && v->broken == 0)
		return viaduct_fail(v, EBUSY, "a batch is open: only viaduct_send() adds to it");
	return drain(v, 0);
}

int viaduct_begin(struct viaduct *v)
{
	return viaduct_send(v, VIADUCT_BATCH_BEGIN, NULL, NULL, NULL);
}

/* The last refusal read is the commit's own: viaduct_error() says that one. */
static int batch_end(struct viaduct *v, unsigned type)
{
	int ret = viaduct_send(v, type, NULL, NULL, NULL);

	/* Nobody will commit it now: what waits in it is answered with that. */
	if (ret == 0 || v->broken != 0)
		ret = viaduct_flush(v);
	return ret < 0 ? ret : v->pipeline->commit_status;
}

int viaduct_commit(struct viaduct *v)
{
	return batch_end(v, VIADUCT_BATCH_COMMIT);
}

int viaduct_abort(struct viaduct *v)
{
	return batch_end(v, VIADUCT_BATCH_ABORT);
}

void pipeline_free(struct viaduct *v)
{
	if (v->pipeline == NULL)
		return;
	explicit_bzero(v->pipeline->out, sizeof(v->pipeline->out));
	munlock(v->pipeline, sizeof(*v->pipeline));
	free(v->pipeline);
}
