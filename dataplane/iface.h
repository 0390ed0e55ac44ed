/* SPDX-License-Identifier: BSD-3-Clause */
/* An interface as the workers see it: a port, a VLAN of a port, or a virtual tunnel interface (VTI).
 *
 * Written by the control thread only. Words that change while packets flow (flags, mtu, the
 * outbound SAs) are changed by one relaxed or release store each; the rest is fixed from the
 * moment the interface is published in iface_table until it is retired through RCU. */
#ifndef VIADUCT_IFACE_H
#define VIADUCT_IFACE_H

#include "dataplane/addr.h"

#include <rte_ether.h>

#include <net/if.h>
#include <stdatomic.h>

struct outer_rules;
struct sa;

enum iface_kind {
	IFACE_PORT = 1,
	IFACE_VTI = 2
};

enum iface_flag {
	IFACE_UP = 1 << 0,             /* administratively up */
	IFACE_CARRIER = 1 << 1,        /* port: link up; VTI: a live SA in each direction */
	IFACE_MIRROR = 1 << 2,         /* someone captures on the twin: copy every packet to it */
	IFACE_PARALLEL = 1 << 3,       /* VTI: each worker numbers and sends what it has received */
	IFACE_FRAGMENT_AFTER = 1 << 4, /* VTI: encrypt first what is too large, then fragment */
	IFACE_ESP_ONLY = 1 << 5,       /* port: what is only forwarded may not leave by it */
};

/* Reverse path check: is there a route back to the source of what came in? */
enum iface_rpf {
	IFACE_RPF_OFF,
	IFACE_RPF_LOOSE, /* any route */
	IFACE_RPF_STRICT /* by the interface that it came in by */
};

#define IFACE_MAX 65536 /* ids are 16 bits; 0 is no interface */

/* Counted by one worker, read by the control thread. Bytes are IP bytes (without layer 2). */
struct iface_stats {
	uint64_t rx_packets, rx_bytes;
	uint64_t tx_packets, tx_bytes;
	uint64_t rx_drops, tx_drops;
} __rte_cache_aligned;

struct iface {
	uint16_t id;
	uint8_t kind; /* enum iface_kind */
	uint8_t vrf;  /* index of the FIB that its packets are looked up in */
	_Atomic uint16_t flags;
	_Atomic uint16_t mtu; /* largest IP packet, bytes */
	uint16_t port_id;     /* IFACE_PORT: DPDK port */
	struct rte_ether_addr mac;

	/* IFACE_VTI: outbound SA by inner family (AF_INDEX); NULL: none. Switching it is the whole
	 * of a rekey's outbound side. */
	struct sa *_Atomic sa_out[2];

	/* Source addresses of the router's own ICMP errors; zero: none. ip4 in network order. */
	_Atomic uint32_t ip4;
	/* IFACE_VTI: packets of a family without an outbound SA that the control thread still takes
	 * (control/sa/hold.c). It sets the number, workers count it down. */
	_Atomic uint16_t hold[2];
	struct addr *_Atomic ip6; /* replaced whole, the old one retired */

	/* IFACE_VTI: how outer headers are made; NULL: as the SA says. Replaced whole. */
	struct outer_rules *_Atomic outer;
	_Atomic uint16_t mss; /* largest TCP MSS let through. 0: any, 1: what fits the MTU */
	_Atomic uint8_t rpf;  /* enum iface_rpf */

	uint32_t kernel_ifindex; /* of the twin */
	char name[IFNAMSIZ];

	/* IFACE_PORT: its VLANs, by their ids (VLAN_IDS); NULL: there are none. */
	struct iface *_Atomic *_Atomic vlans;
	struct iface
		*parent; /* a VLAN: the port that its frames come by; port_id, mac are its own */
	uint16_t vlan;   /* a VLAN's id; 0: this is none */

	struct iface_stats stats[]; /* one per worker */
} __rte_cache_aligned;

/* By id; NULL where there is none. Published with release, read with acquire. */
extern struct iface *_Atomic iface_table[IFACE_MAX];

static inline struct iface *iface_by_id(uint16_t id)
{
	return atomic_load_explicit(&iface_table[id], memory_order_acquire);
}

static inline bool iface_has(const struct iface *i, unsigned flags)
{
	return (atomic_load_explicit(&i->flags, memory_order_relaxed) & flags) == flags;
}

static inline uint16_t iface_mtu(const struct iface *i)
{
	return atomic_load_explicit(&i->mtu, memory_order_relaxed);
}

#endif
