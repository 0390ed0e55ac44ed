/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductctl vti: virtual tunnel interfaces. */
#include "control/api/vti_choices.h"
#include "control/cli/commands.h"
#include "control/cli/output.h"
#include "control/cli/values.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIELD(member, bit)                                                                         \
	.offset = offsetof(struct viaduct_vti, member),                                            \
	.field_offset = offsetof(struct viaduct_vti, fields), .field = (bit)

#define CHOICE(bit)                                                                                \
	.set = set_vti_choice, .field_offset = offsetof(struct viaduct_vti, fields), .field = (bit)

static const struct word switches[] = {{"on", 1}, {"off", 0}, {0}};

/* clang-format off */
#define PROPERTIES \
	{"local", "ADDR|any", "outer address of this end", "any: the SA decides", \
		.set = set_addr_or_any, FIELD(local, VIADUCT_VTI_LOCAL)}, \
	{"remote", "ADDR|any", "outer address of the other end", "any: the SA decides", \
		.set = set_addr_or_any, FIELD(remote, VIADUCT_VTI_REMOTE)}, \
	{"reqid", "N", "SAs with this reqid belong to it", "0: one is chosen", \
		.set = set_u32, FIELD(reqid, VIADUCT_VTI_REQID)}, \
	{"if_id", "N", "SAs with this if_id belong to it (as with Linux xfrm interfaces)", "0: none", \
		.set = set_u32, FIELD(if_id, VIADUCT_VTI_IF_ID)}, \
	{"mark", "N[/MASK]", "SAs with this mark belong to it (the key of a Linux vti)", "0: none", \
		.set = set_mark, FIELD(mark, VIADUCT_VTI_MARK)}, \
	{"mtu", "BYTES", "largest inner packet", "0: path MTU less the SA's overhead", \
		.set = set_u32, .max = 65535, FIELD(mtu, VIADUCT_VTI_MTU)}, \
	{"description", "TEXT", "a note for people, at most 127 bytes", "none", \
		.set = set_description, FIELD(description, VIADUCT_VTI_DESCRIPTION)}, \
	{"up", NULL, "administratively up, as by `ip link set NAME up`", "a new one is down", \
		.set = set_value32, .min = 1, .group = "admin", FIELD(admin_up, VIADUCT_VTI_ADMIN)}, \
	{"down", NULL, "administratively down", \
		.set = set_value32, .min = 0, .group = "admin", FIELD(admin_up, VIADUCT_VTI_ADMIN)}, \
	{"parallel", "on|off", "every worker sends, not one; the peer's replay window must be large", \
		"off", .set = set_word32, .words = switches, FIELD(parallel, VIADUCT_VTI_PARALLEL)}, \
	{"mss", "auto|off|BYTES", "largest TCP segment that connections through it agree on", \
		"auto: what fits the MTU", .words = mss_words, CHOICE(VIADUCT_VTI_MSS)}, \
	{"fragment", "before|after", "what is too large: before or after encryption", \
		"before", .words = fragment_words, CHOICE(VIADUCT_VTI_FRAGMENT)}, \
	{"df", "sa|copy|set|clear", "outer DF bit", "sa: as the SA says", \
		.words = df_words, CHOICE(VIADUCT_VTI_DF)}, \
	{"dscp", "sa|copy|N|MAP", "outer DSCP; MAP: 46:34,8-15:0", "sa: as the SA says", \
		.words = dscp_words, CHOICE(VIADUCT_VTI_DSCP)}, \
	{"ecn", "sa|true|false", "congestion marks in and out (RFC 6040)", "sa: as the SA says", \
		.words = ecn_words, CHOICE(VIADUCT_VTI_ECN)}, \
	{"ttl", "N|copy", "outer TTL or hop limit", "64", \
		.words = ttl_words, CHOICE(VIADUCT_VTI_TTL)}, \
	{"flow_label", "hash|copy|zero", "outer IPv6 flow label", "hash: of the inner flow", \
		.words = flow_label_words, CHOICE(VIADUCT_VTI_FLOW_LABEL)}, \
	{"rpf", "off|loose|strict", "what comes in needs a route back to its source", "off", \
		.words = rpf_words, CHOICE(VIADUCT_VTI_RPF)}

static const struct keyword add_keywords[] = {
	{"name", "NAME", "of the interface, also of its twin in the kernel",
		.flags = KEYWORD_REQUIRED | KEYWORD_POSITIONAL, .set = set_name},
	PROPERTIES, {0}};

static const struct keyword set_keywords[] = {
	{"name", "NAME", "the interface to change",
		.flags = KEYWORD_REQUIRED | KEYWORD_POSITIONAL, .set = set_name,
		.complete = complete_vti},
	PROPERTIES, {0}};

static const struct keyword del_keywords[] = {
	{"name", "NAME", "the interface to remove; its SAs stay, unbound",
		.flags = KEYWORD_REQUIRED | KEYWORD_POSITIONAL, .set = set_name,
		.complete = complete_vti},
	{0}};

static const struct keyword show_keywords[] = {
	{"name", "NAME", "only this one", "all",
		.flags = KEYWORD_POSITIONAL, .set = set_name, .complete = complete_vti},
	{0}};
/* clang-format on */

static int check_set(const void *req, struct err *e)
{
	const struct viaduct_vti *v = req;

	if (v->fields == 0)
		return err_set(e, EINVAL, "nothing to change is named");
	return 0;
}

static void add_choice(json_object *o, const struct choice *c, const struct viaduct_vti *v)
{
	char text[CHOICE_TEXT_LEN];

	if (choice_is_number(c, v))
		add_number(o, c->name, choice_get(c, v) - c->base);
	else
		choice_write(c, v, text, sizeof(text)), add_text(o, c->name, text);
}

static void add_conf(json_object *o, const struct viaduct_vti *v)
{
	add_text(o, "name", v->name);
	add_addr(o, "local", &v->local);
	add_addr(o, "remote", &v->remote);
	add_number(o, "reqid", v->reqid);
	add_number(o, "if_id", v->if_id);
	add_number(o, "mark", v->mark);
	add_number(o, "mark_mask", v->mark_mask);
	add_number(o, "mtu_configured", v->mtu);
	add_bool(o, "admin_up", v->admin_up);
	add_bool(o, "parallel", v->parallel);
	for (unsigned i = 0; i < VTI_CHOICES; i++)
		add_choice(o, &vti_choices[i], v);
	add_text(o, "description", v->description);
}

json_object *vti_item(const struct viaduct_vti_info *info)
{
	json_object *o = json_object_new_object();

	add_conf(o, &info->vti);
	add_text(o, "origin", origin_name(info->origin));
	add_number(o, "ifindex", info->ifindex);
	add_number(o, "mtu", info->mtu_now);
	add_number(o, "path_mtu", info->path_mtu);
	add_number(o, "path_mtu_expires", info->path_mtu_expires);
	add_bool(o, "carrier", info->carrier);
	add_bool(o, "reqid_auto", info->reqid_auto);
	add_number(o, "sas_in", info->sas_in);
	add_number(o, "sas_out", info->sas_out);
	add_number(o, "held", info->held);
	add_stats(o, &info->stats);
	return o;
}

static void cell_local(json_object *o, char *buf, size_t size)
{
	const char *addr = item_text(o, "local");

	snprintf(buf, size, "%s", *addr != '\0' ? addr : "any");
}

static void cell_remote(json_object *o, char *buf, size_t size)
{
	const char *addr = item_text(o, "remote");

	snprintf(buf, size, "%s", *addr != '\0' ? addr : "any");
}

void cell_mark(json_object *o, char *buf, size_t size)
{
	const uint64_t mark = item_number(o, "mark"), mask = item_number(o, "mark_mask");

	if (mark == 0)
		snprintf(buf, size, "-");
	else if (mask == 0 || mask == UINT32_MAX)
		snprintf(buf, size, "%" PRIu64, mark);
	else
		snprintf(buf, size, "%#" PRIx64 "/%#" PRIx64, mark, mask);
}

static void cell_state(json_object *o, char *buf, size_t size)
{
	if (!json_object_get_boolean(item_at(o, "admin_up")))
		snprintf(buf, size, "down");
	else
		snprintf(buf, size, "%s",
			json_object_get_boolean(item_at(o, "carrier")) ? "up" : "no carrier");
}

static void cell_sas(json_object *o, char *buf, size_t size)
{
	const uint64_t held = item_number(o, "held");

	if (held > 0) /* none out, for one family at least */
		snprintf(buf, size, "%" PRIu64 " in, %" PRIu64 " out, %" PRIu64 " packets wait",
			item_number(o, "sas_in"), item_number(o, "sas_out"), held);
	else
		snprintf(buf, size, "%" PRIu64 " in, %" PRIu64 " out", item_number(o, "sas_in"),
			item_number(o, "sas_out"));
}

/* Those that are not what they are by default. */
static void cell_options(json_object *o, char *buf, size_t size)
{
	size_t n = json_object_get_boolean(item_at(o, "parallel"))
		? (size_t)snprintf(buf, size, "parallel")
		: 0;

	for (unsigned i = 0; i < VTI_CHOICES && n < size; i++) {
		const struct choice *c = &vti_choices[i];
		struct viaduct_vti v;

		if (choice_read(c, json_object_get_string(item_at(o, c->name)), &v) == 0 &&
			choice_get(c, &v) != c->def)
			n += snprintf(buf + n, size - n, "%s%s %s", n > 0 ? ", " : "", c->name,
				json_object_get_string(item_at(o, c->name)));
	}
	if (n == 0)
		snprintf(buf, size, "-");
}

static void cell_mtu(json_object *o, char *buf, size_t size)
{
	const uint64_t mtu = item_number(o, "mtu");

	if (item_number(o, "path_mtu_expires") > 0)
		snprintf(buf, size, "%" PRIu64 " (path %" PRIu64 ")", mtu,
			item_number(o, "path_mtu"));
	else
		snprintf(buf, size, "%" PRIu64, mtu);
}

static const struct column vti_columns[] = {{"NAME", "name"}, {"STATE", .cell = cell_state},
	{"LOCAL", .cell = cell_local}, {"REMOTE", .cell = cell_remote}, {"REQID", "reqid"},
	{"IF-ID", "if_id", FORMAT_NONZERO}, {"MARK", .cell = cell_mark}, {"MTU", .cell = cell_mtu},
	{"SAS", .cell = cell_sas}, {"ORIGIN", "origin"}, {"OPTIONS", .cell = cell_options},
	{"DESCRIPTION", "description"}, {0}};

static int change(struct cli *cli, unsigned type, void *req)
{
	struct viaduct_vti rep;
	json_object *o;
	int ret = cli_call(cli, type, req, &rep);

	if (ret == EXIT_OK && cli->json && cli->batch == NULL) {
		o = json_object_new_object();
		add_conf(o, &rep);
		line_print(o);
	}
	return ret;
}

static int run_add(struct cli *cli, void *req)
{
	return change(cli, VIADUCT_VTI_ADD, req);
}

static int run_set(struct cli *cli, void *req)
{
	return change(cli, VIADUCT_VTI_SET, req);
}

static int run_del(struct cli *cli, void *req)
{
	return cli_call(cli, VIADUCT_VTI_DEL, req, NULL);
}

struct show {
	struct cli *cli;
	const char *name;
	unsigned found;
};

static int show_one(const void *item, void *arg)
{
	const struct viaduct_vti_info *info = item;
	struct show *s = arg;

	if (*s->name == '\0' || strcmp(s->name, info->vti.name) == 0) {
		list_item(s->cli, vti_item(info));
		s->found++;
	}
	return 0;
}

int show_vtis(struct cli *cli, void *req)
{
	const struct viaduct_name *r = req;
	struct show s = {.cli = cli, .name = r != NULL ? r->name : ""};
	int ret;

	list_begin(cli, "vtis", vti_columns);
	ret = cli_dump(cli, VIADUCT_VTI_DUMP, show_one, &s);
	list_end(cli);
	if (ret == EXIT_OK && s.found == 0 && *s.name != '\0') {
		fprintf(stderr, "viaductctl: no VTI is called '%s'\n", s.name);
		return EXIT_REFUSED;
	}
	return ret;
}

/* clang-format off */
static const struct verb verbs[] = {
	{"show", "list virtual tunnel interfaces", show_keywords, sizeof(struct viaduct_name),
		.run = show_vtis},
	{"add", "create one, and its twin in the kernel", add_keywords, sizeof(struct viaduct_vti),
		.run = run_add},
	{"set", "change one; what is not named stays", set_keywords, sizeof(struct viaduct_vti),
		check_set, run_set},
	{"del", "remove one", del_keywords, sizeof(struct viaduct_name), .run = run_del},
	{0}};
/* clang-format on */

const struct object object_vti = {"vti", "virtual tunnel interfaces", verbs};
