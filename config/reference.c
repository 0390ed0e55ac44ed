/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/reference.h"
#include "config/tables.h"

static const char *type_of(const struct setting *t)
{
	switch (t->type) {
	case SETTING_BOOL:
		return "true or false";
	case SETTING_UINT:
		return "number";
	case SETTING_TEXT:
		return "text";
	case SETTING_GROUP:
		return "group";
	case SETTING_LIST:
		return "list of groups";
	case SETTING_CHOICE:
		return t->choice->expects;
	default:
		return t->expects;
	}
}

static void print_type(FILE *out, const struct setting *t)
{
	fputs(t->expects != NULL && t->type == SETTING_TEXT ? t->expects : type_of(t), out);
	if (t->type == SETTING_UINT && t->max != UINT32_MAX)
		fprintf(out, ", %u to %u", t->min, t->max);
}

static void print_choice_default(FILE *out, const struct choice *c)
{
	const char *word = word_name(c->words, c->def);

	if (word[0] != '\0')
		fprintf(out, "`\"%s\"`", word);
	else
		fprintf(out, "`%u`", c->def - c->base);
}

static void print_default(FILE *out, const struct setting *t)
{
	if (t->required)
		fputs("required", out);
	else if (t->type == SETTING_CHOICE)
		print_choice_default(out, t->choice);
	else if (t->type == SETTING_TEXT && t->def_text[0] == '\0')
		fputs("none", out);
	else if (t->type == SETTING_TEXT)
		fprintf(out, "`\"%s\"`", t->def_text);
	else if (t->type == SETTING_BOOL)
		fprintf(out, "`%s`", t->def ? "true" : "false");
	else if (t->type == SETTING_UINT && t->def < t->min)
		fputs("none", out);
	else if (t->type == SETTING_UINT)
		fprintf(out, "`%u`", t->def);
	else if (t->def_text != NULL)
		fprintf(out, "`%s`", t->def_text);
}

/* live: the whole list is. */
static void print_rows(FILE *out, const char *prefix, const struct setting *t, bool live)
{
	for (; t->type != SETTING_END; t++) {
		fprintf(out, "| `%s%s` | ", prefix, t->name);
		print_type(out, t);
		fputs(" | ", out);
		print_default(out, t);
		fprintf(out, " | %s | %s |\n",
			live || t->live          ? "yes"
				: t->sub != NULL ? ""
						 : "restart",
			t->help);
		if (t->type == SETTING_GROUP) {
			char inner[64];

			snprintf(inner, sizeof(inner), "%s%s.", prefix, t->name);
			print_rows(out, inner, t->sub, live);
		}
	}
}

static void print_table(FILE *out, const char *title, const struct setting *t, bool live)
{
	fprintf(out,
		"### %s\n\n| setting | value | default | reload | meaning "
		"|\n|---|---|---|---|---|\n",
		title);
	print_rows(out, "", t, live);
	fputc('\n', out);
}

void config_reference(FILE *out)
{
	print_table(out, "The file", config_settings, false);
	for (const struct setting *t = config_settings; t->type != SETTING_END; t++) {
		char title[64];

		if (t->type != SETTING_LIST)
			continue;
		snprintf(title, sizeof(title), "Each group of `%s`", t->name);
		print_table(out, title, t->sub, t->live);
	}
}
