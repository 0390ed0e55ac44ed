/* SPDX-License-Identifier: BSD-3-Clause */
/* What goes through the tunnels: frames in capture files, and the prefixes that their destinations
 * are in. */
#include "bench_gateway.h"

#include "frame.h"

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define LINKTYPE_ETHERNET 1
#define LENGTHS           10

struct capture_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, sigfigs, snaplen, link;
};

struct record_header {
	uint32_t seconds, micros, stored, length;
};

/* The same numbers each time, so that runs can be compared. */
static uint32_t draw(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 32;
}

/* 7 x 64, 4 x 570, 1 x 1420 bytes, mixed. */
static uint16_t size_of_frame(unsigned i)
{
	static const uint16_t imix[] = {64, 570, 64, 64, 570, 64, 1420, 64, 570, 64, 570, 64};

	return world.opt.size != 0 ? world.opt.size : imix[i % RTE_DIM(imix)];
}

void load_make(struct load *l)
{
	uint64_t state = 1;

	l->n = RTE_MAX(world.opt.frames, world.opt.tunnels);
	l->tunnel = calloc(l->n, sizeof(*l->tunnel));
	l->size = calloc(l->n, sizeof(*l->size));
	must(l->tunnel != NULL && l->size != NULL, "memory");
	for (unsigned i = 0; i < l->n; i++) {
		unsigned other = draw(&state) % (i + 1);

		l->size[i] = size_of_frame(i);
		l->tunnel[i] = l->tunnel[other];
		l->tunnel[other] = i % world.opt.tunnels;
	}
}

unsigned load_prefixes(void)
{
	return RTE_MAX(world.opt.routes, world.opt.tunnels);
}

/* Lengths roughly as in the Internet's tables: mostly /24 and /48. */
static struct addr random_prefix(unsigned i, uint8_t *len)
{
	static const uint8_t len4[LENGTHS] = {16, 20, 22, 22, 23, 24, 24, 24, 24, 24};
	static const uint8_t len6[LENGTHS] = {32, 36, 40, 44, 48, 48, 48, 48, 48, 48};
	uint64_t state = 2 * i + 1;
	struct addr a = {.family = world.opt.inner};
	uint64_t bits;

	draw(&state);
	bits = (uint64_t)draw(&state) << 32 | draw(&state);
	*len = (a.family == IP_V4 ? len4 : len6)[draw(&state) % LENGTHS];
	bits &= ~0ull << (64 - *len);
	if (a.family == IP_V6) {
		bits = (bits & ~(0xffull << 56)) | 0x24ull << 56;
		a.q[0] = rte_cpu_to_be_64(bits);
		return a;
	}
	/* From 11 to 126: neither the tunnels' networks nor the outer addresses. */
	bits = (bits & ~(0xffull << 56)) | (11 + (bits >> 56) % 116) << 56;
	a.v4 = rte_cpu_to_be_32(bits >> 32);
	return a;
}

struct addr load_prefix(unsigned i, uint8_t *len)
{
	struct addr a = {.family = world.opt.inner};

	if (i >= world.opt.tunnels)
		return random_prefix(i, len);
	if (a.family == IP_V4) {
		*len = 24;
		a.v4 = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 0) | i << 8);
	} else {
		*len = 64;
		a.q[0] = rte_cpu_to_be_64(0x2001db8ull << 32 | i);
	}
	return a;
}

/* Some host in the prefix that frame i goes to: its tunnel's own, or any. */
static struct addr destination(const struct load *l, unsigned i)
{
	uint64_t state = 77 * i + 5;
	unsigned prefix = l->tunnel[i];
	struct addr a;
	uint8_t len;

	draw(&state);
	if (world.opt.routes > world.opt.tunnels)
		prefix = draw(&state) % load_prefixes();
	a = load_prefix(prefix, &len);
	if (a.family == IP_V4)
		a.v4 |= rte_cpu_to_be_32(draw(&state) & (len < 32 ? ~0u >> len : 0));
	else
		a.q[1] = rte_cpu_to_be_64(1 + (draw(&state) & 0xffff));
	return a;
}

static void put_ip4(uint8_t *l3, uint16_t len, struct addr dst)
{
	struct rte_ipv4_hdr *ip = (void *)l3;

	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = rte_cpu_to_be_16(len);
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_UDP;
	ip->src_addr = RTE_BE32(RTE_IPV4(10, 255, 0, 1));
	ip->dst_addr = dst.v4;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

static void put_ip6(uint8_t *l3, uint16_t len, const struct addr *dst)
{
	struct rte_ipv6_hdr *ip = (void *)l3;

	ip->vtc_flow = RTE_BE32(6u << 28);
	ip->payload_len = rte_cpu_to_be_16(len - sizeof(*ip));
	ip->proto = IPPROTO_UDP;
	ip->hop_limits = 64;
	ip->src_addr[0] = 0x20;
	ip->src_addr[1] = 0x01;
	ip->src_addr[15] = 9;
	memcpy(ip->dst_addr, dst->v6, sizeof(ip->dst_addr));
}

/* No UDP checksum: nobody looks at it. */
static void put_udp(uint8_t *l4, uint16_t len)
{
	struct rte_udp_hdr *udp = (void *)l4;

	udp->src_port = RTE_BE16(1000);
	udp->dst_port = RTE_BE16(2000);
	udp->dgram_len = rte_cpu_to_be_16(len);
}

static FILE *capture_open(const char *path)
{
	const struct capture_header head = {0xa1b2c3d4, 2, 4, 0, 0, FRAME_MAX, LINKTYPE_ETHERNET};
	FILE *f = fopen(path, "w");

	must(f != NULL, path);
	fwrite(&head, sizeof(head), 1, f);
	return f;
}

static void capture_put(FILE *f, const uint8_t *frame, uint16_t len)
{
	const struct record_header head = {0, 0, len, len};

	fwrite(&head, sizeof(head), 1, f);
	fwrite(frame, len, 1, f);
}

static void capture_close(FILE *f, const char *path)
{
	must(!ferror(f) && fclose(f) == 0, path);
}

void load_write_inner(const struct load *l, const char *path, const struct rte_ether_addr *to)
{
	FILE *f = capture_open(path);

	for (unsigned i = 0; i < l->n; i++) {
		uint8_t frame[FRAME_MAX] = {0};
		struct rte_ether_hdr *eth = (void *)frame;
		struct addr dst = destination(l, i);

		eth->dst_addr = *to;
		eth->src_addr.addr_bytes[0] = 2;
		if (dst.family == IP_V4) {
			eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
			put_ip4(frame + L3, l->size[i], dst);
			put_udp(frame + L3 + 20, l->size[i] - 20);
		} else {
			eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV6);
			put_ip6(frame + L3, l->size[i], &dst);
			put_udp(frame + L3 + 40, l->size[i] - 40);
		}
		capture_put(f, frame, L3 + l->size[i]);
	}
	capture_close(f, path);
}

void load_write_esp(const struct load *l, const char *path)
{
	static const uint8_t frame[FRAME_MAX];
	FILE *f = capture_open(path);

	for (unsigned i = 0; i < l->n; i++)
		capture_put(f, frame, L3 + sa_outer_len(world.tunnel[0].sa_out, l->size[i]));
	capture_close(f, path);
}
