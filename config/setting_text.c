/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/setting_text.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

static const void *field_of(const struct setting *t, const void *object)
{
	return (const char *)object + t->offset;
}

/* In double quotes, as libconfig reads it. */
static void quote(const char *text, char *buf, size_t size)
{
	size_t n = snprintf(buf, size, "\"");

	for (; *text != '\0' && n + 6 < size; text++) {
		const unsigned char c = *text;

		if (c == '"' || c == '\\')
			n += snprintf(buf + n, size - n, "\\%c", c);
		else if (iscntrl(c))
			n += snprintf(buf + n, size - n, "\\x%02x", c);
		else
			buf[n++] = c;
	}
	snprintf(buf + n, size - n, "\"");
}

/* Words are quoted but for true and false. */
static void write_choice(const struct choice *c, const void *object, char *buf, size_t size)
{
	char text[CHOICE_TEXT_LEN];

	choice_write(c, object, text, sizeof(text));
	if (choice_is_number(c, object) || strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		snprintf(buf, size, "%s", text);
	else
		quote(text, buf, size);
}

void setting_text(const struct setting *t, const void *object, char *buf, size_t size)
{
	const void *field = field_of(t, object);

	buf[0] = '\0';
	if (t->write != NULL)
		t->write(object, buf, size);
	else if (t->type == SETTING_BOOL)
		snprintf(buf, size, "%s", *(const bool *)field ? "true" : "false");
	else if (t->type == SETTING_UINT)
		snprintf(buf, size, "%u%s", *(const uint32_t *)field,
			*(const uint32_t *)field > INT_MAX ? "L" : "");
	else if (t->type == SETTING_CHOICE)
		write_choice(t->choice, object, buf, size);
	else if (t->type == SETTING_TEXT)
		quote(field, buf, size);
}

struct comparison {
	const void *a, *b;
	setting_differs differs;
	void *arg;
};

static int compare(const struct comparison *c, const char *prefix, const struct setting *t)
{
	char a[SETTING_TEXT_LEN], b[SETTING_TEXT_LEN], name[64];
	int ret = 0;

	for (; t->type != SETTING_END && ret == 0; t++) {
		snprintf(name, sizeof(name), "%s%s%s", prefix, prefix[0] != '\0' ? "." : "",
			t->name);
		if (t->type == SETTING_GROUP) {
			ret = compare(c, name, t->sub);
			continue;
		}
		setting_text(t, c->a, a, sizeof(a));
		setting_text(t, c->b, b, sizeof(b));
		if (strcmp(a, b) != 0)
			ret = c->differs(t, name, a, b, c->arg);
	}
	return ret;
}

int settings_compare(const struct setting *table, const void *a, const void *b,
	setting_differs differs, void *arg)
{
	const struct comparison c = {a, b, differs, arg};

	return compare(&c, "", table);
}

void settings_keep(const struct setting *t, const void *from, void *to)
{
	for (; t->type != SETTING_END; t++) {
		if (t->type == SETTING_GROUP)
			settings_keep(t->sub, from, to);
		else if (t->type != SETTING_LIST && !t->live)
			memcpy((char *)to + t->offset, field_of(t, from), t->size);
	}
}

static bool is_default(const struct setting *t, const char *text, const void *defaults)
{
	char def[SETTING_TEXT_LEN];

	setting_text(t, defaults, def, sizeof(def));
	return !t->required && strcmp(text, def) == 0;
}

/* Is there anything to write of the group? */
static bool group_differs(const struct setting *t, const void *object, const void *defaults)
{
	char text[SETTING_TEXT_LEN];

	for (; t->type != SETTING_END; t++) {
		setting_text(t, object, text, sizeof(text));
		if (t->type == SETTING_GROUP ? group_differs(t->sub, object, defaults)
					     : !is_default(t, text, defaults))
			return true;
	}
	return false;
}

void settings_write(FILE *out, const char *indent, const struct setting *t, const void *object,
	const void *defaults)
{
	char text[SETTING_TEXT_LEN], inner[16];

	for (; t->type != SETTING_END; t++) {
		if (t->type == SETTING_LIST)
			continue;
		if (t->type == SETTING_GROUP) {
			if (!group_differs(t->sub, object, defaults))
				continue;
			snprintf(inner, sizeof(inner), "%s\t", indent);
			fprintf(out, "%s%s = {\n", indent, t->name);
			settings_write(out, inner, t->sub, object, defaults);
			fprintf(out, "%s};\n", indent);
			continue;
		}
		setting_text(t, object, text, sizeof(text));
		if (text[0] != '\0' && !is_default(t, text, defaults))
			fprintf(out, "%s%s = %s;\n", indent, t->name, text);
	}
}
