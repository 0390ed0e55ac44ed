/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon's parts, in the order they start; they stop in the reverse one. */
#include "control/daemon.h"

#include "control/api/api_access.h"
#include "control/api/api_server.h"
#include "control/eal.h"
#include "control/eal_log.h"
#include "control/iface/path_mtu.h"
#include "control/iface/twin.h"
#include "control/iface/twin_closer.h"
#include "control/iface/vti.h"
#include "control/log.h"
#include "control/loop.h"
#include "control/netlink/netlink.h"
#include "control/port/packet_pool.h"
#include "control/port/ports.h"
#include "control/privileges.h"
#include "control/rcu.h"
#include "control/reload/reload.h"
#include "control/routing/fib_writer.h"
#include "control/routing/neigh.h"
#include "control/routing/nexthops.h"
#include "control/routing/rib.h"
#include "control/sa/mapping.h"
#include "control/sa/sadb.h"
#include "control/workers.h"
#include "dataplane/host.h"
#include "dataplane/lookaside.h"
#include "dataplane/spi_table.h"

#include <errno.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mempool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

struct daemon_state daemon_state;

static struct config *config;
static const struct config_source *source;

/* Another viaductd would fight over the same devices: find it before they are touched. api_start()
 * makes sure once more. */
static int only_instance(struct err *e)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret;

	if (fd < 0)
		return err_set(e, errno, "socket: %s", strerror(errno));
	memcpy(sun.sun_path, config->socket, sizeof(sun.sun_path));
	ret = connect(fd, (struct sockaddr *)&sun, sizeof(sun));
	close(fd);
	if (ret == 0)
		return err_set(e, EADDRINUSE,
			"another viaductd runs already: it answers on %s; stop it, or give this "
			"one another socket",
			config->socket);
	return 0;
}

static int start_privileges(struct err *e)
{
	const int ret = api_access_init(config, e);

	return ret < 0 ? ret : privileges_drop(config, e);
}

static int start_eal(struct err *e)
{
	return eal_start(config, e);
}

/* Large enough to spare workers the shared ring, small enough that caches don't hold the pool. */
static unsigned pool_cache(void)
{
	unsigned threads = config->n_cores + 1;

	return RTE_MIN(config->mbufs / (4 * threads), (unsigned)RTE_MEMPOOL_CACHE_MAX_SIZE);
}

static int start_pool(struct err *e)
{
	const uint32_t size = packet_buffer_size(config);
	int ret = 0;

	daemon_state.pool = packet_pool_new(config->mbufs, pool_cache(), size);
	if (daemon_state.pool == NULL)
		ret = -rte_errno;
	else
		ret = large_buffers_new(config);
	if (ret < 0)
		return err_set(e, -ret,
			"no memory for %u buffers of %u bytes and %u large ones (%s); raise "
			"memory_mb or lower mbufs",
			config->mbufs, size, large_buffers_wanted(config), rte_strerror(-ret));
	return 0;
}

static void stop_pool(void)
{
	unsigned used = rte_mempool_in_use_count(daemon_state.pool);

	if (used > 0)
		log_debug("%u buffers were not given back", used);
	rte_mempool_free(daemon_state.pool);
	daemon_state.pool = NULL;
	large_buffers_free();
}

static int start_rcu(struct err *e)
{
	return rcu_init(config->n_cores) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int start_crypto(struct err *e)
{
	const char *why = "", *reason;
	int ret;

	if (strcmp(config->crypto, "ipsec-mb") == 0)
		return 0;
	eal_log_forget();
	ret = lookaside_start(config->crypto, config->n_cores, &why);
	reason = eal_log_reason();
	if (ret < 0)
		return err_set(e, -ret, "crypto = \"%s\": %s%s%s", config->crypto, why,
			reason[0] != '\0' ? ": " : "", reason);
	daemon_state.lookaside = true;
	return 0;
}

static void stop_crypto(void)
{
	if (daemon_state.lookaside)
		lookaside_stop();
	daemon_state.lookaside = false;
}

static int start_workers(struct err *e)
{
	daemon_state.workers = workers_new(config->n_cores, daemon_state.pool, e);
	if (daemon_state.workers == NULL)
		return -ENOMEM;
	daemon_state.n_workers = config->n_cores;
	return 0;
}

static void stop_workers(void)
{
	workers_free(daemon_state.workers, daemon_state.n_workers);
	daemon_state.workers = NULL;
	daemon_state.n_workers = 0;
}

static int start_spi_table(struct err *e)
{
	return spi_table_init() < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int start_fib(struct err *e)
{
	int ret = fib_create(0, config->max_routes4, config->max_routes6);

	/* DPDK's reason is of no help: EINVAL stands for several, of which memory is what happens. */
	if (ret < 0)
		return err_set(e, -ret,
			"no memory for routing tables of %u IPv4 and %u IPv6 routes, which take "
			"%zu MiB of memory_mb = %u; raise memory_mb or lower max_routes",
			config->max_routes4, config->max_routes6,
			fib_memory(config->max_routes4, config->max_routes6) >> 20,
			config->memory_mb);
	return 0;
}

static void stop_fib(void)
{
	fib_destroy(0);
	/* Nobody reads any more: what was retired by all that stopped before goes now, while crypto
	 * devices and buffers still stand. */
	rcu_drain();
}

static int start_rib(struct err *e)
{
	const int ret = nexthops_init();

	return ret < 0 ? err_set(e, -ret, "routes: %s", strerror(-ret)) : 0;
}

static void stop_rib(void)
{
	neigh_fini();
	rib_fini();
	nexthops_fini();
}

static int start_host(struct err *e)
{
	return host_start(daemon_state.workers, daemon_state.n_workers, daemon_state.pool, e);
}

static int start_ports(struct err *e)
{
	int ret = ports_start(
		config, daemon_state.workers, daemon_state.n_workers, daemon_state.pool, e);

	if (ret < 0)
		ports_stop();
	return ret;
}

static int start_netlink(struct err *e)
{
	return netlink_start(loop_base(), e);
}

static void stop_state(void)
{
	vti_fini();
	mapping_fini();
	path_mtu_fini();
	sadb_fini();
	policy_flush();
}

/* What the file asks for goes the same way as what the API asks for. */
static int start_state(struct err *e)
{
	const int ret = reload_start(config, source, e);

	if (ret < 0)
		stop_state();
	return ret;
}

static int start_api(struct err *e)
{
	return api_start(loop_base(), config->socket, e);
}

static int launch(struct err *e)
{
	return workers_launch(daemon_state.workers, daemon_state.n_workers, config->idle_us, e);
}

static const struct {
	int (*start)(struct err *e);
	void (*stop)(void);
} parts[] = {
	{only_instance, NULL},
	{start_privileges, NULL}, /* before there are threads */
	{loop_start, loop_stop},
	{start_eal, eal_stop},
	{start_pool, stop_pool},
	{start_rcu, rcu_fini},
	{start_crypto, stop_crypto},
	{start_workers, stop_workers},
	{start_spi_table, spi_table_free},
	{start_fib, stop_fib},
	{start_rib, stop_rib},
	{twin_closer_start, twin_closer_stop},
	{start_host, host_stop},
	{start_ports, ports_stop},
	{start_netlink, netlink_stop},
	{start_state, stop_state},
	{start_api, api_stop},
	{launch, workers_stop},
};

static void log_memory(void)
{
	struct rte_malloc_socket_stats s;

	if (rte_malloc_get_socket_stats(rte_socket_id(), &s) == 0)
		log_debug("DPDK memory: %zu of %zu MiB used", s.heap_allocsz_bytes >> 20,
			s.heap_totalsz_bytes >> 20);
}

static void ready(void)
{
	eal_log_quiet(false);
	log_memory();
	log_notice("%s is ready; workers: %u, ports: %u, VTIs: %u, socket: %s",
		VIADUCT_VERSION_STRING, daemon_state.n_workers, port_count(), vti_count(),
		config->socket);
	sd_notifyf(0, "READY=1\nSTATUS=%u workers, %u ports", daemon_state.n_workers, port_count());
}

int daemon_run(struct config *c, const struct config_source *s, struct err *e)
{
	unsigned started = 0;
	int ret = 0;

	config = c;
	source = s;
	daemon_state.config = c;
	daemon_state.started_ns = monotonic_ns();
	loop_block_signals();
	while (started < RTE_DIM(parts) && (ret = parts[started].start(e)) == 0)
		started++;
	if (ret == 0) {
		ready();
		ret = loop_run(e);
		eal_log_quiet(true);
		sd_notify(0, "STOPPING=1");
	}
	/* A part that failed has cleaned up after itself. */
	while (started > 0) {
		if (parts[--started].stop != NULL)
			parts[started].stop();
	}
	return ret;
}
