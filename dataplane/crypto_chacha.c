/* SPDX-License-Identifier: BSD-3-Clause */
/* ChaCha20-Poly1305 (RFC 7634), by IPsec-MB's jobs: its calls for init, update and finalize take some
 * 300 cycles a packet more. */
#include "dataplane/crypto_ctx.h"

static inline void set_job(IMB_JOB *job, const struct crypto_op *op, const uint8_t *nonce,
	const uint8_t *aad, uint8_t *tag)
{
	bool esn = op->sa->flags & SA_ESN;

	job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	job->src = op->esp;
	job->dst = op->esp + 16;
	job->cipher_start_src_offset_in_bytes = 16;
	job->msg_len_to_cipher_in_bytes = op->text_len;
	job->hash_start_src_offset_in_bytes = 16;
	job->msg_len_to_hash_in_bytes = op->text_len;
	job->enc_keys = job->dec_keys = op->sa->key->chacha;
	job->key_len_in_bytes = sizeof(op->sa->key->chacha);
	job->iv = nonce;
	job->iv_len_in_bytes = 12;
	job->u.CHACHA20_POLY1305.aad = esn ? aad : op->esp;
	job->u.CHACHA20_POLY1305.aad_len_in_bytes = esn ? 12 : 8;
	job->auth_tag_output = tag;
	job->auth_tag_output_len_in_bytes = AEAD_ICV_LEN;
}

/* The job is done when it has been submitted: this algorithm has no lanes. */
static bool run(struct crypto_ctx *ctx, IMB_JOB *job)
{
	return IMB_SUBMIT_JOB_NOCHECK(ctx->mgr) == job && job->status == IMB_STATUS_COMPLETED;
}

void crypto_chacha_seal(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n)
{
	aead_prepare(ctx, ops, n);
	for (unsigned i = 0; i < n; i++) {
		IMB_JOB *job = IMB_GET_NEXT_JOB(ctx->mgr);

		set_job(job, &ops[i], ctx->nonce[i], ctx->aad[i],
			ops[i].esp + 16 + ops[i].text_len);
		job->cipher_direction = IMB_DIR_ENCRYPT;
		job->chain_order = IMB_ORDER_CIPHER_HASH;
		ops[i].ok = run(ctx, job);
	}
}

void crypto_chacha_open(struct crypto_ctx *ctx, struct crypto_op *ops, unsigned n)
{
	uint8_t tag[AEAD_ICV_LEN] __rte_aligned(AEAD_ICV_LEN);

	aead_prepare(ctx, ops, n);
	for (unsigned i = 0; i < n; i++) {
		IMB_JOB *job = IMB_GET_NEXT_JOB(ctx->mgr);

		set_job(job, &ops[i], ctx->nonce[i], ctx->aad[i], tag);
		job->cipher_direction = IMB_DIR_DECRYPT;
		job->chain_order = IMB_ORDER_HASH_CIPHER;
		ops[i].ok = run(ctx, job) &&
			icv_equal(tag, ops[i].esp + 16 + ops[i].text_len, AEAD_ICV_LEN);
	}
}
