/* SPDX-License-Identifier: BSD-3-Clause */
/* What two workers carry, beside one and beside two that share nothing. What the parts of
 * bench_workers share. */
#ifndef VIADUCT_BENCH_WORKERS_H
#define VIADUCT_BENCH_WORKERS_H

#include "algorithms.h"
#include "dataplane/nexthop.h"
#include "dataplane/sa.h"
#include "dataplane/worker.h"

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <stdbool.h>

#define WORKERS 2
#define FLOWS   128 /* of inner packets in one receive queue */
#define TUNNELS 128 /* of "many tunnels"; a flow of each queue goes through each */
/* The single tunnel of "one tunnel" follows them in gateway.tunnel[]. */
#define SINGLE TUNNELS

/* Frames that a queue gets in one pass: few enough to wait in a worker's handoff ring, all of them. */
#define FRAMES 4032

struct options {
	const struct algorithm *alg;
	unsigned size; /* of the inner IP packets, bytes */
	unsigned cpu[WORKERS];
	double seconds;
	bool json, huge;
};

extern struct options opt;

struct tunnel {
	struct iface *out, *in;
	struct sa *sa_out, *sa_in;
	_Atomic uint64_t *wide; /* words of a replay window of WIDE_WINDOW packets */
	uint64_t before;        /* the sequence number before its first one in a trace */
};

/* The frames of one receive queue, all of one length, and whose windows they go through. */
struct trace {
	unsigned n, len, stride;
	uint8_t *frames;
	unsigned n_tunnels;
	struct tunnel *tunnel[TUNNELS];
};

/* A worker and its receive queue, which is a ring that its own thread fills: the work of a device that
 * copies. */
struct lane {
	struct worker *w;
	struct rte_ring *queue;
	unsigned waits; /* at the barrier, so far */
} __rte_cache_aligned;

/* One router. The far ends of its tunnels are addresses that it decrypts for as well. */
struct gateway {
	unsigned id, n;
	struct lane lane[WORKERS];
	struct tunnel tunnel[TUNNELS + 1];
	struct trace plain[2][WORKERS], esp[2][WORKERS]; /* by many tunnels or one, and by queue */

	/* Next hops of encrypted and of decrypted packets: the device that frees them, or a ring. */
	uint32_t wan_id, lan_id;
	struct nexthop *wan[2], *lan[2]; /* the device's and the ring's */
};

/* The ones who share nothing, with a worker each, and the one with two workers. */
enum {
	FIRST,
	SECOND,
	BOTH,
	GATEWAYS
};

extern struct gateway gateways[GATEWAYS];

extern struct rte_mempool *packets;

/* Where packets go when they are looked at: encrypted ones, and plain ones that came out. */
extern struct rte_ring *sealed, *opened;

/* One worker besides: it makes the traces, and opens what was encrypted. */
extern struct lane maker;
extern struct worker *opener;

/* bench_workers_world.c */
void world_make(char *program);
/* Packets that were encrypted and decrypted go to the rings, or to the device. */
void world_watch(struct gateway *g, bool watch);
/* Every worker numbers and sends, and the far end's replay windows are large enough for that. */
void world_parallel(struct gateway *g, bool parallel);
/* Ends the program if any packet has been dropped. */
void world_check_drops(void);

/* bench_workers_load.c */
void load_make(struct gateway *g);
/* As if the tunnel's packets up to number `top` had been received. */
void load_reopen(struct tunnel *t, uint64_t top);
/* A turn's frames of the trace into the lane's queue if it has less than that; *at: the next one. */
void load_feed(struct lane *l, const struct trace *t, unsigned *at);

/* The payload of a plain packet, in host order: a flow's serial numbers only grow. */
struct mark {
	uint32_t flow, serial;
};

#define MARK_OFFSET (RTE_ETHER_HDR_LEN + 28)

/* What is measured: one direction, one tunnel or many, and where the packets are received. */
struct scenario {
	const char *name;
	bool decrypt, many, parallel;
	/* As RSS spreads flows (plain packets by addresses and ports, ESP by SPI); else all come in
	 * by one worker's queue, by turns by each's. */
	bool spread;
};

#define SCENARIOS 7

extern const struct scenario scenarios[SCENARIOS];

/* bench_workers_run.c: passes of a gateway's traces through its workers, each on its thread. */
void run_threads(void);
void run_stop(void);
/* TSC cycles a packet: passed by this gateway, or by the two that share nothing. */
double run_gateway(struct gateway *g, const struct scenario *s);
double run_independent(const struct scenario *s);
/* Pass number `turn` alone, nothing timed. Returns its packets. */
unsigned run_once(struct gateway *g, const struct scenario *s, unsigned turn);

/* bench_workers_check.c: run a pass, look at every packet that comes out, and end the program if one
 * is missing, was refused, or has overtaken another one of its flow. Returns their number. */
unsigned check_order(struct gateway *g, const struct scenario *s, unsigned turn);

/* bench_workers_line.c: TSC cycles until a cache line has been to the other CPU and is back. */
double line_round_trip(void);

/* bench_workers_rounds.c */
enum figure {
	ONE,         /* one worker; the mean of the two CPUs */
	TWO,         /* two workers of one gateway */
	INDEPENDENT, /* one worker of each of two gateways */
	CYCLES,

	TWO_BY_ONE = CYCLES, /* packets per second */
	INDEPENDENT_BY_ONE,
	TWO_BY_INDEPENDENT,
	FIGURES
};

struct result {
	unsigned rounds;
	uint64_t checked; /* packets that were looked at */
	double line[3];   /* line_round_trip() of all rounds: best, median, worst */
	double best[SCENARIOS][CYCLES], median[SCENARIOS][FIGURES];
};

struct result rounds_run(double seconds);

#endif
