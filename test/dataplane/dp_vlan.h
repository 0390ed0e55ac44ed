/* SPDX-License-Identifier: BSD-3-Clause */
/* VLANs of the ports of the router under test: made as the control thread would make them, taken down
 * with the router. */
#ifndef VIADUCT_TEST_DP_VLAN_H
#define VIADUCT_TEST_DP_VLAN_H

#include "harness.h"

/* A VLAN, id up to 250, on a port: up, MTU 1500, addresses 10.9.<id>.1 and 2001:db8:9:<id>::1. */
struct iface *dp_vlan(unsigned port, uint16_t id);

/* Next hop: a station on it. */
uint32_t dp_vlan_station(struct iface *vlan, const char *gateway, unsigned station);

/* The frame with a tag; tci: priority and id. */
struct frame dp_tagged(const struct frame *f, uint16_t tci);

/* dp_stop() calls it. */
void dp_vlans_stop(void);

#endif
