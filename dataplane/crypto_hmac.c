/* SPDX-License-Identifier: BSD-3-Clause */
/* AES-CBC, AES-CTR or NULL with HMAC. IPsec-MB computes many packets side by side in the lanes of its vector
 * registers, whatever SAs they are of, so all packets of a batch that have the same algorithms go in
 * one call for the cipher and one for the hash.
 *
 * These two calls (IMB_SUBMIT_CIPHER_BURST, IMB_SUBMIT_HASH_BURST) are the fastest of IPsec-MB's
 * interfaces here. They finish all they are given and keep no queue. IMB_SUBMIT_BURST has one, and
 * IPsec-MB 1.3 takes a full one for an empty one: its packets are lost. */
#include "dataplane/crypto_ctx.h"

#include <rte_branch_prediction.h>

#define ESN_LEN 4

static const IMB_HASH_ALG hash_algs[AUTH_COUNT] = {
	[AUTH_HMAC_SHA1_96] = IMB_AUTH_HMAC_SHA_1,
	[AUTH_HMAC_SHA2_256_128] = IMB_AUTH_HMAC_SHA_256,
	[AUTH_HMAC_SHA2_384_192] = IMB_AUTH_HMAC_SHA_384,
	[AUTH_HMAC_SHA2_512_256] = IMB_AUTH_HMAC_SHA_512,
};

/* Packets with the same number can go in one call: key->len is 0 with NULL encryption. */
static inline unsigned suite_of(const struct crypto_op *op)
{
	uint16_t algorithms;

	static_assert(offsetof(struct sa, auth) == offsetof(struct sa, cipher) + 1, "read at once");
	memcpy(&algorithms, &op->sa->cipher, sizeof(algorithms));
	return algorithms << 8 | op->sa->key->len;
}

/* Bring those of op[0]'s suite to the front. Returns how many there are. */
static unsigned group_suite(struct crypto_op **op, unsigned n)
{
	unsigned suite = suite_of(op[0]), same = 1;
	struct crypto_op *other;

	for (unsigned i = 1; i < n; i++) {
		if (suite_of(op[i]) != suite)
			continue;
		other = op[same];
		op[same++] = op[i];
		op[i] = other;
	}
	return same;
}

/* What the packets of one call have in common. */
struct suite {
	uint32_t text_off; /* from the ESP header */
	uint32_t icv_len;
	bool counter;
};

static inline struct suite suite_make(const struct sa *sa)
{
	return (struct suite){
		.text_off = 8 + sa->iv_len,
		.icv_len = sa->icv_len,
		.counter = sa->cipher == CIPHER_AES_CTR,
	};
}

/* RFC 3686 4: nonce, IV, and a count of blocks that begins at 1. */
static __rte_noinline const uint8_t *counter_block(uint8_t *block, const struct crypto_op *op)
{
	static const uint8_t one[4] = {0, 0, 0, 1};

	aead_nonce(block, op);
	memcpy(block + 12, one, sizeof(one));
	return block;
}

static inline void set_job(struct crypto_ctx *ctx, unsigned i, const struct suite *s,
	const struct crypto_op *op, uint8_t *icv)
{
	const struct crypto_key *key = op->sa->key;
	IMB_JOB *job = &ctx->job[i];

	job->src = op->esp;
	job->dst = op->esp + s->text_off;
	job->iv = likely(!s->counter) ? op->esp + 8 : counter_block(ctx->nonce[i], op);
	job->enc_keys = key->aes.enc;
	job->dec_keys = key->aes.dec;
	job->cipher_start_src_offset_in_bytes = s->text_off;
	job->msg_len_to_cipher_in_bytes = op->text_len;
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_hash_in_bytes = s->text_off + op->text_len;
	job->auth_tag_output = icv;
	job->auth_tag_output_len_in_bytes = s->icv_len;
	job->u.HMAC._hashed_auth_key_xor_ipad = key->ipad;
	job->u.HMAC._hashed_auth_key_xor_opad = key->opad;
	if (op->sa->flags & SA_ESN)
		job->msg_len_to_hash_in_bytes += ESN_LEN;
}

/* Both say whether all was done. */
static bool cipher(struct crypto_ctx *ctx, const struct crypto_op *op, IMB_JOB *job, unsigned n,
	IMB_CIPHER_DIRECTION dir)
{
	IMB_CIPHER_MODE mode = op->sa->cipher == CIPHER_AES_CBC ? IMB_CIPHER_CBC : IMB_CIPHER_CNTR;

	if (op->sa->cipher == CIPHER_NULL)
		return true;
	return IMB_SUBMIT_CIPHER_BURST_NOCHECK(ctx->mgr, job, n, mode, dir, op->sa->key->len) == n;
}

/* A vector of mostly empty lanes is slower than the SHA instructions. */
static bool hash(struct crypto_ctx *ctx, const struct crypto_op *op, unsigned n)
{
	IMB_MGR *mgr = n <= ctx->few[op->sa->auth] ? ctx->sha_ni : ctx->mgr;

	return IMB_SUBMIT_HASH_BURST_NOCHECK(mgr, ctx->job, n, hash_algs[op->sa->auth]) == n;
}

/* RFC 4303 2.2.1: hashed behind the text, not sent. The ICV's place is free for it. */
static inline void put_esn(const struct crypto_op *op, uint8_t *icv)
{
	uint32_t hi = __builtin_bswap32(op->seq_hi);

	if (op->sa->flags & SA_ESN)
		memcpy(icv, &hi, ESN_LEN);
}

static void seal_suite(struct crypto_ctx *ctx, struct crypto_op **op, unsigned n)
{
	struct suite s = suite_make(op[0]->sa);
	bool ok;

	for (unsigned i = 0; i < n; i++) {
		uint8_t *icv = op[i]->esp + s.text_off + op[i]->text_len;

		put_esn(op[i], icv);
		set_job(ctx, i, &s, op[i], icv);
	}
	ok = cipher(ctx, op[0], ctx->job, n, IMB_DIR_ENCRYPT) && hash(ctx, op[0], n);
	for (unsigned i = 0; i < n; i++)
		op[i]->ok = ok;
}

static void prepare_open(
	struct crypto_ctx *ctx, const struct suite *s, struct crypto_op **op, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint8_t *icv = op[i]->esp + s->text_off + op[i]->text_len;

		if (op[i]->sa->flags & SA_ESN) {
			memcpy(ctx->icv[i].received, icv, s->icv_len);
			put_esn(op[i], icv);
		}
		set_job(ctx, i, s, op[i], ctx->icv[i].computed);
	}
}

static void check_icvs(
	struct crypto_ctx *ctx, const struct suite *s, struct crypto_op **op, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const uint8_t *received = op[i]->sa->flags & SA_ESN
			? ctx->icv[i].received
			: op[i]->esp + s->text_off + op[i]->text_len;

		op[i]->ok = icv_equal(ctx->icv[i].computed, received, s->icv_len);
	}
}

/* Only what is authentic: decryption fills no lanes, so a call may have any number of packets. */
static void decrypt(struct crypto_ctx *ctx, struct crypto_op **op, unsigned n)
{
	unsigned run;
	bool ok;

	for (unsigned i = 0; i < n; i += run + 1) {
		for (run = 0; i + run < n && op[i + run]->ok; run++)
			;
		if (run == 0)
			continue;
		ok = cipher(ctx, op[0], &ctx->job[i], run, IMB_DIR_DECRYPT);
		for (unsigned j = i; !ok && j < i + run; j++)
			op[j]->ok = 0;
	}
}

static void open_suite(struct crypto_ctx *ctx, struct crypto_op **op, unsigned n)
{
	struct suite s = suite_make(op[0]->sa);

	prepare_open(ctx, &s, op, n);
	if (!hash(ctx, op[0], n)) {
		for (unsigned i = 0; i < n; i++)
			op[i]->ok = 0;
		return;
	}
	check_icvs(ctx, &s, op, n);
	decrypt(ctx, op, n);
}

/* Bytes of text, in steps of a hash's block. */
#define LENGTHS 32

static unsigned length_class(const struct crypto_op *op)
{
	unsigned blocks = op->text_len / 64;

	return blocks < LENGTHS ? LENGTHS - 1 - blocks : 0;
}

/* The longest packets first: a lane then never works alone on a long one at the end. */
static struct crypto_op **longest_first(struct crypto_ctx *ctx, struct crypto_op **op, unsigned n)
{
	uint16_t start[LENGTHS + 1] = {0};

	for (unsigned i = 0; i < n; i++)
		start[length_class(op[i]) + 1]++;
	if (start[length_class(op[0]) + 1] == n)
		return op;
	for (unsigned c = 1; c < LENGTHS; c++)
		start[c] += start[c - 1];
	for (unsigned i = 0; i < n; i++)
		ctx->sorted[start[length_class(op[i])]++] = op[i];
	return ctx->sorted;
}

static void each_suite(struct crypto_ctx *ctx, struct crypto_op **op, unsigned n,
	void (*run)(struct crypto_ctx *ctx, struct crypto_op **op, unsigned n))
{
	unsigned same;

	for (; n > 0; op += same, n -= same) {
		same = group_suite(op, n);
		run(ctx, longest_first(ctx, op, same), same);
	}
}

void crypto_hmac_seal(struct crypto_ctx *ctx, struct crypto_op **op, unsigned n)
{
	each_suite(ctx, op, n, seal_suite);
}

void crypto_hmac_open(struct crypto_ctx *ctx, struct crypto_op **op, unsigned n)
{
	each_suite(ctx, op, n, open_suite);
}
