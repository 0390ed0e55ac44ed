/* SPDX-License-Identifier: BSD-3-Clause */
/* From a frame to its handler and back: one table, made of the message list. */
#include "control/api/api_access.h"
#include "control/api/api_batch.h"
#include "control/api/api_client.h"
#include "control/api/api_handlers.h"
#include "control/iface/twin_closer.h"
#include "control/log.h"

#include <errno.h>
#include <string.h>
#include <viaduct_sizes.h>

struct api_message {
	const char *name;
	uint16_t req_size, req_base, rep_size;
	bool write, dump;
	int (*check)(const void *req, struct err *e);
	api_handler handler;
};

static const struct api_message messages[] = {
#define X(name, number, req, rep, write, dump)                                                     \
	[number] = {#name, sizeof(struct req), VIADUCT_BASE_SIZE(req), sizeof(struct rep), write,  \
		dump, check_##req, handle_##name},
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

const char *api_message_name(unsigned type)
{
	const struct api_message *m = message_find(type);

	return m != NULL ? m->name : "?";
}

/* A client may know more of a structure than we, if it makes no use of it (docs/api.md, Versions). */
static int size_refusal(const struct viaduct_msg *msg, const struct api_message *m,
	const uint8_t *payload, struct err *e)
{
	if (msg->len < m->req_base)
		return err_set(
			e, EMSGSIZE, "%s takes %u bytes, not %u", m->name, m->req_size, msg->len);
	for (size_t i = m->req_size; i < msg->len; i++) {
		if (payload[i] != 0)
			return err_set(e, E2BIG,
				"%s of %u bytes: API version %d.%d knows %u of them, and byte %zu "
				"is "
				"not zero",
				m->name, msg->len, VIADUCT_API_VERSION, VIADUCT_API_MINOR,
				m->req_size, i);
	}
	return 0;
}

/* Why this frame may not reach its handler; 0 where it may. */
static int frame_refusal(const struct api_client *c, const struct viaduct_msg *msg,
	const struct api_message *m, const uint8_t *payload, struct err *e)
{
	int ret;

	if (msg->flags != 0 || msg->status != 0)
		return err_set(e, EINVAL, "request with flags %#x and status %u, both must be 0",
			msg->flags, msg->status);
	if (m == NULL)
		return err_set(e, EOPNOTSUPP, "unknown request type %u in API version %d.%d",
			msg->type, VIADUCT_API_VERSION, VIADUCT_API_MINOR);
	ret = size_refusal(msg, m, payload, e);
	if (ret == 0 && m->write && !c->writable)
		return err_set(e, EPERM, "%s: uid %u may only read here; who may change things: %s",
			m->name, c->peer.uid, api_access_writers());
	return ret;
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

void api_answer(struct api_client *c, const struct viaduct_msg *msg, int ret, const void *rep,
	const struct err *e)
{
	const struct api_message *m = message_find(msg->type);
	struct viaduct_msg reply = {.type = msg->type, .flags = VIADUCT_REPLY, .id = msg->id};
	const char *why;

	if (ret == 0) {
		reply.len = m->dump ? 0 : m->rep_size;
		api_client_send(c, &reply, rep);
		return;
	}
	/* Names and codes only: a request may carry keys. */
	log_debug("API client %s (pid %d): %s refused: %s", c->name, c->peer.pid,
		api_message_name(msg->type), e->text);
	why = e->text[0] != '\0' ? e->text : strerror(-ret);
	reply.status = -ret;
	reply.len = strlen(why) + 1;
	api_client_send(c, &reply, why);
}

static bool ends_batch(unsigned type)
{
	return type == VIADUCT_BATCH_COMMIT || type == VIADUCT_BATCH_ABORT;
}

/* What the client left off is zero. */
static void request_fill(
	union api_buffer *req, const struct api_message *m, const uint8_t *payload, size_t len)
{
	if (len > m->req_size)
		len = m->req_size;
	memcpy(req, payload, len);
	memset((uint8_t *)req + len, 0, m->req_size - len);
}

void api_dispatch(struct api_client *c, const struct viaduct_msg *msg, const uint8_t *payload)
{
	const struct api_message *m = message_find(msg->type);
	const uint64_t closings = twin_closings();
	union api_buffer req, rep;
	struct err e = {""};
	int ret;

	if (!greeted(c, msg))
		return;
	ret = frame_refusal(c, msg, m, payload, &e);
	if (ret == 0) {
		request_fill(&req, m, payload, msg->len);
		ret = m->check(&req, &e);
	}
	if (c->batch != NULL && !ends_batch(msg->type)) {
		api_batch_add(c, msg, &req, m != NULL ? m->req_size : 0, ret, &e);
	} else {
		if (ret == 0) {
			memset(&rep, 0, m->rep_size);
			ret = m->dump ? dump_run(c, m, &req, &e) : m->handler(c, &req, &rep, &e);
		}
		api_answer(c, msg, ret, &rep, &e);
	}
	/* "Deleted" means that the kernel has no such device any more. */
	if (twin_closings() != closings)
		api_client_await_closings(c);
	if (m != NULL)
		explicit_bzero(&req, m->req_size);
}
