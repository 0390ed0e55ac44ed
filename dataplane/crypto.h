/* SPDX-License-Identifier: BSD-3-Clause */
/* ESP's cryptography on the calling core, by Intel IPsec-MB. Knows nothing of IP: it gets ESP
 * packets whose header, IV and padding stand, and encrypts or decrypts them in place. */
#ifndef VIADUCT_CRYPTO_H
#define VIADUCT_CRYPTO_H

#include "dataplane/sa.h"

/* One packet of a batch. From `esp` on: ESP header (8), IV (sa->iv_len), text, ICV (sa->icv_len),
 * contiguous, in one segment. The text includes padding, pad length and next header. */
struct crypto_op {
	const struct sa *sa;
	uint8_t *esp;
	uint32_t text_len;
	uint32_t seq_hi; /* upper half of the sequence number, host order; only with SA_ESN */
	uint8_t ok;      /* out: done; in: ICV right (where it is not, the text is undefined) */
};

/* A worker's own IPsec-MB manager and scratch memory. Not shared. */
struct crypto_ctx;

/* arch: NULL for the best this CPU has, or "avx512", "avx2", "avx", "sse" to hold it down
 * (VIADUCT_CRYPTO_ARCH in the environment does the same, for tests). All contexts that exist at one
 * time are of one architecture, and keys are expanded for that. NULL on failure. */
struct crypto_ctx *crypto_ctx_new(const char *arch);
void crypto_ctx_free(struct crypto_ctx *ctx);
const char *crypto_ctx_arch(const struct crypto_ctx *ctx);

/* Expand the SA's keys for IPsec-MB: sets sa->key (64-byte aligned, readable by any worker).
 * 0 or -ENOMEM. crypto_key_free wipes. */
int crypto_key_init(struct sa *sa, const struct sa_params *p);
void crypto_key_free(struct crypto_key *key);

/* Encrypt and authenticate / verify and decrypt n packets of any mix of SAs, in place. Multi-buffer
 * lanes are filled across the SAs of the batch. n is at most 2 * VEC_MAX. */
void crypto_seal(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n);
void crypto_open(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n);

/* n unpredictable bytes for CBC IVs (RFC 3602 3), drawn from a per-worker AES-CTR generator seeded
 * by getrandom(2) when the context is made; no system call here. */
void crypto_random(struct crypto_ctx *ctx, void *buf, unsigned n);

#endif
