/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/iface/vti_mtu.h"
#include "control/addr_text.h"
#include "control/iface/ifaces.h"
#include "control/log.h"
#include "control/netlink/netlink.h"
#include "control/routing/rib.h"
#include "dataplane/sa.h"

#include <rte_byteorder.h>

#define PATH_MTU_UNKNOWN 1500 /* a route by a device of the kernel's alone, or none yet */
#define IPV6_MTU_MIN     1280 /* RFC 8200 5 */

/* Stands in while there is no outbound SA: AES-GCM-16 has 8 bytes of IV and 16 of ICV. */
static const struct sa estimate[2] = {
	{.family = IP_V4, .dir = SA_OUT, .iv_len = 8, .icv_len = 16, .align = 4, .hdr_len = 20 + 8},
	{.family = IP_V6, .dir = SA_OUT, .iv_len = 8, .icv_len = 16, .align = 4, .hdr_len = 40 + 8},
};

static uint16_t path_mtu(const struct addr *remote)
{
	struct viaduct_route route;
	const struct iface *dev;

	if (remote->family == IP_NONE || rib_lookup(remote, &route) < 0)
		return PATH_MTU_UNKNOWN;
	dev = iface_by_name(route.dev);
	return dev != NULL && iface_mtu(dev) != 0 ? iface_mtu(dev) : PATH_MTU_UNKNOWN;
}

static uint16_t mtu_by_sa(const struct sa *sa)
{
	return sa_inner_mtu(sa, path_mtu(&sa->dst));
}

/* A VTI open to any peer may get an IPv6 one: the longer header is the safe guess. */
static uint16_t mtu_by_estimate(const struct vti *v)
{
	const struct addr remote = addr_from_api(&v->conf.remote);
	const struct addr local = addr_from_api(&v->conf.local);
	const unsigned family = remote.family != IP_NONE ? remote.family : local.family;

	return sa_inner_mtu(&estimate[family != IP_V4], path_mtu(&remote));
}

uint32_t vti_mtu_compute(const struct vti *v)
{
	const struct sa *sa[2] = {v->iface->sa_out[0], v->iface->sa_out[1]};
	uint16_t mtu = UINT16_MAX;

	for (unsigned af = 0; af < 2; af++) {
		if (sa[af] != NULL)
			mtu = RTE_MIN(mtu, mtu_by_sa(sa[af]));
	}
	if (sa[0] == NULL && sa[1] == NULL)
		mtu = mtu_by_estimate(v);
	return RTE_MAX(mtu, VTI_MTU_MIN);
}

/* Once each time it falls below, not at every refresh. */
static void warn_ipv6(struct vti *v, uint32_t mtu)
{
	const bool low = mtu < IPV6_MTU_MIN;

	if (low && !v->mtu.warned)
		log_warn("%s: MTU %u is below 1280: IPv6 cannot work inside this tunnel",
			v->conf.name, mtu);
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
	const uint32_t mtu = v->conf.mtu != 0 ? v->conf.mtu : vti_mtu_compute(v);
	const bool changed = iface_mtu(v->iface) != mtu;
	struct err e;

	atomic_store_explicit(&v->iface->mtu, mtu, memory_order_relaxed);
	if (mtu != v->mtu.asked) {
		if (netlink_set_mtu(v->iface->kernel_ifindex, mtu, &e) < 0) {
			log_err("%s: cannot set the kernel device's MTU to %u: %s", v->conf.name,
				mtu, e.text);
			return changed;
		}
		vti_mtu_asked(v, mtu);
	}
	if (changed)
		warn_ipv6(v, mtu);
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
