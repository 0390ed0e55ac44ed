/* SPDX-License-Identifier: BSD-3-Clause */
/* A key is about to be read. */
#include "control/cli/values.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void guard_keys(void)
{
	const struct rlimit none = {0, 0};
	static bool done;

	if (done)
		return;
	done = true;
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
	/* Not MCL_FUTURE: beyond the limit of those who are not root, malloc(3) would fail. */
	if (mlockall(MCL_CURRENT | MCL_ONFAULT) < 0)
		fprintf(stderr,
			"viaductctl: warning: memory is not locked, keys may be swapped out to "
			"disk: %s (ulimit -l)\n",
			strerror(errno));
}
