/* SPDX-License-Identifier: BSD-3-Clause */
/* From a frame to its handler and back: one table, made of the message list. */
#include "control/api_client.h"
#include "control/api_handlers.h"
#include "control/log.h"

#include <errno.h>
#include <string.h>

struct api_message {
	const char *name;
	uint16_t req_size, rep_size;
	bool write, dump;
	int (*check)(const void *req, struct err *e);
	api_handler handler;
};

static const struct api_message messages[] = {
#define X(name, number, req, rep, write, dump)                                                     \
	[number] = {#name, sizeof(struct req), sizeof(struct rep), write, dump, check_##req,       \
		handle_##name},
	VIADUCT_MESSAGES(X)
#undef X
};

/* Room for any request or reply, aligned for any field. */
union api_buffer {
	uint64_t align;
#define X(name, number, req, rep, write, dump)                                                     \
	struct req name##_req;                                                                     \
	struct rep name##_rep;
	VIADUCT_MESSAGES(X)
#undef X
};

_Static_assert(sizeof(union api_buffer) <= VIADUCT_MSG_MAX, "every message fits a frame");

static const struct api_message *message_find(unsigned type)
{
	if (type >= sizeof(messages) / sizeof(messages[0]) || messages[type].name == NULL)
		return NULL;
	return &messages[type];
}

int api_item(struct api_client *c, const void *item)
{
	const struct viaduct_msg msg = {.len = messages[c->now.type].rep_size,
		.type = c->now.type,
		.flags = VIADUCT_REPLY | VIADUCT_MORE,
		.id = c->now.id};

	return api_client_send(c, &msg, item);
}

/* Why this frame may not reach its handler; 0 where it may. */
static int frame_refusal(const struct api_client *c, const struct viaduct_msg *msg,
	const struct api_message *m, struct err *e)
{
	if (msg->flags != 0 || msg->status != 0)
		return err_set(e, EINVAL, "request with flags %#x and status %u, both must be 0",
			msg->flags, msg->status);
	if (m == NULL)
		return err_set(e, EOPNOTSUPP, "unknown request type %u in API version %d",
			msg->type, VIADUCT_API_VERSION);
	if (msg->len != m->req_size)
		return err_set(
			e, EMSGSIZE, "%s takes %u bytes, not %u", m->name, m->req_size, msg->len);
	if (m->write && !c->writable)
		return err_set(e, EPERM, "%s: this client may only read", m->name);
	return 0;
}

/* A dump is built in one go, so that it shows one moment; others' unread ones are bounded. */
static int dump_run(
	struct api_client *c, const struct api_message *m, const void *req, struct err *e)
{
	const struct api_client *other;
	size_t queued = 0;
	int ret;

	LIST_FOREACH (other, &api_clients, link)
		queued += api_client_queued(other);
	if (queued > API_DUMPS_MAX)
		return err_set(e, EAGAIN,
			"%zu bytes of dumps wait to be read by clients: try again later", queued);
	ret = m->handler(c, req, NULL, e);
	c->dump_bytes = api_client_queued(c);
	return ret;
}

static int request_run(struct api_client *c, const struct viaduct_msg *msg,
	const struct api_message *m, const uint8_t *payload, union api_buffer *rep, struct err *e)
{
	union api_buffer req;
	int ret;

	memcpy(&req, payload, msg->len);
	ret = m->check(&req, e);
	if (ret == 0)
		ret = m->dump ? dump_run(c, m, &req, e) : m->handler(c, &req, rep, e);
	explicit_bzero(&req, msg->len);
	return ret;
}

/* Nothing but HELLO may come first; the version is its handler's to judge. */
static bool greeted(struct api_client *c, const struct viaduct_msg *msg)
{
	if (msg->id == 0) {
		api_client_refuse(c, EINVAL, "request with id 0, which marks events");
		return false;
	}
	if (!c->hello && msg->type != VIADUCT_HELLO) {
		api_client_refuse(c, EPROTO, "the first request must be HELLO");
		return false;
	}
	return true;
}

void api_dispatch(struct api_client *c, const struct viaduct_msg *msg, const uint8_t *payload)
{
	const struct api_message *m = message_find(msg->type);
	struct viaduct_msg reply = {.type = msg->type, .flags = VIADUCT_REPLY, .id = msg->id};
	union api_buffer rep;
	struct err e = {""};
	int ret;

	if (!greeted(c, msg))
		return;
	ret = frame_refusal(c, msg, m, &e);
	if (ret == 0) {
		memset(&rep, 0, m->rep_size);
		ret = request_run(c, msg, m, payload, &rep, &e);
	}
	if (ret < 0) {
		/* Names and codes only: a request may carry keys. */
		log_debug("API client %s (pid %d): %s refused: %s", c->name, c->peer.pid,
			m != NULL ? m->name : "?", e.text);
		if (e.text[0] == '\0')
			err_set(&e, -ret, "%s", strerror(-ret));
		reply.status = -ret;
		reply.len = strlen(e.text) + 1;
		api_client_send(c, &reply, e.text);
		return;
	}
	reply.len = m->dump ? 0 : m->rep_size;
	api_client_send(c, &reply, &rep);
}
