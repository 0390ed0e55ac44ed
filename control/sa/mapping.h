/* SPDX-License-Identifier: BSD-3-Clause */
/* Peers behind NAT that send from another address or port than their SA says.
 *
 * Workers tell of authentic packets only, and of the newest (esp_peer.c). Subscribers are told
 * (VIADUCT_EVENT_MAPPING); the SA changes when one of them says so (SA_UPDATE). */
#ifndef VIADUCT_MAPPING_H
#define VIADUCT_MAPPING_H

struct rte_mbuf;

/* The first bytes of a packet that came from elsewhere (HOST_MOVED). The mbuf is the callee's. */
void mapping_seen(struct rte_mbuf *m);

/* Once a second: forget what is settled. */
void mapping_tick(void);
void mapping_fini(void);

#endif
