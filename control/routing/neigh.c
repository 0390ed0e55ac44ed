/* SPDX-License-Identifier: BSD-3-Clause */
/* An entry is here because the kernel has it, or because packets wait for it, or both. Time is
 * counted in calls of neigh_tick(). */
#include "control/routing/neigh.h"

#include "control/addr_text.h"
#include "control/iface/twin.h"
#include "control/netlink/netlink.h"
#include "control/routing/fib_writer.h"
#include "control/routing/nexthops.h"
#include "control/routing/rib.h"
#include "dataplane/host.h"

#include <rte_ip.h>

#include <linux/neighbour.h>
#include <stdlib.h>
#include <uthash.h>

#define HOLD_MAX      64   /* packets for one neighbour: as many as wait for a VTI, see hold.c */
#define HOLD_MAX_ALL  4096 /* for all of them */
#define HOLD_TICKS    3    /* the kernel asks three times, once a second */
#define ASK_MAX       2048 /* resolutions started within a tick: a scan must not fill our time */
#define REFRESH_TICKS 30   /* between two confirmations of a stale entry */
#define REFRESH_MAX   64   /* of them within a tick */

struct key {
	struct iface *iface;
	struct addr addr;
	uint32_t pad; /* zero: the key is hashed as bytes */
};

struct neigh {
	struct key key;
	struct rte_ether_addr mac;
	uint16_t state; /* the kernel's NUD_*; 0: the kernel has no such entry */
	bool resolved;  /* mac is good */
	bool routed;    /* has a host route */
	bool marked;    /* by neigh_mark(), not seen since */
	uint8_t n_held;
	uint32_t held_tick;  /* since when the oldest packet waits */
	uint32_t asked_tick; /* when the kernel was asked last */
	struct rte_mbuf *held[HOLD_MAX];
	UT_hash_handle hh;
};

static struct neigh *neighs;
static unsigned n_held_all, n_asked;
static uint32_t now; /* ticks */
static uint64_t drops_full;

static struct neigh *find(struct iface *iface, const struct addr *a)
{
	struct key key = {.iface = iface, .addr = *a};
	struct neigh *n;

	HASH_FIND(hh, neighs, &key, sizeof(key), n);
	return n;
}

static struct neigh *find_or_add(struct iface *iface, const struct addr *a)
{
	struct neigh *n = find(iface, a);

	if (n != NULL)
		return n;
	n = calloc(1, sizeof(*n));
	if (n == NULL)
		return NULL;
	n->key.iface = iface;
	n->key.addr = *a;
	HASH_ADD(hh, neighs, key, sizeof(n->key), n);
	return n;
}

static void drop_full(struct rte_mbuf *m)
{
	drops_full++;
	rte_pktmbuf_free(m);
}

static void give_up(struct neigh *n)
{
	for (unsigned i = 0; i < n->n_held; i++)
		host_unreachable(n->held[i], DROP_NEIGH_FAILED);
	n_held_all -= n->n_held;
	n->n_held = 0;
}

/* Would a worker send the packet now? If it came back here at once, it would go round for ever. */
static bool leads_on(const struct rte_mbuf *m)
{
	const struct host_tag *tag = host_tag((struct rte_mbuf *)(uintptr_t)m);
	const struct iface *in = iface_by_id(tag->in);
	struct fib *fib = fib_by_vrf(in == NULL ? 0 : in->vrf);
	const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, tag->l3_off);
	const unsigned family = *ip >> 4; /* enum ip_family has the version's numbers */
	const struct nexthop *nh;

	if (fib == NULL)
		return false;
	if (family == IP_V4)
		ip += offsetof(struct rte_ipv4_hdr, dst_addr);
	else
		ip += offsetof(struct rte_ipv6_hdr, dst_addr);
	nh = nexthop_by_id(fib_lookup(fib, family, ip));
	return nh != NULL && nh->type != NH_GLEAN && nh->type != NH_PENDING;
}

static void send_again(struct rte_mbuf *m)
{
	if (leads_on(m))
		host_forward(m, host_tag(m)->iface);
	else
		host_unreachable(m, DROP_NEIGH_FAILED);
}

static void release(struct neigh *n)
{
	if (n->n_held == 0)
		return;
	rib_commit();
	for (unsigned i = 0; i < n->n_held; i++)
		send_again(n->held[i]);
	n_held_all -= n->n_held;
	n->n_held = 0;
}

static int ask(struct neigh *n)
{
	n->asked_tick = now;
	n_asked++;
	return netlink_neigh_use(n->key.iface->kernel_ifindex, &n->key.addr);
}

/* Bring the host route in line with the entry. Link-local neighbours have none: they are gateways. */
static void update_route(struct neigh *n)
{
	const struct addr *a = &n->key.addr;
	const struct rib_route r = {
		.prefix = *a,
		.prefix_len = addr_len(a->family) * 8,
		.type = VIADUCT_ROUTE_UNICAST,
		.origin = VIADUCT_ORIGIN_NEIGH,
		.gateway = *a,
		.iface = n->key.iface,
	};
	bool want = n->resolved && !fib_prefix_is_fixed(a, r.prefix_len, NULL, NULL) &&
		rib_connected_iface(a) == n->key.iface;

	if (want && !n->routed)
		n->routed = rib_append(&r, NULL) == 0;
	else if (!want && n->routed) {
		rib_del(&r, NULL);
		n->routed = false;
	}
}

static void set_mac(struct neigh *n, const struct rte_ether_addr *mac)
{
	bool same = n->resolved == (mac != NULL) &&
		(mac == NULL || rte_is_same_ether_addr(&n->mac, mac));

	if (same)
		return;
	n->resolved = mac != NULL;
	if (mac != NULL)
		n->mac = *mac;
	nexthop_resolve(n->key.iface, &n->key.addr, mac);
	update_route(n);
}

static void forget(struct neigh *n)
{
	give_up(n);
	set_mac(n, NULL);
	HASH_DEL(neighs, n);
	free(n);
}

void neigh_update(
	struct iface *iface, const struct addr *a, const struct rte_ether_addr *mac, uint16_t state)
{
	struct neigh *n = find_or_add(iface, a);

	if (n == NULL)
		return;
	n->state = state;
	n->marked = false;
	set_mac(n, mac);
	if (n->resolved)
		release(n);
	else if (state & NUD_FAILED)
		give_up(n);
}

void neigh_delete(struct iface *iface, const struct addr *a)
{
	struct neigh *n = find(iface, a);

	if (n != NULL)
		forget(n);
}

const struct rte_ether_addr *neigh_mac(struct iface *iface, const struct addr *a)
{
	const struct neigh *n = find(iface, a);

	return n != NULL && n->resolved ? &n->mac : NULL;
}

static void hold(struct neigh *n, struct rte_mbuf *m)
{
	if (n->n_held == HOLD_MAX || n_held_all == HOLD_MAX_ALL) {
		drop_full(m);
		return;
	}
	if (n->n_held == 0)
		n->held_tick = now;
	n->held[n->n_held++] = m;
	n_held_all++;
}

void neigh_hold(struct iface *iface, const struct addr *a, struct rte_mbuf *m)
{
	struct neigh *n = find(iface, a);

	if (n != NULL && n->resolved) {
		/* It was resolved while the packet was on its way here. */
		rib_commit();
		send_again(m);
		return;
	}
	if (n == NULL && (n_held_all == HOLD_MAX_ALL || n_asked >= ASK_MAX)) {
		drop_full(m);
		return;
	}
	n = n != NULL ? n : find_or_add(iface, a);
	if (n == NULL) {
		drop_full(m);
		return;
	}
	hold(n, m);
	/* Once, and again when the kernel has given up in the meantime. */
	if (n->n_held == 1 && ask(n) < 0)
		give_up(n);
}

void neigh_recheck(void)
{
	for (struct neigh *n = neighs; n != NULL; n = n->hh.next)
		update_route(n);
}

static bool wants_refresh(const struct neigh *n)
{
	return (n->state & NUD_STALE) && now - n->asked_tick >= REFRESH_TICKS &&
		nexthop_in_use(n->key.iface, &n->key.addr);
}

void neigh_tick(void)
{
	unsigned n_refreshed = 0;
	struct neigh *n, *tmp;

	now++;
	n_asked = 0;
	HASH_ITER (hh, neighs, n, tmp) {
		if (n->n_held > 0 && now - n->held_tick > HOLD_TICKS)
			give_up(n);
		if (n->n_held == 0 && n->state == 0) {
			forget(n);
			continue;
		}
		if (n_refreshed < REFRESH_MAX && wants_refresh(n)) {
			ask(n);
			n_refreshed++;
		}
	}
}

void neigh_mark(void)
{
	for (struct neigh *n = neighs; n != NULL; n = n->hh.next)
		n->marked = n->state != 0;
}

void neigh_sweep(void)
{
	struct neigh *n, *tmp;

	HASH_ITER (hh, neighs, n, tmp) {
		if (n->marked)
			forget(n);
	}
}

void neigh_forget_iface(struct iface *iface)
{
	struct neigh *n, *tmp;

	HASH_ITER (hh, neighs, n, tmp) {
		if (n->key.iface == iface)
			forget(n);
	}
	rib_commit();
}

unsigned neigh_count(void)
{
	return HASH_COUNT(neighs);
}

int neigh_each(int (*cb)(const struct viaduct_neigh *n, void *arg), void *arg)
{
	struct viaduct_neigh out;
	int rc = 0;

	for (const struct neigh *n = neighs; n != NULL && rc == 0; n = n->hh.next) {
		memset(&out, 0, sizeof(out));
		out.addr = addr_to_api(&n->key.addr);
		if (n->resolved)
			memcpy(out.mac, n->mac.addr_bytes, sizeof(out.mac));
		out.state = n->state;
		memcpy(out.dev, n->key.iface->name, sizeof(out.dev));
		rc = cb(&out, arg);
	}
	return rc;
}

uint64_t neigh_drops(enum drop_reason reason)
{
	return reason == DROP_NEIGH_QUEUE_FULL ? drops_full : 0;
}

/* Routes go on their own way down, so nothing but the entries and their packets. */
void neigh_fini(void)
{
	struct neigh *n, *tmp;

	HASH_ITER (hh, neighs, n, tmp) {
		give_up(n);
		HASH_DEL(neighs, n);
		free(n);
	}
	now = 0;
}
