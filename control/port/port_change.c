/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be changed of a port while it runs. */
#include "control/iface/ifaces.h"
#include "control/netlink/netlink.h"
#include "control/port/port_device.h"
#include "control/port/ports.h"

#include <errno.h>
#include <rte_ethdev.h>
#include <string.h>

int port_check_change(const struct config_port *from, const struct config_port *to, struct err *e)
{
	const struct port *p = port_by_name(from->name);

	if (p == NULL)
		return err_set(e, ENODEV, "%s: no such port", from->name);
	if (p->parent == NULL && to->mtu > p->mtu_max)
		return err_set(e, EINVAL,
			"%s: mtu %u; expected at most %u, for which its buffers were made at the "
			"start (see mbuf_size and mtu)",
			to->name, to->mtu, p->mtu_max);
	return 0;
}

/* The twin's MTU, which may also have been set by hand, is what counts: netlink.c hears of it and sets
 * the device's. Here the device goes first, since it may refuse. */
static int set_mtu(struct port *p, uint32_t mtu, struct err *e)
{
	const uint32_t before = iface_mtu(p->iface);
	int ret;

	if (p->parent != NULL) /* its parent has the device, and was changed before */
		return netlink_set_mtu(p->iface->kernel_ifindex, mtu, e);
	ret = port_device_set_mtu(p->port_id, p->device, mtu);
	if (ret < 0)
		return err_set(e, -ret, "port %s: the device does not take MTU %u: %s",
			p->iface->name, mtu, strerror(-ret));
	ret = netlink_set_mtu(p->iface->kernel_ifindex, mtu, e);
	if (ret < 0)
		port_device_set_mtu(p->port_id, p->device, before);
	return ret;
}

static int set_promiscuous(struct port *p, bool on, struct err *e)
{
	const int ret = on ? rte_eth_promiscuous_enable(p->port_id)
			   : rte_eth_promiscuous_disable(p->port_id);

	if (ret < 0 && ret != -ENOTSUP) /* virtual devices have no filter at all */
		return err_set(
			e, -ret, "port %s: promiscuous mode: %s", p->iface->name, strerror(-ret));
	return 0;
}

int port_change(const struct config_port *from, const struct config_port *to, struct err *e)
{
	struct port *p = port_by_name(from->name);
	int ret = 0;

	if (p == NULL)
		return err_set(e, ENODEV, "%s: no such port", from->name);
	if (to->promiscuous != from->promiscuous)
		ret = set_promiscuous(p, to->promiscuous, e);
	if (ret < 0)
		return ret;
	if (to->mtu != from->mtu)
		ret = set_mtu(p, to->mtu, e);
	if (ret < 0 && to->promiscuous != from->promiscuous)
		set_promiscuous(p, from->promiscuous, NULL);
	if (ret < 0)
		return ret;
	atomic_store_explicit(&p->iface->rpf, to->rpf, memory_order_relaxed);
	iface_set_flag(p->iface, IFACE_ESP_ONLY, to->esp_only);
	return 0;
}
