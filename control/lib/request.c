/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests, dumps and events on a connection. */
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* Events kept during calls; a caller that never asks for them loses the connection, not events. */
#define EVENTS_MAX 16384

static int event_check(struct viaduct *v, const struct frame *f)
{
	const int size = viaduct_event_size(f->msg.type);

	if (f->msg.id != 0 || size < 0 || f->msg.len != (unsigned)size)
		return viaduct_break(v, EPROTO, "unexpected event: type %u of %u bytes",
			f->msg.type, f->msg.len);
	return 0;
}

static int event_keep(struct viaduct *v, const struct frame *f)
{
	struct kept_event *ev;
	int ret = event_check(v, f);

	if (ret < 0)
		return ret;
	if (v->n_events >= EVENTS_MAX)
		return viaduct_break(v, ENOBUFS, "%u events were not fetched", v->n_events);
	ev = malloc(sizeof(*ev) + f->msg.len);
	if (ev == NULL)
		return viaduct_break(v, ENOMEM, "no memory for an event");
	ev->next = NULL;
	ev->type = f->msg.type;
	memcpy(ev->data, f->data, f->msg.len);
	*v->events_tail = ev;
	v->events_tail = &ev->next;
	v->n_events++;
	return 0;
}

/* The daemon's refusal as the caller's error. One with id 0 is about the whole connection. */
static int refusal(struct viaduct *v, const struct frame *f)
{
	const size_t max = f->msg.len < VIADUCT_ERROR_LEN ? f->msg.len : VIADUCT_ERROR_LEN;
	const int len = strnlen(f->data, max);
	const int code = f->msg.status <= 4095 ? (int)f->msg.status : EPROTO;

	if (f->msg.id == 0)
		return viaduct_break(v, code, "%.*s", len, (const char *)f->data);
	if (len == 0)
		return viaduct_fail(v, code, "%s", strerror(code));
	return viaduct_fail(v, code, "%.*s", len, (const char *)f->data);
}

/* The next frame that answers request `id` of this type; events on the way are kept. 0 or error. */
static int reply_receive(struct viaduct *v, unsigned type, uint32_t id, struct frame *f)
{
	const size_t size = viaduct_reply_size(type);
	int ret;

	for (;;) {
		ret = frame_receive(v, f, v->timeout_ms);
		if (ret < 0)
			return ret;
		if (ret == 0)
			return viaduct_break(v, ETIMEDOUT, "viaductd did not answer within %d ms",
				v->timeout_ms);
		if (!(f->msg.flags & VIADUCT_EVENT))
			break;
		ret = event_keep(v, f);
		if (ret < 0)
			return ret;
	}
	if (f->msg.flags & VIADUCT_REPLY && f->msg.status != 0 && f->msg.id == 0)
		return refusal(v, f);
	if (!(f->msg.flags & VIADUCT_REPLY) || f->msg.id != id || f->msg.type != type)
		return viaduct_break(v, EPROTO,
			"unexpected frame: type %u id %u flags %#x, awaited the answer to type %u "
			"id %u",
			f->msg.type, f->msg.id, f->msg.flags, type, id);
	if (f->msg.status != 0)
		return refusal(v, f);
	/* The frame that ends a dump is empty. */
	if (f->msg.len != size && f->msg.len != 0)
		return viaduct_break(v, EPROTO, "answer to type %u has %u bytes instead of %zu",
			type, f->msg.len, size);
	return 0;
}

static int request_send(struct viaduct *v, unsigned type, bool dump, const void *req)
{
	const int size = viaduct_request_size(type);
	struct viaduct_msg msg = {.len = size, .type = type};
	struct frame f;
	int ret;

	if (v->broken != 0)
		return v->broken;
	if (v->busy)
		return viaduct_fail(v, EBUSY, "a call from within a callback");
	if (size < 0 || (size > 0 && req == NULL))
		return viaduct_fail(v, EINVAL, "no such request: type %u", type);
	if (dump != message_is_dump(type))
		return viaduct_fail(v, EINVAL, "type %u is %s dump", type, dump ? "no" : "a");
	if (++v->last_id == 0)
		v->last_id = 1; /* 0 marks events */
	msg.id = v->last_id;
	ret = frame_send(v, &msg, req);
	if (ret == -EPIPE || ret == -ECONNRESET) {
		/* Closed by the daemon: its last words may wait to be read. */
		ret = reply_receive(v, type, v->last_id, &f);
		return ret < 0 ? ret
			       : viaduct_break(v, ECONNRESET, "viaductd closed the connection");
	}
	if (ret < 0 && v->broken == 0)
		return viaduct_break(v, -ret, "cannot send to viaductd: %s", strerror(-ret));
	return ret;
}

int viaduct_call(struct viaduct *v, unsigned type, const void *req, void *rep)
{
	struct frame f;
	int ret;

	ret = request_send(v, type, false, req);
	if (ret < 0)
		return ret;
	ret = reply_receive(v, type, v->last_id, &f);
	if (ret < 0)
		return ret;
	if (f.msg.flags & VIADUCT_MORE || f.msg.len != (unsigned)viaduct_reply_size(type))
		return viaduct_break(v, EPROTO, "empty answer to type %u", type);
	if (rep != NULL)
		memcpy(rep, f.data, f.msg.len);
	return 0;
}

int viaduct_dump(struct viaduct *v, unsigned type, const void *req, viaduct_dump_cb cb, void *arg)
{
	struct frame f;
	int ret, stop = 0;

	ret = request_send(v, type, true, req);
	if (ret < 0)
		return ret;
	/* Also after cb has ended it: the rest is read away, so that the next answer is found. */
	for (;;) {
		ret = reply_receive(v, type, v->last_id, &f);
		if (ret < 0)
			return ret;
		if (!(f.msg.flags & VIADUCT_MORE))
			return stop;
		if (f.msg.len == 0)
			return viaduct_break(v, EPROTO, "empty item in the dump of type %u", type);
		if (stop == 0) {
			v->busy = true;
			stop = cb(f.data, arg);
			v->busy = false;
		}
	}
}

static void event_deliver(
	struct viaduct *v, unsigned type, const void *data, viaduct_event_cb cb, void *arg)
{
	v->busy = true;
	cb(type, data, arg);
	v->busy = false;
}

static int events_kept(struct viaduct *v, viaduct_event_cb cb, void *arg)
{
	struct kept_event *ev;
	int n = 0;

	while ((ev = v->events) != NULL) {
		v->events = ev->next;
		if (v->events == NULL)
			v->events_tail = &v->events;
		v->n_events--;
		event_deliver(v, ev->type, ev->data, cb, arg);
		free(ev);
		n++;
	}
	return n;
}

int viaduct_events(struct viaduct *v, int timeout_ms, viaduct_event_cb cb, void *arg)
{
	struct frame f;
	int n, ret;

	if (v->busy)
		return viaduct_fail(v, EBUSY, "a call from within a callback");
	n = events_kept(v, cb, arg);
	while ((ret = frame_receive(v, &f, n > 0 ? 0 : timeout_ms)) > 0) {
		if (f.msg.flags & VIADUCT_REPLY && f.msg.id == 0 && f.msg.status != 0)
			ret = refusal(v, &f);
		else if (!(f.msg.flags & VIADUCT_EVENT))
			ret = viaduct_break(
				v, EPROTO, "unexpected frame: type %u id %u", f.msg.type, f.msg.id);
		else
			ret = event_check(v, &f);
		if (ret < 0)
			break;
		event_deliver(v, f.msg.type, f.data, cb, arg);
		n++;
	}
	/* An error is met again by the next call; what was delivered counts first. */
	return n > 0 ? n : ret;
}
