/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/secrets.h"
#include "control/log.h"

#include <errno.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static struct rlimit core;

static bool may_lock_all(void)
{
	const struct rlimit endless = {RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit now = {0};
	cap_flag_value_t has = CAP_CLEAR;
	cap_t caps = cap_get_proc();

	if (caps != NULL)
		cap_get_flag(caps, CAP_IPC_LOCK, CAP_EFFECTIVE, &has);
	cap_free(caps);
	/* For DMA memory too, which the kernel counts against this limit. */
	if (setrlimit(RLIMIT_MEMLOCK, &endless) == 0 || has == CAP_SET)
		return true;
	/* With any other limit a later mmap(2) would fail: not an option. */
	return getrlimit(RLIMIT_MEMLOCK, &now) == 0 && now.rlim_cur == RLIM_INFINITY;
}

/* All of it, each page once it is touched: a key may stand on any thread's stack, in any buffer that
 * libconfig or libevent has, and the larger part is DPDK's anyway. */
static void lock_memory(void)
{
	if (!may_lock_all())
		log_warn("memory is not locked, keys may be swapped out to disk; grant "
			 "CAP_IPC_LOCK or an unlimited RLIMIT_MEMLOCK (ulimit -l unlimited)");
	else if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		log_warn("memory is not locked, keys may be swapped out to disk: mlockall: %s",
			strerror(errno));
}

void secrets_protect(void)
{
	struct rlimit none;

	getrlimit(RLIMIT_CORE, &core);
	none = (struct rlimit){0, core.rlim_max};
	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		log_warn("core files cannot be prevented, they may hold keys: %s", strerror(errno));
	lock_memory();
}

__attribute__((noinline)) void secrets_wipe_stack(void)
{
	unsigned char below[32 * 1024];

	explicit_bzero(below, sizeof(below));
}

void secrets_core_dumps(bool allowed)
{
	const struct rlimit none = {0, 0};

	prctl(PR_SET_DUMPABLE, allowed);
	setrlimit(RLIMIT_CORE, allowed ? &core : &none);
	if (allowed)
		log_warn("core_dumps = true: a core file holds packets and may hold keys");
}
