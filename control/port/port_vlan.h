/* SPDX-License-Identifier: BSD-3-Clause */
/* VLANs of ports (IEEE 802.1Q). They have no device and no queues, and so can come and go while the
 * workers run. */
#ifndef VIADUCT_PORT_VLAN_H
#define VIADUCT_PORT_VLAN_H

#include "config/config.h"
#include "control/err.h"

struct port;

/* c->parent and c->vlan say where. Routes and addresses then come from the kernel, as a port's. */
int port_vlan_add(const struct config_port *c, unsigned n_workers, struct err *e);
/* With the routes and neighbours by it. */
void port_vlan_del(const char *name);

/* Can it be added? Its parent must run, and the name be free. Changes nothing. */
int port_vlan_check(const struct config_port *c, struct err *e);

/* The kernel's word about the twin's MTU, and what of it the parent's leaves. */
void port_vlan_kernel_mtu(struct port *p, uint32_t mtu);
void port_vlan_fit_mtu(struct port *p);

/* A VLAN is gone from its parent's table; part of freeing it. */
void port_vlan_detach(struct port *p);

#endif
