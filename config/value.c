/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/value.h"
#include "control/addr_text.h"
#include "control/log.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool value_is_int(const config_setting_t *s)
{
	const int type = config_setting_type(s);

	return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
}

int64_t value_int(const config_setting_t *s)
{
	if (!value_is_int(s))
		return 0;
	if (config_setting_type(s) == CONFIG_TYPE_INT &&
		config_setting_get_format(s) == CONFIG_FORMAT_HEX)
		return (uint32_t)config_setting_get_int(s);
	return config_setting_get_int64(s);
}

static bool is_unicast(const struct viaduct_addr *a)
{
	static const uint8_t zero[16];

	if (a->family == IP_V6)
		return a->bytes[0] != 0xff && memcmp(a->bytes, zero, 16) != 0;
	return a->bytes[0] != 0 && a->bytes[0] < 224;
}

int value_addr(struct reader *r, const config_setting_t *s, struct viaduct_addr *a, bool any_ok)
{
	const char *expects = any_ok ? "a unicast IPv4 or IPv6 address, or \"any\""
				     : "a unicast IPv4 or IPv6 address";
	const char *text = config_setting_get_string(s);

	*a = (struct viaduct_addr){0};
	if (text != NULL && any_ok && strcmp(text, "any") == 0)
		return 0;
	if (text == NULL || addr_parse(text, a) < 0 || !is_unicast(a))
		return setting_wrong(r, s, expects);
	return 0;
}

/* Digits only, up to `end`: no sign, no space. */
static bool parse_u32(const char *text, char end, uint32_t *v, const char **rest)
{
	const bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	unsigned long long n;
	char *stop;

	if (!isdigit((unsigned char)text[0]) || (hex && !isxdigit((unsigned char)text[2])))
		return false;
	errno = 0;
	n = strtoull(text, &stop, hex ? 16 : 10);
	if (errno != 0 || n > UINT32_MAX || (*stop != '\0' && *stop != end))
		return false;
	*v = n;
	*rest = stop;
	return true;
}

int value_mark(struct reader *r, const config_setting_t *s, uint32_t *mark, uint32_t *mask)
{
	const char *expects = "a mark as 12 or \"12/0xff\", without bits outside the mask";
	const char *text = config_setting_get_string(s), *rest;
	const int64_t n = value_int(s);

	*mask = 0;
	if (text == NULL) {
		if (!value_is_int(s) || n < 0 || n > UINT32_MAX)
			return setting_wrong(r, s, expects);
		*mark = n;
		return 0;
	}
	if (!parse_u32(text, '/', mark, &rest))
		return setting_wrong(r, s, expects);
	if (*rest == '/' && (!parse_u32(rest + 1, '\0', mask, &rest) || (*mark & ~*mask) != 0))
		return setting_wrong(r, s, expects);
	return 0;
}

static int hex_digit(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

/* The sentences never show the key itself. */
static int parse_key(struct reader *r, const config_setting_t *s, const char *text, uint8_t *key,
	uint16_t *len, unsigned max)
{
	size_t digits;

	if (text == NULL || strncmp(text, "0x", 2) != 0)
		return setting_error(r, s, "not a key; expected \"0x\" and hexadecimal digits");
	text += 2;
	digits = strlen(text);
	if (digits % 2 != 0 || digits == 0)
		return setting_error(
			r, s, "%zu hexadecimal digits; expected two for each byte", digits);
	if (digits / 2 > max)
		return setting_error(r, s, "%zu bytes; expected at most %u", digits / 2, max);
	for (size_t i = 0; i < digits; i += 2) {
		const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return setting_error(r, s,
				"character %zu is no hexadecimal digit; expected 0-9 and a-f",
				high < 0 ? i + 3 : i + 4);
		key[i / 2] = high << 4 | low;
	}
	*len = digits / 2;
	return 0;
}

int value_key(
	struct reader *r, const config_setting_t *s, uint8_t *key, uint16_t *len, unsigned max)
{
	return parse_key(r, s, config_setting_get_string(s), key, len, max);
}

/* Relative to the file that names it; links are not followed, since they may lead elsewhere later. */
static int find_file(
	struct reader *r, const config_setting_t *s, const char *name, char *path, size_t size)
{
	char file[PATH_MAX], cwd[PATH_MAX] = "", found[3 * PATH_MAX];
	const char *from = reader_file(r, config_setting_source_file(s), file, sizeof(file));
	const char *slash = strrchr(from, '/');
	const int dir = name[0] == '/' || slash == NULL ? 0 : (int)(slash - from + 1);

	if (name[0] != '/' && from[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
		return setting_error(r, s, "\"%s\": %s", name, strerror(errno));
	snprintf(found, sizeof(found), "%s%s%.*s%s", cwd, cwd[0] != '\0' ? "/" : "", dir, from,
		name);
	if (strlen(found) >= size)
		return setting_error(r, s, "\"%s\": a path longer than %zu bytes", found, size - 1);
	strcpy(path, found);
	return 0;
}

/* A line of a file that is not a pipe or terminal, for which the daemon would wait. */
static int read_line(
	struct reader *r, const config_setting_t *s, const char *path, char *line, size_t size)
{
	struct stat st = {0};
	FILE *f;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return setting_error(r, s, "\"%s\": not a regular file", path);
	f = fopen(path, "re");
	if (f == NULL)
		return setting_error(r, s, "\"%s\": %s", path, strerror(errno));
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		log_warn("%s: holds a key and others may read it (mode %04o); expected 0600", path,
			st.st_mode & 07777);
	setvbuf(f, NULL, _IONBF, 0); /* no copy of the key in a buffer that is freed unwiped */
	if (fgets(line, size, f) == NULL)
		line[0] = '\0';
	fclose(f);
	line[strcspn(line, " \t\r\n")] = '\0';
	return 0;
}

int value_key_file(struct reader *r, const config_setting_t *s, char *file, size_t size,
	uint8_t *key, uint16_t *len, unsigned max)
{
	char line[2 + 2 * 64 + 32];
	int rc;

	rc = find_file(r, s, file, file, size);
	if (rc == 0)
		rc = read_line(r, s, file, line, sizeof(line));
	if (rc < 0)
		return rc;
	rc = parse_key(r, s, line, key, len, max);
	explicit_bzero(line, sizeof(line));
	return rc;
}

void write_addr(const struct viaduct_addr *a, char *buf, size_t size)
{
	char text[ADDR_TEXT_LEN];

	snprintf(buf, size, "\"%s\"", addr_text(a, text));
}

void write_mark(uint32_t mark, uint32_t mask, char *buf, size_t size)
{
	if (mask == 0 || mask == UINT32_MAX)
		snprintf(buf, size, "\"%u\"", mark);
	else
		snprintf(buf, size, "\"0x%x/0x%x\"", mark, mask);
}
