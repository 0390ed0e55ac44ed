/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/port/port_queues.h"

#include "control/eal_log.h"
#include "control/log.h"
#include "control/port/packet_pool.h"
#include "control/port/port_device.h"
#include "dataplane/worker.h"

#include <errno.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <string.h>

#define RSS_TYPES (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_ESP)
/* An Ethernet header and two VLAN tags. */
#define L2_MAX (RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN)

/* DPDK's own words where it has any. */
static const char *reason(int ret)
{
	return eal_log_reason()[0] != '\0' ? eal_log_reason() : strerror(-ret);
}

static void choose_counts(struct port *p, const struct config_port *cp,
	const struct rte_eth_dev_info *dev, unsigned n)
{
	unsigned wanted = cp->rx_queues > 0 ? cp->rx_queues : n;

	/* More receive queues than workers serve nothing. */
	p->n_rxq = RTE_MIN(RTE_MIN(wanted, n), dev->max_rx_queues);
	p->n_txq = RTE_MIN(n, dev->max_tx_queues);
	if (cp->rx_queues > p->n_rxq)
		log_warn("port %s: rx_queues = %u, but %u workers and a device with at most %u: %u "
			 "used",
			cp->name, cp->rx_queues, n, dev->max_rx_queues, p->n_rxq);
}

/* Also sets p->mtu_max, up to which the MTU may be raised later. */
static int check_mtu(struct port *p, const struct config *c, const struct config_port *cp,
	const struct rte_eth_dev_info *dev, struct rte_eth_conf *conf, struct err *e)
{
	const uint32_t size = packet_buffer_size(c);
	bool scatter = dev->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;

	if (dev->max_mtu != 0 && (cp->mtu < dev->min_mtu || cp->mtu > dev->max_mtu))
		return err_set(e, EINVAL, "port %s: mtu %u; %s takes %u to %u", cp->name, cp->mtu,
			cp->device, dev->min_mtu, dev->max_mtu);
	if (cp->mtu + L2_MAX > size && !scatter)
		return err_set(e, EINVAL,
			"port %s: mtu %u needs mbuf_size = %u or more, or 0; it is %u", cp->name,
			cp->mtu, cp->mtu + L2_MAX, size);
	p->mtu_max = scatter ? UINT16_MAX : size - L2_MAX;
	conf->rxmode.mtu = cp->mtu;
	if (port_device_understates_mtu(cp->device)) {
		p->mtu_max = RTE_MAX(cp->mtu, (uint32_t)RTE_ETHER_MTU); /* its frames hold */
		conf->rxmode.mtu = RTE_MIN(cp->mtu, (uint32_t)RTE_ETHER_MTU);
	}
	if (cp->mtu + L2_MAX > size)
		conf->rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
	return 0;
}

static void choose_rss(
	const struct port *p, const struct rte_eth_dev_info *dev, struct rte_eth_conf *conf)
{
	uint64_t types = RSS_TYPES & dev->flow_type_rss_offloads;

	if (p->n_rxq <= 1 || types == 0)
		return;
	conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	conf->rx_adv_conf.rss_conf.rss_hf = types;
}

static int setup_queues(struct port *p, const struct config_port *cp,
	const struct rte_eth_dev_info *dev, const struct rte_eth_conf *conf,
	struct rte_mempool *pool)
{
	uint16_t rxd = cp->rx_descriptors, txd = cp->tx_descriptors;
	int socket = rte_eth_dev_socket_id(p->port_id);
	struct rte_eth_rxconf rx = dev->default_rxconf;
	struct rte_eth_txconf tx = dev->default_txconf;
	int ret = rte_eth_dev_adjust_nb_rx_tx_desc(p->port_id, &rxd, &txd);

	rx.offloads = conf->rxmode.offloads;
	tx.offloads = conf->txmode.offloads;
	for (unsigned q = 0; q < p->n_rxq && ret == 0; q++)
		ret = rte_eth_rx_queue_setup(p->port_id, q, rxd, socket, &rx, pool);
	for (unsigned q = 0; q < p->n_txq && ret == 0; q++)
		ret = rte_eth_tx_queue_setup(p->port_id, q, txd, socket, &tx);
	return ret;
}

int port_queues_setup(struct port *p, const struct config *c, const struct config_port *cp,
	unsigned n, struct rte_mempool *pool, struct err *e)
{
	struct rte_eth_dev_info dev;
	struct rte_eth_conf conf = {0};
	int ret = rte_eth_dev_info_get(p->port_id, &dev);

	if (ret < 0)
		return err_set(e, -ret, "port %s: %s: %s", cp->name, cp->device, reason(ret));
	eal_log_forget();
	choose_counts(p, cp, &dev, n);
	if (p->n_rxq == 0 || p->n_txq == 0)
		return err_set(e, ENODEV, "port %s: %s has no %s queue", cp->name, cp->device,
			p->n_rxq == 0 ? "receive" : "transmit");
	ret = check_mtu(p, c, cp, &dev, &conf, e);
	if (ret < 0)
		return ret;
	choose_rss(p, &dev, &conf);
	conf.txmode.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS & dev.tx_offload_capa;
	ret = rte_eth_dev_configure(p->port_id, p->n_rxq, p->n_txq, &conf);
	if (ret < 0)
		return err_set(e, -ret, "port %s: %s refuses %u receive and %u transmit queues: %s",
			cp->name, cp->device, p->n_rxq, p->n_txq, reason(ret));
	ret = port_device_set_mtu(p->port_id, cp->device, cp->mtu);
	if (ret < 0)
		return err_set(e, -ret, "port %s: %s refuses mtu %u: %s", cp->name, cp->device,
			cp->mtu, reason(ret));
	ret = setup_queues(p, cp, &dev, &conf, pool);
	if (ret < 0)
		return err_set(e, -ret,
			"port %s: %s: queues of %u and %u descriptors cannot be set up: %s",
			cp->name, cp->device, cp->rx_descriptors, cp->tx_descriptors, reason(ret));
	return 0;
}

static int assign_rx(struct port *p, struct worker **workers, unsigned n, struct err *e)
{
	static unsigned next; /* goes on from port to port, so that single queues spread too */

	for (unsigned q = 0; q < p->n_rxq; q++) {
		struct worker *w = workers[next++ % n];

		if (w->n_rx == RX_MAX)
			return err_set(e, ENOSPC,
				"port %s: worker %u has %u receive queues already; more workers or "
				"fewer rx_queues are needed",
				p->iface->name, w->id, RX_MAX);
		w->rx[w->n_rx++] = (struct worker_rx){p->iface, p->port_id, q};
		if (p->n_rxq < n)
			w->spread = true;
	}
	return 0;
}

int port_queues_assign(struct port *p, struct worker **workers, unsigned n, struct err *e)
{
	for (unsigned i = 0; i < n; i++) {
		struct worker_tx *tx = rte_zmalloc("worker_tx", sizeof(*tx), RTE_CACHE_LINE_SIZE);

		if (tx == NULL)
			return err_set(e, ENOMEM, "port %s: no memory", p->iface->name);
		/* A worker without a queue sends through one that has it. */
		tx->owner = i % p->n_txq;
		tx->queue = tx->owner;
		tx->iface = p->iface;
		workers[i]->tx[p->port_id] = tx;
	}
	return assign_rx(p, workers, n, e);
}
