/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding, configuring and stopping the cryptodev. */
#include "dataplane/lookaside_device.h"

#include "dataplane/lookaside.h"

#include <rte_cryptodev.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_lcore.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define QUEUE_DEPTH    2048
#define OPS_PER_WORKER 4096 /* what a queue and the device itself hold, and the pool's caches */
#define OPS_CACHE      256

struct lookaside_device lookaside_device;

static char sentence[256];
static struct rte_device *probed; /* by us, so that we take it away again; else NULL */

static __attribute__((format(printf, 3, 4))) int refuse(
	int error, const char **why, const char *text, ...)
{
	va_list ap;

	va_start(ap, text);
	vsnprintf(sentence, sizeof(sentence), text, ap);
	va_end(ap);
	*why = sentence;
	lookaside_stop();
	return -error;
}

/* By the cryptodev's own name or the DPDK device's: a QAT at 0000:3d:01.0 has one for symmetric crypto,
 * 0000:3d:01.0_qat_sym, beside others. Virtual devices have one name only. */
static int find(const char *name, struct rte_cryptodev_info *info)
{
	for (int id = 0; id < RTE_CRYPTO_MAX_DEVS; id++) {
		if (!rte_cryptodev_is_valid_dev(id))
			continue;
		rte_cryptodev_info_get(id, info);
		if ((info->feature_flags & RTE_CRYPTODEV_FF_SYMMETRIC_CRYPTO) &&
			(strcmp(rte_cryptodev_name_get(id), name) == 0 ||
				strcmp(rte_dev_name(info->device), name) == 0))
			return id;
	}
	return -1;
}

/* device: "crypto_aesni_mb0,args", of which the part before the comma is the name. */
static int attach(const char *device, struct rte_cryptodev_info *info, const char **why)
{
	char name[RTE_CRYPTODEV_NAME_MAX_LEN];
	int id, rc;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
	id = find(name, info);
	if (id >= 0)
		return id;
	rc = rte_dev_probe(device);
	if (rc < 0)
		return refuse(-rc, why, "DPDK has no such device, or no driver for it");
	id = find(name, info);
	if (id < 0)
		return refuse(ENODEV, why, "this is no device for symmetric cryptography");
	probed = info->device;
	return id;
}

static int make_pools(uint8_t id, unsigned n_workers)
{
	lookaside_device.ops = rte_crypto_op_pool_create("crypto_ops", RTE_CRYPTO_OP_TYPE_SYMMETRIC,
		OPS_PER_WORKER * n_workers - 1, OPS_CACHE, sizeof(struct lookaside_op),
		SOCKET_ID_ANY);
	lookaside_device.sessions =
		rte_cryptodev_sym_session_pool_create("crypto_sessions", LOOKASIDE_SA_MAX,
			rte_cryptodev_sym_get_private_session_size(id), 0, 0, SOCKET_ID_ANY);
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
	int id = attach(device, &info, why), rc;

	if (id < 0)
		return id;
	lookaside_device.id = id;
	if (info.max_nb_queue_pairs != 0 && info.max_nb_queue_pairs < n_workers)
		return refuse(EINVAL, why,
			"it has queue pairs for %u of %u workers; virtual devices take "
			"max_nb_queue_pairs=%u as an argument",
			info.max_nb_queue_pairs, n_workers, n_workers);
	if (make_pools(id, n_workers) < 0)
		return refuse(ENOMEM, why, "no memory for its sessions; raise memory_mb");
	rc = configure(id, n_workers);
	if (rc < 0)
		return refuse(-rc, why, "it cannot be started (%s)", rte_strerror(-rc));
	lookaside_device.running = true;
	return 0;
}

void lookaside_stop(void)
{
	if (lookaside_device.running) {
		rte_cryptodev_stop(lookaside_device.id);
		rte_cryptodev_close(lookaside_device.id);
	}
	if (probed != NULL)
		rte_dev_remove(probed);
	probed = NULL;
	rte_mempool_free(lookaside_device.ops);
	rte_mempool_free(lookaside_device.sessions);
	memset(&lookaside_device, 0, sizeof(lookaside_device));
}

bool lookaside_running(void)
{
	return lookaside_device.running;
}
