/* SPDX-License-Identifier: BSD-3-Clause */
/* The two gateways: devices, workers, tunnels and routes, made with the control thread's functions. */
#include "bench_gateway.h"

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
#include <rte_memory.h>

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MTU        9000
#define LINK_SIZE  4096
#define MBUF_SIZE  2048
#define VRFS       2
#define FAR_VRF    1 /* decrypted packets are routed by a FIB that does not lead into the tunnels */
#define FIRST_SPI  0x1000
#define NEAR_ADDR4 0xc6120001u /* 198.18.0.1 */
#define FAR_ADDR4  0xc6130000u /* 198.19.0.0, one address a tunnel */
#define GATEWAY4   0xc0000200u /* 192.0.2.0 */
#define ADDR6_HIGH 0x20010db8ffff0000
#define FAR_PORT   3

struct world world;

static void start_eal(char *program)
{
	uint32_t routes = load_prefixes() + 16;
	uint64_t mb = 512 + world.opt.tunnels / 100 + world.load.n / 100 +
		(VRFS *
				fib_memory(world.opt.inner == IP_V4 ? routes : 16,
					world.opt.inner == IP_V6 ? routes : 16) >>
			20);
	char memory[16], cpu[16];
	char *pages = world.opt.huge ? "--in-memory" : "--no-huge";
	char *args[] = {program, pages, "--no-pci", "--no-shconf", "-m", memory, "--no-telemetry",
		"-l", cpu, "--log-level", "error"};

	snprintf(memory, sizeof(memory), "%" PRIu64, mb);
	snprintf(cpu, sizeof(cpu), "%u", world.opt.cpu);
	must(rte_eal_init(RTE_DIM(args), args) >= 0, "EAL");
}

static void start_port(uint16_t id)
{
	struct rte_eth_conf conf = {0};

	must(rte_eth_dev_configure(id, 1, 1, &conf) == 0, "configure");
	must(rte_eth_rx_queue_setup(id, 0, 512, 0, NULL, world.pool) == 0, "rx queue");
	must(rte_eth_tx_queue_setup(id, 0, 512, 0, NULL) == 0, "tx queue");
	must(rte_eth_dev_start(id) == 0, "start");
}

/* Replays the capture for ever; the file is read once, when the queue is set up. */
static uint16_t make_capture_port(const char *name, const char *path)
{
	char args[256];
	uint16_t id;

	snprintf(args, sizeof(args), "rx_pcap=%s,infinite_rx=1", path);
	must(rte_eal_hotplug_add("vdev", name, args) == 0,
		"net_pcap device (is DPDK's pcap driver there?)");
	must(rte_eth_dev_get_port_by_name(name, &id) == 0, name);
	start_port(id);
	unlink(path);
	return id;
}

static void make_pool(void)
{
	unsigned n = 2 * world.load.n + LINK_SIZE + 8 * VEC_MAX;

	world.pool = packet_pool_new(n, RTE_MEMPOOL_CACHE_MAX_SIZE, MBUF_SIZE);
	must(world.pool != NULL, "packet pool");
}

static void make_devices(void)
{
	struct rte_ether_addr mac = mac_of_port(0);
	char dir[] = "/tmp/bench_gateway.XXXXXX", path[64];
	int id;

	must(mkdtemp(dir) != NULL, dir);
	snprintf(path, sizeof(path), "%s/inner.pcap", dir);
	load_write_inner(&world.load, path, &mac);
	world.inner_port = make_capture_port("net_pcap0", path);
	snprintf(path, sizeof(path), "%s/esp.pcap", dir);
	load_write_esp(&world.load, path);
	world.esp_port = make_capture_port("net_pcap1", path);
	rmdir(dir);
	world.link =
		rte_ring_create("link", LINK_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	must(world.link != NULL, "ring");
	id = rte_eth_from_ring(world.link);
	must(id >= 0, "ring port");
	world.link_port = id;
	start_port(id);
}

static struct iface *make_iface(enum iface_kind kind, const char *prefix, unsigned n)
{
	struct iface *i;
	char name[IFNAMSIZ];

	snprintf(name, sizeof(name), "%s%u", prefix, n);
	i = iface_new(kind, name, 1);
	must(i != NULL, "interface");
	atomic_store(&i->mtu, MTU);
	atomic_store(&i->flags, IFACE_UP | IFACE_CARRIER);
	iface_publish(i);
	return i;
}

static struct iface *make_port_iface(unsigned n, uint16_t port_id)
{
	struct iface *i = make_iface(IFACE_PORT, "port", n);

	i->port_id = port_id;
	i->mac = mac_of_port(n);
	return i;
}

static struct addr outer_addr(bool far, unsigned tunnel)
{
	struct addr a = {.family = world.opt.outer};

	if (a.family == IP_V4) {
		a.v4 = rte_cpu_to_be_32(far ? FAR_ADDR4 | tunnel : NEAR_ADDR4);
	} else {
		a.q[0] = rte_cpu_to_be_64(ADDR6_HIGH | far);
		a.q[1] = rte_cpu_to_be_64(1 + tunnel * far);
	}
	return a;
}

static struct sa *make_sa(unsigned tunnel, enum sa_dir dir)
{
	const struct algorithm *alg = world.opt.alg;
	uint8_t key[AUTH_KEY_MAX];
	const char *why = "";
	struct sa *sa;
	struct sa_params p = {
		.spi = FIRST_SPI + tunnel,
		.dir = dir,
		.cipher = alg->cipher,
		.auth = alg->auth,
		.flags = (world.opt.esn ? SA_ESN : 0) | (world.opt.natt ? SA_UDP_ENCAP : 0),
		.src = outer_addr(false, tunnel),
		.dst = outer_addr(true, tunnel),
		.sport = 4500,
		.dport = 4500,
		.replay_window = dir == SA_IN ? world.opt.window : 0,
		.enc_key_len = alg->key_len,
		.auth_key_len = alg->auth != AUTH_NONE ? auth_info(alg->auth)->key : 0,
		.enc_key = key,
		.auth_key = key,
	};

	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = i + 1;
	memcpy(key, &tunnel, sizeof(tunnel));
	sa = sa_create(&p, 1, &why);
	must(sa != NULL, why);
	return sa;
}

static size_t memory_in_use(void)
{
	struct rte_malloc_socket_stats heap;

	rte_malloc_get_socket_stats(0, &heap);
	return heap.heap_allocsz_bytes + mallinfo2().uordblks + mallinfo2().hblkhd;
}

/* What one gateway keeps for a tunnel, then the far gateway's interface, which is there only because
 * there are two. */
static void make_tunnels(void)
{
	size_t before = memory_in_use();

	for (unsigned i = 0; i < world.opt.tunnels; i++) {
		struct tunnel *t = &world.tunnel[i];

		t->out = make_iface(IFACE_VTI, "out", i);
		must(nexthop_get(NH_VTI, t->out, NULL, NULL) != 0, "next hop");
		t->sa_out = make_sa(i, SA_OUT);
		t->sa_in = make_sa(i, SA_IN);
		must(spi_insert(t->sa_in, free) == 0, "SPI");
		atomic_store(&t->sa_out->vti, t->out);
		atomic_store(&t->out->sa_out[0], t->sa_out);
		atomic_store(&t->out->sa_out[1], t->sa_out);
	}
	world.tunnels_memory = memory_in_use() - before;
	for (unsigned i = 0; i < world.opt.tunnels; i++) {
		world.tunnel[i].in = make_iface(IFACE_VTI, "in", i);
		world.tunnel[i].in->vrf = FAR_VRF;
		atomic_store(&world.tunnel[i].sa_in->vti, world.tunnel[i].in);
	}
}

static void make_routes(uint32_t lan_id)
{
	unsigned n = load_prefixes();
	struct addr outer = outer_addr(true, 0);
	uint8_t len;

	for (unsigned vrf = 0; vrf < VRFS; vrf++)
		must(fib_create(vrf, world.opt.inner == IP_V4 ? n + 1 : 16,
			     world.opt.inner == IP_V6 ? n + 1 : 16) == 0,
			"FIB");
	must(fib_set(0, &outer, outer.family == IP_V4 ? 16 : 64, world.outer_id) == 0, "route");
	for (unsigned i = 0; i < n; i++) {
		struct addr a = load_prefix(i, &len);
		struct iface *vti = world.tunnel[i % world.opt.tunnels].out;

		must(fib_set(0, &a, len, nexthop_get(NH_VTI, vti, NULL, NULL)) == 0, "route");
		must(fib_set(FAR_VRF, &a, len, lan_id) == 0, "route");
	}
	must(fib_commit(0) == 0 && fib_commit(FAR_VRF) == 0, "FIB is full");
}

static struct worker *make_worker(struct iface *rx, struct iface *tx1, struct iface *tx2)
{
	struct worker *w = worker_new(0, 1, world.pool, rcu_qsbr());
	struct iface *const ports[] = {tx1, tx2};

	must(w != NULL, "worker");
	w->rx[w->n_rx++] = (struct worker_rx){rx, rx->port_id, 0};
	for (unsigned i = 0; i < RTE_DIM(ports); i++) {
		struct worker_tx *tx = rte_zmalloc("tx", sizeof(*tx), RTE_CACHE_LINE_SIZE);

		must(tx != NULL, "transmit queue");
		tx->iface = ports[i];
		w->tx[ports[i]->port_id] = tx;
	}
	return w;
}

static struct nexthop *make_nexthop(
	struct iface *out, const struct rte_ether_addr *mac, unsigned gateway, uint32_t *id)
{
	struct addr a = addr_v4(rte_cpu_to_be_32(GATEWAY4 | gateway));

	*id = nexthop_get(NH_PORT, out, &a, mac);
	must(*id != 0, "next hop");
	return nexthop_table[*id];
}

void world_make(char *program)
{
	struct rte_ether_addr mac = mac_of_station(1), far_mac = mac_of_port(FAR_PORT);
	struct iface *near_in, *near_link, *far_link, *device;
	uint32_t lan_id, direct_id;

	load_make(&world.load);
	world.tunnel = calloc(world.opt.tunnels, sizeof(*world.tunnel));
	must(world.tunnel != NULL, "memory");
	start_eal(program);
	must(rcu_init(1) == 0 && nexthops_init() == 0 && spi_table_init() == 0, "tables");
	make_tunnels();
	make_pool();
	make_devices();
	near_in = make_port_iface(0, world.inner_port);
	near_link = make_port_iface(1, world.link_port);
	device = make_port_iface(2, world.esp_port);
	far_link = make_port_iface(FAR_PORT, world.link_port);
	world.to_far = make_nexthop(near_link, &far_mac, 1, &world.outer_id);
	world.to_device = make_nexthop(device, &mac, 2, &direct_id);
	make_nexthop(device, &mac, 3, &lan_id);
	make_routes(lan_id);
	world.near = make_worker(near_in, near_link, device);
	world.far = make_worker(far_link, device, near_in);
}

void world_direct(bool direct)
{
	atomic_store(&nexthop_table[world.outer_id], direct ? world.to_device : world.to_far);
}

void world_check_drops(void)
{
	const struct worker *const workers[] = {world.near, world.far};
	uint64_t all = 0;

	for (unsigned i = 0; i < DROP_REASON_COUNT; i++) {
		for (unsigned k = 0; k < RTE_DIM(workers); k++) {
			uint64_t n = workers[k]->stats.drops[i];

			if (n != 0)
				fprintf(stderr, "%s gateway dropped %" PRIu64 ": %s\n",
					k == 0 ? "near" : "far", n, drop_name(i));
			all += n;
		}
	}
	if (all != 0)
		exit(1);
}
