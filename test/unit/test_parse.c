/* SPDX-License-Identifier: BSD-3-Clause */
/* parse_ip(): what it says about each header, bytes written by hand. */
#include "dataplane/worker.h"
#include "unit.h"

#include <netinet/in.h>

#define GOOD DROP_REASON_COUNT

/* 10.0.0.9 to 10.2.3.4, UDP, 28 bytes; checksum by scapy's encoder. */
static const uint8_t ip4[] = {0x45, 0x00, 0x00, 0x1c, 0x00, 0x01, 0x00, 0x00, 0x40, 0x11, 0x63,
	0xc2, 10, 0, 0, 9, 10, 2, 3, 4, 0x03, 0xe8, 0x07, 0xd0, 0x00, 0x08, 0xd5, 0xf4};

/* 2001:db8::9 to 2001:db8:ffff::4, UDP, 48 bytes. */
static const uint8_t ip6[] = {0x60, 0, 0, 0, 0, 8, 17, 64, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 9, 0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0x03,
	0xe8, 0x07, 0xd0, 0x00, 0x08, 0, 0};

/* A packet at the very end of its own memory, so that ASan sees a read beyond it. */
struct packet {
	uint8_t *mem;
	unsigned len;
	struct pkt p;
};

static struct packet make(const uint8_t *bytes, unsigned len)
{
	struct packet k = {.mem = malloc(len), .len = len};

	memcpy(k.mem, bytes, len);
	k.p.l3 = k.mem;
	return k;
}

static void fix_checksum(struct packet *k)
{
	uint32_t sum = 0;

	k->mem[10] = k->mem[11] = 0;
	for (unsigned i = 0; i < (k->mem[0] & 0xfu) * 4 && i + 1 < k->len; i += 2)
		sum += k->mem[i] << 8 | k->mem[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	k->mem[10] = ~sum >> 8;
	k->mem[11] = ~sum;
}

static enum drop_reason verdict(struct packet *k)
{
	enum drop_reason r = parse_ip(&k->p, k->len);

	free(k->mem);
	return r;
}

/* One byte changed, checksum mended. */
static enum drop_reason ip4_with(unsigned at, uint8_t value)
{
	struct packet k = make(ip4, sizeof(ip4));

	k.mem[at] = value;
	fix_checksum(&k);
	return verdict(&k);
}

static enum drop_reason ip4_from_to(uint32_t src, uint32_t dst)
{
	struct packet k = make(ip4, sizeof(ip4));

	src = htonl(src);
	dst = htonl(dst);
	memcpy(k.mem + 12, &src, 4);
	memcpy(k.mem + 16, &dst, 4);
	fix_checksum(&k);
	return verdict(&k);
}

static void fields_of_ip4(void)
{
	struct packet k = make(ip4, sizeof(ip4));

	k.p.flags = PKT_DECRYPTED | PKT_FRAGMENT | PKT_LATER_FRAGMENT;
	CU_ASSERT_EQUAL(verdict(&k), GOOD);
	CU_ASSERT_EQUAL(k.p.family, IP_V4);
	CU_ASSERT_EQUAL(k.p.len, 28);
	CU_ASSERT_EQUAL(k.p.l4_off, 20);
	CU_ASSERT_EQUAL(k.p.proto, IPPROTO_UDP);
	CU_ASSERT_EQUAL(k.p.flags, PKT_DECRYPTED);
}

static void every_cut_of_ip4_is_short(void)
{
	for (unsigned len = 0; len < sizeof(ip4); len++) {
		struct packet k = make(ip4, len);

		CU_ASSERT_EQUAL(verdict(&k), len < 20 ? DROP_TOO_SHORT : DROP_IP4_TOTAL_LEN);
	}
}

static void versions(void)
{
	for (unsigned v = 0; v < 16; v++) {
		struct packet k = make(ip4, sizeof(ip4));

		k.mem[0] = v << 4 | 5;
		if (v != 4 && v != 6)
			CU_ASSERT_EQUAL(parse_ip(&k.p, k.len), DROP_IP4_VERSION);
		free(k.mem);
	}
}

static void ip4_header_lengths(void)
{
	for (unsigned ihl = 0; ihl < 5; ihl++)
		CU_ASSERT_EQUAL(ip4_with(0, 0x40 | ihl), DROP_IP4_HEADER_LEN);
	/* 8 words are more than the 28 bytes there are. */
	CU_ASSERT_EQUAL(ip4_with(0, 0x48), DROP_IP4_HEADER_LEN);
	CU_ASSERT_EQUAL(ip4_with(3, 19), DROP_IP4_TOTAL_LEN);
	CU_ASSERT_EQUAL(ip4_with(3, 29), DROP_IP4_TOTAL_LEN);
	CU_ASSERT_EQUAL(ip4_with(3, 20), GOOD);
}

static void ip4_padding_is_not_counted(void)
{
	uint8_t padded[46] = {0};
	struct packet k;

	memcpy(padded, ip4, sizeof(ip4));
	k = make(padded, sizeof(padded));
	CU_ASSERT_EQUAL(verdict(&k), GOOD);
	CU_ASSERT_EQUAL(k.p.len, 28);
}

static void every_flipped_bit_breaks_the_checksum(void)
{
	for (unsigned bit = 8; bit < 160; bit++) {
		struct packet k = make(ip4, sizeof(ip4));
		enum drop_reason r;

		k.mem[bit / 8] ^= 1 << bit % 8;
		r = verdict(&k);
		/* In the length field the length is wrong before the checksum is. */
		CU_ASSERT(r == DROP_IP4_CHECKSUM ||
			(bit / 8 >= 2 && bit / 8 <= 3 && r == DROP_IP4_TOTAL_LEN));
	}
}

static void nic_verdict_is_believed_once(void)
{
	struct packet k = make(ip4, sizeof(ip4));

	k.mem[10] ^= 1;
	k.p.flags = PKT_CKSUM_OK;
	CU_ASSERT_EQUAL(parse_ip(&k.p, k.len), GOOD);
	CU_ASSERT_EQUAL(k.p.flags, 0);
	CU_ASSERT_EQUAL(parse_ip(&k.p, k.len), DROP_IP4_CHECKSUM);
	free(k.mem);
}

static enum drop_reason ip4_options(const uint8_t *opt, unsigned len)
{
	uint8_t b[60];
	struct packet k;

	memcpy(b, ip4, 20);
	memcpy(b + 20, opt, len);
	b[0] = 0x40 | (5 + len / 4);
	b[3] = 20 + len;
	k = make(b, 20 + len);
	fix_checksum(&k);
	return verdict(&k);
}

static void ip4_option_lists(void)
{
	CU_ASSERT_EQUAL(ip4_options((uint8_t[]){1, 1, 1, 0}, 4), GOOD);
	CU_ASSERT_EQUAL(ip4_options((uint8_t[]){148, 4, 0, 0}, 4), GOOD); /* router alert */
	CU_ASSERT_EQUAL(ip4_options((uint8_t[]){131, 3, 4, 0}, 4), DROP_IP4_SOURCE_ROUTE);
	CU_ASSERT_EQUAL(ip4_options((uint8_t[]){137, 3, 4, 0}, 4), DROP_IP4_SOURCE_ROUTE);
	CU_ASSERT_EQUAL(
		ip4_options((uint8_t[]){1, 7, 3, 4, 131, 3, 4, 0}, 8), DROP_IP4_SOURCE_ROUTE);
	/* The end of the list ends it. */
	CU_ASSERT_EQUAL(ip4_options((uint8_t[]){0, 131, 3, 4}, 4), GOOD);
	/* Lengths of 0 and 1, beyond the header, and none at all. */
	CU_ASSERT_EQUAL(ip4_options((uint8_t[]){7, 0, 0, 0}, 4), DROP_IP4_HEADER_LEN);
	CU_ASSERT_EQUAL(ip4_options((uint8_t[]){7, 1, 0, 0}, 4), DROP_IP4_HEADER_LEN);
	CU_ASSERT_EQUAL(ip4_options((uint8_t[]){7, 5, 0, 0}, 4), DROP_IP4_HEADER_LEN);
	CU_ASSERT_EQUAL(ip4_options((uint8_t[]){1, 1, 1, 7}, 4), DROP_IP4_HEADER_LEN);
}

static void ip4_martians(void)
{
	const uint32_t good = 0x0a000009, to = 0x0a020304, everybody = 0xffffffff;

	CU_ASSERT_EQUAL(ip4_from_to(0x7f000001, to), DROP_MARTIAN_SRC);
	CU_ASSERT_EQUAL(ip4_from_to(0xe0000001, to), DROP_MARTIAN_SRC);
	CU_ASSERT_EQUAL(ip4_from_to(0xf0000001, to), DROP_MARTIAN_SRC);
	CU_ASSERT_EQUAL(ip4_from_to(everybody, to), DROP_MARTIAN_SRC);
	CU_ASSERT_EQUAL(ip4_from_to(0, to), DROP_MARTIAN_SRC);
	CU_ASSERT_EQUAL(ip4_from_to(0x00000001, everybody), DROP_MARTIAN_SRC);
	CU_ASSERT_EQUAL(ip4_from_to(0, everybody), GOOD); /* DHCP discover */
	CU_ASSERT_EQUAL(ip4_from_to(good, 0x7f000001), DROP_MARTIAN_DST);
	CU_ASSERT_EQUAL(ip4_from_to(good, 0), DROP_MARTIAN_DST);
	CU_ASSERT_EQUAL(ip4_from_to(good, 0xf0000001), DROP_MARTIAN_DST);
	/* The neighbours of those ranges are fine. */
	CU_ASSERT_EQUAL(ip4_from_to(0x7effffff, 0x80000001), GOOD);
	CU_ASSERT_EQUAL(ip4_from_to(0xdfffffff, 0x01000000), GOOD);
}

static void ip4_multicast_is_flagged(void)
{
	static const uint32_t dst[] = {0xe0000005, 0xefffffff, 0xffffffff};

	for (unsigned i = 0; i < 3; i++) {
		struct packet k = make(ip4, sizeof(ip4));
		uint32_t be = htonl(dst[i]);

		memcpy(k.mem + 16, &be, 4);
		fix_checksum(&k);
		CU_ASSERT_EQUAL(verdict(&k), GOOD);
		CU_ASSERT_EQUAL(k.p.flags, PKT_MULTICAST);
	}
}

static uint8_t ip4_fragment_flags(uint8_t hi, uint8_t lo)
{
	struct packet k = make(ip4, sizeof(ip4));

	k.mem[6] = hi;
	k.mem[7] = lo;
	fix_checksum(&k);
	CU_ASSERT_EQUAL(verdict(&k), GOOD);
	return k.p.flags;
}

static void ip4_fragments_are_flagged(void)
{
	CU_ASSERT_EQUAL(ip4_fragment_flags(0x40, 0), 0); /* DF alone */
	CU_ASSERT_EQUAL(ip4_fragment_flags(0x20, 0), PKT_FRAGMENT);
	CU_ASSERT_EQUAL(ip4_fragment_flags(0x20, 1), PKT_FRAGMENT | PKT_LATER_FRAGMENT);
	CU_ASSERT_EQUAL(ip4_fragment_flags(0x00, 1), PKT_FRAGMENT | PKT_LATER_FRAGMENT);
	CU_ASSERT_EQUAL(ip4_fragment_flags(0x1f, 0xff), PKT_FRAGMENT | PKT_LATER_FRAGMENT);
}

static void fields_of_ip6(void)
{
	struct packet k = make(ip6, sizeof(ip6));

	CU_ASSERT_EQUAL(verdict(&k), GOOD);
	CU_ASSERT_EQUAL(k.p.family, IP_V6);
	CU_ASSERT_EQUAL(k.p.len, 48);
	CU_ASSERT_EQUAL(k.p.l4_off, 40);
	CU_ASSERT_EQUAL(k.p.proto, IPPROTO_UDP);
	CU_ASSERT_EQUAL(k.p.flags, 0);
}

static void every_cut_of_ip6_is_short(void)
{
	for (unsigned len = 1; len < sizeof(ip6); len++) {
		struct packet k = make(ip6, len);

		CU_ASSERT_EQUAL(verdict(&k), len < 40 ? DROP_TOO_SHORT : DROP_IP6_PAYLOAD_LEN);
	}
}

/* ip6 with extension headers between its header and 8 bytes of UDP. */
static struct packet ip6_ext(uint8_t first, const uint8_t *ext, unsigned len)
{
	uint8_t b[600];

	memcpy(b, ip6, 40);
	memcpy(b + 40, ext, len);
	memcpy(b + 40 + len, ip6 + 40, 8);
	b[4] = (len + 8) >> 8;
	b[5] = len + 8;
	b[6] = first;
	return make(b, 48 + len);
}

static void ip6_extension_headers(void)
{
	/* Hop-by-hop, destination options of 16 bytes, routing, then UDP. */
	const uint8_t chain[32] = {[0] = 60, [8] = 43, 1, [24] = 17, [26] = 4};
	struct packet k = ip6_ext(0, chain, sizeof(chain));

	CU_ASSERT_EQUAL(verdict(&k), GOOD);
	CU_ASSERT_EQUAL(k.p.l4_off, 72);
	CU_ASSERT_EQUAL(k.p.proto, 17);
	CU_ASSERT_EQUAL(k.p.len, 80);
}

static void ip6_extension_headers_end(void)
{
	uint8_t many[9 * 8] = {0}, long_one[264] = {17, 32}, cut[8] = {17, 2};
	struct packet k;

	for (unsigned i = 0; i < 9; i++)
		many[i * 8] = i == 8 ? 17 : 60;
	k = ip6_ext(60, many, 9 * 8);
	CU_ASSERT_EQUAL(verdict(&k), DROP_IP6_EXT_HEADERS);
	many[7 * 8] = 17;
	k = ip6_ext(60, many, 8 * 8);
	CU_ASSERT_EQUAL(verdict(&k), GOOD);

	k = ip6_ext(60, long_one, sizeof(long_one));
	CU_ASSERT_EQUAL(verdict(&k), DROP_IP6_EXT_HEADERS);
	long_one[1] = 31;
	k = ip6_ext(60, long_one, 256);
	CU_ASSERT_EQUAL(verdict(&k), GOOD);

	/* Says 24 bytes, but 16 are left. */
	k = ip6_ext(60, cut, sizeof(cut));
	CU_ASSERT_EQUAL(verdict(&k), DROP_IP6_EXT_HEADERS);
	/* Not even a header is there. */
	k = make(ip6, 40);
	k.mem[5] = 0;
	k.mem[6] = 60;
	CU_ASSERT_EQUAL(verdict(&k), DROP_IP6_EXT_HEADERS);
}

static uint8_t ip6_fragment_flags(uint8_t hi, uint8_t lo)
{
	const uint8_t ext[8] = {17, 0, hi, lo, 1, 2, 3, 4};
	struct packet k = ip6_ext(44, ext, sizeof(ext));

	CU_ASSERT_EQUAL(verdict(&k), GOOD);
	CU_ASSERT_EQUAL(k.p.l4_off, 48);
	CU_ASSERT_EQUAL(k.p.proto, 17);
	return k.p.flags;
}

static void ip6_fragments_are_flagged(void)
{
	CU_ASSERT_EQUAL(ip6_fragment_flags(0, 0), 0); /* RFC 6946 */
	CU_ASSERT_EQUAL(ip6_fragment_flags(0, 1), PKT_FRAGMENT);
	CU_ASSERT_EQUAL(ip6_fragment_flags(0, 8), PKT_FRAGMENT | PKT_LATER_FRAGMENT);
	CU_ASSERT_EQUAL(ip6_fragment_flags(0xff, 0xf9), PKT_FRAGMENT | PKT_LATER_FRAGMENT);
}

/* In a later fragment, bytes behind the fragment header are payload, whatever they look like. */
static void ip6_later_fragment_is_not_walked_on(void)
{
	const uint8_t ext[8] = {60, 0, 0, 8};
	struct packet k = ip6_ext(44, ext, sizeof(ext));

	k.mem[49] = 0xff;
	CU_ASSERT_EQUAL(verdict(&k), GOOD);
	CU_ASSERT_EQUAL(k.p.l4_off, 48);
	CU_ASSERT_EQUAL(k.p.proto, 60);
}

static enum drop_reason ip6_addr(unsigned at, const uint8_t addr[16])
{
	struct packet k = make(ip6, sizeof(ip6));

	memcpy(k.mem + at, addr, 16);
	return verdict(&k);
}

static void ip6_martians(void)
{
	const uint8_t any[16] = {0}, loop[16] = {[15] = 1}, multi[16] = {0xff, 2, [15] = 1};
	const uint8_t mapped[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1}, two[16] = {[15] = 2};
	struct packet k;

	CU_ASSERT_EQUAL(ip6_addr(8, any), DROP_MARTIAN_SRC);
	CU_ASSERT_EQUAL(ip6_addr(8, loop), DROP_MARTIAN_SRC);
	CU_ASSERT_EQUAL(ip6_addr(8, multi), DROP_MARTIAN_SRC);
	CU_ASSERT_EQUAL(ip6_addr(8, mapped), DROP_MARTIAN_SRC);
	CU_ASSERT_EQUAL(ip6_addr(8, two), GOOD);
	CU_ASSERT_EQUAL(ip6_addr(24, any), DROP_MARTIAN_DST);
	CU_ASSERT_EQUAL(ip6_addr(24, loop), DROP_MARTIAN_DST);
	CU_ASSERT_EQUAL(ip6_addr(24, mapped), DROP_MARTIAN_DST);
	CU_ASSERT_EQUAL(ip6_addr(24, multi), GOOD);

	/* Duplicate address detection: from :: to multicast. */
	k = make(ip6, sizeof(ip6));
	memcpy(k.mem + 8, any, 16);
	memcpy(k.mem + 24, multi, 16);
	CU_ASSERT_EQUAL(verdict(&k), GOOD);
	CU_ASSERT_EQUAL(k.p.flags, PKT_MULTICAST);
}

/* Seeded noise, from plain random bytes to headers that are nearly right: what is called good lies
 * within its bytes. ASan watches the rest. */
static void noise(void)
{
	unsigned good = 0;

	srandom(20);
	for (unsigned i = 0; i < 200000; i++) {
		struct packet k;
		uint8_t b[128];
		unsigned len = random() % sizeof(b);

		for (unsigned j = 0; j < sizeof(b); j++)
			b[j] = random();
		if (i % 4 != 0)
			memcpy(b, i % 2 ? ip4 : ip6, random() % (i % 2 ? 24 : 44));
		k = make(b, len);
		if (i % 4 != 0 && len >= 20 && i % 2)
			fix_checksum(&k);
		if (parse_ip(&k.p, len) == GOOD) {
			good++;
			CU_ASSERT(k.p.len <= len);
			CU_ASSERT(k.p.l4_off >= 20 && k.p.l4_off <= k.p.len);
		}
		free(k.mem);
	}
	CU_ASSERT(good > 1000);
}

UNIT_MAIN("parse", UNIT_TEST(fields_of_ip4), UNIT_TEST(every_cut_of_ip4_is_short),
	UNIT_TEST(versions), UNIT_TEST(ip4_header_lengths), UNIT_TEST(ip4_padding_is_not_counted),
	UNIT_TEST(every_flipped_bit_breaks_the_checksum), UNIT_TEST(nic_verdict_is_believed_once),
	UNIT_TEST(ip4_option_lists), UNIT_TEST(ip4_martians), UNIT_TEST(ip4_multicast_is_flagged),
	UNIT_TEST(ip4_fragments_are_flagged), UNIT_TEST(fields_of_ip6),
	UNIT_TEST(every_cut_of_ip6_is_short), UNIT_TEST(ip6_extension_headers),
	UNIT_TEST(ip6_extension_headers_end), UNIT_TEST(ip6_fragments_are_flagged),
	UNIT_TEST(ip6_later_fragment_is_not_walked_on), UNIT_TEST(ip6_martians), UNIT_TEST(noise))
