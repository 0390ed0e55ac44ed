/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker's context, and what the crypto_*.c files do with it. */
#ifndef VIADUCT_CRYPTO_CTX_H
#define VIADUCT_CRYPTO_CTX_H

#include "dataplane/crypto_key.h"
#include "dataplane/crypto_random.h"

/* Where a job's operands are kept until it is done: one for each job IPsec-MB can hold. */
struct job_scratch {
	uint8_t computed[32]; /* inbound: the ICV as it should be */
	uint8_t received[32]; /* inbound with ESN: the ICV whose place is lent to seq_hi */
	uint8_t nonce[16];
	uint8_t aad[16];
};

#define GCM_CHUNK 64 /* nonces written ahead of the encryptions that read them */

struct gcm_scratch {
	uint8_t nonce[16];
	uint8_t aad[16];
};

struct crypto_ctx {
	IMB_MGR *mgr;
	aes_gcm_enc_dec_t gcm_seal[3], gcm_open[3]; /* by KEY_INDEX */
	struct gcm_context_data gcm;
	struct gcm_scratch chunk[GCM_CHUNK] __rte_cache_aligned;
	struct job_scratch job[IMB_MAX_JOBS] __rte_cache_aligned;
	struct drbg drbg;
} __rte_cache_aligned;

/* Batches of one kind (crypto_gcm.c), and jobs (crypto_jobs.c): those are submitted one by one and
 * may stay in the manager's lanes until crypto_jobs_flush(). */
void crypto_gcm_seal(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n);
void crypto_gcm_open(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n);
void crypto_job_seal(struct crypto_ctx *ctx, struct crypto_op *op);
void crypto_job_open(struct crypto_ctx *ctx, struct crypto_op *op);
void crypto_jobs_flush(struct crypto_ctx *ctx);

/* Without a branch that depends on the bytes. len: a multiple of 4. */
static inline bool icv_equal(const uint8_t *a, const uint8_t *b, unsigned len)
{
	uint32_t diff = 0, x, y;

	for (unsigned i = 0; i < len; i += 4) {
		memcpy(&x, a + i, 4);
		memcpy(&y, b + i, 4);
		diff |= x ^ y;
	}
	return diff == 0;
}

/* ESP's authenticated data with ESN: SPI, high and low half of the sequence number (RFC 4106 5). */
static inline void esn_aad(uint8_t *aad, const struct crypto_op *op)
{
	uint32_t hi = __builtin_bswap32(op->seq_hi);

	memcpy(aad, op->esp, 4);
	memcpy(aad + 4, &hi, 4);
	memcpy(aad + 8, op->esp + 4, 4);
}

/* The nonce of AES-GCM (RFC 4106 4) and ChaCha20-Poly1305 (RFC 7634 2): salt, IV. */
static inline void aead_nonce(uint8_t *nonce, const struct crypto_op *op)
{
	memcpy(nonce, &op->sa->salt, 4);
	memcpy(nonce + 4, op->esp + 8, 8);
}

#endif
