/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/api/api_access.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOBODY     ((gid_t)-1)
#define GROUPS_MAX 65536 /* the kernel's NGROUPS_MAX */

static struct {
	gid_t writers, readers;
	mode_t mode; /* 0: what the groups need */
	char write_group[VIADUCT_ACCOUNT_LEN], read_group[VIADUCT_ACCOUNT_LEN];
} access_rules = {.writers = NOBODY, .readers = NOBODY};

static int group_find(const char *name, const char *setting, gid_t *gid, struct err *e)
{
	const struct group *g;

	*gid = NOBODY;
	if (name[0] == '\0')
		return 0;
	errno = 0;
	g = getgrnam(name);
	if (g == NULL)
		return err_set(e, errno != 0 ? errno : ENOENT,
			"%s = \"%s\": no such group on this system", setting, name);
	*gid = g->gr_gid;
	return 0;
}

int api_access_init(const struct config *c, struct err *e)
{
	int ret = group_find(c->api_group, "api.group", &access_rules.writers, e);

	if (ret == 0)
		ret = group_find(c->api_read_group, "api.read_group", &access_rules.readers, e);
	access_rules.mode = strtoul(c->api_mode, NULL, 8);
	snprintf(access_rules.write_group, sizeof(access_rules.write_group), "%s", c->api_group);
	snprintf(access_rules.read_group, sizeof(access_rules.read_group), "%s", c->api_read_group);
	return ret;
}

/* A file has one group; for two it must be open to all, and the daemon alone judges. */
mode_t api_access_mode(void)
{
	gid_t groups[2];
	static const mode_t by_groups[] = {0600, 0660, 0666};

	return access_rules.mode != 0 ? access_rules.mode : by_groups[api_access_groups(groups)];
}

gid_t api_access_owner(void)
{
	return access_rules.writers != NOBODY ? access_rules.writers : access_rules.readers;
}

int api_access_groups(gid_t groups[2])
{
	int n = 0;

	if (access_rules.writers != NOBODY)
		groups[n++] = access_rules.writers;
	if (access_rules.readers != NOBODY)
		groups[n++] = access_rules.readers;
	return n;
}

static enum api_right right_of_group(gid_t gid)
{
	if (gid == NOBODY)
		return API_NONE;
	if (gid == access_rules.writers)
		return API_WRITE;
	return gid == access_rules.readers ? API_READ : API_NONE;
}

/* Those that the client had when it connected, in the kernel's keeping. */
static enum api_right right_of_supplementary(int fd)
{
	enum api_right best = API_NONE, right;
	socklen_t len = GROUPS_MAX * sizeof(gid_t);
	gid_t *groups = malloc(len);

	if (groups == NULL || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		len = 0;
	for (size_t i = 0; i < len / sizeof(gid_t); i++) {
		right = right_of_group(groups[i]);
		best = right > best ? right : best;
	}
	free(groups);
	return best;
}

enum api_right api_access_of(int fd, const struct ucred *peer)
{
	enum api_right first, second;

	if (peer->uid == 0 || peer->uid == geteuid())
		return API_WRITE;
	if (access_rules.writers == NOBODY && access_rules.readers == NOBODY)
		return API_NONE;
	first = right_of_group(peer->gid);
	second = right_of_supplementary(fd);
	return first > second ? first : second;
}

static const char *list(bool all)
{
	static char text[256];
	int n = snprintf(text, sizeof(text), "root");

	if (geteuid() != 0)
		n += snprintf(text + n, sizeof(text) - n, ", uid %u", geteuid());
	if (access_rules.writers != NOBODY)
		n += snprintf(text + n, sizeof(text) - n, ", members of the group %s",
			access_rules.write_group);
	if (all && access_rules.readers != NOBODY)
		snprintf(text + n, sizeof(text) - n, ", members of the group %s (read only)",
			access_rules.read_group);
	return text;
}

const char *api_access_writers(void)
{
	return list(false);
}

const char *api_access_all(void)
{
	return list(true);
}
