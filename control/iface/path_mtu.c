/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/iface/path_mtu.h"

#include "config/config.h"
#include "control/addr_text.h"
#include "control/daemon.h"
#include "control/iface/vti.h"
#include "control/iface/vti_mtu.h"
#include "control/log.h"
#include "control/sa/sadb.h"
#include "dataplane/esp.h"
#include "dataplane/host.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <uthash.h>

#define ICMP_HDR_LEN 8     /* in front of the quoted packet */
#define NEWS_MAX     256   /* that workers may send between two ticks: 2560 a second */
#define PATHS_MAX    65536 /* remembered; each is the way to a peer of a live SA when it is learned */
#define SECOND_NS    1000000000ull

/* A link that takes less is either none of today's or a lie that would have every packet cut to crumbs;
 * 68 is all that RFC 791 asks of one, 576 what it asks of every host. */
#define IP4_LEAST 576

struct path {
	struct viaduct_addr dst;
	uint16_t mtu;
	uint64_t told_ns; /* last time */
	UT_hash_handle hh;
};

/* What ICMP says, of which packet. */
struct news {
	struct viaduct_sa_id id;
	struct viaduct_addr src;
	uint16_t sport, dport; /* 0: no UDP encapsulation */
	uint32_t seq;
	uint32_t mtu, len; /* the link's; that packet's */
};

static struct path *paths;
static uint64_t drops[DROP_REASON_COUNT];

static struct path *find(const struct viaduct_addr *dst)
{
	struct path *p;

	HASH_FIND(hh, paths, dst, sizeof(*dst), p);
	return p;
}

static struct viaduct_addr addr_at(const uint8_t *bytes, bool six)
{
	struct addr a = addr_v6(bytes);

	if (!six) {
		a = addr_v4(0);
		memcpy(&a.v4, bytes, sizeof(a.v4));
	}
	return addr_to_api(&a);
}

/* Of the ICMP message at `icmp`, in the packet at l3. */
static bool checksum_good(const uint8_t *l3, const uint8_t *icmp, unsigned len)
{
	uint32_t sum = rte_raw_cksum(icmp, len);
	struct rte_ipv6_hdr ip6;

	if (*l3 >> 4 == IP_V6) { /* with what RFC 8200 8.1 puts in front */
		memcpy(&ip6, l3, sizeof(ip6));
		ip6.payload_len = rte_cpu_to_be_16(len);
		ip6.proto = IPPROTO_ICMPV6;
		sum += rte_ipv6_phdr_cksum(&ip6, 0);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum == 0xffff;
}

static uint32_t load_be(const uint8_t *bytes, unsigned n)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v = v << 8 | bytes[i];
	return v;
}

/* The worker has made sure that all of this is there. */
static void read_news(const uint8_t *quote, const uint8_t *esp, struct news *n)
{
	const bool six = *quote >> 4 == IP_V6;
	const uint8_t *udp = esp - sizeof(struct rte_udp_hdr);
	const unsigned headers = esp - quote;

	*n = (struct news){
		.id = {.dst = addr_at(quote + (six ? 24 : 16), six), .spi = load_be(esp, 4)},
		.src = addr_at(quote + (six ? 8 : 12), six),
		.seq = load_be(esp + 4, 4),
		.mtu = six ? load_be(quote - 4, 4) : load_be(quote - 2, 2),
		.len = six ? 40 + load_be(quote + 4, 2) : load_be(quote + 2, 2),
	};
	/* Is there a UDP header? Behind IPv6's fragment header the distance says so. */
	if (six ? quote[6] == IPPROTO_UDP || (quote[6] == IPPROTO_FRAGMENT && headers > 48)
		: quote[9] == IPPROTO_UDP) {
		n->sport = load_be(udp, 2);
		n->dport = load_be(udp + 2, 2);
	}
}

/* Numbers of ESN SAs are not all on the wire: there every one may have been sent, in time. */
static bool has_sent(const struct sa *sa, uint32_t seq)
{
	const uint64_t next = atomic_load_explicit(&sa->seq, memory_order_relaxed);

	return next > UINT32_MAX || (seq != 0 && seq < next);
}

static bool is_ours(const struct news *n)
{
	const struct sa_entry *s = sadb_find(&n->id);
	const bool udp = n->sport != 0;
	struct viaduct_addr src;

	if (s == NULL || s->sa->dir != SA_OUT || s->vti == NULL ||
		atomic_load_explicit(&s->sa->expired, memory_order_relaxed) != SA_LIVE)
		return false;
	src = addr_to_api(&s->sa->src);
	if (memcmp(&src, &n->src, sizeof(src)) != 0 || udp != !!(s->sa->flags & SA_UDP_ENCAP))
		return false;
	if (udp && (n->sport != s->sa->sport || n->dport != s->sa->dport))
		return false;
	return has_sent(s->sa, n->seq);
}

/* A router of before RFC 1191 says 0: the largest link of usual ones that the packet did not fit. */
static uint32_t usual_below(uint32_t len)
{
	static const uint16_t usual[] = {17914, 8166, 4352, 2002, 1492, 1006};

	for (unsigned i = 0; i < RTE_DIM(usual); i++) {
		if (usual[i] < len)
			return usual[i];
	}
	return IP4_LEAST;
}

/* What to make of what was said; 0: nothing. */
static uint32_t believable(const struct news *n)
{
	if (n->mtu >= n->len)
		return 0; /* it would have passed */
	if (n->id.dst.family == IP_V6)
		return n->mtu >= IP6_MTU_MIN ? n->mtu : 0; /* RFC 8201 4 */
	return n->mtu != 0 ? RTE_MAX(n->mtu, (uint32_t)IP4_LEAST) : usual_below(n->len);
}

/* SAs and VTIs that use the path. */
static void tell_vtis(const struct viaduct_addr *dst)
{
	const struct addr a = addr_from_api(dst);
	struct vti *v;

	for (v = vti_first(); v != NULL; v = v->hh.next) {
		if (vti_mtu_goes_to(v, &a))
			vti_refresh(v);
	}
}

static void forget(struct path *p)
{
	HASH_DEL(paths, p);
	free(p);
}

static struct path *path_to(const struct viaduct_addr *dst)
{
	struct path *p = find(dst);

	if (p != NULL)
		return p;
	p = HASH_COUNT(paths) < PATHS_MAX ? calloc(1, sizeof(*p)) : NULL;
	if (p == NULL)
		return NULL;
	p->dst = *dst;
	p->mtu = UINT16_MAX;
	HASH_ADD(hh, paths, dst, sizeof(p->dst), p);
	return p;
}

static void learn(const struct viaduct_addr *dst, uint32_t mtu, const struct viaduct_addr *teller)
{
	char to[ADDR_TEXT_LEN], by[ADDR_TEXT_LEN];
	struct path *p = path_to(dst);

	if (p == NULL || mtu > p->mtu)
		return; /* larger: news of before, or of another of several ways */
	p->told_ns = monotonic_ns();
	if (mtu == p->mtu)
		return;
	p->mtu = mtu;
	log_info("path MTU to %s is %u, says %s", addr_text(dst, to), mtu, addr_text(teller, by));
	tell_vtis(dst);
}

static enum drop_reason judge(const uint8_t *l3, uint16_t quote, uint16_t esp, unsigned len)
{
	const bool six = *l3 >> 4 == IP_V6;
	const struct viaduct_addr teller = addr_at(l3 + (six ? 8 : 12), six);
	const unsigned icmp = quote - ICMP_HDR_LEN;
	struct news n;
	uint32_t mtu;

	if (!checksum_good(l3, l3 + icmp, len - icmp))
		return DROP_PMTU_BAD;
	read_news(l3 + quote, l3 + esp, &n);
	if (!is_ours(&n))
		return DROP_PMTU_NO_SA;
	mtu = believable(&n);
	if (mtu == 0)
		return DROP_PMTU_BAD;
	learn(&n.id.dst, mtu, &teller);
	return DROP_REASON_COUNT;
}

void path_mtu_news_seen(struct rte_mbuf *m)
{
	const struct host_tag *tag = host_tag(m);
	const enum drop_reason bad =
		judge(rte_pktmbuf_mtod(m, const uint8_t *), tag->quote, tag->spi_off, m->data_len);

	if (bad != DROP_REASON_COUNT)
		drops[bad]++;
	rte_pktmbuf_free(m);
}

uint16_t path_mtu_told(const struct viaduct_addr *dst)
{
	const struct path *p = paths != NULL ? find(dst) : NULL;

	return p != NULL ? p->mtu : UINT16_MAX;
}

static uint64_t timeout_ns(void)
{
	const struct config *c = daemon_state.config;

	return (c != NULL ? c->path_mtu_timeout : PATH_MTU_TIMEOUT) * SECOND_NS;
}

static uint64_t age_ns(const struct path *p)
{
	return monotonic_ns() - p->told_ns;
}

uint32_t path_mtu_expires(const struct viaduct_addr *dst)
{
	const struct path *p = paths != NULL ? find(dst) : NULL;

	if (p == NULL || age_ns(p) >= timeout_ns())
		return 0;
	return (timeout_ns() - age_ns(p) + SECOND_NS - 1) / SECOND_NS;
}

void path_mtu_tick_often(void)
{
	atomic_store_explicit(&host_path_mtu_room, NEWS_MAX, memory_order_relaxed);
}

void path_mtu_tick(void)
{
	char text[ADDR_TEXT_LEN];
	struct path *p, *next;

	HASH_ITER (hh, paths, p, next) {
		const struct viaduct_addr dst = p->dst;

		if (age_ns(p) < timeout_ns())
			continue;
		log_info("path MTU to %s: %u of %u s ago is forgotten", addr_text(&dst, text),
			p->mtu, (unsigned)(age_ns(p) / SECOND_NS));
		forget(p);
		tell_vtis(&dst);
	}
}

void path_mtu_fini(void)
{
	struct path *p, *next;

	HASH_ITER (hh, paths, p, next)
		forget(p);
	atomic_store_explicit(&host_path_mtu_room, 0, memory_order_relaxed);
}

uint64_t path_mtu_drops(enum drop_reason reason)
{
	return drops[reason];
}
