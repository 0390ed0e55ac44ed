/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/esp_inner.h"

#include "dataplane/esp.h"
#include "dataplane/worker.h"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>

#define GOOD DROP_REASON_COUNT

/* RFC 3168's code points. */
enum {
	ECN_NOT = 0,
	ECN_ECT1 = 1,
	ECN_ECT0 = 2,
	ECN_CE = 3,
	ECN_MASK = 3
};

/* RFC 4303 2.4: 1, 2, 3 ... Whoever holds the key may still send nonsense. */
static bool padding_good(const uint8_t *pad, unsigned len)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < len; i++)
		wrong |= pad[i] ^ (i + 1);
	return (wrong & 0xff) == 0;
}

static void set_ecn4(uint8_t *l3, uint8_t ecn)
{
	uint16_t before, after, check;
	uint32_t sum;

	memcpy(&before, l3, 2);
	l3[1] = (l3[1] & ~ECN_MASK) | ecn;
	memcpy(&after, l3, 2);
	memcpy(&check, l3 + 10, 2);
	/* RFC 1624: HC' = ~(~HC + ~m + m') */
	sum = (uint16_t)~check + (uint32_t)(uint16_t)~before + after;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	check = (uint16_t)~sum;
	memcpy(l3 + 10, &check, 2);
}

static void set_ecn(struct pkt *p, uint8_t ecn)
{
	if (p->family == IP_V4)
		set_ecn4(p->l3, ecn);
	else
		p->l3[1] = (p->l3[1] & ~(ECN_MASK << 4)) | ecn << 4;
}

/* RFC 6040 4.2, figure 4. */
static enum drop_reason merge_ecn(struct pkt *p, uint8_t outer)
{
	uint8_t inner = esp_inner_tos(p->l3, p->family) & ECN_MASK;

	if (likely(outer == ECN_NOT || outer == inner))
		return GOOD;
	if (inner == ECN_NOT)
		return outer == ECN_CE ? DROP_ESP_ECN : GOOD;
	if (outer == ECN_CE || (outer == ECN_ECT1 && inner == ECN_ECT0))
		set_ecn(p, outer);
	return GOOD;
}

/* The inner packet's first byte and the bytes up to the padding, as ESP's trailer tells. */
static enum drop_reason strip_trailer(const struct sa *sa, struct pkt *p, uint32_t *room)
{
	uint8_t *text = p->l3 + p->l4_off + sizeof(struct esp_hdr) + sa->iv_len;
	const uint8_t *trailer = p->l3 + p->len - sa->icv_len - ESP_TRAILER_LEN;
	uint8_t pad = trailer[0], next = trailer[1], version;

	if (unlikely(pad > trailer - text || !padding_good(trailer - pad, pad)))
		return DROP_ESP_PADDING;
	if (unlikely(next == ESP_NEXT_DUMMY))
		return DROP_ESP_DUMMY;
	if (unlikely(next != ESP_NEXT_IP4 && next != ESP_NEXT_IP6))
		return DROP_ESP_NEXT_HEADER;
	*room = trailer - pad - text;
	if (unlikely(*room == 0))
		return DROP_TOO_SHORT;
	version = text[0] >> 4;
	if (unlikely(version != (next == ESP_NEXT_IP4 ? 4 : 6)))
		return next == ESP_NEXT_IP4 ? DROP_IP4_VERSION : DROP_IP6_VERSION;
	p->l3 = text;
	return GOOD;
}

enum drop_reason esp_unwrap(const struct sa *sa, struct pkt *p)
{
	uint8_t outer_ecn = esp_inner_tos(p->l3, p->family) & ECN_MASK;
	enum drop_reason bad;
	uint32_t room;

	bad = strip_trailer(sa, p, &room);
	if (unlikely(bad != GOOD))
		return bad;
	p->flags = PKT_DECRYPTED;
	/* Bytes behind the inner packet are the peer's traffic flow padding (RFC 4303 2.7). */
	bad = parse_ip(p, room);
	if (unlikely(bad != GOOD))
		return bad;
	if (unlikely(!esp_selected(sa, p)))
		return DROP_ESP_SELECTOR;
	return sa->flags & SA_NO_ECN ? GOOD : merge_ecn(p, outer_ecn);
}
