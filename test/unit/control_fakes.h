/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel, the API's clients, the routes and the clock, as the tests of VTIs and SAs want them:
 * what is asked of them is written down, and they answer what the test says. */
#ifndef VIADUCT_TEST_CONTROL_FAKES_H
#define VIADUCT_TEST_CONTROL_FAKES_H

#include "control/api/api_server.h"
#include "control/daemon.h"
#include "control/iface/ifaces.h"
#include "control/iface/twin.h"
#include "control/netlink/netlink.h"
#include "control/routing/neigh.h"
#include "control/routing/rib.h"

#include <rte_mbuf.h>

#include <errno.h>
#include <stdlib.h>

struct twin {
	struct iface *iface;
	bool carrier;
};

static struct {
	uint64_t now_ns;
	unsigned twins;
	int refuse_twin, refuse_link, refuse_mtu; /* errno to answer */
	uint32_t mtu_set, mtu_sets;               /* last one, how often */
	int link_set;                             /* -1: not asked */
	struct iface *path;                       /* the device that every route leads to */
	unsigned forgot_routes, forgot_neighs;
	bool listeners; /* somebody subscribed to events */
	unsigned acquires, mappings;
	struct viaduct_acquire acquire;
	struct viaduct_mapping mapping;
	unsigned
		n_sent; /* packets that waited for an SA and went on, each known by its last byte */
	uint8_t sent[256];
	unsigned unreachable[DROP_REASON_COUNT]; /* packets whose senders are told */
	unsigned events;
	unsigned last_event;
	union {
		struct viaduct_sa_expire expire;
		struct viaduct_vti_info vti;
	} event;
	struct viaduct_sa_expire expire_before; /* of two events in a row the first */
} fake = {.link_set = -1};

struct daemon_state daemon_state = {.n_workers = 2};

uint64_t monotonic_ns(void)
{
	return fake.now_ns;
}

void api_event(unsigned mask, unsigned type, const void *data, size_t len)
{
	(void)mask;
	fake.events++;
	fake.last_event = type;
	if (type == VIADUCT_EVENT_ACQUIRE) {
		fake.acquires++;
		memcpy(&fake.acquire, data, len);
	} else if (type == VIADUCT_EVENT_MAPPING) {
		fake.mappings++;
		memcpy(&fake.mapping, data, len);
	}
	fake.expire_before = fake.event.expire;
	if (len <= sizeof(fake.event))
		memcpy(&fake.event, data, len);
}

bool api_subscribed(unsigned mask)
{
	(void)mask;
	return fake.listeners;
}

void host_to_tunnel(struct rte_mbuf *m)
{
	fake.sent[fake.n_sent++ % 256] =
		*rte_pktmbuf_mtod_offset(m, const uint8_t *, m->data_len - 1);
	rte_pktmbuf_free(m);
}

void host_forward(struct rte_mbuf *m, uint16_t iface_id)
{
	(void)iface_id;
	host_to_tunnel(m);
}

void host_unreachable(struct rte_mbuf *m, enum drop_reason reason)
{
	fake.unreachable[reason]++;
	rte_pktmbuf_free(m);
}

int twin_create(struct iface *iface, struct twin **out, struct err *e)
{
	static uint32_t ifindex = 100;

	if (fake.refuse_twin != 0)
		return err_set(e, fake.refuse_twin, "the kernel said no");
	*out = calloc(1, sizeof(**out));
	(*out)->iface = iface;
	iface->kernel_ifindex = ++ifindex;
	fake.twins++;
	return 0;
}

void twin_destroy(struct twin *t)
{
	fake.twins--;
	free(t);
}

int twin_set_carrier(struct twin *t, bool up)
{
	t->carrier = up;
	return 0;
}

int netlink_set_link(uint32_t ifindex, bool up, struct err *e)
{
	(void)ifindex;
	if (fake.refuse_link != 0)
		return err_set(e, fake.refuse_link, "the kernel said no");
	fake.link_set = up;
	return 0;
}

int netlink_set_mtu(uint32_t ifindex, uint32_t mtu, struct err *e)
{
	(void)ifindex;
	if (fake.refuse_mtu != 0)
		return err_set(e, fake.refuse_mtu, "the kernel said no");
	fake.mtu_set = mtu;
	fake.mtu_sets++;
	return 0;
}

int rib_lookup(const struct addr *dst, struct viaduct_route *out)
{
	(void)dst;
	if (fake.path == NULL)
		return -ENOENT;
	*out = (struct viaduct_route){0};
	memcpy(out->dev, fake.path->name, sizeof(out->dev));
	return 0;
}

void rib_forget_iface(struct iface *iface)
{
	(void)iface;
	fake.forgot_routes++;
}

void neigh_forget_iface(struct iface *iface)
{
	(void)iface;
	fake.forgot_neighs++;
}

#endif
