/* SPDX-License-Identifier: BSD-3-Clause */
/* AES-GCM (RFC 4106), one call to IPsec-MB a packet. */
#include "dataplane/crypto_ctx.h"

/* What precedes the text: SPI and sequence number as they stand in the packet, or with ESN. */
static inline const uint8_t *aad_of(
	const struct crypto_ctx *ctx, const struct crypto_op *op, unsigned i, unsigned *len)
{
	bool esn = op->sa->flags & SA_ESN;

	*len = esn ? 12 : 8;
	return esn ? ctx->aad[i] : op->esp;
}

void crypto_gcm_seal(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n)
{
	aead_prepare(ctx, ops, n);
	for (unsigned i = 0; i < n; i++) {
		struct crypto_op *op = &ops[i];
		const struct crypto_key *key = op->sa->key;
		uint8_t *text = op->esp + 8 + 8;
		unsigned aad_len;
		const uint8_t *aad = aad_of(ctx, op, i, &aad_len);

		ctx->gcm_seal[KEY_INDEX(key->len)](&key->gcm, &ctx->gcm, text, text, op->text_len,
			ctx->nonce[i], aad, aad_len, text + op->text_len, AEAD_ICV_LEN);
		op->ok = 1;
	}
}

void crypto_gcm_open(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n)
{
	uint8_t tag[AEAD_ICV_LEN] __rte_aligned(AEAD_ICV_LEN);

	aead_prepare(ctx, ops, n);
	for (unsigned i = 0; i < n; i++) {
		struct crypto_op *op = &ops[i];
		const struct crypto_key *key = op->sa->key;
		uint8_t *text = op->esp + 8 + 8;
		unsigned aad_len;
		const uint8_t *aad = aad_of(ctx, op, i, &aad_len);

		ctx->gcm_open[KEY_INDEX(key->len)](&key->gcm, &ctx->gcm, text, text, op->text_len,
			ctx->nonce[i], aad, aad_len, tag, AEAD_ICV_LEN);
		op->ok = icv_equal(tag, text + op->text_len, AEAD_ICV_LEN);
	}
}
