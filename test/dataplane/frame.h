/* SPDX-License-Identifier: BSD-3-Clause */
/* Ethernet frames of the tests: small builders, so that each test says only what matters to it. */
#ifndef VIADUCT_TEST_FRAME_H
#define VIADUCT_TEST_FRAME_H

#include <rte_ether.h>

#include <stdbool.h>
#include <stdint.h>

#define FRAME_MAX 2000
#define L3        RTE_ETHER_HDR_LEN /* offset of the IP header in b[] */

/* A test without its fixtures can't say anything: stop at once, saying what is missing. */
void must(bool ok, const char *what);

struct frame {
	uint16_t len;
	uint8_t b[FRAME_MAX];
};

/* MAC addresses: of the router's ports, and of the stations around it. */
struct rte_ether_addr mac_of_port(unsigned port);
struct rte_ether_addr mac_of_station(unsigned n);

/* A UDP packet from station 1 to the router's port, TTL 64, ports 1000 to 2000, checksums right,
 * payload 0, 1, 2 ... The family is that of src. */
struct frame frame_udp(unsigned port, const char *src, const char *dst, unsigned payload);

/* An IP packet with this protocol and payload; else as above. */
struct frame frame_ip(unsigned port, const char *src, const char *dst, uint8_t proto,
	const void *payload, unsigned len);

/* From hex digits; blanks are skipped. */
struct frame frame_hex(const char *hex);

/* Write the IPv4 header checksum anew, after a test has changed the header. */
void frame_checksum(struct frame *f);

/* Insert n bytes at offset `at` and add them to the IP header's length (not to its IHL). */
void frame_insert(struct frame *f, unsigned at, const void *bytes, unsigned n);

/* IP length by the header. */
unsigned frame_ip_len(const struct frame *f);

/* What the router should make of f when it sends it by `port` to a station: other MAC addresses, TTL
 * less one, IPv4 checksum from scratch, nothing behind the IP packet. */
struct frame frame_forwarded(const struct frame *f, unsigned port, unsigned station);

/* Equal, or both on stderr. */
bool frame_eq(const struct frame *want, const uint8_t *got, unsigned got_len);

#endif
