/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's log messages, in our log. */
#ifndef VIADUCT_EAL_LOG_H
#define VIADUCT_EAL_LOG_H

#include <stdbool.h>

/* Before rte_eal_init(), which would open its own log else. 0 or negative errno. */
int eal_log_open(void);
void eal_log_close(void);

/* While quiet (from the start on), DPDK's errors are only kept, for our own error sentences; else
 * they are logged as warnings. */
void eal_log_quiet(bool quiet);

/* The first error since eal_log_forget(), "" where there was none. */
void eal_log_forget(void);
const char *eal_log_reason(void);

#endif
