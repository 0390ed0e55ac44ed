/* SPDX-License-Identifier: BSD-3-Clause */
/* A security association as the workers use it (RFC 4301 4.4.2), one direction.
 *
 * Made by sa_create() from parameters, published in the SPI table (in) or an interface's sa_out
 * (out), retired through RCU, then wiped and freed by sa_destroy(). The first cache lines are
 * written once; what changes per packet lives in lines of its own. */
#ifndef VIADUCT_SA_H
#define VIADUCT_SA_H

#include "dataplane/addr.h"
#include "dataplane/alg.h"
#include "dataplane/replay.h"

#include <rte_common.h>

#include <assert.h>
#include <stddef.h>

struct iface;
struct crypto_key;
struct lookaside_sa;

enum sa_dir {
	SA_IN = 1,
	SA_OUT = 2
};

enum sa_flag {
	SA_ESN = 1 << 0,
	SA_UDP_ENCAP = 1 << 1,    /* RFC 3948 */
	SA_ANY_SOURCE = 1 << 2,   /* inbound: the peer's address is not checked (behind NAT) */
	SA_NO_COPY_DSCP = 1 << 3, /* out: DSCP 0 outside instead of the inner one */
	SA_NO_ECN = 1 << 4,       /* out: not-ECT outside; in: the outer ECN field is ignored */
	SA_COPY_DF = 1 << 5,      /* out: the inner DF bit; else see SA_SET_DF */
	SA_SET_DF = 1 << 6,       /* out: DF set; neither of both: DF clear (RFC 4301 8.1) */
	SA_LOOKASIDE = 1 << 7,    /* librte_ipsec over a cryptodev does the crypto */
};

/* An inner packet's range that an SA may carry (RFC 4301 4.4.1.1). */
struct selector {
	uint8_t family;                    /* enum ip_family */
	uint8_t proto;                     /* 0: any */
	uint16_t src_port[2], dst_port[2]; /* from, to; 0 to 65535: any */
	uint8_t src[2][16], dst[2][16];    /* first and last address, network order, left-aligned */
};

/* What sa_create() needs. Keys stay the caller's, who wipes them. Addresses and ports are those of
 * the outer header as it travels: src/sport is the sender. */
struct sa_params {
	uint32_t spi; /* host order, 256 or more */
	uint8_t dir;
	uint8_t cipher, auth;
	uint16_t flags;         /* enum sa_flag */
	struct addr src, dst;   /* same family, both set */
	uint16_t sport, dport;  /* SA_UDP_ENCAP: host order */
	uint32_t replay_window; /* inbound, packets */
	uint64_t first_seq;     /* outbound: first sequence number to send; 0 means 1 */
	uint8_t enc_key_len, auth_key_len;
	const uint8_t *enc_key, *auth_key;
	const struct selector *selectors; /* inbound; copied */
	uint8_t n_selectors;              /* 0: anything */
};

/* One worker's own line of an SA. */
struct sa_worker {
	uint64_t packets,
		bytes;     /* ESP payload bytes as RFC 4301 counts: the inner packets' lengths */
	uint64_t last_use; /* TSC of the last packet that passed; 0: never */
	uint64_t errors;   /* ICV, padding, replay ... (in), exhausted ... (out) */
	/* Outbound: next hop of the outer destination. An id, since a next hop is replaced without
	 * the FIB noticing; good while the FIB's generation is nh_generation - 1 (0: none yet). */
	uint32_t nh_id, nh_generation;
	_Atomic uint32_t inflight; /* packets inside a crypto device: the SA must outlive them */
} __rte_cache_aligned;

#define SA_HDR_MAX 56 /* IPv6 40 + UDP 8 + ESP 8 */

/* What the outer headers of an SA's packets have in common, made by esp_build_template(). Small, since
 * the loop over a run's packets copies it: a local variable stays in registers, where *sa would be
 * read again after each store into a packet. */
struct esp_mould {
	const uint8_t *hdr; /* sa->hdr */
	uint64_t ip4[2];    /* IPv4: its first 16 bytes; lengths, id and checksum zero */
	uint32_t ip4_dst, ip4_sum;
	uint32_t spi, spi_be;
	uint32_t ports; /* UDP's, as they stand in memory */
	uint8_t hdr_len;
	uint8_t tos_mask;
	bool four, udp, set_df, copy_df;
};

static_assert(sizeof(struct esp_mould) <= RTE_CACHE_LINE_SIZE, "fetched at once");

struct sa {
	/* Read by every packet, written once. */
	uint32_t spi; /* host order */
	uint32_t spi_be;
	uint16_t flags;
	uint8_t dir;
	uint8_t family; /* of the outer header */
	uint8_t cipher, auth;
	uint8_t iv_len, icv_len;
	uint8_t align;   /* padding alignment, a power of two */
	uint8_t hdr_len; /* out: bytes of hdr[]: IP, UDP when encapsulated, ESP */
	uint8_t n_selectors;
	_Atomic uint8_t expired; /* hard lifetime passed: set by control, packets are dropped */
	uint32_t salt;           /* AEAD, as it stands in memory */
	uint32_t worker_count;
	struct crypto_key *key;         /* IPsec-MB's schedules; wiped by sa_destroy */
	struct lookaside_sa *lookaside; /* SA_LOOKASIDE */
	struct iface *_Atomic vti;      /* bound interface; NULL: none yet */
	struct selector *selectors;

	/* Out: outer header template, lengths and sequence number zero. Where IPv4's checksum goes
	 * stands the folded sum of the rest. */
	uint8_t hdr[64] __rte_cache_aligned;

	struct addr src, dst; /* of the outer header as it travels */
	uint16_t sport, dport;

	union {
		struct { /* Out. */
			struct esp_mould mould;
			/* Written by workers: the next sequence number to give away. */
			_Atomic uint64_t seq __rte_cache_aligned;
			/* Last one that may be sent: 2^32 - 1; with ESN 2^32 short of 2^64, so that
			 * workers which add at the same moment as the last number goes can't carry
			 * `seq` round to 0. */
			uint64_t seq_max;
		};
		struct replay replay; /* In; written by workers. */
	} __rte_cache_aligned;

	struct sa_worker worker[] __rte_cache_aligned;
} __rte_cache_aligned;

static_assert(offsetof(struct sa, hdr) == RTE_CACHE_LINE_SIZE, "per-packet fields fill one line");

/* Control side. Checks the parameters (as alg_valid does; SPI range; addresses) and builds an SA
 * for n_workers workers, not yet visible to any. NULL with *why set on bad parameters or no memory. */
struct sa *sa_create(const struct sa_params *p, unsigned n_workers, const char **why);

/* Wipes keys and frees. Nobody may hold the SA any more. */
void sa_destroy(struct sa *sa);

/* Largest inner packet whose ESP packet is at most `path_mtu` bytes, for an SA (or one like it):
 * padding, IV, ICV, UDP and the outer header taken off exactly. 0 where nothing fits. */
uint16_t sa_inner_mtu(const struct sa *sa, uint16_t path_mtu);

/* Bytes of the ESP packet, outer header included, that carries `inner` bytes. */
uint32_t sa_outer_len(const struct sa *sa, uint16_t inner);

/* Sums over the workers. */
struct sa_stats {
	uint64_t packets, bytes, errors, last_use;
	uint32_t inflight;
};
struct sa_stats sa_stats_sum(const struct sa *sa);

#endif
