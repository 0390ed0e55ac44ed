/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductctl: look at and change a running viaductd. */
#include "control/cli/commands.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_help(const char *word)
{
	return strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "help") == 0;
}

static int usage_error(const char *text, const struct object *o, const struct verb *v)
{
	fprintf(stderr, "viaductctl%s%s%s%s: %s\nTry: viaductctl%s%s%s%s --help\n",
		o != NULL ? " " : "", o != NULL ? o->name : "", v != NULL ? " " : "",
		v != NULL ? v->name : "", text, o != NULL ? " " : "", o != NULL ? o->name : "",
		v != NULL ? " " : "", v != NULL ? v->name : "");
	return EXIT_USAGE;
}

static int verb_run(struct cli *cli, const struct object *o, const struct verb *v, char **words)
{
	void *req = calloc(1, v->req_size + 1);
	struct err e;
	int ret;

	if (req == NULL) {
		fprintf(stderr, "viaductctl: no memory\n");
		return EXIT_REFUSED;
	}
	if (words_parse(v, words, req, &e) < 0)
		ret = usage_error(e.text, o, v);
	else if ((ret = cli_connect(cli)) == EXIT_OK)
		ret = v->run(cli, req);
	explicit_bzero(req, v->req_size); /* it may hold keys */
	free(req);
	return ret;
}

/* -j is also understood behind the object. */
static void json_take(struct cli *cli, char **words)
{
	char **to = words;

	for (; *words != NULL; words++) {
		if (strcmp(*words, "-j") == 0 || strcmp(*words, "--json") == 0)
			cli->json = true;
		else
			*to++ = *words;
	}
	*to = NULL;
}

static int run(struct cli *cli, char **words)
{
	const struct object *o;
	const struct verb *v;
	struct err e;

	json_take(cli, words);
	if (*words == NULL || is_help(*words)) {
		help_program();
		return *words == NULL ? EXIT_USAGE : EXIT_OK;
	}
	o = object_find(*words++, &e);
	if (o == NULL)
		return usage_error(e.text, NULL, NULL);
	if (*words != NULL && is_help(*words)) {
		help_object(o);
		return EXIT_OK;
	}
	v = verb_choose(o, &words, &e);
	if (v == NULL)
		return usage_error(e.text, o, NULL);
	for (char **w = words; *w != NULL; w++) {
		if (is_help(*w)) {
			help_verb(o, v);
			return EXIT_OK;
		}
	}
	return verb_run(cli, o, v, words);
}

/* Options that stand before the object. 0, or an exit code + 1. */
static int options_parse(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
		{"socket", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "+js:hV46", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			cli->json = true;
			break;
		case 's':
			cli->socket = optarg;
			break;
		case '4':
		case '6':
			cli->family = c - '0';
			break;
		case 'h':
			help_program();
			return EXIT_OK + 1;
		case 'V':
			printf("viaductctl %s, API version %d\n", VIADUCT_VERSION,
				VIADUCT_API_VERSION);
			return EXIT_OK + 1;
		default:
			fprintf(stderr, "Try: viaductctl --help\n");
			return EXIT_USAGE + 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct cli cli = {0};
	int ret;

	if (argc > 1 && strcmp(argv[1], "__complete") == 0) {
		complete(&cli, argv + 2, argc - 2);
		viaduct_close(cli.v);
		return EXIT_OK;
	}
	ret = options_parse(&cli, argc, argv);
	if (ret > 0)
		return ret - 1;
	ret = run(&cli, argv + optind);
	viaduct_close(cli.v);
	/* A full disk or a closed pipe under our output is a failure too. */
	if (fflush(stdout) != 0 && ret == EXIT_OK)
		ret = EXIT_REFUSED;
	return ret;
}
