/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets that wait for an outbound SA: the first ones for a VTI whose tunnel is not negotiated yet.
 *
 * They are held while somebody is told to negotiate (VIADUCT_EVENT_ACQUIRE), and go through the tunnel
 * when the SA is there, in the order in which they came. Otherwise they are dropped, and their senders
 * told; they never go another way. Workers send no more packets than may be held: iface->hold says how many. */
#ifndef VIADUCT_HOLD_H
#define VIADUCT_HOLD_H

#include "dataplane/drop.h"

#include <stdbool.h>
#include <stdint.h>

struct rte_mbuf;
struct vti;

/* A worker met a VTI without an outbound SA (HOST_HOLD). The mbuf is the callee's. */
void hold_packet(struct rte_mbuf *m);

/* A VTI is there, came up, or its outbound SAs were chosen again: what waited for one goes. */
void hold_refresh(struct vti *v);
/* It went down: what waits is dropped. */
void hold_drop(struct vti *v);
/* It goes for good. */
void hold_forget(struct vti *v);

/* A client subscribed to VIADUCT_EVENT_ACQUIRE, or ceased to: without one nothing is held. */
void hold_listeners(void);

/* Once a second: drop what waited too long, ask again for what waits. */
void hold_tick(void);

/* Packets that wait for this VTI's SAs. */
unsigned hold_count(const struct vti *v);
/* Packets dropped here, by reason: for want of room. Workers count the others. */
uint64_t hold_drops(enum drop_reason reason);

#endif
