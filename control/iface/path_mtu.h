/* SPDX-License-Identifier: BSD-3-Clause */
/* Path MTUs learned from ICMP: of the ways that our ESP packets go (RFC 1191, RFC 8201, RFC 4301 8.2).
 *
 * Anybody can send ICMP. What it says is believed where it quotes a packet that an outbound SA of ours
 * has sent: destination, source, ports, SPI and sequence number. Such news lowers a path's MTU, never
 * raises it, and is forgotten after a while, so that a way that was repaired is used in full again. */
#ifndef VIADUCT_PATH_MTU_H
#define VIADUCT_PATH_MTU_H

#include "dataplane/drop.h"

#include <stdint.h>
#include <viaduct_api.h>

#define PATH_MTU_TIMEOUT 600 /* seconds (RFC 1191 6.3, RFC 8201 5.3) */

struct rte_mbuf;

/* ICMP about an ESP packet (HOST_PATH_MTU). The mbuf is the callee's. */
void path_mtu_news_seen(struct rte_mbuf *m);

/* To a peer; UINT16_MAX: nothing was told. */
uint16_t path_mtu_told(const struct viaduct_addr *dst);
/* Seconds until that is forgotten; 0: nothing was told. */
uint32_t path_mtu_expires(const struct viaduct_addr *dst);

/* Ten times a second: let workers send the next ones. */
void path_mtu_tick_often(void);
/* Once a second: forget what is too old. */
void path_mtu_tick(void);
/* The daemon ends, or SAs and peers are all gone. */
void path_mtu_fini(void);

/* Refused here, for one of the DROP_PMTU reasons. */
uint64_t path_mtu_drops(enum drop_reason reason);

#endif
