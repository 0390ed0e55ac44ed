/* SPDX-License-Identifier: BSD-3-Clause */
/* The objects, and what `show`, `stats` and `monitor` borrow from them. */
#ifndef VIADUCT_CLI_COMMANDS_H
#define VIADUCT_CLI_COMMANDS_H

#include "control/cli/output.h"

extern const struct object object_config, object_reload, object_batch, object_drops, object_monitor,
	object_neigh, object_policy, object_port, object_route, object_sa, object_show,
	object_stats, object_status, object_vti, object_worker;

/* Lists without a filter when req is NULL. They return exit codes. */
int show_vtis(struct cli *cli, void *req);
int show_sas(struct cli *cli, void *req);
int show_policies(struct cli *cli, void *req);
int show_routes(struct cli *cli, void *req);
int show_neighs(struct cli *cli, void *req);
int show_ports(struct cli *cli, void *req);
int show_workers(struct cli *cli, void *req);
int show_drops(struct cli *cli, void *req);

/* Over so many seconds; 0: since the daemon's start. */
int show_cycles(struct cli *cli, unsigned interval_s);

json_object *vti_item(const struct viaduct_vti_info *info);
/* "config" */
const char *origin_name(unsigned origin);
void cell_mark(json_object *o, char *buf, size_t size);

#endif
