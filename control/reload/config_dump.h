/* SPDX-License-Identifier: BSD-3-Clause */
/* What runs, as a configuration file. */
#ifndef VIADUCT_CONFIG_DUMP_H
#define VIADUCT_CONFIG_DUMP_H

#include "config/config.h"

#include <viaduct_api.h>

#include <stdio.h>

/* Called with pieces that follow each other; not 0 ends it. */
typedef int (*config_dump_piece)(const struct viaduct_text *text, void *arg);

/* A daemon started from the text has these settings, ports, VTIs, routes of file and API, and manual
 * SAs whose keys stand in files of their own. What cannot be given back (keys that stood in the file
 * itself, SAs of the API) is named in comments; IKE's SAs and the kernel's routes come by themselves. */
int config_dump(config_dump_piece piece, void *arg, struct err *e);

/* The same to a stream. */
void config_write_running(FILE *out, const struct config *running);

#endif
