/* SPDX-License-Identifier: BSD-3-Clause */
/* A port's DPDK device: found and attached by its device string. */
#ifndef VIADUCT_PORT_DEVICE_H
#define VIADUCT_PORT_DEVICE_H

#include "config/config.h"
#include "control/err.h"

/* Attach the device of `port` for n queues; its DPDK port id. mbuf_size: bytes of a buffer. */
int port_device_attach(const struct config_port *port, unsigned n_queues, uint32_t mbuf_size,
	uint16_t *port_id, struct err *e);

/* Set the attached device's MTU. 0 also where it has none to set; else a negative errno. */
int port_device_set_mtu(uint16_t port_id, const char *device, uint32_t mtu);

/* DPDK 22.11's net_af_packet and net_tap say that they take 1500 bytes, whatever they can hold. */
bool port_device_understates_mtu(const char *device);

#endif
