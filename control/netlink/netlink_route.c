/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes of the tables local, main and default, as the kernel has them at any moment.
 *
 * Multipath: an IPv4 route is one unit of which the first usable hop is taken; the hops of an IPv6
 * route can be removed one by one, so each is a route of its own, and the first one is used.
 * Routes by next-hop objects show their hops in the same attributes
 * (net.ipv4.nexthop_compat_mode, on by default); when an object changes they are read again. */
#include "control/iface/ifaces.h"
#include "control/log.h"
#include "control/netlink/netlink_msg.h"
#include "control/routing/fib_writer.h"
#include "control/routing/prefix.h"
#include "control/routing/rib.h"

#include <errno.h>
#include <linux/nexthop.h>

/* One route message, taken apart. */
struct message {
	struct rib_route route; /* without next hop */
	uint8_t af;
	uint16_t nlmsg_flags;
	bool del; /* RTM_DELROUTE */
	bool multipath;
	unsigned n_hops;
	struct hop {
		struct addr gateway;
		uint32_t oif;
	} hops[64]; /* more of a route are left out: one is used */
};

static uint8_t route_type(unsigned rtn)
{
	switch (rtn) {
	case RTN_UNICAST:
		return VIADUCT_ROUTE_UNICAST;
	case RTN_LOCAL:
	case RTN_BROADCAST:
	case RTN_ANYCAST:
	case RTN_MULTICAST:
		return VIADUCT_ROUTE_LOCAL;
	case RTN_BLACKHOLE:
		return VIADUCT_ROUTE_BLACKHOLE;
	case RTN_UNREACHABLE:
		return VIADUCT_ROUTE_UNREACHABLE;
	case RTN_PROHIBIT:
		return VIADUCT_ROUTE_PROHIBIT;
	default:
		return 0; /* throw, NAT: what they ask for is not in one table */
	}
}

/* RTA_VIA: a gateway of the other family (RFC 8950). */
static struct addr via_attr(const struct nlattr *attr)
{
	struct addr a = {.family = IP_NONE};
	const struct rtvia *via;
	unsigned len;

	if (attr == NULL || mnl_attr_get_payload_len(attr) < sizeof(*via))
		return a;
	via = mnl_attr_get_payload(attr);
	len = via->rtvia_family == AF_INET6 ? 16 : 4;
	if ((via->rtvia_family != AF_INET && via->rtvia_family != AF_INET6) ||
		mnl_attr_get_payload_len(attr) < sizeof(*via) + len)
		return a;
	a.family = len == 16 ? IP_V6 : IP_V4;
	memcpy(a.v6, via->rtvia_addr, len);
	return a;
}

static struct addr gateway_attr(const struct nlattr *gateway, const struct nlattr *via, unsigned af)
{
	return gateway != NULL ? netlink_addr_attr(gateway, af) : via_attr(via);
}

/* A hop whose device is down is dead; one without carrier is not: a tunnel without SAs keeps its
 * routes, so that its packets are not sent elsewhere in the clear. */
static void add_hop(struct message *m, struct addr gateway, uint32_t oif, unsigned flags)
{
	if (((flags & RTNH_F_DEAD) && !m->del) || m->n_hops == sizeof(m->hops) / sizeof(m->hops[0]))
		return;
	m->hops[m->n_hops++] = (struct hop){.gateway = gateway, .oif = oif};
}

static void multipath_hops(struct message *m, const struct nlattr *attr)
{
	const struct rtnexthop *nh = mnl_attr_get_payload(attr);
	int left = mnl_attr_get_payload_len(attr);

	for (; RTNH_OK(nh, left); left -= RTNH_ALIGN(nh->rtnh_len), nh = RTNH_NEXT(nh)) {
		const struct nlattr *gateway = NULL, *via = NULL, *a;
		const char *end = (const char *)nh + nh->rtnh_len;

		for (a = (const void *)RTNH_DATA(nh); mnl_attr_ok(a, end - (const char *)a);
			a = mnl_attr_next(a)) {
			if (mnl_attr_get_type(a) == RTA_GATEWAY)
				gateway = a;
			else if (mnl_attr_get_type(a) == RTA_VIA)
				via = a;
		}
		add_hop(m, gateway_attr(gateway, via, m->af), nh->rtnh_ifindex, nh->rtnh_flags);
	}
	m->multipath = true;
}

/* False for messages that are not for us. */
static bool parse(struct message *m, const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attrs[RTA_MAX + 1];
	struct rib_route *r = &m->route;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) || (rtm->rtm_flags & RTM_F_CLONED) ||
		(rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6))
		return false;
	netlink_attrs(nlh, sizeof(*rtm), attrs, RTA_MAX);
	*r = (struct rib_route){
		.prefix = netlink_addr_attr(attrs[RTA_DST], rtm->rtm_family),
		.prefix_len = rtm->rtm_dst_len,
		.type = route_type(rtm->rtm_type),
		.origin = VIADUCT_ORIGIN_KERNEL,
		.protocol = rtm->rtm_protocol,
		.metric = netlink_u32_attr(attrs[RTA_PRIORITY], 0),
		.table = netlink_u32_attr(attrs[RTA_TABLE], rtm->rtm_table),
		.object = netlink_u32_attr(attrs[RTA_NH_ID], 0),
	};
	r->prefix.family = rtm->rtm_family == AF_INET6 ? IP_V6 : IP_V4;
	/* Other tables are reached by rules, and so are routes by TOS or by source. */
	if (r->table != RT_TABLE_MAIN && r->table != RT_TABLE_LOCAL && r->table != RT_TABLE_DEFAULT)
		return false;
	if (r->type == 0 || rtm->rtm_tos != 0 || rtm->rtm_src_len != 0 ||
		r->prefix_len > addr_len(r->prefix.family) * 8)
		return false;
	if (fib_prefix_is_fixed(&r->prefix, r->prefix_len, NULL, NULL))
		return false;
	m->af = rtm->rtm_family;
	m->nlmsg_flags = nlh->nlmsg_flags;
	m->del = nlh->nlmsg_type == RTM_DELROUTE;
	if (attrs[RTA_MULTIPATH] != NULL)
		multipath_hops(m, attrs[RTA_MULTIPATH]);
	else
		add_hop(m, gateway_attr(attrs[RTA_GATEWAY], attrs[RTA_VIA], m->af),
			netlink_u32_attr(attrs[RTA_OIF], 0), rtm->rtm_flags);
	return true;
}

/* The route by its i-th hop. */
static struct rib_route by_hop(const struct message *m, unsigned i)
{
	struct rib_route r = m->route;

	/* What drops packets, or is local, names a device only for form's sake (lo). */
	if (r.type == VIADUCT_ROUTE_UNICAST || r.type == VIADUCT_ROUTE_LOCAL)
		r.kernel_oif = m->hops[i].oif;
	if (r.type == VIADUCT_ROUTE_UNICAST) {
		r.gateway = m->hops[i].gateway;
		r.iface = iface_by_kernel_ifindex(r.kernel_oif);
	}
	return r;
}

static void add(const struct message *m, unsigned i, bool replace)
{
	const struct rib_route r = by_hop(m, i);
	struct err e;

	if ((replace ? rib_add(&r, &e) : rib_append(&r, &e)) != 0)
		log_err("a kernel route is not in use: %s", e.text);
}

/* A route all of whose hops are dead is as good as none. */
static void new4(const struct message *m)
{
	if (m->n_hops > 0)
		add(m, 0, m->nlmsg_flags & NLM_F_REPLACE);
	else if (m->nlmsg_flags & NLM_F_REPLACE)
		rib_del(&m->route, NULL);
}

/* A notification about a multipath route names all its hops, and takes the place of what there was
 * with gateways and this metric; so does a replacement. */
static void new6(const struct message *m)
{
	bool with_gateway = m->n_hops > 0 && m->hops[0].gateway.family != IP_NONE;
	bool dump = m->nlmsg_flags & NLM_F_MULTI;
	unsigned n = 0;

	if ((m->nlmsg_flags & NLM_F_REPLACE) || (m->multipath && !dump))
		n = rib_del_hops(&m->route, with_gateway);
	/* Of the other kind, one is replaced where there was none of the same. */
	if (n == 0 && (m->nlmsg_flags & NLM_F_REPLACE))
		rib_del(&m->route, NULL);
	for (unsigned i = 0; i < m->n_hops; i++)
		add(m, i, false);
}

static void del4(const struct message *m)
{
	/* Which hop of a multipath route was taken need not be the first one now. */
	struct rib_route r = m->multipath || m->n_hops == 0 ? m->route : by_hop(m, 0);

	rib_del(&r, NULL);
}

static void del6(const struct message *m)
{
	for (unsigned i = 0; i < m->n_hops; i++) {
		struct rib_route r = by_hop(m, i);

		rib_del(&r, NULL);
	}
}

void netlink_route_msg(const struct nlmsghdr *nlh)
{
	struct message m = {0};
	bool v6;

	if (!parse(&m, nlh))
		return;
	v6 = m.af == AF_INET6;
	if (m.del)
		(v6 ? del6 : del4)(&m);
	else
		(v6 ? new6 : new4)(&m);
}

void netlink_nexthop_msg(const struct nlmsghdr *nlh)
{
	const struct nlattr *attrs[NHA_MAX + 1];

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct nhmsg))
		return;
	netlink_attrs(nlh, sizeof(struct nhmsg), attrs, NHA_MAX);
	if (rib_uses_object(netlink_u32_attr(attrs[NHA_ID], 0)))
		netlink_reread_routes();
}
