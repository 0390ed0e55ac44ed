/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductctl batch: a command per line over one connection, none awaiting the answer of the last. */
#include "control/cli/batch.h"
#include "control/cli/commands.h"
#include "control/cli/values.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 256

struct options {
	char file[4096];
	uint32_t atomic;
};

struct batch {
	const char *name; /* of the file, for messages */
	uintptr_t line;
	bool atomic;
	int status; /* the worst so far: an exit code */
	uint64_t done;
	uint64_t failed;
};

static void worse(struct batch *b, int status)
{
	b->failed++;
	if (status > b->status)
		b->status = status;
}

static void complain(struct batch *b, uintptr_t line, const char *text, int status)
{
	fflush(stdout);
	fprintf(stderr, "viaductctl: %s:%ju: %s\n", b->name, (uintmax_t)line, text);
	worse(b, status);
}

static struct batch *current;

static void on_answer(const struct viaduct_answer *a, void *line)
{
	if (a->status == 0)
		current->done++;
	else if (a->status != -ECANCELED) /* another line's fault, which is told */
		complain(current, (uintptr_t)line, a->error, EXIT_REFUSED);
}

int batch_call(struct cli *cli, unsigned type, const void *req, void *rep)
{
	struct batch *b = cli->batch;
	int ret;

	/* Made known by what follows, not by its answer. */
	if (rep != NULL && type != VIADUCT_VTI_ADD && type != VIADUCT_VTI_SET) {
		ret = viaduct_call(cli->v, type, req, rep);
		b->done += ret == 0;
	} else {
		ret = viaduct_send(cli->v, type, req, on_answer, (void *)b->line);
		if (rep != NULL)
			memset(rep, 0, viaduct_reply_size(type));
	}
	if (ret < 0)
		complain(b, b->line, viaduct_error(cli->v), EXIT_REFUSED);
	return EXIT_OK;
}

/* Cut into words where it stands. 'a b' and "a b" are one word; # begins a comment. */
static int split(char *line, char **words, struct err *e)
{
	unsigned n = 0;
	char quote, *to;

	for (;;) {
		line += strspn(line, " \t\r\n");
		if (*line == '\0' || *line == '#')
			break;
		if (n == WORDS_MAX)
			return err_set(e, EINVAL, "more than %d words", WORDS_MAX);
		words[n++] = to = line;
		for (quote = '\0'; *line != '\0'; line++) {
			if (quote == '\0' && strchr(" \t\r\n", *line) != NULL)
				break;
			if (*line == quote)
				quote = '\0';
			else if (quote == '\0' && (*line == '\'' || *line == '"'))
				quote = *line;
			else
				*to++ = *line;
		}
		if (quote != '\0')
			return err_set(e, EINVAL, "quote %c is not closed", quote);
		if (*line != '\0')
			line++;
		*to = '\0';
	}
	words[n] = NULL;
	return n;
}

static int parse(char **words, const struct verb **verb, void **req, struct err *e)
{
	const struct object *o = object_find(*words++, e);
	const struct verb *v;

	if (o == NULL)
		return -EINVAL;
	if (o == &object_monitor || o == &object_batch)
		return err_set(e, EINVAL, "%s can't stand in a batch", o->name);
	v = verb_choose(o, &words, e);
	if (v == NULL)
		return -EINVAL;
	*verb = v;
	*req = calloc(1, v->req_size + 1);
	if (*req == NULL)
		return err_set(e, ENOMEM, "no memory");
	return words_parse(v, words, *req, e);
}

static void line_run(struct cli *cli, struct batch *b, char *line)
{
	char *words[WORDS_MAX + 1];
	const struct verb *v = NULL;
	void *req = NULL;
	struct err e;
	int ret;

	ret = split(line, words, &e);
	if (ret == 0)
		return;
	if (ret > 0)
		ret = parse(words, &v, &req, &e);
	if (ret < 0) {
		complain(b, b->line, e.text, EXIT_USAGE);
	} else {
		ret = v->run(cli, req);
		if (ret != EXIT_OK)
			worse(b, ret);
	}
	if (req != NULL)
		explicit_bzero(req, v->req_size); /* it may hold keys */
	free(req);
}

/* A line that does not even parse ends an atomic batch: it can only fail. */
static void lines_run(struct cli *cli, struct batch *b, FILE *f)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, f) >= 0 && b->status != EXIT_UNREACHABLE) {
		b->line++;
		line_run(cli, b, line);
		explicit_bzero(line, size);
		if (b->atomic && b->failed > 0)
			break;
	}
	if (ferror(f))
		complain(b, b->line + 1, strerror(errno), EXIT_REFUSED);
	free(line);
}

static int finish(struct cli *cli, struct batch *b)
{
	int ret;

	if (b->atomic)
		ret = b->failed > 0 ? viaduct_abort(cli->v) : viaduct_commit(cli->v);
	else
		ret = viaduct_flush(cli->v);
	if (ret == -ECONNRESET || ret == -EPIPE || ret == -ETIMEDOUT) {
		fprintf(stderr, "viaductctl: %s\n", viaduct_error(cli->v));
		return EXIT_UNREACHABLE;
	}
	/* What no line is to blame for. */
	if (ret < 0 && b->failed == 0)
		complain(b, b->line, viaduct_error(cli->v), EXIT_REFUSED);
	if (b->failed > 0 && b->atomic)
		fprintf(stderr, "viaductctl: %s: nothing was changed\n", b->name);
	else if (b->failed > 0)
		fprintf(stderr, "viaductctl: %s: %ju lines failed, %ju were done\n", b->name,
			(uintmax_t)b->failed, (uintmax_t)b->done);
	return b->status;
}

static int run(struct cli *cli, void *req)
{
	const struct options *o = req;
	const bool in = o->file[0] == '\0' || strcmp(o->file, "-") == 0;
	struct batch b = {.name = in ? "stdin" : o->file, .atomic = o->atomic};
	FILE *f = in ? stdin : fopen(o->file, "re");
	static char buffer[65536];
	int ret;

	guard_keys();
	if (f == NULL) {
		fprintf(stderr, "viaductctl: %s: %s\n", o->file, strerror(errno));
		return EXIT_USAGE;
	}
	setvbuf(f, buffer, _IOFBF, sizeof(buffer));
	key_words_only(true);
	current = cli->batch = &b;
	if (b.atomic && viaduct_begin(cli->v) < 0)
		complain(&b, 0, viaduct_error(cli->v), EXIT_REFUSED);
	else
		lines_run(cli, &b, f);
	cli->batch = NULL;
	ret = finish(cli, &b);
	explicit_bzero(buffer, sizeof(buffer)); /* keys */
	if (!in)
		fclose(f);
	return ret;
}

static int set_file(const struct keyword *k, void *req, char **values, struct err *e)
{
	struct options *o = req;

	(void)k;
	if (strlen(values[0]) >= sizeof(o->file))
		return err_set(e, ENAMETOOLONG, "longer than a path can be");
	snprintf(o->file, sizeof(o->file), "%s", values[0]);
	return 0;
}

/* clang-format off */
static const struct keyword keywords[] = {
	{"file", "FILE|-", "a command on each line, as behind viaductctl; # begins a comment", "-: standard input",
		.flags = KEYWORD_POSITIONAL, .set = set_file},
	{"atomic", NULL, "all of them take effect together, or none; at most 1024, none that shows or flushes",
		"each for itself", .set = set_value32, .min = 1, .offset = offsetof(struct options, atomic)},
	{0}};
/* clang-format on */

static const struct verb verbs[] = {
	{"run", "run many commands over one connection", keywords, sizeof(struct options),
		.run = run},
	{0},
};

const struct object object_batch = {"batch", "many commands at once, from a file", verbs};
