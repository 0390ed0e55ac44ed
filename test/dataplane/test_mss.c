/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP's MSS option in SYNs through a tunnel: lowered to what fits, the checksum mended, and nothing
 * else in any packet touched. The inner packets are compared byte for byte, with checksums from
 * scratch. */
#include "far_end.h"

#include "dataplane/mss.h"

#include <rte_ip.h>
#include <rte_tcp.h>

#include <netinet/in.h>

#define HOST4 "10.1.0.9" /* behind port 0 */
#define HOST6 "2001:db8:a::9"
#define FAR4  "10.2.3.4" /* behind the tunnel */
#define FAR6  "2001:db8:b::4"
#define MTU   1400
#define FITS4 (MTU - 40)
#define FITS6 (MTU - 60)

#define SYN     RTE_TCP_SYN_FLAG
#define SYN_ACK (RTE_TCP_SYN_FLAG | RTE_TCP_ACK_FLAG)

#define MSS(n) 2, 4, (n) >> 8, (n)&0xff

static struct tunnel t;
static uint64_t seq;

/* family: of the outer header. */
static void open_tunnel(enum ip_family family, uint16_t mss)
{
	far_end_open(&t, family, MTU);
	atomic_store(&t.vti->mss, mss);
	seq = 0;
}

/* Where the TCP header is, from L3: behind IPv4 options and IPv6 extension headers. */
static unsigned tcp_at(const struct frame *f)
{
	unsigned at = 40;

	if (f->b[L3] >> 4 == 4)
		return (f->b[L3] & 0xf) * 4;
	for (uint8_t next = f->b[L3 + 6]; next != IPPROTO_TCP; next = f->b[L3 + at - 8])
		at += 8;
	return at;
}

/* TCP's checksum from scratch, headers between IP and TCP left out. */
static void put_checksum(struct frame *f)
{
	unsigned at = L3 + tcp_at(f), len = f->len - at, addresses = f->b[L3] >> 4 == 4 ? 8 : 32;
	const uint8_t *addr = f->b + L3 + (addresses == 8 ? 12 : 8);
	uint32_t sum = IPPROTO_TCP + len;

	f->b[at + 16] = f->b[at + 17] = 0;
	for (unsigned i = 0; i < addresses; i++)
		sum += addr[i] << (i & 1 ? 0 : 8);
	for (unsigned i = 0; i < len; i++)
		sum += f->b[at + i] << (i & 1 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	f->b[at + 16] = ~sum >> 8;
	f->b[at + 17] = ~sum;
}

/* A TCP segment with these options (a multiple of 4 bytes) and `payload` more bytes. */
static struct frame tcp(const char *src, const char *dst, uint8_t flags, const void *options,
	unsigned len, unsigned payload)
{
	uint8_t b[1500] = {0x30, 0x39, 0x01, 0xbb, 1, 2, 3,
		4, [12] = (20 + len) << 2, [13] = flags, [14] = 0xfa, [15] = 0xf0};
	struct frame f;

	memcpy(b + 20, options, len);
	for (unsigned i = 0; i < payload; i++)
		b[20 + len + i] = i * 7;
	f = frame_ip(TUNNEL_LAN, src, dst, IPPROTO_TCP, b, 20 + len + payload);
	put_checksum(&f);
	return f;
}

static struct frame to_far(bool six, uint8_t flags, const void *options, unsigned len)
{
	return tcp(six ? HOST6 : HOST4, six ? FAR6 : FAR4, flags, options, len, 0);
}

static struct frame to_host(bool six, uint8_t flags, const void *options, unsigned len)
{
	return tcp(six ? FAR6 : FAR4, six ? HOST6 : HOST4, flags, options, len, 0);
}

static struct frame hop(struct frame f)
{
	if (f.b[L3] >> 4 == 4) {
		f.b[L3 + 8]--;
		frame_checksum(&f);
	} else {
		f.b[L3 + 7]--;
	}
	return f;
}

/* f goes into the tunnel, and what comes out there is `want` after one hop. */
static void enters_as(const struct frame *f, const struct frame *want)
{
	struct frame got, after = hop(*want);

	dp_send(TUNNEL_LAN, f);
	dp_run();
	CU_ASSERT_FATAL(far_end_got(&got));
	memcpy(after.b, got.b, L3);
	CU_ASSERT(frame_eq(&after, got.b, got.len));
	CU_ASSERT(dp_none_dropped());
}

/* The peer sends f through the tunnel, and out of the LAN comes `want` after one hop. */
static void leaves_as(const struct frame *f, const struct frame *want)
{
	struct frame esp = tunnel_seal(&t, ++seq, f, 0);

	tunnel_passes(&esp, want);
}

/* The same frame with the MSS in the option at this offset of the options, checksum from scratch. */
static struct frame with_mss(struct frame f, unsigned offset, uint16_t mss)
{
	unsigned at = L3 + tcp_at(&f) + 20 + offset;

	f.b[at + 2] = mss >> 8;
	f.b[at + 3] = mss & 0xff;
	put_checksum(&f);
	return f;
}

static void unchanged(bool six, uint8_t flags, const void *options, unsigned len)
{
	struct frame f = to_far(six, flags, options, len), back = to_host(six, flags, options, len);

	enters_as(&f, &f);
	leaves_as(&back, &back);
}

/* At `offset` of the options there is an MSS that does not fit. */
static void clamped(
	bool six, uint8_t flags, const void *options, unsigned len, unsigned offset, uint16_t mss)
{
	struct frame f = to_far(six, flags, options, len), want = with_mss(f, offset, mss);

	enters_as(&f, &want);
	f = to_host(six, flags, options, len);
	want = with_mss(f, offset, mss);
	leaves_as(&f, &want);
}

static void syns_are_clamped_both_ways(void)
{
	static const uint8_t linux_syn[] = {
		MSS(1460), 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7};
	static const enum ip_family outer[] = {IP_V4, IP_V6};

	for (unsigned i = 0; i < RTE_DIM(outer); i++) {
		open_tunnel(outer[i], MSS_BY_MTU);
		clamped(false, SYN, linux_syn, sizeof(linux_syn), 0, FITS4);
		clamped(true, SYN, linux_syn, sizeof(linux_syn), 0, FITS6);
		clamped(false, SYN_ACK, linux_syn, sizeof(linux_syn), 0, FITS4);
		clamped(true, SYN_ACK, linux_syn, sizeof(linux_syn), 0, FITS6);
		/* ECN set-up SYN: other flags don't matter. */
		clamped(false, SYN | 0xc0, linux_syn, sizeof(linux_syn), 0, FITS4);
		tunnel_stop(&t);
	}
}

static void only_syns(void)
{
	static const uint8_t flags[] = {0, RTE_TCP_ACK_FLAG, RTE_TCP_RST_FLAG,
		RTE_TCP_FIN_FLAG | RTE_TCP_ACK_FLAG, RTE_TCP_PSH_FLAG | RTE_TCP_ACK_FLAG, 0xfd};
	static const uint8_t option[] = {MSS(9000)};

	open_tunnel(IP_V4, MSS_BY_MTU);
	for (unsigned i = 0; i < RTE_DIM(flags); i++) {
		unchanged(false, flags[i], option, 4);
		unchanged(true, flags[i], option, 4);
	}
	tunnel_stop(&t);
}

static void never_raised(void)
{
	static const uint8_t fits4[] = {MSS(FITS4)}, more4[] = {MSS(FITS4 + 1)};
	static const uint8_t fits6[] = {MSS(FITS6)}, more6[] = {MSS(FITS6 + 1)};
	static const uint8_t least[] = {MSS(0)}, most[] = {MSS(65535)};

	open_tunnel(IP_V4, MSS_BY_MTU);
	unchanged(false, SYN, fits4, 4);
	unchanged(true, SYN, fits6, 4);
	unchanged(false, SYN, least, 4);
	clamped(false, SYN, more4, 4, 0, FITS4);
	clamped(true, SYN, more6, 4, 0, FITS6);
	clamped(false, SYN, most, 4, 0, FITS4);
	tunnel_stop(&t);
}

/* Every place the option may have, the odd ones too, and of two both. */
static void wherever_the_option_stands(void)
{
	uint8_t options[40];

	open_tunnel(IP_V4, MSS_BY_MTU);
	for (unsigned at = 0; at <= 36; at++) {
		memset(options, 1, sizeof(options));
		memcpy(options + at, (const uint8_t[]){MSS(1461 + at)}, 4);
		clamped(false, SYN, options, sizeof(options), at, FITS4);
		clamped(true, SYN_ACK, options, sizeof(options), at, FITS6);
	}
	memset(options, 1, sizeof(options));
	memcpy(options, (const uint8_t[]){MSS(1460)}, 4);
	memcpy(options + 7, (const uint8_t[]){MSS(9000)}, 4);
	for (unsigned six = 0; six < 2; six++) {
		struct frame f = to_far(six, SYN, options, sizeof(options)), want;

		want = with_mss(f, 0, six ? FITS6 : FITS4);
		want = with_mss(want, 7, six ? FITS6 : FITS4);
		enters_as(&f, &want);
	}
	tunnel_stop(&t);
}

/* Checksums of which the sum has carries, all ones, and 0: any payload must do. */
static void any_checksum(void)
{
	static const uint8_t at0[] = {MSS(1460)}, at1[] = {1, MSS(1460), 1, 1, 0};
	struct frame f, want;

	open_tunnel(IP_V4, MSS_BY_MTU);
	for (unsigned i = 0; i < 66000; i += 131) {
		f = tcp(HOST4, FAR4, SYN, i & 1 ? at1 : at0, i & 1 ? 8 : 4, 2);
		f.b[f.len - 2] = i >> 8;
		f.b[f.len - 1] = i;
		put_checksum(&f);
		want = with_mss(f, i & 1, FITS4);
		enters_as(&f, &want);
	}
	/* A wrong one stays as wrong as it was: the packet is not made good. */
	f = to_far(false, SYN, at0, 4);
	want = with_mss(f, 0, FITS4);
	f.b[L3 + 36] ^= 0x40;
	want.b[L3 + 36] ^= 0x40;
	dp_send(TUNNEL_LAN, &f);
	dp_run();
	CU_ASSERT(far_end_got(&f));
	put_checksum(&want);
	CU_ASSERT_NOT_EQUAL(memcmp(f.b + L3 + 36, want.b + L3 + 36, 2), 0);
	tunnel_stop(&t);
}

static void bad_options_leave_the_packet_alone(void)
{
	static const struct {
		uint8_t len, b[12];
	} bad[] = {
		{0, {0}}, /* none: it means 536 or 1220 */
		{4, {1, 1, 1, 1}},
		{4, {0, 2, 4, 255}},   /* behind the end */
		{4, {2, 3, 255, 255}}, /* MSS of another length */
		{8, {2, 5, 255, 255, 255, 1, 1, 0}},
		{4, {2, 0, 255, 255}}, /* length 0: no end to it */
		{4, {3, 1, 2, 4}},     /* length 1 */
		{8, {8, 0, 2, 4, 255, 255}},
		{4, {1, 1, 1, 2}},            /* the length is missing */
		{4, {1, 1, 2, 4}},            /* so is the value */
		{4, {1, 2, 4, 255}},          /* half of it */
		{8, {5, 20, 2, 4, 255, 255}}, /* another option beyond the header */
		{12, {3, 255, 1, 1, 2, 4, 255, 255}},
	};

	open_tunnel(IP_V4, MSS_BY_MTU);
	for (unsigned i = 0; i < RTE_DIM(bad); i++) {
		unchanged(false, SYN, bad[i].b, bad[i].len);
		unchanged(true, SYN, bad[i].b, bad[i].len);
	}
	tunnel_stop(&t);
}

/* The header's length below the least, or beyond the packet: not a byte behind it is read as option. */
static void bad_header_lengths(void)
{
	static const uint8_t option[] = {MSS(9000), 1, 1, 1, 1};
	static const uint8_t words[] = {0, 1, 4, 8, 15};
	struct frame f;

	open_tunnel(IP_V4, MSS_BY_MTU);
	for (unsigned six = 0; six < 2; six++) {
		for (unsigned i = 0; i < RTE_DIM(words); i++) {
			f = to_far(six, SYN, option, sizeof(option));
			f.b[L3 + tcp_at(&f) + 12] = words[i] << 4;
			put_checksum(&f);
			enters_as(&f, &f);
		}
		/* TCP cut short: there is no flags byte, or nothing at all. */
		for (unsigned len = 0; len < 20; len += 13) {
			uint8_t b[20] = {[12] = 0x60, [13] = SYN};

			f = frame_ip(
				0, six ? HOST6 : HOST4, six ? FAR6 : FAR4, IPPROTO_TCP, b, len);
			enters_as(&f, &f);
		}
	}
	tunnel_stop(&t);
}

/* The rule is of a packet without IP options; those the SYN has don't count. */
static void behind_ip_options_and_extension_headers(void)
{
	static const uint8_t option[] = {MSS(1460)}, nops[] = {1, 1, 1, 1};
	static const uint8_t hop_by_hop[] = {IPPROTO_DSTOPTS, 0, 1, 4, 0, 0, 0, 0};
	static const uint8_t dest[] = {IPPROTO_TCP, 0, 1, 4, 0, 0, 0, 0};
	struct frame f = to_far(false, SYN, option, 4), want;

	open_tunnel(IP_V4, MSS_BY_MTU);
	frame_insert(&f, L3 + 20, nops, sizeof(nops));
	f.b[L3] = 0x46;
	frame_checksum(&f);
	want = with_mss(f, 0, FITS4);
	enters_as(&f, &want);
	f = to_far(true, SYN, option, 4);
	frame_insert(&f, L3 + 40, dest, sizeof(dest));
	frame_insert(&f, L3 + 40, hop_by_hop, sizeof(hop_by_hop));
	f.b[L3 + 6] = IPPROTO_HOPOPTS;
	want = with_mss(f, 0, FITS6);
	enters_as(&f, &want);
	tunnel_stop(&t);
}

/* A first fragment with the whole TCP header, whose checksum is of the whole packet, is clamped; one
 * with half of the options is not, nor is what stands in later ones. */
static void fragments(void)
{
	static const uint8_t option[] = {1, 1, 1, 1, MSS(1460)};
	struct frame f = to_far(false, SYN, option, 8), want;

	open_tunnel(IP_V4, MSS_BY_MTU);
	want = with_mss(f, 4, FITS4);
	f.b[L3 + 6] = want.b[L3 + 6] = 0x20;
	frame_checksum(&f);
	frame_checksum(&want);
	enters_as(&f, &want);
	f.b[L3 + 7] = 1;
	frame_checksum(&f);
	enters_as(&f, &f);
	f = to_far(false, SYN, option, 8);
	f.len -= 4;
	f.b[L3 + 3] -= 4;
	f.b[L3 + 6] = 0x20;
	frame_checksum(&f);
	enters_as(&f, &f);
	tunnel_stop(&t);
}

static void fragments6(void)
{
	static const uint8_t option[] = {MSS(1460)};
	static const uint8_t first[] = {IPPROTO_TCP, 0, 0, 1, 0, 0, 0, 7};
	struct frame f = to_far(true, SYN, option, 4), want;

	open_tunnel(IP_V4, MSS_BY_MTU);
	frame_insert(&f, L3 + 40, first, sizeof(first));
	f.b[L3 + 6] = IPPROTO_FRAGMENT;
	want = with_mss(f, 0, FITS6);
	enters_as(&f, &want);
	f.b[L3 + 43] = 9; /* the second 8 bytes and so on */
	enters_as(&f, &f);
	tunnel_stop(&t);
}

/* A SYN with data (TCP Fast Open) that is cut for the tunnel: its first piece is clamped. */
static void a_syn_that_is_cut(void)
{
	static const uint8_t option[] = {MSS(1460)};
	struct frame f = tcp(HOST4, FAR4, SYN, option, 4, 1456), want, got;

	open_tunnel(IP_V4, MSS_BY_MTU);
	want = hop(with_mss(f, 0, FITS4));
	want.len = L3 + 20 + 1376;
	want.b[L3 + 2] = 1396 >> 8;
	want.b[L3 + 3] = 1396 & 0xff;
	want.b[L3 + 6] = 0x20;
	frame_checksum(&want);
	dp_send(TUNNEL_LAN, &f);
	dp_run();
	CU_ASSERT_FATAL(far_end_got(&got));
	memcpy(want.b, got.b, L3);
	CU_ASSERT(frame_eq(&want, got.b, got.len));
	CU_ASSERT(far_end_got(&got));
	tunnel_stop(&t);
}

static void off_is_off(void)
{
	static const uint8_t option[] = {MSS(65535)};

	open_tunnel(IP_V4, MSS_ANY);
	unchanged(false, SYN, option, 4);
	unchanged(true, SYN_ACK, option, 4);
	tunnel_stop(&t);
}

static void a_value_of_the_administrators(void)
{
	static const uint8_t option[] = {MSS(1460)}, small[] = {MSS(999)};

	open_tunnel(IP_V4, 1000);
	clamped(false, SYN, option, 4, 0, 1000);
	clamped(true, SYN, option, 4, 0, 1000);
	unchanged(false, SYN, small, 4);
	tunnel_stop(&t);
}

/* The next SYN after the MTU changed; an IPv6 MTU is not taken for 1280, so that nothing is cut. */
static void follows_the_mtu(void)
{
	static const uint8_t option[] = {MSS(1460)};

	open_tunnel(IP_V4, MSS_BY_MTU);
	clamped(false, SYN, option, 4, 0, FITS4);
	atomic_store(&t.vti->mtu, 1200);
	clamped(false, SYN, option, 4, 0, 1160);
	clamped(true, SYN, option, 4, 0, 1140);
	atomic_store(&t.vti->mtu, 100);
	clamped(false, SYN, option, 4, 0, MSS_LEAST);
	tunnel_stop(&t);
}

/* One SYN among many other packets, of both families, in one turn. */
static void among_others(void)
{
	static const uint8_t option[] = {MSS(1460)};
	struct frame in[12], want[12], got;

	open_tunnel(IP_V4, MSS_BY_MTU);
	for (unsigned i = 0; i < RTE_DIM(in); i++) {
		in[i] = i % 3 == 0
			? frame_udp(0, HOST4, FAR4, i)
			: to_far(i & 1, i == 7 || i == 8 ? SYN : RTE_TCP_ACK_FLAG, option, 4);
		want[i] = i == 7 || i == 8 ? with_mss(in[i], 0, i & 1 ? FITS6 : FITS4) : in[i];
		dp_send(TUNNEL_LAN, &in[i]);
	}
	dp_run();
	for (unsigned i = 0; i < RTE_DIM(in); i++) {
		want[i] = hop(want[i]);
		CU_ASSERT_FATAL(far_end_got(&got));
		memcpy(want[i].b, got.b, L3);
		CU_ASSERT(frame_eq(&want[i], got.b, got.len));
	}
	tunnel_stop(&t);
}

/* Packets that only pass through the router by its ports are nobody's to change. */
static void plain_forwarding_is_untouched(void)
{
	static const uint8_t option[] = {MSS(9000)};
	uint32_t nh = dp_station(1, "10.0.1.2", 2);
	struct frame f = tcp(HOST4, "10.3.0.1", SYN, option, 4, 0);

	dp_route("10.3.0.0/16", nh);
	dp_expect_forwarded(&f);
	dp_unroute("10.3.0.0/16");
}

DP_MAIN("mss", 1, DP_TEST(syns_are_clamped_both_ways), DP_TEST(only_syns), DP_TEST(never_raised),
	DP_TEST(wherever_the_option_stands), DP_TEST(any_checksum),
	DP_TEST(bad_options_leave_the_packet_alone), DP_TEST(bad_header_lengths),
	DP_TEST(behind_ip_options_and_extension_headers), DP_TEST(fragments), DP_TEST(fragments6),
	DP_TEST(a_syn_that_is_cut), DP_TEST(off_is_off), DP_TEST(a_value_of_the_administrators),
	DP_TEST(follows_the_mtu), DP_TEST(among_others), DP_TEST(plain_forwarding_is_untouched))
