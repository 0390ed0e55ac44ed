/* SPDX-License-Identifier: BSD-3-Clause */
/* Log lines on stderr, with systemd's <level> prefixes when it is the journal that listens.
 * Never pass key material or a message that carries it. Control and host threads only. */
#ifndef VIADUCT_LOG_H
#define VIADUCT_LOG_H

enum log_level {
	LOG_LEVEL_ERR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

void log_set_level(enum log_level level);
/* -1 where the name is unknown. */
int log_level_by_name(const char *name);
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_err(...)    log_write(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...)   log_write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)   log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)  log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
