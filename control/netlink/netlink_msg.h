/* SPDX-License-Identifier: BSD-3-Clause */
/* Between netlink.c, which receives rtnetlink messages, and the files that understand them. */
#ifndef VIADUCT_NETLINK_MSG_H
#define VIADUCT_NETLINK_MSG_H

#include "dataplane/addr.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

/* Attributes of a message by type; NULL where it has none; those above `max` are left out. */
void netlink_attrs(
	const struct nlmsghdr *nlh, size_t header, const struct nlattr **attrs, unsigned max);

/* An address attribute; IP_NONE where it is missing or has another length than the family's. */
struct addr netlink_addr_attr(const struct nlattr *attr, unsigned af);

/* A 32-bit attribute, or `def` where it is missing or too short. */
uint32_t netlink_u32_attr(const struct nlattr *attr, uint32_t def);

/* One message each: RTM_NEW... or RTM_DEL... of the kind. */
void netlink_link_msg(const struct nlmsghdr *nlh);
void netlink_addr_msg(const struct nlmsghdr *nlh);
void netlink_route_msg(const struct nlmsghdr *nlh);
void netlink_neigh_msg(const struct nlmsghdr *nlh);
void netlink_nexthop_msg(const struct nlmsghdr *nlh);

/* The kernel takes routes away without a word: have them read again. */
void netlink_reread_routes(void);

/* Addresses that were there before their interface became ours. */
void netlink_addr_apply(uint32_t ifindex);
void netlink_addr_forget(uint32_t ifindex);

/* Around a dump of the kind: what it does not name again is gone. */
void netlink_link_mark(void);
void netlink_link_sweep(void);
void netlink_addr_mark(void);
void netlink_addr_sweep(void);
void netlink_link_fini(void);
void netlink_addr_fini(void);

void netlink_request_close(void);

#endif
