/* SPDX-License-Identifier: BSD-3-Clause */
/* AES-GCM (RFC 4106), one call to IPsec-MB a packet. */
#include "dataplane/crypto_ctx.h"

#include <rte_prefetch.h>

#define KEYS_AHEAD 6 /* of packets whose keys are fetched while others are encrypted */

/* Of the key schedule every packet needs the round keys at its front and the low powers of the hash key
 * at its end. Where each packet has another SA they may be in no cache, or in the second-level one. */
static inline void fetch_key(const struct crypto_op *op)
{
	const struct crypto_key *key = op->sa->key;
	const uint8_t *front = key->gcm.expanded_keys, *last = &key->len;

	for (unsigned i = 0; i < 3; i++)
		rte_prefetch0(front + i * RTE_CACHE_LINE_SIZE);
	rte_prefetch0(last);
	rte_prefetch0(last - RTE_CACHE_LINE_SIZE);
}

/* A guess that costs little: packets of few SAs would hardly differ in both places. */
static inline bool many_keys(const struct crypto_op *ops, unsigned n)
{
	return ops[0].sa != ops[n / 2].sa && ops[0].sa != ops[n - 1].sa;
}

/* Called with i from 0 to n - 1. */
static inline void fetch_keys_ahead(const struct crypto_op *ops, unsigned i, unsigned n)
{
	if (i == 0) {
		for (unsigned k = 1; k < RTE_MIN(n, (unsigned)KEYS_AHEAD); k++)
			fetch_key(&ops[k]);
	}
	if (i + KEYS_AHEAD < n)
		fetch_key(&ops[i + KEYS_AHEAD]);
}

/* What precedes the text: SPI and sequence number as they stand in the packet, or with ESN. */
static inline const uint8_t *aad_of(
	const struct crypto_ctx *ctx, const struct crypto_op *op, unsigned i, unsigned *len)
{
	bool esn = op->sa->flags & SA_ESN;

	*len = esn ? 12 : 8;
	return esn ? ctx->aad[i] : op->esp;
}

static __rte_always_inline void seal_all(
	struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n, bool many)
{
	for (unsigned i = 0; i < n; i++) {
		struct crypto_op *op = &ops[i];
		const struct crypto_key *key = op->sa->key;
		uint8_t *text = op->esp + 8 + 8;
		unsigned aad_len;
		const uint8_t *aad = aad_of(ctx, op, i, &aad_len);

		if (many)
			fetch_keys_ahead(ops, i, n);
		ctx->gcm_seal[KEY_INDEX(key->len)](&key->gcm, &ctx->gcm, text, text, op->text_len,
			ctx->nonce[i], aad, aad_len, text + op->text_len, AEAD_ICV_LEN);
		op->ok = 1;
	}
}

static __rte_always_inline void open_all(
	struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n, bool many)
{
	uint8_t tag[AEAD_ICV_LEN] __rte_aligned(AEAD_ICV_LEN);

	for (unsigned i = 0; i < n; i++) {
		struct crypto_op *op = &ops[i];
		const struct crypto_key *key = op->sa->key;
		uint8_t *text = op->esp + 8 + 8;
		unsigned aad_len;
		const uint8_t *aad = aad_of(ctx, op, i, &aad_len);

		if (many)
			fetch_keys_ahead(ops, i, n);
		ctx->gcm_open[KEY_INDEX(key->len)](&key->gcm, &ctx->gcm, text, text, op->text_len,
			ctx->nonce[i], aad, aad_len, tag, AEAD_ICV_LEN);
		op->ok = icv_equal(tag, text + op->text_len, AEAD_ICV_LEN);
	}
}

void crypto_gcm_seal(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n)
{
	aead_prepare(ctx, ops, n);
	if (unlikely(many_keys(ops, n)))
		seal_all(ctx, ops, n, true);
	else
		seal_all(ctx, ops, n, false);
}

void crypto_gcm_open(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n)
{
	aead_prepare(ctx, ops, n);
	if (unlikely(many_keys(ops, n)))
		open_all(ctx, ops, n, true);
	else
		open_all(ctx, ops, n, false);
}
