/* SPDX-License-Identifier: BSD-3-Clause */
/* The control thread's event loop: signals, the one-second tick, deferred work. */
#ifndef VIADUCT_LOOP_H
#define VIADUCT_LOOP_H

#include "control/err.h"

struct event_base;

int loop_start(struct err *e);
void loop_stop(void);
struct event_base *loop_base(void);

/* SIGTERM, SIGINT and SIGHUP are kept back from here on, for all threads started later, until
 * loop_run() takes them. Before anything starts a thread. */
void loop_block_signals(void);

/* Once the workers run: serve until a signal says stop. */
int loop_run(struct err *e);

#endif
