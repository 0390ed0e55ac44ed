/* SPDX-License-Identifier: BSD-3-Clause */
/* The gateways: devices, workers, tunnels and routes, made with the control thread's functions. */
#include "bench_workers.h"

#include "control/iface/ifaces.h"
#include "control/port/packet_pool.h"
#include "control/rcu.h"
#include "control/routing/fib_writer.h"
#include "control/routing/nexthops.h"
#include "dataplane/spi_table.h"
#include "frame.h"

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MTU         9000
#define QUEUE_SIZE  1024
#define WATCH_SIZE  16384 /* of the rings where packets are looked at */
#define POOL_SIZE   12288
#define MBUF_SIZE   2048
#define OUTSIDE     0 /* VRFs: the outer addresses, and the routes into the tunnels */
#define INSIDE      1 /* what was decrypted */
#define FIRST_SPI   0x10000
#define WIDE_WINDOW 4096
#define NEAR_ADDR   0xc0000201u /* 192.0.2.1 */
#define FAR_ADDR    0xc6120000u /* 198.18.0.0: 65,536 for each gateway */
#define NEIGHBOURS  0xc0000202u /* 192.0.2.2 and following */
/* One device frees what is sent to it. Its queues lie side by side in memory: only every 8th is used,
 * so that workers do not write to one line. */
#define TX_QUEUES 64
#define TX_STEP   8

struct gateway gateways[GATEWAYS];
struct rte_mempool *packets;
struct rte_ring *sealed, *opened;
struct lane maker;
struct worker *opener;

static uint16_t device, sealed_port, opened_port, tx_queues;
static struct iface *rx_iface, *device_iface, *sealed_iface, *opened_iface;

static size_t traces_size(void)
{
	size_t frame = RTE_CACHE_LINE_ROUNDUP(opt.size + L3 + 128);

	return 3 * GATEWAYS * WORKERS * frame * FRAMES;
}

/* The main thread, which sleeps while they work, and the workers' ones. */
static void start_eal(char *program)
{
	size_t fib = 2 * fib_memory(TUNNELS * GATEWAYS + 16, 16);
	uint64_t mb = 512 + ((fib + traces_size() + (size_t)POOL_SIZE * (MBUF_SIZE + 512)) >> 20);
	char memory[16], lcores[64];
	char *pages = opt.huge ? "--in-memory" : "--no-huge";
	char *args[] = {program, pages, "--no-pci", "--no-shconf", "-m", memory, "--no-telemetry",
		"--lcores", lcores, "--log-level", "error"};

	snprintf(memory, sizeof(memory), "%" PRIu64, mb);
	snprintf(lcores, sizeof(lcores), "0@%u,1@%u,2@%u", opt.cpu[0], opt.cpu[0], opt.cpu[1]);
	must(rte_eal_init(RTE_DIM(args), args) >= 0, "EAL");
}

static struct rte_ring *make_ring(const char *name, unsigned size, unsigned flags)
{
	struct rte_ring *r = rte_ring_create(name, size, SOCKET_ID_ANY, flags);

	must(r != NULL, "ring");
	return r;
}

static void start_port(uint16_t id, unsigned queues)
{
	struct rte_eth_conf conf = {0};

	must(rte_eth_dev_configure(id, queues, queues, &conf) == 0, "configure");
	for (unsigned q = 0; q < queues; q++) {
		must(rte_eth_rx_queue_setup(id, q, 512, 0, NULL, packets) == 0, "rx queue");
		must(rte_eth_tx_queue_setup(id, q, 512, 0, NULL) == 0, "tx queue");
	}
	must(rte_eth_dev_start(id) == 0, "start");
}

static uint16_t make_ring_port(struct rte_ring *r)
{
	int id = rte_eth_from_ring(r);

	must(id >= 0, "ring port");
	start_port(id, 1);
	return id;
}

static struct iface *make_iface(
	enum iface_kind kind, const char *prefix, unsigned gateway, unsigned n)
{
	struct iface *i;
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "%s%u.%u", prefix, gateway, n);
	i = iface_new(kind, name, WORKERS);
	must(i != NULL, "interface");
	atomic_store(&i->mtu, MTU);
	atomic_store(&i->flags, IFACE_UP | IFACE_CARRIER);
	iface_publish(i);
	return i;
}

static struct iface *make_port_iface(const char *prefix, unsigned gateway, uint16_t port_id)
{
	struct iface *i = make_iface(IFACE_PORT, prefix, gateway, 0);

	i->port_id = port_id;
	i->mac = mac_of_port(0);
	return i;
}

static void make_devices(void)
{
	packets = packet_pool_new(POOL_SIZE, RTE_MEMPOOL_CACHE_MAX_SIZE, MBUF_SIZE);
	must(packets != NULL, "packet pool");
	must(rte_eal_hotplug_add("vdev", "net_null0", "") == 0,
		"net_null device (is DPDK's null driver there?)");
	must(rte_eth_dev_get_port_by_name("net_null0", &device) == 0, "net_null0");
	start_port(device, TX_QUEUES);
	sealed = make_ring("sealed", WATCH_SIZE, RING_F_SC_DEQ);
	opened = make_ring("opened", WATCH_SIZE, RING_F_SC_DEQ);
	sealed_port = make_ring_port(sealed);
	opened_port = make_ring_port(opened);
}

static void add_tx(struct worker *w, struct iface *i, uint16_t queue)
{
	struct worker_tx *tx = rte_zmalloc("tx", sizeof(*tx), RTE_CACHE_LINE_SIZE);

	must(tx != NULL, "transmit queue");
	tx->iface = i;
	tx->queue = queue;
	tx->owner = w->id;
	w->tx[i->port_id] = tx;
}

/* Number `id` of n, that receives from a port. */
static struct worker *make_worker(unsigned id, unsigned n, struct iface *in, uint16_t rx_port)
{
	struct worker *w = worker_new(id, n, packets, rcu_qsbr());

	must(w != NULL && tx_queues < TX_QUEUES, "worker");
	w->rx[w->n_rx++] = (struct worker_rx){in, rx_port, 0};
	add_tx(w, device_iface, tx_queues);
	add_tx(w, sealed_iface, 0);
	add_tx(w, opened_iface, 0);
	tx_queues += TX_STEP;
	return w;
}

static void make_lane(struct lane *l, unsigned gateway, unsigned id, unsigned n, struct iface *in)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "queue%u.%u", gateway, id);
	l->queue = make_ring(name, QUEUE_SIZE, RING_F_SP_ENQ | RING_F_SC_DEQ);
	l->w = make_worker(id, n, in, make_ring_port(l->queue));
}

static struct addr far_addr(unsigned gateway, unsigned tunnel)
{
	return addr_v4(rte_cpu_to_be_32(FAR_ADDR + (gateway << 16) + tunnel));
}

static struct sa *make_sa(unsigned gateway, unsigned workers, unsigned tunnel, enum sa_dir dir)
{
	uint8_t key[AUTH_KEY_MAX];
	const char *why = "";
	struct sa *sa;
	struct sa_params p = {
		.spi = FIRST_SPI + gateway * 2 * TUNNELS + tunnel,
		.dir = dir,
		.cipher = opt.alg->cipher,
		.auth = opt.alg->auth,
		.src = addr_v4(rte_cpu_to_be_32(NEAR_ADDR)),
		.dst = far_addr(gateway, tunnel),
		.replay_window = dir == SA_IN ? REPLAY_WINDOW_DEFAULT : 0,
		.enc_key_len = opt.alg->key_len,
		.auth_key_len = opt.alg->auth != AUTH_NONE ? auth_info(opt.alg->auth)->key : 0,
		.enc_key = key,
		.auth_key = key,
	};

	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = i + 1;
	memcpy(key, &p.spi, sizeof(p.spi));
	sa = sa_create(&p, workers, &why);
	must(sa != NULL, why);
	return sa;
}

/* One after another, since a VTI's number says which worker sends for it. */
static void make_vtis(struct gateway *g)
{
	for (unsigned i = 0; i <= SINGLE; i++)
		g->tunnel[i].out = make_iface(IFACE_VTI, "out", g->id, i);
	for (unsigned i = 0; i <= SINGLE; i++) {
		g->tunnel[i].in = make_iface(IFACE_VTI, "in", g->id, i);
		g->tunnel[i].in->vrf = INSIDE;
	}
}

static void make_tunnel(struct gateway *g, unsigned n)
{
	struct addr prefix = addr_v4(rte_cpu_to_be_32(RTE_IPV4(10, g->id, n, 0)));
	struct tunnel *t = &g->tunnel[n];

	t->sa_out = make_sa(g->id, g->n, n, SA_OUT);
	t->sa_in = make_sa(g->id, g->n, n, SA_IN);
	t->wide = rte_zmalloc("window", replay_slots(WIDE_WINDOW) * sizeof(*t->wide), 64);
	must(t->wide != NULL, "memory");
	must(spi_insert(t->sa_in, free) == 0, "SPI");
	atomic_store(&t->sa_out->vti, t->out);
	atomic_store(&t->sa_in->vti, t->in);
	atomic_store(&t->out->sa_out[0], t->sa_out);
	atomic_store(&t->out->sa_out[1], t->sa_out);
	must(fib_set(OUTSIDE, &prefix, 24, nexthop_get(NH_VTI, t->out, NULL, NULL)) == 0, "route");
	must(fib_set(INSIDE, &prefix, 24, g->lan_id) == 0, "route");
}

static struct nexthop *make_nexthop(struct iface *out, uint32_t *id)
{
	static unsigned stations;
	const struct rte_ether_addr mac = mac_of_port(0);
	struct addr a = addr_v4(rte_cpu_to_be_32(NEIGHBOURS + stations++));

	*id = nexthop_get(NH_PORT, out, &a, &mac);
	must(*id != 0, "next hop");
	return nexthop_table[*id];
}

static void make_gateway(unsigned id)
{
	struct gateway *g = &gateways[id];
	struct addr far = far_addr(id, 0);
	static struct worker *peers[GATEWAYS][WORKERS];
	uint32_t other;

	g->id = id;
	g->n = id == BOTH ? WORKERS : 1;
	rx_iface = make_port_iface("rx", id, sealed_port);
	device_iface = make_port_iface("device", id, device);
	sealed_iface = make_port_iface("sealed", id, sealed_port);
	opened_iface = make_port_iface("opened", id, opened_port);
	g->wan[0] = make_nexthop(device_iface, &g->wan_id);
	g->wan[1] = make_nexthop(sealed_iface, &other);
	g->lan[0] = make_nexthop(device_iface, &g->lan_id);
	g->lan[1] = make_nexthop(opened_iface, &other);
	must(fib_set(OUTSIDE, &far, 16, g->wan_id) == 0, "route");
	make_vtis(g);
	for (unsigned i = 0; i <= SINGLE; i++)
		make_tunnel(g, i);
	for (unsigned i = 0; i < g->n; i++) {
		make_lane(&g->lane[i], id, i, g->n, rx_iface);
		peers[id][i] = g->lane[i].w;
		peers[id][i]->peers = peers[id];
	}
}

void world_make(char *program)
{
	start_eal(program);
	must(rcu_init(WORKERS) == 0 && nexthops_init() == 0 && spi_table_init() == 0, "tables");
	make_devices();
	for (unsigned vrf = OUTSIDE; vrf <= INSIDE; vrf++)
		must(fib_create(vrf, TUNNELS * GATEWAYS + 16, 16) == 0, "FIB");
	for (unsigned i = 0; i < GATEWAYS; i++)
		make_gateway(i);
	must(fib_commit(OUTSIDE) == 0 && fib_commit(INSIDE) == 0, "FIB is full");
	make_lane(&maker, GATEWAYS, 0, 1, rx_iface);
	opener = make_worker(0, 1, rx_iface, sealed_port);
	for (unsigned i = 0; i < GATEWAYS; i++)
		load_make(&gateways[i]);
}

void world_watch(struct gateway *g, bool watch)
{
	atomic_store(&nexthop_table[g->wan_id], g->wan[watch]);
	atomic_store(&nexthop_table[g->lan_id], g->lan[watch]);
}

void world_parallel(struct gateway *g, bool parallel)
{
	for (unsigned i = 0; i <= SINGLE; i++) {
		struct tunnel *t = &g->tunnel[i];
		struct sa *in = t->sa_in;

		iface_set_flag(t->out, IFACE_PARALLEL, parallel);
		if (parallel)
			replay_init(&in->replay, WIDE_WINDOW, t->wide);
		else
			replay_init(&in->replay, REPLAY_WINDOW_DEFAULT, in->few_slots);
	}
}

static uint64_t show_drops(const struct worker *w, const char *who)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < DROP_REASON_COUNT; i++) {
		if (w->stats.drops[i] != 0)
			fprintf(stderr, "bench_workers: %s dropped %" PRIu64 ": %s\n", who,
				w->stats.drops[i], drop_name(i));
		all += w->stats.drops[i];
	}
	return all;
}

void world_check_drops(void)
{
	uint64_t all = show_drops(maker.w, "the encryption before it") +
		show_drops(opener, "the check of what was encrypted");

	for (unsigned i = 0; i < GATEWAYS; i++) {
		for (unsigned k = 0; k < gateways[i].n; k++)
			all += show_drops(gateways[i].lane[k].w,
				i == BOTH ? "one of two workers" : "a lone worker");
	}
	if (all != 0)
		exit(1);
}
