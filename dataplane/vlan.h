/* SPDX-License-Identifier: BSD-3-Clause */
/* IEEE 802.1Q tags: a VLAN is an interface of its own, kind IFACE_PORT, on the device of its parent.
 *
 * Its tag is taken off when a frame is received, so that all stages and the kernel's twin see a frame
 * as any other. It is put on with the Ethernet header: a next hop's on a VLAN has 18 bytes. */
#ifndef VIADUCT_VLAN_H
#define VIADUCT_VLAN_H

#include "dataplane/iface.h"

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#define VLAN_ID_MASK   0x0fff
#define VLAN_IDS       4096
#define VLAN_HDR_LEN   (RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN)
#define VLAN_MACS_LEN  (2 * RTE_ETHER_ADDR_LEN)
#define VLAN_TYPE_BE   RTE_BE16(RTE_ETHER_TYPE_VLAN)
#define VLAN_ID_AT     (VLAN_MACS_LEN + 2)
#define VLAN_TO_PARENT 0 /* this id means: a priority, and no VLAN */

/* The port's VLAN with this id. NULL: none. */
static inline struct iface *vlan_of_port(const struct iface *port, uint16_t id)
{
	struct iface *_Atomic *vlans = atomic_load_explicit(&port->vlans, memory_order_acquire);

	return vlans != NULL ? atomic_load_explicit(&vlans[id], memory_order_acquire) : NULL;
}

static inline bool vlan_is_tagged(const struct rte_mbuf *m)
{
	uint16_t type;

	if (m->data_len < VLAN_HDR_LEN)
		return false;
	memcpy(&type, rte_pktmbuf_mtod_offset(m, uint8_t *, VLAN_MACS_LEN), sizeof(type));
	return type == VLAN_TYPE_BE;
}

/* Of a tagged frame. */
static inline uint16_t vlan_id(const struct rte_mbuf *m)
{
	uint16_t tci;

	memcpy(&tci, rte_pktmbuf_mtod_offset(m, uint8_t *, VLAN_ID_AT), sizeof(tci));
	return rte_be_to_cpu_16(tci) & VLAN_ID_MASK;
}

/* Take a tagged frame's tag off: the addresses move up to the EtherType, in two words that overlap. */
static inline void vlan_strip(struct rte_mbuf *m)
{
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	uint64_t start, end;

	memcpy(&start, frame, sizeof(start));
	memcpy(&end, frame + VLAN_MACS_LEN - sizeof(end), sizeof(end));
	memcpy(frame + RTE_VLAN_HLEN, &start, sizeof(start));
	memcpy(frame + VLAN_HDR_LEN - 2 - sizeof(end), &end, sizeof(end));
	m->data_off += RTE_VLAN_HLEN;
	m->data_len -= RTE_VLAN_HLEN;
	m->pkt_len -= RTE_VLAN_HLEN;
}

/* Put a tag into a frame. False: no room in front. */
static inline bool vlan_insert(struct rte_mbuf *m, uint16_t id)
{
	const uint16_t tag[] = {VLAN_TYPE_BE, rte_cpu_to_be_16(id)};
	uint8_t *frame = (uint8_t *)rte_pktmbuf_prepend(m, RTE_VLAN_HLEN);

	if (frame == NULL)
		return false;
	memmove(frame, frame + RTE_VLAN_HLEN, VLAN_MACS_LEN);
	memcpy(frame + VLAN_MACS_LEN, tag, sizeof(tag));
	return true;
}

#endif
