/* SPDX-License-Identifier: BSD-3-Clause */
/* Ports on the kernel's interfaces by DPDK's net_af_packet. */
#ifndef VIADUCT_PORT_AF_PACKET_H
#define VIADUCT_PORT_AF_PACKET_H

#include "config/config.h"
#include "control/err.h"

#include <stddef.h>

/* In a ring's frame the kernel puts its header and an address in front of the packet:
 * up to 66 bytes, and the packet has an Ethernet header and may have a VLAN tag. */
#define AF_PACKET_OVERHEAD 96

/* Is this device string one of net_af_packet's? */
bool af_packet_is(const char *device);

/* Append the arguments that suit the port to its device string `device` of `size` bytes, unless they
 * were given: queues, and the rings' frames. */
int af_packet_args(const struct config_port *port, char *device, size_t size, unsigned n_queues,
	uint32_t mbuf_size, struct err *e);

#endif
