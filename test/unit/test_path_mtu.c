/* SPDX-License-Identifier: BSD-3-Clause */
/* What ICMP says of paths: what is believed, what follows from it, and for how long. */
#include "control/iface/path_mtu.h"
#include "control/iface/vti_mtu.h"
#include "dataplane/esp.h"
#include "dataplane/host.h"
#include "sadb_fixture.h"

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include <arpa/inet.h>

#define SPI     0x1000
#define TELLER  "203.0.113.1"
#define HERE6   "2001:db8::1"
#define THERE6  "2001:db8:f::2"
#define BY_1500 1446 /* AES-GCM over IPv4 */
#define BY_1300 1246

static struct rte_mempool *pool;
static struct vti *tun;
static uint64_t drops_before[DROP_REASON_COUNT];

/* What a router says, and of which packet. */
struct told {
	const char *src, *dst; /* of ours */
	uint32_t spi, seq;
	uint16_t sport, dport; /* 0: plain ESP */
	uint32_t mtu, len;
	bool bad_checksum;
	bool fragment; /* IPv6: the first of several */
};

static const struct told good = {
	.src = HERE, .dst = THERE, .spi = SPI, .seq = 5, .mtu = 1300, .len = 1500};

static bool dropped(enum drop_reason reason, uint64_t n)
{
	bool right = true;

	for (unsigned r = 0; r < DROP_REASON_COUNT; r++) {
		const uint64_t got = path_mtu_drops(r) - drops_before[r];

		drops_before[r] += got;
		right &= got == (r == reason ? n : 0);
	}
	return right;
}

static bool none_dropped(void)
{
	return dropped(DROP_PMTU_BAD, 0);
}

static void add_sa(struct viaduct_sa r)
{
	const int rc = sadb_add(&r, &e);

	if (rc != 0)
		printf("    %s\n", e.text);
	CU_ASSERT_EQUAL_FATAL(rc, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(sadb_find(&r.id));
	sadb_find(&r.id)->sa->seq = 100; /* it has sent 99 packets */
}

static void start_with(struct viaduct_sa r)
{
	begin();
	if (pool == NULL)
		pool = rte_pktmbuf_pool_create("test", 127, 0, MBUF_PRIV_SIZE, 512, SOCKET_ID_ANY);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
	tun = vti("vti0", 7, 0, 0);
	add_sa(r);
	dropped(DROP_PMTU_BAD, 0);
}

static void start(void)
{
	start_with(sa_request(VIADUCT_OUT, SPI, 7));
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), BY_1500);
}

static void stop(void)
{
	path_mtu_fini();
	end();
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
}

static unsigned put(uint8_t *to, unsigned at, uint32_t v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		to[at + i] = v >> 8 * (n - 1 - i);
	return at + n;
}

/* The quoted packet: IP, perhaps UDP, ESP. Returns the ESP header's offset. */
static unsigned put_quote(uint8_t *q, const struct told *t, bool six)
{
	const struct viaduct_addr src = A(t->src), dst = A(t->dst);
	const uint8_t proto = t->sport != 0 ? IPPROTO_UDP : IPPROTO_ESP;
	unsigned at = six ? 40 : 20;

	if (six) {
		q[0] = 0x60;
		put(q, 4, t->len - 40, 2);
		q[6] = t->fragment ? IPPROTO_FRAGMENT : proto;
		memcpy(q + 8, src.bytes, 16);
		memcpy(q + 24, dst.bytes, 16);
		if (t->fragment) {
			q[40] = proto;
			at += 8;
		}
	} else {
		q[0] = 0x45;
		put(q, 2, t->len, 2);
		q[9] = proto;
		memcpy(q + 12, src.bytes, 4);
		memcpy(q + 16, dst.bytes, 4);
	}
	if (t->sport != 0) {
		put(q, at, t->sport, 2);
		put(q, at + 2, t->dport, 2);
		at += 8;
	}
	put(q, at, t->spi, 4);
	put(q, at + 4, t->seq, 4);
	return at;
}

static uint16_t checksum(const uint8_t *data, unsigned len, uint32_t sum)
{
	for (unsigned i = 0; i < len; i++)
		sum += i & 1 ? data[i] : data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* As a worker hands it over. */
static void tell(struct told t)
{
	const bool six = strchr(t.src, ':') != NULL;
	const unsigned quote = six ? 48 : 28, icmp = quote - 8;
	const struct viaduct_addr by = A(six ? "2001:db8:1::1" : TELLER), to = A(t.src);
	uint8_t b[256] = {six ? 0x60 : 0x45};
	unsigned esp = quote + put_quote(b + quote, &t, six), len = esp + 9; /* an odd length */
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	if (m == NULL)
		abort();
	memcpy(b + (six ? 8 : 12), by.bytes, six ? 16 : 4);
	memcpy(b + (six ? 24 : 16), to.bytes, six ? 16 : 4);
	b[icmp] = six ? 2 : 3;
	b[icmp + 1] = six ? 0 : 4;
	put(b, icmp + 4, t.mtu, 4);
	b[len - 1] = 0x77;
	put(b, icmp + 2,
		six ? checksum(b + 8, len - 8, len - icmp + IPPROTO_ICMPV6)
		    : checksum(b + icmp, len - icmp, 0),
		2);
	b[icmp + 2] ^= t.bad_checksum;
	memcpy(rte_pktmbuf_append(m, len), b, len);
	*host_tag(m) = (struct host_tag){.op = HOST_PATH_MTU, .quote = quote, .spi_off = esp};
	path_mtu_news_seen(m);
}

static void seconds(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		fake.now_ns += SECOND;
		path_mtu_tick();
	}
}

static uint32_t shown(uint32_t *expires)
{
	struct viaduct_vti_info info;

	vti_fill_info(tun, &info);
	*expires = info.path_mtu_expires;
	return info.path_mtu;
}

static void lowers_the_tunnels_mtu(void)
{
	uint32_t expires = 9;

	start();
	CU_ASSERT_EQUAL(shown(&expires), 1500);
	CU_ASSERT_EQUAL(expires, 0);
	fake.events = 0;
	tell(good);
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), BY_1300);
	CU_ASSERT_EQUAL(fake.mtu_set, 1280); /* the twin's: IPv6 needs it */
	CU_ASSERT_EQUAL(find(VIADUCT_OUT, SPI)->path_mtu, 1300);
	CU_ASSERT_EQUAL(shown(&expires), 1300);
	CU_ASSERT_EQUAL(expires, PATH_MTU_TIMEOUT);
	CU_ASSERT_EQUAL(fake.events, 1);
	CU_ASSERT_EQUAL(fake.event.vti.path_mtu, 1300);
	CU_ASSERT_EQUAL(fake.event.vti.mtu_now, BY_1300);
	CU_ASSERT(none_dropped());
	stop();
}

static void udp_encapsulation_and_ip6(void)
{
	struct viaduct_sa r = sa_request(VIADUCT_OUT, SPI, 7);
	struct told t = good;

	r.flags = VIADUCT_SA_ENCAP;
	r.sport = 4500;
	r.dport = 20001;
	start_with(r);
	tell(t); /* that was not encapsulated */
	t.sport = 4500;
	t.dport = 20002;
	tell(t);
	t.sport = 4501;
	t.dport = 20001;
	tell(t);
	CU_ASSERT(dropped(DROP_PMTU_NO_SA, 3));
	t.sport = 4500;
	tell(t);
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), BY_1300 - 8);
	CU_ASSERT(none_dropped());
	stop();

	r = sa_request(VIADUCT_OUT, SPI, 7);
	r.src = A(HERE6);
	r.id.dst = A(THERE6);
	start_with(r);
	t = good;
	t.src = HERE6;
	t.dst = THERE6;
	tell(t);
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), BY_1300 - 20);
	t.fragment = true;
	t.mtu = 1290;
	t.len = 1300;
	tell(t);
	CU_ASSERT_EQUAL(find(VIADUCT_OUT, SPI), NULL); /* it is the IPv6 one */
	CU_ASSERT_EQUAL(tun->iface->sa_out[0]->path_mtu, 1290);
	CU_ASSERT(none_dropped());
	t.mtu = 1280;
	t.bad_checksum = true;
	tell(t);
	CU_ASSERT(dropped(DROP_PMTU_BAD, 1));
	t.bad_checksum = false;
	t.mtu = 1279; /* no link of IPv6's has that */
	tell(t);
	CU_ASSERT(dropped(DROP_PMTU_BAD, 1));
	CU_ASSERT_EQUAL(tun->iface->sa_out[0]->path_mtu, 1290);
	t.mtu = 1280;
	tell(t);
	CU_ASSERT_EQUAL(tun->iface->sa_out[0]->path_mtu, 1280);
	stop();
}

static void only_of_packets_that_were_sent(void)
{
	struct told t = good;

	start();
	t.spi = SPI + 1;
	tell(t);
	t = good;
	t.dst = "192.0.2.3";
	tell(t);
	t = good;
	t.src = "192.0.2.9";
	tell(t);
	t = good;
	t.seq = 0;
	tell(t);
	t.seq = 100; /* the next one */
	tell(t);
	t = good;
	t.sport = 4500;
	t.dport = 4500;
	tell(t);
	CU_ASSERT(dropped(DROP_PMTU_NO_SA, 6));
	t = good;
	t.bad_checksum = true;
	tell(t);
	CU_ASSERT(dropped(DROP_PMTU_BAD, 1));
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), BY_1500);
	t = good;
	t.seq = 99;
	tell(t);
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), BY_1300);
	CU_ASSERT(none_dropped());
	stop();
}

/* One that expired, that belongs to no VTI, that is inbound. */
static void only_of_live_outbound_sas(void)
{
	struct viaduct_sa in = sa_request(VIADUCT_IN, SPI, 7);
	struct told t = good;

	start();
	atomic_store(&find(VIADUCT_OUT, SPI)->expired, SA_EXPIRED);
	tell(t);
	atomic_store(&find(VIADUCT_OUT, SPI)->expired, SA_LIVE);
	add_sa(sa_request(VIADUCT_OUT, SPI + 1, 8));
	t.spi = SPI + 1;
	tell(t);
	in.id.spi = SPI + 2;
	add_sa(in);
	t = good;
	t.spi = SPI + 2;
	t.src = THERE;
	t.dst = HERE;
	tell(t);
	CU_ASSERT(dropped(DROP_PMTU_NO_SA, 3));
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), BY_1500);
	stop();
}

static void never_raises(void)
{
	struct told t = good;
	uint32_t expires;

	start();
	tell(t);
	t.mtu = 1400;
	tell(t);
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), BY_1300);
	t.mtu = 1500; /* it was not too large */
	tell(t);
	t.mtu = 100000;
	tell(t);
	CU_ASSERT(dropped(DROP_PMTU_BAD, 2));
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), BY_1300);
	seconds(300); /* not in five minutes, whatever is said */
	t.mtu = 1400;
	tell(t);
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), BY_1300);
	CU_ASSERT_EQUAL(shown(&expires), 1300);
	CU_ASSERT_EQUAL(expires, PATH_MTU_TIMEOUT - 300);
	CU_ASSERT(none_dropped());
	stop();
}

static void ages(void)
{
	uint32_t expires;

	start();
	tell(good);
	seconds(PATH_MTU_TIMEOUT - 1);
	CU_ASSERT_EQUAL(shown(&expires), 1300);
	CU_ASSERT_EQUAL(expires, 1);
	tell(good); /* still so: it counts from now */
	seconds(PATH_MTU_TIMEOUT - 1);
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), BY_1300);
	seconds(1);
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), BY_1500);
	CU_ASSERT_EQUAL(fake.mtu_set, BY_1500);
	CU_ASSERT_EQUAL(find(VIADUCT_OUT, SPI)->path_mtu, UINT16_MAX);
	CU_ASSERT_EQUAL(shown(&expires), 1500);
	CU_ASSERT_EQUAL(expires, 0);
	stop();
}

/* RFC 1191 5 and 7.1; see IP4_LEAST. */
static void small_and_no_values(void)
{
	static const uint32_t guess[][2] = {
		{1500, 1492}, {1492, 1006}, {9000, 8166}, {65535, 17914}, {1006, 576}, {300, 576}};
	struct told t = good;
	uint32_t expires;

	start();
	t.mtu = 68;
	tell(t);
	CU_ASSERT_EQUAL(shown(&expires), 576);
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), 522);
	stop();
	for (unsigned i = 0; i < RTE_DIM(guess); i++) {
		start();
		t.mtu = 0;
		t.len = guess[i][0];
		tell(t);
		CU_ASSERT_EQUAL(path_mtu_told(&sadb_first()->id.dst), guess[i][1]);
		stop();
	}
}

/* Each tunnel to that peer, and only those; whatever SA sends later. */
static void all_tunnels_to_the_peer(void)
{
	struct viaduct_sa other = sa_request(VIADUCT_OUT, SPI, 9), second;
	struct vti *same, *elsewhere;

	start();
	same = vti("vti1", 8, 0, 0);
	elsewhere = vti("vti2", 9, 0, 0);
	second = sa_request(VIADUCT_OUT, SPI + 1, 8);
	add_sa(second);
	other.id.dst = A("192.0.2.3");
	add_sa(other);
	tell(good);
	CU_ASSERT_EQUAL(iface_mtu(same->iface), BY_1300);
	CU_ASSERT_EQUAL(iface_mtu(elsewhere->iface), BY_1500);
	/* A rekey. */
	add_sa(sa_request(VIADUCT_OUT, SPI + 2, 7));
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), BY_1300);
	CU_ASSERT_EQUAL(find(VIADUCT_OUT, SPI + 2)->path_mtu, 1300);
	stop();
}

/* By hand is the limit, and what was told goes below it; cut after encryption, it does not matter. */
static void set_by_hand_and_fragment_after(void)
{
	struct viaduct_vti req = {.name = "vti0", .fields = VIADUCT_VTI_MTU, .mtu = 1400};

	start();
	CU_ASSERT_EQUAL(vti_set(&req, NULL, &e), 0);
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), 1400);
	tell(good);
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), BY_1300);
	req.mtu = 1200;
	CU_ASSERT_EQUAL(vti_set(&req, NULL, &e), 0);
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), 1200);
	req.fields = VIADUCT_VTI_FRAGMENT;
	req.fragment = VIADUCT_FRAGMENT_AFTER;
	CU_ASSERT_EQUAL(vti_set(&req, NULL, &e), 0);
	req.fields = VIADUCT_VTI_MTU;
	req.mtu = 1400;
	CU_ASSERT_EQUAL(vti_set(&req, NULL, &e), 0);
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), 1400);
	req.mtu = 0;
	CU_ASSERT_EQUAL(vti_set(&req, NULL, &e), 0);
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), 1500);            /* the link's */
	CU_ASSERT_EQUAL(find(VIADUCT_OUT, SPI)->path_mtu, 1300); /* where the workers cut */
	req.fields = VIADUCT_VTI_FRAGMENT;
	req.fragment = VIADUCT_FRAGMENT_BEFORE;
	CU_ASSERT_EQUAL(vti_set(&req, NULL, &e), 0);
	CU_ASSERT_EQUAL(iface_mtu(tun->iface), BY_1300);
	stop();
}

static void a_flood_is_bounded(void)
{
	path_mtu_tick_often();
	CU_ASSERT_EQUAL(host_path_mtu_room, 256);
	host_path_mtu_room = 3;
	path_mtu_tick_often();
	CU_ASSERT_EQUAL(host_path_mtu_room, 256);
	path_mtu_fini();
	CU_ASSERT_EQUAL(host_path_mtu_room, 0);
}

UNIT_EAL_MAIN("path_mtu", UNIT_TEST(lowers_the_tunnels_mtu), UNIT_TEST(udp_encapsulation_and_ip6),
	UNIT_TEST(only_of_packets_that_were_sent), UNIT_TEST(only_of_live_outbound_sas),
	UNIT_TEST(never_raises), UNIT_TEST(ages), UNIT_TEST(small_and_no_values),
	UNIT_TEST(all_tunnels_to_the_peer), UNIT_TEST(set_by_hand_and_fragment_after),
	UNIT_TEST(a_flood_is_bounded))
