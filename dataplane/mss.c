/* SPDX-License-Identifier: BSD-3-Clause */
/* A SYN tells in its MSS option how long segments to its sender may be (RFC 9293 3.7.1). The tunnel's
 * MTU less an IP and a TCP header without options is what RFC 6691 has it say: whoever sends options
 * takes them off himself. So the rule is the same whatever headers the SYN itself has.
 *
 * A SYN without the option stays so: it means 536 bytes, in IPv6 1220, which fit an MTU of 576, in
 * IPv6 1280, and there may be no room for an option. A receiver reads options up to the first that is
 * nonsense, and of several of a kind the last one; so all those are clamped. */
#include "dataplane/mss.h"

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include <netinet/in.h>

#define OPT_END     0
#define OPT_NOP     1
#define OPT_MSS     2
#define OPT_MSS_LEN 4

/* RFC 1624: HC' = ~(~HC + ~m + m'). A word of one's complement sums is right in either byte order, so
 * for one that starts at an odd offset the bytes are swapped. */
static void mend_checksum(struct rte_tcp_hdr *tcp, uint16_t before, uint16_t after, bool odd)
{
	uint32_t sum;

	if (odd) {
		before = rte_bswap16(before);
		after = rte_bswap16(after);
	}
	sum = (uint16_t)~tcp->cksum + (uint32_t)(uint16_t)~before + after;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	tcp->cksum = (uint16_t)~sum;
}

/* value: the option's, at any alignment. */
static void lower(struct rte_tcp_hdr *tcp, uint8_t *value, uint16_t most)
{
	uint16_t before, after = rte_cpu_to_be_16(most);

	memcpy(&before, value, sizeof(before));
	if (rte_be_to_cpu_16(before) <= most)
		return;
	memcpy(value, &after, sizeof(after));
	mend_checksum(tcp, before, after, (value - (uint8_t *)tcp) & 1);
}

static void clamp_options(struct rte_tcp_hdr *tcp, unsigned len, uint16_t most)
{
	uint8_t *opt = (uint8_t *)(tcp + 1);

	for (unsigned i = 0; i < len && opt[i] != OPT_END;) {
		if (opt[i] == OPT_NOP) {
			i++;
			continue;
		}
		if (i + 2 > len || opt[i + 1] < 2 || i + opt[i + 1] > len)
			return;
		if (opt[i] == OPT_MSS && opt[i + 1] == OPT_MSS_LEN)
			lower(tcp, &opt[i + 2], most);
		i += opt[i + 1];
	}
}

/* A SYN whose TCP header is there in full; in a first fragment it need not be. */
static void clamp_syn(struct pkt *p, uint16_t most)
{
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(p->l3 + p->l4_off);
	unsigned len = (tcp->data_off >> 4) * 4;

	if (len >= sizeof(*tcp) && p->l4_off + len <= p->len)
		clamp_options(tcp, len - sizeof(*tcp), most);
}

static inline bool is_syn(const struct pkt *p)
{
	const struct rte_tcp_hdr *tcp = (const struct rte_tcp_hdr *)(p->l3 + p->l4_off);

	return p->proto == IPPROTO_TCP && !(p->flags & PKT_LATER_FRAGMENT) &&
		likely(p->l4_off + sizeof(*tcp) <= p->len) && (tcp->tcp_flags & RTE_TCP_SYN_FLAG);
}

/* What fits is the tunnel's own MTU: an IPv6 tunnel below 1280 carries longer packets, but in two. */
static uint16_t most_of(const struct iface *tunnel, uint16_t mss, uint8_t family)
{
	uint16_t mtu = iface_mtu(tunnel);
	unsigned headers = sizeof(struct rte_tcp_hdr) +
		(family == IP_V4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr));

	if (mss != MSS_BY_MTU)
		return mss;
	return mtu > headers + MSS_LEAST ? mtu - headers : MSS_LEAST;
}

void mss_clamp(const struct iface *tunnel, struct pkt *p, unsigned n)
{
	uint16_t mss = atomic_load_explicit(&tunnel->mss, memory_order_relaxed);

	if (mss == MSS_ANY)
		return;
	for (unsigned i = 0; i < n; i++) {
		if (unlikely(is_syn(&p[i])))
			clamp_syn(&p[i], most_of(tunnel, mss, p[i].family));
	}
}
