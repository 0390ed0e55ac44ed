/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding, configuring and stopping the cryptodev. */
#include "dataplane/lookaside_device.h"

#include "dataplane/lookaside.h"

#include <rte_cryptodev.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include <stdio.h>
#include <string.h>

#define QUEUE_DEPTH    2048
#define OPS_PER_WORKER 8192
#define SESSIONS       8192

struct lookaside_device lookaside_device;

static char sentence[256];
static char probed[128]; /* device string as it was probed; "" when it was there before */

static int refuse(int error, const char **why, const char *device, const char *what)
{
	snprintf(sentence, sizeof(sentence), "crypto: \"%s\": %s%s%s", device, what,
		error != 0 ? ": " : "", error != 0 ? rte_strerror(error) : "");
	*why = sentence;
	lookaside_stop();
	return error != 0 ? -error : -ENODEV;
}

/* "crypto_aesni_mb0,args" -> "crypto_aesni_mb0" */
static void name_of(const char *device, char *name, size_t size)
{
	snprintf(name, size, "%.*s", (int)strcspn(device, ","), device);
}

static int find(const char *device, const char **why)
{
	char name[RTE_CRYPTODEV_NAME_MAX_LEN];
	int id, rc;

	name_of(device, name, sizeof(name));
	id = rte_cryptodev_get_dev_id(name);
	if (id >= 0)
		return id;
	rc = rte_dev_probe(device);
	if (rc < 0)
		return refuse(-rc, why, device, "DPDK finds no such crypto device");
	snprintf(probed, sizeof(probed), "%s", name);
	id = rte_cryptodev_get_dev_id(name);
	return id >= 0 ? id : refuse(0, why, device, "this is no crypto device");
}

static int make_pools(uint8_t id, unsigned n_workers)
{
	lookaside_device.ops = rte_crypto_op_pool_create("crypto_ops", RTE_CRYPTO_OP_TYPE_SYMMETRIC,
		OPS_PER_WORKER * n_workers, 256, sizeof(struct lookaside_op), SOCKET_ID_ANY);
	lookaside_device.sessions = rte_cryptodev_sym_session_pool_create("crypto_sessions",
		SESSIONS, rte_cryptodev_sym_get_private_session_size(id), 0, 0, SOCKET_ID_ANY);
	return lookaside_device.ops != NULL && lookaside_device.sessions != NULL ? 0 : -ENOMEM;
}

static int configure(uint8_t id, unsigned n_workers)
{
	struct rte_cryptodev_config config = {
		.socket_id = rte_cryptodev_socket_id(id), .nb_queue_pairs = n_workers};
	struct rte_cryptodev_qp_conf queue = {
		.nb_descriptors = QUEUE_DEPTH, .mp_session = lookaside_device.sessions};
	int rc = rte_cryptodev_configure(id, &config);

	for (unsigned q = 0; rc == 0 && q < n_workers; q++)
		rc = rte_cryptodev_queue_pair_setup(id, q, &queue, config.socket_id);
	return rc < 0 ? rc : rte_cryptodev_start(id);
}

int lookaside_start(const char *device, unsigned n_workers, const char **why)
{
	struct rte_cryptodev_info info;
	int id = find(device, why), rc;

	if (id < 0)
		return id;
	lookaside_device.id = id;
	rte_cryptodev_info_get(id, &info);
	if (info.max_nb_queue_pairs != 0 && info.max_nb_queue_pairs < n_workers)
		return refuse(0, why, device, "it has fewer queue pairs than there are workers");
	if (make_pools(id, n_workers) < 0)
		return refuse(ENOMEM, why, device, "no memory for its sessions, raise memory_mb");
	rc = configure(id, n_workers);
	if (rc < 0)
		return refuse(-rc, why, device, "it cannot be started");
	lookaside_device.running = true;
	return 0;
}

void lookaside_stop(void)
{
	if (lookaside_device.running) {
		rte_cryptodev_stop(lookaside_device.id);
		rte_cryptodev_close(lookaside_device.id);
	}
	if (probed[0] != '\0')
		rte_eal_hotplug_remove("vdev", probed);
	rte_mempool_free(lookaside_device.ops);
	rte_mempool_free(lookaside_device.sessions);
	memset(&lookaside_device, 0, sizeof(lookaside_device));
	probed[0] = '\0';
}

bool lookaside_running(void)
{
	return lookaside_device.running;
}
