/* SPDX-License-Identifier: BSD-3-Clause */
/* ICMP that says an ESP packet of ours was too large for a link on its way (RFC 1191, RFC 8201).
 *
 * Which packets of the kernel's are such news is found here; whether they are to be believed is the
 * control thread's to judge, which knows the SAs. What is not about ESP is the kernel's, as before:
 * IKE's own packets among them. */
#include "dataplane/esp.h"
#include "dataplane/worker.h"

#include <rte_ip.h>
#include <rte_udp.h>

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#define ICMP_HDR_LEN 8 /* the quoted packet follows */

static bool is_too_big(const struct pkt *p)
{
	const uint8_t *icmp = p->l3 + p->l4_off;

	if ((p->flags & PKT_FRAGMENT) || (uint32_t)p->l4_off + ICMP_HDR_LEN > p->len)
		return false;
	if (p->family == IP_V4)
		return p->proto == IPPROTO_ICMP && icmp[0] == ICMP_DEST_UNREACH &&
			icmp[1] == ICMP_FRAG_NEEDED;
	return p->proto == IPPROTO_ICMPV6 && icmp[0] == ICMP6_PACKET_TOO_BIG;
}

/* Length of the quoted IPv4 header, and the protocol behind it; 0: there is no such header. */
static unsigned quoted_ip4(const uint8_t *quote, unsigned len, uint8_t *proto)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)quote;
	const unsigned header_len = (quote[0] & 0xf) * 4;

	if (quote[0] >> 4 != 4 || header_len < sizeof(*ip) || header_len > len ||
		(ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_OFFSET_MASK)) != 0)
		return 0;
	*proto = ip->next_proto_id;
	return header_len;
}

/* The same for IPv6. It may be the first fragment of a packet that we cut after its encryption. */
static unsigned quoted_ip6(const uint8_t *quote, unsigned len, uint8_t *proto)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)quote;
	const struct rte_ipv6_fragment_ext *ext = (const void *)(ip + 1);

	if (len < sizeof(*ip) || quote[0] >> 4 != 6)
		return 0;
	*proto = ip->proto;
	if (ip->proto != IPPROTO_FRAGMENT)
		return sizeof(*ip);
	if (len < sizeof(*ip) + sizeof(*ext) ||
		(ext->frag_data & RTE_BE16(RTE_IPV6_EHDR_FO_MASK)) != 0)
		return 0;
	*proto = ext->next_header;
	return sizeof(*ip) + sizeof(*ext);
}

/* Where in a quoted packet of `len` bytes its ESP header stands, which may be cut off; 0: it is not
 * ESP, or too little of it is there to say so. */
static unsigned quoted_esp(const uint8_t *quote, unsigned len, unsigned family)
{
	const struct rte_udp_hdr *udp;
	uint8_t proto = 0;
	unsigned at;
	uint32_t marker;

	if (len < sizeof(struct rte_ipv4_hdr))
		return 0;
	at = family == IP_V4 ? quoted_ip4(quote, len, &proto) : quoted_ip6(quote, len, &proto);
	if (at == 0 || proto == IPPROTO_ESP)
		return at;
	udp = (const struct rte_udp_hdr *)(quote + at);
	at += sizeof(*udp);
	if (proto != IPPROTO_UDP || at + sizeof(marker) > len ||
		udp->src_port != RTE_BE16(NATT_PORT))
		return 0;
	memcpy(&marker, quote + at, sizeof(marker));
	return marker != 0 ? at : 0; /* IKE has zeroes there */
}

bool path_mtu_news(struct worker *w, struct pkt *p)
{
	const unsigned quote = p->l4_off + ICMP_HDR_LEN;
	unsigned esp;

	if (likely(!is_too_big(p)))
		return false;
	esp = quoted_esp(p->l3 + quote, p->len - quote, p->family);
	if (esp == 0)
		return false;
	if (quote + esp + sizeof(struct esp_hdr) > p->len)
		worker_drop_in(w, p, DROP_PMTU_BAD);
	else if (!host_path_mtu(w, p, quote, quote + esp))
		worker_drop_in(w, p, DROP_PMTU_RATE);
	return true;
}
