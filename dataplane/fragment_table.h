/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the fragments of packets wait for each other, one table per worker. Slow path only.
 *
 * What waits is bounded, and a flood hurts its own sender first: packets of one source and destination
 * wait in one of many sets, which one depends on a secret, and a full set's oldest packet gives way.
 * All fragments together have an eighth of the worker's share of the buffers, one set an eighth of that. */
#ifndef VIADUCT_FRAGMENT_TABLE_H
#define VIADUCT_FRAGMENT_TABLE_H

#include <rte_mbuf.h>

struct worker;
struct fragment_table;

/* What the fragments of a packet have in common: RFC 791 3.2; in IPv6 the protocol is not part of it. */
struct fragment_key {
	uint8_t src[16], dst[16];
	uint32_t id;
	uint8_t family, proto;
	uint16_t zero; /* compared as bytes */
};

/* Its mbuf has no bytes but the payload; the one with offset 0 has all headers in front of it. */
struct fragment {
	struct rte_mbuf *m;
	uint32_t offset, payload;
	uint8_t ecn;
	bool more;
};

/* The packet is whole: its fragments as a chain, the code points that they had, as 1 << ECN. */
struct fragment_chain {
	struct rte_mbuf *m;
	uint32_t payload;
	uint8_t ecn;
};

/* Add a fragment, which is the table's or dropped. True: the packet is whole, and *whole the caller's. */
bool fragment_add(struct worker *w, const struct fragment_key *key, const struct fragment *f,
	struct fragment_chain *whole);

#endif
