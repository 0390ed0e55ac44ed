/* SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz_tunnels.h"

#include "fuzz_books.h"

#include "../dataplane/dp_sa.h"
#include "../dataplane/dp_vlan.h"
#include "../dataplane/esp_fixture.h"

#include "control/iface/vti_options.h"
#include "control/routing/nexthops.h"
#include "dataplane/crypto.h"
#include "dataplane/esp.h"
#include "dataplane/spi_table.h"

#include <rte_udp.h>

#include <stdio.h>
#include <stdlib.h>

#define SPI_FIRST 0x10001
#define TUNNELS   RTE_DIM(kinds)
#define HOLD_MAX  1
/* Shortly before the low half of an ESN goes round. */
#define ESN_START 0xfffffff0ull

struct kind {
	const char *local, *peer;       /* of the outer header */
	uint8_t cipher, key, auth;      /* key: bytes, without the salt */
	uint16_t flags;                 /* enum sa_flag */
	uint16_t window, mtu, path_mtu; /* 0: the usual ones */
	bool selects, parallel, no_out, down;
	struct viaduct_vti options;
};

#define V4(n) .local = TUNNEL_LOCAL4, .peer = "192.0.2." #n
#define V6(n) .local = TUNNEL_LOCAL6, .peer = "2001:db8:f::" #n

static const struct kind kinds[] = {
	{V4(9), CIPHER_NULL, 0, AUTH_HMAC_SHA2_256_128, .parallel = true},
	{V4(10), CIPHER_AES_GCM_16, 16, .flags = SA_ESN | SA_UDP_ENCAP,
		.options = {.rpf = VIADUCT_RPF_STRICT}},
	{V4(11), CIPHER_AES_CBC, 16, AUTH_HMAC_SHA1_96, .window = 256,
		.options = {.df = VIADUCT_DF_COPY,
			.dscp = VIADUCT_DSCP_MAP,
			.dscp_map = {[0] = 46, [46] = 10, [63] = 1},
			.ttl = VIADUCT_TTL_COPY}},
	{V6(12), CIPHER_AES_CBC, 32, AUTH_HMAC_SHA2_256_128, .flags = SA_ESN,
		.options = {.flow_label = VIADUCT_FLOW_LABEL_COPY, .ecn = VIADUCT_ECN_FALSE}},
	{V6(13), CIPHER_AES_CTR, 24, AUTH_HMAC_SHA2_384_192, .flags = SA_UDP_ENCAP, .mtu = 8800,
		.options = {.flow_label = VIADUCT_FLOW_LABEL_ZERO, .rpf = VIADUCT_RPF_LOOSE}},
	{V4(14), CIPHER_CHACHA20_POLY1305, 32, .mtu = 60000, .path_mtu = 600,
		.options = {.fragment = VIADUCT_FRAGMENT_AFTER, .mss = VIADUCT_MSS_OFF}},
	{V4(15), CIPHER_AES_GMAC, 32, .selects = true,
		.options = {.df = VIADUCT_DF_SET, .dscp = VIADUCT_DSCP_VALUE + 46, .ttl = 255}},
	{V6(16), CIPHER_NULL, 0, AUTH_HMAC_SHA2_512_256, .mtu = 1500, .path_mtu = IP6_MTU_MIN,
		.options = {.fragment = VIADUCT_FRAGMENT_AFTER}},
	{TUNNEL_LOCAL4, "10.101.0.9", CIPHER_AES_GCM_16, 32}, /* behind the second one */
	{"10.9.5.1", "192.0.2.18", CIPHER_AES_GCM_16, 24, .window = UINT16_MAX, .parallel = true,
		.options = {.mss = 88, .dscp = VIADUCT_DSCP_COPY, .ecn = VIADUCT_ECN_TRUE}},
	{V4(19), CIPHER_AES_GCM_16, 16, .no_out = true},
	{V4(20), CIPHER_AES_GCM_16, 16, .down = true},
};

struct fuzz_tunnel {
	const struct kind *kind;
	struct iface *vti;
	struct sa *in, *out;
	uint64_t top; /* highest number that was sent to us */
};

static struct fuzz_tunnel tunnels[TUNNELS];

/* What the tunnel's network sends to the protected one, UDP, and all IPv6. */
static const struct selector selectors[] = {
	{.family = IP_V4,
		.proto = IPPROTO_UDP,
		.src_port = {0, 65535},
		.dst_port = {1000, 3000},
		.src = {{10, 0, 0, 0}, {10, 255, 255, 255}},
		.dst = {{10, 1, 0, 0}, {10, 1, 255, 255}}},
	{.family = IP_V6,
		.src_port = {0, 65535},
		.dst_port = {0, 65535},
		.src = {{0}, {0xff, 0xff, 0xff}},
		.dst = {{0}, {0xff, 0xff, 0xff}}},
};

static struct sa *make_sa(const struct kind *k, uint32_t spi, enum sa_dir dir)
{
	const bool in = dir == SA_IN;
	uint8_t key[AUTH_KEY_MAX];
	const char *why = "";
	struct sa *sa;
	struct sa_params p = {
		.spi = spi,
		.dir = dir,
		.cipher = k->cipher,
		.auth = k->auth,
		.flags = k->flags,
		.src = dp_addr(in ? k->peer : k->local),
		.dst = dp_addr(in ? k->local : k->peer),
		.sport = k->flags & SA_UDP_ENCAP ? NATT_PORT : 0,
		.dport = k->flags & SA_UDP_ENCAP ? NATT_PORT : 0,
		.enc_key = key,
		.auth_key = key,
		.enc_key_len = k->key + cipher_info(k->cipher)->salt,
		.auth_key_len = k->auth != AUTH_NONE ? auth_info(k->auth)->key : 0,
		.selectors = selectors,
		.n_selectors = in && k->selects ? RTE_DIM(selectors) : 0,
	};

	if (in && k->window != UINT16_MAX)
		p.replay_window = k->window != 0 ? k->window : REPLAY_WINDOW_DEFAULT;
	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = i + 1;
	sa = sa_create(&p, dp.n_workers, &why);
	must(sa != NULL, why);
	return sa;
}

static void make_sas(struct fuzz_tunnel *t, uint32_t spi)
{
	t->in = make_sa(t->kind, spi, SA_IN);
	atomic_store(&t->in->vti, t->vti);
	must(spi_insert(t->in, free) == 0, "spi_insert");
	if (t->kind->no_out)
		return;
	t->out = make_sa(t->kind, spi, SA_OUT);
	atomic_store(&t->out->vti, t->vti);
	if (t->kind->path_mtu != 0)
		atomic_store(&t->out->path_mtu, t->kind->path_mtu);
	for (unsigned i = 0; i < RTE_DIM(t->vti->sa_out); i++)
		atomic_store(&t->vti->sa_out[i], t->out);
}

/* Addresses for ICMP errors; the first one's are those of other tests. */
static void give_addresses(struct iface *vti, unsigned n)
{
	struct addr *ip6 = malloc(sizeof(*ip6)); /* freed with the interface */
	char text[64];

	must(ip6 != NULL, "address");
	snprintf(text, sizeof(text), "10.9.%u.1", n);
	atomic_store(&vti->ip4, dp_addr(text).v4);
	snprintf(text, sizeof(text), "10.9.%u.1/32", n);
	dp_route(text, NH_ID_LOCAL);
	snprintf(text, sizeof(text), "2001:db8:9:%u::1", n);
	*ip6 = dp_addr(text);
	atomic_store(&vti->ip6, ip6);
}

static void make_tunnel(struct fuzz_tunnel *t, unsigned n)
{
	const struct kind *k = t->kind;
	struct outer_rules *rules;
	char name[IFNAMSIZ], net[64];
	struct err e;

	snprintf(name, sizeof(name), "vti%u", n);
	t->vti = dp_vti(name);
	if (k->mtu != 0)
		atomic_store(&t->vti->mtu, k->mtu);
	must(vti_options_make(&k->options, &rules, &e) == 0, e.text);
	vti_options_apply(t->vti, &k->options, rules);
	if (k->parallel)
		atomic_fetch_or(&t->vti->flags, IFACE_PARALLEL);
	if (k->down)
		atomic_store(&t->vti->flags, IFACE_CARRIER);
	give_addresses(t->vti, n == 0 ? 0 : 100 + n);
	snprintf(net, sizeof(net), "10.%u.0.0/16", n == 0 ? 2 : 100 + n);
	dp_route(net, dp_through(t->vti));
	snprintf(net, sizeof(net), "2001:db8:%x::/48", n == 0 ? 0xb : 0x100 + n);
	dp_route(net, dp_through(t->vti));
	make_sas(t, SPI_FIRST + n);
}

void tunnels_start(void)
{
	struct iface *wan = dp_vlan(FUZZ_WAN, FUZZ_VLAN), *lan = dp_vlan(FUZZ_LAN, FUZZ_VLAN + 1);
	uint32_t station = dp_station(FUZZ_WAN, "10.0.1.9", TUNNEL_WAN_STATION);

	dp_route("192.0.2.0/24", station);
	dp_route("2001:db8:f::/48", station);
	dp_route("192.0.2.18/32", dp_vlan_station(wan, "10.9.5.9", TUNNEL_WAN_STATION));
	dp_route("10.3.0.0/16", dp_vlan_station(lan, "10.9.6.9", TUNNEL_LAN_STATION));
	station = dp_station(FUZZ_LAN, "10.0.0.5", TUNNEL_LAN_STATION);
	dp_route("10.1.0.0/16", station);
	dp_route("2001:db8:a::/48", station);
	for (unsigned n = 0; n < TUNNELS; n++) {
		tunnels[n].kind = &kinds[n];
		make_tunnel(&tunnels[n], n);
	}
}

static void reset(struct fuzz_tunnel *t)
{
	const bool esn = t->kind->flags & SA_ESN;
	struct replay *r = &t->in->replay;

	t->top = esn ? ESN_START : 0;
	if (r->slots != NULL && r->window != 0) {
		memset((void *)r->slots, 0, (r->slot_mask + 1) * sizeof(*r->slots));
		replay_init(r, r->window, r->slots);
		if (esn)
			replay_seek(r, ESN_START);
	}
	atomic_store(&t->in->moved_told, 0);
	if (t->out != NULL)
		atomic_store(&t->out->seq, esn ? ESN_START : 1);
	for (unsigned i = 0; i < RTE_DIM(t->vti->hold); i++)
		atomic_store(&t->vti->hold[i], HOLD_MAX);
}

void tunnels_reset(void)
{
	for (unsigned n = 0; n < TUNNELS; n++)
		reset(&tunnels[n]);
	atomic_store(&host_early_room, HOLD_MAX);
	atomic_store(&host_path_mtu_room, HOLD_MAX);
}

struct fuzz_tunnel *tunnel_of(unsigned number)
{
	return &tunnels[number % TUNNELS];
}

struct iface *tunnel_vti(const struct fuzz_tunnel *t)
{
	return t->vti;
}

uint64_t tunnel_seq(struct fuzz_tunnel *t, int8_t step)
{
	int64_t by = step == 0 ? 1 : step;
	uint64_t seq;

	if (step == INT8_MAX)
		by = 1ll << 31;
	else if (step == INT8_MIN)
		by = -(1ll << 31);
	seq = t->top + by;
	if ((int64_t)seq > (int64_t)t->top)
		t->top = seq;
	return seq;
}

/* 1, 2, 3 ... up to what the cipher wants, and ESP's trailer. Returns the new length. */
static unsigned pad_text(uint8_t *text, unsigned len, unsigned align)
{
	const unsigned pad = -(len + ESP_TRAILER_LEN) & (align - 1);

	for (unsigned i = 0; i < pad; i++)
		text[len + i] = i + 1;
	text[len + pad] = pad;
	text[len + pad + 1] = text[0] >> 4 == IP_V4 ? ESP_NEXT_IP4 : ESP_NEXT_IP6;
	return len + pad + ESP_TRAILER_LEN;
}

static void put_tos(struct frame *f, bool six, uint8_t tos)
{
	if (six) {
		f->b[L3] |= tos >> 4;
		f->b[L3 + 1] |= tos << 4;
	} else {
		f->b[L3 + 1] = tos;
		frame_checksum(f);
	}
}

struct frame tunnel_frame(const struct fuzz_tunnel *t, uint64_t seq, uint8_t tos,
	const uint8_t *text, unsigned len, bool pad)
{
	const struct sa *sa = t->in;
	const bool udp = t->kind->flags & SA_UDP_ENCAP;
	const struct esp_hdr hdr = {sa->spi_be, rte_cpu_to_be_32((uint32_t)seq)};
	uint8_t l4[FRAME_MAX] = {0}, *esp = l4 + (udp ? sizeof(struct rte_udp_hdr) : 0);
	struct crypto_op op = {.sa = sa, .esp = esp, .seq_hi = seq >> 32};
	uint8_t *at = esp + sizeof(hdr) + sa->iv_len;
	struct frame f;

	memcpy(esp, &hdr, sizeof(hdr));
	memset(esp + sizeof(hdr), 0x5a, sa->iv_len);
	memcpy(at, text, len);
	op.text_len = pad ? pad_text(at, len, sa->align) : RTE_ALIGN_FLOOR(len, sa->align);
	at += op.text_len + sa->icv_len;
	if (udp)
		*(struct rte_udp_hdr *)l4 = (struct rte_udp_hdr){
			RTE_BE16(NATT_PORT), RTE_BE16(NATT_PORT), rte_cpu_to_be_16(at - l4), 0};
	if (op.text_len > 0)
		crypto_seal(dp.worker[0]->crypto, &op, 1);
	f = frame_ip(FUZZ_WAN, t->kind->peer, t->kind->local, udp ? IPPROTO_UDP : IPPROTO_ESP, l4,
		at - l4);
	put_tos(&f, sa->family == IP_V6, tos);
	return f;
}

static const struct fuzz_tunnel *sender(const struct pkt *p, const uint8_t *esp)
{
	const struct addr *src, *dst;
	uint32_t spi;

	memcpy(&spi, esp, sizeof(spi));
	spi = rte_be_to_cpu_32(spi) - SPI_FIRST;
	if (spi >= TUNNELS || tunnels[spi].out == NULL)
		return NULL;
	src = &tunnels[spi].out->src;
	dst = &tunnels[spi].out->dst;
	if (src->family != p->family)
		return NULL;
	if (p->family == IP_V4)
		return memcmp(p->l3 + 12, &src->v4, 4) == 0 && memcmp(p->l3 + 16, &dst->v4, 4) == 0
			? &tunnels[spi]
			: NULL;
	return memcmp(p->l3 + 8, src->v6, 16) == 0 && memcmp(p->l3 + 24, dst->v6, 16) == 0
		? &tunnels[spi]
		: NULL;
}

static void check_inner(const uint8_t *text, unsigned len)
{
	const unsigned pad = text[len - 2], next = text[len - 1];
	struct pkt p = {.l3 = (uint8_t *)(uintptr_t)text};

	if (pad + ESP_TRAILER_LEN >= len)
		fuzz_fail("sent ESP with bad padding");
	len -= pad + ESP_TRAILER_LEN;
	for (unsigned i = 0; i < pad; i++) {
		if (text[len + i] != i + 1)
			fuzz_fail("sent ESP with bad padding");
	}
	if (parse_ip(&p, len) != DROP_REASON_COUNT || p.len != len)
		fuzz_fail("sent ESP around a malformed packet");
	if (next != (p.family == IP_V4 ? ESP_NEXT_IP4 : ESP_NEXT_IP6))
		fuzz_fail("sent ESP with a wrong next header");
}

static void check_esp(const struct fuzz_tunnel *t, const uint8_t *esp, unsigned len)
{
	static uint8_t copy[UINT16_MAX];
	const struct sa *sa = t->in;
	const unsigned fixed = sizeof(struct esp_hdr) + sa->iv_len + sa->icv_len;
	struct crypto_op op = {.sa = sa, .esp = copy};

	if (len < fixed + ESP_TRAILER_LEN || (len - fixed) % sa->align != 0)
		fuzz_fail("sent ESP of a wrong length");
	memcpy(copy, esp, len);
	op.text_len = len - fixed;
	op.seq_hi = t->kind->flags & SA_ESN && copy[4] < 0x80; /* since ESN_START */
	crypto_open(dp.worker[0]->crypto, &op, 1);
	if (!op.ok)
		fuzz_fail("sent ESP with a wrong ICV");
	check_inner(copy + sizeof(struct esp_hdr) + sa->iv_len, op.text_len);
}

void tunnels_check_sent(const struct pkt *p)
{
	const struct fuzz_tunnel *t;
	unsigned off = p->l4_off;

	if ((p->flags & PKT_FRAGMENT) || (p->proto != IPPROTO_ESP && p->proto != IPPROTO_UDP))
		return;
	if (p->proto == IPPROTO_UDP)
		off += sizeof(struct rte_udp_hdr);
	if (off + sizeof(struct esp_hdr) > p->len)
		return;
	t = sender(p, p->l3 + off);
	if (t != NULL && (p->proto == IPPROTO_UDP) == !!(t->kind->flags & SA_UDP_ENCAP))
		check_esp(t, p->l3 + off, p->len - off);
}
