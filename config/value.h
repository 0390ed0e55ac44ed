/* SPDX-License-Identifier: BSD-3-Clause */
/* Values that libconfig has no type for: addresses, marks, keys. Each reads one setting or says what
 * is wrong with it. */
#ifndef VIADUCT_VALUE_H
#define VIADUCT_VALUE_H

#include "config/setting.h"

#include <viaduct_api.h>

bool value_is_int(const config_setting_t *s);
/* libconfig keeps hexadecimal numbers as signed: 0xffffffff is 4294967295 here. 0 if no number. */
int64_t value_int(const config_setting_t *s);

/* A unicast address. any_ok: "any" gives family 0. */
int value_addr(struct reader *r, const config_setting_t *s, struct viaduct_addr *a, bool any_ok);

/* 12, "12" or "12/0xff"; numbers decimal or hexadecimal. Without a mask: mask 0 (exact). */
int value_mark(struct reader *r, const config_setting_t *s, uint32_t *mark, uint32_t *mask);

/* "0x0011aa..." into at most `max` bytes. */
int value_key(
	struct reader *r, const config_setting_t *s, uint8_t *key, uint16_t *len, unsigned max);

/* The same from the first line of a file, so that the configuration itself holds no key. file: an
 * absolute path, or one relative to the file that the setting stands in; it becomes absolute, so that
 * it still holds when the configuration is written elsewhere. */
int value_key_file(struct reader *r, const config_setting_t *s, char *file, size_t size,
	uint8_t *key, uint16_t *len, unsigned max);

/* As the file would have them. */
void write_addr(const struct viaduct_addr *a, char *buf, size_t size);
void write_mark(uint32_t mark, uint32_t mask, char *buf, size_t size);

/* libconfig cuts numbers beyond 32 bits without a word, unless written with an L behind: refuse
 * those in this file. 0, or -EINVAL with *e. */
int value_check_literals(const char *path, struct err *e);

#endif
