/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductctl reload, viaductctl config: the configuration file and what runs. */
#include "control/cli/commands.h"
#include "control/cli/values.h"

#include <stdio.h>

/* clang-format off */
static const struct keyword reload_keywords[] = {
	{"dry-run", NULL, "show what would change, and change nothing", .set = set_value32,
		.min = VIADUCT_RELOAD_DRY_RUN, .offset = offsetof(struct viaduct_reload, flags)},
	{0}};
/* clang-format on */

static const struct word kinds[] = {{"add", VIADUCT_CHANGE_ADD}, {"change", VIADUCT_CHANGE_SET},
	{"replace", VIADUCT_CHANGE_REPLACE}, {"adopt", VIADUCT_CHANGE_ADOPT},
	{"remove", VIADUCT_CHANGE_DEL}, {"restart", VIADUCT_CHANGE_RESTART}, {0}};

struct changes {
	struct cli *cli;
	bool dry_run;
	unsigned n, waiting;
};

static json_object *change_item(const struct viaduct_change *c)
{
	json_object *o = json_object_new_object();

	add_text(o, "kind", word_name(kinds, c->kind));
	add_text(o, "object", c->object);
	add_text(o, "name", c->name);
	add_text(o, "text", c->text);
	return o;
}

static int count_one(const void *item, void *arg)
{
	const struct viaduct_change *c = item;
	struct changes *s = arg;

	if (c->kind == VIADUCT_CHANGE_RESTART)
		s->waiting++;
	else
		s->n++;
	list_item(s->cli, change_item(c));
	return 0;
}

static const struct column columns[] = {
	{"CHANGE", "kind"}, {"OBJECT", "object"}, {"NAME", "name"}, {"WHAT", "text"}, {0}};

/* The list says it all to a program. */
static void print_summary(const struct changes *s)
{
	if (s->cli->json)
		return;
	if (s->n == 0 && s->waiting == 0)
		puts("nothing differs from the configuration file");
	else if (s->dry_run)
		puts("nothing was changed: a dry run");
	if (s->waiting > 0)
		fprintf(stderr, "viaductctl: %u of these need%s a restart of viaductd\n",
			s->waiting, s->waiting == 1 ? "s" : "");
}

static int run_reload(struct cli *cli, void *req)
{
	const struct viaduct_reload *r = req;
	struct changes s = {.cli = cli, .dry_run = r->flags & VIADUCT_RELOAD_DRY_RUN};
	int ret;

	list_begin(cli, "changes", columns);
	ret = cli_dump_of(cli, VIADUCT_RELOAD, r, count_one, &s);
	list_end(cli);
	if (ret == EXIT_OK)
		print_summary(&s);
	return ret;
}

static int run_diff(struct cli *cli, void *req)
{
	struct viaduct_reload r = {.flags = VIADUCT_RELOAD_DRY_RUN};

	(void)req;
	return run_reload(cli, &r);
}

static int print_text(const void *item, void *arg)
{
	const struct viaduct_text *t = item;

	(void)arg;
	fputs(t->text, stdout);
	return 0;
}

static int run_dump(struct cli *cli, void *req)
{
	(void)req;
	return cli_dump(cli, VIADUCT_CONFIG_DUMP, print_text, NULL);
}

static const struct verb reload_verbs[] = {
	{"apply", "read the configuration file again and apply what changed in it", reload_keywords,
		sizeof(struct viaduct_reload), .run = run_reload},
	{0},
};

static const struct verb config_verbs[] = {
	{"dump", "write what runs as a configuration file, without keys", .run = run_dump},
	{"diff", "show what reload would change", .run = run_diff},
	{0},
};

const struct object object_reload = {
	"reload", "apply the configuration file's changes", reload_verbs, .in_full = true};
const struct object object_config = {"config", "the configuration that runs", config_verbs};
