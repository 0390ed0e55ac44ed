/* SPDX-License-Identifier: BSD-3-Clause */
/* Algorithms that run as IPsec-MB jobs: AES-CBC or NULL with HMAC, which the manager interleaves
 * across packets, whatever SA they are of; and ChaCha20-Poly1305 (RFC 7634). */
#include "dataplane/crypto_ctx.h"

#define ESN_LEN 4

static const IMB_HASH_ALG hash_algs[AUTH_COUNT] = {
	[AUTH_HMAC_SHA1_96] = IMB_AUTH_HMAC_SHA_1,
	[AUTH_HMAC_SHA2_256_128] = IMB_AUTH_HMAC_SHA_256,
	[AUTH_HMAC_SHA2_384_192] = IMB_AUTH_HMAC_SHA_384,
	[AUTH_HMAC_SHA2_512_256] = IMB_AUTH_HMAC_SHA_512,
};

static inline struct job_scratch *scratch_of(struct crypto_ctx *ctx, const IMB_JOB *job)
{
	return &ctx->job[job - ctx->mgr->jobs];
}

static inline uint8_t *icv_place(const struct crypto_op *op)
{
	return op->esp + 8 + op->sa->iv_len + op->text_len;
}

static void set_cipher(IMB_JOB *job, const struct crypto_op *op)
{
	const struct crypto_key *key = op->sa->key;
	unsigned text = 8 + op->sa->iv_len;

	job->src = op->esp;
	job->dst = op->esp + text;
	job->cipher_start_src_offset_in_bytes = text;
	job->msg_len_to_cipher_in_bytes = op->text_len;
	if (op->sa->cipher == CIPHER_NULL) {
		job->cipher_mode = IMB_CIPHER_NULL;
		return;
	}
	job->cipher_mode = IMB_CIPHER_CBC;
	job->enc_keys = key->aes.enc;
	job->dec_keys = key->aes.dec;
	job->key_len_in_bytes = key->len;
	job->iv = op->esp + 8;
	job->iv_len_in_bytes = op->sa->iv_len;
}

static void set_hmac(IMB_JOB *job, const struct crypto_op *op)
{
	const struct crypto_key *key = op->sa->key;
	uint32_t hi = __builtin_bswap32(op->seq_hi);

	job->hash_alg = hash_algs[op->sa->auth];
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_hash_in_bytes = 8 + op->sa->iv_len + op->text_len;
	job->auth_tag_output_len_in_bytes = op->sa->icv_len;
	job->u.HMAC._hashed_auth_key_xor_ipad = key->ipad;
	job->u.HMAC._hashed_auth_key_xor_opad = key->opad;
	if (op->sa->flags & SA_ESN) {
		/* RFC 4303 2.2.1: hashed behind the text, not sent. The ICV's place is free. */
		memcpy(icv_place(op), &hi, ESN_LEN);
		job->msg_len_to_hash_in_bytes += ESN_LEN;
	}
}

static void set_chacha(IMB_JOB *job, const struct crypto_op *op, struct job_scratch *s)
{
	bool esn = op->sa->flags & SA_ESN;

	aead_nonce(s->nonce, op);
	if (esn)
		esn_aad(s->aad, op);
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
	job->iv = s->nonce;
	job->iv_len_in_bytes = 12;
	job->u.CHACHA20_POLY1305.aad = esn ? s->aad : op->esp;
	job->u.CHACHA20_POLY1305.aad_len_in_bytes = esn ? 12 : 8;
	job->auth_tag_output_len_in_bytes = op->sa->icv_len;
}

/* Jobs come back in the order in which they were submitted. */
static void finish(struct crypto_ctx *ctx, const IMB_JOB *job)
{
	struct crypto_op *op = job->user_data;
	const struct job_scratch *s = scratch_of(ctx, job);
	const uint8_t *received;

	op->ok = job->status == IMB_STATUS_COMPLETED;
	if (job->auth_tag_output != s->computed) /* outbound */
		return;
	received = job->user_data2;
	op->ok &= icv_equal(s->computed, received, op->sa->icv_len);
}

static void submit(struct crypto_ctx *ctx)
{
	IMB_JOB *job = IMB_SUBMIT_JOB_NOCHECK(ctx->mgr);

	for (; job != NULL; job = IMB_GET_COMPLETED_JOB(ctx->mgr))
		finish(ctx, job);
}

void crypto_job_seal(struct crypto_ctx *ctx, struct crypto_op *op)
{
	IMB_JOB *job = IMB_GET_NEXT_JOB(ctx->mgr);

	if (op->sa->cipher == CIPHER_CHACHA20_POLY1305) {
		set_chacha(job, op, scratch_of(ctx, job));
	} else {
		set_cipher(job, op);
		set_hmac(job, op);
	}
	job->cipher_direction = IMB_DIR_ENCRYPT;
	job->chain_order = IMB_ORDER_CIPHER_HASH;
	job->auth_tag_output = icv_place(op);
	job->user_data = op;
	submit(ctx);
}

void crypto_job_open(struct crypto_ctx *ctx, struct crypto_op *op)
{
	IMB_JOB *job = IMB_GET_NEXT_JOB(ctx->mgr);
	struct job_scratch *s = scratch_of(ctx, job);

	job->user_data2 = icv_place(op);
	if (op->sa->cipher == CIPHER_CHACHA20_POLY1305) {
		set_chacha(job, op, s);
	} else {
		if (op->sa->flags & SA_ESN) {
			memcpy(s->received, icv_place(op), op->sa->icv_len);
			job->user_data2 = s->received;
		}
		set_cipher(job, op);
		set_hmac(job, op);
	}
	job->cipher_direction = IMB_DIR_DECRYPT;
	job->chain_order = IMB_ORDER_HASH_CIPHER;
	job->auth_tag_output = s->computed;
	job->user_data = op;
	submit(ctx);
}

void crypto_jobs_flush(struct crypto_ctx *ctx)
{
	IMB_JOB *job;

	while ((job = IMB_FLUSH_JOB(ctx->mgr)) != NULL)
		finish(ctx, job);
}
