/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker's context, and what the crypto_*.c files do with it. */
#ifndef VIADUCT_CRYPTO_CTX_H
#define VIADUCT_CRYPTO_CTX_H

#include "dataplane/crypto_key.h"
#include "dataplane/crypto_random.h"
#include "dataplane/pkt.h"

#define CRYPTO_BATCH (2 * VEC_MAX)
#define AEAD_ICV_LEN 16

struct icv_scratch {
	uint8_t computed[32]; /* as it should be */
	uint8_t received[32]; /* with ESN */
};

struct crypto_ctx {
	IMB_MGR *mgr;
	aes_gcm_enc_dec_t gcm_seal[3], gcm_open[3]; /* by KEY_INDEX */
	aes_gmac_init_t gmac_init[3];
	aes_gmac_update_t gmac_update[3];
	aes_gmac_finalize_t gmac_finalize[3];
	/* Written and read by each packet in pieces of 16 bytes: one that lay across two pages cost
	 * 36 cycles. */
	struct gcm_context_data gcm __rte_cache_aligned;

	/* AES-GCM and ChaCha20-Poly1305, packet by packet; AES-CTR's first counter block. */
	uint8_t nonce[CRYPTO_BATCH][16] __rte_cache_aligned;
	uint8_t aad[CRYPTO_BATCH][16]; /* with ESN */

	/* HMAC: the batch's packets, and then those of one suite, longest first. */
	struct crypto_op *hmac[CRYPTO_BATCH], *sorted[CRYPTO_BATCH];
	IMB_JOB job[CRYPTO_BATCH] __rte_cache_aligned;
	struct icv_scratch icv[CRYPTO_BATCH] __rte_cache_aligned;
	/* Hashes of at most few[auth] packets go to a manager that uses the SHA instructions. */
	IMB_MGR *sha_ni;
	uint16_t few[AUTH_COUNT];

	struct drbg drbg;
} __rte_cache_aligned;

/* Batches of one kind. */
void crypto_gcm_seal(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n);
void crypto_gcm_open(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n);
void crypto_chacha_seal(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n);
void crypto_chacha_open(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n);
void crypto_gmac_seal(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n);
void crypto_gmac_open(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n);

/* Reorders the n pointers at `op`. */
void crypto_hmac_seal(struct crypto_ctx *ctx, struct crypto_op **op, unsigned n);
void crypto_hmac_open(struct crypto_ctx *ctx, struct crypto_op **op, unsigned n);

/* Without a branch that depends on the bytes. len: 12, 16, 24 or 32. */
static inline bool icv_equal(const uint8_t *a, const uint8_t *b, unsigned len)
{
	uint64_t x, y, diff;

	memcpy(&x, a, 8);
	memcpy(&y, b, 8);
	diff = x ^ y;
	memcpy(&x, a + len - 8, 8);
	memcpy(&y, b + len - 8, 8);
	diff |= x ^ y;
	for (unsigned i = 8; i + 8 < len; i += 8) {
		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
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

/* The nonce of AES-GCM (RFC 4106 4), ChaCha20-Poly1305 (RFC 7634 2) and GMAC (RFC 4543 3.2): salt, IV. */
static inline void aead_nonce(uint8_t *nonce, const struct crypto_op *op)
{
	memcpy(nonce, &op->sa->salt, 4);
	memcpy(nonce + 4, op->esp + 8, 8);
}

/* Nonces and ESN's authenticated data of the batch are written first: read back at once, they would
 * stall the encryption on store forwarding. */
static inline void aead_prepare(struct crypto_ctx *ctx, const struct crypto_op *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		aead_nonce(ctx->nonce[i], &ops[i]);
		if (ops[i].sa->flags & SA_ESN)
			esn_aad(ctx->aad[i], &ops[i]);
	}
}

#endif
