/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/setting.h"
#include "config/value.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "vtis[1].local", from the root down. Returns the length written. */
static size_t path_of(const config_setting_t *s, char *buf, size_t size)
{
	const config_setting_t *parent = config_setting_parent(s);
	size_t n;
	int rc;

	if (parent == NULL || config_setting_is_root(s)) {
		buf[0] = '\0';
		return 0;
	}
	n = path_of(parent, buf, size);
	if (config_setting_name(s) != NULL)
		rc = snprintf(buf + n, size - n, "%s%s", n > 0 ? "." : "", config_setting_name(s));
	else
		rc = snprintf(buf + n, size - n, "[%d]", config_setting_index(s));
	n += rc;
	return n < size ? n : size - 1;
}

const char *reader_file(const struct reader *r, const char *name, char *buf, size_t size)
{
	const char *slash = strrchr(r->path, '/');

	if (name == NULL || strcmp(name, r->path) == 0)
		return r->path;
	if (name[0] == '/' || slash == NULL)
		return name;
	snprintf(buf, size, "%.*s/%s", (int)(slash - r->path), r->path, name);
	return access(buf, F_OK) == 0 ? buf : name;
}

int setting_error(struct reader *r, const config_setting_t *s, const char *fmt, ...)
{
	const char *name = config_setting_source_file(s);
	char path[128], text[sizeof(r->e->text)], file[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	path_of(s, path, sizeof(path));
	return err_set(r->e, EINVAL, "%s:%u: %s: %s", reader_file(r, name, file, sizeof(file)),
		config_setting_source_line(s), path, text);
}

/* As the file has it, cut short. */
static void found(const config_setting_t *s, char *buf, size_t size)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		snprintf(buf, size,
			config_setting_get_format(s) == CONFIG_FORMAT_HEX ? "0x%llx" : "%lld",
			(long long)value_int(s));
		break;
	case CONFIG_TYPE_FLOAT:
		snprintf(buf, size, "%g", config_setting_get_float(s));
		break;
	case CONFIG_TYPE_BOOL:
		snprintf(buf, size, "%s", config_setting_get_bool(s) ? "true" : "false");
		break;
	case CONFIG_TYPE_STRING:
		snprintf(buf, size, "\"%.60s\"", config_setting_get_string(s));
		break;
	case CONFIG_TYPE_GROUP:
		snprintf(buf, size, "a group { }");
		break;
	case CONFIG_TYPE_ARRAY:
		snprintf(buf, size, "an array [ ]");
		break;
	default:
		snprintf(buf, size, "a list ( )");
	}
}

int setting_wrong(struct reader *r, const config_setting_t *s, const char *expects)
{
	char what[80];

	found(s, what, sizeof(what));
	return setting_error(r, s, "%s; expected %s", what, expects);
}

const config_setting_t *setting_member(const config_setting_t *group, const char *name)
{
	const config_setting_t *m = config_setting_get_member(group, name);

	return m != NULL ? m : group;
}

static void *field_of(const struct setting *t, void *object)
{
	return (char *)object + t->offset;
}

void settings_default(const struct setting *t, void *object)
{
	for (; t->type != SETTING_END; t++) {
		void *field = field_of(t, object);

		if (t->type == SETTING_BOOL)
			*(bool *)field = t->def;
		else if (t->type == SETTING_UINT)
			*(uint32_t *)field = t->def;
		else if (t->type == SETTING_TEXT && t->def_text != NULL)
			snprintf(field, t->size, "%s", t->def_text);
		else if (t->type == SETTING_CHOICE)
			choice_set(t->choice, object, t->choice->def);
		else if (t->type == SETTING_GROUP)
			settings_default(t->sub, object);
	}
}

static int read_bool(struct reader *r, const config_setting_t *s, bool *field)
{
	if (config_setting_type(s) != CONFIG_TYPE_BOOL)
		return setting_wrong(r, s, "true or false");
	*field = config_setting_get_bool(s);
	return 0;
}

static int read_uint(
	struct reader *r, const config_setting_t *s, const struct setting *t, uint32_t *field)
{
	char range[48];
	const int64_t v = value_int(s);

	snprintf(range, sizeof(range), "a number from %u to %u", t->min, t->max);
	if (!value_is_int(s) || v < t->min || v > t->max)
		return setting_wrong(r, s, t->expects != NULL ? t->expects : range);
	*field = v;
	return 0;
}

static int read_text(
	struct reader *r, const config_setting_t *s, const struct setting *t, char *field)
{
	if (config_setting_type(s) != CONFIG_TYPE_STRING)
		return setting_wrong(r, s, t->expects);
	if (strlen(config_setting_get_string(s)) >= t->size)
		return setting_error(r, s, "%zu characters; expected %s of at most %u",
			strlen(config_setting_get_string(s)), t->expects, t->size - 1u);
	strcpy(field, config_setting_get_string(s));
	return t->read != NULL ? t->read(r, s, field) : 0;
}

/* "copy", 46 or true: what stands there as text is what counts. */
static int read_choice(
	struct reader *r, const config_setting_t *s, const struct setting *t, void *object)
{
	const char *text = config_setting_get_string(s);
	char number[24];

	if (config_setting_type(s) == CONFIG_TYPE_BOOL)
		text = config_setting_get_bool(s) ? "true" : "false";
	if (text == NULL && value_is_int(s)) {
		snprintf(number, sizeof(number), "%lld", (long long)value_int(s));
		text = number;
	}
	if (text == NULL || choice_read(t->choice, text, object) < 0)
		return setting_wrong(r, s, t->choice->expects);
	return 0;
}

static int read_list(
	struct reader *r, const config_setting_t *s, const struct setting *t, void *object)
{
	if (!config_setting_is_list(s))
		return setting_wrong(r, s, "a list of groups: ( { ... }, { ... } )");
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *item = config_setting_get_elem(s, i);

		if (!config_setting_is_group(item))
			return setting_wrong(r, item, "a group { ... }");
		if (t->read(r, item, object) < 0)
			return -EINVAL;
	}
	return 0;
}

static int read_one(
	struct reader *r, const config_setting_t *s, const struct setting *t, void *object)
{
	void *field = field_of(t, object);

	switch (t->type) {
	case SETTING_BOOL:
		return read_bool(r, s, field);
	case SETTING_UINT:
		return read_uint(r, s, t, field);
	case SETTING_TEXT:
		return read_text(r, s, t, field);
	case SETTING_CHOICE:
		return read_choice(r, s, t, object);
	case SETTING_LIST:
		return read_list(r, s, t, object);
	case SETTING_GROUP:
		if (!config_setting_is_group(s))
			return setting_wrong(r, s, "a group { ... }");
		return settings_read(r, s, t->sub, object);
	default:
		return t->read(r, s, object);
	}
}

/* Edits that turn one word into the other (Levenshtein); names are short. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[40], diagonal, above;
	const size_t len = strlen(b);

	if (len >= sizeof(row) / sizeof(row[0]))
		return UINT32_MAX;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; *a != '\0'; a++, i++) {
		diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			above = row[j];
			row[j] = diagonal + (*a != b[j - 1]);
			if (above + 1 < row[j])
				row[j] = above + 1;
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			diagonal = above;
		}
	}
	return row[len];
}

static int unknown(struct reader *r, const config_setting_t *s, const struct setting *t)
{
	const struct setting *near = t;
	unsigned best = UINT32_MAX;

	for (; t->type != SETTING_END; t++) {
		const unsigned d = distance(config_setting_name(s), t->name);

		if (d < best) {
			best = d;
			near = t;
		}
	}
	if (best <= 3 && best < strlen(near->name))
		return setting_error(r, s, "unknown setting; did you mean \"%s\"?", near->name);
	return setting_error(r, s, "unknown setting");
}

static const struct setting *known(const struct setting *t, const char *name)
{
	for (; t->type != SETTING_END; t++) {
		if (strcmp(t->name, name) == 0)
			return t;
	}
	return NULL;
}

int settings_read(
	struct reader *r, const config_setting_t *s, const struct setting *table, void *object)
{
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *m = config_setting_get_elem(s, i);
		const struct setting *t = known(table, config_setting_name(m));

		if (t == NULL)
			return unknown(r, m, table);
		if (read_one(r, m, t, object) < 0)
			return -EINVAL;
	}
	for (const struct setting *t = table; t->type != SETTING_END; t++) {
		if (!t->required || config_setting_get_member(s, t->name) != NULL)
			continue;
		if (t->missing != NULL)
			return setting_error(r, s, "no \"%s\"; %s", t->name, t->missing);
		return setting_error(r, s, "no \"%s\"; expected %s", t->name, t->expects);
	}
	return 0;
}
