/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses of the twins: the dataplane wants one of each family, as the source of its own ICMP
 * errors. That they are the router's own it learns from the kernel's local routes.
 *
 * An interface without a global address borrows the fallback: the loopback device's, which routers have
 * for this, else one of another interface of ours. So does a router with unnumbered lines (RFC 1812
 * 4.3.2.4), and a link-local IPv6 source must not be routed (RFC 4291 2.5.6). */
#include "control/iface/ifaces.h"
#include "control/netlink/netlink_msg.h"
#include "control/rcu.h"

#include <linux/if_addr.h>
#include <stdlib.h>
#include <uthash.h>

#define LOOPBACK 1 /* the kernel's number for lo, in every network namespace */

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

/* By AF_INDEX: where the fallback was found, NULL when it has gone; and what it is, IP_NONE: none. */
static const struct entry *fallback_entry[2];
static struct addr fallback[2];

enum rank {
	RANK_NONE, /* not usable */
	RANK_LINK_LOCAL,
	RANK_DEPRECATED,
	RANK_SECONDARY, /* of IPv4; the flag's other meaning is IPv6's temporary ones */
	RANK_BEST
};

/* How good an address is as a source. */
static enum rank rank(const struct entry *e)
{
	if (e->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))
		return RANK_NONE;
	if (e->scope >= RT_SCOPE_LINK)
		return RANK_LINK_LOCAL;
	if (e->flags & IFA_F_DEPRECATED)
		return RANK_DEPRECATED;
	return e->flags & IFA_F_SECONDARY ? RANK_SECONDARY : RANK_BEST;
}

/* The best address of the family, the oldest among equals. */
static const struct entry *best(uint32_t ifindex, unsigned family)
{
	const struct entry *found = NULL;

	for (const struct entry *e = addrs; e != NULL; e = e->hh.next) {
		if (e->key.ifindex == ifindex && e->key.addr.family == family &&
			rank(e) > (found == NULL ? RANK_NONE : rank(found)))
			found = e;
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

static void set_source(struct iface *iface, unsigned family, const struct addr *a)
{
	if (family == IP_V4)
		atomic_store_explicit(&iface->ip4, a == NULL ? 0 : a->v4, memory_order_relaxed);
	else
		set_ip6(iface, a);
}

static void apply(struct iface *iface, unsigned family)
{
	const struct entry *own = best(iface->kernel_ifindex, family);
	const struct addr *other = &fallback[AF_INDEX(family)];

	if (other->family != IP_NONE && (own == NULL || rank(own) == RANK_LINK_LOCAL))
		set_source(iface, family, other);
	else
		set_source(iface, family, own == NULL ? NULL : &own->key.addr);
}

/* 0: can't be one. */
static unsigned fallback_rank(const struct entry *e, unsigned family)
{
	if (e == NULL || e->key.addr.family != family || rank(e) != RANK_BEST)
		return 0;
	if (e->key.ifindex == LOOPBACK)
		return 2;
	return iface_by_kernel_ifindex(e->key.ifindex) != NULL;
}

/* Keep the fallback unless there is a better one; of several the oldest. True when it changed. */
static bool choose_fallback(unsigned family)
{
	const struct entry *e = fallback_entry[AF_INDEX(family)];
	struct addr *now = &fallback[AF_INDEX(family)];
	const struct addr before = *now;

	if (fallback_rank(e, family) == 0)
		e = NULL;
	for (const struct entry *other = addrs; other != NULL; other = other->hh.next) {
		if (fallback_rank(other, family) > fallback_rank(e, family))
			e = other;
	}
	fallback_entry[AF_INDEX(family)] = e;
	*now = e != NULL ? e->key.addr : (struct addr){.family = IP_NONE};
	return !addr_eq(now, &before);
}

/* To all that have no global address of their own. */
static void lend_fallback(unsigned family)
{
	static bool numbered[IFACE_MAX];
	struct iface *iface;

	memset(numbered, 0, sizeof(numbered));
	for (const struct entry *e = addrs; e != NULL; e = e->hh.next) {
		if (e->key.addr.family != family || rank(e) <= RANK_LINK_LOCAL)
			continue;
		iface = iface_by_kernel_ifindex(e->key.ifindex);
		if (iface != NULL)
			numbered[iface->id] = true;
	}
	for (unsigned id = 1; id < IFACE_MAX; id++) {
		iface = iface_by_id(id);
		if (iface != NULL && !numbered[id])
			apply(iface, family);
	}
}

void netlink_addr_apply(uint32_t ifindex)
{
	static const unsigned families[] = {IP_V4, IP_V6};
	struct iface *iface = iface_by_kernel_ifindex(ifindex);

	for (unsigned i = 0; i < 2; i++) {
		if (choose_fallback(families[i]))
			lend_fallback(families[i]);
		if (iface != NULL)
			apply(iface, families[i]);
	}
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
	const unsigned i = AF_INDEX(e->key.addr.family);

	if (fallback_entry[i] == e)
		fallback_entry[i] = NULL;
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
	memset(fallback, 0, sizeof(fallback));
}
