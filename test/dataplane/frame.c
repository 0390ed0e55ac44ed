/* SPDX-License-Identifier: BSD-3-Clause */
#include "frame.h"

#include <rte_ip.h>
#include <rte_udp.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "harness: %s\n", what);
		exit(2);
	}
}

struct rte_ether_addr mac_of_port(unsigned port)
{
	return (struct rte_ether_addr){{0x02, 0, 0, 0, 0, port}};
}

struct rte_ether_addr mac_of_station(unsigned n)
{
	return (struct rte_ether_addr){{0x02, 0, 0, 0, 1, n}};
}

static void put_ethernet(
	struct frame *f, struct rte_ether_addr dst, struct rte_ether_addr src, uint16_t type)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)f->b;

	eth->dst_addr = dst;
	eth->src_addr = src;
	eth->ether_type = htons(type);
}

static void put_ip4(struct frame *f, const char *src, const char *dst, uint8_t proto, unsigned len)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(f->b + L3);

	*ip = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = htons(sizeof(*ip) + len),
		.packet_id = htons(0x1234),
		.time_to_live = 64,
		.next_proto_id = proto,
	};
	must(inet_pton(AF_INET, src, &ip->src_addr) == 1, src);
	must(inet_pton(AF_INET, dst, &ip->dst_addr) == 1, dst);
	f->len = L3 + sizeof(*ip) + len;
	frame_checksum(f);
}

static void put_ip6(struct frame *f, const char *src, const char *dst, uint8_t proto, unsigned len)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(f->b + L3);

	*ip = (struct rte_ipv6_hdr){
		.vtc_flow = htonl(6u << 28),
		.payload_len = htons(len),
		.proto = proto,
		.hop_limits = 64,
	};
	must(inet_pton(AF_INET6, src, (void *)&ip->src_addr) == 1, src);
	must(inet_pton(AF_INET6, dst, (void *)&ip->dst_addr) == 1, dst);
	f->len = L3 + sizeof(*ip) + len;
}

struct frame frame_ip(unsigned port, const char *src, const char *dst, uint8_t proto,
	const void *payload, unsigned len)
{
	bool six = strchr(src, ':') != NULL;
	struct frame f = {0};

	must(L3 + 40 + len <= FRAME_MAX, "frame too long");
	put_ethernet(&f, mac_of_port(port), mac_of_station(1),
		six ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	if (six)
		put_ip6(&f, src, dst, proto, len);
	else
		put_ip4(&f, src, dst, proto, len);
	memcpy(f.b + f.len - len, payload, len);
	return f;
}

struct frame frame_udp(unsigned port, const char *src, const char *dst, unsigned payload)
{
	uint8_t l4[FRAME_MAX] = {0};
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)l4;
	struct frame f;

	must(payload <= FRAME_MAX - 100, "frame too long");
	udp->src_port = htons(1000);
	udp->dst_port = htons(2000);
	udp->dgram_len = htons(sizeof(*udp) + payload);
	for (unsigned i = 0; i < payload; i++)
		l4[sizeof(*udp) + i] = i;
	f = frame_ip(port, src, dst, IPPROTO_UDP, l4, sizeof(*udp) + payload);
	udp = (struct rte_udp_hdr *)(f.b + f.len - payload - sizeof(*udp));
	if (f.b[L3] >> 4 == 4)
		udp->dgram_cksum = rte_ipv4_udptcp_cksum((struct rte_ipv4_hdr *)(f.b + L3), udp);
	else
		udp->dgram_cksum = rte_ipv6_udptcp_cksum((struct rte_ipv6_hdr *)(f.b + L3), udp);
	return f;
}

static unsigned digit(char c)
{
	must(isxdigit((unsigned char)c), "hex digit expected");
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

struct frame frame_hex(const char *hex)
{
	struct frame f = {0};

	while (*hex != '\0') {
		if (isspace((unsigned char)*hex)) {
			hex++;
			continue;
		}
		must(f.len < FRAME_MAX, "frame too long");
		f.b[f.len++] = digit(hex[0]) << 4 | digit(hex[1]);
		hex += 2;
	}
	return f;
}

void frame_checksum(struct frame *f)
{
	uint32_t sum = 0;
	unsigned len = (f->b[L3] & 0xf) * 4;

	f->b[L3 + 10] = 0;
	f->b[L3 + 11] = 0;
	for (unsigned i = 0; i < len; i += 2)
		sum += f->b[L3 + i] << 8 | f->b[L3 + i + 1];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	f->b[L3 + 10] = ~sum >> 8;
	f->b[L3 + 11] = ~sum;
}

void frame_insert(struct frame *f, unsigned at, const void *bytes, unsigned n)
{
	uint8_t *len = f->b[L3] >> 4 == 4 ? f->b + L3 + 2 : f->b + L3 + 4;
	unsigned total = (len[0] << 8 | len[1]) + n;

	must(f->len + n <= FRAME_MAX, "frame too long");
	memmove(f->b + at + n, f->b + at, f->len - at);
	memcpy(f->b + at, bytes, n);
	f->len += n;
	len[0] = total >> 8;
	len[1] = total;
}

unsigned frame_ip_len(const struct frame *f)
{
	if (f->b[L3] >> 4 == 4)
		return f->b[L3 + 2] << 8 | f->b[L3 + 3];
	return 40 + (f->b[L3 + 4] << 8 | f->b[L3 + 5]);
}

struct frame frame_forwarded(const struct frame *f, unsigned port, unsigned station)
{
	struct frame out = *f;

	put_ethernet(&out, mac_of_station(station), mac_of_port(port), f->b[12] << 8 | f->b[13]);
	out.len = L3 + frame_ip_len(f);
	if (f->b[L3] >> 4 == 4) {
		out.b[L3 + 8]--;
		frame_checksum(&out);
	} else {
		out.b[L3 + 7]--;
	}
	return out;
}

static void dump(const char *what, const uint8_t *b, unsigned len)
{
	fprintf(stderr, "%s, %u bytes:", what, len);
	for (unsigned i = 0; i < len; i++)
		fprintf(stderr, "%s%02x", i % 32 == 0 ? "\n  " : i % 4 == 0 ? " " : "", b[i]);
	fprintf(stderr, "\n");
}

bool frame_eq(const struct frame *want, const uint8_t *got, unsigned got_len)
{
	if (want->len == got_len && memcmp(want->b, got, got_len) == 0)
		return true;
	dump("expected", want->b, want->len);
	dump("got", got, got_len);
	return false;
}
