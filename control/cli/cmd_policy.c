/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductctl policy: what the IKE daemon said about traffic. It installs them; people look. */
#include "control/addr_text.h"
#include "control/cli/commands.h"
#include "control/cli/values.h"

#include <stdio.h>
#include <string.h>

static const struct word directions[] = {{"in", VIADUCT_IN}, {"out", VIADUCT_OUT}, {0}};

/* A range that is a prefix as one ("10.1.0.0/16"), any other as "first-last". */
static void range_text(unsigned family, const uint8_t range[2][16], char *buf, size_t size)
{
	struct viaduct_addr first = {.family = family}, last = {.family = family};
	char a[PREFIX_TEXT_LEN], b[ADDR_TEXT_LEN];
	const unsigned bits = addr_bits(family);
	unsigned len = 0;

	memcpy(first.bytes, range[0], addr_len(family));
	memcpy(last.bytes, range[1], addr_len(family));
	while (len < bits && !((first.bytes[len / 8] ^ last.bytes[len / 8]) & (0x80 >> len % 8)))
		len++;
	for (unsigned bit = len; bit < bits; bit++)
		last.bytes[bit / 8] ^= 0x80 >> bit % 8;
	if (addr_host_bits_zero(&first, len) && memcmp(first.bytes, last.bytes, 16) == 0) {
		snprintf(buf, size, "%s", prefix_text(&first, len, a));
		return;
	}
	memcpy(last.bytes, range[1], addr_len(family));
	snprintf(buf, size, "%s-%s", addr_text(&first, a), addr_text(&last, b));
}

static void add_ports(json_object *o, const char *key, const uint16_t ports[2])
{
	json_object *array;

	if (ports[0] == 0 && ports[1] == 65535) {
		json_object_object_add(o, key, NULL);
		return;
	}
	array = json_object_new_array();
	json_object_array_add(array, json_object_new_int(ports[0]));
	json_object_array_add(array, json_object_new_int(ports[1]));
	json_object_object_add(o, key, array);
}

static json_object *policy_item(const struct viaduct_policy *p)
{
	json_object *o = json_object_new_object();
	char buf[2 * ADDR_TEXT_LEN];

	add_text(o, "dir", word_name(directions, p->dir));
	range_text(p->selector.family, p->selector.src, buf, sizeof(buf));
	add_text(o, "from", buf);
	add_ports(o, "from_ports", p->selector.src_port);
	range_text(p->selector.family, p->selector.dst, buf, sizeof(buf));
	add_text(o, "to", buf);
	add_ports(o, "to_ports", p->selector.dst_port);
	add_number(o, "proto", p->selector.proto);
	add_number(o, "reqid", p->reqid);
	add_number(o, "if_id", p->if_id);
	add_number(o, "mark", p->mark);
	add_number(o, "mark_mask", p->mark_mask);
	add_number(o, "priority", p->priority);
	add_addr(o, "src", &p->src);
	add_addr(o, "dst", &p->dst);
	return o;
}

static const struct column columns[] = {{"DIR", "dir"}, {"FROM", "from"}, {"TO", "to"},
	{"PROTO", "proto", FORMAT_NONZERO}, {"REQID", "reqid", FORMAT_NONZERO},
	{"IF-ID", "if_id", FORMAT_NONZERO}, {"MARK", .cell = cell_mark}, {"PRIORITY", "priority"},
	{"SRC", "src"}, {"DST", "dst"}, {0}};

static int show_one(const void *item, void *arg)
{
	const struct viaduct_policy *p = item;
	struct cli *cli = arg;

	if (cli->family == 0 || cli->family == p->selector.family)
		list_item(cli, policy_item(p));
	return 0;
}

int show_policies(struct cli *cli, void *req)
{
	int ret;

	(void)req;
	list_begin(cli, "policies", columns);
	ret = cli_dump(cli, VIADUCT_POLICY_DUMP, show_one, cli);
	list_end(cli);
	return ret;
}

static int run_flush(struct cli *cli, void *req)
{
	(void)req;
	return cli_call(cli, VIADUCT_POLICY_FLUSH, NULL, NULL);
}

static const struct verb verbs[] = {
	{"show", "list policies", .run = show_policies},
	{"flush", "remove all", .run = run_flush},
	{0},
};

const struct object object_policy = {
	"policy", "IPsec policies, as the IKE daemon gave them", verbs};
