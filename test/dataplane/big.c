/* SPDX-License-Identifier: BSD-3-Clause */
#include "big.h"

#include <rte_ip.h>

#include <netinet/in.h>
#include <stdio.h>

#define PIECE_MAX 1900

void big_checksum(struct big *f)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(f->b + L3);

	if (f->b[L3] >> 4 != 4)
		return;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

void big_udp(struct big *f, const char *src, const char *dst, unsigned len)
{
	struct frame small = frame_udp(0, src, dst, 0);
	const bool six = small.b[L3] >> 4 == 6;
	const unsigned l4 = L3 + (six ? 40 : 20), ip_len = six ? len - 40 : len;

	memset(f, 0, sizeof(*f));
	memcpy(f->b, small.b, small.len);
	f->len = L3 + len;
	f->b[L3 + (six ? 4 : 2)] = ip_len >> 8;
	f->b[L3 + (six ? 5 : 3)] = ip_len & 0xff;
	f->b[l4 + 4] = (f->len - l4) >> 8;
	f->b[l4 + 5] = (f->len - l4) & 0xff;
	for (unsigned i = l4 + 8; i < f->len; i++)
		f->b[i] = i * 13 + (i >> 8);
	big_checksum(f);
}

void big_forwarded(struct big *f, unsigned station, unsigned hops)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)f->b;

	eth->dst_addr = mac_of_station(station);
	eth->src_addr = mac_of_port(0);
	f->b[L3 + (f->b[L3] >> 4 == 6 ? 7 : 8)] -= hops;
	big_checksum(f);
}

static struct rte_mbuf *piece(const uint8_t *bytes, unsigned len, bool at_the_end)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(dp.pool);

	must(m != NULL, "packet pool is empty");
	if (at_the_end)
		m->data_off = m->buf_len - len;
	m->data_len = m->pkt_len = len;
	memcpy(rte_pktmbuf_mtod(m, void *), bytes, len);
	return m;
}

struct rte_mbuf *big_chain(const struct big *f, const uint16_t *cut, unsigned n)
{
	struct rte_mbuf *head = NULL, *m;
	unsigned at = 0, i = 0;

	while (at < f->len) {
		unsigned end;

		while (i < n && cut[i] <= at)
			i++;
		end = i < n ? RTE_MIN(cut[i], f->len) : f->len;
		end = RTE_MIN(end, at + PIECE_MAX);
		m = piece(f->b + at, end - at, end - at < f->len);
		if (head == NULL)
			head = m;
		else
			must(rte_pktmbuf_chain(head, m) == 0, "chain");
		at = end;
	}
	return head;
}

bool big_out(unsigned port, const struct big *f)
{
	struct rte_mbuf *m = dp_out_mbuf(port);
	bool same;

	if (m == NULL) {
		fprintf(stderr, "port %u sent nothing\n", port);
		return false;
	}
	same = m->nb_segs == 1 && m->data_len == f->len &&
		memcmp(rte_pktmbuf_mtod(m, void *), f->b, f->len) == 0;
	if (!same)
		fprintf(stderr, "port %u: %u bytes in %u segments, expected %u\n", port, m->pkt_len,
			m->nb_segs, f->len);
	rte_pktmbuf_free(m);
	return same;
}

void big_turn(struct rte_mbuf *m, unsigned port)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	uint8_t *ip = (uint8_t *)(eth + 1), swap[16];
	unsigned size = ip[0] >> 4 == 4 ? 4 : 16, src = size == 4 ? 12 : 8;

	eth->dst_addr = mac_of_port(port);
	memcpy(swap, ip + src, size);
	memcpy(ip + src, ip + src + size, size);
	memcpy(ip + src + size, swap, size);
}
