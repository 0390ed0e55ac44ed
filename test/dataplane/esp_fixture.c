/* SPDX-License-Identifier: BSD-3-Clause */
#include "esp_fixture.h"

#include "control/iface/ifaces.h"
#include "control/routing/nexthops.h"
#include "dataplane/crypto.h"
#include "dataplane/esp.h"
#include "dataplane/spi_table.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#define TUNNEL_MTU 1400

static uint32_t lan_nh, wan_nh, vti_nh;

void tunnel_start(struct tunnel *t)
{
	memset(t, 0, sizeof(*t));
	t->vti = iface_new(IFACE_VTI, "vti0", dp.n_workers);
	atomic_store(&t->vti->flags, IFACE_UP | IFACE_CARRIER);
	atomic_store(&t->vti->mtu, TUNNEL_MTU);
	iface_publish(t->vti);
	vti_nh = nexthop_get(NH_VTI, t->vti, NULL, NULL);
	dp_route("10.2.0.0/16", vti_nh);
	dp_route("2001:db8:b::/48", vti_nh);
	lan_nh = dp_station(TUNNEL_LAN, "10.0.0.5", TUNNEL_LAN_STATION);
	dp_route("10.1.0.0/16", lan_nh);
	dp_route("2001:db8:a::/48", lan_nh);
	wan_nh = dp_station(TUNNEL_WAN, "10.0.1.9", TUNNEL_WAN_STATION);
	dp_route(TUNNEL_PEER4 "/32", wan_nh);
	dp_route(TUNNEL_PEER6 "/128", wan_nh);
}

static void ignore(void *old)
{
	free(old);
}

/* No worker runs while a test changes SAs: nothing to wait for. */
static void drop_sa(struct tunnel *t, struct sa **sa)
{
	if (*sa == NULL)
		return;
	if (sa == &t->in)
		spi_remove(*sa);
	for (unsigned i = 0; sa == &t->out && i < 2; i++)
		atomic_store(&t->vti->sa_out[i], NULL);
	sa_destroy(*sa);
	*sa = NULL;
}

struct sa *tunnel_sa(struct tunnel *t, const struct sa_params *p, const char **why)
{
	struct sa **mine = p->dir == SA_IN ? &t->in : &t->out;

	drop_sa(t, mine);
	*mine = sa_create(p, dp.n_workers, why);
	if (*mine == NULL)
		return NULL;
	atomic_store(&(*mine)->vti, t->vti);
	if (p->dir == SA_IN)
		CU_ASSERT_EQUAL_FATAL(spi_insert(*mine, ignore), 0);
	for (unsigned i = 0; p->dir == SA_OUT && i < 2; i++)
		atomic_store(&t->vti->sa_out[i], *mine);
	return *mine;
}

static struct addr addr_of(const char *text)
{
	struct addr a = {.family = strchr(text, ':') != NULL ? IP_V6 : IP_V4};

	CU_ASSERT_EQUAL_FATAL(inet_pton(a.family == IP_V6 ? AF_INET6 : AF_INET, text, a.v6), 1);
	return a;
}

struct sa_params tunnel_params(enum sa_dir dir, enum ip_family family)
{
	struct addr local = addr_of(family == IP_V6 ? TUNNEL_LOCAL6 : TUNNEL_LOCAL4);
	struct addr peer = addr_of(family == IP_V6 ? TUNNEL_PEER6 : TUNNEL_PEER4);

	return (struct sa_params){
		.spi = dir == SA_IN ? 10000 : 10001,
		.dir = dir,
		.src = dir == SA_IN ? peer : local,
		.dst = dir == SA_IN ? local : peer,
		.replay_window = dir == SA_IN ? REPLAY_WINDOW_DEFAULT : 0,
	};
}

struct sa *tunnel_plain_sa(struct tunnel *t, enum sa_dir dir, enum ip_family family, uint16_t flags)
{
	static const uint8_t key[32] = {1, 2, 3, 4};
	struct sa_params p = tunnel_params(dir, family);
	const char *why = "";
	struct sa *sa;

	p.cipher = CIPHER_NULL;
	p.auth = AUTH_HMAC_SHA2_256_128;
	p.auth_key = key;
	p.auth_key_len = sizeof(key);
	p.flags = flags;
	p.sport = p.dport = NATT_PORT;
	sa = tunnel_sa(t, &p, &why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(sa);
	return sa;
}

unsigned tunnel_esp_at(const struct frame *f, const struct sa *sa)
{
	unsigned at = L3 + (f->b[L3] >> 4 == 4 ? 20 : 40);

	return sa_ends_now(sa)->flags & SA_UDP_ENCAP ? at + 8 : at;
}

/* ESP in the packet to be sealed starts behind UDP's header, if there is one. */
static struct frame outer_frame(const struct sa *sa, const uint8_t *l4, unsigned len, uint8_t tos)
{
	const struct sa_ends *ends = sa_ends_now(sa);
	bool six = ends->dst.family == IP_V6, udp = ends->flags & SA_UDP_ENCAP;
	struct frame f = frame_ip(TUNNEL_WAN, six ? TUNNEL_PEER6 : TUNNEL_PEER4,
		six ? TUNNEL_LOCAL6 : TUNNEL_LOCAL4, udp ? IPPROTO_UDP : IPPROTO_ESP, l4, len);

	if (six) {
		f.b[L3] |= tos >> 4;
		f.b[L3 + 1] |= tos << 4;
	} else {
		f.b[L3 + 1] = tos;
		frame_checksum(&f);
	}
	return f;
}

struct frame tunnel_seal_text(
	const struct tunnel *t, uint64_t seq, const void *text, unsigned len, uint8_t tos)
{
	const struct sa *sa = t->in;
	unsigned head = sa_ends_now(sa)->flags & SA_UDP_ENCAP ? 8 : 0;
	unsigned total = head + 8 + sa->iv_len + len + sa->icv_len;
	uint32_t seq_be = htonl((uint32_t)seq);
	struct crypto_op op = {.sa = sa, .text_len = len, .seq_hi = seq >> 32};
	uint8_t l4[FRAME_MAX] = {NATT_PORT >> 8, NATT_PORT & 0xff, NATT_PORT >> 8, NATT_PORT & 0xff,
		total >> 8, total};

	op.esp = l4 + head;
	memcpy(op.esp, &sa->spi_be, 4);
	memcpy(op.esp + 4, &seq_be, 4);
	memset(op.esp + 8, 0x5a, sa->iv_len);
	memcpy(op.esp + 8 + sa->iv_len, text, len);
	crypto_seal(dp.worker[0]->crypto, &op, 1);
	return outer_frame(sa, l4, total, tos);
}

struct frame tunnel_seal(const struct tunnel *t, uint64_t seq, const struct frame *f, uint8_t tos)
{
	unsigned len = f->len - L3, pad = -(len + 2) & (t->in->align - 1u);
	uint8_t text[FRAME_MAX];

	memcpy(text, f->b + L3, len);
	for (unsigned i = 0; i < pad; i++)
		text[len + i] = i + 1;
	text[len + pad] = pad;
	text[len + pad + 1] = f->b[L3] >> 4 == 4 ? ESP_NEXT_IP4 : ESP_NEXT_IP6;
	return tunnel_seal_text(t, seq, text, len + pad + 2, tos);
}

void tunnel_receive(const struct frame *f)
{
	dp_send(TUNNEL_WAN, f);
	dp_run();
}

void tunnel_passes(const struct frame *f, const struct frame *inner)
{
	struct frame want = frame_forwarded(inner, TUNNEL_LAN, TUNNEL_LAN_STATION);

	tunnel_receive(f);
	CU_ASSERT(dp_out(TUNNEL_LAN, &want));
	CU_ASSERT(dp_none_dropped());
}

void tunnel_drops(const struct frame *f, enum drop_reason reason)
{
	tunnel_receive(f);
	CU_ASSERT(dp_dropped(reason, 1));
	CU_ASSERT(dp_quiet());
}

void tunnel_stop(struct tunnel *t)
{
	drop_sa(t, &t->in);
	drop_sa(t, &t->out);
	dp_unroute("10.2.0.0/16");
	dp_unroute("2001:db8:b::/48");
	nexthop_put(vti_nh);
	nexthop_put(lan_nh);
	nexthop_put(wan_nh);
	nexthops_reap();
	iface_retire(t->vti);
}
