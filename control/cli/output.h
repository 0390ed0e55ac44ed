/* SPDX-License-Identifier: BSD-3-Clause */
/* What the daemon answered, for people (aligned columns) or for programs (--json). Every item is built
 * once, as a JSON object; columns pick from it. */
#ifndef VIADUCT_CLI_OUTPUT_H
#define VIADUCT_CLI_OUTPUT_H

#include "control/cli/grammar.h"

#include <json-c/json.h>

enum format {
	FORMAT_TEXT,     /* as it is; null and "" as "-" */
	FORMAT_NONZERO,  /* a number; 0 as "-" */
	FORMAT_BYTES,    /* 1.5M */
	FORMAT_DURATION, /* 1h02m */
	FORMAT_UPDOWN,
	FORMAT_SPI, /* 0x00002710, as tcpdump and ip xfrm write it */
};

#define CELL_LEN 160

struct column {
	const char *title;
	const char *key; /* "name", "stats.rx_packets" */
	enum format format;
	/* Instead of key and format: write the cell. */
	void (*cell)(json_object *item, char *buf, size_t size);
};

/* A list of items, printed as they come. title: its heading and its key, where several lists make one
 * answer; NULL: it is the answer. columns end with a NULL title. */
void list_begin(struct cli *cli, const char *key, const struct column *columns);
void list_item(struct cli *cli, json_object *item); /* takes the reference */
void list_end(struct cli *cli);

/* One object: for people a line per column. */
void object_print(
	struct cli *cli, const char *key, json_object *item, const struct column *columns);

/* An answer of several lists and objects, each with a key. */
void sections_begin(struct cli *cli);
void sections_end(struct cli *cli);

/* One object on a line of its own, at once (monitor). Takes the reference. */
void line_print(json_object *item);

json_object *item_at(json_object *item, const char *path);
const char *item_text(json_object *item, const char *path); /* "" where null */
uint64_t item_number(json_object *item, const char *path);

void add_text(json_object *o, const char *key, const char *text); /* "" as null */
void add_number(json_object *o, const char *key, uint64_t n);
void add_bool(json_object *o, const char *key, bool b);
void add_addr(json_object *o, const char *key, const struct viaduct_addr *a); /* none as null */
void add_stats(json_object *o, const struct viaduct_if_stats *s);

/* 1536 -> "1.5K"; powers of 1024 */
const char *format_bytes(uint64_t n, char *buf, size_t size);
const char *format_duration(uint64_t seconds, char *buf, size_t size);

#endif
