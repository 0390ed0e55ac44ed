/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON objects: filling and reading. */
#include "control/addr_text.h"
#include "control/cli/commands.h"
#include "control/cli/values.h"

#include <stdio.h>
#include <string.h>

json_object *item_at(json_object *item, const char *path)
{
	const char *dot = strchr(path, '.');
	char head[32];

	if (dot == NULL)
		return json_object_object_get(item, path);
	snprintf(head, sizeof(head), "%.*s", (int)(dot - path), path);
	return item_at(json_object_object_get(item, head), dot + 1);
}

const char *item_text(json_object *item, const char *path)
{
	const char *text = json_object_get_string(item_at(item, path));

	return text != NULL ? text : "";
}

uint64_t item_number(json_object *item, const char *path)
{
	return json_object_get_uint64(item_at(item, path));
}

void add_text(json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, *text != '\0' ? json_object_new_string(text) : NULL);
}

void add_number(json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_uint64(n));
}

void add_bool(json_object *o, const char *key, bool b)
{
	json_object_object_add(o, key, json_object_new_boolean(b));
}

void add_addr(json_object *o, const char *key, const struct viaduct_addr *a)
{
	char buf[ADDR_TEXT_LEN];

	add_text(o, key, a->family != IP_NONE ? addr_text(a, buf) : "");
}

void add_stats(json_object *o, const struct viaduct_if_stats *s)
{
	json_object *stats = json_object_new_object();

	add_number(stats, "rx_packets", s->rx_packets);
	add_number(stats, "rx_bytes", s->rx_bytes);
	add_number(stats, "rx_drops", s->rx_drops);
	add_number(stats, "tx_packets", s->tx_packets);
	add_number(stats, "tx_bytes", s->tx_bytes);
	add_number(stats, "tx_drops", s->tx_drops);
	json_object_object_add(o, "stats", stats);
}

const char *origin_name(unsigned origin)
{
	static const struct word names[] = {{"kernel", VIADUCT_ORIGIN_KERNEL},
		{"api", VIADUCT_ORIGIN_API}, {"config", VIADUCT_ORIGIN_CONFIG},
		{"neigh", VIADUCT_ORIGIN_NEIGH}, {"ike", VIADUCT_ORIGIN_IKE},
		{"guard", VIADUCT_ORIGIN_GUARD}, {0}};

	return word_name(names, origin);
}
