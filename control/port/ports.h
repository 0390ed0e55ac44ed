/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK ports: probe, set up queues, start; their interfaces and twins. */
#ifndef VIADUCT_PORTS_H
#define VIADUCT_PORTS_H

#include "config/config.h"
#include "control/err.h"
#include "dataplane/iface.h"

#include <viaduct_api.h>

struct worker;
struct twin;

/* One with a device, or a VLAN of one (port_vlan.h). */
struct port {
	struct iface *iface;
	struct twin *twin;
	struct port *parent; /* a VLAN's; NULL: it has a device */
	bool admin_up;       /* its twin's; the interface's flag is off where the parent's is */
	uint16_t port_id, n_rxq, n_txq;
	uint32_t mtu_max;
	uint32_t kernel_mtu; /* the twin's, as netlink told it last */
	char device[256];
};

/* Bring up every configured port for n workers: attach, queues (one receive queue per worker where
 * the device has as many, else fewer and software spreading), give queues to workers. */
int ports_start(const struct config *c, struct worker **workers, unsigned n,
	struct rte_mempool *pool, struct err *e);
void ports_stop(void);

struct port *port_by_iface(const struct iface *iface);
struct port *port_by_name(const char *name);
unsigned port_count(void);
struct port *port_at(unsigned i);
void port_fill_info(const struct port *p, struct viaduct_port_info *info);
/* MTU and promiscuous mode while it runs (port_change.c): can it be done, and do it. */
int port_check_change(const struct config_port *from, const struct config_port *to, struct err *e);
int port_change(const struct config_port *from, const struct config_port *to, struct err *e);
/* The kernel's side changed. */
void port_kernel_link(struct port *p, bool up, uint32_t mtu, bool promisc);
/* Once a second: link state to carrier. */
void ports_tick(void);

/* For port_vlan.c: make it one of the ports with what all have from the configuration, or no more, and
 * free it. */
int ports_insert(struct port *p, const struct config_port *c, struct err *e);
void ports_remove(struct port *p);
void port_free(struct port *p);
/* A VLAN is up and has a carrier where its parent is and has, and no larger MTU. */
void port_follow_parent(struct port *p);

#endif
