/* SPDX-License-Identifier: BSD-3-Clause */
/* Twins: the kernel devices that stand for our interfaces (TAP for a port, TUN for a VTI), and the
 * host thread that carries packets between them and the workers' rings. */
#ifndef VIADUCT_TWIN_H
#define VIADUCT_TWIN_H

#include "control/err.h"
#include "dataplane/drop.h"
#include "dataplane/iface.h"

#include <rte_ring.h>

struct worker;
struct twin;

/* Make the device named as iface, with its MAC (ports) and MTU, carrier off, link down; sets
 * iface->kernel_ifindex. EBUSY when the name is taken. */
int twin_create(struct iface *iface, struct twin **out, struct err *e);
/* Waits for the host thread to let go of it. The kernel's device goes a moment later, and its name is
 * free again for twin_create(): twin_closer.h. */
void twin_destroy(struct twin *t);
int twin_set_carrier(struct twin *t, bool up);

/* The host thread. pool: for packets from the kernel. Ports' and VTIs' traffic from the kernel goes
 * to worker (iface id modulo n). */
int host_start(struct worker **workers, unsigned n, struct rte_mempool *pool, struct err *e);
void host_stop(void);

/* HOST_RESOLVE, HOST_HOLD and HOST_MOVED packets arrive here for the control thread;
 * host_event_fd() becomes readable. */
int host_event_fd(void);
struct rte_ring *host_control_ring(void);

/* Give a packet back to a worker (HOST_FORWARD); consumes it. */
void host_forward(struct rte_mbuf *m, uint16_t iface_id);

/* Send one that waited for an SA (HOST_HOLD) through its VTI; consumes it. */
void host_to_tunnel(struct rte_mbuf *m);

/* One that waited in vain: a worker tells its sender (ICMP host unreachable) and drops it for this
 * reason. Consumes it. */
void host_unreachable(struct rte_mbuf *m, enum drop_reason reason);

/* The control thread drops a packet it got from here. */
void host_drop(struct rte_mbuf *m, enum drop_reason reason);

struct host_stats {
	uint64_t to_kernel, from_kernel, mirrored;
	uint64_t drops[DROP_REASON_COUNT];
};
const struct host_stats *host_stats(void);

#endif
