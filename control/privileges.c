/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/privileges.h"
#include "control/api/api_access.h"
#include "control/log.h"
#include "control/secrets.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <linux/securebits.h>
#include <pwd.h>
#include <rte_pci.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define KEEP_MAX 8

struct keep {
	cap_value_t cap[KEEP_MAX];
	unsigned n;
};

static bool is_pci(const char *device)
{
	struct rte_pci_addr addr;
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
	return rte_pci_addr_parse(name, &addr) == 0;
}

static void keep(struct keep *k, cap_value_t cap)
{
	k->cap[k->n++] = cap;
}

static void choose(const struct config *c, struct keep *k)
{
	bool pci = is_pci(c->crypto), xdp = false;

	for (unsigned i = 0; i < c->n_ports; i++) {
		pci |= is_pci(c->ports[i].device);
		xdp |= strncmp(c->ports[i].device, "net_af_xdp", strlen("net_af_xdp")) == 0;
	}
	keep(k, CAP_NET_ADMIN); /* TAP and TUN devices, their settings, the kernel's routes */
	keep(k, CAP_NET_RAW);   /* packet sockets of net_af_packet and net_af_xdp */
	keep(k, CAP_IPC_LOCK);  /* memory that is not swapped out; huge pages */
	if (c->huge_pages)
		keep(k, CAP_SYS_NICE); /* pages on the NUMA node they belong to */
	if (pci) {
		keep(k, CAP_SYS_RAWIO);    /* I/O ports of old virtio cards */
		keep(k, CAP_DAC_OVERRIDE); /* /dev/vfio/N of another user */
	}
	if (xdp)
		keep(k, CAP_SYS_ADMIN); /* libxdp looks for programs by their ids */
}

/* With its group, since that is what a directory of ours is given to. */
static int find_user(const struct config *c, struct passwd *found, struct err *e)
{
	struct passwd *p;

	errno = 0;
	p = getpwnam(c->user);
	if (p == NULL)
		return err_set(
			e, errno != 0 ? errno : ENOENT, "user = \"%s\": no such user", c->user);
	*found = *p; /* its texts are not looked at */
	return 0;
}

/* The socket is removed at the end, so its directory must be the user's. Only one that is ours by
 * its name is given away, not /run or /tmp. */
static int directory_give(const struct config *c, const struct passwd *to, struct err *e)
{
	char path[sizeof(c->socket)], ours[] = VIADUCT_SOCKET;
	const char *dir;
	bool made;

	snprintf(path, sizeof(path), "%s", c->socket);
	dir = dirname(path);
	made = mkdir(dir, 0755) == 0;
	if (!made && errno != EEXIST)
		return err_set(e, errno, "socket directory %s: %s", dir, strerror(errno));
	if (!made && strcmp(dir, dirname(ours)) != 0)
		return 0;
	if (lchown(dir, to->pw_uid, to->pw_gid) < 0)
		return err_set(e, errno, "socket directory %s: cannot give it to user %s: %s", dir,
			c->user, strerror(errno));
	return 0;
}

/* The groups of the socket: only a member may give a file to a group. */
static int set_ids(const struct config *c, const struct passwd *user, struct err *e)
{
	gid_t groups[2];
	const int n = api_access_groups(groups);
	const bool change = user->pw_uid != geteuid();

	if (setgroups(n, groups) < 0 && change)
		return err_set(e, errno, "user = \"%s\": cannot set its groups: %s%s", c->user,
			strerror(errno), errno == EPERM ? "; start viaductd as root" : "");
	if (change &&
		(setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
			setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0))
		return err_set(
			e, errno, "user = \"%s\": cannot become it: %s", c->user, strerror(errno));
	return 0;
}

static int become_user(const struct config *c, struct err *e)
{
	struct passwd user = {.pw_uid = geteuid()};
	int ret = 0;

	if (c->user[0] != '\0')
		ret = find_user(c, &user, e);
	if (ret == 0 && user.pw_uid != geteuid())
		ret = directory_give(c, &user, e);
	return ret < 0 ? ret : set_ids(c, &user, e);
}

/* Nothing of root's comes back, by exec or by being uid 0; and to become another user takes nothing
 * away by itself. Who may not do this has started without such rights. */
static void cut_the_way_back(const struct keep *k)
{
	bool kept;

	for (cap_value_t cap = 0; CAP_IS_SUPPORTED(cap); cap++) {
		kept = false;
		for (unsigned i = 0; i < k->n; i++)
			kept |= k->cap[i] == cap;
		if (!kept)
			cap_drop_bound(cap);
	}
	prctl(PR_SET_SECUREBITS,
		SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
			SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
			SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Those of `k` that the process has. */
static int apply(const struct keep *k, struct err *e)
{
	cap_t now = cap_get_proc(), set = cap_init();
	cap_flag_value_t has;
	int ret = now == NULL || set == NULL ? -1 : 0;

	for (unsigned i = 0; i < k->n && ret == 0; i++) {
		ret = cap_get_flag(now, k->cap[i], CAP_PERMITTED, &has);
		if (ret == 0 && has == CAP_SET)
			ret = cap_set_flag(set, CAP_PERMITTED, 1, &k->cap[i], CAP_SET) |
				cap_set_flag(set, CAP_EFFECTIVE, 1, &k->cap[i], CAP_SET);
	}
	if (ret == 0)
		ret = cap_set_proc(set);
	if (ret < 0)
		err_set(e, errno, "cannot drop capabilities: %s", strerror(errno));
	cap_free(now);
	cap_free(set);
	return ret < 0 ? -EPERM : 0;
}

static void log_kept(void)
{
	cap_t now = cap_get_proc();
	char *text = now != NULL ? cap_to_text(now, NULL) : NULL;

	log_info("runs as uid %u, gid %u, capabilities %s", geteuid(), getegid(),
		text != NULL ? text : "?");
	cap_free(text);
	cap_free(now);
}

int privileges_drop(const struct config *c, struct err *e)
{
	struct keep k = {.n = 0};
	int ret;

	choose(c, &k);
	cut_the_way_back(&k);
	ret = become_user(c, e);
	if (ret == 0)
		ret = apply(&k, e);
	/* Another uid has made the process "dumpable" or not by the system's choice: ours again. */
	secrets_core_dumps(c->core_dumps);
	if (ret == 0)
		log_kept();
	return ret;
}
