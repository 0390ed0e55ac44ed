/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductctl stats, viaductctl drops: counters. Those of cycles: cmd_cycles.c. */
#include "control/cli/commands.h"
#include "control/cli/values.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct filter {
	char name[VIADUCT_NAME_LEN];
	uint32_t cycles, interval_s;
};

struct show {
	struct cli *cli;
	const char *name; /* "": all */
	unsigned found;
};

static const struct column columns[] = {{"NAME", "name"}, {"KIND", "kind"},
	{"RX-PACKETS", "rx_packets"}, {"RX-BYTES", "rx_bytes", FORMAT_BYTES},
	{"RX-DROPS", "rx_drops"}, {"TX-PACKETS", "tx_packets"},
	{"TX-BYTES", "tx_bytes", FORMAT_BYTES}, {"TX-DROPS", "tx_drops"}, {0}};

static void interface_print(
	struct show *s, const char *name, const char *kind, const struct viaduct_if_stats *st)
{
	json_object *o;

	if (*s->name != '\0' && strcmp(s->name, name) != 0)
		return;
	s->found++;
	o = json_object_new_object();
	add_text(o, "name", name);
	add_text(o, "kind", kind);
	add_number(o, "rx_packets", st->rx_packets);
	add_number(o, "rx_bytes", st->rx_bytes);
	add_number(o, "rx_drops", st->rx_drops);
	add_number(o, "tx_packets", st->tx_packets);
	add_number(o, "tx_bytes", st->tx_bytes);
	add_number(o, "tx_drops", st->tx_drops);
	list_item(s->cli, o);
}

static int port_one(const void *item, void *arg)
{
	const struct viaduct_port_info *p = item;

	interface_print(arg, p->name, "port", &p->stats);
	return 0;
}

static int vti_one(const void *item, void *arg)
{
	const struct viaduct_vti_info *v = item;

	interface_print(arg, v->vti.name, "vti", &v->stats);
	return 0;
}

static int show_stats(struct cli *cli, void *req)
{
	const struct filter *f = req;
	struct show s = {.cli = cli, .name = f->name};
	int ret;

	if (f->cycles)
		return show_cycles(cli, f->interval_s);
	sections_begin(cli);
	list_begin(cli, "interfaces", columns);
	ret = cli_dump(cli, VIADUCT_PORT_DUMP, port_one, &s);
	if (ret == EXIT_OK)
		ret = cli_dump(cli, VIADUCT_VTI_DUMP, vti_one, &s);
	list_end(cli);
	if (ret == EXIT_OK && f->name[0] == '\0')
		ret = show_workers(cli, NULL);
	sections_end(cli);
	if (ret == EXIT_OK && s.found == 0 && f->name[0] != '\0') {
		fprintf(stderr, "viaductctl: no VTI or port is called '%s'\n", f->name);
		return EXIT_REFUSED;
	}
	return ret;
}

/* clang-format off */
static const struct keyword stats_keywords[] = {
	{"name", "NAME", "only this VTI or port", "all, and the workers", .flags = KEYWORD_POSITIONAL,
		.set = set_name, .complete = complete_iface, .group = "what"},
	{"cycles", NULL, "cycles per packet by stage instead, and how busy the workers are", "packets and bytes",
		.set = set_value32, .min = 1, .offset = offsetof(struct filter, cycles), .group = "what"},
	{"interval", "SECONDS", "with cycles: what is added in so many seconds", "all since the start",
		.set = set_u32, .min = 1, .max = 86400, .offset = offsetof(struct filter, interval_s)},
	{0}};

struct drops_filter {
	uint32_t all;
};

static const struct keyword drops_keywords[] = {
	{"all", NULL, "also the reasons that never occurred", "only those that did",
		.set = set_value32, .min = 1},
	{0}};
/* clang-format on */

static const struct column drop_columns[] = {
	{"REASON", "name"}, {"PACKETS", "packets"}, {"MEANING", "help"}, {0}};

struct drops_show {
	struct cli *cli;
	bool all;
};

static int drop_one(const void *item, void *arg)
{
	const struct viaduct_drop_info *d = item;
	const struct drops_show *s = arg;
	json_object *o;

	if (d->packets == 0 && !s->all)
		return 0;
	o = json_object_new_object();
	add_text(o, "name", d->name);
	add_number(o, "packets", d->packets);
	add_text(o, "help", d->help);
	list_item(s->cli, o);
	return 0;
}

int show_drops(struct cli *cli, void *req)
{
	const struct drops_filter *f = req;
	struct drops_show s = {cli, f != NULL && f->all};
	int ret;

	list_begin(cli, "drops", drop_columns);
	ret = cli_dump(cli, VIADUCT_DROP_DUMP, drop_one, &s);
	list_end(cli);
	return ret;
}

static int check_stats(const void *req, struct err *e)
{
	const struct filter *f = req;

	if (f->interval_s > 0 && !f->cycles)
		return err_set(e, EINVAL, "interval goes with cycles");
	return 0;
}

static const struct verb stats_verbs[] = {
	{"show", "packets and bytes of interfaces and workers, or cycles by stage", stats_keywords,
		sizeof(struct filter), check_stats, show_stats},
	{0},
};

static const struct verb drops_verbs[] = {
	{"show", "dropped packets by reason", drops_keywords, sizeof(struct drops_filter),
		.run = show_drops},
	{0},
};

const struct object object_stats = {"stats", "traffic counters", stats_verbs};
const struct object object_drops = {"drops", "dropped packets, each under its reason", drops_verbs};
