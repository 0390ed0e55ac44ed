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

#define CONFIG_PATH        "/etc/viaduct/viaduct.conf"
#define CONFIG_CORES_MAX   64
#define CONFIG_PORTS_MAX   512 /* VLANs included */
#define CONFIG_DEVICES_MAX 32

#define VIADUCT_ACCOUNT_LEN 33 /* names of users and groups: Linux's 32 characters */

struct config_port {
	char name[VIADUCT_NAME_LEN];
	/* DPDK device string: PCI address, or driver name and arguments. "": it is a VLAN */
	char device[256];
	char parent[VIADUCT_NAME_LEN]; /* a VLAN's port, which stands before it; "": it is none */
	uint32_t vlan;
	uint32_t rx_queues; /* 0: one per worker where the device can */
	uint32_t rx_descriptors, tx_descriptors;
	uint32_t mtu;
	bool promiscuous;
	char mac[18]; /* "": the device's own */
	uint8_t rpf;  /* enum viaduct_rpf */
	bool esp_only;
};

/* Keyed, with a secret of this process: says whether keys are equal, and nothing else. */
struct key_digest {
	uint8_t bytes[32];
};

/* What is kept of an SA's keys after they were wiped. */
struct config_keys {
	char key_file[256], auth_key_file[256]; /* "": the keys stood in the file itself */
	struct key_digest digest;               /* of algorithms and keys (config/key_digest.c) */
};

/* An SA as it is read: the API's structure, and what is kept beside it. */
struct config_sa {
	struct viaduct_sa sa; /* first, since settings are read into it by that name */
	struct config_keys keys;
};

struct config {
	char socket[108];
	char api_group[VIADUCT_ACCOUNT_LEN], api_read_group[VIADUCT_ACCOUNT_LEN]; /* "": none */
	char api_mode[5];               /* octal; "": by the groups */
	char user[VIADUCT_ACCOUNT_LEN]; /* "": who started it */
	bool core_dumps;
	char log_level[16];
	char crypto[128]; /* "ipsec-mb" or a cryptodev's device string */
	bool huge_pages;
	uint32_t memory_mb;
	uint32_t mbufs;
	uint32_t mbuf_size; /* bytes of data room, headroom excluded; 0: see packet_buffer_size() */
	uint32_t max_routes4, max_routes6;
	uint32_t replay_window;    /* default of inbound SAs */
	uint32_t path_mtu_timeout; /* seconds that what ICMP tells of a path is believed */
	uint32_t idle_us;          /* workers without traffic sleep so long; 0: never */
	unsigned n_cores;
	int cores[CONFIG_CORES_MAX]; /* CPU of each worker; -1: any (not pinned) */
	char eal_args[256];          /* more arguments for DPDK, split at spaces */
	unsigned n_ports;
	struct config_port ports[CONFIG_PORTS_MAX];
	unsigned n_vtis, n_sas, n_routes;
	struct viaduct_vti *vtis;
	struct viaduct_sa *sas;   /* holds keys: config_free() wipes */
	struct config_keys *keys; /* of each SA */
	struct viaduct_route *routes;
};

/* Read and check. NULL with *e filled on any error. Files with keys must not be readable by others:
 * that is a warning in the log. The text that was read is wiped. */
struct config *config_load(const char *path, struct err *e);
void config_free(struct config *c);
/* A configuration that says nothing: all defaults. NULL: no memory. */
struct config *config_default(void);
/* Wipe the keys once they were installed. */
void config_wipe_keys(struct config *c);

#endif
