/* SPDX-License-Identifier: BSD-3-Clause */
/* Neighbours on our ports. VTIs have none. */
#include "control/iface/ifaces.h"
#include "control/netlink/netlink_msg.h"
#include "control/routing/neigh.h"

#include <linux/neighbour.h>

#define NUD_HAS_MAC (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

static bool is_multicast(const struct addr *a)
{
	return a->v6[0] >= (a->family == IP_V4 ? 224 : 0xff);
}

void netlink_neigh_msg(const struct nlmsghdr *nlh)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(nlh);
	const struct rte_ether_addr *mac = NULL;
	const struct nlattr *attrs[NDA_MAX + 1];
	struct iface *iface;
	struct addr a;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*nd) || (nd->ndm_flags & NTF_PROXY) ||
		(nd->ndm_family != AF_INET && nd->ndm_family != AF_INET6))
		return;
	iface = iface_by_kernel_ifindex(nd->ndm_ifindex);
	if (iface == NULL || iface->kind != IFACE_PORT)
		return;
	netlink_attrs(nlh, sizeof(*nd), attrs, NDA_MAX);
	a = netlink_addr_attr(attrs[NDA_DST], nd->ndm_family);
	if (a.family == IP_NONE || is_multicast(&a))
		return;
	if (nlh->nlmsg_type == RTM_DELNEIGH) {
		neigh_delete(iface, &a);
		return;
	}
	if ((nd->ndm_state & NUD_HAS_MAC) && attrs[NDA_LLADDR] != NULL &&
		mnl_attr_get_payload_len(attrs[NDA_LLADDR]) == sizeof(*mac))
		mac = mnl_attr_get_payload(attrs[NDA_LLADDR]);
	neigh_update(iface, &a, mac, nd->ndm_state);
}
