/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/api/choice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *word_name(const struct word *words, uint32_t value)
{
	for (; words->name != NULL; words++) {
		if (words->value == value)
			return words->name;
	}
	return "";
}

uint32_t choice_get(const struct choice *c, const void *object)
{
	const char *field = (const char *)object + c->offset;

	switch (c->size) {
	case 1:
		return *(const uint8_t *)field;
	case 2:
		return *(const uint16_t *)field;
	default:
		return *(const uint32_t *)field;
	}
}

void choice_set(const struct choice *c, void *object, uint32_t value)
{
	char *field = (char *)object + c->offset;

	if (c->size == 1)
		*(uint8_t *)field = value;
	else if (c->size == 2)
		*(uint16_t *)field = value;
	else
		*(uint32_t *)field = value;
}

bool choice_is_number(const struct choice *c, const void *object)
{
	const uint32_t value = choice_get(c, object);

	return c->max != 0 && value >= c->base + c->min && value <= c->base + c->max;
}

/* Digits only: no sign, no space. */
static bool read_number(const struct choice *c, const char *text, uint32_t *value)
{
	unsigned long n;
	char *end;

	if (c->max == 0 || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	n = strtoul(text, &end, 0);
	if (errno != 0 || *end != '\0' || n < c->min || n > c->max)
		return false;
	*value = c->base + n;
	return true;
}

int choice_read(const struct choice *c, const char *text, void *object)
{
	uint32_t value;

	for (const struct word *w = c->words; w->name != NULL; w++) {
		if (strcmp(w->name, text) == 0) {
			choice_set(c, object, w->value);
			return 0;
		}
	}
	if (read_number(c, text, &value)) {
		choice_set(c, object, value);
		return 0;
	}
	return c->read != NULL ? c->read(text, object) : -EINVAL;
}

void choice_write(const struct choice *c, const void *object, char *buf, size_t size)
{
	const uint32_t value = choice_get(c, object);

	if (c->write != NULL && c->write(object, buf, size))
		return;
	if (choice_is_number(c, object))
		snprintf(buf, size, "%u", value - c->base);
	else
		snprintf(buf, size, "%s", word_name(c->words, value));
}

bool choice_valid(const struct choice *c, const void *object)
{
	if (choice_is_number(c, object) || word_name(c->words, choice_get(c, object))[0] != '\0')
		return true;
	return c->valid != NULL && c->valid(object);
}
