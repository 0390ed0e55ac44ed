/* SPDX-License-Identifier: BSD-3-Clause */
/* Events to those who subscribed. While a batch is committed they are held back: it may yet be undone,
 * and then nothing has happened. */
#include "control/api/api_client.h"
#include "control/log.h"

#include <event2/buffer.h>

#include <string.h>

struct held {
	struct viaduct_msg msg;
	unsigned mask;
};

static bool holding;
static struct evbuffer *held; /* struct held, then its data */

/* Who does not read is closed, not waited for. */
static void send_to(struct api_client *c, const struct viaduct_msg *msg, const void *data)
{
	if (api_client_queued(c) <= c->dump_bytes + API_EVENTS_MAX) {
		api_client_send(c, msg, data);
		return;
	}
	log_warn("API client %s (pid %d) does not read its events, %zu bytes wait: closed", c->name,
		c->peer.pid, api_client_queued(c));
	api_client_doom(c);
}

static void deliver(unsigned mask, const struct viaduct_msg *msg, const void *data)
{
	struct api_client *c;

	LIST_FOREACH (c, &api_clients, link) {
		if (c->subscribed & mask)
			send_to(c, msg, data);
	}
}

void api_event_to(struct api_client *c, unsigned type, const void *data, size_t len)
{
	const struct viaduct_msg msg = {.len = len, .type = type, .flags = VIADUCT_EVENT};

	send_to(c, &msg, data);
}

void api_event(unsigned mask, unsigned type, const void *data, size_t len)
{
	const struct viaduct_msg msg = {.len = len, .type = type, .flags = VIADUCT_EVENT};
	const struct held h = {msg, mask};

	if (!holding)
		deliver(mask, &msg, data);
	else if (evbuffer_add(held, &h, sizeof(h)) < 0 || evbuffer_add(held, data, len) < 0)
		log_err("no memory to hold an event back");
}

void api_events_hold(void)
{
	if (held == NULL)
		held = evbuffer_new();
	holding = held != NULL;
}

void api_events_release(bool happened)
{
	uint64_t data[VIADUCT_MSG_MAX / 8];
	struct held h;

	holding = false;
	while (held != NULL && evbuffer_remove(held, &h, sizeof(h)) == sizeof(h)) {
		evbuffer_remove(held, data, h.msg.len);
		if (happened)
			deliver(h.mask, &h.msg, data);
	}
}

void api_events_stop(void)
{
	if (held != NULL)
		evbuffer_free(held);
	held = NULL;
	holding = false;
}

bool api_subscribed(unsigned mask)
{
	const struct api_client *c;

	LIST_FOREACH (c, &api_clients, link) {
		if (c->subscribed & mask)
			return true;
	}
	return false;
}
