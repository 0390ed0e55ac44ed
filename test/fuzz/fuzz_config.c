/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as the configuration file. A line "--" ends it; what follows is the file that every
 * @include and every key file then names, so that nothing else of the machine is opened.
 *
 * A file that is refused names itself and the reason; one that is taken has every value in its bounds. */
#include "config/config.h"
#include "control/log.h"
#include "fuzz.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX  16384
#define SEPARATOR "\n--\n"

static char dir[] = "/dev/shm/viaduct-fuzz-XXXXXX";
static char path[64], other[64];

/* libconfig forgets its buffer when a file ends inside a string. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

static void fail(const char *what, const char *text)
{
	fprintf(stderr, "fuzz: %s: %s\n", what, text);
	abort();
}

static void clean_up(void)
{
	unlink(path);
	unlink(other);
	rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	log_set_level(LOG_LEVEL_ERR);
	if (mkdtemp(dir) == NULL)
		fail("mkdtemp", dir);
	snprintf(path, sizeof(path), "%s/fuzz.conf", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	atexit(clean_up);
	return 0;
}

static void write_file(const char *name, const char *text, size_t len)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		fail("cannot write", name);
	close(fd);
}

/* Names of files that the text opens become the other's: after these words, the next string. */
static size_t keep_inside(const char *from, size_t len, char *to)
{
	static const char *const words[] = {"@include", "key_file"};
	size_t n = 0, skip;
	bool names = false;

	for (size_t i = 0; i < len && n + sizeof(other) < TEXT_MAX; i++) {
		for (unsigned w = 0; w < 2; w++)
			names |= strncmp(from + i, words[w], strlen(words[w])) == 0;
		to[n++] = from[i];
		if (from[i] != '"' || !names)
			continue;
		skip = strcspn(from + i + 1, "\"");
		n += sprintf(to + n, "%s", other);
		i += skip < len - i - 1 ? skip : len - i - 1;
		names = false;
		if (i + 1 < len)
			to[n++] = from[++i]; /* the closing quote */
	}
	return n;
}

static void text_ends(const char *text, size_t size)
{
	if (memchr(text, '\0', size) == NULL)
		fail("a text without its end", "");
}

#define TEXT_ENDS(field) text_ends(field, sizeof(field))

static void check_sa(const struct viaduct_sa *a)
{
	if ((a->dir != VIADUCT_IN && a->dir != VIADUCT_OUT) || a->id.spi < 256)
		fail("an SA of no direction or a reserved SPI", "");
	if (a->enc_key_len > sizeof(a->enc_key) || a->auth_key_len > sizeof(a->auth_key))
		fail("a key that is too long", "");
	if (a->cipher == 0 || a->auth == VIADUCT_AUTH_NONE)
		fail("an SA without integrity", "");
	if (a->src.family != a->id.dst.family)
		fail("an SA of two families", "");
}

static void check_taken(const struct config *c)
{
	TEXT_ENDS(c->socket);
	TEXT_ENDS(c->log_level);
	TEXT_ENDS(c->crypto);
	TEXT_ENDS(c->eal_args);
	if (c->socket[0] != '/' || c->mbufs < 1024 || (c->mbuf_size != 0 && c->mbuf_size < 2048) ||
		c->n_cores < 1 || c->n_cores > CONFIG_CORES_MAX || c->n_ports > CONFIG_PORTS_MAX)
		fail("a setting out of its bounds", "");
	for (unsigned i = 0; i < c->n_ports; i++) {
		TEXT_ENDS(c->ports[i].name);
		TEXT_ENDS(c->ports[i].device);
	}
	for (unsigned i = 0; i < c->n_vtis; i++) {
		TEXT_ENDS(c->vtis[i].name);
		TEXT_ENDS(c->vtis[i].description);
		if (c->vtis[i].name[0] == '\0' || c->vtis[i].admin_up > 1)
			fail("a VTI without a name", "");
	}
	for (unsigned i = 0; i < c->n_sas; i++)
		check_sa(&c->sas[i]);
	for (unsigned i = 0; i < c->n_routes; i++)
		TEXT_ENDS(c->routes[i].dev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[TEXT_MAX + 1], inside[TEXT_MAX + sizeof(other)];
	const size_t len = size < TEXT_MAX ? size : TEXT_MAX;
	struct err e = {""};
	struct config *c;
	char *second;

	memcpy(text, data, len);
	text[len] = '\0';
	second = memmem(text, len, SEPARATOR, strlen(SEPARATOR));
	if (second != NULL) {
		second += strlen(SEPARATOR);
		write_file(other, inside, keep_inside(second, text + len - second, inside));
		second -= strlen(SEPARATOR) - 1;
	} else {
		second = text + len;
		unlink(other);
	}
	write_file(path, inside, keep_inside(text, second - text, inside));
	c = config_load(path, &e);
	if (c == NULL && strncmp(e.text, dir, strlen(dir)) != 0)
		fail("refused without a reason", e.text);
	if (c != NULL)
		check_taken(c);
	config_free(c);
	return 0;
}
