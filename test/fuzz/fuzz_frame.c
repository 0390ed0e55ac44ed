/* SPDX-License-Identifier: BSD-3-Clause */
/* Whatever arrives: frames on the ports, packets inside authentic ESP, packets of the kernel's. The
 * input is a list of records, each one packet: operation, length (16 bits, little-endian), bytes.
 * With the operation's upper bit the IPv4 header checksum is mended, lest it stop every mutation.
 *
 * What must hold after each input is in fuzz_books.h. */
#include "fuzz.h"
#include "fuzz_books.h"
#include "fuzz_tunnels.h"

#include "../dataplane/dp_vlan.h"
#include "../dataplane/harness.h"

#include "control/routing/nexthops.h"

#include <rte_byteorder.h>
#include <rte_ip.h>

#include <netinet/in.h>

/* Several are turned one after the other, in this one thread, and hand packets to each other. */
#ifndef FUZZ_WORKERS
#define FUZZ_WORKERS 1
#endif

#define RECORDS_MAX 64
#define PACKET_MAX  1800 /* with headers and trailer it fits a frame of the harness */
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
	OP_ESP,     /* struct how, then the text */
	OP_CHAIN,   /* struct chain, then a frame in several buffers */
	OP_TWIN,    /* a VTI's number, then an IP packet from its twin */
	OP_HELD,   /* a VTI's number, tunnels entered so far, an IP packet that waited for its SA */
	OP_SCARCE, /* no packet: how many buffers are left for the router, ordinary and large ones */
	OP_COUNT
};

enum how_flag {
	HOW_PIECES = 1 << 0,  /* the packet comes in fragments, cut twice */
	HOW_REVERSE = 1 << 1, /* these in reverse order */
	HOW_CHAIN = 1 << 2,   /* the frame comes in several buffers, cut twice */
	HOW_PAD = 1 << 3,     /* the text is an inner packet: padding and trailer are added */
	HOW_TAG = 1 << 4,     /* the frame is of the WAN port's VLAN */
	HOW_TWICE = 1 << 5,   /* and comes again */
};

/* What happens to an ESP packet around its text. Offsets are taken modulo what there is. */
struct how {
	uint8_t tunnel, flags; /* enum how_flag */
	int8_t step;           /* tunnel_seq() */
	uint8_t tos;           /* of the outer header */
	struct {
		uint8_t at[2], by; /* little-endian; exclusive or */
	} flip[2];
	int8_t more;    /* bytes behind the packet, or cut off at its end */
	uint8_t cut[2]; /* in units of 8 bytes, of the IP payload or the frame */
};

struct chain {
	uint8_t port, cut[2][2]; /* little-endian */
	uint8_t len[2];          /* where the frame is shorter, its bytes come again and again */
};

static void mend_checksum(uint8_t *l3, unsigned len)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)l3;

	if (len < sizeof(*ip) || l3[0] >> 4 != IP_V4 || rte_ipv4_hdr_len(ip) > len)
		return;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

/* How a frame gets to the WAN port. */
static void receive(const struct frame *f, const struct how *how)
{
	const uint16_t a = how->cut[0] * 8, b = how->cut[1] * 8;
	const uint16_t cut[] = {RTE_MIN(a, b), RTE_MAX(a, b)};
	struct frame tagged;

	if ((how->flags & HOW_TAG) && f->len + 4 <= FRAME_MAX) {
		tagged = dp_tagged(f, FUZZ_VLAN);
		f = &tagged;
	}
	books_receive_chain(FUZZ_WAN, f->b, f->len, cut, how->flags & HOW_CHAIN ? 2 : 0);
}

/* Fragment of f with the payload bytes [from, to). */
static void receive_piece(
	const struct frame *f, const struct how *how, unsigned from, unsigned to, bool more)
{
	const bool six = f->b[L3] >> 4 == IP_V6;
	const unsigned head = L3 + (six ? 40 : 20), ext = six ? 8 : 0;
	const uint8_t field[] = {from >> 8, (from & 0xf8) | more};
	struct frame p = {.len = head + ext + to - from};

	if (p.len > FRAME_MAX)
		return;
	memcpy(p.b, f->b, head);
	memcpy(p.b + head + ext, f->b + head + from, to - from);
	if (six) {
		p.b[head] = p.b[L3 + 6];
		p.b[L3 + 6] = IPPROTO_FRAGMENT;
		memcpy(p.b + head + 2, field, sizeof(field));
		p.b[L3 + 4] = (p.len - head) >> 8;
		p.b[L3 + 5] = p.len - head;
	} else {
		p.b[L3 + 2] = (p.len - L3) >> 8;
		p.b[L3 + 3] = p.len - L3;
		p.b[L3 + 6] = from / 8 >> 8 | (more ? 0x20 : 0);
		p.b[L3 + 7] = from / 8;
		frame_checksum(&p);
	}
	receive(&p, how);
}

static void receive_pieces(const struct frame *f, const struct how *how)
{
	const unsigned head = L3 + (f->b[L3] >> 4 == IP_V6 ? 40 : 20), len = f->len - head;
	const unsigned a = RTE_MIN(how->cut[0] * 8u, len), b = RTE_MIN(how->cut[1] * 8u, len);
	const unsigned edge[] = {0, RTE_MIN(a, b), RTE_MAX(a, b), len};

	for (unsigned i = 0; i < 3; i++) {
		const unsigned k = how->flags & HOW_REVERSE ? 2 - i : i;

		if (edge[k] < edge[k + 1])
			receive_piece(f, how, edge[k], edge[k + 1], edge[k + 1] < len);
	}
}

static void spoil(struct frame *f, const struct how *how, bool mend)
{
	for (unsigned i = 0; i < RTE_DIM(how->flip); i++)
		f->b[(how->flip[i].at[0] | how->flip[i].at[1] << 8) % f->len] ^= how->flip[i].by;
	if (mend)
		mend_checksum(f->b + L3, f->len - L3);
	if (f->len + how->more >= L3 + 40 && f->len + how->more <= FRAME_MAX)
		f->len += how->more;
}

static void esp(const struct how *how, const uint8_t *text, unsigned len, bool mend)
{
	struct fuzz_tunnel *t = tunnel_of(how->tunnel);
	struct frame f = tunnel_frame(
		t, tunnel_seq(t, how->step), how->tos, text, len, how->flags & HOW_PAD && len > 0);

	spoil(&f, how, mend);
	for (unsigned i = 0; i < (how->flags & HOW_TWICE ? 2 : 1); i++) {
		if (how->flags & HOW_PIECES)
			receive_pieces(&f, how);
		else
			receive(&f, how);
	}
}

/* In two halves, if so. */
static void inner(const uint8_t *text, unsigned len, bool pieces)
{
	struct how how = {.flags = pieces ? HOW_PIECES : 0, .cut = {(len / 2 + 7) / 8}};

	esp(&how, text, len, false);
}

static void chain(const struct chain *c, const uint8_t *bytes, unsigned len)
{
	static uint8_t frame[UINT16_MAX];
	const uint16_t a = c->cut[0][0] | c->cut[0][1] << 8, b = c->cut[1][0] | c->cut[1][1] << 8;
	const uint16_t cut[] = {RTE_MIN(a, b), RTE_MAX(a, b)}, want = c->len[0] | c->len[1] << 8;
	unsigned have = len;

	memcpy(frame, bytes, len);
	for (unsigned n; len > 0 && have < want; have += n) {
		n = RTE_MIN(have, want - have);
		memcpy(frame + have, frame, n);
	}
	books_receive_chain(c->port % DP_PORTS, frame, have, cut, RTE_DIM(cut));
}

static void twin(uint8_t number, const uint8_t *bytes, unsigned len)
{
	const struct iface *vti = tunnel_vti(tunnel_of(number));

	books_inject((struct host_tag){.op = HOST_TUNNEL, .iface = vti->id}, bytes, len);
}

static void held(uint8_t number, uint8_t depth, const uint8_t *bytes, unsigned len)
{
	const struct iface *vti = tunnel_vti(tunnel_of(number));

	books_inject(
		(struct host_tag){
			.op = HOST_VTI,
			.flags = PKT_FORWARDED,
			.depth = depth % 5,
			.iface = vti->id,
			.in = dp.port[FUZZ_LAN].iface->id,
		},
		bytes, len);
}

/* A record begins with so many bytes that say what to do with the others. */
static unsigned head_len(enum op op)
{
	switch (op) {
	case OP_ESP:
		return sizeof(struct how);
	case OP_CHAIN:
		return sizeof(struct chain);
	case OP_TWIN:
		return 1;
	case OP_HELD:
	case OP_SCARCE:
		return 2;
	default:
		return 0;
	}
}

static void one_record(
	enum op op, const uint8_t *head, const uint8_t *bytes, unsigned len, bool mend)
{
	const struct host_tag frame = {.op = HOST_SEND, .iface = dp.port[0].iface->id};

	switch (op) {
	case OP_PORT0:
	case OP_PORT1:
	case OP_PORT2:
		books_receive(op - OP_PORT0, bytes, len);
		break;
	case OP_INNER:
	case OP_PIECES:
		inner(bytes, len, op == OP_PIECES);
		break;
	case OP_ESP:
		esp((const struct how *)head, bytes, len, mend);
		break;
	case OP_CHAIN:
		chain((const struct chain *)head, bytes, len);
		break;
	case OP_TUNNEL:
		twin(0, bytes, len);
		break;
	case OP_TWIN:
		twin(head[0], bytes, len);
		break;
	case OP_HELD:
		held(head[0], head[1], bytes, len);
		break;
	case OP_SCARCE:
		books_scarce(head[0], head[1]);
		break;
	case OP_FRAME:
		books_inject(frame, bytes, len);
		break;
	case OP_FORWARD:
	default:
		books_inject((struct host_tag){.op = HOST_FORWARD}, bytes, len);
	}
}

/* Whether frames or packets of the kernel's were among the records. */
static bool records(const uint8_t *data, size_t size)
{
	uint8_t head[sizeof(struct how)], bytes[PACKET_MAX];
	bool kernel = false;

	for (unsigned n = 0; n < RECORDS_MAX && size >= 3; n++) {
		enum op op = (data[0] & ~MEND) % OP_COUNT;
		bool mend = data[0] & MEND;
		size_t len = data[1] | data[2] << 8, first = head_len(op);
		unsigned l3 = op <= OP_PORT2 || op == OP_CHAIN ? L3 : 0;

		data += 3;
		size -= 3;
		len = RTE_MIN(RTE_MIN(len, size), (size_t)PACKET_MAX);
		first = RTE_MIN(first, len);
		memset(head, 0, sizeof(head));
		memcpy(head, data, first);
		memcpy(bytes, data + first, len - first);
		data += len;
		size -= len;
		len -= first;
		if (mend && len > l3)
			mend_checksum(bytes + l3, len - l3);
		one_record(op, head, bytes, len, mend);
		kernel |= op >= OP_TUNNEL && op != OP_ESP && op != OP_CHAIN;
	}
	return kernel;
}

static void stop(void)
{
	for (unsigned i = 0; i < dp.n_workers; i++)
		worker_free(dp.worker[i]);
}

static void make_routes(void)
{
	struct iface *port0 = dp.port[0].iface;

	dp_route("10.0.0.0/24", nexthop_get(NH_GLEAN, port0, NULL, NULL));
	dp_route("10.66.1.0/24", NH_ID_BLACKHOLE);
	dp_route("10.66.2.0/24", NH_ID_UNREACHABLE);
	dp_route("10.66.3.0/24", NH_ID_PROHIBIT);
	dp_route("10.66.4.0/24", NH_ID_KERNEL);
	dp_route("10.66.5.0/24", dp_station(2, "10.0.2.7", 7));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	dp_init((*argv)[0]);
	dp_start(FUZZ_WORKERS);
	for (unsigned i = 0; i < dp.n_workers; i++)
		dp.worker[i]->spread = dp.n_workers > 1;
	tunnels_start();
	make_routes();
	atomic_fetch_or(&tunnel_vti(tunnel_of(0))->flags, IFACE_MIRROR);
	atomic_store(
		&dp.port[2].iface->flags, IFACE_UP | IFACE_CARRIER | IFACE_MIRROR | IFACE_ESP_ONLY);
	atomic_store(&dp.port[2].iface->rpf, IFACE_RPF_STRICT);
	atomic_store(&dp.port[FUZZ_WAN].iface->mtu, 9000);
	atexit(stop);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Full buckets for each input. */
	for (unsigned i = 0; i < dp.n_workers; i++) {
		dp.worker[i]->icmp_all.refill = 0;
		memset(dp.worker[i]->icmp_to, 0, sizeof(dp.worker[i]->icmp_to));
	}
	tunnels_reset();
	books_close(records(data, size));
	return 0;
}
