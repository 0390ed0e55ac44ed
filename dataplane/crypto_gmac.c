/* SPDX-License-Identifier: BSD-3-Clause */
/* AES-GMAC (RFC 4543): AES-GCM over a packet that stays as it is. */
#include "dataplane/crypto_ctx.h"

/* All that comes before the ICV, with ESN's upper half between SPI and sequence number. */
static void compute(struct crypto_ctx *ctx, const struct crypto_op *op, const uint8_t *nonce,
	const uint8_t *aad, uint8_t *tag)
{
	const struct crypto_key *key = op->sa->key;
	const unsigned i = KEY_INDEX(key->len);
	const bool esn = op->sa->flags & SA_ESN;
	const uint8_t *rest = esn ? op->esp + 8 : op->esp;

	ctx->gmac_init[i](&key->gcm, &ctx->gcm, nonce, 12);
	if (esn)
		ctx->gmac_update[i](&key->gcm, &ctx->gcm, aad, 12);
	ctx->gmac_update[i](&key->gcm, &ctx->gcm, rest, op->esp + 16 + op->text_len - rest);
	ctx->gmac_finalize[i](&key->gcm, &ctx->gcm, tag, AEAD_ICV_LEN);
}

void crypto_gmac_seal(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n)
{
	aead_prepare(ctx, ops, n);
	for (unsigned i = 0; i < n; i++) {
		compute(ctx, &ops[i], ctx->nonce[i], ctx->aad[i],
			ops[i].esp + 16 + ops[i].text_len);
		ops[i].ok = 1;
	}
}

void crypto_gmac_open(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n)
{
	uint8_t tag[AEAD_ICV_LEN] __rte_aligned(AEAD_ICV_LEN);

	aead_prepare(ctx, ops, n);
	for (unsigned i = 0; i < n; i++) {
		compute(ctx, &ops[i], ctx->nonce[i], ctx->aad[i], tag);
		ops[i].ok = icv_equal(tag, ops[i].esp + 16 + ops[i].text_len, AEAD_ICV_LEN);
	}
}
