/* SPDX-License-Identifier: BSD-3-Clause */
/* Two gateways in one process: `near` encrypts what a capture file feeds it, `far` decrypts it. What
 * the parts of bench_gateway share. */
#ifndef VIADUCT_BENCH_GATEWAY_H
#define VIADUCT_BENCH_GATEWAY_H

#include "algorithms.h"
#include "dataplane/nexthop.h"
#include "dataplane/sa.h"
#include "dataplane/worker.h"

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <stdbool.h>

#define DEVICE_BURST 64 /* frames the workers ask a device for at a time */

struct options {
	const struct algorithm *alg;
	unsigned size; /* of the inner IP packets, bytes; 0: IMIX */
	unsigned tunnels, routes, frames, window;
	uint8_t inner, outer; /* enum ip_family */
	bool natt, esn, json, huge;
	unsigned cpu;
	double seconds;
};

struct tunnel {
	struct iface *out, *in; /* the VTI that encrypts and the one that decrypts */
	struct sa *sa_out, *sa_in;
};

/* Of one capture file: which tunnel each of its frames takes, and the inner packet's size. */
struct load {
	unsigned n;
	uint32_t *tunnel;
	uint16_t *size;
};

struct world {
	struct options opt;
	struct rte_mempool *pool;
	struct tunnel *tunnel;
	struct load load;

	/* Devices: a capture with the inner packets, one with frames as long as the ESP packets; both
	 * free what is sent to them. The link is a ring. */
	uint16_t inner_port, esp_port, link_port;
	struct rte_ring *link;
	struct worker *near, *far;

	/* The outer next hop, when near sends to far and when its frames end in the device. */
	uint32_t outer_id;
	struct nexthop *to_far, *to_device;

	size_t tunnels_memory; /* of all tunnels, as one gateway with one worker has them */
};

extern struct world world;

/* bench_gateway_load.c: the inner packets. */
void load_make(struct load *l);
void load_write_inner(const struct load *l, const char *path, const struct rte_ether_addr *to);
void load_write_esp(const struct load *l, const char *path);
/* Destination prefix number i of the routes. Of the first ones each tunnel has one. */
struct addr load_prefix(unsigned i, uint8_t *len);
unsigned load_prefixes(void);

/* bench_gateway_world.c: devices, workers, tunnels, routes. */
void world_make(char *program);
/* Near sends to the device, or to far. */
void world_direct(bool direct);
/* Ends the program if any packet has been dropped. */
void world_check_drops(void);

/* bench_gateway_crypto.c: IPsec-MB alone, on as many buffers as a turn has packets; TSC cycles. */
void alone_init(void);
uint64_t alone_seal(unsigned turns);
uint64_t alone_open(unsigned turns);

#endif
