/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/port/ports.h"

#include "control/eal_log.h"
#include "control/iface/ifaces.h"
#include "control/iface/twin.h"
#include "control/log.h"
#include "control/port/packet_pool.h"
#include "control/port/port_device.h"
#include "control/port/port_queues.h"
#include "control/port/port_vlan.h"

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

struct port *port_by_name(const char *name)
{
	const struct iface *iface = iface_by_name(name);

	return iface != NULL ? port_by_iface(iface) : NULL;
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
		cp, cp->rx_queues ? cp->rx_queues : n, packet_buffer_size(c), &port_id, e);

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
	atomic_store(&p->iface->rpf, cp->rpf);
	iface_set_flag(p->iface, IFACE_ESP_ONLY, cp->esp_only);
	snprintf(p->device, sizeof(p->device), "%s", cp->device);
	return ports_insert(p, cp, e);
}

static int port_start(const struct config *c, const struct config_port *cp, struct worker **workers,
	unsigned n, struct rte_mempool *pool, struct err *e)
{
	struct port *p;
	int ret = port_new(c, cp, n, e);

	if (ret < 0)
		return ret;
	p = ports[n_ports - 1];
	ret = bring_up(p, c, cp, workers, n, pool, e);
	if (ret == 0)
		log_info("port %s: %s, MAC " MAC_FMT ", %u receive and %u transmit queues",
			p->iface->name, p->device, RTE_ETHER_ADDR_BYTES(&p->iface->mac), p->n_rxq,
			p->n_txq);
	return ret;
}

int ports_start(const struct config *c, struct worker **workers, unsigned n,
	struct rte_mempool *pool, struct err *e)
{
	for (unsigned i = 0; i < c->n_ports; i++) {
		const struct config_port *cp = &c->ports[i];
		int ret = cp->parent[0] != '\0' ? port_vlan_add(cp, n, e)
						: port_start(c, cp, workers, n, pool, e);

		if (ret < 0)
			return ret;
	}
	return 0;
}

int ports_insert(struct port *p, const struct config_port *c, struct err *e)
{
	if (n_ports == CONFIG_PORTS_MAX)
		return err_set(e, ENOSPC, "port %s: one too many; expected at most %u ports",
			c->name, CONFIG_PORTS_MAX);
	ports[n_ports++] = p;
	return 0;
}

void ports_remove(struct port *p)
{
	unsigned i = 0;

	while (ports[i] != p)
		i++;
	memmove(&ports[i], &ports[i + 1], (--n_ports - i) * sizeof(ports[0]));
}

void port_free(struct port *p)
{
	twin_destroy(p->twin);
	if (p->parent != NULL) {
		port_vlan_detach(p);
	} else {
		rte_eth_dev_stop(p->port_id);
		rte_eth_dev_close(p->port_id);
		free(atomic_load(&p->iface->vlans));
	}
	iface_retire(p->iface);
	free(p);
}

void ports_stop(void)
{
	while (n_ports > 0)
		port_free(ports[--n_ports]);
}

static void change_mtu(struct port *p, uint32_t mtu)
{
	int ret = mtu > p->mtu_max ? -EMSGSIZE : port_device_set_mtu(p->port_id, p->device, mtu);
	if (ret < 0)
		log_warn("port %s: MTU stays at %u, the device does not take %u: %s",
			p->iface->name, iface_mtu(p->iface), mtu,
			ret == -EMSGSIZE ? "its buffers are smaller; see mbuf_size and mtu"
					 : strerror(-ret));
	else
		atomic_store_explicit(&p->iface->mtu, mtu, memory_order_relaxed);
}

void port_kernel_link(struct port *p, bool up, uint32_t mtu, bool promisc)
{
	(void)promisc; /* captures on a port's twin see what the kernel sees */
	p->admin_up = up;
	if (p->parent != NULL) {
		port_vlan_kernel_mtu(p, mtu);
		port_follow_parent(p);
		return;
	}
	iface_set_flag(p->iface, IFACE_UP, up);
	if (mtu != p->kernel_mtu) {
		p->kernel_mtu = mtu;
		change_mtu(p, mtu);
	}
	for (unsigned i = 0; i < n_ports; i++) {
		if (ports[i]->parent == p)
			port_follow_parent(ports[i]);
	}
}

static bool link_is_up(const struct port *p)
{
	struct rte_eth_link link = {0};

	if (p->parent != NULL)
		return p->parent->admin_up && iface_has(p->parent->iface, IFACE_CARRIER);
	if (rte_eth_link_get_nowait(p->port_id, &link) < 0)
		return iface_has(p->iface, IFACE_CARRIER);
	return link.link_status == RTE_ETH_LINK_UP;
}

/* A VLAN comes behind its parent. */
static void tick(struct port *p)
{
	const bool up = link_is_up(p);

	if (up == iface_has(p->iface, IFACE_CARRIER))
		return;
	iface_set_flag(p->iface, IFACE_CARRIER, up);
	twin_set_carrier(p->twin, up);
	log_notice("port %s: link %s", p->iface->name, up ? "up" : "down");
}

void port_follow_parent(struct port *p)
{
	iface_set_flag(p->iface, IFACE_UP, p->admin_up && p->parent->admin_up);
	port_vlan_fit_mtu(p);
	tick(p);
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
		.admin_up = p->admin_up,
		.carrier = iface_has(p->iface, IFACE_CARRIER),
		.speed_mbps = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed,
		.rx_queues = p->n_rxq,
		.tx_queues = p->n_txq,
		.stats = {s.rx_packets, s.rx_bytes, s.rx_drops, s.tx_packets, s.tx_bytes,
			s.tx_drops},
		.missed = p->parent != NULL ? 0 : dev_stats.imissed + dev_stats.rx_nombuf,
		.vlan = p->iface->vlan,
	};
	snprintf(info->name, sizeof(info->name), "%s", p->iface->name);
	snprintf(info->device, sizeof(info->device), "%.63s", p->device);
	snprintf(info->driver, sizeof(info->driver), "%s", dev.driver_name);
	if (p->parent != NULL)
		snprintf(info->parent, sizeof(info->parent), "%s", p->parent->iface->name);
	memcpy(info->mac, p->iface->mac.addr_bytes, sizeof(info->mac));
}
