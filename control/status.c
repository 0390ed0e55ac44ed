/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon in figures. */
#include "control/api/api_server.h"
#include "control/daemon.h"
#include "control/iface/path_mtu.h"
#include "control/iface/twin.h"
#include "control/iface/vti.h"
#include "control/netlink/netlink.h"
#include "control/port/ports.h"
#include "control/routing/neigh.h"
#include "control/routing/rib.h"
#include "control/sa/early.h"
#include "control/sa/hold.h"
#include "control/sa/sadb.h"
#include "dataplane/crypto.h"

#include <intel-ipsec-mb.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void crypto_text(char *buf, size_t size)
{
	if (daemon_state.lookaside)
		snprintf(buf, size, "%.63s", daemon_state.config->crypto);
	else
		snprintf(buf, size, "ipsec-mb %s (%s)", imb_get_version_str(),
			crypto_ctx_arch(daemon_state.workers[0]->crypto));
}

void daemon_status(struct viaduct_status *st)
{
	*st = (struct viaduct_status){
		.uptime_s = (monotonic_ns() - daemon_state.started_ns) / 1000000000,
		.pid = getpid(),
		.workers = daemon_state.n_workers,
		.ports = port_count(),
		.vtis = vti_count(),
		.sas = sadb_count(),
		.policies = policy_count(),
		.routes4 = rib_count(IP_V4),
		.routes6 = rib_count(IP_V6),
		.neighs = neigh_count(),
		.clients = api_client_count(),
		.mbufs_total = daemon_state.config->mbufs,
		.mbufs_used = rte_mempool_in_use_count(daemon_state.pool),
		.netlink_resyncs = netlink_stats()->resyncs,
		.netlink_routes = netlink_stats()->routes,
	};
	snprintf(st->version, sizeof(st->version), "%s", VIADUCT_VERSION);
	crypto_text(st->crypto, sizeof(st->crypto));
}

uint64_t drop_sum(unsigned reason)
{
	uint64_t sum = host_stats()->drops[reason] + neigh_drops(reason) + hold_drops(reason) +
		path_mtu_drops(reason);

	if (reason == DROP_ESP_NO_SA)
		sum += early_drops();
	for (unsigned i = 0; i < daemon_state.n_workers; i++)
		sum += daemon_state.workers[i]->stats.drops[reason];
	return sum;
}
