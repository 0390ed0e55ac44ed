/* SPDX-License-Identifier: BSD-3-Clause */
/* What workers pass to the host thread and it to them: packets on rings, each with a tag in the
 * mbuf's private area that says what is to be done. Slow path only. */
#ifndef VIADUCT_HOST_H
#define VIADUCT_HOST_H

#include "dataplane/addr.h"

#include <rte_mbuf.h>

struct worker;
struct iface;
struct pkt;

enum host_op {
	/* worker -> host */
	HOST_PUNT = 1, /* give to the kernel on iface's twin; a port's with its Ethernet header */
	HOST_MIRROR,   /* show to captures on iface's twin, nothing else */
	HOST_RESOLVE,  /* hold until `target` on `iface` has a link-layer address */
	HOST_HOLD,     /* hold until the VTI `iface` has an outbound SA for it */
	HOST_EARLY,    /* ESP without an SA: hold if its SA is about to come */
	HOST_MOVED, /* a copy of an ESP-in-UDP packet's headers: its SA's peer sends from there */
	HOST_PATH_MTU, /* ICMP: an ESP packet of ours was too large for a link on its way */
	/* host -> worker */
	HOST_SEND,        /* a whole frame from iface's twin: out of that port */
	HOST_TUNNEL,      /* an IP packet from a VTI's twin: through that tunnel */
	HOST_FORWARD,     /* an IP packet that waited for a neighbour: route it again */
	HOST_UNREACHABLE, /* one that waited in vain: tell its sender, drop it by `reason` */
	/* worker -> worker */
	HOST_TX,       /* a finished frame; `iface` is a DPDK port, whose queue is the receiver's */
	HOST_FLOW,     /* a received frame of a flow that the receiver serves */
	HOST_FRAGMENT, /* a fragment of a packet that the receiver puts together; l3_off is set */
	HOST_VTI,      /* a routed IP packet for a VTI whose outbound SA the receiver serves */
};

struct host_tag {
	uint8_t op;    /* enum host_op */
	uint8_t flags; /* enum pkt_flag, for HOST_FORWARD, UNREACHABLE, HOLD and VTI */
	uint8_t depth; /* HOST_HOLD, HOST_VTI: tunnels entered so far */
	union {
		uint8_t proto;  /* HOST_VTI from a worker: struct pkt's */
		uint8_t reason; /* HOST_UNREACHABLE: enum drop_reason */
	};
	uint16_t iface; /* id */
	union {
		/* HOST_RESOLVE, EARLY, FORWARD, UNREACHABLE: IP header's offset in the data */
		uint16_t l3_off;
		uint16_t l4_off; /* HOST_VTI from a worker: struct pkt's */
		uint16_t quote;  /* HOST_PATH_MTU: the quoted packet's offset in the data */
	};
	/* RESOLVE, EARLY, FORWARD, UNREACHABLE, HOLD, VTI: interface it came in by; 0: our own */
	uint16_t in;
	union {
		struct addr target; /* HOST_RESOLVE */
		uint16_t spi_off;   /* HOST_EARLY, PATH_MTU: the ESP header's, from the IP header */
	};
};

/* mbuf pools are made with this private size. */
#define MBUF_PRIV_SIZE RTE_ALIGN(sizeof(struct host_tag), RTE_MBUF_PRIV_ALIGN)

static inline struct host_tag *host_tag(struct rte_mbuf *m)
{
	return rte_mbuf_to_priv(m);
}

/* Worker side (host.c). Consume the packet; a full ring drops it with a reason.
 * host_punt: to the twin of p->in, layer 2 header included when that is a port. */
void host_punt(struct worker *w, struct pkt *p);
void host_resolve(struct worker *w, struct pkt *p, struct iface *out, const struct addr *target);
/* To wait for an outbound SA, which the VTI lacks. False: nobody wants it, p is still the caller's. */
bool host_hold(struct worker *w, struct pkt *p, struct iface *out);
/* Somebody is asked for SAs that are missing: what finds no room to wait had better try again. */
extern _Atomic bool host_hold_asks;
/* ESP, at spi_off from p->l3, that found no SA. False: nobody wants it, p is still the caller's. */
bool host_early(struct worker *w, struct pkt *p, uint16_t spi_off);
/* As many packets for host_early() as the control thread wants. */
extern _Atomic uint16_t host_early_room;
/* Tell where an SA's peer sends from now: p is the outer packet, and goes on. */
void host_moved(struct worker *w, const struct pkt *p);
/* ICMP about an ESP packet: offsets from p->l3 of what it quotes, and of the ESP header in that. False:
 * nobody wants it, p is still the caller's. */
bool host_path_mtu(struct worker *w, struct pkt *p, uint16_t quote, uint16_t spi_off);
/* As many for host_path_mtu() as the control thread still looks at. */
extern _Atomic uint16_t host_path_mtu_room;
/* Copies; p goes on. Does nothing unless somebody captures (IFACE_MIRROR). */
void host_mirror(struct worker *w, const struct pkt *p, struct iface *on);

/* Take what the host thread sent (w->inject) into the stages. */
unsigned host_receive(struct worker *w);

/* Hand n packets that are routed to the VTI `out` to the worker that serves it, and there take them into
 * w->vti_out: those at the front of m that are of one run. Returns how many. */
void host_to_vti_worker(
	struct worker *w, uint16_t to, struct iface *out, struct pkt *p, unsigned n);
unsigned host_from_worker(struct worker *w, struct rte_mbuf **m, unsigned n);

#endif
