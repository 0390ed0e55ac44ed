/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/port/port_vlan.h"

#include "control/iface/ifaces.h"
#include "control/iface/twin.h"
#include "control/log.h"
#include "control/netlink/netlink.h"
#include "control/port/ports.h"
#include "control/routing/neigh.h"
#include "control/routing/rib.h"
#include "dataplane/vlan.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>

/* The parent's VLANs by their ids: made with the first one, and kept as long as the parent is. */
static struct iface *_Atomic *table(struct iface *parent)
{
	struct iface *_Atomic *vlans = atomic_load(&parent->vlans);

	if (vlans == NULL) {
		vlans = calloc(VLAN_IDS, sizeof(*vlans));
		atomic_store_explicit(&parent->vlans, vlans, memory_order_release);
	}
	return vlans;
}

static struct port *parent_of(const struct config_port *c, struct err *e)
{
	struct port *parent = port_by_name(c->parent);

	if (parent == NULL || parent->parent != NULL) {
		err_set(e, ENODEV, "%s: parent \"%s\"; expected a port that runs and has a device",
			c->name, c->parent);
		return NULL;
	}
	return parent;
}

int port_vlan_check(const struct config_port *c, struct err *e)
{
	if (parent_of(c, e) == NULL)
		return -ENODEV;
	if (iface_by_name(c->name) != NULL || if_nametoindex(c->name) != 0)
		return err_set(e, EBUSY,
			"%s: an interface of this name exists already; expected another name",
			c->name);
	return 0;
}

static struct port *vlan_new(const struct config_port *c, struct port *parent, unsigned n_workers)
{
	struct port *p = calloc(1, sizeof(*p));

	if (p != NULL)
		p->iface = iface_new(IFACE_PORT, c->name, n_workers);
	if (p == NULL || p->iface == NULL) {
		free(p);
		return NULL;
	}
	p->parent = parent;
	p->port_id = parent->port_id;
	p->kernel_mtu = c->mtu;
	p->iface->parent = parent->iface;
	p->iface->port_id = parent->port_id;
	p->iface->mac = parent->iface->mac;
	p->iface->vlan = c->vlan;
	atomic_store(&p->iface->rpf, c->rpf);
	iface_set_flag(p->iface, IFACE_ESP_ONLY, c->esp_only);
	atomic_store(&p->iface->mtu, RTE_MIN(c->mtu, (uint32_t)iface_mtu(parent->iface)));
	return p;
}

int port_vlan_add(const struct config_port *c, unsigned n_workers, struct err *e)
{
	struct port *parent = parent_of(c, e), *p;
	struct iface *_Atomic *vlans;
	int ret;

	if (parent == NULL)
		return -ENODEV;
	vlans = table(parent->iface);
	p = vlans != NULL ? vlan_new(c, parent, n_workers) : NULL;
	if (p == NULL)
		return err_set(e, ENOMEM, "port %s: no memory", c->name);
	ret = twin_create(p->iface, &p->twin, e);
	if (ret == 0)
		ret = ports_insert(p, c, e);
	if (ret < 0) {
		port_free(p);
		return ret;
	}
	iface_publish(p->iface);
	atomic_store_explicit(&vlans[c->vlan], p->iface, memory_order_release);
	port_follow_parent(p);
	log_info("port %s: VLAN %u of %s", c->name, c->vlan, c->parent);
	return 0;
}

/* While a configuration changes, a new one may have taken the id of one that goes; or gives it back. */
void port_vlan_detach(struct port *p)
{
	struct iface *_Atomic *vlans = atomic_load(&p->parent->iface->vlans);
	const uint16_t id = p->iface->vlan;
	struct iface *other = NULL;

	if (vlans == NULL || vlan_of_port(p->parent->iface, id) != p->iface)
		return;
	for (unsigned i = 0; i < port_count(); i++) {
		const struct port *q = port_at(i);

		if (q != p && q->parent == p->parent && q->iface->vlan == id)
			other = q->iface;
	}
	atomic_store_explicit(&vlans[id], other, memory_order_release);
}

/* What was set by hand or by a reload; the parent's bounds it. */
void port_vlan_kernel_mtu(struct port *p, uint32_t mtu)
{
	const uint32_t room = iface_mtu(p->parent->iface);

	if (mtu != p->kernel_mtu && mtu > room)
		log_warn("port %s: MTU stays at %u, its parent %s has no more; it was set to %u",
			p->iface->name, room, p->parent->iface->name, mtu);
	p->kernel_mtu = mtu;
}

void port_vlan_fit_mtu(struct port *p)
{
	const uint32_t room = iface_mtu(p->parent->iface), was = iface_mtu(p->iface);
	struct err e;

	atomic_store_explicit(&p->iface->mtu, RTE_MIN(p->kernel_mtu, room), memory_order_relaxed);
	/* The parent's went down: the kernel's side goes with it, as Linux's own VLANs do. */
	if (room < was && p->kernel_mtu > room &&
		netlink_set_mtu(p->iface->kernel_ifindex, room, &e) < 0)
		log_warn("port %s: MTU %u, as its parent's: %s", p->iface->name, room, e.text);
}

void port_vlan_del(const char *name)
{
	struct port *p = port_by_name(name);

	if (p == NULL || p->parent == NULL)
		return;
	port_vlan_detach(p);
	rib_forget_iface(p->iface);
	neigh_forget_iface(p->iface);
	ports_remove(p);
	port_free(p);
	log_info("port %s: removed", name);
}
