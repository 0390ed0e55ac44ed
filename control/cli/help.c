/* SPDX-License-Identifier: BSD-3-Clause */
/* --help at every level, from the grammar. */
#include "control/cli/grammar.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

void help_program(void)
{
	printf("Usage: viaductctl [OPTIONS] OBJECT [COMMAND] [KEYWORD VALUE]...\n"
	       "\n"
	       "Look at and change a running viaductd.\n"
	       "\n"
	       "Objects:\n");
	for (unsigned i = 0; objects[i] != NULL; i++)
		printf("  %-9s %s\n", objects[i]->name, objects[i]->help);
	printf("\n"
	       "Options:\n"
	       "  -j, --json         print JSON\n"
	       "  -s, --socket PATH  viaductd's socket [$VIADUCT_SOCKET or %s]\n"
	       "  -4, -6             show only IPv4 or IPv6\n"
	       "  -h, --help         help; also after an object or a command\n"
	       "  -V, --version      print the version\n"
	       "\n"
	       "Objects and commands may be shortened while they stay unique; ls and list mean "
	       "show.\n"
	       "Exit status: 0 done, 1 refused by viaductd, 2 wrong usage, 3 viaductd not "
	       "reached.\n",
		VIADUCT_SOCKET);
}

static void usage_keyword(const struct keyword *k)
{
	const bool required = k->flags & KEYWORD_REQUIRED;

	printf(" %s", required ? "" : "[");
	if (k->flags & KEYWORD_POSITIONAL)
		printf("%s", k->value);
	else
		printf("%s%s%s", k->name, k->value != NULL ? " " : "",
			k->value != NULL ? k->value : "");
	printf("%s%s", required ? "" : "]", k->flags & KEYWORD_REPEAT ? "..." : "");
}

void help_verb(const struct object *o, const struct verb *v)
{
	const bool only = o->verbs[1].name == NULL; /* it may be left out */
	char head[64];
	int width = 0, len;
	bool more = false;

	printf("Usage: viaductctl %s %s%s%s", o->name, only ? "[" : "", v->name, only ? "]" : "");
	for (const struct keyword *k = v->keywords; k != NULL && k->name != NULL; k++) {
		if (k->flags & (KEYWORD_REQUIRED | KEYWORD_POSITIONAL))
			usage_keyword(k);
		else
			more = true;
		len = snprintf(head, sizeof(head), "%s %s", k->name, k->value ? k->value : "");
		width = len > width ? len : width;
	}
	printf("%s\n\n%c%s.\n", more ? " [KEYWORD VALUE]..." : "", toupper(v->help[0]),
		v->help + 1);
	if (v->keywords == NULL)
		return;
	printf("\nKeywords:\n");
	for (const struct keyword *k = v->keywords; k->name != NULL; k++) {
		snprintf(head, sizeof(head), "%s %s", k->name, k->value ? k->value : "");
		printf("  %-*s  %s", width, head, k->help);
		if (k->flags & KEYWORD_REQUIRED)
			printf(" (required)");
		else if (k->fallback != NULL)
			printf(" [%s]", k->fallback);
		putchar('\n');
	}
}

void help_object(const struct object *o)
{
	if (o->verbs[1].name == NULL) {
		help_verb(o, &o->verbs[0]);
		return;
	}
	printf("viaductctl %s: %s\n\nCommands:\n", o->name, o->help);
	for (const struct verb *v = o->verbs; v->name != NULL; v++)
		printf("  %-10s %s%s\n", v->name, v->help, v == o->verbs ? " (default)" : "");
	printf("\nviaductctl %s COMMAND --help lists a command's keywords.\n", o->name);
}
