/* SPDX-License-Identifier: BSD-3-Clause */
/* A port's DPDK device: found and attached by its device string. */
#ifndef VIADUCT_PORT_DEVICE_H
#define VIADUCT_PORT_DEVICE_H

#include "config/config.h"
#include "control/err.h"

/* Attach the device of `port` for n queues; its DPDK port id. mbuf_size: bytes of a buffer. */
int port_device_attach(const struct config_port *port, unsigned n_queues, uint32_t mbuf_size,
	uint16_t *port_id, struct err *e);

#endif
