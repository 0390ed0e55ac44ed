/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductctl neigh: the kernel's neighbours as the dataplane knows them. */
#include "control/cli/commands.h"
#include "control/cli/values.h"

#include <linux/neighbour.h>

#include <stdio.h>
#include <string.h>

static const struct word states[] = {{"incomplete", NUD_INCOMPLETE}, {"reachable", NUD_REACHABLE},
	{"stale", NUD_STALE}, {"delay", NUD_DELAY}, {"probe", NUD_PROBE}, {"failed", NUD_FAILED},
	{"noarp", NUD_NOARP}, {"permanent", NUD_PERMANENT}, {0}};

struct filter {
	char dev[VIADUCT_NAME_LEN];
};

static const struct keyword show_keywords[] = {
	{"dev", "NAME", "only on this interface", "all", .flags = KEYWORD_POSITIONAL,
		.set = set_name, .complete = complete_iface},
	{0},
};

static json_object *neigh_item(const struct viaduct_neigh *n)
{
	static const uint8_t none[6];
	json_object *o = json_object_new_object();
	char mac[18] = "";

	if (memcmp(n->mac, none, 6) != 0)
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", n->mac[0], n->mac[1],
			n->mac[2], n->mac[3], n->mac[4], n->mac[5]);
	add_addr(o, "addr", &n->addr);
	add_text(o, "dev", n->dev);
	add_text(o, "mac", mac);
	add_text(o, "state", word_name(states, n->state));
	return o;
}

static const struct column columns[] = {
	{"ADDR", "addr"}, {"DEV", "dev"}, {"MAC", "mac"}, {"STATE", "state"}, {0}};

struct show {
	struct cli *cli;
	const struct filter *f;
};

static int show_one(const void *item, void *arg)
{
	const struct viaduct_neigh *n = item;
	const struct show *s = arg;

	if (s->cli->family != 0 && s->cli->family != n->addr.family)
		return 0;
	if (s->f == NULL || s->f->dev[0] == '\0' || strcmp(s->f->dev, n->dev) == 0)
		list_item(s->cli, neigh_item(n));
	return 0;
}

int show_neighs(struct cli *cli, void *req)
{
	struct show s = {cli, req};
	int ret;

	list_begin(cli, "neighs", columns);
	ret = cli_dump(cli, VIADUCT_NEIGH_DUMP, show_one, &s);
	list_end(cli);
	return ret;
}

static const struct verb verbs[] = {
	{"show", "list neighbours", show_keywords, sizeof(struct filter), .run = show_neighs},
	{0},
};

const struct object object_neigh = {
	"neigh", "neighbours (ARP, ND) that the kernel resolved", verbs};
