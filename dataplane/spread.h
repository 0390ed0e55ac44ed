/* SPDX-License-Identifier: BSD-3-Clause */
/* Spreading received packets over the workers in software, where the device has fewer receive queues
 * than there are workers or cannot tell ESP's flows apart. A flow stays on one worker. */
#ifndef VIADUCT_SPREAD_H
#define VIADUCT_SPREAD_H

#include <rte_mbuf.h>

struct iface;
struct worker;

/* Flow hash of a frame: ESP (in UDP or not) by SPI and destination, other IP by addresses, protocol
 * and ports, fragments by addresses. 0: not IP. */
uint32_t spread_hash(const struct rte_mbuf *m);

/* The worker that puts a packet's fragments together: it is where spread() hands them, too. */
uint16_t spread_by_addresses(const struct worker *w, const uint8_t *l3, unsigned family);

#define SPREAD_MAX 64

/* Of n received frames, at most SPREAD_MAX, hand on what other workers serve; m[] keeps this worker's,
 * whose number is returned. */
unsigned spread(struct worker *w, struct iface *in, struct rte_mbuf **m, unsigned n);

/* Take what was handed to this worker, at most `max` packets: received frames are parsed, finished
 * frames go to the ports. Returns their number. */
unsigned handoff_receive(struct worker *w, unsigned max);

#endif
