/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of twins: a thread of its own gives their devices back to the kernel, so that nobody waits
 * for it who need not. */
#ifndef VIADUCT_TWIN_CLOSER_H
#define VIADUCT_TWIN_CLOSER_H

#include "control/err.h"
#include "control/iface/host_twins.h"

#include <stdbool.h>
#include <stdint.h>

int twin_closer_start(struct err *e);
/* Returns when all devices are gone. */
void twin_closer_stop(void);

/* Takes over a twin that the host thread has let go of. Done at once where the thread does not run,
 * as while the daemon starts or stops. */
void twin_close(struct twin *t);

/* How many were ever handed over. They go in their order: twin_is_closed() of this number says that
 * those handed over so far are gone. */
uint64_t twin_closings(void);
bool twin_is_closed(uint64_t number);
/* Wait for all that were handed over. */
void twin_closings_wait(void);
/* Becomes readable when some are gone; -1 where the thread does not run. */
int twin_closer_fd(void);

#endif
