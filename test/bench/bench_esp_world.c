/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench_esp_world.h"

#include "dataplane/esp.h"
#include "dataplane/fib.h"
#include "dataplane/nexthop.h"

#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_malloc.h>

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define NH_ID 100

struct worker *w;
struct sa *sa_in[SAS_MAX], *sa_out[SAS_MAX];
struct pkt inner[VEC_MAX];

static struct rte_mempool *pool;
static struct iface *vti, *port;
static struct worker_tx tx;
static struct rte_mbuf *mbuf[VEC_MAX];

static struct iface *make_iface(enum iface_kind kind)
{
	struct iface *i =
		rte_zmalloc(NULL, sizeof(*i) + sizeof(struct iface_stats), RTE_CACHE_LINE_SIZE);

	i->kind = kind;
	i->flags = IFACE_UP | IFACE_CARRIER;
	i->mtu = 9000;
	return i;
}

void make_world(void)
{
	static struct fib fib;
	static struct nexthop nh = {.type = NH_PORT, .l2_len = RTE_ETHER_HDR_LEN, .id = NH_ID};

	pool = rte_pktmbuf_pool_create("packets", 2 * VEC_MAX - 1, 0, MBUF_PRIV_SIZE,
		2048 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	w = worker_new(0, 1, pool, NULL);
	vti = make_iface(IFACE_VTI);
	port = make_iface(IFACE_PORT);
	nh.iface = port;
	tx.iface = port;
	w->tx[port->port_id] = &tx;
	nexthop_table[NH_ID] = &nh;
	fib_table[0] = &fib;
	rte_pktmbuf_alloc_bulk(pool, mbuf, VEC_MAX);
}

static struct sa *make_sa(const struct algorithm *a, enum sa_dir dir, unsigned n)
{
	uint8_t key[ENC_KEY_MAX], auth_key[AUTH_KEY_MAX];
	struct sa_params p = {
		.spi = 1000 + n,
		.dir = dir,
		.cipher = a->cipher,
		.auth = a->auth,
		.src = addr_v4(RTE_BE32(RTE_IPV4(192u, 0, 2, 1))),
		.dst = addr_v4(RTE_BE32(RTE_IPV4(192u, 0, 2, 2))),
		.replay_window = REPLAY_WINDOW_DEFAULT,
		.enc_key_len = a->key_len,
		.auth_key_len = auth_info(a->auth)->key,
		.enc_key = key,
		.auth_key = auth_key,
	};
	const char *why = "";
	struct sa *sa;

	memset(key, n, sizeof(key));
	memset(auth_key, n / 256, sizeof(auth_key));
	sa = sa_create(&p, 1, &why);
	if (sa == NULL) {
		fprintf(stderr, "%s\n", why);
		exit(1);
	}
	sa->vti = vti;
	sa->worker[0].nh_id = NH_ID;
	sa->worker[0].nh_generation = 1;
	return sa;
}

void make_sas(const struct algorithm *a, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		sa_out[i] = make_sa(a, SA_OUT, i);
		sa_in[i] = make_sa(a, SA_IN, i);
	}
}

void free_sas(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		sa_destroy(sa_out[i]);
		sa_destroy(sa_in[i]);
	}
}

static void make_packet(unsigned i, unsigned len)
{
	struct rte_ipv4_hdr *ip;
	char *frame;

	rte_pktmbuf_reset(mbuf[i]);
	frame = rte_pktmbuf_append(mbuf[i], len + RTE_ETHER_HDR_LEN);
	if (frame == NULL)
		abort();
	ip = (struct rte_ipv4_hdr *)(frame + RTE_ETHER_HDR_LEN);
	memset(ip, 0, len);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = rte_cpu_to_be_16(len);
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_UDP;
	ip->src_addr = RTE_BE32(RTE_IPV4(10u, 1, 0, 1));
	ip->dst_addr = RTE_BE32(RTE_IPV4(10u, 2, 0, 1));
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	inner[i] = (struct pkt){.m = mbuf[i],
		.l3 = (uint8_t *)ip,
		.in = port,
		.len = len,
		.l4_off = sizeof(*ip),
		.family = IP_V4,
		.proto = IPPROTO_UDP};
}

void make_packets(unsigned len)
{
	static const uint16_t imix[] = {64, 570, 64, 64, 570, 64, 1420, 64, 570, 64, 64, 570};

	for (unsigned i = 0; i < VEC_MAX; i++)
		make_packet(i, len == IMIX ? imix[i % RTE_DIM(imix)] : len);
}

uint64_t run_out(unsigned burst, unsigned first, unsigned n_sa)
{
	uint64_t start;

	start = rte_rdtsc_precise();
	if (n_sa == 1) {
		esp_wrap(w, sa_out[first % n_sa], inner, burst, UINT16_MAX);
	} else {
		for (unsigned i = 0; i < burst; i++)
			esp_wrap(w, sa_out[(first + i) % n_sa], &inner[i], 1, UINT16_MAX);
	}
	esp_out(w);
	return rte_rdtsc_precise() - start;
}

/* The frames that esp_out() made, as the parser would show them. */
static void frames_to_esp_in(unsigned burst, unsigned first, unsigned n_sa)
{
	for (unsigned i = 0; i < tx.n; i++) {
		struct rte_mbuf *m = tx.m[i];

		w->esp_in.p[i] = (struct pkt){.m = m,
			.l3 = rte_pktmbuf_mtod_offset(m, uint8_t *, RTE_ETHER_HDR_LEN),
			.in = port,
			.sa = sa_in[(first + i) % n_sa],
			.len = m->data_len - RTE_ETHER_HDR_LEN,
			.l4_off = sizeof(struct rte_ipv4_hdr),
			.family = IP_V4,
			.proto = IPPROTO_ESP};
	}
	w->esp_in.n = tx.n;
	tx.n = w->n_pending = 0;
	if (w->esp_in.n != burst) {
		fprintf(stderr, "only %u of %u packets left\n", w->esp_in.n, burst);
		exit(1);
	}
}

uint64_t run_in(unsigned burst, unsigned first, unsigned n_sa)
{
	uint64_t start, cycles;

	frames_to_esp_in(burst, first, n_sa);
	start = rte_rdtsc_precise();
	esp_in(w);
	cycles = rte_rdtsc_precise() - start;
	if (w->fwd.n != burst) {
		fprintf(stderr, "only %u of %u packets came back\n", w->fwd.n, burst);
		exit(1);
	}
	w->fwd.n = 0;
	return cycles;
}
