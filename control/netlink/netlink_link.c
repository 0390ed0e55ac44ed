/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices: the state of our twins, and which ones go up or down at all. */
#include "control/iface/ifaces.h"
#include "control/iface/vti.h"
#include "control/log.h"
#include "control/netlink/netlink_msg.h"
#include "control/port/ports.h"
#include "control/routing/rib.h"

#include <net/if.h>
#include <stdlib.h>
#include <uthash.h>

struct link {
	uint32_t ifindex;
	bool up;
	bool marked;
	UT_hash_handle hh;
};

static struct link *links;

static struct link *find(uint32_t ifindex)
{
	struct link *l;

	HASH_FIND(hh, links, &ifindex, sizeof(ifindex), l);
	return l;
}

/* Our routes into a tunnel do not go with the kernel's. */
static void went_down(uint32_t ifindex)
{
	struct iface *iface = iface_by_kernel_ifindex(ifindex);

	if (iface != NULL && iface->kind == IFACE_VTI)
		rib_iface_down(iface);
}

/* When a device goes down or away the kernel drops its IPv4 routes without telling, and when it
 * comes up multipath routes get hops back. */
static void note(uint32_t ifindex, bool up)
{
	struct link *l = find(ifindex);

	if (l == NULL) {
		l = calloc(1, sizeof(*l));
		if (l == NULL)
			return;
		l->ifindex = ifindex;
		l->up = up;
		HASH_ADD(hh, links, ifindex, sizeof(l->ifindex), l);
	} else if (l->up != up) {
		l->up = up;
		if (!up)
			went_down(ifindex);
		netlink_reread_routes();
	}
	l->marked = false;
}

static void tell(struct iface *iface, bool up, uint32_t mtu, bool promisc)
{
	struct port *port = iface->kind == IFACE_PORT ? port_by_iface(iface) : NULL;
	struct vti *vti = iface->kind == IFACE_VTI ? vti_by_iface(iface) : NULL;

	if (port != NULL)
		port_kernel_link(port, up, mtu, promisc);
	if (vti != NULL)
		vti_kernel_link(vti, up, mtu, promisc);
}

static void gone(struct link *l)
{
	struct iface *iface = iface_by_kernel_ifindex(l->ifindex);

	if (iface != NULL) {
		log_err("%s: its kernel device was deleted; delete the VTI and add it again, or "
			"restart viaductd for a port",
			iface->name);
		tell(iface, false, iface_mtu(iface), false);
	}
	went_down(l->ifindex);
	netlink_addr_forget(l->ifindex);
	netlink_reread_routes();
	HASH_DEL(links, l);
	free(l);
}

void netlink_link_msg(const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attrs[IFLA_MAX + 1];
	struct iface *iface;
	struct link *l;
	bool up;

	/* Bridges send messages about their ports' bridging state in another family. */
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi) || ifi->ifi_family != AF_UNSPEC)
		return;
	if (nlh->nlmsg_type == RTM_DELLINK) {
		l = find(ifi->ifi_index);
		if (l != NULL)
			gone(l);
		return;
	}
	netlink_attrs(nlh, sizeof(*ifi), attrs, IFLA_MAX);
	up = ifi->ifi_flags & IFF_UP;
	note(ifi->ifi_index, up);
	iface = iface_by_kernel_ifindex(ifi->ifi_index);
	if (iface == NULL)
		return;
	/* IFF_PROMISC shows only what `ip link` has set; captures are in the count. */
	tell(iface, up, netlink_u32_attr(attrs[IFLA_MTU], iface_mtu(iface)),
		netlink_u32_attr(attrs[IFLA_PROMISCUITY], 0) > 0);
	netlink_addr_apply(ifi->ifi_index);
}

void netlink_link_mark(void)
{
	for (struct link *l = links; l != NULL; l = l->hh.next)
		l->marked = true;
}

void netlink_link_sweep(void)
{
	struct link *l, *tmp;

	HASH_ITER (hh, links, l, tmp) {
		if (l->marked)
			gone(l);
	}
}

void netlink_link_fini(void)
{
	struct link *l, *tmp;

	HASH_ITER (hh, links, l, tmp) {
		HASH_DEL(links, l);
		free(l);
	}
}
