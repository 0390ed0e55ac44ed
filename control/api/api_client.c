/* SPDX-License-Identifier: BSD-3-Clause */
/* A client's bytes: frames in, answers and events out, neither without bound. */
#include "control/api/api_client.h"
#include "control/api/api_batch.h"
#include "control/api/api_handlers.h"
#include "control/daemon.h"
#include "control/iface/twin_closer.h"
#include "control/log.h"

#include <event2/buffer.h>
#include <event2/event.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct api_client_list api_clients = LIST_HEAD_INITIALIZER(api_clients);

static const struct timeval stall = {.tv_sec = API_STALL_SECONDS};
static const struct timeval soon = {0};

void api_client_free(struct api_client *c)
{
	LIST_REMOVE(c, link);
	if (c->read != NULL)
		event_free(c->read);
	if (c->write != NULL)
		event_free(c->write);
	if (c->again != NULL)
		event_free(c->again);
	if (c->out != NULL)
		evbuffer_free(c->out);
	close(c->fd);
	api_batch_free(c->batch);
	explicit_bzero(c->in, sizeof(c->in));
	free(c);
}

void api_client_doom(struct api_client *c)
{
	c->doomed = c->closing = true;
	c->subscribed = 0;
	event_add(c->again, &soon);
}

size_t api_client_queued(const struct api_client *c)
{
	return evbuffer_get_length(c->out);
}

int api_client_send(struct api_client *c, const struct viaduct_msg *msg, const void *data)
{
	if (c->doomed)
		return -ECONNRESET;
	if (evbuffer_add(c->out, msg, sizeof(*msg)) < 0 ||
		(msg->len > 0 && evbuffer_add(c->out, data, msg->len) < 0)) {
		api_client_doom(c);
		return -ENOMEM;
	}
	if (twin_is_closed(c->closings) && !event_pending(c->write, EV_WRITE, NULL))
		event_add(c->write, &stall);
	return 0;
}

void api_client_await_closings(struct api_client *c)
{
	c->closings = twin_closings();
	event_del(c->write);
}

void api_devices_closed(void)
{
	struct api_client *c;

	LIST_FOREACH (c, &api_clients, link) {
		if (api_client_queued(c) > 0 && twin_is_closed(c->closings))
			event_add(c->write, &stall);
	}
}

void api_client_refuse(struct api_client *c, int code, const char *text)
{
	const struct viaduct_msg msg = {.len = strnlen(text, VIADUCT_ERROR_LEN - 1) + 1,
		.type = c->now.type,
		.flags = VIADUCT_REPLY,
		.status = code};

	log_info("API client (pid %d) refused: %s", c->peer.pid, text);
	api_client_send(c, &msg, text);
	c->closing = true;
	c->subscribed = 0;
}

/* Answer the whole frames at hand; what is left of another moves to the front. */
static void frames_take(struct api_client *c)
{
	size_t off = 0, left;
	const uint64_t end_ns = monotonic_ns() + API_TURN_US * 1000ull;
	struct viaduct_msg msg;
	unsigned n = 0;
	struct err e;

	while (!c->closing && n < API_TURN_MAX && api_client_queued(c) < API_QUEUE_HIGH &&
		(n == 0 || monotonic_ns() < end_ns)) {
		if (c->in_len - off < sizeof(msg))
			break;
		memcpy(&msg, c->in + off, sizeof(msg));
		c->now = msg;
		if (msg.len > VIADUCT_MSG_MAX) {
			err_set(&e, EMSGSIZE, "request of %u bytes, the most is %u", msg.len,
				VIADUCT_MSG_MAX);
			api_client_refuse(c, EMSGSIZE, e.text);
			break;
		}
		if (c->in_len - off < sizeof(msg) + msg.len)
			break;
		api_dispatch(c, &msg, c->in + off + sizeof(msg));
		off += sizeof(msg) + msg.len;
		n++;
	}
	/* What is left is the beginning of another one. */
	if (n > 0)
		c->began_ns = 0;
	api_routes_commit();
	left = c->in_len - off;
	memmove(c->in, c->in + off, left);
	/* It may have held keys. */
	explicit_bzero(c->in + left, c->in_len - left);
	c->in_len = left;
}

static bool frame_complete(const struct api_client *c)
{
	struct viaduct_msg msg;

	if (c->in_len < sizeof(msg))
		return false;
	memcpy(&msg, c->in, sizeof(msg));
	return msg.len > VIADUCT_MSG_MAX || c->in_len >= sizeof(msg) + msg.len;
}

/* The rest of a frame may not take for ever, however it trickles in; nor may HELLO. */
static void read_await(struct api_client *c)
{
	const uint64_t now = monotonic_ns(), limit = API_STALL_SECONDS * 1000000000ull;
	struct timeval left = {0};

	if (c->in_len == 0 && c->hello) {
		event_add(c->read, NULL);
		return;
	}
	if (c->began_ns == 0)
		c->began_ns = now;
	if (now - c->began_ns < limit) {
		left.tv_sec = (limit - (now - c->began_ns)) / 1000000000u;
		left.tv_usec = (limit - (now - c->began_ns)) % 1000000000u / 1000;
	}
	event_add(c->read, &left);
}

/* Decide what to wait for next; may free the client. */
static void client_rearm(struct api_client *c)
{
	const size_t queued = api_client_queued(c);

	if (c->doomed || (c->closing && queued == 0)) {
		api_client_free(c);
		return;
	}
	if (c->closing || queued >= API_QUEUE_HIGH) {
		/* Back-pressure: requests wait in the socket until answers were read. It is not the
		 * client who keeps the rest of a frame back. */
		c->began_ns = 0;
		event_del(c->read);
		return;
	}
	if (frame_complete(c))
		event_add(c->again, &soon);
	else
		read_await(c);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct api_client *c = arg;

	(void)fd;
	(void)what;
	frames_take(c);
	client_rearm(c);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct api_client *c = arg;
	ssize_t n;

	if (what & EV_TIMEOUT) {
		api_client_refuse(c, ETIMEDOUT,
			c->hello ? "a frame was begun and not finished within 10 seconds"
				 : "no HELLO within 10 seconds");
		client_rearm(c);
		return;
	}
	/* A whole frame never waits here, so there is room. */
	n = recv(fd, c->in + c->in_len, sizeof(c->in) - c->in_len, MSG_DONTWAIT);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		api_client_free(c);
		return;
	}
	if (n == 0)
		c->closing = true; /* it may still read its answers */
	if (n > 0)
		c->in_len += n;
	frames_take(c);
	client_rearm(c);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct api_client *c = arg;

	if (what & EV_TIMEOUT) {
		log_warn("API client %s (pid %d) has read nothing for %d s, %zu bytes wait: closed",
			c->name, c->peer.pid, API_STALL_SECONDS, api_client_queued(c));
		api_client_free(c);
		return;
	}
	if (evbuffer_write(c->out, fd) < 0 && errno != EAGAIN && errno != EINTR) {
		api_client_free(c);
		return;
	}
	if (api_client_queued(c) > 0)
		event_add(c->write, &stall);
	else
		c->dump_bytes = 0;
	client_rearm(c);
}

struct api_client *api_client_new(struct event_base *base, int fd, const struct ucred *peer)
{
	struct api_client *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	LIST_INSERT_HEAD(&api_clients, c, link);
	c->fd = fd;
	c->peer = *peer;
	c->writable = true;
	c->out = evbuffer_new();
	c->read = event_new(base, fd, EV_READ, on_readable, c);
	c->write = event_new(base, fd, EV_WRITE, on_writable, c);
	c->again = event_new(base, -1, 0, on_again, c);
	if (c->out == NULL || c->read == NULL || c->write == NULL || c->again == NULL ||
		event_add(c->read, &stall) < 0) {
		api_client_free(c);
		return NULL;
	}
	return c;
}
