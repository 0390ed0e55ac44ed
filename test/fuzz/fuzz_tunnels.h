/* SPDX-License-Identifier: BSD-3-Clause */
/* Tunnels of all kinds for the router under fuzz: each algorithm, both outer families, NAT traversal, ESN, a
 * tunnel in another one and one over a VLAN, with each of a VTI's options in use somewhere. */
#ifndef VIADUCT_TEST_FUZZ_TUNNELS_H
#define VIADUCT_TEST_FUZZ_TUNNELS_H

#include "../dataplane/frame.h"

#include "dataplane/pkt.h"

/* Port 0 is the protected network's, the peers are behind port 1, some by this VLAN of it. */
#define FUZZ_LAN  0
#define FUZZ_WAN  1
#define FUZZ_VLAN 5

struct fuzz_tunnel;

void tunnels_start(void);

/* As they were before the first input: sequence numbers, replay windows, what the control thread takes. */
void tunnels_reset(void);

/* Any number means one of them. */
struct fuzz_tunnel *tunnel_of(unsigned number);
struct iface *tunnel_vti(const struct fuzz_tunnel *t);

/* Which sequence number a packet gets: the next one, or so far from the last; the ends of the range stand for
 * 2^31. Numbers run on from the highest one. */
uint64_t tunnel_seq(struct fuzz_tunnel *t, int8_t step);

/* What the peer sends: a frame with a right ICV around any text, which is cut to what the cipher can
 * encrypt. With `pad` the text is an inner packet that still lacks padding and trailer. */
struct frame tunnel_frame(const struct fuzz_tunnel *t, uint64_t seq, uint8_t tos,
	const uint8_t *text, unsigned len, bool pad);

/* If the packet is ESP of ours, it must be the peer's to decrypt, and a sound packet must be inside. */
void tunnels_check_sent(const struct pkt *p);

#endif
