/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/reload/reload_plan.h"

#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/setting_text.h"

struct step *plan_add(
	struct plan *p, const struct step_kind *kind, const void *from, const void *to)
{
	if (p->n == p->room) {
		const unsigned room = p->room > 0 ? 2 * p->room : 64;
		struct step *steps = realloc(p->steps, room * sizeof(*steps));

		if (steps == NULL)
			return NULL;
		p->steps = steps;
		p->room = room;
	}
	p->steps[p->n] = (struct step){.kind = kind, .from = from, .to = to};
	return &p->steps[p->n++];
}

int plan_error(const struct plan *p, struct err *e, int code, const char *fmt, ...)
{
	char text[sizeof(e->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(e, code, "%.100s: %s", p->path, text);
}

int lookup_fill(struct lookup *l, int (*compare)(const void *a, const void *b), const void *array,
	unsigned n, size_t size)
{
	l->root = NULL;
	l->compare = compare;
	for (unsigned i = 0; i < n; i++) {
		if (tsearch((const char *)array + i * size, &l->root, compare) == NULL) {
			lookup_free(l);
			return -ENOMEM;
		}
	}
	return 0;
}

const void *lookup_find(const struct lookup *l, const void *key)
{
	void *const *found = tfind(key, &l->root, l->compare);

	return found != NULL ? *found : NULL;
}

static void keep(void *element)
{
	(void)element;
}

void lookup_free(struct lookup *l)
{
	tdestroy(l->root, keep);
	l->root = NULL;
}

struct text {
	char *at;
	size_t size;
};

static int add_text(
	const struct setting *t, const char *name, const char *a, const char *b, void *arg)
{
	struct text *text = arg;
	const size_t n = strlen(text->at);

	(void)t;
	snprintf(text->at + n, text->size - n, "%s%s %s -> %s", n > 0 ? ", " : "", name,
		a[0] != '\0' ? a : "none", b[0] != '\0' ? b : "none");
	return 0;
}

void describe_settings(
	char *text, size_t size, const struct setting *table, const void *a, const void *b)
{
	struct text t = {text, size};

	settings_compare(table, a, b, add_text, &t);
}
