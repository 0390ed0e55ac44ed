/* SPDX-License-Identifier: BSD-3-Clause */
/* Traffic selectors of inbound SAs (RFC 4301 4.4.1.1 and 5.2). */
#include "dataplane/esp_inner.h"

#include <rte_branch_prediction.h>

#include <netinet/in.h>

struct selector_ports selector_ports(const struct pkt *p)
{
	const uint8_t *l4 = p->l3 + p->l4_off;
	struct selector_ports none = {.known = false};

	if ((p->flags & PKT_LATER_FRAGMENT) || p->l4_off + 4 > p->len)
		return none;
	switch (p->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return (struct selector_ports){true, l4[0] << 8 | l4[1], l4[2] << 8 | l4[3]};
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return (struct selector_ports){true, l4[0], l4[1]};
	default:
		return none;
	}
}

static bool port_in(const uint16_t range[2], bool known, uint16_t port)
{
	if (range[0] == 0 && range[1] == UINT16_MAX)
		return true;
	return known && port >= range[0] && port <= range[1];
}

static bool addr_in(const uint8_t range[2][16], const uint8_t *addr, unsigned len)
{
	return memcmp(addr, range[0], len) >= 0 && memcmp(addr, range[1], len) <= 0;
}

static bool matches(const struct selector *s, const struct pkt *p, struct selector_ports ports)
{
	unsigned len = addr_len(p->family);
	const uint8_t *src = p->l3 + (p->family == IP_V4 ? 12 : 8);

	return s->family == p->family && (s->proto == 0 || s->proto == p->proto) &&
		addr_in(s->src, src, len) && addr_in(s->dst, src + len, len) &&
		port_in(s->src_port, ports.known, ports.src) &&
		port_in(s->dst_port, ports.known, ports.dst);
}

bool esp_selected(const struct sa *sa, const struct pkt *p)
{
	struct selector_ports ports;

	if (likely(sa->n_selectors == 0))
		return true;
	ports = selector_ports(p);
	for (unsigned i = 0; i < sa->n_selectors; i++) {
		if (matches(&sa->selectors[i], p, ports))
			return true;
	}
	return false;
}
