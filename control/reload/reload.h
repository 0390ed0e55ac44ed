/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration file read again while everything runs: what differs is changed, by the operations
 * that the API uses, and the rest is not touched.
 *
 * All that the file names exists afterwards; what was changed at run time, by the API or the kernel's
 * tools, stays as it is unless the file changed just that. What came by the API is never removed. */
#ifndef VIADUCT_RELOAD_H
#define VIADUCT_RELOAD_H

#include "config/config.h"

#include <viaduct_api.h>

/* Where the configuration comes from: the file, and what options say instead of it. */
struct config_source {
	const char *path;
	const char *socket, *log_level; /* NULL: the file's */
};

/* Read, check, override. NULL with *e. */
struct config *config_source_load(const struct config_source *source, struct err *e);

/* At start: make all that `config` names. From here on reload() compares with it; it is changed in
 * place. The keys in it are wiped. An error leaves nothing behind. */
int reload_start(struct config *config, const struct config_source *source, struct err *e);

/* Told of each difference; not 0: no more of them are wanted. */
typedef int (*reload_change)(const struct viaduct_change *change, void *arg);

/* Read the file again and apply what changed, then tell of it. Whatever is refused leaves everything
 * as it was. dry_run: only tell; else the log is told, too. told may be NULL. Returns the number of changes or a negative errno with *e. */
int reload(bool dry_run, reload_change told, void *arg, struct err *e);

/* SIGHUP. */
void reload_on_signal(void);

#endif
