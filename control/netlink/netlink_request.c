/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests to the kernel, each answered before the call returns. On a socket of their own: answers
 * must not wait behind notifications. */
#include "control/netlink/netlink.h"
#include "control/netlink/netlink_msg.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ANSWER_WAIT_S 2

static struct mnl_socket *sock;
static uint32_t seq;

static int open_socket(void)
{
	const struct timeval wait = {.tv_sec = ANSWER_WAIT_S};
	int one = 1;

	if (sock != NULL)
		return 0;
	sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (sock == NULL || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		int rc = -errno;

		netlink_request_close();
		return rc;
	}
	setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	/* The kernel's own words about what it refuses. */
	mnl_socket_setsockopt(sock, NETLINK_EXT_ACK, &one, sizeof(one));
	return 0;
}

void netlink_request_close(void)
{
	if (sock != NULL)
		mnl_socket_close(sock);
	sock = NULL;
}

/* The sentence the kernel adds to an error, NULL: none. */
static const char *kernel_words(const struct nlmsghdr *nlh, const struct nlmsgerr *err)
{
	size_t offset = sizeof(*err);
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	/* Unless capped, the refused request follows the error. */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += mnl_nlmsg_get_payload_len(&err->msg);
	mnl_attr_for_each(attr, nlh, offset)
	{
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG &&
			mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			return mnl_attr_get_str(attr);
	}
	return NULL;
}

/* The acknowledgement: 0 or a negative errno; what the kernel says about it goes to `words`. */
static int read_ack(char *words, size_t size)
{
	char buf[8192] __attribute__((aligned(NLMSG_ALIGNTO)));
	const struct nlmsghdr *nlh = (const void *)buf;
	const struct nlmsgerr *err;
	const char *text;
	ssize_t n;

	do {
		n = mnl_socket_recvfrom(sock, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
	} while (n < 0 || !mnl_nlmsg_ok(nlh, n) || nlh->nlmsg_type != NLMSG_ERROR ||
		nlh->nlmsg_seq != seq);
	err = mnl_nlmsg_get_payload(nlh);
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return -EBADMSG;
	text = kernel_words(nlh, err);
	snprintf(words, size, "%s", text != NULL ? text : strerror(-err->error));
	return err->error;
}

static int request(struct nlmsghdr *nlh, char *words, size_t size)
{
	int rc = open_socket();

	if (rc == 0) {
		nlh->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
		nlh->nlmsg_seq = ++seq;
		if (mnl_socket_sendto(sock, nlh, nlh->nlmsg_len) < 0)
			rc = -errno;
	}
	snprintf(words, size, "%s", strerror(-rc));
	return rc == 0 ? read_ack(words, size) : rc;
}

static struct ifinfomsg *put_link(struct nlmsghdr *nlh, uint32_t ifindex)
{
	struct ifinfomsg *ifi;

	nlh->nlmsg_type = RTM_NEWLINK;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = ifindex;
	return ifi;
}

static const char *device_name(uint32_t ifindex, char name[IF_NAMESIZE])
{
	if (if_indextoname(ifindex, name) == NULL)
		snprintf(name, IF_NAMESIZE, "ifindex %u", ifindex);
	return name;
}

int netlink_set_link(uint32_t ifindex, bool up, struct err *e)
{
	char buf[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi = put_link(nlh, ifindex);
	char words[160], name[IF_NAMESIZE];
	int rc;

	ifi->ifi_change = IFF_UP;
	ifi->ifi_flags = up ? IFF_UP : 0;
	rc = request(nlh, words, sizeof(words));
	if (rc == 0)
		return 0;
	return err_set(e, -rc, "%s: the kernel refuses to set it %s: %s",
		device_name(ifindex, name), up ? "up" : "down", words);
}

int netlink_set_mtu(uint32_t ifindex, uint32_t mtu, struct err *e)
{
	char buf[256] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	char words[160], name[IF_NAMESIZE];
	int rc;

	put_link(nlh, ifindex);
	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	rc = request(nlh, words, sizeof(words));
	if (rc == 0)
		return 0;
	return err_set(e, -rc, "%s: the kernel refuses MTU %u: %s", device_name(ifindex, name), mtu,
		words);
}

int netlink_neigh_use(uint32_t ifindex, const struct addr *a)
{
	char buf[256] __attribute__((aligned(NLMSG_ALIGNTO))), words[160];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ndmsg *nd;

	nlh->nlmsg_type = RTM_NEWNEIGH;
	nlh->nlmsg_flags = NLM_F_CREATE;
	nd = mnl_nlmsg_put_extra_header(nlh, sizeof(*nd));
	nd->ndm_family = a->family == IP_V6 ? AF_INET6 : AF_INET;
	nd->ndm_ifindex = ifindex;
	nd->ndm_flags = NTF_USE;
	mnl_attr_put(nlh, NDA_DST, addr_len(a->family), a->v6);
	return request(nlh, words, sizeof(words));
}
