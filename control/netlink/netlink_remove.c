/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices go one by one unless they are named as a group: those that shall go are put into one that
 * is made up for them, and the group is deleted. Not on the socket of netlink_request.c: this is
 * another thread's, and takes long. */
#include "control/netlink/netlink.h"
#include "control/netlink/netlink_msg.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>

#define AT_ONCE 64 /* messages to the kernel in one call */

/* People's groups are small numbers; of these nobody has ours but by one chance in 2^30. */
static int choose_group(uint32_t *group)
{
	if (getrandom(group, sizeof(*group), 0) != sizeof(*group))
		return -EIO;
	*group = (*group & 0x3fffffff) | 0x40000000;
	return 0;
}

/* No answer is asked for: the device may be gone by now, which is as good. */
static struct nlmsghdr *put(void *buf, uint16_t type, uint32_t ifindex, uint32_t group)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = ifindex;
	mnl_attr_put_u32(nlh, IFLA_GROUP, group);
	return nlh;
}

static int put_into_group(struct mnl_socket *s, const uint32_t *ifindex, unsigned n, uint32_t group)
{
	char buf[AT_ONCE * 64] __attribute__((aligned(NLMSG_ALIGNTO)));
	size_t len = 0;

	for (unsigned i = 0; i < n; i++) {
		len += put(buf + len, RTM_SETLINK, ifindex[i], group)->nlmsg_len;
		if (i + 1 < n && (i + 1) % AT_ONCE != 0)
			continue;
		if (mnl_socket_sendto(s, buf, len) < 0)
			return -errno;
		len = 0;
	}
	return 0;
}

static int remove_group(struct mnl_socket *s, uint32_t group)
{
	char buf[64] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *nlh = put(buf, RTM_DELLINK, 0, group);

	return mnl_socket_sendto(s, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
}

/* The kernel does what a message asks for before sendto() returns. */
int netlink_remove_devices(const uint32_t *ifindex, unsigned n)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	uint32_t group;
	int ret;

	if (s == NULL)
		return -errno;
	ret = choose_group(&group);
	if (ret == 0)
		ret = put_into_group(s, ifindex, n, group);
	if (ret == 0)
		ret = remove_group(s, group);
	mnl_socket_close(s);
	return ret;
}
