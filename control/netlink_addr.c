/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of the twins: the dataplane wants one of each family, as the source of its own ICMP
 * errors. That they are the router's own it learns from the kernel's local routes. */
#include "control/ifaces.h"
#include "control/netlink_msg.h"
#include "control/rcu.h"

#include <linux/if_addr.h>
#include <stdlib.h>
#include <uthash.h>

struct key {
	struct addr addr;
	uint32_t ifindex;
	uint32_t prefix_len; /* the kernel takes one address with several lengths */
};

struct entry {
	struct key key;
	uint32_t flags; /* IFA_F_* */
	uint8_t scope;  /* RT_SCOPE_* */
	bool marked;
	UT_hash_handle hh; /* in the order they were added */
};

static struct entry *addrs;

/* How good an address is as a source; 0: not at all. */
static unsigned rank(const struct entry *e)
{
	bool global = e->scope < RT_SCOPE_LINK;

	if (e->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))
		return 0;
	if (e->flags & IFA_F_DEPRECATED)
		return global ? 2 : 1;
	/* IPv4's secondary addresses; the flag's other meaning is IPv6's temporary ones. */
	if (e->flags & IFA_F_SECONDARY)
		return global ? 3 : 1;
	return global ? 4 : 1;
}

/* The best address of the family, the oldest among equals. */
static const struct addr *best(uint32_t ifindex, unsigned family)
{
	const struct addr *found = NULL;
	unsigned found_rank = 0;

	for (const struct entry *e = addrs; e != NULL; e = e->hh.next) {
		if (e->key.ifindex == ifindex && e->key.addr.family == family &&
			rank(e) > found_rank) {
			found = &e->key.addr;
			found_rank = rank(e);
		}
	}
	return found;
}

static void set_ip6(struct iface *iface, const struct addr *a)
{
	struct addr *old = atomic_load(&iface->ip6), *new = NULL;

	if (old == NULL ? a == NULL : a != NULL && addr_eq(old, a))
		return;
	if (a != NULL) {
		new = malloc(sizeof(*new));
		if (new == NULL)
			return;
		*new = *a;
	}
	atomic_store_explicit(&iface->ip6, new, memory_order_release);
	if (old != NULL)
		rcu_retire(free, old);
}

void netlink_addr_apply(uint32_t ifindex)
{
	struct iface *iface = iface_by_kernel_ifindex(ifindex);
	const struct addr *ip4;

	if (iface == NULL)
		return;
	ip4 = best(ifindex, IP_V4);
	atomic_store_explicit(&iface->ip4, ip4 == NULL ? 0 : ip4->v4, memory_order_relaxed);
	set_ip6(iface, best(ifindex, IP_V6));
}

static struct entry *find_or_add(const struct key *key)
{
	struct entry *e;

	HASH_FIND(hh, addrs, key, sizeof(*key), e);
	if (e != NULL)
		return e;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->key = *key;
	HASH_ADD(hh, addrs, key, sizeof(e->key), e);
	return e;
}

static void forget(struct entry *e)
{
	HASH_DEL(addrs, e);
	free(e);
}

static void removed(const struct key *key)
{
	struct entry *e;

	HASH_FIND(hh, addrs, key, sizeof(*key), e);
	if (e != NULL)
		forget(e);
	/* Routes with this source address, or all of the device after its last one, go silently. */
	if (key->addr.family == IP_V4)
		netlink_reread_routes();
}

void netlink_addr_msg(const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attrs[IFA_MAX + 1];
	struct key key = {0};
	struct entry *e;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa) ||
		(ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6))
		return;
	netlink_attrs(nlh, sizeof(*ifa), attrs, IFA_MAX);
	/* With a peer, IFA_ADDRESS is the peer's. */
	key.addr = netlink_addr_attr(
		attrs[IFA_LOCAL] != NULL ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS], ifa->ifa_family);
	key.ifindex = ifa->ifa_index;
	key.prefix_len = ifa->ifa_prefixlen;
	if (key.addr.family == IP_NONE)
		return;
	if (nlh->nlmsg_type == RTM_DELADDR) {
		removed(&key);
	} else {
		e = find_or_add(&key);
		if (e == NULL)
			return;
		e->flags = netlink_u32_attr(attrs[IFA_FLAGS], ifa->ifa_flags);
		e->scope = ifa->ifa_scope;
		e->marked = false;
	}
	netlink_addr_apply(key.ifindex);
}

void netlink_addr_forget(uint32_t ifindex)
{
	struct entry *e, *tmp;

	HASH_ITER (hh, addrs, e, tmp) {
		if (e->key.ifindex == ifindex)
			forget(e);
	}
	netlink_addr_apply(ifindex);
}

void netlink_addr_mark(void)
{
	for (struct entry *e = addrs; e != NULL; e = e->hh.next)
		e->marked = true;
}

void netlink_addr_sweep(void)
{
	struct entry *e, *tmp;

	HASH_ITER (hh, addrs, e, tmp) {
		if (e->marked) {
			uint32_t ifindex = e->key.ifindex;

			forget(e);
			netlink_addr_apply(ifindex);
		}
	}
}

void netlink_addr_fini(void)
{
	struct entry *e, *tmp;

	HASH_ITER (hh, addrs, e, tmp)
		forget(e);
}
