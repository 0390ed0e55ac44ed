/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings as text, from the tables that read them: what differs between two objects, and a file that
 * says again what was read. */
#ifndef VIADUCT_SETTING_TEXT_H
#define VIADUCT_SETTING_TEXT_H

#include "config/setting.h"

#include <stdio.h>

/* The longest text (SETTING_TEXT of 255 bytes), each byte escaped. */
#define SETTING_TEXT_LEN 1100

/* The value as the file would have it: 1500, true, "vti0". Empty: it has none (keys never have). */
void setting_text(const struct setting *t, const void *object, char *buf, size_t size);

/* One setting of a table that is another in b than in a. name: with the groups it stands in,
 * "workers.cores". Not 0 ends the comparison. */
typedef int (*setting_differs)(
	const struct setting *t, const char *name, const char *a, const char *b, void *arg);

/* Call back for each setting that differs. Lists are left to whoever knows their elements. */
int settings_compare(const struct setting *table, const void *a, const void *b,
	setting_differs differs, void *arg);

/* Give `to` what `from` has of the settings that only a restart changes. */
void settings_keep(const struct setting *table, const void *from, void *to);

/* Write the settings that differ from those of `defaults`, and all required ones; lists are left
 * out. Each stands on a line of its own, after `indent`. */
void settings_write(FILE *out, const char *indent, const struct setting *table, const void *object,
	const void *defaults);

#endif
