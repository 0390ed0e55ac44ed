/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests, dumps and events on a connection. */
#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Events kept during calls; a caller that never asks for them loses the connection, not events. */
#define EVENTS_MAX 16384

/* Shorter: an older daemon, what it does not know is zero. Longer: a newer one, cut. */
const void *frame_payload(struct viaduct *v, const struct frame *f, unsigned size)
{
	if (f->msg.len < message_reply_base(f->msg.type) || (size == 0 && f->msg.len > 0))
		return NULL;
	if (f->msg.len >= size && (uintptr_t)f->data % sizeof(v->payload[0]) == 0)
		return f->data;
	memset(v->payload, 0, size);
	memcpy(v->payload, f->data, f->msg.len < size ? f->msg.len : size);
	return v->payload;
}

/* Its structure, or NULL and the connection is of no more use. */
static const void *event_payload(struct viaduct *v, const struct frame *f)
{
	const int size = viaduct_event_size(f->msg.type);
	const void *data = f->msg.id == 0 && size >= 0 ? frame_payload(v, f, size) : NULL;

	if (data == NULL)
		viaduct_break(v, EPROTO, "unexpected event: type %u of %u bytes", f->msg.type,
			f->msg.len);
	return data;
}

int event_keep(struct viaduct *v, const struct frame *f)
{
	const void *data = event_payload(v, f);
	struct kept_event *ev;
	size_t size;

	if (data == NULL)
		return v->broken;
	if (v->n_events >= EVENTS_MAX)
		return viaduct_break(v, ENOBUFS, "%u events were not fetched", v->n_events);
	size = viaduct_event_size(f->msg.type);
	ev = malloc(sizeof(*ev) + size);
	if (ev == NULL)
		return viaduct_break(v, ENOMEM, "no memory for an event");
	ev->next = NULL;
	ev->type = f->msg.type;
	memcpy(ev->data, data, size);
	*v->events_tail = ev;
	v->events_tail = &ev->next;
	v->n_events++;
	return 0;
}

int frame_refusal(struct viaduct *v, const struct frame *f)
{
	const size_t max = f->msg.len < VIADUCT_ERROR_LEN ? f->msg.len : VIADUCT_ERROR_LEN;
	const int len = strnlen(f->data, max);
	const int code = f->msg.status <= 4095 ? (int)f->msg.status : EPROTO;
	const char *why = len > 0 ? f->data : strerror(code);
	const int why_len = len > 0 ? len : (int)strlen(why);

	if (f->msg.id == 0)
		return viaduct_break(v, code, "%.*s", why_len, why);
	return viaduct_fail(v, code, "%.*s", why_len, why);
}

/* The next frame that is no event; events on the way are kept. 0 or error. */
static int answer_receive(struct viaduct *v, struct frame *f)
{
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
		return frame_refusal(v, f);
	return 0;
}

/* The next frame that answers the last request, of this type (0: of any). 0 or error. */
static int reply_receive(struct viaduct *v, unsigned type, struct frame *f)
{
	int ret = answer_receive(v, f);

	if (ret < 0)
		return ret;
	if (!(f->msg.flags & VIADUCT_REPLY) || f->msg.id != v->last_id ||
		(f->msg.type != type && type != 0))
		return viaduct_break(v, EPROTO,
			"unexpected frame: type %u id %u flags %#x, awaited the answer to type %u "
			"id %u",
			f->msg.type, f->msg.id, f->msg.flags, type, v->last_id);
	return f->msg.status != 0 ? frame_refusal(v, f) : 0;
}

int request_check(struct viaduct *v, unsigned type, bool dump, const void *req)
{
	const int size = viaduct_request_size(type);

	if (v->broken != 0)
		return v->broken;
	if (v->busy)
		return viaduct_fail(v, EBUSY, "a call from within a callback");
	if (size < 0 || (size > 0 && req == NULL))
		return viaduct_fail(v, EINVAL, "no such request: type %u", type);
	if (dump != message_is_dump(type))
		return viaduct_fail(v, EINVAL, "type %u is %s dump", type, dump ? "no" : "a");
	return 0;
}

uint32_t request_id(struct viaduct *v)
{
	if (++v->last_id == 0)
		v->last_id = 1; /* 0 marks events */
	return v->last_id;
}

static int request_send(struct viaduct *v, unsigned type, bool dump, const void *req)
{
	struct viaduct_msg msg = {.type = type};
	struct frame f;
	int ret;

	ret = request_check(v, type, dump, req);
	if (ret == 0)
		ret = pipeline_settle(v);
	if (ret < 0)
		return ret;
	msg.len = message_request_len(type, req);
	msg.id = request_id(v);
	ret = frame_send(v, &msg, req);
	if (ret == -EPIPE || ret == -ECONNRESET) {
		/* Closed by the daemon: its last words may wait to be read. */
		ret = reply_receive(v, type, &f);
		return ret < 0 ? ret
			       : viaduct_break(v, ECONNRESET, "viaductd closed the connection");
	}
	if (ret < 0 && v->broken == 0)
		return viaduct_break(v, -ret, "cannot send to viaductd: %s", strerror(-ret));
	return ret;
}

static int bad_size(struct viaduct *v, const struct frame *f)
{
	return viaduct_break(v, EPROTO, "answer to type %u has %u bytes instead of %d", f->msg.type,
		f->msg.len, viaduct_reply_size(f->msg.type));
}

int viaduct_call(struct viaduct *v, unsigned type, const void *req, void *rep)
{
	const void *data;
	struct frame f;
	int ret;

	ret = request_send(v, type, false, req);
	if (ret < 0)
		return ret;
	ret = reply_receive(v, type, &f);
	if (ret < 0)
		return ret;
	data = frame_payload(v, &f, viaduct_reply_size(type));
	if (f.msg.flags & VIADUCT_MORE || data == NULL)
		return bad_size(v, &f);
	if (rep != NULL)
		memcpy(rep, data, viaduct_reply_size(type));
	return 0;
}

/* A dump's items one after the other. 1: *data is one; 0: that was the last. */
static int item_receive(struct viaduct *v, unsigned type, struct frame *f, const void **data)
{
	int ret = reply_receive(v, type, f);

	if (ret < 0)
		return ret;
	if (!(f->msg.flags & VIADUCT_MORE))
		return f->msg.len == 0 ? 0 : bad_size(v, f);
	/* In a snapshot: of a kind that this library does not know. */
	if (viaduct_reply_size(f->msg.type) < 0)
		*data = NULL;
	else if ((*data = frame_payload(v, f, viaduct_reply_size(f->msg.type))) == NULL)
		return bad_size(v, f);
	return 1;
}

struct items {
	unsigned type; /* 0: several */
	viaduct_dump_cb one;
	viaduct_snapshot_cb any;
	void *arg;
};

/* Also after a callback has ended it: the rest is read away, so that the next answer is found. */
static int items_receive(struct viaduct *v, const struct items *i)
{
	const void *data = NULL;
	struct frame f;
	int ret, stop = 0;

	while ((ret = item_receive(v, i->type, &f, &data)) > 0) {
		if (stop != 0 || data == NULL)
			continue;
		v->busy = true;
		stop = i->one != NULL ? i->one(data, i->arg) : i->any(f.msg.type, data, i->arg);
		v->busy = false;
	}
	return ret < 0 ? ret : stop;
}

int viaduct_dump(struct viaduct *v, unsigned type, const void *req, viaduct_dump_cb cb, void *arg)
{
	const struct items items = {.type = type, .one = cb, .arg = arg};
	int ret;

	if (type == VIADUCT_SNAPSHOT)
		return viaduct_fail(v, EINVAL, "a snapshot has items of several types");
	ret = request_send(v, type, true, req);
	return ret < 0 ? ret : items_receive(v, &items);
}

int viaduct_snapshot(struct viaduct *v, unsigned kinds, viaduct_snapshot_cb cb, void *arg)
{
	const struct viaduct_snapshot req = {.kinds = kinds};
	const struct items items = {.any = cb, .arg = arg};
	int ret = request_send(v, VIADUCT_SNAPSHOT, true, &req);

	return ret < 0 ? ret : items_receive(v, &items);
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

/* One frame that came while nothing in particular was awaited. 1: an event; 0: an answer. */
static int frame_handle(struct viaduct *v, const struct frame *f, viaduct_event_cb cb, void *arg)
{
	const void *data;

	if (f->msg.flags & VIADUCT_EVENT) {
		data = event_payload(v, f);
		if (data == NULL)
			return v->broken;
		event_deliver(v, f->msg.type, data, cb, arg);
		return 1;
	}
	if (f->msg.flags & VIADUCT_REPLY && f->msg.id == 0 && f->msg.status != 0)
		return frame_refusal(v, f);
	if (pipeline_waits(v))
		return pipeline_answer(v, f);
	return viaduct_break(v, EPROTO, "unexpected frame: type %u id %u", f->msg.type, f->msg.id);
}

int viaduct_events(struct viaduct *v, int timeout_ms, viaduct_event_cb cb, void *arg)
{
	struct frame f;
	int n, ret;

	if (v->busy)
		return viaduct_fail(v, EBUSY, "a call from within a callback");
	n = events_kept(v, cb, arg);
	ret = pipeline_push(v);
	while (ret >= 0 && (ret = frame_receive(v, &f, n > 0 ? 0 : timeout_ms)) > 0) {
		ret = frame_handle(v, &f, cb, arg);
		if (ret > 0)
			n++;
	}
	/* An error is met again by the next call; what was delivered counts first. */
	return n > 0 ? n : ret;
}
