/* SPDX-License-Identifier: BSD-3-Clause */
/* The grammar's top: in the order in which help lists them. */
#include "control/cli/commands.h"

const struct object *const objects[] = {&object_vti, &object_sa, &object_policy, &object_route,
	&object_neigh, &object_port, &object_worker, &object_stats, &object_drops, &object_status,
	&object_monitor, &object_batch, &object_show, &object_config, &object_reload, NULL};
