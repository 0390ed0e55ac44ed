/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/iface/vti_mtu.h"
#include "control/addr_text.h"
#include "control/iface/ifaces.h"
#include "control/iface/path_mtu.h"
#include "control/log.h"
#include "control/netlink/netlink.h"
#include "control/routing/rib.h"
#include "dataplane/esp.h"
#include "dataplane/sa.h"

#include <rte_byteorder.h>

#define PATH_MTU_UNKNOWN 1500 /* a route by a device of the kernel's alone, or none yet */

/* Stands in while there is no outbound SA: AES-GCM-16 has 8 bytes of IV and 16 of ICV. */
static const struct sa estimate[2] = {
	{.family = IP_V4, .dir = SA_OUT, .iv_len = 8, .icv_len = 16, .align = 4, .hdr_len = 20 + 8},
	{.family = IP_V6, .dir = SA_OUT, .iv_len = 8, .icv_len = 16, .align = 4, .hdr_len = 40 + 8},
};

/* An outbound SA, or what stands in for it, and where its packets go. */
struct way {
	const struct sa *sa;
	struct addr peer;
};

/* A VTI open to any peer may get an IPv6 one: the longer header is the safe guess. */
static struct way estimated_way(const struct vti *v)
{
	const struct addr remote = addr_from_api(&v->conf.remote);
	const struct addr local = addr_from_api(&v->conf.local);
	const unsigned family = remote.family != IP_NONE ? remote.family : local.family;

	return (struct way){&estimate[family != IP_V4], remote};
}

/* One or two. */
static unsigned ways_of(const struct vti *v, struct way way[2])
{
	unsigned n = 0;

	for (unsigned af = 0; af < 2; af++) {
		const struct sa *sa = v->iface->sa_out[af];

		if (sa != NULL && (n == 0 || way[0].sa != sa))
			way[n++] = (struct way){sa, sa->dst};
	}
	if (n == 0)
		way[n++] = estimated_way(v);
	return n;
}

static uint16_t link_mtu(const struct addr *peer)
{
	struct viaduct_route route;
	const struct iface *dev;

	if (peer->family == IP_NONE || rib_lookup(peer, &route) < 0)
		return PATH_MTU_UNKNOWN;
	dev = iface_by_name(route.dev);
	return dev != NULL && iface_mtu(dev) != 0 ? iface_mtu(dev) : PATH_MTU_UNKNOWN;
}

static uint16_t told_mtu(const struct addr *peer)
{
	const struct viaduct_addr a = addr_to_api(peer);

	return path_mtu_told(&a);
}

static uint16_t path_mtu(const struct addr *peer)
{
	return RTE_MIN(link_mtu(peer), told_mtu(peer));
}

/* Where it is the encrypted packet that is cut, hosts find a link as large as the outer one. */
static uint16_t inner_mtu(const struct vti *v, const struct way *way)
{
	if (iface_has(v->iface, IFACE_FRAGMENT_AFTER))
		return link_mtu(&way->peer);
	return sa_inner_mtu(way->sa, path_mtu(&way->peer));
}

uint32_t vti_mtu_compute(const struct vti *v)
{
	uint16_t mtu = UINT16_MAX;
	struct way way[2];
	const unsigned n = ways_of(v, way);

	for (unsigned i = 0; i < n; i++)
		mtu = RTE_MIN(mtu, inner_mtu(v, &way[i]));
	return RTE_MAX(mtu, VTI_MTU_MIN);
}

bool vti_mtu_goes_to(const struct vti *v, const struct addr *peer)
{
	struct way way[2];
	const unsigned n = ways_of(v, way);

	return addr_eq(&way[0].peer, peer) || addr_eq(&way[n - 1].peer, peer);
}

uint32_t vti_mtu_path(const struct vti *v, uint32_t *expires)
{
	uint16_t least = UINT16_MAX;
	struct way way[2];
	const unsigned n = ways_of(v, way);

	*expires = 0;
	for (unsigned i = 0; i < n; i++) {
		const uint16_t mtu = path_mtu(&way[i].peer);
		const struct viaduct_addr peer = addr_to_api(&way[i].peer);

		if (mtu > least)
			continue;
		least = mtu;
		*expires = told_mtu(&way[i].peer) == mtu ? path_mtu_expires(&peer) : 0;
	}
	return least;
}

/* What is set by hand is the limit; less, where ICMP told that it does not fit. */
static uint32_t wanted(const struct vti *v)
{
	struct way way[2];
	const unsigned n = ways_of(v, way);
	uint16_t told = UINT16_MAX;

	if (v->conf.mtu == 0)
		return vti_mtu_compute(v);
	for (unsigned i = 0; i < n; i++)
		told = RTE_MIN(told, told_mtu(&way[i].peer));
	if (told == UINT16_MAX || iface_has(v->iface, IFACE_FRAGMENT_AFTER))
		return v->conf.mtu;
	return RTE_MIN(v->conf.mtu, vti_mtu_compute(v));
}

/* Their workers cut what is too large all the same (esp_route.c). */
static void tell_sas(const struct vti *v)
{
	for (unsigned af = 0; af < 2; af++) {
		struct sa *sa = v->iface->sa_out[af];

		if (sa != NULL)
			atomic_store_explicit(
				&sa->path_mtu, told_mtu(&sa->dst), memory_order_relaxed);
	}
}

/* On a device with less than 1280 the kernel gives up IPv6, with its addresses and routes, for good. So the
 * twin has no less unless somebody wants that; workers cut what is too large for the path. */
static uint32_t twin_mtu(const struct vti *v, uint32_t mtu)
{
	const uint32_t least = v->conf.mtu != 0 ? v->conf.mtu : IP6_MTU_MIN;

	return RTE_MAX(mtu, RTE_MIN(least, (uint32_t)IP6_MTU_MIN));
}

/* Once each time it falls below, not at every refresh. */
static void warn_ipv6(struct vti *v)
{
	const bool low = v->mtu.asked < IP6_MTU_MIN;

	if (low && !v->mtu.warned)
		log_warn("%s: MTU %u is below 1280: IPv6 cannot work inside this tunnel",
			v->conf.name, v->mtu.asked);
	v->mtu.warned = low;
}

void vti_mtu_asked(struct vti *v, uint32_t mtu)
{
	struct vti_mtu *m = &v->mtu;

	if (m->n_earlier == RTE_DIM(m->earlier)) {
		memmove(m->earlier, m->earlier + 1, sizeof(m->earlier) - sizeof(m->earlier[0]));
		m->n_earlier--;
	}
	m->earlier[m->n_earlier++] = m->asked;
	m->asked = mtu;
}

bool vti_mtu_apply(struct vti *v)
{
	const uint32_t mtu = wanted(v);
	const uint32_t twin = twin_mtu(v, mtu);
	const bool changed = iface_mtu(v->iface) != mtu;
	struct err e;

	tell_sas(v);
	atomic_store_explicit(&v->iface->mtu, mtu, memory_order_relaxed);
	if (twin != v->mtu.asked) {
		if (netlink_set_mtu(v->iface->kernel_ifindex, twin, &e) < 0) {
			log_err("%s: cannot set the kernel device's MTU to %u: %s", v->conf.name,
				twin, e.text);
			return changed;
		}
		vti_mtu_asked(v, twin);
	}
	if (changed)
		warn_ipv6(v);
	return changed;
}

/* Notifications come late and in order: until the one of the value asked for last has come, those of
 * the values before it are only old news. */
bool vti_mtu_by_hand(struct vti *v, uint32_t mtu)
{
	struct vti_mtu *m = &v->mtu;

	if (mtu == m->asked) {
		m->n_earlier = 0;
		return false;
	}
	for (unsigned i = 0; i < m->n_earlier; i++) {
		if (m->earlier[i] == mtu)
			return false;
	}
	return true;
}
