/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests about the configuration file. */
#include "control/api/api_handlers.h"
#include "control/reload/config_dump.h"
#include "control/reload/reload.h"

static int change_item(const struct viaduct_change *change, void *client)
{
	return api_item(client, change);
}

int handle_RELOAD(struct api_client *c, const void *req, void *rep, struct err *e)
{
	const struct viaduct_reload *r = req;
	int ret;

	api_routes_commit(); /* routes added by requests before this one are there */
	ret = reload(r->flags & VIADUCT_RELOAD_DRY_RUN, change_item, c, e);
	return ret < 0 ? ret : 0;
}

static int text_item(const struct viaduct_text *text, void *client)
{
	return api_item(client, text);
}

int handle_CONFIG_DUMP(struct api_client *c, const void *req, void *rep, struct err *e)
{
	return config_dump(text_item, c, e);
}
