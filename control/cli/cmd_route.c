/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductctl route: what forwards by it, the kernel's routes included. */
#include "control/addr_text.h"
#include "control/cli/commands.h"
#include "control/cli/values.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct word types[] = {{"unicast", VIADUCT_ROUTE_UNICAST},
	{"local", VIADUCT_ROUTE_LOCAL}, {"blackhole", VIADUCT_ROUTE_BLACKHOLE},
	{"unreachable", VIADUCT_ROUTE_UNREACHABLE}, {"prohibit", VIADUCT_ROUTE_PROHIBIT}, {0}};

static const struct word origins[] = {{"kernel", VIADUCT_ORIGIN_KERNEL},
	{"api", VIADUCT_ORIGIN_API}, {"config", VIADUCT_ORIGIN_CONFIG},
	{"neigh", VIADUCT_ORIGIN_NEIGH}, {"guard", VIADUCT_ORIGIN_GUARD}, {0}};

/* /etc/iproute2/rt_protos */
static const struct word protocols[] = {{"redirect", 1}, {"kernel", 2}, {"boot", 3}, {"static", 4},
	{"ra", 9}, {"zebra", 11}, {"bird", 12}, {"dhcp", 16}, {"babel", 42}, {"bgp", 186},
	{"isis", 187}, {"ospf", 188}, {"rip", 189}, {"eigrp", 192}, {0}};

static const struct word families[] = {{"4", IP_V4}, {"6", IP_V6}, {0}};

struct filter {
	uint8_t family, origin;
	char dev[VIADUCT_NAME_LEN];
};

static int set_prefix(const struct keyword *k, void *req, char **values, struct err *e)
{
	struct viaduct_route *r = req;
	int ret = prefix_parse(values[0], &r->prefix, &r->prefix_len);

	(void)k;
	if (ret == -ERANGE)
		return err_set(e, EINVAL, "'%.64s' has bits set beyond its length", values[0]);
	if (ret < 0)
		return err_set(e, EINVAL,
			"'%.64s' is no prefix such as 10.2.0.0/16, an address or 'default'",
			values[0]);
	return 0;
}

/* clang-format off */
#define AT(type, member) .offset = offsetof(struct type, member)
#define TYPE(word, what, number) \
	{word, NULL, what, .set = set_value8, .min = (number), .group = "type", \
		AT(viaduct_route, type)}
#define ROUTE_KEYWORDS \
	TYPE("unicast", "forward (as without a type)", VIADUCT_ROUTE_UNICAST), \
	TYPE("blackhole", "drop silently", VIADUCT_ROUTE_BLACKHOLE), \
	TYPE("unreachable", "drop and answer host unreachable", VIADUCT_ROUTE_UNREACHABLE), \
	TYPE("prohibit", "drop and answer prohibited", VIADUCT_ROUTE_PROHIBIT), \
	{"prefix", "PREFIX", "destination: 10.2.0.0/16, 2001:db8::/32, default, default6", \
		.flags = KEYWORD_REQUIRED | KEYWORD_POSITIONAL, .set = set_prefix}, \
	{"via", "ADDR", "gateway", "none: directly on dev", .set = set_addr, \
		AT(viaduct_route, gateway)}, \
	{"dev", "NAME", "VTI or port", "with via: where the gateway is", .set = set_name, \
		.complete = complete_iface, AT(viaduct_route, dev)}, \
	{"metric", "N", "the lower wins", "0", .set = set_u32, AT(viaduct_route, metric)}

static const struct keyword route_keywords[] = {ROUTE_KEYWORDS, {0}};

static const struct keyword get_keywords[] = {
	{"to", "ADDR", "destination of the packet", .flags = KEYWORD_REQUIRED | KEYWORD_POSITIONAL,
		.set = set_addr, AT(viaduct_route_lookup, dst)},
	{0}};

static const struct keyword show_keywords[] = {
	{"family", "4|6", "only IPv4 or IPv6", "both", .flags = KEYWORD_POSITIONAL, .set = set_word,
		.words = families, AT(filter, family)},
	{"dev", "NAME", "only by this interface", "all", .set = set_name, .complete = complete_iface,
		AT(filter, dev)},
	{"origin", "WORD", "only from: kernel, api, config, neigh, guard", "all", .set = set_word,
		.words = origins, AT(filter, origin)},
	{0}};
/* clang-format on */

static int check_route(const void *req, struct err *e)
{
	const struct viaduct_route *r = req;
	const bool forwards = r->type == 0 || r->type == VIADUCT_ROUTE_UNICAST;

	if (forwards && r->dev[0] == '\0' && r->gateway.family == IP_NONE)
		return err_set(e, EINVAL, "missing: dev NAME or via ADDR");
	if (!forwards && (r->dev[0] != '\0' || r->gateway.family != IP_NONE))
		return err_set(e, EINVAL, "%s: a route of this type has neither dev nor via",
			word_name(types, r->type));
	return 0;
}

static void protocol_text(uint32_t protocol, char buf[16])
{
	const char *name = word_name(protocols, protocol);

	if (*name != '\0' || protocol == 0)
		snprintf(buf, 16, "%s", name);
	else
		snprintf(buf, 16, "%u", protocol);
}

static json_object *route_item(const struct viaduct_route *r)
{
	json_object *o = json_object_new_object();
	char buf[PREFIX_TEXT_LEN], protocol[16];

	add_text(o, "prefix", prefix_text(&r->prefix, r->prefix_len, buf));
	add_text(o, "type", word_name(types, r->type));
	add_addr(o, "gateway", &r->gateway);
	add_text(o, "dev", r->dev);
	add_number(o, "metric", r->metric);
	add_text(o, "origin", origin_name(r->origin));
	protocol_text(r->protocol, protocol);
	add_text(o, "protocol", protocol);
	add_bool(o, "active", r->active);
	add_text(o, "next_hop", r->state);
	return o;
}

static void cell_active(json_object *o, char *buf, size_t size)
{
	snprintf(buf, size, "%s", json_object_get_boolean(item_at(o, "active")) ? "*" : "");
}

static const struct column columns[] = {{"", .cell = cell_active}, {"PREFIX", "prefix"},
	{"TYPE", "type"}, {"VIA", "gateway"}, {"DEV", "dev"}, {"METRIC", "metric"},
	{"ORIGIN", "origin"}, {"PROTO", "protocol"}, {"NEXT-HOP", "next_hop"}, {0}};

struct show {
	struct cli *cli;
	const struct filter *f;
};

static int show_one(const void *item, void *arg)
{
	const struct viaduct_route *r = item;
	const struct show *s = arg;
	const unsigned family = s->f != NULL && s->f->family != 0 ? s->f->family : s->cli->family;

	if (family != 0 && family != r->prefix.family)
		return 0;
	if (s->f != NULL && s->f->dev[0] != '\0' && strcmp(s->f->dev, r->dev) != 0)
		return 0;
	if (s->f != NULL && s->f->origin != 0 && s->f->origin != r->origin)
		return 0;
	list_item(s->cli, route_item(r));
	return 0;
}

int show_routes(struct cli *cli, void *req)
{
	struct show s = {cli, req};
	int ret;

	list_begin(cli, "routes", columns);
	ret = cli_dump(cli, VIADUCT_ROUTE_DUMP, show_one, &s);
	list_end(cli);
	return ret;
}

static int change(struct cli *cli, unsigned type, struct viaduct_route *r)
{
	if (r->type == 0)
		r->type = VIADUCT_ROUTE_UNICAST;
	return cli_call(cli, type, r, NULL);
}

static int run_add(struct cli *cli, void *req)
{
	return change(cli, VIADUCT_ROUTE_ADD, req);
}

static int run_del(struct cli *cli, void *req)
{
	return change(cli, VIADUCT_ROUTE_DEL, req);
}

static int run_get(struct cli *cli, void *req)
{
	struct viaduct_route r;
	int ret = cli_call(cli, VIADUCT_ROUTE_LOOKUP, req, &r);

	if (ret != EXIT_OK)
		return ret;
	if (cli->json) {
		line_print(route_item(&r));
		return ret;
	}
	list_begin(cli, "route", columns);
	list_item(cli, route_item(&r));
	list_end(cli);
	return ret;
}

/* clang-format off */
static const struct verb verbs[] = {
	{"show", "list routes; * marks the one in use of each prefix", show_keywords,
		sizeof(struct filter), .run = show_routes},
	{"add", "add one, or replace that with the same prefix and metric", route_keywords,
		sizeof(struct viaduct_route), check_route, run_add},
	{"del", "remove one that was added here, or a guard", route_keywords, sizeof(struct viaduct_route),
		.run = run_del},
	{"get", "the route that a packet takes", get_keywords, sizeof(struct viaduct_route_lookup),
		.run = run_get},
	{0}};
/* clang-format on */

const struct object object_route = {"route", "routes, the kernel's included", verbs};
