/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests about the daemon and the connection itself: HELLO, STATUS, SUBSCRIBE, drop counters. */
#include "control/api/api_client.h"
#include "control/api/api_handlers.h"
#include "control/daemon.h"
#include "control/log.h"
#include "control/sa/hold.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

int handle_HELLO(struct api_client *c, const void *req, void *rep, struct err *e)
{
	const struct viaduct_hello *r = req;
	struct viaduct_hello *answer = rep;

	if (r->version != VIADUCT_API_VERSION) {
		c->closing = true; /* after this answer */
		return err_set(e, EPROTO,
			"API versions differ: %s speaks %d, the client (%s) speaks %u",
			VIADUCT_VERSION_STRING, VIADUCT_API_VERSION, r->name, r->version);
	}
	snprintf(c->name, sizeof(c->name), "%s", r->name);
	c->hello = true;
	log_debug("API client %s (pid %d) is here", c->name, c->peer.pid);
	answer->version = VIADUCT_API_VERSION;
	answer->minor = VIADUCT_API_MINOR;
	answer->pid = getpid();
	snprintf(answer->name, sizeof(answer->name), "%s", VIADUCT_VERSION_STRING);
	return 0;
}

int handle_STATUS(struct api_client *c, const void *req, void *rep, struct err *e)
{
	struct viaduct_status *st = rep;

	daemon_status(st);
	st->clients = api_client_count();
	st->writable = c->writable;
	return 0;
}

int handle_SUBSCRIBE(struct api_client *c, const void *req, void *rep, struct err *e)
{
	const struct viaduct_subscribe *r = req;

	c->subscribed = r->mask;
	api_drops_subscribe(c, r->drops_per_second);
	hold_listeners();
	return 0;
}

int handle_DROP_DUMP(struct api_client *c, const void *req, void *rep, struct err *e)
{
	struct viaduct_drop_info info;
	int ret = 0;

	for (unsigned i = 0; i < DROP_REASON_COUNT && ret == 0; i++) {
		info = (struct viaduct_drop_info){.reason = i, .packets = drop_sum(i)};
		snprintf(info.name, sizeof(info.name), "%s", drop_name(i));
		snprintf(info.help, sizeof(info.help), "%s", drop_help(i));
		ret = api_item(c, &info);
	}
	return ret;
}
