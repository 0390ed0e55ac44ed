/* SPDX-License-Identifier: BSD-3-Clause */
#include "dp_vlan.h"

#include "control/iface/ifaces.h"
#include "control/routing/nexthops.h"
#include "dataplane/vlan.h"

#include <stdio.h>
#include <stdlib.h>

#define MADE_MAX 16

static struct iface *made[MADE_MAX];
static unsigned n_made;

static void set_addresses(struct iface *i)
{
	struct addr *ip6 = malloc(sizeof(*ip6)); /* freed with the interface */
	char text[64];

	must(ip6 != NULL, "address");
	snprintf(text, sizeof(text), "10.9.%u.1", i->vlan);
	atomic_store(&i->ip4, dp_addr(text).v4);
	snprintf(text, sizeof(text), "10.9.%u.1/32", i->vlan);
	dp_route(text, NH_ID_LOCAL);
	snprintf(text, sizeof(text), "2001:db8:9:%u::1", i->vlan);
	*ip6 = dp_addr(text);
	atomic_store(&i->ip6, ip6);
	snprintf(text, sizeof(text), "2001:db8:9:%u::1/128", i->vlan);
	dp_route(text, NH_ID_LOCAL);
}

struct iface *dp_vlan(unsigned port, uint16_t id)
{
	struct iface *parent = dp.port[port].iface, *i;
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "port%u.%u", port % 10, id % 1000u);
	i = iface_new(IFACE_PORT, name, dp.n_workers);
	must(i != NULL && n_made < MADE_MAX, name);
	i->parent = parent;
	i->vlan = id;
	i->port_id = parent->port_id;
	i->mac = parent->mac;
	atomic_store(&i->mtu, DP_MTU);
	atomic_store(&i->flags, IFACE_UP | IFACE_CARRIER);
	set_addresses(i);
	if (atomic_load(&parent->vlans) == NULL)
		atomic_store(&parent->vlans, calloc(VLAN_IDS, sizeof(parent->vlans[0])));
	must(atomic_load(&parent->vlans) != NULL, "VLANs");
	atomic_store(&atomic_load(&parent->vlans)[id], i);
	iface_publish(i);
	return made[n_made++] = i;
}

uint32_t dp_vlan_station(struct iface *vlan, const char *gateway, unsigned station)
{
	struct rte_ether_addr mac = mac_of_station(station);
	struct addr a = dp_addr(gateway);
	uint32_t id = nexthop_get(NH_PORT, vlan, &a, &mac);

	must(id != 0, "next hop");
	return id;
}

struct frame dp_tagged(const struct frame *f, uint16_t tci)
{
	struct frame t = {.len = f->len + 4};

	must(t.len <= FRAME_MAX, "frame too long");
	memcpy(t.b, f->b, 12);
	t.b[12] = 0x81;
	t.b[13] = 0x00;
	t.b[14] = tci >> 8;
	t.b[15] = tci;
	if (f->len > 12)
		memcpy(t.b + 16, f->b + 12, f->len - 12);
	return t;
}

void dp_vlans_stop(void)
{
	while (n_made > 0) {
		struct iface *i = made[--n_made];

		free(atomic_exchange(&i->parent->vlans, NULL));
		iface_retire(i);
	}
}
