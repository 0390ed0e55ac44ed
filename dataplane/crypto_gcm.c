/* SPDX-License-Identifier: BSD-3-Clause */
/* AES-GCM (RFC 4106), one call to IPsec-MB a packet. Nonces and ESN's authenticated data of a chunk
 * are written first: read back at once, they would stall the encryption on store forwarding. */
#include "dataplane/crypto_ctx.h"

#include <rte_prefetch.h>

#define ICV_LEN 16

static void prepare(struct crypto_ctx *ctx, const struct crypto_op *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		aead_nonce(ctx->chunk[i].nonce, &ops[i]);
		if (ops[i].sa->flags & SA_ESN)
			esn_aad(ctx->chunk[i].aad, &ops[i]);
	}
}

/* What precedes the text: SPI and sequence number as they stand in the packet, or with ESN. */
static inline const uint8_t *aad_of(
	const struct crypto_ctx *ctx, const struct crypto_op *op, unsigned i, unsigned *len)
{
	bool esn = op->sa->flags & SA_ESN;

	*len = esn ? 12 : 8;
	return esn ? ctx->chunk[i].aad : op->esp;
}

static void seal_chunk(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n)
{
	prepare(ctx, ops, n);
	for (unsigned i = 0; i < n; i++) {
		struct crypto_op *op = &ops[i];
		const struct crypto_key *key = op->sa->key;
		uint8_t *text = op->esp + 8 + 8;
		unsigned aad_len;
		const uint8_t *aad = aad_of(ctx, op, i, &aad_len);

		ctx->gcm_seal[KEY_INDEX(key->len)](&key->gcm, &ctx->gcm, text, text, op->text_len,
			ctx->chunk[i].nonce, aad, aad_len, text + op->text_len, ICV_LEN);
		op->ok = 1;
	}
}

static void open_chunk(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n)
{
	uint8_t tag[ICV_LEN] __rte_aligned(ICV_LEN);

	prepare(ctx, ops, n);
	for (unsigned i = 0; i < n; i++) {
		struct crypto_op *op = &ops[i];
		const struct crypto_key *key = op->sa->key;
		uint8_t *text = op->esp + 8 + 8;
		unsigned aad_len;
		const uint8_t *aad = aad_of(ctx, op, i, &aad_len);

		ctx->gcm_open[KEY_INDEX(key->len)](&key->gcm, &ctx->gcm, text, text, op->text_len,
			ctx->chunk[i].nonce, aad, aad_len, tag, ICV_LEN);
		op->ok = icv_equal(tag, text + op->text_len, ICV_LEN);
	}
}

void crypto_gcm_seal(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i += GCM_CHUNK)
		seal_chunk(ctx, ops + i, RTE_MIN(n - i, (unsigned)GCM_CHUNK));
}

void crypto_gcm_open(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i += GCM_CHUNK)
		open_chunk(ctx, ops + i, RTE_MIN(n - i, (unsigned)GCM_CHUNK));
}
