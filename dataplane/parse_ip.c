/* SPDX-License-Identifier: BSD-3-Clause */
/* IP headers: afterwards the stages may trust the packet's lengths, offsets and addresses. */
#include "dataplane/parse_ip.h"

#include "dataplane/worker.h"

#include <rte_byteorder.h>
#include <rte_ip.h>

#include <netinet/in.h>

#define IP6_EXT_MAX       8   /* extension headers of one packet */
#define IP6_EXT_BYTES_MAX 256 /* all of them together */
#define IP4_OPT_LSRR      131
#define IP4_OPT_SSRR      137

/* Parsing ends with this where nothing is wrong. */
#define GOOD DROP_REASON_COUNT

const uint8_t ip4_special[256] = {
	[0] = 1,
	[127] = 1,
	[224 ... 255] = 1,
};

static uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static enum drop_reason ip4_options(const uint8_t *opt, unsigned len)
{
	for (unsigned i = 0; i < len && opt[i] != 0;) {
		if (opt[i] == 1) { /* no operation, the only one without a length */
			i++;
			continue;
		}
		if (opt[i] == IP4_OPT_LSRR || opt[i] == IP4_OPT_SSRR)
			return DROP_IP4_SOURCE_ROUTE;
		if (i + 1 == len || opt[i + 1] < 2 || i + opt[i + 1] > len)
			return DROP_IP4_HEADER_LEN;
		i += opt[i + 1];
	}
	return GOOD;
}

/* RFC 6890's addresses that no packet on a wire may have. 0.0.0.0 speaks only to everybody (DHCP). */
static enum drop_reason ip4_addresses(struct pkt *p)
{
	uint32_t src = rte_be_to_cpu_32(load32(p->l3 + 12));
	uint32_t dst = rte_be_to_cpu_32(load32(p->l3 + 16));

	if (dst >= 0xe0000000) {
		if (dst >= 0xf0000000 && dst != 0xffffffff)
			return DROP_MARTIAN_DST;
		p->flags |= PKT_MULTICAST;
	} else if (dst >> 24 == 127 || dst >> 24 == 0) {
		return DROP_MARTIAN_DST;
	}
	if (src >= 0xe0000000 || src >> 24 == 127)
		return DROP_MARTIAN_SRC;
	if (src >> 24 == 0 && (src != 0 || !(p->flags & PKT_MULTICAST)))
		return DROP_MARTIAN_SRC;
	return GOOD;
}

static enum drop_reason parse_ip4(struct pkt *p, uint32_t room)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)p->l3;
	unsigned hdr_len, frag;
	enum drop_reason bad;

	if (room < sizeof(*ip))
		return DROP_TOO_SHORT;
	p->family = IP_V4;
	hdr_len = (ip->version_ihl & 0xf) * 4;
	p->len = rte_be_to_cpu_16(ip->total_length);
	if (hdr_len < sizeof(*ip) || hdr_len > room)
		return DROP_IP4_HEADER_LEN;
	if (p->len < hdr_len || p->len > room)
		return DROP_IP4_TOTAL_LEN;
	if (!(p->flags & PKT_CKSUM_OK) && !ip4_sum_good(ip4_sum_words(p->l3, hdr_len)))
		return DROP_IP4_CHECKSUM;
	if (unlikely(hdr_len > sizeof(*ip))) {
		bad = ip4_options(p->l3 + sizeof(*ip), hdr_len - sizeof(*ip));
		if (bad != GOOD)
			return bad;
	}
	p->l4_off = hdr_len;
	p->proto = ip->next_proto_id;
	frag = rte_be_to_cpu_16(ip->fragment_offset);
	if (unlikely(frag & (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK))) {
		p->flags |= PKT_FRAGMENT;
		if (frag & RTE_IPV4_HDR_OFFSET_MASK)
			p->flags |= PKT_LATER_FRAGMENT;
	}
	return ip4_addresses(p);
}

/* A fragment header of a packet that is whole (RFC 6946) says nothing. */
static void ip6_fragment(struct pkt *p, const uint8_t *ext)
{
	unsigned frag = ext[2] << 8 | ext[3];

	if (frag & 0xfff9)
		p->flags |= PKT_FRAGMENT;
	if (frag & 0xfff8)
		p->flags |= PKT_LATER_FRAGMENT;
}

/* Walk the extension headers (RFC 8200 4). The header after the last one is the packet's; in later
 * fragments it is only announced. */
static enum drop_reason ip6_extensions(struct pkt *p)
{
	uint32_t off = sizeof(struct rte_ipv6_hdr);

	for (unsigned i = 0;; i++) {
		const uint8_t *ext = p->l3 + off;
		uint32_t len = 8;

		if (p->proto != IPPROTO_HOPOPTS && p->proto != IPPROTO_ROUTING &&
			p->proto != IPPROTO_DSTOPTS && p->proto != IPPROTO_FRAGMENT)
			break;
		if (i == IP6_EXT_MAX || off + len > p->len)
			return DROP_IP6_EXT_HEADERS;
		/* Hop-by-hop options stand first or not at all. */
		if (p->proto == IPPROTO_HOPOPTS && i > 0)
			return DROP_IP6_EXT_HEADERS;
		/* RFC 5095: what IPv4's source routes are. */
		if (p->proto == IPPROTO_ROUTING && ext[2] == 0)
			return DROP_IP6_SOURCE_ROUTE;
		if (p->proto == IPPROTO_FRAGMENT)
			ip6_fragment(p, ext);
		else
			len = (ext[1] + 1) * 8;
		off += len;
		if (off > p->len || off > sizeof(struct rte_ipv6_hdr) + IP6_EXT_BYTES_MAX)
			return DROP_IP6_EXT_HEADERS;
		p->proto = ext[0];
		if (p->flags & PKT_LATER_FRAGMENT)
			break;
	}
	p->l4_off = off;
	return GOOD;
}

/* ::, ::1 and IPv4-mapped addresses (::ffff:0:0/96): for all three, the upper 64 bits are zero. */
static enum drop_reason ip6_addresses(struct pkt *p)
{
	const uint8_t *dst = p->l3 + 24;
	uint64_t src_hi, src_lo, dst_hi, dst_lo;

	memcpy(&src_hi, p->l3 + 8, 8);
	memcpy(&src_lo, p->l3 + 16, 8);
	memcpy(&dst_hi, dst, 8);
	memcpy(&dst_lo, dst + 8, 8);
	if (dst[0] == 0xff)
		p->flags |= PKT_MULTICAST;
	if (unlikely(dst_hi == 0)) {
		dst_lo = rte_be_to_cpu_64(dst_lo);
		if (dst_lo <= 1 || dst_lo >> 32 == 0xffff)
			return DROP_MARTIAN_DST;
	}
	if (unlikely(p->l3[8] == 0xff))
		return DROP_MARTIAN_SRC;
	if (unlikely(src_hi == 0)) {
		src_lo = rte_be_to_cpu_64(src_lo);
		/* :: is the source of duplicate address detection, to multicast only. */
		if (src_lo == 1 || src_lo >> 32 == 0xffff)
			return DROP_MARTIAN_SRC;
		if (src_lo == 0 && !(p->flags & PKT_MULTICAST))
			return DROP_MARTIAN_SRC;
	}
	return GOOD;
}

static enum drop_reason parse_ip6(struct pkt *p, uint32_t room)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)p->l3;
	enum drop_reason bad;
	uint32_t len;

	if (room < sizeof(*ip))
		return DROP_TOO_SHORT;
	p->family = IP_V6;
	len = sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len);
	if (len > room || len > UINT16_MAX)
		return DROP_IP6_PAYLOAD_LEN;
	p->len = len;
	p->l4_off = sizeof(*ip);
	p->proto = ip->proto;
	bad = ip6_extensions(p);
	return bad != GOOD ? bad : ip6_addresses(p);
}

enum drop_reason parse_ip(struct pkt *p, uint32_t room)
{
	enum drop_reason verdict;
	unsigned version;

	if (room == 0)
		return DROP_TOO_SHORT;
	p->flags &= ~(PKT_FRAGMENT | PKT_LATER_FRAGMENT);
	version = p->l3[0] >> 4;
	if (version == IP_V4)
		verdict = parse_ip4(p, room);
	else if (version == IP_V6)
		verdict = parse_ip6(p, room);
	else
		verdict = DROP_IP4_VERSION;
	/* It said something about this header only. */
	p->flags &= ~PKT_CKSUM_OK;
	return verdict;
}
