/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/includes.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 10 /* libconfig's, which says so where there are more */

/* The name in `@include "name"`, cut out of the line; NULL: this line is none. */
static char *included(char *line)
{
	char *name = line + strspn(line, " \t"), *end;

	if (strncmp(name, "@include", strlen("@include")) != 0)
		return NULL;
	name = strchr(name, '"');
	end = name != NULL ? strchr(name + 1, '"') : NULL;
	if (end == NULL)
		return NULL;
	*end = '\0';
	return name + 1;
}

static int check(const char *path, const char *dir, unsigned depth, struct err *e)
{
	FILE *f = fopen(path, "re");
	char *line = NULL, *name, file[2 * PATH_MAX];
	size_t size = 0;
	struct stat st;
	int rc = 0;

	if (f == NULL)
		return 0; /* libconfig will say so */
	for (unsigned n = 1; rc == 0 && getline(&line, &size, f) > 0; n++) {
		name = included(line);
		if (name == NULL)
			continue;
		snprintf(file, sizeof(file), "%s/%s", dir, name);
		if (stat(file, &st) == 0 && !S_ISREG(st.st_mode))
			rc = err_set(e, EINVAL, "%s:%u: @include \"%s\": %s; expected a file", path,
				n, name, S_ISDIR(st.st_mode) ? "a directory" : "a pipe or device");
		else if (depth < DEPTH_MAX)
			rc = check(file, dir, depth + 1, e);
	}
	if (line != NULL)
		explicit_bzero(line, size); /* keys stand in such files */
	free(line);
	fclose(f);
	return rc;
}

int includes_check(const char *path, const char *dir, struct err *e)
{
	return check(path, dir, 0, e);
}
