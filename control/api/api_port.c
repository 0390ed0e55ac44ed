/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests about ports and workers. */
#include "control/api/api_handlers.h"
#include "control/daemon.h"
#include "control/port/ports.h"

#include <stdio.h>

int handle_PORT_DUMP(struct api_client *c, const void *req, void *rep, struct err *e)
{
	struct viaduct_port_info info;
	int ret = 0;

	for (unsigned i = 0; i < port_count() && ret == 0; i++) {
		info = (struct viaduct_port_info){0};
		port_fill_info(port_at(i), &info);
		ret = api_item(c, &info);
	}
	return ret;
}

int handle_WORKER_DUMP(struct api_client *c, const void *req, void *rep, struct err *e)
{
	struct viaduct_worker_info info;
	int ret = 0;

	for (unsigned i = 0; i < daemon_state.n_workers && ret == 0; i++) {
		info = (struct viaduct_worker_info){0};
		worker_fill_info(i, &info);
		ret = api_item(c, &info);
	}
	return ret;
}

static int worker_cycles(struct api_client *c, unsigned worker)
{
	const struct cycles *cycles = &daemon_state.workers[worker]->cycles;
	struct viaduct_cycles_info info;
	int ret = 0;

	for (unsigned i = 0; i < CYCLES_STAGE_COUNT && ret == 0; i++) {
		info = (struct viaduct_cycles_info){
			.worker = worker,
			.kind = cycles_kind(i),
			.cycles = cycles->stage[i].cycles,
			.packets = cycles->stage[i].packets,
			.tsc_hz = rte_get_tsc_hz(),
		};
		snprintf(info.name, sizeof(info.name), "%s", cycles_name(i));
		snprintf(info.help, sizeof(info.help), "%s", cycles_help(i));
		ret = api_item(c, &info);
	}
	return ret;
}

int handle_CYCLES_DUMP(struct api_client *c, const void *req, void *rep, struct err *e)
{
	int ret = 0;

	for (unsigned i = 0; i < daemon_state.n_workers && ret == 0; i++)
		ret = worker_cycles(c, i);
	return ret;
}
