/* SPDX-License-Identifier: BSD-3-Clause */
/* The ESP stages (RFC 4303, tunnel mode) and the steps that both crypto paths share. */
#ifndef VIADUCT_ESP_H
#define VIADUCT_ESP_H

#include "dataplane/pkt.h"
#include "dataplane/sa.h"

#include <rte_byteorder.h>

#include <netinet/in.h>

struct lend;
struct nexthop;
struct worker;

/* Packed: behind an Ethernet header it is not aligned. */
struct esp_hdr {
	uint32_t spi; /* network order */
	uint32_t seq; /* network order, low half */
} __attribute__((packed));

#define ESP_TRAILER_LEN 2 /* pad length, next header */
#define ESP_NEXT_IP4    4
#define ESP_NEXT_IP6    41
#define ESP_NEXT_DUMMY  59
#define NATT_PORT       4500
#define NATT_MARKER_LEN 4 /* zero bytes in front of IKE on port 4500 */

#define IP6_MTU_MIN 1280 /* RFC 8200 5: a link that can't must fragment below IPv6 */

/* Stage: consume w->esp_in, decrypt, append the inner packets to w->fwd. p->sa is the SA, p->l4_off
 * the ESP header's offset. */
void esp_in(struct worker *w);

/* After decryption, whichever path did it: take the sequence numbers, check trailer, inner header,
 * selectors and ECN, count, and append to w->fwd with `in` = the SA's VTI. ok[i] == 0: bad ICV.
 * p[i].l4_off is still that of the ESP header and p[i].len of the outer packet. One SA. */
void esp_in_done(struct worker *w, struct sa *sa, struct pkt *p, const uint64_t *seq,
	const uint8_t *ok, unsigned n);

/* Put n inner packets, none longer than `longest`, into ESP packets of `sa`, all but the ciphertext;
 * consumes p. The SA takes sequence numbers for all of them. */
void esp_wrap(struct worker *w, struct sa *sa, const struct pkt *p, unsigned n, uint16_t longest);

/* Stage: encrypt what esp_wrap() has made and send it. */
void esp_out(struct worker *w);

/* What lies between the two: where it is lent, LEND_LOTS, else one. NULL: no memory. Freeing frees the
 * packets that are out; l may be NULL. */
struct seal_batch *seal_batch_new(unsigned n);
void seal_batch_free(struct seal_batch *b, const struct lend *l);

/* The same for decryption, where it is lent. */
struct open_lot *open_lots_new(unsigned n);
void open_lots_free(struct open_lot *lots, const struct lend *l);

/* Where this SA's outer packets go; NULL: nowhere. Good for this turn (esp_route.c). */
const struct nexthop *esp_out_nexthop(struct worker *w, struct sa *sa);

/* After encryption: p[i].l3 is the outer header, p[i].len its length. Finds the outer next hop
 * and sends, or drops. One SA. */
void esp_out_done(struct worker *w, struct sa *sa, struct pkt *p, unsigned n);

/* What an outer header has of its packet's inner one, or of the VTI's rules. */
struct esp_outer {
	uint32_t label; /* IPv6: flow label, host order */
	uint8_t tos, ttl;
	bool df;
};

/* That of an inner packet which is about to be encrypted with this SA. */
struct esp_outer esp_outer_for(const struct sa *sa, const struct pkt *p);

/* Put the outer header (IP, UDP) in front of a packet whose ESP part of `esp_len` bytes stands at
 * `esp`. Lengths and checksums are right afterwards. Returns the outer header's first byte. */
uint8_t *esp_outer_header(
	const struct sa *sa, uint8_t *esp, uint32_t esp_len, const struct esp_outer *o);

/* DSCP and ECN of an inner header (as a TOS byte) and its DF bit (always set for IPv6). */
static inline uint8_t esp_inner_tos(const uint8_t *l3, unsigned family)
{
	return family == IP_V4 ? l3[1] : (uint8_t)(l3[0] << 4 | l3[1] >> 4);
}

static inline bool esp_inner_df(const uint8_t *l3, unsigned family)
{
	return family == IP_V6 || (l3[6] & 0x40) != 0;
}

/* Is it worth asking esp_match()? Reads two bytes behind p->l4_off, which every buffer has. */
static inline bool esp_possible(const struct pkt *p)
{
	uint16_t dport;

	if (p->proto == IPPROTO_ESP)
		return true;
	if (p->proto != IPPROTO_UDP)
		return false;
	memcpy(&dport, p->l3 + p->l4_off + 2, sizeof(dport));
	return dport == RTE_BE16(NATT_PORT);
}

/* Fill sa->hdr, sa->hdr_len and, outbound, sa->mould from the SA's addresses, ports and flags. */
void esp_build_template(struct sa *sa);

#endif
