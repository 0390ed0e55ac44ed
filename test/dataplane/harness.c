/* SPDX-License-Identifier: BSD-3-Clause */
/* The router under test: set up, take down, and the checks at its end. Traffic is in traffic.c. */
#include "harness.h"

#include "control/iface/ifaces.h"
#include "control/rcu.h"
#include "control/routing/fib_writer.h"
#include "control/routing/nexthops.h"
#include "dataplane/buffer.h"
#include "dataplane/spi_table.h"
#include "dp_sa.h"
#include "dp_vlan.h"
#include "traffic.h"

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mbuf_pool_ops.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#define POOL_SIZE  8191
#define DATA_ROOM  (2048 + RTE_PKTMBUF_HEADROOM)
#define RING_SIZE  4096
#define LARGE_POOL 64

struct dp dp;

/* Devices are made once: ring ports can't be taken away cleanly. */
static void make_port(unsigned n)
{
	struct rte_eth_conf conf = {0};
	struct dp_port *p = &dp.port[n];
	char name[32];
	int id;

	for (unsigned q = 0; q < DP_WORKERS_MAX; q++) {
		snprintf(name, sizeof(name), "port%u_rx%u", n, q);
		p->rx[q] = rte_ring_create(name, RING_SIZE, SOCKET_ID_ANY, 0);
		snprintf(name, sizeof(name), "port%u_tx%u", n, q);
		p->tx[q] = rte_ring_create(name, RING_SIZE, SOCKET_ID_ANY, 0);
		must(p->rx[q] != NULL && p->tx[q] != NULL, "ring");
	}
	snprintf(name, sizeof(name), "port%u", n);
	id = rte_eth_from_rings(name, p->rx, DP_WORKERS_MAX, p->tx, DP_WORKERS_MAX, 0);
	must(id >= 0, "ring port");
	p->port_id = id;
	must(rte_eth_dev_configure(id, DP_WORKERS_MAX, DP_WORKERS_MAX, &conf) == 0, "configure");
	for (unsigned q = 0; q < DP_WORKERS_MAX; q++) {
		must(rte_eth_rx_queue_setup(id, q, 64, 0, NULL, dp.pool) == 0, "rx queue");
		must(rte_eth_tx_queue_setup(id, q, 64, 0, NULL) == 0, "tx queue");
	}
	must(rte_eth_dev_start(id) == 0, "start");
}

static void make_devices(void)
{
	dp.pool = rte_pktmbuf_pool_create(
		"packets", POOL_SIZE, 0, MBUF_PRIV_SIZE, DATA_ROOM, SOCKET_ID_ANY);
	must(dp.pool != NULL, "packet pool");
	large_buffers = rte_pktmbuf_pool_create(
		"large", LARGE_POOL, 0, MBUF_PRIV_SIZE, UINT16_MAX, SOCKET_ID_ANY);
	must(large_buffers != NULL, "large buffers");
	for (unsigned n = 0; n < DP_PORTS; n++)
		make_port(n);
}

struct addr dp_addr(const char *text)
{
	struct addr a = {0};

	if (inet_pton(AF_INET, text, &a.v4) == 1)
		a.family = IP_V4;
	else if (inet_pton(AF_INET6, text, a.v6) == 1)
		a.family = IP_V6;
	must(a.family != IP_NONE, text);
	return a;
}

static struct addr parse_prefix(const char *text, uint8_t *len)
{
	const char *slash = strchr(text, '/');
	char addr[INET6_ADDRSTRLEN];

	must(slash != NULL, text);
	snprintf(addr, sizeof(addr), "%.*s", (int)(slash - text), text);
	*len = atoi(slash + 1);
	return dp_addr(addr);
}

void dp_route(const char *prefix, uint32_t nh_id)
{
	uint8_t len;
	struct addr a = parse_prefix(prefix, &len);

	must(fib_set(0, &a, len, nh_id) == 0 && fib_commit(0) == 0, prefix);
}

void dp_unroute(const char *prefix)
{
	uint8_t len;
	struct addr a = parse_prefix(prefix, &len);

	must(fib_unset(0, &a, len) == 0 && fib_commit(0) == 0, prefix);
}

uint32_t dp_station(unsigned port, const char *gateway, unsigned station)
{
	struct rte_ether_addr mac = mac_of_station(station);
	struct addr a = {0};
	uint32_t id;

	if (gateway != NULL)
		a = dp_addr(gateway);
	id = nexthop_get(NH_PORT, dp.port[port].iface, &a, &mac);
	must(id != 0, "next hop");
	return id;
}

static void make_iface(unsigned n)
{
	char name[IFNAMSIZ], local[64];
	struct addr *ip6 = malloc(sizeof(*ip6)); /* freed with the interface */
	struct iface *i;

	snprintf(name, sizeof(name), "port%u", n);
	i = iface_new(IFACE_PORT, name, dp.n_workers);
	must(i != NULL && ip6 != NULL, "interface");
	i->port_id = dp.port[n].port_id;
	i->mac = mac_of_port(n);
	atomic_store(&i->mtu, DP_MTU);
	atomic_store(&i->flags, IFACE_UP | IFACE_CARRIER);
	dp.port[n].iface = i;

	snprintf(local, sizeof(local), "10.0.%u.1", n);
	atomic_store(&i->ip4, dp_addr(local).v4);
	snprintf(local, sizeof(local), "10.0.%u.1/32", n);
	dp_route(local, NH_ID_LOCAL);
	snprintf(local, sizeof(local), "2001:db8:%u::1", n);
	*ip6 = dp_addr(local);
	atomic_store(&i->ip6, ip6);
	snprintf(local, sizeof(local), "2001:db8:%u::1/128", n);
	dp_route(local, NH_ID_LOCAL);
	iface_publish(i);
}

/* Worker i receives from queue i of every port, and sends into queue i. */
static void make_worker(unsigned i)
{
	struct worker *w = worker_new(i, dp.n_workers, dp.pool, rcu_qsbr());

	must(w != NULL, "worker");
	w->peers = dp.worker;
	dp.worker[i] = w;
	for (unsigned n = 0; n < DP_PORTS; n++) {
		struct worker_tx *tx = rte_zmalloc("tx", sizeof(*tx), RTE_CACHE_LINE_SIZE);

		must(tx != NULL, "worker_tx");
		tx->queue = i;
		tx->owner = i;
		tx->iface = dp.port[n].iface;
		w->tx[dp.port[n].port_id] = tx;
		w->rx[w->n_rx++] = (struct worker_rx){dp.port[n].iface, dp.port[n].port_id, i};
	}
}

void dp_start(unsigned n_workers)
{
	dp.n_workers = n_workers;
	must(rcu_init(n_workers) == 0, "rcu");
	must(nexthops_init() == 0, "next hops");
	must(fib_create(0, 1024, 1024) == 0, "fib");
	must(spi_table_init() == 0, "spi table");
	for (unsigned n = 0; n < DP_PORTS; n++)
		make_iface(n);
	for (unsigned i = 0; i < n_workers; i++)
		make_worker(i);
	traffic_start();
}

static void check_pool(void)
{
	unsigned missing =
		rte_mempool_in_use_count(dp.pool) + rte_mempool_in_use_count(large_buffers);

	if (missing != 0)
		fprintf(stderr, "%u buffers leaked\n", missing);
	CU_ASSERT_EQUAL(missing, 0);
}

void dp_stop(void)
{
	traffic_stop();
	for (unsigned i = 0; i < dp.n_workers; i++)
		worker_free(dp.worker[i]);
	check_pool();
	dp_sas_stop();
	dp_vlans_stop();
	spi_table_free();
	fib_destroy(0);
	nexthops_fini();
	for (unsigned n = 0; n < DP_PORTS; n++)
		iface_retire(dp.port[n].iface);
	rcu_fini();
}

static unsigned suite_workers;

static void setup(void)
{
	dp_start(suite_workers);
}

void dp_init(char *program)
{
	char *args[] = {program, "--no-huge", "--no-pci", "--no-shconf", "-m", "1024",
		"--no-telemetry", "-l", "0", "--log-level", "error"};

	must(rte_eal_init(RTE_DIM(args), args) >= 0, "EAL");
	make_devices();
}

int dp_main(const char *suite, unsigned n_workers, const CU_TestInfo *tests, int argc, char **argv)
{
	unsigned failed;
	CU_pSuite s;

	setvbuf(stdout, NULL, _IOLBF, 0);
	dp_init(argv[0]);
	suite_workers = n_workers;
	must(CU_initialize_registry() == CUE_SUCCESS, "CUnit");
	s = CU_add_suite_with_setup_and_teardown(suite, NULL, NULL, setup, dp_stop);
	for (; tests->pName != NULL; tests++) {
		if (argc < 2 || strcmp(argv[1], tests->pName) == 0)
			CU_add_test(s, tests->pName, tests->pTestFunc);
	}
	CU_basic_set_mode(CU_BRM_VERBOSE);
	CU_basic_run_tests();
	failed = CU_get_number_of_failures() + (CU_get_number_of_tests_run() == 0);
	CU_cleanup_registry();
	return failed != 0;
}
