/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between charon's objects and the API's structures.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#include "convert.h"

struct viaduct_addr addr_from_host(host_t *host)
{
	struct viaduct_addr addr = {.family = host->get_family(host) == AF_INET ? 4 : 6};
	const chunk_t bytes = host->get_address(host);

	if (host->is_anyaddr(host))
		addr.family = 0;
	else
		memcpy(addr.bytes, bytes.ptr, min(bytes.len, sizeof(addr.bytes)));
	return addr;
}

host_t *host_from_addr(const struct viaduct_addr *addr, uint16_t port)
{
	const chunk_t bytes = chunk_create((uint8_t *)addr->bytes, addr->family == 4 ? 4 : 16);

	return host_create_from_chunk(addr->family == 4 ? AF_INET : AF_INET6, bytes, port);
}

/* In charon, type and code of ICMP are one number, the same in both selectors. */
static uint16_t acquire_port(const struct viaduct_acquire *acquire, bool src)
{
	if (acquire->proto == IPPROTO_ICMP || acquire->proto == IPPROTO_ICMPV6)
		return acquire->sport << 8 | acquire->dport;
	return src ? acquire->sport : acquire->dport;
}

traffic_selector_t *selector_from_acquire(const struct viaduct_acquire *acquire, bool src)
{
	const struct viaduct_addr *addr = src ? &acquire->src : &acquire->dst;
	const uint16_t port = acquire_port(acquire, src);

	return traffic_selector_create_from_subnet(host_from_addr(addr, 0),
		addr->family == 4 ? 32 : 128, acquire->proto, port, port ?: 65535);
}

struct viaduct_sa_id sa_id_from(const kernel_ipsec_sa_id_t *id)
{
	return (struct viaduct_sa_id){
		.dst = addr_from_host(id->dst),
		.spi = ntohl(id->spi),
	};
}

static void copy_range(uint8_t range[2][16], traffic_selector_t *ts)
{
	const chunk_t from = ts->get_from_address(ts), to = ts->get_to_address(ts);

	memcpy(range[0], from.ptr, min(from.len, sizeof(range[0])));
	memcpy(range[1], to.ptr, min(to.len, sizeof(range[1])));
}

bool selector_from_pair(
	struct viaduct_selector *sel, traffic_selector_t *src, traffic_selector_t *dst)
{
	if (src->get_type(src) != dst->get_type(dst))
		return FALSE;
	*sel = (struct viaduct_selector){
		.family = src->get_type(src) == TS_IPV4_ADDR_RANGE ? 4 : 6,
		.proto = src->get_protocol(src) ?: dst->get_protocol(dst),
		.src_port = {src->get_from_port(src), src->get_to_port(src)},
		.dst_port = {dst->get_from_port(dst), dst->get_to_port(dst)},
	};
	copy_range(sel->src, src);
	copy_range(sel->dst, dst);
	return TRUE;
}

bool policy_is_trap(const kernel_ipsec_manage_policy_t *data)
{
	return data->prio == POLICY_PRIORITY_ROUTED;
}

bool policy_from_id(struct viaduct_policy *policy, const kernel_ipsec_policy_id_t *id)
{
	memset(policy, 0, sizeof(*policy)); /* compared byte by byte */
	policy->dir = id->dir == POLICY_IN ? VIADUCT_IN : VIADUCT_OUT;
	policy->if_id = id->if_id;
	policy->mark = id->mark.value;
	policy->mark_mask = id->mark.mask;
	return selector_from_pair(&policy->selector, id->src_ts, id->dst_ts);
}

/* Without the outer addresses: a policy stays as it is when its SAs move (KERNEL_NO_POLICY_UPDATES),
 * and charon removes it by the new ones. But traps have no SAs, and their addresses say which VTI they
 * are for. */
bool policy_from(struct viaduct_policy *policy, const kernel_ipsec_policy_id_t *id,
	const kernel_ipsec_manage_policy_t *data)
{
	if (!policy_from_id(policy, id))
		return FALSE;
	policy->reqid = data->sa->reqid;
	policy->priority = data->manual_prio ?: data->prio;
	if (policy_is_trap(data)) {
		policy->src = addr_from_host(data->src);
		policy->dst = addr_from_host(data->dst);
	}
	return TRUE;
}
