/* SPDX-License-Identifier: BSD-3-Clause */
/* The far end of a tunnel (esp_fixture.h), played by the test. The tunnel uses NULL encryption with
 * integrity, so that tests read inner packets where they stand in the ESP frame, and the same SPI and
 * key both ways, so that what the router sent can be turned round and sent back. */
#ifndef VIADUCT_TEST_FAR_END_H
#define VIADUCT_TEST_FAR_END_H

#include "esp_fixture.h"

#define VTI_IP4 "10.9.0.1" /* the router's end */
#define VTI_IP6 "2001:db8:9::1"

/* Open the tunnel; family: of the outer header. */
void far_end_open(struct tunnel *t, enum ip_family family, uint16_t mtu);

/* The next frame out of TUNNEL_WAN is ESP of the tunnel: its inner packet, behind an Ethernet header
 * of zeroes. */
bool far_end_got(struct frame *inner);

/* Swap the outer addresses of an ESP frame and address it to the router. */
void far_end_turn(struct frame *esp);

#endif
