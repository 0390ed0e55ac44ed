/* SPDX-License-Identifier: BSD-3-Clause */
/* Whatever arrives: frames on the ports, packets inside authentic ESP, packets of the kernel's. The
 * input is a list of records, each one packet: operation, length (16 bits, little-endian), bytes.
 * With the operation's upper bit the IPv4 header checksum is mended, lest it stop every mutation.
 *
 * After each input nothing may be left inside the router, every packet must be accounted for, and
 * what the router made or forwarded must be well-formed. */
#include "fuzz.h"

#include "../dataplane/far_end.h"

#include "control/routing/nexthops.h"
#include "dataplane/crypto.h"
#include "dataplane/esp.h"

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_ip.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define RECORDS_MAX 64
#define PACKET_MAX  1800 /* with headers and trailer it fits a frame of the harness */
#define ICV         16
#define MEND        0x80

enum op {
	OP_PORT0, /* a frame received on that port */
	OP_PORT1,
	OP_PORT2,
	OP_INNER,   /* text of an ESP packet: inner packet, padding, pad length, next header */
	OP_PIECES,  /* the same, the ESP packet comes in two fragments */
	OP_TUNNEL,  /* an IP packet from vti0's twin */
	OP_FRAME,   /* a frame from port 0's twin */
	OP_FORWARD, /* an IP packet that waited for a neighbour */
	OP_COUNT
};

static struct tunnel tun;
static uint64_t packets_in, packets_out, inputs;

static void fail(const char *what)
{
	fprintf(stderr, "fuzz: %s\n", what);
	abort();
}

/* The harness's checks, outside of a CUnit run. */
CU_BOOL CU_assertImplementation(CU_BOOL ok, unsigned line, const char *what, const char *file,
	const char *function, CU_BOOL fatal)
{
	(void)line, (void)file, (void)function, (void)fatal;
	if (!ok)
		fail(what);
	return ok;
}

static void mend_checksum(uint8_t *l3, unsigned len)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)l3;

	if (len < sizeof(*ip) || l3[0] >> 4 != IP_V4 || rte_ipv4_hdr_len(ip) > len)
		return;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

static void receive(unsigned port, const uint8_t *bytes, unsigned len)
{
	struct frame f = {.len = len};

	memcpy(f.b, bytes, len);
	dp_send(port, &f);
	packets_in++;
}

/* An ESP frame to the router with a right ICV around any text. */
static struct frame seal(const uint8_t *text, unsigned len)
{
	static uint32_t seq;
	struct esp_hdr hdr = {tun.out->spi_be, rte_cpu_to_be_32(++seq)};
	uint8_t esp[sizeof(hdr) + PACKET_MAX + ICV] = {0};
	struct crypto_op op = {.sa = tun.out, .esp = esp, .text_len = len};

	memcpy(esp, &hdr, sizeof(hdr));
	memcpy(esp + sizeof(hdr), text, len);
	crypto_seal(dp.worker[0]->crypto, &op, 1);
	return frame_ip(
		TUNNEL_WAN, TUNNEL_PEER4, TUNNEL_LOCAL4, IPPROTO_ESP, esp, sizeof(hdr) + len + ICV);
}

/* Fragment of f with the payload bytes [from, to). */
static void receive_piece(const struct frame *f, unsigned from, unsigned to, bool more)
{
	struct frame p = *f;

	memmove(p.b + L3 + 20, f->b + L3 + 20 + from, to - from);
	p.len = L3 + 20 + to - from;
	p.b[L3 + 2] = (p.len - L3) >> 8;
	p.b[L3 + 3] = (p.len - L3) & 0xff;
	p.b[L3 + 6] = from / 8 >> 8 | (more ? 0x20 : 0);
	p.b[L3 + 7] = from / 8;
	frame_checksum(&p);
	receive(TUNNEL_WAN, p.b, p.len);
}

static void inner(const uint8_t *text, unsigned len, bool pieces)
{
	struct frame f = seal(text, len);
	unsigned payload = f.len - L3 - 20, half = RTE_ALIGN_CEIL(payload / 2, 8);

	if (pieces && half < payload) {
		receive_piece(&f, 0, half, true);
		receive_piece(&f, half, payload, false);
	} else {
		receive(TUNNEL_WAN, f.b, f.len);
	}
}

static void inject(enum host_op op, uint16_t iface, const uint8_t *bytes, unsigned len)
{
	dp_inject(0, (struct host_tag){.op = op, .iface = iface}, bytes, len);
	packets_in++;
}

static void one_record(enum op op, const uint8_t *bytes, unsigned len)
{
	switch (op) {
	case OP_PORT0:
	case OP_PORT1:
	case OP_PORT2:
		receive(op - OP_PORT0, bytes, len);
		break;
	case OP_INNER:
	case OP_PIECES:
		inner(bytes, len, op == OP_PIECES);
		break;
	case OP_TUNNEL:
		inject(HOST_TUNNEL, tun.vti->id, bytes, len);
		break;
	case OP_FRAME:
		inject(HOST_SEND, dp.port[0].iface->id, bytes, len);
		break;
	case OP_FORWARD:
	default:
		inject(HOST_FORWARD, 0, bytes, len);
	}
}

/* Whether frames of the kernel's, which go out as they are, are among the records. */
static bool records(const uint8_t *data, size_t size)
{
	uint8_t bytes[PACKET_MAX];
	bool raw = false;

	for (unsigned n = 0; n < RECORDS_MAX && size >= 3; n++) {
		enum op op = (data[0] & ~MEND) % OP_COUNT;
		bool mend = data[0] & MEND;
		size_t len = data[1] | data[2] << 8;
		unsigned l3 = op <= OP_PORT2 ? L3 : 0;

		data += 3;
		size -= 3;
		len = RTE_MIN(RTE_MIN(len, size), (size_t)PACKET_MAX);
		memcpy(bytes, data, len);
		if (mend && len > l3)
			mend_checksum(bytes + l3, len - l3);
		one_record(op, bytes, len);
		raw |= op == OP_FRAME;
		data += len;
		size -= len;
	}
	return raw;
}

static void check_frame(struct frame *f)
{
	struct pkt p = {.l3 = f->b + L3};

	if (f->len < L3 || parse_ip(&p, f->len - L3) != DROP_REASON_COUNT)
		fail("sent a malformed packet");
	if (L3 + p.len != f->len || p.len > DP_MTU)
		fail("sent a frame of a wrong length");
}

static void collect(bool raw)
{
	struct rte_mbuf *m;
	struct frame f;

	for (unsigned port = 0; port < DP_PORTS; port++) {
		while (dp_out_any(port, &f)) {
			packets_out++;
			if (!raw || port != 0)
				check_frame(&f);
		}
	}
	while ((m = dp_host(0)) != NULL) {
		packets_out += host_tag(m)->op != HOST_MIRROR;
		rte_mbuf_sanity_check(m, 1);
		rte_pktmbuf_free(m);
	}
}

/* Fragments that wait are given up; after that the router is empty. */
static void check_books(void)
{
	struct worker *w = dp.worker[0];
	const struct worker_stats *s = &w->stats;
	uint64_t in, out = packets_out + s->fragments_joined;

	w->now = rte_rdtsc() + ++inputs * 32 * rte_get_tsc_hz();
	reassemble_expire(w);
	worker_turn(w);
	in = packets_in + s->icmp_sent + s->fragments_made;
	for (unsigned i = 0; i < DROP_REASON_COUNT; i++)
		out += i == DROP_ICMP_SUPPRESSED ? 0 : s->drops[i];
	if (in != out)
		fail("a packet was counted twice or not at all");
	if (rte_mempool_in_use_count(dp.pool) != 0)
		fail("a buffer leaked");
}

static void stop(void)
{
	worker_free(dp.worker[0]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct iface *port0;

	(void)argc;
	dp_init((*argv)[0]);
	dp_start(1);
	far_end_open(&tun, IP_V4, 1400);
	port0 = dp.port[0].iface;
	atomic_store(&tun.vti->flags, IFACE_UP | IFACE_CARRIER | IFACE_MIRROR);
	atomic_store(&dp.port[2].iface->flags, IFACE_UP | IFACE_CARRIER | IFACE_MIRROR);
	dp_route("10.9.0.1/32", NH_ID_LOCAL);
	dp_route("10.0.0.0/24", nexthop_get(NH_GLEAN, port0, NULL, NULL));
	dp_route("10.66.1.0/24", NH_ID_BLACKHOLE);
	dp_route("10.66.2.0/24", NH_ID_UNREACHABLE);
	dp_route("10.66.3.0/24", NH_ID_PROHIBIT);
	dp_route("10.66.4.0/24", NH_ID_KERNEL);
	atexit(stop);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct worker *w = dp.worker[0];
	bool raw;

	w->icmp_tokens = UINT64_MAX / 2; /* a full bucket for each input */
	raw = records(data, size);
	dp_run();
	collect(raw);
	check_books();
	return 0;
}
