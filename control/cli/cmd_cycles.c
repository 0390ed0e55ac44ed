/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductctl stats cycles: where the workers' cycles go, and how busy they are. */
#include "control/cli/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The stages of all workers, in the daemon's order, which is the same for each worker. */
struct sample {
	struct viaduct_cycles_info *stage;
	unsigned n, room;
	unsigned n_stages; /* of one worker */
};

/* What some stages took together. */
struct sum {
	uint64_t busy, idle; /* cycles */
	uint64_t packets;    /* that came in */
};

static int keep(const void *item, void *arg)
{
	const struct viaduct_cycles_info *info = item;
	struct sample *s = arg;

	if (s->n == s->room) {
		s->room = s->room > 0 ? 2 * s->room : 64;
		s->stage = reallocarray(s->stage, s->room, sizeof(*s->stage));
		if (s->stage == NULL)
			abort();
	}
	s->stage[s->n++] = *info;
	s->n_stages += info->worker == s->stage[0].worker;
	return 0;
}

static int take(struct cli *cli, struct sample *s)
{
	*s = (struct sample){0};
	return cli_dump(cli, VIADUCT_CYCLES_DUMP, keep, s);
}

/* What was added since `before`. */
static void subtract(struct sample *s, const struct sample *before)
{
	for (unsigned i = 0; i < s->n && i < before->n; i++) {
		s->stage[i].cycles -= before->stage[i].cycles;
		s->stage[i].packets -= before->stage[i].packets;
	}
}

static struct sum sum_up(const struct viaduct_cycles_info *stage, unsigned n)
{
	struct sum sum = {0};

	for (unsigned i = 0; i < n; i++) {
		if (stage[i].kind == VIADUCT_CYCLES_REST)
			sum.idle += stage[i].cycles;
		else
			sum.busy += stage[i].cycles;
		if (stage[i].kind == VIADUCT_CYCLES_ENTRY)
			sum.packets += stage[i].packets;
	}
	return sum;
}

/* a / b as a number with one decimal; null where b is 0. */
static void add_ratio(json_object *o, const char *key, double a, double b)
{
	char text[32];

	snprintf(text, sizeof(text), "%.1f", b > 0 ? a / b : 0);
	json_object_object_add(o, key, b > 0 ? json_object_new_double_s(a / b, text) : NULL);
}

static void add_stage(json_object *o, const struct viaduct_cycles_info *s, const struct sum *of)
{
	add_text(o, "stage", s->name);
	add_number(o, "packets", s->packets);
	add_number(o, "cycles", s->cycles);
	add_ratio(o, "cycles_per_packet", s->cycles, s->packets);
	add_ratio(o, "share_percent", 100.0 * s->cycles, of->busy);
}

/* For people only stages that had something to do. */
static bool shown(const struct cli *cli, const struct viaduct_cycles_info *s)
{
	if (s->kind == VIADUCT_CYCLES_REST)
		return false;
	return cli->json || s->cycles > 0;
}

static void cell_share(json_object *o, char *buf, size_t size)
{
	json_object *share = item_at(o, "share_percent");

	snprintf(buf, size, "%5.1f%%", json_object_get_double(share));
}

static const struct column sum_columns[] = {{"STAGE", "stage"}, {"PACKETS", "packets"},
	{"CYCLES/PACKET", "cycles_per_packet"}, {"SHARE", .cell = cell_share}, {"MEANING", "help"},
	{0}};

/* The stages over all workers. */
static void show_sum(struct cli *cli, const struct sample *s)
{
	const struct sum sum = sum_up(s->stage, s->n);

	list_begin(cli, "stages", sum_columns);
	for (unsigned i = 0; i < s->n_stages; i++) {
		struct viaduct_cycles_info all = s->stage[i];
		json_object *o;

		for (unsigned j = i + s->n_stages; j < s->n; j += s->n_stages) {
			all.cycles += s->stage[j].cycles;
			all.packets += s->stage[j].packets;
		}
		if (!shown(cli, &all))
			continue;
		o = json_object_new_object();
		add_stage(o, &all, &sum);
		add_text(o, "help", all.help);
		list_item(cli, o);
	}
	list_end(cli);
}

static const struct column stage_columns[] = {{"WORKER", "worker"}, {"STAGE", "stage"},
	{"PACKETS", "packets"}, {"CYCLES/PACKET", "cycles_per_packet"},
	{"SHARE", .cell = cell_share}, {0}};

static void show_stages(struct cli *cli, const struct sample *s)
{
	list_begin(cli, "worker_stages", stage_columns);
	for (unsigned i = 0; i < s->n; i += s->n_stages) {
		const struct sum sum = sum_up(&s->stage[i], s->n_stages);

		for (unsigned j = i; j < i + s->n_stages; j++) {
			json_object *o;

			if (!shown(cli, &s->stage[j]))
				continue;
			o = json_object_new_object();
			add_number(o, "worker", s->stage[j].worker);
			add_stage(o, &s->stage[j], &sum);
			list_item(cli, o);
		}
	}
	list_end(cli);
}

static void cell_busy(json_object *o, char *buf, size_t size)
{
	snprintf(buf, size, "%.1f%%", json_object_get_double(item_at(o, "busy_percent")));
}

static const struct column worker_columns[] = {{"WORKER", "worker"}, {"BUSY", .cell = cell_busy},
	{"PACKETS", "packets"}, {"CYCLES/PACKET", "cycles_per_packet"}, {"SECONDS", "seconds"},
	{0}};

static void show_load(struct cli *cli, const struct sample *s)
{
	list_begin(cli, "workers", worker_columns);
	for (unsigned i = 0; i < s->n; i += s->n_stages) {
		const struct sum sum = sum_up(&s->stage[i], s->n_stages);
		json_object *o = json_object_new_object();

		add_number(o, "worker", s->stage[i].worker);
		add_ratio(o, "busy_percent", 100.0 * sum.busy, sum.busy + sum.idle);
		add_number(o, "packets", sum.packets);
		add_ratio(o, "cycles_per_packet", sum.busy, sum.packets);
		add_number(o, "busy_cycles", sum.busy);
		add_number(o, "idle_cycles", sum.idle);
		add_number(o, "tsc_hz", s->stage[i].tsc_hz);
		add_ratio(o, "seconds", sum.busy + sum.idle, s->stage[i].tsc_hz);
		list_item(cli, o);
	}
	list_end(cli);
}

int show_cycles(struct cli *cli, unsigned interval_s)
{
	struct sample before = {0}, s;
	int ret = EXIT_OK;

	if (interval_s > 0) {
		ret = take(cli, &before);
		if (ret == EXIT_OK)
			sleep(interval_s);
	}
	if (ret == EXIT_OK)
		ret = take(cli, &s);
	if (ret == EXIT_OK) {
		subtract(&s, &before);
		sections_begin(cli);
		show_sum(cli, &s);
		if (cli->json || s.n > s.n_stages)
			show_stages(cli, &s);
		show_load(cli, &s);
		sections_end(cli);
		free(s.stage);
	}
	free(before.stage);
	return ret;
}
