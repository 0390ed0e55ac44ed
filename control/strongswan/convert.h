/* SPDX-License-Identifier: GPL-2.0-or-later */
/* charon's addresses, traffic selectors and policies as Viaduct's, and back.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#ifndef CONVERT_H
#define CONVERT_H

#include <library.h>

#include <kernel/kernel_ipsec.h>
#include <networking/host.h>
#include <selectors/traffic_selector.h>
#include <viaduct_api.h>

struct viaduct_addr addr_from_host(host_t *host);

/* The caller destroys it. */
host_t *host_from_addr(const struct viaduct_addr *addr, uint16_t port);

/* The selector that is just that packet's source or destination; the caller destroys it. */
traffic_selector_t *selector_from_acquire(const struct viaduct_acquire *acquire, bool src);

struct viaduct_sa_id sa_id_from(const kernel_ipsec_sa_id_t *id);

/* FALSE where the families differ. */
bool selector_from_pair(
	struct viaduct_selector *sel, traffic_selector_t *src, traffic_selector_t *dst);

/* To have a CHILD_SA negotiated when there is traffic: "start_action = trap" and the like. */
bool policy_is_trap(const kernel_ipsec_manage_policy_t *data);

/* FALSE where the selectors' families differ. policy_from_id: without reqid and priority. */
bool policy_from_id(struct viaduct_policy *policy, const kernel_ipsec_policy_id_t *id);
bool policy_from(struct viaduct_policy *policy, const kernel_ipsec_policy_id_t *id,
	const kernel_ipsec_manage_policy_t *data);

#endif
