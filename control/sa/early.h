/* SPDX-License-Identifier: BSD-3-Clause */
/* ESP that comes before its SA.
 *
 * The responder of an IKE exchange may send with the new SA as soon as it has answered, while the
 * initiator still computes the keys: packets for an SPI that was given out (SPI_ALLOC) and is not
 * installed yet are held for a moment, and decrypted when the SA is there. Others have no SA, and are
 * dropped as before. Workers send no more packets here than host_early_room says. */
#ifndef VIADUCT_EARLY_H
#define VIADUCT_EARLY_H

#include <stdint.h>
#include <viaduct_api.h>

struct rte_mbuf;

/* An SPI was given out: its packets are wanted. */
void early_expect(void);

/* A worker found no SA for a packet (HOST_EARLY). The mbuf is the callee's. */
void early_packet(struct rte_mbuf *m);

/* The inbound SA is in the workers' sight. */
void early_release(const struct viaduct_sa_id *id);

/* Ten times a second: drop what waited too long. */
void early_tick(void);
/* The daemon ends. */
void early_fini(void);

/* Packets that wait, and those dropped here, all for want of an SA (DROP_ESP_NO_SA). */
unsigned early_count(void);
uint64_t early_drops(void);

#endif
