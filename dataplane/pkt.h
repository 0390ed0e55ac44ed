/* SPDX-License-Identifier: BSD-3-Clause */
/* A packet on its way through a worker, and a vector of them.
 *
 * The descriptor carries what the stages know about a packet, so that they read the packet's
 * headers and its mbuf's first cache line once and the mbuf's second line never. */
#ifndef VIADUCT_PKT_H
#define VIADUCT_PKT_H

#include "dataplane/iface.h"

#include <rte_mbuf.h>

#include <assert.h>

struct sa;
struct nexthop;

enum pkt_flag {
	PKT_FRAGMENT = 1 << 0,       /* IP fragment (first or later) */
	PKT_LATER_FRAGMENT = 1 << 1, /* not the first one: no layer 4 header in it */
	PKT_OWN = 1 << 2,       /* made by the router itself: no TTL decrement, no ICMP error */
	PKT_DECRYPTED = 1 << 3, /* came out of a tunnel */
	PKT_UDP_ENCAP = 1 << 4, /* ESP inside UDP: l4_off is the ESP header's all the same */
	PKT_MULTICAST = 1 << 5, /* layer 2 or 3 broadcast or multicast: no ICMP error */
	PKT_FORWARDED = 1 << 6, /* its TTL has been decremented: not again (it waited) */
	PKT_CKSUM_OK = 1 << 7,  /* the NIC found the IPv4 header checksum right; for parse_ip() */
};

struct pkt {
	struct rte_mbuf *m;
	uint8_t *l3; /* first byte of the IP header; mbuf data may start before it */
	/* Where it came in, or where the cause of an ICMP error of ours did; the VTI after decryption;
	 * NULL: the router's own, or the kernel's. */
	struct iface *in;
	union {
		const struct nexthop *nh; /* in stage_forward: the route */
		struct iface *out;        /* in the vti_out vector: the tunnel to go through */
		struct sa *sa;            /* in the ESP vectors */
	};
	uint16_t len;    /* bytes of the IP packet by its own header (padding excluded) */
	uint16_t l4_off; /* from l3 to the header after IP and its options / extensions */
	uint8_t family;  /* enum ip_family */
	uint8_t proto;   /* protocol of the header at l4_off */
	uint8_t flags;   /* enum pkt_flag */
	uint8_t depth;   /* tunnels entered so far: bounds nesting */
};

static_assert(sizeof(struct pkt) == 40, "a vector of packets is walked all the time");

#define VEC_MAX 256

/* Packets a worker takes in one turn of its loop: enough to share the cost of a turn, few enough that
 * their headers and descriptors stay in the first-level cache from one stage to the next. */
#ifndef TURN_MAX
#define TURN_MAX 64
#endif

/* Holds one turn's packets: those received, plus those that fragmentation or the router add. */
struct vec {
	uint16_t n;
	struct pkt p[2 * VEC_MAX];
};

#define VEC_ROOM(v) ((unsigned)(2 * VEC_MAX - (v)->n))

/* The caller makes sure of room: every stage that can multiply packets checks VEC_ROOM. Returns the
 * copy. What the next stage needs is written there, not to *p before: the copy reads 16 bytes at a
 * time, and stores just made of fewer would have to reach the cache first (some 15 cycles). */
static inline struct pkt *vec_push(struct vec *v, const struct pkt *p)
{
	struct pkt *to = &v->p[v->n++];

	*to = *p;
	return to;
}

#endif
