/* SPDX-License-Identifier: BSD-3-Clause */
/* Several dumps in one turn of the control loop: nothing happens between them. */
#include "control/api/api_client.h"
#include "control/api/api_handlers.h"

#include <stddef.h>

int handle_SNAPSHOT(struct api_client *c, const void *req, void *rep, struct err *e)
{
	static const struct {
		uint32_t kind;
		uint16_t type;
		api_handler dump;
	} dumps[] = {
		{VIADUCT_SNAPSHOT_VTIS, VIADUCT_VTI_DUMP, handle_VTI_DUMP},
		{VIADUCT_SNAPSHOT_SAS, VIADUCT_SA_DUMP, handle_SA_DUMP},
		{VIADUCT_SNAPSHOT_POLICIES, VIADUCT_POLICY_DUMP, handle_POLICY_DUMP},
		{VIADUCT_SNAPSHOT_ROUTES, VIADUCT_ROUTE_DUMP, handle_ROUTE_DUMP},
	};
	const struct viaduct_snapshot *r = req;
	int ret = 0;

	for (unsigned i = 0; i < sizeof(dumps) / sizeof(dumps[0]) && ret == 0; i++) {
		if (r->kinds != 0 && !(r->kinds & dumps[i].kind))
			continue;
		c->now.type = dumps[i].type; /* of its items */
		ret = dumps[i].dump(c, NULL, NULL, e);
	}
	c->now.type = VIADUCT_SNAPSHOT;
	return ret;
}
