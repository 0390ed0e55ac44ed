/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may do what on the API socket. It is the kernel that says who a client is. */
#ifndef VIADUCT_API_ACCESS_H
#define VIADUCT_API_ACCESS_H

#include "config/config.h"

#include <sys/socket.h>
#include <sys/types.h>

enum api_right {
	API_NONE,
	API_READ,
	API_WRITE
};

/* Find the configured groups. Without this only root and the daemon's own user may connect. */
int api_access_init(const struct config *c, struct err *e);

/* The mode the socket's file has, and the group; (gid_t)-1: as it comes. */
mode_t api_access_mode(void);
gid_t api_access_owner(void);

/* The groups that were configured. Returns their number. */
int api_access_groups(gid_t groups[2]);

/* What the client at the other end of fd may do. */
enum api_right api_access_of(int fd, const struct ucred *peer);

/* "root, the user viaduct and members of the group admin" */
const char *api_access_writers(void);
const char *api_access_all(void);

#endif
