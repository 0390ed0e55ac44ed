/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration file (libconfig): read, checked, and handed on as plain structures.
 *
 * config_load() checks everything that can be checked without starting: every error names file,
 * line, setting and what was expected; settings nobody knows are errors. VTIs, SAs and routes use
 * the API's own structures, since the same operations take them. */
#ifndef VIADUCT_CONFIG_H
#define VIADUCT_CONFIG_H

#include "control/err.h"

#include <stdbool.h>
#include <viaduct_api.h>

#define CONFIG_PATH      "/etc/viaduct/viaduct.conf"
#define CONFIG_CORES_MAX 64
#define CONFIG_PORTS_MAX 32

struct config_port {
	char name[VIADUCT_NAME_LEN];
	char device[256];   /* DPDK device string: PCI address, or driver name and arguments */
	uint32_t rx_queues; /* 0: one per worker where the device can */
	uint32_t rx_descriptors, tx_descriptors;
	uint32_t mtu;
	bool promiscuous;
	char mac[18]; /* "": the device's own */
};

struct config {
	char socket[108];
	char log_level[16];
	char crypto[128]; /* "ipsec-mb" or a cryptodev's device string */
	bool huge_pages;
	uint32_t memory_mb;
	uint32_t mbufs;
	uint32_t mbuf_size; /* bytes of data room, headroom excluded */
	uint32_t max_routes4, max_routes6;
	uint32_t replay_window; /* default of inbound SAs */
	uint32_t idle_us;       /* workers without traffic sleep so long; 0: never */
	unsigned n_cores;
	int cores[CONFIG_CORES_MAX]; /* CPU of each worker; -1: any (not pinned) */
	char eal_args[256];          /* more arguments for DPDK, split at spaces */
	unsigned n_ports;
	struct config_port ports[CONFIG_PORTS_MAX];
	unsigned n_vtis, n_sas, n_routes;
	struct viaduct_vti *vtis;
	struct viaduct_sa *sas; /* holds keys: config_free() wipes */
	struct viaduct_route *routes;
};

/* Read and check. NULL with *e filled on any error. Files with keys must not be readable by others:
 * that is a warning in the log. */
struct config *config_load(const char *path, struct err *e);
void config_free(struct config *c);
/* Wipe the keys once they were installed. */
void config_wipe_keys(struct config *c);

#endif
