/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/port/ports.h"

#include "control/eal_log.h"
#include "control/iface/ifaces.h"
#include "control/iface/twin.h"
#include "control/log.h"
#include "control/port/port_device.h"
#include "control/port/port_queues.h"

#include <errno.h>
#include <rte_ethdev.h>
#include <stdlib.h>
#include <string.h>

static struct port *ports[CONFIG_PORTS_MAX];
static unsigned n_ports;

unsigned port_count(void)
{
	return n_ports;
}

struct port *port_at(unsigned i)
{
	return i < n_ports ? ports[i] : NULL;
}

struct port *port_by_iface(const struct iface *iface)
{
	for (unsigned i = 0; i < n_ports; i++) {
		if (ports[i]->iface == iface)
			return ports[i];
	}
	return NULL;
}

static bool port_id_taken(uint16_t port_id)
{
	for (unsigned i = 0; i < n_ports; i++) {
		if (ports[i]->port_id == port_id)
			return true;
	}
	return false;
}

/* The configured address, else the device's, else (a ring has none) one of our own. */
static int set_mac(struct port *p, const struct config_port *c, struct err *e)
{
	struct rte_ether_addr *mac = &p->iface->mac;
	int ret;

	if (c->mac[0] == '\0') {
		rte_eth_macaddr_get(p->port_id, mac);
		if (!rte_is_valid_assigned_ether_addr(mac))
			rte_eth_random_addr(mac->addr_bytes);
		return 0;
	}
	if (rte_ether_unformat_addr(c->mac, mac) != 0 || !rte_is_valid_assigned_ether_addr(mac))
		return err_set(e, EINVAL, "port %s: mac \"%s\"; expected a unicast MAC address",
			c->name, c->mac);
	ret = rte_eth_dev_default_mac_addr_set(p->port_id, mac);
	if (ret < 0)
		return err_set(e, -ret, "port %s: the device does not take the MAC %s: %s", c->name,
			c->mac, strerror(-ret));
	return 0;
}

/* What the kernel's routing needs to hear: multicast (routing daemons, neighbour discovery). */
static void set_filters(struct port *p, const struct config_port *c)
{
	int ret = c->promiscuous ? rte_eth_promiscuous_enable(p->port_id) : 0;

	if (ret < 0 && ret != -ENOTSUP)
		log_warn("port %s: promiscuous mode: %s", c->name, strerror(-ret));
	ret = rte_eth_allmulticast_enable(p->port_id);
	/* Virtual devices have no filter at all. */
	if (ret < 0 && ret != -ENOTSUP)
		log_warn("port %s: multicast: %s", c->name, strerror(-ret));
}

static int start_device(struct port *p, const struct config_port *c, struct err *e)
{
	int ret = set_mac(p, c, e);

	if (ret < 0)
		return ret;
	eal_log_forget();
	ret = rte_eth_dev_start(p->port_id);
	if (ret < 0) /* the driver's own words say more than its errno */
		return err_set(e, -ret, "port %s: %s does not start: %s", c->name, c->device,
			eal_log_reason()[0] != '\0' ? eal_log_reason() : strerror(-ret));
	set_filters(p, c);
	return 0;
}

/* The device is attached, the interface made: all the rest. */
static int bring_up(struct port *p, const struct config *c, const struct config_port *cp,
	struct worker **workers, unsigned n, struct rte_mempool *pool, struct err *e)
{
	int ret = port_queues_setup(p, c, cp, n, pool, e);

	if (ret == 0)
		ret = start_device(p, cp, e);
	if (ret == 0)
		ret = twin_create(p->iface, &p->twin, e);
	if (ret == 0)
		ret = port_queues_assign(p, workers, n, e);
	if (ret == 0)
		iface_publish(p->iface);
	return ret;
}

static int port_new(const struct config *c, const struct config_port *cp, unsigned n, struct err *e)
{
	struct port *p;
	uint16_t port_id;
	int ret = port_device_attach(
		cp, cp->rx_queues ? cp->rx_queues : n, c->mbuf_size, &port_id, e);

	if (ret < 0)
		return ret;
	if (port_id_taken(port_id))
		return err_set(e, EEXIST, "port %s: device %s belongs to another port already",
			cp->name, cp->device);
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return err_set(e, ENOMEM, "out of memory");
	p->iface = iface_new(IFACE_PORT, cp->name, n);
	if (p->iface == NULL) {
		free(p);
		return err_set(e, ENOMEM, "out of memory");
	}
	p->port_id = port_id;
	p->iface->port_id = port_id;
	p->kernel_mtu = cp->mtu;
	atomic_store(&p->iface->mtu, cp->mtu);
	snprintf(p->device, sizeof(p->device), "%s", cp->device);
	ports[n_ports++] = p;
	return 0;
}

int ports_start(const struct config *c, struct worker **workers, unsigned n,
	struct rte_mempool *pool, struct err *e)
{
	for (unsigned i = 0; i < c->n_ports; i++) {
		int ret = port_new(c, &c->ports[i], n, e);

		if (ret == 0)
			ret = bring_up(ports[i], c, &c->ports[i], workers, n, pool, e);
		if (ret < 0)
			return ret;
		log_info("port %s: %s, MAC " MAC_FMT ", %u receive and %u transmit queues",
			ports[i]->iface->name, ports[i]->device,
			RTE_ETHER_ADDR_BYTES(&ports[i]->iface->mac), ports[i]->n_rxq,
			ports[i]->n_txq);
	}
	return 0;
}

static void port_free(struct port *p)
{
	twin_destroy(p->twin);
	rte_eth_dev_stop(p->port_id);
	rte_eth_dev_close(p->port_id);
	iface_retire(p->iface);
	free(p);
}

void ports_stop(void)
{
	while (n_ports > 0)
		port_free(ports[--n_ports]);
}

void port_kernel_link(struct port *p, bool up, uint32_t mtu, bool promisc)
{
	int ret;

	(void)promisc; /* captures on a port's twin see what the kernel sees */
	iface_set_flag(p->iface, IFACE_UP, up);
	if (mtu == p->kernel_mtu)
		return;
	p->kernel_mtu = mtu;
	ret = mtu > p->mtu_max ? -EMSGSIZE : port_device_set_mtu(p->port_id, p->device, mtu);
	if (ret < 0)
		log_warn("port %s: MTU stays at %u, the device does not take %u: %s",
			p->iface->name, iface_mtu(p->iface), mtu,
			ret == -EMSGSIZE ? "its buffers are smaller; see mbuf_size and mtu"
					 : strerror(-ret));
	else
		atomic_store_explicit(&p->iface->mtu, mtu, memory_order_relaxed);
}

static void tick(struct port *p)
{
	struct rte_eth_link link = {0};
	bool up;

	if (rte_eth_link_get_nowait(p->port_id, &link) < 0)
		return;
	up = link.link_status == RTE_ETH_LINK_UP;
	if (up == iface_has(p->iface, IFACE_CARRIER))
		return;
	iface_set_flag(p->iface, IFACE_CARRIER, up);
	twin_set_carrier(p->twin, up);
	log_notice("port %s: link %s", p->iface->name, up ? "up" : "down");
}

void ports_tick(void)
{
	for (unsigned i = 0; i < n_ports; i++)
		tick(ports[i]);
}

void port_fill_info(const struct port *p, struct viaduct_port_info *info)
{
	struct rte_eth_dev_info dev = {0};
	struct rte_eth_stats dev_stats = {0};
	struct rte_eth_link link = {0};
	struct iface_stats s;

	/* What a device does not tell is shown as zero. */
	if (rte_eth_dev_info_get(p->port_id, &dev) != 0)
		dev.driver_name = "-";
	if (rte_eth_stats_get(p->port_id, &dev_stats) != 0)
		dev_stats = (struct rte_eth_stats){0};
	if (rte_eth_link_get_nowait(p->port_id, &link) != 0)
		link = (struct rte_eth_link){0};
	iface_stats_sum(p->iface, &s);
	*info = (struct viaduct_port_info){
		.port_id = p->port_id,
		.ifindex = p->iface->kernel_ifindex,
		.mtu = iface_mtu(p->iface),
		.admin_up = iface_has(p->iface, IFACE_UP),
		.carrier = iface_has(p->iface, IFACE_CARRIER),
		.speed_mbps = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed,
		.rx_queues = p->n_rxq,
		.tx_queues = p->n_txq,
		.stats = {s.rx_packets, s.rx_bytes, s.rx_drops, s.tx_packets, s.tx_bytes,
			s.tx_drops},
		.missed = dev_stats.imissed + dev_stats.rx_nombuf,
	};
	snprintf(info->name, sizeof(info->name), "%s", p->iface->name);
	snprintf(info->device, sizeof(info->device), "%.63s", p->device);
	snprintf(info->driver, sizeof(info->driver), "%s", dev.driver_name);
	memcpy(info->mac, p->iface->mac.addr_bytes, sizeof(info->mac));
}
