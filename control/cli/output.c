/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables and JSON on standard output. */
#include "control/cli/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_STYLE  (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
#define COLUMNS_MAX 16
/* So many rows decide how wide the columns are; a dump of a million routes is not held back. */
#define ROWS_HELD 1000

/* The table being printed. */
static struct {
	const char *key;
	const struct column *columns;
	unsigned n_columns, n_rows;
	bool numeric[COLUMNS_MAX]; /* aligned right */
	int width[COLUMNS_MAX];
	char *rows[ROWS_HELD][COLUMNS_MAX];
	bool flowing;  /* widths are decided */
	bool any_item; /* JSON: a comma is due */
} table;

static bool in_sections, any_section;

const char *format_bytes(uint64_t n, char *buf, size_t size)
{
	static const char units[] = "KMGTPE";
	double scaled = n;
	int unit = -1;

	if (n < 1024) {
		snprintf(buf, size, "%" PRIu64, n);
		return buf;
	}
	for (; scaled >= 1023.95; unit++)
		scaled /= 1024;
	snprintf(buf, size, "%.1f%c", scaled, units[unit]);
	return buf;
}

const char *format_duration(uint64_t s, char *buf, size_t size)
{
	if (s < 60)
		snprintf(buf, size, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(buf, size, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, size, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
	else
		snprintf(buf, size, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
	return buf;
}

static void cell_text(const struct column *c, json_object *item, char *buf, size_t size)
{
	json_object *value;
	const char *text;
	uint64_t n;

	if (c->cell != NULL) {
		c->cell(item, buf, size);
		return;
	}
	value = item_at(item, c->key);
	text = json_object_get_string(value);
	n = json_object_get_uint64(value);
	if (text == NULL || *text == '\0' || (c->format == FORMAT_NONZERO && n == 0))
		snprintf(buf, size, "-");
	else if (c->format == FORMAT_BYTES)
		format_bytes(n, buf, size);
	else if (c->format == FORMAT_DURATION)
		format_duration(n, buf, size);
	else if (c->format == FORMAT_SPI)
		snprintf(buf, size, "0x%08" PRIx64, n);
	else if (c->format == FORMAT_UPDOWN)
		snprintf(buf, size, "%s", json_object_get_boolean(value) ? "up" : "down");
	else
		snprintf(buf, size, "%s", text);
}

static void row_print(char *const *cells)
{
	for (unsigned i = 0; i < table.n_columns; i++) {
		const int width = table.width[i];

		if (i > 0)
			fputs("  ", stdout);
		if (table.numeric[i])
			printf("%*s", width, cells[i]);
		else if (i + 1 < table.n_columns)
			printf("%-*s", width, cells[i]);
		else
			fputs(cells[i], stdout);
	}
	putchar('\n');
}

/* Widths are known: print the titles and what was held. */
static void table_flow(void)
{
	char *titles[COLUMNS_MAX];

	for (unsigned i = 0; i < table.n_columns; i++)
		titles[i] = (char *)table.columns[i].title;
	if (table.n_rows > 0)
		row_print(titles);
	for (unsigned r = 0; r < table.n_rows; r++) {
		row_print(table.rows[r]);
		for (unsigned i = 0; i < table.n_columns; i++)
			free(table.rows[r][i]);
	}
	table.flowing = true;
}

static bool is_number(const struct column *c, json_object *item)
{
	json_object *value = c->key != NULL ? item_at(item, c->key) : NULL;

	return json_object_is_type(value, json_type_int) ||
		json_object_is_type(value, json_type_double);
}

static void row_add(json_object *item)
{
	char cells[COLUMNS_MAX][CELL_LEN], *row[COLUMNS_MAX];
	int width;

	for (unsigned i = 0; i < table.n_columns; i++) {
		cell_text(&table.columns[i], item, cells[i], CELL_LEN);
		row[i] = cells[i];
	}
	if (!table.flowing && table.n_rows == ROWS_HELD)
		table_flow();
	if (table.flowing) {
		row_print(row);
		return;
	}
	for (unsigned i = 0; i < table.n_columns; i++) {
		width = strlen(row[i]);
		if (width > table.width[i])
			table.width[i] = width;
		if (is_number(&table.columns[i], item))
			table.numeric[i] = true;
		table.rows[table.n_rows][i] = strdup(row[i]);
		if (table.rows[table.n_rows][i] == NULL)
			abort();
	}
	table.n_rows++;
}

static void json_key(const char *key)
{
	if (!in_sections)
		return;
	printf("%s\"%s\": ", any_section ? ",\n" : "", key);
	any_section = true;
}

static void title_print(const char *key)
{
	if (!in_sections)
		return;
	printf("%s%s\n", any_section ? "\n" : "", key);
	any_section = true;
}

void sections_begin(struct cli *cli)
{
	in_sections = true;
	any_section = false;
	if (cli->json)
		puts("{");
}

void sections_end(struct cli *cli)
{
	in_sections = false;
	if (cli->json)
		puts("\n}");
}

void list_begin(struct cli *cli, const char *key, const struct column *columns)
{
	memset(&table, 0, sizeof(table));
	table.key = key;
	table.columns = columns;
	for (; columns[table.n_columns].title != NULL && table.n_columns < COLUMNS_MAX;
		table.n_columns++)
		table.width[table.n_columns] = strlen(columns[table.n_columns].title);
	if (cli->json) {
		json_key(key);
		putchar('[');
	}
}

void list_item(struct cli *cli, json_object *item)
{
	if (cli->json) {
		printf("%s%s", table.any_item ? ",\n" : "\n",
			json_object_to_json_string_ext(item, JSON_STYLE));
	} else {
		if (!table.any_item)
			title_print(table.key);
		row_add(item);
	}
	table.any_item = true;
	json_object_put(item);
}

void list_end(struct cli *cli)
{
	if (cli->json)
		printf(in_sections ? "%s]" : "%s]\n", table.any_item ? "\n" : "");
	else if (!table.flowing)
		table_flow();
}

void object_print(struct cli *cli, const char *key, json_object *item, const struct column *columns)
{
	char buf[CELL_LEN];
	int width = 0;

	if (cli->json) {
		json_key(key);
		printf(in_sections ? "%s" : "%s\n",
			json_object_to_json_string_ext(item, JSON_STYLE));
		json_object_put(item);
		return;
	}
	title_print(key);
	for (const struct column *c = columns; c->title != NULL; c++) {
		if ((int)strlen(c->title) > width)
			width = strlen(c->title);
	}
	for (const struct column *c = columns; c->title != NULL; c++) {
		cell_text(c, item, buf, sizeof(buf));
		printf("%-*s  %s\n", width, c->title, buf);
	}
	json_object_put(item);
}

void line_print(json_object *item)
{
	puts(json_object_to_json_string_ext(item, JSON_STYLE));
	fflush(stdout);
	json_object_put(item);
}
