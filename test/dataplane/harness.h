/* SPDX-License-Identifier: BSD-3-Clause */
/* The whole dataplane under test: real workers, FIB and next hops on ports made of rings, driven turn
 * by turn in the test's own thread. A test puts exact bytes into a port and says which bytes come
 * out where, or which drop counter counts them; nothing else may happen.
 *
 * Every test starts from the same router (dp_start): ports 0 to 2, up, MTU 1500, MAC mac_of_port(),
 * addresses 10.0.<port>.1 and 2001:db8:<port>::1, which are routed to the kernel. When it ends,
 * teardown checks that no frame or punt is left unlooked at, that each packet that went in came out
 * or was counted as a drop, and that all buffers are back in their pool. */
#ifndef VIADUCT_TEST_HARNESS_H
#define VIADUCT_TEST_HARNESS_H

#include "dataplane/nexthop.h"
#include "dataplane/worker.h"
#include "frame.h"

#include <CUnit/Basic.h>

#define DP_PORTS       3
#define DP_WORKERS_MAX 4
#define DP_MTU         1500

struct dp_port {
	uint16_t port_id;
	struct iface *iface;
	struct rte_ring *rx[DP_WORKERS_MAX], *tx[DP_WORKERS_MAX]; /* seen from the router */
};

/* The router under test. */
struct dp {
	struct worker *worker[DP_WORKERS_MAX];
	unsigned n_workers;
	struct rte_mempool *pool;
	struct dp_port port[DP_PORTS];
};
extern struct dp dp;

/* Once a program, before anything else (DP_MAIN does it): DPDK and the ring ports. */
void dp_init(char *program);

/* A router of n workers; dp_stop() checks and takes it down. DP_MAIN calls both around each test. */
void dp_start(unsigned n_workers);
void dp_stop(void);

/* The address of either family; anything else ends the program. */
struct addr dp_addr(const char *text);

/* Route a prefix ("10.2.0.0/16") of VRF 0 to a next hop. */
void dp_route(const char *prefix, uint32_t nh_id);
void dp_unroute(const char *prefix);
/* Next hop: a station on a port. gateway NULL: the next hop of one host. */
uint32_t dp_station(unsigned port, const char *gateway, unsigned station);

/* A frame into queue 0 of a port, or any queue. */
void dp_send(unsigned port, const struct frame *f);
void dp_send_queue(unsigned port, unsigned queue, const struct frame *f);
/* The same with the mbuf in the test's hands: offload flags, segments. */
struct rte_mbuf *dp_mbuf(const struct frame *f);
void dp_send_mbuf(unsigned port, unsigned queue, struct rte_mbuf *m);

/* From the host thread to a worker. data: the frame or packet. */
void dp_inject(unsigned worker, struct host_tag tag, const void *data, unsigned len);

/* Turn all workers until nothing moves any more. */
void dp_run(void);

/* The next frame out of a port is this one. */
bool dp_out(unsigned port, const struct frame *want);
/* The next frame out of a port, not yet looked at; false: none. */
bool dp_out_any(unsigned port, struct frame *got);
/* The same of any size. NULL: none. The caller frees it. */
struct rte_mbuf *dp_out_mbuf(unsigned port);
/* Nothing came out of any port. */
bool dp_quiet(void);

/* The next packet on a worker's ring to the host thread. NULL: none. The caller frees it. */
struct rte_mbuf *dp_host(unsigned worker);
/* It is a punt to this interface's twin with exactly these bytes (dp_mirrored: a mirror copy). */
bool dp_punted(const struct iface *twin, const struct frame *want);
bool dp_mirrored(const struct iface *twin, const struct frame *want);
/* It waits for `target` on `out`, with these bytes from the IP header on. */
bool dp_resolving(const struct iface *out, const char *target, const uint8_t *l3, unsigned len);

/* Since the last call: `n` packets dropped for this reason, and none for any other. */
bool dp_dropped(enum drop_reason reason, uint64_t n);
/* The same for two reasons (an ICMP error that was suppressed also counts). */
bool dp_dropped2(enum drop_reason a, uint64_t n_a, enum drop_reason b, uint64_t n_b);
bool dp_none_dropped(void);
/* Whatever was dropped is fine. */
void dp_drops_forget(void);

/* A frame into port 0 goes to the kernel as it is, or out of port 1 to station 2; nothing is dropped. */
void dp_expect_punted(const struct frame *f);
void dp_expect_forwarded(const struct frame *f);

/* Sum of an interface's figures over the workers. */
struct iface_stats dp_stats(const struct iface *i);

#define DP_TEST(fn)                                                                                \
	{                                                                                          \
#fn, fn                                                                            \
	}
/* A program that runs tests, each on a fresh router of n workers; with a name as its argument only
 * that one. */
#define DP_MAIN(suite, n, ...)                                                                     \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		static const CU_TestInfo tests[] = {__VA_ARGS__, CU_TEST_INFO_NULL};               \
                                                                                                   \
		return dp_main(suite, n, tests, argc, argv);                                       \
	}
int dp_main(const char *suite, unsigned n_workers, const CU_TestInfo *tests, int argc, char **argv);

#endif
