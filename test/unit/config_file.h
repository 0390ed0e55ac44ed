/* SPDX-License-Identifier: BSD-3-Clause */
/* Configuration files for the tests, in a directory of their own that goes with the program. */
#ifndef VIADUCT_TEST_CONFIG_FILE_H
#define VIADUCT_TEST_CONFIG_FILE_H

#include "config/config.h"

#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

/* libconfig 1.5 forgets its buffer when a file ends inside a string. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

static char dir[] = "/tmp/viaduct-test-config-XXXXXX";

static inline const char *write_file(const char *name, const char *text)
{
	static char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (f == NULL)
		abort();
	fputs(text, f);
	fclose(f);
	chmod(path, 0600);
	return path;
}

static inline struct config *load(const char *text)
{
	struct err e = {""};
	struct config *c = config_load(write_file("t.conf", text), &e);

	if (c == NULL)
		printf("    unexpected: %s\n", e.text);
	return c;
}

#define KEY16 "0x000102030405060708090a0b0c0d0e0f"
#define KEY20 KEY16 "10111213"
#define KEY32 KEY16 "101112131415161718191a1b1c1d1e1f"
#define SA(more)                                                                                   \
	"sas = ( { dir = \"in\"; src = \"192.0.2.2\"; dst = \"192.0.2.1\"; spi = 0x2711;\n" more   \
	" } );"
#define ALGS                                                                                       \
	"cipher = \"aes-cbc\"; key = \"" KEY16                                                     \
	"\";\nauth = \"hmac-sha2-256-128\"; auth_key = \"" KEY32 "\";"

static inline int config_run(const char *suite, const CU_TestInfo *tests, int argc, char **argv)
{
	char command[128];
	int rc;

	if (mkdtemp(dir) == NULL)
		return 1;
	rc = unit_run(suite, tests, argc, argv);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) != 0 ? 1 : rc;
}

#define CONFIG_MAIN(suite, ...)                                                                    \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		static const CU_TestInfo tests[] = {__VA_ARGS__, CU_TEST_INFO_NULL};               \
                                                                                                   \
		return config_run(suite, tests, argc, argv);                                       \
	}

#endif
