/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line's grammar: objects have verbs, verbs have keywords. Parsing, help and completion all
 * read the same tables (cmd_*.c). */
#ifndef VIADUCT_CLI_GRAMMAR_H
#define VIADUCT_CLI_GRAMMAR_H

#include "control/api/choice.h"
#include "control/err.h"

#include <viaduct.h>

#include <stddef.h>

/* Exit codes, for scripts. */
enum {
	EXIT_OK = 0,
	EXIT_REFUSED = 1, /* the daemon refused or failed */
	EXIT_USAGE = 2,
	EXIT_UNREACHABLE = 3, /* cannot connect, or the connection was lost */
};

struct cli {
	const char *socket; /* NULL: the default */
	bool json;
	unsigned family; /* -4, -6; 0: both */
	struct viaduct *v;
	struct batch *batch; /* inside `viaductctl batch`; NULL: not */
};

struct keyword;

/* Writes the values into the request. 0, or a negative errno with *e: what was expected. */
typedef int (*value_setter)(const struct keyword *k, void *req, char **values, struct err *e);

enum keyword_flag {
	KEYWORD_REQUIRED = 1 << 0,
	KEYWORD_POSITIONAL = 1 << 1, /* its own word may be left out */
	KEYWORD_REPEAT = 1 << 2,
};

struct keyword {
	const char *name;
	const char *value; /* as help names it: "ADDR", "SPORT DPORT"; NULL: the word says it all */
	const char *help;
	const char *fallback; /* what holds without it, for help */
	unsigned flags;
	value_setter set;
	size_t offset;       /* into the request, for set */
	size_t field_offset; /* of a bit field that says what was set */
	uint32_t field;      /* the bit; 0: no such field */
	uint64_t min, max;   /* numbers: bounds; max 0: all that fit. set_value: min is stored */
	const struct word *words; /* enums: what is accepted */
	const char *group;        /* of the keywords with this group only one may be given */
	void (*complete)(struct cli *cli, void (*add)(const char *word));
};

struct verb {
	const char *name;
	const char *help;
	const struct keyword *keywords; /* ends with a NULL name; NULL: none */
	size_t req_size;
	int (*check)(const void *req, struct err *e); /* of the whole, before the daemon is asked */
	int (*run)(struct cli *cli, void *req);       /* an exit code */
};

struct object {
	const char *name;
	const char *help;
	const struct verb
		*verbs; /* ends with a NULL name; the first is what the object alone means */
	bool in_full;   /* changes much by its name alone, so that no shorter word does */
};

extern const struct object *const objects[]; /* ends with NULL */

/* By name, alias or unique prefix; NULL with *e saying what there is. */
const struct object *object_find(const char *word, struct err *e);
const struct verb *verb_find(const struct object *o, const char *word, struct err *e);
/* The verb that **words names, which is taken, or the one that the object alone means. */
const struct verb *verb_choose(const struct object *o, char ***words, struct err *e);
const struct keyword *keyword_find(const struct verb *v, const char *word);
unsigned keyword_values(const struct keyword *k);

/* Words to request (zeroed, v->req_size bytes). Values that are keys are wiped from the words. */
int words_parse(const struct verb *v, char **words, void *req, struct err *e);

void help_program(void);
void help_object(const struct object *o);
void help_verb(const struct object *o, const struct verb *v);

/* Print what may stand at the last word, one per line (viaductctl.bash-completion). */
void complete(struct cli *cli, char **words, int n);

/* Talk to the daemon; failures are printed. These return exit codes. */
int cli_connect(struct cli *cli);
int cli_call(struct cli *cli, unsigned type, const void *req, void *rep);
int cli_dump(struct cli *cli, unsigned type, viaduct_dump_cb cb, void *arg);
int cli_dump_of(struct cli *cli, unsigned type, const void *req, viaduct_dump_cb cb, void *arg);

#endif
