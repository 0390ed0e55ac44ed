/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/tables.h"
#include "config/value.h"
#include "control/addr_text.h"
#include "control/routing/fib_writer.h"

#include <rte_common.h>

#include <errno.h>
#include <search.h>
#include <string.h>

static int read_to(struct reader *r, const config_setting_t *s, void *route)
{
	const char *text = config_setting_get_string(s);
	struct viaduct_route *t = route;
	const int rc = text != NULL ? prefix_parse(text, &t->prefix, &t->prefix_len) : -EINVAL;

	if (rc == -ERANGE)
		return setting_error(r, s,
			"\"%s\" has bits set beyond its length of %u; expected a "
			"network address",
			text, t->prefix_len);
	if (rc < 0)
		return setting_wrong(r, s, "a prefix such as 10.2.0.0/16, or \"default\"");
	return 0;
}

static int read_via(struct reader *r, const config_setting_t *s, void *route)
{
	return value_addr(r, s, &((struct viaduct_route *)route)->gateway, false);
}

static const struct {
	const char *name;
	uint8_t type;
} types[] = {
	{"unicast", VIADUCT_ROUTE_UNICAST},
	{"blackhole", VIADUCT_ROUTE_BLACKHOLE},
	{"unreachable", VIADUCT_ROUTE_UNREACHABLE},
	{"prohibit", VIADUCT_ROUTE_PROHIBIT},
};

static int read_type(struct reader *r, const config_setting_t *s, void *route)
{
	const char *text = config_setting_get_string(s);

	for (unsigned i = 0; text != NULL && i < RTE_DIM(types); i++) {
		if (strcmp(text, types[i].name) == 0) {
			((struct viaduct_route *)route)->type = types[i].type;
			return 0;
		}
	}
	return setting_wrong(r, s, "\"unicast\", \"blackhole\", \"unreachable\" or \"prohibit\"");
}

static void write_to(const void *route, char *buf, size_t size)
{
	const struct viaduct_route *t = route;
	char text[PREFIX_TEXT_LEN];

	snprintf(buf, size, "\"%s\"", prefix_text(&t->prefix, t->prefix_len, text));
}

static void write_via(const void *route, char *buf, size_t size)
{
	const struct viaduct_route *t = route;

	if (t->gateway.family != 0)
		write_addr(&t->gateway, buf, size);
}

static void write_type(const void *route, char *buf, size_t size)
{
	const struct viaduct_route *t = route;

	for (unsigned i = 0; i < RTE_DIM(types); i++) {
		if (types[i].type == t->type)
			snprintf(buf, size, "\"%s\"", types[i].name);
	}
}

const struct setting route_settings[] = {
	{"to", SETTING_OWN, true, .expects = "a prefix",
		.help = "Destination: \"10.2.0.0/16\", \"2001:db8::/32\", \"default\" (IPv6: "
			"\"::/0\").",
		.read = read_to, .write = write_to},
	{"dev", SETTING_TEXT, SETTING_FIELD(struct viaduct_route, dev), .def_text = "",
		.expects = "the name of a port or VTI", .help = "Port or VTI it leads to."},
	{"via", SETTING_OWN, .def_text = "none", .expects = "an address",
		.help = "Gateway, of the destination's family.", .read = read_via,
		.write = write_via},
	{"metric", SETTING_UINT, SETTING_FIELD(struct viaduct_route, metric), .max = UINT32_MAX,
		.help = "Of several routes to one destination the lowest wins."},
	{"type", SETTING_OWN, .def_text = "\"unicast\"", .expects = "a route type",
		.help = "\"unicast\"; or \"blackhole\", \"unreachable\" or \"prohibit\", which "
			"drop: "
			"silently or with that ICMP error.",
		.read = read_type, .write = write_type},
	{.type = SETTING_END},
};

static int check_route(struct reader *r, const config_setting_t *s, const struct viaduct_route *t)
{
	const bool leads = t->dev[0] != '\0' || t->gateway.family != 0;

	if (t->type == VIADUCT_ROUTE_UNICAST && !leads)
		return setting_error(r, s, "neither \"dev\" nor \"via\"; expected one of them");
	if (t->type != VIADUCT_ROUTE_UNICAST && leads)
		return setting_wrong(r, setting_member(s, "type"),
			"\"unicast\" where \"dev\" or \"via\" is given");
	if (t->gateway.family != 0 && t->gateway.family != t->prefix.family)
		return setting_wrong(
			r, setting_member(s, "via"), "an address of the same family as to");
	return 0;
}

/* Multicast and link-local destinations are the kernel's (fib_writer.h). */
static int check_fixed(struct reader *r, const config_setting_t *s, const struct viaduct_route *t)
{
	const struct addr prefix = addr_from_api(&t->prefix);

	if (!fib_prefix_is_fixed(&prefix, t->prefix_len, NULL, NULL))
		return 0;
	return setting_wrong(r, setting_member(s, "to"),
		"another prefix: multicast and link-local destinations always go to the kernel");
}

int route_compare(const void *a, const void *b)
{
	const struct viaduct_route *x = a, *y = b;
	int diff = memcmp(&x->prefix, &y->prefix, sizeof(x->prefix));

	if (diff == 0)
		diff = x->prefix_len - y->prefix_len;
	if (diff == 0)
		diff = (x->metric > y->metric) - (x->metric < y->metric);
	return diff;
}

void route_default(struct viaduct_route *t)
{
	memset(t, 0, sizeof(*t));
	settings_default(route_settings, t);
	t->type = VIADUCT_ROUTE_UNICAST;
}

int read_route(struct reader *r, const config_setting_t *s, void *config)
{
	struct config *c = config;
	struct viaduct_route *t = &c->routes[c->n_routes];
	void **known;

	route_default(t);
	t->origin = VIADUCT_ORIGIN_CONFIG;
	if (settings_read(r, s, route_settings, t) < 0 || check_route(r, s, t) < 0 ||
		check_fixed(r, s, t) < 0)
		return -1;
	known = tsearch(t, &r->routes, route_compare);
	if (known == NULL)
		return setting_error(r, s, "no memory to read it");
	if (*known != t)
		return setting_error(r, setting_member(s, "to"),
			"a second route with metric %u; expected another metric", t->metric);
	c->n_routes++;
	return 0;
}

static bool iface_known(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->n_ports; i++) {
		if (strcmp(c->ports[i].name, name) == 0)
			return true;
	}
	for (unsigned i = 0; i < c->n_vtis; i++) {
		if (strcmp(c->vtis[i].name, name) == 0)
			return true;
	}
	return false;
}

int check_routes(struct reader *r, const config_setting_t *root, const struct config *c)
{
	const config_setting_t *list = config_setting_get_member(root, "routes");

	for (unsigned i = 0; i < c->n_routes; i++) {
		if (c->routes[i].dev[0] == '\0' || iface_known(c, c->routes[i].dev))
			continue;
		return setting_wrong(r,
			config_setting_get_member(config_setting_get_elem(list, i), "dev"),
			"the name of a port or VTI of this file");
	}
	return 0;
}
