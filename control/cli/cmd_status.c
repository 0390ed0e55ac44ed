/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductctl status, and viaductctl show: everything at once. */
#include "control/cli/commands.h"

#include <inttypes.h>
#include <stdio.h>

static json_object *status_item(const struct viaduct_status *st)
{
	json_object *o = json_object_new_object();

	add_text(o, "version", st->version);
	add_number(o, "pid", st->pid);
	add_number(o, "uptime_s", st->uptime_s);
	add_text(o, "crypto", st->crypto);
	add_number(o, "workers", st->workers);
	add_number(o, "ports", st->ports);
	add_number(o, "vtis", st->vtis);
	add_number(o, "sas", st->sas);
	add_number(o, "policies", st->policies);
	add_number(o, "routes4", st->routes4);
	add_number(o, "routes6", st->routes6);
	add_number(o, "neighs", st->neighs);
	add_number(o, "clients", st->clients);
	add_number(o, "mbufs_total", st->mbufs_total);
	add_number(o, "mbufs_used", st->mbufs_used);
	add_number(o, "netlink_resyncs", st->netlink_resyncs);
	add_number(o, "netlink_routes", st->netlink_routes);
	add_bool(o, "writable", st->writable);
	return o;
}

static void cell_routes(json_object *o, char *buf, size_t size)
{
	snprintf(buf, size, "%" PRIu64 " IPv4, %" PRIu64 " IPv6", item_number(o, "routes4"),
		item_number(o, "routes6"));
}

static void cell_buffers(json_object *o, char *buf, size_t size)
{
	snprintf(buf, size, "%" PRIu64 " of %" PRIu64 " in use", item_number(o, "mbufs_used"),
		item_number(o, "mbufs_total"));
}

static void cell_netlink(json_object *o, char *buf, size_t size)
{
	snprintf(buf, size, "%" PRIu64 " route messages, %" PRIu64 " resyncs",
		item_number(o, "netlink_routes"), item_number(o, "netlink_resyncs"));
}

static const struct column columns[] = {{"version", "version"}, {"pid", "pid"},
	{"uptime", "uptime_s", FORMAT_DURATION}, {"crypto", "crypto"}, {"workers", "workers"},
	{"ports", "ports"}, {"VTIs", "vtis"}, {"SAs", "sas"}, {"policies", "policies"},
	{"routes", .cell = cell_routes}, {"neighbours", "neighs"},
	{"packet buffers", .cell = cell_buffers}, {"netlink", .cell = cell_netlink},
	{"API clients", "clients"}, {0}};

static int show_status(struct cli *cli, void *req)
{
	struct viaduct_status st;
	int ret = cli_call(cli, VIADUCT_STATUS, NULL, &st);

	(void)req;
	if (ret == EXIT_OK)
		object_print(cli, "status", status_item(&st), columns);
	return ret;
}

static int show_everything(struct cli *cli, void *req)
{
	static int (*const parts[])(struct cli *, void *) = {show_status, show_ports, show_vtis,
		show_sas, show_policies, show_routes, show_neighs, show_workers, show_drops};
	int ret = EXIT_OK;

	(void)req;
	sections_begin(cli);
	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]) && ret == EXIT_OK; i++)
		ret = parts[i](cli, NULL);
	sections_end(cli);
	return ret;
}

static const struct verb status_verbs[] = {
	{"show", "version, uptime, how much there is of everything", .run = show_status},
	{0},
};

static const struct verb show_verbs[] = {
	{"all", "status, ports, VTIs, SAs, policies, routes, neighbours, workers, drops",
		.run = show_everything},
	{0},
};

const struct object object_status = {"status", "the daemon", status_verbs};
const struct object object_show = {"show", "everything", show_verbs};
