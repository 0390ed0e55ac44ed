/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductctl port, viaductctl worker. */
#include "control/cli/commands.h"

#include <inttypes.h>
#include <stdio.h>

static json_object *port_item(const struct viaduct_port_info *p)
{
	json_object *o = json_object_new_object();
	char mac[18];

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", p->mac[0], p->mac[1], p->mac[2],
		p->mac[3], p->mac[4], p->mac[5]);
	add_text(o, "name", p->name);
	add_text(o, "device", p->device);
	add_text(o, "driver", p->driver);
	add_text(o, "parent", p->parent);
	add_number(o, "vlan", p->vlan);
	add_text(o, "mac", mac);
	add_number(o, "port_id", p->port_id);
	add_number(o, "ifindex", p->ifindex);
	add_number(o, "mtu", p->mtu);
	add_bool(o, "admin_up", p->admin_up);
	add_bool(o, "carrier", p->carrier);
	add_number(o, "speed_mbps", p->speed_mbps);
	add_number(o, "rx_queues", p->rx_queues);
	add_number(o, "tx_queues", p->tx_queues);
	add_stats(o, &p->stats);
	add_number(o, "missed", p->missed);
	return o;
}

static void cell_speed(json_object *o, char *buf, size_t size)
{
	const uint64_t mbps = item_number(o, "speed_mbps");

	/* DPDK's "unknown" is all ones. */
	if (mbps == 0 || mbps == UINT32_MAX)
		snprintf(buf, size, "-");
	else if (mbps % 1000 == 0)
		snprintf(buf, size, "%" PRIu64 "G", mbps / 1000);
	else
		snprintf(buf, size, "%" PRIu64 "M", mbps);
}

static void cell_device(json_object *o, char *buf, size_t size)
{
	if (item_number(o, "vlan") != 0)
		snprintf(buf, size, "VLAN %" PRIu64 " of %s", item_number(o, "vlan"),
			item_text(o, "parent"));
	else
		snprintf(buf, size, "%s", item_text(o, "device"));
}

static void cell_queues(json_object *o, char *buf, size_t size)
{
	snprintf(buf, size, "%" PRIu64 " rx, %" PRIu64 " tx", item_number(o, "rx_queues"),
		item_number(o, "tx_queues"));
}

static const struct column port_columns[] = {{"NAME", "name"}, {"ADMIN", "admin_up", FORMAT_UPDOWN},
	{"LINK", "carrier", FORMAT_UPDOWN}, {"SPEED", .cell = cell_speed}, {"MAC", "mac"},
	{"MTU", "mtu"}, {"QUEUES", .cell = cell_queues}, {"MISSED", "missed"}, {"DRIVER", "driver"},
	{"DEVICE", .cell = cell_device}, {0}};

static int port_one(const void *item, void *arg)
{
	list_item(arg, port_item(item));
	return 0;
}

int show_ports(struct cli *cli, void *req)
{
	int ret;

	(void)req;
	list_begin(cli, "ports", port_columns);
	ret = cli_dump(cli, VIADUCT_PORT_DUMP, port_one, cli);
	list_end(cli);
	return ret;
}

static json_object *worker_item(const struct viaduct_worker_info *w)
{
	json_object *o = json_object_new_object();

	add_number(o, "id", w->id);
	add_number(o, "lcore", w->lcore);
	/* Not pinned: no CPU of its own. */
	json_object_object_add(
		o, "cpu", w->cpu == UINT32_MAX ? NULL : json_object_new_uint64(w->cpu));
	add_number(o, "rx_queues", w->rx_queues);
	add_number(o, "busy_permille", w->busy_permille);
	add_number(o, "turns", w->turns);
	add_number(o, "busy_turns", w->busy_turns);
	add_number(o, "rx_packets", w->rx_packets);
	add_number(o, "tx_packets", w->tx_packets);
	add_number(o, "punted", w->punted);
	add_number(o, "injected", w->injected);
	add_number(o, "mirrored", w->mirrored);
	add_number(o, "icmp_sent", w->icmp_sent);
	return o;
}

static void cell_busy(json_object *o, char *buf, size_t size)
{
	snprintf(buf, size, "%.1f%%", item_number(o, "busy_permille") / 10.0);
}

static const struct column worker_columns[] = {{"WORKER", "id"}, {"CPU", "cpu"},
	{"QUEUES", "rx_queues"}, {"BUSY", .cell = cell_busy}, {"RX", "rx_packets"},
	{"TX", "tx_packets"}, {"TO-KERNEL", "punted"}, {"FROM-KERNEL", "injected"},
	{"MIRRORED", "mirrored"}, {"ICMP-SENT", "icmp_sent"}, {0}};

static int worker_one(const void *item, void *arg)
{
	list_item(arg, worker_item(item));
	return 0;
}

int show_workers(struct cli *cli, void *req)
{
	int ret;

	(void)req;
	list_begin(cli, "workers", worker_columns);
	ret = cli_dump(cli, VIADUCT_WORKER_DUMP, worker_one, cli);
	list_end(cli);
	return ret;
}

static const struct verb port_verbs[] = {
	{"show", "list ports", .run = show_ports},
	{0},
};

static const struct verb worker_verbs[] = {
	{"show", "list workers and how busy they are", .run = show_workers},
	{0},
};

const struct object object_port = {"port", "DPDK ports", port_verbs};
const struct object object_worker = {"worker", "poll-mode workers", worker_verbs};
