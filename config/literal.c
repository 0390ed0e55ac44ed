/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/value.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where in libconfig's grammar is the scanner? */
struct scan {
	bool in_string, in_comment; /* comment: of C's block kind; the others end with the line */
};

static bool too_large(const char *word)
{
	const bool hex = word[0] == '0' && tolower((unsigned char)word[1]) == 'x';
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(word, &end, hex ? 16 : 10);
	if (*end != '\0')
		return false; /* 5000000000L, a float, or no number at all */
	return errno == ERANGE || n > (hex ? UINT_MAX : INT_MAX);
}

/* Length of the word at p: what belongs to a number or name. */
static size_t word_at(const char *p, char *word, size_t size)
{
	size_t n = 0;

	while (isalnum((unsigned char)p[n]) || p[n] == '_' || p[n] == '.')
		n++;
	snprintf(word, size, "%.*s", (int)n, p);
	return n;
}

/* Bytes to go on by where p is inside, or begins, a string or comment; 0: neither. */
static size_t skip(struct scan *sc, const char *p)
{
	if (sc->in_comment) {
		sc->in_comment = strncmp(p, "*/", 2) != 0;
		return sc->in_comment ? 1 : 2;
	}
	if (sc->in_string) {
		if (*p == '\\' && p[1] != '\0')
			return 2;
		sc->in_string = *p != '"';
		return 1;
	}
	if (*p == '#' || strncmp(p, "//", 2) == 0)
		return strlen(p);
	if (strncmp(p, "/*", 2) == 0) {
		sc->in_comment = true;
		return 2;
	}
	sc->in_string = *p == '"';
	return sc->in_string ? 1 : 0;
}

/* The first number in the line that libconfig would cut. */
static bool find_too_large(struct scan *sc, const char *p, char *word, size_t size)
{
	size_t n;

	while (*p != '\0') {
		n = skip(sc, p);
		if (n == 0) {
			n = word_at(p, word, size);
			if (n > 0 && isdigit((unsigned char)*p) && too_large(word))
				return true;
		}
		p += n > 0 ? n : 1;
	}
	return false;
}

int value_check_literals(const char *path, struct err *e)
{
	FILE *f = fopen(path, "r");
	struct scan sc = {0};
	char *line = NULL, word[32];
	size_t size = 0;
	unsigned number = 0;
	int rc = 0;

	if (f == NULL)
		return err_set(e, errno, "%s: %s", path, strerror(errno));
	while (rc == 0 && getline(&line, &size, f) > 0) {
		number++;
		if (find_too_large(&sc, line, word, sizeof(word)))
			rc = err_set(e, EINVAL,
				"%s:%u: %s: number too large; expected %sL where it is meant so",
				path, number, word, word);
	}
	if (line != NULL)
		explicit_bzero(line, size); /* keys stand in such files */
	free(line);
	fclose(f);
	return rc;
}
