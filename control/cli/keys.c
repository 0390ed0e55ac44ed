/* SPDX-License-Identifier: BSD-3-Clause */
/* Algorithms and keys. A key goes from the word (or file) to the request and is wiped on the way: other
 * users can read a process's words in /proc, and its memory may end in a core file. */
#include "control/cli/values.h"
#include "dataplane/alg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int set_cipher(const struct keyword *k, void *req, char **values, struct err *e)
{
	const int cipher = cipher_by_name(values[0]);
	char all[160] = "";
	size_t len;

	if (cipher > 0) {
		*((uint8_t *)req + k->offset) = cipher;
		return 0;
	}
	for (unsigned i = CIPHER_NULL; i < CIPHER_COUNT; i++) {
		len = strlen(all);
		snprintf(all + len, sizeof(all) - len, "%s%s", len > 0 ? ", " : "",
			cipher_info(i)->name);
	}
	return err_set(e, EINVAL, "unknown algorithm '%.64s', expected one of: %s", values[0], all);
}

int set_auth(const struct keyword *k, void *req, char **values, struct err *e)
{
	const int auth = auth_by_name(values[0]);
	char all[160] = "";
	size_t len;

	if (auth > 0) {
		*((uint8_t *)req + k->offset) = auth;
		return 0;
	}
	for (unsigned i = AUTH_NONE + 1; i < AUTH_COUNT; i++) {
		len = strlen(all);
		snprintf(all + len, sizeof(all) - len, "%s%s", len > 0 ? ", " : "",
			auth_info(i)->name);
	}
	return err_set(e, EINVAL, "unknown algorithm '%.64s', expected one of: %s", values[0], all);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Messages never show the key, not even a part. */
static int key_parse(const char *text, uint8_t key[64], uint16_t *key_len, struct err *e)
{
	size_t digits;
	int high, low;

	if (strncmp(text, "0x", 2) != 0 && strncmp(text, "0X", 2) != 0)
		return err_set(e, EINVAL, "expected 0x and hexadecimal digits");
	text += 2;
	digits = strlen(text);
	if (digits == 0 || digits % 2 != 0)
		return err_set(e, EINVAL,
			"%zu hexadecimal digits, expected an even number: two for each byte",
			digits);
	if (digits / 2 > 64)
		return err_set(e, EINVAL, "%zu bytes, no key is longer than 64", digits / 2);
	for (size_t i = 0; i < digits / 2; i++) {
		high = hex_digit(text[2 * i]);
		low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return err_set(e, EINVAL, "byte %zu is not two hexadecimal digits", i + 1);
		key[i] = high << 4 | low;
	}
	*key_len = digits / 2;
	return 0;
}

/* One line, read byte by byte: stdio would keep the key in its buffer, and the next key may stand on
 * the next line of the same input. */
static int line_read(int fd, char *line, size_t size, struct err *e)
{
	size_t len = 0;
	ssize_t n;
	char c;

	while ((n = read(fd, &c, 1)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, errno, "cannot read: %s", strerror(errno));
		if (c == '\n')
			break;
		if (c == ' ' || c == '\t' || c == '\r')
			continue;
		if (len + 1 >= size)
			return err_set(e, EINVAL, "line is longer than any key");
		line[len++] = c;
	}
	line[len] = '\0';
	return 0;
}

static int key_read(int fd, uint8_t key[64], uint16_t *key_len, struct err *e)
{
	char line[160];
	int ret;

	guard_keys();
	ret = line_read(fd, line, sizeof(line), e);
	if (ret == 0)
		ret = key_parse(line, key, key_len, e);
	explicit_bzero(line, sizeof(line));
	return ret;
}

static bool words_only;

void key_words_only(bool only)
{
	words_only = only;
}

static int key_from_word(char *word, uint8_t key[64], uint16_t *key_len, struct err *e)
{
	int ret;

	if (strcmp(word, "-") == 0 && words_only)
		return err_set(e, EINVAL, "in a batch a key stands in its line or in a file");
	if (strcmp(word, "-") == 0)
		return key_read(STDIN_FILENO, key, key_len, e);
	guard_keys();
	ret = key_parse(word, key, key_len, e);
	explicit_bzero(word, strlen(word));
	return ret;
}

static int key_from_file(const char *path, uint8_t key[64], uint16_t *key_len, struct err *e)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct err why;
	int ret;

	if (fd < 0)
		return err_set(e, errno, "%.128s: %s", path, strerror(errno));
	ret = key_read(fd, key, key_len, &why);
	close(fd);
	return ret < 0 ? err_set(e, -ret, "%.96s: %.128s", path, why.text) : 0;
}

int set_enc_key(const struct keyword *k, void *req, char **values, struct err *e)
{
	struct viaduct_sa *sa = req;

	(void)k;
	return key_from_word(values[0], sa->enc_key, &sa->enc_key_len, e);
}

int set_auth_key(const struct keyword *k, void *req, char **values, struct err *e)
{
	struct viaduct_sa *sa = req;

	(void)k;
	return key_from_word(values[0], sa->auth_key, &sa->auth_key_len, e);
}

int set_enc_key_file(const struct keyword *k, void *req, char **values, struct err *e)
{
	struct viaduct_sa *sa = req;

	(void)k;
	return key_from_file(values[0], sa->enc_key, &sa->enc_key_len, e);
}

int set_auth_key_file(const struct keyword *k, void *req, char **values, struct err *e)
{
	struct viaduct_sa *sa = req;

	(void)k;
	return key_from_file(values[0], sa->auth_key, &sa->auth_key_len, e);
}
