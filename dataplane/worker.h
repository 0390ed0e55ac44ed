/* SPDX-License-Identifier: BSD-3-Clause */
/* A poll-mode worker: what it owns, and one turn of its loop. */
#ifndef VIADUCT_WORKER_H
#define VIADUCT_WORKER_H

#include "dataplane/cycles.h"
#include "dataplane/drop.h"
#include "dataplane/host.h"
#include "dataplane/pkt.h"

#include <rte_rcu_qsbr.h>
#include <rte_ring.h>

struct crypto_ctx;
struct fragment_table;
struct lend;
struct open_lot;
struct seal_batch;

#define WORKER_MAX 64
#define PORT_MAX   RTE_MAX_ETHPORTS
#define RX_MAX     64 /* receive queues of one worker */

struct worker_rx {
	struct iface *iface;
	uint16_t port_id, queue;
};

struct worker_tx {
	struct iface *iface; /* the port's */
	uint16_t queue;
	uint16_t n;
	/* The port has fewer transmit queues than workers and this one has none: packets go to the
	 * worker `owner` through its handoff ring. */
	uint16_t owner;
	struct rte_mbuf *m[VEC_MAX];
};

#define HANDOFF_RING 4096
#define PARCEL_MAX   16 /* so that the other worker can begin while this one goes on */

/* Tagged packets for another worker. */
struct worker_parcel {
	unsigned n;
	struct rte_mbuf *m[PARCEL_MAX];
};

/* Tokens are cycles that have passed since an error was sent, at most a burst's. */
struct icmp_bucket {
	uint64_t tokens, refill;
};

#define ICMP_TARGET_BITS 8

struct worker_stats {
	uint64_t drops[DROP_REASON_COUNT];
	uint64_t turns, busy_turns;      /* of the loop; those that found packets */
	uint64_t rx_packets, tx_packets; /* over all ports */
	uint64_t punted, injected, mirrored, mirror_lost;
	uint64_t icmp_sent;
	/* Packets that fragmentation added to what came in, and that reassembly took away. */
	uint64_t fragments_made, fragments_joined;
} __rte_cache_aligned;

struct worker {
	uint16_t id; /* 0 .. n - 1, index into every per-worker array */
	uint16_t n_workers;
	uint16_t n_rx;
	bool spread;  /* software spreading: hand received packets on by flow hash */
	uint64_t now; /* TSC at the start of this turn */

	struct worker_rx rx[RX_MAX];
	/* Encryption and decryption that any worker may help with, see lend.h. NULL: there is no other. */
	struct lend *sealing, *opening;
	/* By DPDK port; NULL: no such port. From rte_zmalloc(); worker_free() frees them. */
	struct worker_tx *tx[PORT_MAX];
	uint16_t n_pending; /* ports that have frames waiting in tx[]->m */
	uint16_t pending[PORT_MAX];

	struct rte_mempool *pool; /* of packets the router makes, fragments included */
	struct crypto_ctx *crypto;
	struct seal_batch *seal;  /* packets that wait to be encrypted (esp_out.c) */
	struct seal_batch *seals; /* it is one of these: the only one, or LEND_LOTS */
	struct open_lot *opens;   /* packets that others may be decrypting (esp_in.c): LEND_LOTS */
	uint32_t in_device;       /* packets that the crypto device has (lookaside.c) */
	struct fragment_table *fragments;

	/* The vectors between the stages; all empty between turns. */
	struct vec esp_in;  /* ESP for us, SA found */
	struct vec fwd;     /* IP packets to be routed */
	struct vec vti_out; /* for the tunnel p->out: from the kernel, a worker or another tunnel */
	struct vec pieces;  /* of a packet that was just cut; never kept */
	/* The same of an outer packet, which may be cut while `pieces` are on their way into a tunnel. */
	struct vec outer_pieces;
	struct vec icmp; /* ICMP errors made in this turn; routed in the next */

	struct rte_ring *inject;  /* from the host thread: frames and packets of the kernel's */
	struct rte_ring *to_host; /* punts, mirrors, packets that wait for a neighbour */
	struct rte_ring *handoff; /* from other workers */
	struct worker_parcel *parcels; /* to each of them, by id; NULL: there is no other */
	struct worker **peers;         /* all workers, by id; set by whoever makes several */
	uint16_t helped;               /* the last of them that was offered help */
	bool backlog;  /* this turn took as many packets as it could: more are waiting */
	bool crowded;  /* in this turn, packets went to a worker that does not keep up */
	uint32_t held; /* turns in a row that ended with lots out: see worker_quiescent() */

	struct rte_rcu_qsbr *rcu; /* this worker's thread id is `id` */

	struct sa *last_sa; /* likely that of the next ESP packet: the last one's; NULL: none */
	uint16_t rx_next;   /* receive queue that is served first in the next turn */

	/* Rate limits of ICMP errors (icmp_error.c): of all, and of those to targets that hash alike. */
	struct icmp_bucket icmp_all, icmp_to[1 << ICMP_TARGET_BITS];

	uint32_t n_free;
	struct rte_mbuf *to_free[VEC_MAX];

	struct worker_stats stats;
	struct cycles cycles;
};

/* Allocate and initialise a worker: rings, vectors, crypto context. NULL on no memory. */
struct worker *worker_new(
	uint16_t id, uint16_t n_workers, struct rte_mempool *pool, struct rte_rcu_qsbr *rcu);
void worker_free(struct worker *w);

/* One turn: receive from every queue and ring, run all stages, transmit, help others. Returns the packets
 * seen, and what is still out: packets in a crypto device, lots of lend.h. Between two turns a worker
 * thread does nothing else but call worker_quiescent(). */
unsigned worker_turn(struct worker *w);

/* Tell RCU that the worker holds nothing any more, unless lots are out. That they are so turn after turn
 * can't hold it up for long: after some turns the worker receives nothing more until they are home. */
void worker_quiescent(struct worker *w);

/* Run until *stop. idle_us: after some thousand empty turns sleep that long (the only system call,
 * offline for RCU); 0: never sleep. */
void worker_run(struct worker *w, const _Atomic bool *stop, unsigned idle_us);

/* Put tagged packets on another worker's ring. Returns how many it took. */
unsigned worker_hand_over(struct worker *w, uint16_t to, struct rte_mbuf **m, unsigned n);

/* The same soon: when there are some, at the latest with handoff_flush(). For packets tagged HOST_VTI or
 * HOST_FLOW; where the ring takes no more they are dropped. (handoff.c) */
void handoff_later(struct worker *w, uint16_t to, struct rte_mbuf *m);
void handoff_flush(struct worker *w);

/* Count and free. The mbuf is freed at the end of the turn. */
void worker_drop(struct worker *w, struct rte_mbuf *m, enum drop_reason reason);

/* The same, also counted at the interface: a VTI's or port's own figures. in or out may be NULL. */
void worker_drop_in(struct worker *w, const struct pkt *p, enum drop_reason reason);
void worker_drop_out(
	struct worker *w, const struct pkt *p, struct iface *out, enum drop_reason reason);

/* The stages, in the order they run. Each consumes its vector. */
unsigned stage_rx(struct worker *w);  /* ports, handoff, kernel -> parse; packets taken */
void stage_forward(struct worker *w); /* fwd -> vti_send(), port_send(), local_in(), host */
void stage_vti_out(struct worker *w); /* vti_out -> vti_send() */

/* Parse n received frames of one interface into esp_in, fwd, host or drop (parse.c). A turn takes
 * VEC_MAX frames at most. */
void parse_frames(struct worker *w, struct iface *in, struct rte_mbuf **m, unsigned n);

/* Check an IP packet at p->l3 with `room` bytes readable; fills family, len, l4_off and proto, and
 * in flags sets PKT_MULTICAST and sets or clears what concerns fragments (the others stay).
 * Returns DROP_REASON_COUNT where it is good, else why not. Also used on decrypted packets
 * (parse_ip.c). */
enum drop_reason parse_ip(struct pkt *p, uint32_t room);

/* ESP, or ESP in UDP, of an inbound SA? Then it has p->sa, l4_off and PKT_UDP_ENCAP set, and belongs
 * into w->esp_in. Fragments are not. (esp_match.c) */
bool esp_match(struct worker *w, struct pkt *p);

#define ESP_PREFETCH_MAX 64

/* Where the frames of a burst, at most ESP_PREFETCH_MAX, are ESP of many SAs: fetch what esp_match() will
 * look at, and guess each one's SA (NULL: none). False: they are not, and nothing is done. */
bool esp_prefetch(struct rte_mbuf **m, unsigned n, struct sa **guess);

/* A checked packet to an address of the router's own: ESP is decrypted (w->esp_in) or dropped,
 * fragments that may be ESP go to reassemble(), all else to the kernel. Consumes p (local.c). */
void local_in(struct worker *w, struct pkt *p);

/* ICMP that a router does not act on, whoever sends it: redirects (RFC 1812 5.2.7.2) and source quench
 * (RFC 6633). Nobody gets it (local.c). */
bool icmp_refused(const struct pkt *p);

/* Does a packet to the router itself say that an ESP packet of ours was too large? Then it goes to the
 * control thread, or is dropped (path_mtu.c). False: it does not, and is still the caller's. */
bool path_mtu_news(struct worker *w, struct pkt *p);

/* Send routed packets that share a resolved next hop (NH_PORT): consumes p (port.c). */
void port_send(struct worker *w, const struct nexthop *nh, struct pkt *p, unsigned n);

/* Have all fetched that vti_send() will read for a packet of family[i] into out[i], at most VEC_MAX.
 * Worth it where there are too many tunnels for the caches. */
void vti_prefetch(
	const struct worker *w, const struct iface **out, const uint8_t *family, unsigned n);

/* Send n complete frames of one port; bytes: of their IP packets (port.c). */
void port_send_frames(
	struct worker *w, struct iface *out, struct rte_mbuf **m, unsigned n, uint64_t bytes);

/* Send packets into a tunnel, whose MTU they need not fit: consumes p (vti_out.c). They leave with the
 * next esp_out(). */
void vti_send(struct worker *w, struct iface *out, struct pkt *p, unsigned n);

/* Queue a finished frame for a port: the packet is the device's from here on (port.c). */
void port_tx(struct worker *w, uint16_t port_id, struct rte_mbuf *m);
void port_flush(struct worker *w);

/* Make an ICMP or ICMPv6 error about `about` (which stays the caller's), queue it on w->icmp.
 * Obeys the rate limit and RFC 1812 4.3.2.7 / RFC 4443 2.4 (icmp_error.c). mtu: for too-big. */
enum icmp_error {
	ERR_TTL,
	ERR_TOO_BIG,
	ERR_NO_ROUTE,
	ERR_HOST_UNREACH,
	ERR_PROHIBITED
};
void icmp_error(struct worker *w, const struct pkt *about, enum icmp_error kind, uint16_t mtu);

/* Cut an IPv4 packet without DF into pieces of at most `mtu` bytes and append them to `out`; consumes
 * p (fragment.c). Returns how many. 0: p was dropped, by reason of what it is, for want of buffers, or
 * because `out` has too little room: an empty vector always has enough. */
unsigned fragment_ip4(struct worker *w, struct pkt *p, uint16_t mtu, struct vec *out);

/* The same for IPv6, as a packet's source does it: the pieces get fragment headers (fragment6.c). `id`
 * tells them from other packets' between the same two ends. */
unsigned fragment_ip6(struct worker *w, struct pkt *p, uint16_t mtu, uint32_t id, struct vec *out);

/* Collect the fragments of packets for the router's own ESP (reassemble.c). Consumes p; when the
 * packet is whole it is parsed again from its IP header (parse_ip) and goes to local_in(). */
void reassemble(struct worker *w, struct pkt *p);

/* A fragment that another worker handed to this one, which puts that packet together. */
void reassemble_from_worker(struct worker *w, struct rte_mbuf *m);

/* Where one worker's fragments wait; worker_new() makes it. Freeing it frees what waits. */
struct fragment_table *fragment_table_new(void);
void fragment_table_free(struct fragment_table *t);

/* Once a turn: drop fragments whose packet did not become whole in time (fragment_table.c). */
void reassemble_expire(struct worker *w);

#endif
