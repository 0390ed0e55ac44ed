/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_LEN 1024

static const struct {
	const char *name;
	int syslog;
} levels[] = {
	[LOG_LEVEL_ERR] = {"error", LOG_ERR},
	[LOG_LEVEL_WARN] = {"warning", LOG_WARNING},
	[LOG_LEVEL_NOTICE] = {"notice", LOG_NOTICE},
	[LOG_LEVEL_INFO] = {"info", LOG_INFO},
	[LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

#define LEVELS (sizeof(levels) / sizeof(levels[0]))

static enum log_level threshold = LOG_LEVEL_NOTICE;

void log_set_level(enum log_level level)
{
	threshold = level;
}

int log_level_by_name(const char *name)
{
	for (unsigned i = 0; i < LEVELS; i++) {
		if (strcmp(levels[i].name, name) == 0)
			return i;
	}
	return -1;
}

/* systemd names the journal's socket in JOURNAL_STREAM as device:inode; stderr may have been
 * redirected since (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream != NULL && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
		fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

/* The journal has its own clock and levels; people and files get both in the line. */
static int line_prefix(char *buf, size_t size, enum log_level level)
{
	static int journal = -1;
	struct timespec ts;
	struct tm tm;
	int n;

	if (journal < 0)
		journal = stderr_is_journal();
	if (journal)
		return snprintf(buf, size, "<%d>", levels[level].syslog);
	clock_gettime(CLOCK_REALTIME, &ts);
	localtime_r(&ts.tv_sec, &tm);
	n = strftime(buf, size, "%H:%M:%S", &tm);
	n += snprintf(buf + n, size - n, ".%03ld %s: ", ts.tv_nsec / 1000000, levels[level].name);
	return n;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_LEN];
	va_list ap;
	int n, text;

	if (level > threshold)
		return;
	n = line_prefix(line, sizeof(line), level);
	va_start(ap, fmt);
	text = vsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	va_end(ap);
	if (text < 0)
		return;
	n += text;
	if (n > LINE_MAX_LEN - 2)
		n = LINE_MAX_LEN - 2;
	line[n++] = '\n';
	/* One write per line, so that the threads' lines don't mix. Nobody to tell when it fails. */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}
