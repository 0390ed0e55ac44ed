/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding objects, verbs and keywords, and filling requests from words. */
#include "control/cli/grammar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ip(8)'s habits. */
static const struct {
	const char *alias, *name;
} verb_aliases[] = {
	{"ls", "show"}, {"list", "show"}, {"lst", "show"}, {"delete", "del"}, {"change", "set"}};

static void text_add(char *buf, size_t size, const char *sep, const char *word)
{
	const size_t len = strlen(buf);

	snprintf(buf + len, size - len, "%s%s", len > 0 ? sep : "", word);
}

/* One of many names: 0 no match, 1 prefix, 2 all of it. */
static int match(const char *name, const char *word)
{
	if (strcmp(name, word) == 0)
		return 2;
	return *word != '\0' && strncmp(name, word, strlen(word)) == 0;
}

const struct object *object_find(const char *word, struct err *e)
{
	const struct object *found = NULL;
	char all[256] = "", several[256] = "";
	unsigned n = 0;

	for (unsigned i = 0; objects[i] != NULL; i++) {
		const int m = match(objects[i]->name, word);

		if (m == 2)
			return objects[i];
		text_add(all, sizeof(all), ", ", objects[i]->name);
		if (m == 0 || objects[i]->in_full)
			continue;
		text_add(several, sizeof(several), ", ", objects[i]->name);
		found = objects[i];
		n++;
	}
	if (n == 1)
		return found;
	if (n > 1)
		err_set(e, EINVAL, "object '%s' may mean: %s", word, several);
	else
		err_set(e, EINVAL, "unknown object '%s', expected one of: %s", word, all);
	return NULL;
}

const struct verb *verb_find(const struct object *o, const char *word, struct err *e)
{
	const struct verb *found = NULL;
	char all[256] = "", several[256] = "";
	unsigned n = 0;

	for (unsigned i = 0; i < sizeof(verb_aliases) / sizeof(verb_aliases[0]); i++) {
		if (strcmp(word, verb_aliases[i].alias) == 0)
			word = verb_aliases[i].name;
	}
	for (const struct verb *v = o->verbs; v->name != NULL; v++) {
		const int m = match(v->name, word);

		if (m == 2)
			return v;
		text_add(all, sizeof(all), ", ", v->name);
		if (m == 0)
			continue;
		text_add(several, sizeof(several), ", ", v->name);
		found = v;
		n++;
	}
	if (n == 1)
		return found;
	if (n > 1)
		err_set(e, EINVAL, "'%s' may mean: %s", word, several);
	else
		err_set(e, EINVAL, "unknown command '%s', expected one of: %s", word, all);
	return NULL;
}

/* `stats vti0` and `drops all` read well without the verb that their object alone means. */
const struct verb *verb_choose(const struct object *o, char ***words, struct err *e)
{
	const struct verb *v;

	if (**words == NULL)
		return &o->verbs[0];
	v = verb_find(o, **words, e);
	if (v != NULL)
		++*words;
	else if (o->verbs[1].name == NULL)
		v = &o->verbs[0];
	return v;
}

/* ip(8) writes if_id but replay-window: either sign will do. */
static bool same_word(const char *a, const char *b)
{
	for (; *a != '\0' || *b != '\0'; a++, b++) {
		if ((*a == '_' ? '-' : *a) != (*b == '_' ? '-' : *b))
			return false;
	}
	return true;
}

const struct keyword *keyword_find(const struct verb *v, const char *word)
{
	if (strncmp(word, "--", 2) == 0) /* as an option would be written */
		word += 2;
	for (const struct keyword *k = v->keywords; k != NULL && k->name != NULL; k++) {
		if (same_word(k->name, word))
			return k;
	}
	return NULL;
}

unsigned keyword_values(const struct keyword *k)
{
	unsigned n = k->value != NULL;

	for (const char *s = k->value; s != NULL && *s != '\0'; s++)
		n += *s == ' ';
	return n;
}

static int unknown_keyword(const struct verb *v, const char *word, struct err *e)
{
	char all[sizeof(e->text)] = "";

	for (const struct keyword *k = v->keywords; k != NULL && k->name != NULL; k++)
		text_add(all, sizeof(all), ", ", k->name);
	if (all[0] == '\0')
		return err_set(e, EINVAL, "unexpected '%s': this command takes no words", word);
	/* Not in full: it may be a key that lost its keyword. */
	return err_set(e, EINVAL, "unknown keyword '%.24s%s', expected one of: %s", word,
		strlen(word) > 24 ? "..." : "", all);
}

/* The positional keyword that is still free, if any. */
static const struct keyword *positional_next(const struct verb *v, uint64_t seen)
{
	for (const struct keyword *k = v->keywords; k != NULL && k->name != NULL; k++) {
		if (k->flags & KEYWORD_POSITIONAL && !(seen >> (k - v->keywords) & 1))
			return k;
	}
	return NULL;
}

static int repeated(const struct verb *v, const struct keyword *k, uint64_t seen, struct err *e)
{
	if (!(k->flags & KEYWORD_REPEAT) && seen >> (k - v->keywords) & 1)
		return err_set(e, EINVAL, "%s is given twice", k->name);
	for (const struct keyword *o = v->keywords; o->name != NULL && k->group != NULL; o++) {
		if (o != k && o->group != NULL && strcmp(o->group, k->group) == 0 &&
			seen >> (o - v->keywords) & 1)
			return err_set(e, EINVAL, "%s and %s exclude each other", o->name, k->name);
	}
	return 0;
}

static int missing(const struct verb *v, uint64_t seen, struct err *e)
{
	char all[sizeof(e->text)] = "";

	for (const struct keyword *k = v->keywords; k != NULL && k->name != NULL; k++) {
		if (!(k->flags & KEYWORD_REQUIRED) || seen >> (k - v->keywords) & 1)
			continue;
		text_add(all, sizeof(all), ", ", k->name);
		if (k->value != NULL)
			text_add(all, sizeof(all), " ", k->value);
	}
	return all[0] == '\0' ? 0 : err_set(e, EINVAL, "missing: %s", all);
}

static int values_set(const struct keyword *k, void *req, char **values, struct err *e)
{
	struct err why = {""};
	int ret = k->set(k, req, values, &why);

	if (ret < 0)
		return err_set(e, -ret, "%s: %.200s", k->name, why.text);
	if (k->field != 0)
		*(uint32_t *)((char *)req + k->field_offset) |= k->field;
	return 0;
}

int words_parse(const struct verb *v, char **words, void *req, struct err *e)
{
	const struct keyword *k;
	uint64_t seen = 0;
	unsigned need;
	int ret;

	while (*words != NULL) {
		k = keyword_find(v, *words);
		if (k != NULL)
			words++;
		else
			k = positional_next(v, seen);
		if (k == NULL)
			return unknown_keyword(v, *words, e);
		ret = repeated(v, k, seen, e);
		if (ret < 0)
			return ret;
		need = keyword_values(k);
		for (unsigned i = 0; i < need; i++) {
			if (words[i] == NULL)
				return err_set(e, EINVAL, "%s: value missing, expected %s", k->name,
					k->value);
		}
		ret = values_set(k, req, words, e);
		if (ret < 0)
			return ret;
		seen |= 1ull << (k - v->keywords);
		words += need;
	}
	ret = missing(v, seen, e);
	return ret < 0 || v->check == NULL ? ret : v->check(req, e);
}
