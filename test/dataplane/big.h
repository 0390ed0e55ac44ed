/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets of any size, in as many buffers as a test wants. */
#ifndef VIADUCT_TEST_BIG_H
#define VIADUCT_TEST_BIG_H

#include "harness.h"

struct big {
	uint32_t len; /* with the Ethernet header */
	uint8_t b[RTE_ETHER_HDR_LEN + UINT16_MAX + 1];
};

/* A UDP packet of `len` bytes from a station on port 0, without DF. */
void big_udp(struct big *f, const char *src, const char *dst, unsigned len);

/* IPv4 header checksum from scratch. */
void big_checksum(struct big *f);

/* What comes out of port 0 to `station` when f was forwarded so many times. */
void big_forwarded(struct big *f, unsigned station, unsigned hops);

/* f as a chain, cut at these offsets, and where no buffer holds a piece. In a chain the last byte of each
 * buffer is a byte of the frame, so that nothing can be moved together in place. */
struct rte_mbuf *big_chain(const struct big *f, const uint16_t *cut, unsigned n);

/* The next frame out of the port, in one buffer, is f. */
bool big_out(unsigned port, const struct big *f);

/* Exchange the ends of an IP packet's frame and address it to the router's port: what a peer with the same
 * keys would have sent. */
void big_turn(struct rte_mbuf *m, unsigned port);

#endif
