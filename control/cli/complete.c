/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductctl __complete WORD...: what the last word may become. Bash asks this on every tab. */
#include "control/cli/values.h"
#include "dataplane/alg.h"

#include <stdio.h>
#include <string.h>

static const char *partial;
static void (*found)(const char *word);

static void print_if_fits(const char *word)
{
	if (strncmp(word, partial, strlen(partial)) == 0)
		puts(word);
}

static int add_vti(const void *item, void *arg)
{
	const struct viaduct_vti_info *v = item;

	(void)arg;
	found(v->vti.name);
	return 0;
}

static int add_port(const void *item, void *arg)
{
	const struct viaduct_port_info *p = item;

	(void)arg;
	found(p->name);
	return 0;
}

/* Silent where there is no daemon: a tab is no place for errors. */
static bool reach(struct cli *cli, void (*add)(const char *word))
{
	found = add;
	if (cli->v == NULL)
		cli->v = viaduct_open(cli->socket, "viaductctl");
	return cli->v != NULL;
}

void complete_vti(struct cli *cli, void (*add)(const char *word))
{
	if (reach(cli, add))
		viaduct_dump(cli->v, VIADUCT_VTI_DUMP, NULL, add_vti, NULL);
}

void complete_iface(struct cli *cli, void (*add)(const char *word))
{
	complete_vti(cli, add);
	if (reach(cli, add))
		viaduct_dump(cli->v, VIADUCT_PORT_DUMP, NULL, add_port, NULL);
}

void complete_cipher(struct cli *cli, void (*add)(const char *word))
{
	(void)cli;
	for (unsigned i = CIPHER_NULL; i < CIPHER_COUNT; i++)
		add(cipher_info(i)->name);
}

void complete_auth(struct cli *cli, void (*add)(const char *word))
{
	(void)cli;
	for (unsigned i = AUTH_NONE + 1; i < AUTH_COUNT; i++)
		add(auth_info(i)->name);
}

static void complete_value(struct cli *cli, const struct keyword *k)
{
	if (k->complete != NULL)
		k->complete(cli, print_if_fits);
	for (const struct word *w = k->words; w != NULL && w->name != NULL; w++)
		print_if_fits(w->name);
}

static void complete_keyword(struct cli *cli, const struct verb *v, uint64_t seen)
{
	for (const struct keyword *k = v->keywords; k != NULL && k->name != NULL; k++) {
		if (seen >> (k - v->keywords) & 1 && !(k->flags & KEYWORD_REPEAT))
			continue;
		/* A positional's value where it stands; its word is rarely typed. */
		if (k->flags & KEYWORD_POSITIONAL)
			complete_value(cli, k);
		else
			print_if_fits(k->name);
	}
}

static void complete_words(struct cli *cli, const struct verb *v, char **words, int n)
{
	const struct keyword *k, *p;
	uint64_t seen = 0;
	int i = 0;

	while (i < n) {
		k = keyword_find(v, words[i]);
		if (k != NULL)
			i++;
		for (p = v->keywords; k == NULL && p != NULL && p->name != NULL; p++) {
			if (p->flags & KEYWORD_POSITIONAL && !(seen >> (p - v->keywords) & 1))
				k = p;
		}
		if (k == NULL)
			return;
		seen |= 1ull << (k - v->keywords);
		i += keyword_values(k);
		if (i > n) {
			complete_value(cli, k);
			return;
		}
	}
	complete_keyword(cli, v, seen);
}

void complete(struct cli *cli, char **words, int n)
{
	const struct object *o;
	const struct verb *v;
	struct err e;

	while (n > 1 && words[0][0] == '-') {
		if ((strcmp(words[0], "-s") == 0 || strcmp(words[0], "--socket") == 0) && n > 2) {
			cli->socket = words[1];
			words++;
			n--;
		}
		words++;
		n--;
	}
	partial = n > 0 ? words[n - 1] : "";
	if (n <= 1) {
		for (unsigned i = 0; objects[i] != NULL; i++)
			print_if_fits(objects[i]->name);
		return;
	}
	o = object_find(words[0], &e);
	if (o == NULL)
		return;
	if (n == 2) {
		for (v = o->verbs; v->name != NULL; v++)
			print_if_fits(v->name);
		print_if_fits("help");
		if (o->verbs[1].name == NULL) /* which may be left out */
			complete_keyword(cli, &o->verbs[0], 0);
		return;
	}
	v = verb_find(o, words[1], &e);
	if (v != NULL)
		complete_words(cli, v, words + 2, n - 3);
	else if (o->verbs[1].name == NULL)
		complete_words(cli, &o->verbs[0], words + 1, n - 2);
}
