/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings as tables: name, type, bounds, default and help stand once, and the reader, the checks and
 * the reference in docs/configuration.md all come from there. */
#ifndef VIADUCT_SETTING_H
#define VIADUCT_SETTING_H

#include "control/api/choice.h"
#include "control/err.h"

#include <libconfig.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
	SETTING_END, /* closes a table */
	SETTING_BOOL,
	SETTING_UINT,   /* uint32_t, decimal or hexadecimal */
	SETTING_TEXT,   /* char array */
	SETTING_CHOICE, /* one of some words, or a number: `choice` knows */
	SETTING_OWN,    /* read() knows */
	SETTING_GROUP,  /* { ... } of the settings in `sub`, same object */
	SETTING_LIST,   /* ( { ... }, ... ) of groups of the settings in `sub`; read() gets each */
};

struct reader {
	const char *path; /* the main file: settings know theirs */
	struct err *e;
	void *routes; /* those read so far, by what names them (tsearch(3)) */
};

struct setting {
	const char *name;
	enum setting_type type;
	bool required;
	uint16_t offset, size; /* of the field in the object; size: SETTING_TEXT's */
	uint32_t min, max;     /* SETTING_UINT */
	uint32_t def;          /* default of SETTING_UINT and SETTING_BOOL */
	const char *def_text;  /* default of SETTING_TEXT; else what the reference calls it */
	const char *expects;   /* "an IPv4 or IPv6 address" */
	const char
		*missing; /* said of a required one that is not there, instead of "expected ..." */
	const char *help;
	const struct choice *choice;
	const struct setting *sub;
	int (*read)(struct reader *r, const config_setting_t *s, void *object);
	/* SETTING_OWN: the value as the file would have it; nothing where it has none. */
	void (*write)(const void *object, char *buf, size_t size);
	bool live; /* viaductctl reload changes it; else a restart does */
};

#define SETTING_FIELD(type, field)                                                                 \
	.offset = offsetof(type, field), .size = sizeof(((type *)0)->field)

/* Give every field of the object its default. */
void settings_default(const struct setting *table, void *object);

/* Read the members of group `s` into the object; members that the table doesn't know are errors. */
int settings_read(
	struct reader *r, const config_setting_t *s, const struct setting *table, void *object);

/* The file a setting or error stands in, by the name that opens it: libconfig knows an included file
 * as @include names it, relative to the including one. name NULL: the main file. */
const char *reader_file(const struct reader *r, const char *name, char *buf, size_t size);

/* "FILE:LINE: path.of.setting: <sentence>"; returns -EINVAL. */
int setting_error(struct reader *r, const config_setting_t *s, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "... <what was found>; expected <expects>". */
int setting_wrong(struct reader *r, const config_setting_t *s, const char *expects);

/* The member, or the group itself where it isn't there: the place to point at. */
const config_setting_t *setting_member(const config_setting_t *group, const char *name);

/* Elements of a list of groups. */
unsigned setting_count(const config_setting_t *root, const char *name);

#endif
