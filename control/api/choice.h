/* SPDX-License-Identifier: BSD-3-Clause */
/* Fields that take one of some words, or a number: spelt alike in the configuration file, on the
 * command line and in what is shown. */
#ifndef VIADUCT_CHOICE_H
#define VIADUCT_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A word that stands for a number, e.g. "in". */
struct word {
	const char *name;
	uint32_t value;
};

/* "" where there is none. Tables end with a NULL name. */
const char *word_name(const struct word *words, uint32_t value);

struct choice {
	const char *name;
	const struct word *words;
	uint32_t def; /* value of the default */
	uint32_t min, max,
		base; /* numbers that do beside the words are kept as base + n; max 0: none */
	const char *expects;   /* "copy, or a number from 1 to 255" */
	uint16_t offset, size; /* of the field; size: 1, 2 or 4 bytes */
	/* A value that is neither (vti_dscp.c); NULL: there is none. write: false, the field has no such
	 * value. */
	int (*read)(const char *text, void *object);
	bool (*write)(const void *object, char *buf, size_t size);
	bool (*valid)(const void *object);
};

#define CHOICE_TEXT_LEN 512

#define CHOICE_FIELD(type, field)                                                                  \
	.offset = offsetof(type, field), .size = sizeof(((type *)0)->field)

/* Text to the object's field; a negative errno where the text is none of what is expected. */
int choice_read(const struct choice *c, const char *text, void *object);
void choice_write(const struct choice *c, const void *object, char *buf, size_t size);

uint32_t choice_get(const struct choice *c, const void *object);
void choice_set(const struct choice *c, void *object, uint32_t value);
bool choice_valid(const struct choice *c, const void *object);
bool choice_is_number(const struct choice *c, const void *object);

#endif
