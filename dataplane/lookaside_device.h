/* SPDX-License-Identifier: BSD-3-Clause */
/* The cryptodev behind lookaside.h: what its files share. */
#ifndef VIADUCT_LOOKASIDE_DEVICE_H
#define VIADUCT_LOOKASIDE_DEVICE_H

#include "dataplane/esp.h"
#include "dataplane/pkt.h"

#include <rte_crypto.h>
#include <rte_ipsec.h>

struct lookaside_device {
	bool running;
	uint8_t id;              /* DPDK's */
	struct rte_mempool *ops; /* crypto operations, struct lookaside_op behind each */
	struct rte_mempool *sessions;
};

extern struct lookaside_device lookaside_device;

#define LOOKASIDE_SA_MAX 16384 /* sessions that the device is asked for */

/* What travels with a crypto operation: the IV that librte_ipsec fills, then ours. */
struct lookaside_op {
	uint8_t iv[16];
	struct pkt pkt;
	struct sa *sa;
	uint64_t seq;
	uint16_t in;            /* id of pkt.in, which nothing keeps alive meanwhile; 0: none */
	struct esp_outer outer; /* outbound: by then the inner header is ciphertext */
};

#define LOOKASIDE_IV_OFFSET (sizeof(struct rte_crypto_op) + sizeof(struct rte_crypto_sym_op))

static_assert(LOOKASIDE_IV_OFFSET % 8 == 0, "struct lookaside_op is aligned");

static inline struct lookaside_op *lookaside_op(struct rte_crypto_op *op)
{
	return rte_crypto_op_ctod_offset(op, struct lookaside_op *, LOOKASIDE_IV_OFFSET);
}

struct lookaside_sa {
	struct rte_ipsec_session session; /* first: it is cache-aligned */
	void *crypto;                     /* the device's session */
	struct rte_ipsec_sa *sa;          /* librte_ipsec's own */
};

#endif
