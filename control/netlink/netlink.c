/* SPDX-License-Identifier: BSD-3-Clause */
/* One socket for notifications and dumps, so that both arrive in the order things happened.
 *
 * Dumps run one after the other: each is preceded by a mark and followed by a sweep of what it did
 * not name. A dump during which messages were lost or the kernel's tables changed under it
 * sweeps nothing and is repeated. */
#include "control/netlink/netlink.h"

#include "control/log.h"
#include "control/netlink/netlink_msg.h"
#include "control/routing/neigh.h"
#include "control/routing/rib.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define RECEIVE_BUFFER (32 << 20) /* bytes the kernel keeps for us: about 100000 routes */
#define READ_MAX       1024       /* datagrams between two rib_commit() */
#define START_WAIT_MS  10000      /* without a word from the kernel */

enum dump_kind {
	DUMP_LINK,
	DUMP_ADDR,
	DUMP_ROUTE4,
	DUMP_ROUTE6,
	DUMP_NEIGH,
	DUMP_NONE
};

#define DUMP_ALL    ((1u << DUMP_NONE) - 1)
#define DUMP_ROUTES (1u << DUMP_ROUTE4 | 1u << DUMP_ROUTE6)

static struct {
	struct mnl_socket *socket;
	struct event *event;
	uint32_t seq;    /* of the last dump request */
	unsigned wanted; /* dumps to come: 1 << enum dump_kind */
	enum dump_kind running;
	bool spoiled;    /* the running dump must be repeated */
	bool recovering; /* from an overrun, until all dumps are done */
	struct netlink_stats stats;
} nl = {.running = DUMP_NONE};

const struct netlink_stats *netlink_stats(void)
{
	return &nl.stats;
}

struct attr_table {
	const struct nlattr **attrs;
	unsigned max;
};

static int take_attr(const struct nlattr *attr, void *arg)
{
	struct attr_table *t = arg;

	if (mnl_attr_get_type(attr) <= t->max)
		t->attrs[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

void netlink_attrs(
	const struct nlmsghdr *nlh, size_t header, const struct nlattr **attrs, unsigned max)
{
	struct attr_table t = {attrs, max};

	memset(attrs, 0, (max + 1) * sizeof(attrs[0]));
	mnl_attr_parse(nlh, header, take_attr, &t);
}

struct addr netlink_addr_attr(const struct nlattr *attr, unsigned af)
{
	struct addr a = {.family = IP_NONE};
	unsigned len = af == AF_INET6 ? 16 : 4;

	if (attr == NULL || mnl_attr_get_payload_len(attr) != len)
		return a;
	a.family = af == AF_INET6 ? IP_V6 : IP_V4;
	memcpy(a.v6, mnl_attr_get_payload(attr), len);
	return a;
}

uint32_t netlink_u32_attr(const struct nlattr *attr, uint32_t def)
{
	return attr != NULL && mnl_attr_get_payload_len(attr) >= 4 ? mnl_attr_get_u32(attr) : def;
}

static void mark(enum dump_kind kind)
{
	switch (kind) {
	case DUMP_LINK:
		netlink_link_mark();
		break;
	case DUMP_ADDR:
		netlink_addr_mark();
		break;
	case DUMP_ROUTE4:
		rib_mark(IP_V4);
		break;
	case DUMP_ROUTE6:
		rib_mark(IP_V6);
		break;
	case DUMP_NEIGH:
		neigh_mark();
		break;
	case DUMP_NONE:
		break;
	}
}

static void sweep(enum dump_kind kind)
{
	switch (kind) {
	case DUMP_LINK:
		netlink_link_sweep();
		break;
	case DUMP_ADDR:
		netlink_addr_sweep();
		break;
	case DUMP_ROUTE4:
		rib_sweep(IP_V4);
		break;
	case DUMP_ROUTE6:
		rib_sweep(IP_V6);
		break;
	case DUMP_NEIGH:
		neigh_sweep();
		break;
	case DUMP_NONE:
		break;
	}
}

/* The headers of all requests begin with the family, and the rest may be zero. */
static int request_dump(enum dump_kind kind)
{
	static const struct {
		uint16_t type;
		uint8_t family;
		uint8_t header;
	} requests[] = {
		[DUMP_LINK] = {RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg)},
		[DUMP_ADDR] = {RTM_GETADDR, AF_UNSPEC, sizeof(struct ifaddrmsg)},
		[DUMP_ROUTE4] = {RTM_GETROUTE, AF_INET, sizeof(struct rtmsg)},
		[DUMP_ROUTE6] = {RTM_GETROUTE, AF_INET6, sizeof(struct rtmsg)},
		[DUMP_NEIGH] = {RTM_GETNEIGH, AF_UNSPEC, sizeof(struct ndmsg)},
	};
	char buf[64] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	uint8_t *header;

	nlh->nlmsg_type = requests[kind].type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = ++nl.seq;
	header = mnl_nlmsg_put_extra_header(nlh, requests[kind].header);
	header[0] = requests[kind].family;
	return mnl_socket_sendto(nl.socket, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
}

static void start_next(void)
{
	int rc;

	if (nl.running != DUMP_NONE || nl.socket == NULL)
		return;
	if (nl.wanted == 0) {
		nl.recovering = false;
		return;
	}
	nl.running = ffs(nl.wanted) - 1;
	nl.spoiled = false;
	mark(nl.running);
	rc = request_dump(nl.running);
	if (rc == 0) {
		nl.wanted &= ~(1u << nl.running);
		return;
	}
	log_err("netlink: can't ask for the kernel's state: %s", strerror(-rc));
	nl.running = DUMP_NONE;
}

static void dump_done(void)
{
	if (nl.spoiled)
		nl.wanted |= 1u << nl.running;
	else
		sweep(nl.running);
	nl.running = DUMP_NONE;
	start_next();
}

static void overrun(void)
{
	if (!nl.recovering)
		log_warn("netlink: the kernel's messages came too fast, reading its state again");
	nl.recovering = true;
	nl.wanted = DUMP_ALL;
	nl.spoiled = true;
	nl.stats.resyncs++;
	start_next();
}

void netlink_reread_routes(void)
{
	nl.wanted |= DUMP_ROUTES;
	start_next();
}

static void on_error(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err) || nlh->nlmsg_seq != nl.seq ||
		nl.running == DUMP_NONE)
		return;
	log_err("netlink: the kernel refuses a dump: %s", strerror(-err->error));
	/* What it has can't be told from what is gone, so nothing is swept. */
	nl.running = DUMP_NONE;
	start_next();
}

static void dispatch(const struct nlmsghdr *nlh)
{
	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		nl.stats.links++;
		netlink_link_msg(nlh);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		nl.stats.addrs++;
		netlink_addr_msg(nlh);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		nl.stats.routes++;
		netlink_route_msg(nlh);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		nl.stats.neighs++;
		netlink_neigh_msg(nlh);
		break;
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		netlink_nexthop_msg(nlh);
		break;
	case NLMSG_ERROR:
		on_error(nlh);
		break;
	}
}

static void on_datagram(const void *buf, int len)
{
	for (const struct nlmsghdr *nlh = buf; mnl_nlmsg_ok(nlh, len);
		nlh = mnl_nlmsg_next(nlh, &len)) {
		bool of_dump = nl.running != DUMP_NONE && nlh->nlmsg_seq == nl.seq;

		if (of_dump && (nlh->nlmsg_flags & NLM_F_DUMP_INTR))
			nl.spoiled = true;
		if (nlh->nlmsg_type == NLMSG_DONE && of_dump)
			dump_done();
		else
			dispatch(nlh);
	}
}

/* 0 when there is nothing more to read, 1 when there is. */
static int read_one(void)
{
	static char buf[64 << 10] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct sockaddr_nl from = {0};
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n = recvmsg(mnl_socket_get_fd(nl.socket), &msg, MSG_DONTWAIT);

	if (n < 0 && errno == ENOBUFS)
		overrun();
	else if (n < 0 && errno != EINTR)
		return 0;
	else if (n > 0 && (msg.msg_flags & MSG_TRUNC))
		overrun(); /* a message larger than any the kernel sends today */
	else if (n > 0 && from.nl_pid == 0)
		on_datagram(buf, n);
	return 1;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	for (unsigned i = 0; i < READ_MAX && read_one() == 1; i++)
		;
	rib_commit();
}

static int read_all_now(struct err *e)
{
	struct pollfd p = {.fd = mnl_socket_get_fd(nl.socket), .events = POLLIN};

	nl.wanted = DUMP_ALL;
	start_next();
	while (nl.running != DUMP_NONE) {
		if (read_one() == 0 && poll(&p, 1, START_WAIT_MS) == 0)
			return err_set(e, ETIMEDOUT, "netlink: the kernel does not answer");
	}
	rib_commit();
	return nl.wanted == 0 ? 0 : err_set(e, EIO, "netlink: can't read the kernel's state");
}

static int subscribe(struct mnl_socket *s)
{
	static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_NEIGH, RTNLGRP_NEXTHOP};
	int fd = mnl_socket_get_fd(s), size = RECEIVE_BUFFER;

	/* FORCE may go beyond net.core.rmem_max, but needs CAP_NET_ADMIN. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	for (unsigned i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(s, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
			return -errno;
	}
	return 0;
}

int netlink_start(struct event_base *base, struct err *e)
{
	int rc;

	nl.socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	rc = nl.socket == NULL ? -errno : subscribe(nl.socket);
	if (rc < 0) {
		netlink_stop();
		return err_set(e, -rc, "netlink: %s", strerror(-rc));
	}
	nl.event = event_new(
		base, mnl_socket_get_fd(nl.socket), EV_READ | EV_PERSIST, on_readable, NULL);
	if (nl.event == NULL || event_add(nl.event, NULL) != 0)
		rc = err_set(e, ENOMEM, "netlink: no memory");
	if (rc == 0)
		rc = read_all_now(e);
	if (rc < 0)
		netlink_stop();
	return rc;
}

void netlink_stop(void)
{
	if (nl.event != NULL)
		event_free(nl.event);
	if (nl.socket != NULL)
		mnl_socket_close(nl.socket);
	nl.event = NULL;
	nl.socket = NULL;
	nl.running = DUMP_NONE;
	nl.wanted = 0;
	netlink_request_close();
	netlink_link_fini();
	netlink_addr_fini();
}
