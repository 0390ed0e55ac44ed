/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cli/values.h"
#include "control/addr_text.h"
#include "control/api/vti_choices.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *field(const struct keyword *k, void *req)
{
	return (char *)req + k->offset;
}

int set_addr(const struct keyword *k, void *req, char **values, struct err *e)
{
	if (addr_parse(values[0], field(k, req)) < 0)
		return err_set(e, EINVAL, "'%.64s' is no IPv4 or IPv6 address", values[0]);
	return 0;
}

int set_addr_or_any(const struct keyword *k, void *req, char **values, struct err *e)
{
	if (strcmp(values[0], "any") == 0) {
		*(struct viaduct_addr *)field(k, req) = (struct viaduct_addr){0};
		return 0;
	}
	if (addr_parse(values[0], field(k, req)) < 0)
		return err_set(e, EINVAL, "'%.64s' is neither an IPv4 or IPv6 address nor 'any'",
			values[0]);
	return 0;
}

static int text_set(char *to, size_t size, const char *from, struct err *e)
{
	if (strlen(from) >= size)
		return err_set(e, EINVAL, "'%.64s' is longer than %zu characters", from, size - 1);
	memset(to, 0, size);
	memcpy(to, from, strlen(from));
	return 0;
}

int set_name(const struct keyword *k, void *req, char **values, struct err *e)
{
	if (values[0][0] == '\0' || strpbrk(values[0], "/ ") != NULL)
		return err_set(e, EINVAL,
			"'%.64s' is no interface name: 1 to 15 characters, no '/', no space",
			values[0]);
	return text_set(field(k, req), VIADUCT_NAME_LEN, values[0], e);
}

int set_description(const struct keyword *k, void *req, char **values, struct err *e)
{
	return text_set(field(k, req), VIADUCT_TEXT_LEN, values[0], e);
}

int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *out, struct err *e)
{
	unsigned long long n;
	char *end;

	*out = 0;
	errno = 0;
	n = strtoull(text, &end, 0);
	/* strtoull takes signs and leading spaces; a number begins with a digit. */
	if (*text < '0' || *text > '9' || *end != '\0')
		return err_set(
			e, EINVAL, "'%.64s' is no number (decimal, or 0x and hexadecimal)", text);
	if (errno == ERANGE || n < min || n > max)
		return err_set(e, EINVAL, "%.64s is out of range, expected %" PRIu64 " to %" PRIu64,
			text, min, max);
	*out = n;
	return 0;
}

int set_u32(const struct keyword *k, void *req, char **values, struct err *e)
{
	uint64_t n;
	int ret = number_parse(values[0], k->min, k->max != 0 ? k->max : UINT32_MAX, &n, e);

	if (ret == 0)
		*(uint32_t *)field(k, req) = n;
	return ret;
}

int set_u64(const struct keyword *k, void *req, char **values, struct err *e)
{
	static const char suffixes[] = "kMGT";
	const size_t len = strlen(values[0]);
	const char *suffix = len > 1 ? strchr(suffixes, values[0][len - 1]) : NULL;
	char digits[32];
	uint64_t n, factor = 1;
	int ret;

	if (len == 0 || len >= sizeof(digits))
		return err_set(e, EINVAL, "'%.64s' is no number", values[0]);
	memcpy(digits, values[0], len + 1);
	if (suffix != NULL) {
		digits[len - 1] = '\0';
		for (int i = 0; i <= suffix - suffixes; i++)
			factor *= 1000;
	}
	ret = number_parse(digits, k->min, UINT64_MAX / factor, &n, e);
	if (ret == 0)
		*(uint64_t *)field(k, req) = n * factor;
	return ret;
}

int set_mark(const struct keyword *k, void *req, char **values, struct err *e)
{
	char *slash = strchr(values[0], '/');
	uint32_t *mark = field(k, req);
	char head[32];
	uint64_t n, mask = UINT32_MAX;
	int ret;

	snprintf(head, sizeof(head), "%.*s",
		slash != NULL ? (int)(slash - values[0]) : (int)strlen(values[0]), values[0]);
	ret = number_parse(head, 0, UINT32_MAX, &n, e);
	if (ret == 0 && slash != NULL)
		ret = number_parse(slash + 1, 1, UINT32_MAX, &mask, e);
	if (ret == 0) {
		mark[0] = n;
		mark[1] = slash != NULL ? mask : 0; /* mask 0: exact */
	}
	return ret;
}

static const struct word *find_word(const struct keyword *k, const char *name, struct err *e)
{
	char all[128] = "";
	size_t len;

	for (const struct word *w = k->words; w->name != NULL; w++) {
		if (strcmp(w->name, name) == 0)
			return w;
		len = strlen(all);
		snprintf(all + len, sizeof(all) - len, "%s%s", len > 0 ? ", " : "", w->name);
	}
	err_set(e, EINVAL, "unknown '%.64s', expected one of: %s", name, all);
	return NULL;
}

int set_word(const struct keyword *k, void *req, char **values, struct err *e)
{
	const struct word *w = find_word(k, values[0], e);

	if (w == NULL)
		return -EINVAL;
	*(uint8_t *)field(k, req) = w->value;
	return 0;
}

int set_word32(const struct keyword *k, void *req, char **values, struct err *e)
{
	const struct word *w = find_word(k, values[0], e);

	if (w == NULL)
		return -EINVAL;
	*(uint32_t *)field(k, req) = w->value;
	return 0;
}

int set_vti_choice(const struct keyword *k, void *req, char **values, struct err *e)
{
	const struct choice *c = vti_choice(k->name);

	if (choice_read(c, values[0], req) < 0)
		return err_set(e, EINVAL, "'%.64s' is not %s", values[0], c->expects);
	return 0;
}

int set_value32(const struct keyword *k, void *req, char **values, struct err *e)
{
	(void)values;
	(void)e;
	*(uint32_t *)field(k, req) |= k->min;
	return 0;
}

int set_value8(const struct keyword *k, void *req, char **values, struct err *e)
{
	(void)values;
	(void)e;
	*(uint8_t *)field(k, req) = k->min;
	return 0;
}

int set_ports(const struct keyword *k, void *req, char **values, struct err *e)
{
	uint16_t *ports = field(k, req);
	uint64_t n;

	for (unsigned i = 0; i < 2; i++) {
		if (number_parse(values[i], 1, UINT16_MAX, &n, e) < 0)
			return -EINVAL;
		ports[i] = n;
	}
	return 0;
}
