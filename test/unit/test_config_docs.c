/* SPDX-License-Identifier: BSD-3-Clause */
/* What people read agrees with the parser: examples, the reference, the manual, the installed file. */
#include "config/reference.h"
#include "config/tables.h"

#include "config_file.h"

#include <glob.h>
#include <stddef.h>

static void check_examples(const char *pattern, unsigned at_least)
{
	struct config *c;
	struct err e;
	glob_t g;

	CU_ASSERT_EQUAL_FATAL(glob(pattern, 0, NULL, &g), 0);
	CU_ASSERT(g.gl_pathc >= at_least);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		c = config_load(g.gl_pathv[i], &e);
		if (c == NULL)
			printf("\n    %s\n", e.text);
		CU_ASSERT_PTR_NOT_NULL(c);
		config_free(c);
	}
	globfree(&g);
}

static void examples_are_valid(void)
{
	check_examples(SOURCE_ROOT "/config/examples/*.conf", 6);
	check_examples(SOURCE_ROOT "/config/viaduct.conf", 1);
}

/* Two files that are meant for each other agree on every SA, but for the direction. */
static void manual_examples_match(void)
{
	struct config *a = config_load(SOURCE_ROOT "/config/examples/manual-freebsd-a.conf", NULL);
	struct config *b = config_load(SOURCE_ROOT "/config/examples/manual-freebsd-b.conf", NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	CU_ASSERT_EQUAL_FATAL(a->n_sas, 2);
	CU_ASSERT_EQUAL_FATAL(b->n_sas, 2);
	CU_ASSERT_EQUAL(a->vtis[0].reqid, 100);
	CU_ASSERT_EQUAL(b->vtis[0].reqid, 200);
	for (unsigned i = 0; i < 2; i++) {
		const struct viaduct_sa *x = &a->sas[i], *y = &b->sas[i];

		CU_ASSERT_EQUAL(x->id.spi, 10000 + i);
		CU_ASSERT_EQUAL(x->reqid, 100);
		CU_ASSERT_EQUAL(y->reqid, 200);
		CU_ASSERT_NOT_EQUAL(x->dir, y->dir);
		CU_ASSERT_EQUAL(memcmp(&x->id, &y->id, sizeof(x->id)), 0);
		CU_ASSERT_EQUAL(memcmp(&x->src, &y->src, sizeof(x->src)), 0);
		CU_ASSERT_EQUAL(memcmp(x->enc_key, y->enc_key, sizeof(x->enc_key)), 0);
		CU_ASSERT_EQUAL(memcmp(x->auth_key, y->auth_key, sizeof(x->auth_key)), 0);
	}
	config_free(a);
	config_free(b);
}

static char *read_whole(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 17);

	if (f == NULL || text == NULL)
		abort();
	CU_ASSERT(fread(text, 1, (1 << 17) - 1, f) > 0);
	fclose(f);
	return text;
}

static void documentation_agrees(void)
{
	char *doc = read_whole(SOURCE_ROOT "/docs/configuration.md"), *reference;
	size_t size;
	FILE *f = open_memstream(&reference, &size);

	config_reference(f);
	fclose(f);
	CU_ASSERT_PTR_NOT_NULL(strstr(doc, reference));
	if (strstr(doc, reference) == NULL)
		printf("\n    docs/configuration.md should hold:\n%s\n", reference);
	free(reference);
	free(doc);
}

/* Each setting has its paragraph; those of max_routes and workers under their full names. */
static void check_manual(const char *man, const char *prefix, const struct setting *t)
{
	for (; t->type != SETTING_END; t++) {
		char entry[64], inner[32];

		snprintf(entry, sizeof(entry), "\n.B %s%s\n", prefix, t->name);
		if (strstr(man, entry) == NULL)
			printf("\n    not in the manual: %s%s\n", prefix, t->name);
		CU_ASSERT_PTR_NOT_NULL(strstr(man, entry));
		snprintf(inner, sizeof(inner), "%s.", t->name);
		if (t->sub != NULL)
			check_manual(man, t->type == SETTING_GROUP ? inner : "", t->sub);
	}
}

static void manual_names_every_setting(void)
{
	char *man = read_whole(SOURCE_ROOT "/docs/man/viaduct.conf.5");

	check_manual(man, "", config_settings);
	free(man);
}

/* The installed file shows the defaults: with its comment signs taken off it changes nothing. */
static void installed_file_shows_the_defaults(void)
{
	char *text = read_whole(SOURCE_ROOT "/config/viaduct.conf");
	struct config *shown, *defaults = load("");
	unsigned uncommented = 0;

	for (char *p = text; p != NULL; p = strchr(p, '\n')) {
		p += *p == '\n';
		/* One-line settings only: ports, vtis and routes there are examples. */
		if (p[0] != '#' || p[1] < 'a' || p[1] > 'z' || p[strcspn(p, "\n;")] != ';')
			continue;
		*p = ' ';
		uncommented++;
	}
	CU_ASSERT_EQUAL(uncommented, 15);
	shown = load(text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(shown);
	/* But for the pointers at its end the structures are equal. */
	CU_ASSERT_EQUAL(memcmp(shown, defaults, offsetof(struct config, vtis)), 0);
	config_free(shown);
	config_free(defaults);
	free(text);
}

CONFIG_MAIN("config_docs", UNIT_TEST(examples_are_valid), UNIT_TEST(manual_examples_match),
	UNIT_TEST(documentation_agrees), UNIT_TEST(manual_names_every_setting),
	UNIT_TEST(installed_file_shows_the_defaults))
