/* SPDX-License-Identifier: BSD-3-Clause */
#include "alone.h"

#include "dataplane/crypto_key.h"

#include <rte_common.h>

#include <stdlib.h>

const char *const alone_api_names[ALONE_APIS] = {
	[ALONE_ONE_SHOT] = "one-shot",
	[ALONE_JOB] = "job",
	[ALONE_BURST] = "burst",
	[ALONE_SPLIT] = "cipher+hash-burst",
};

#define TAG_MAX 64

struct alone {
	IMB_MGR *mgr;
	const struct sa *sa;
	const struct crypto_key **key; /* of each SA */
	unsigned n_sa;
	aes_gcm_enc_dec_t gcm[2]; /* by direction: open, seal */
	struct gcm_context_data gcm_ctx;
	struct chacha20_poly1305_context_data chacha_ctx;
	IMB_JOB *job; /* ALONE_SPLIT's; what is the same in all packets is set once */
	uint8_t (*nonce)[16], (*tag)[TAG_MAX];
};

static const IMB_HASH_ALG hashes[AUTH_COUNT] = {
	[AUTH_HMAC_SHA1_96] = IMB_AUTH_HMAC_SHA_1,
	[AUTH_HMAC_SHA2_256_128] = IMB_AUTH_HMAC_SHA_256,
	[AUTH_HMAC_SHA2_384_192] = IMB_AUTH_HMAC_SHA_384,
	[AUTH_HMAC_SHA2_512_256] = IMB_AUTH_HMAC_SHA_512,
};

/* b->first is below n_sa. */
static inline const struct crypto_key *key_of(
	const struct alone *a, const struct alone_batch *b, unsigned i)
{
	unsigned n = b->first + i;

	return a->key[n < a->n_sa ? n : n % a->n_sa];
}

/* The fields of a job that are the same in all packets. */
static inline void set_job(const struct alone *a, IMB_JOB *job, bool seal)
{
	const struct sa *sa = a->sa;

	job->cipher_direction = seal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
	job->chain_order = seal ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	job->key_len_in_bytes = a->key[0]->len;
	job->auth_tag_output_len_in_bytes = sa->icv_len;
	job->cipher_start_src_offset_in_bytes = 8 + sa->iv_len;
	switch (sa->cipher) {
	case CIPHER_AES_GCM_16:
		job->cipher_mode = IMB_CIPHER_GCM;
		job->hash_alg = IMB_AUTH_AES_GMAC;
		job->iv_len_in_bytes = 12;
		job->u.GCM.aad_len_in_bytes = 8;
		break;
	case CIPHER_CHACHA20_POLY1305:
		job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
		job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
		job->iv_len_in_bytes = 12;
		job->hash_start_src_offset_in_bytes = 8 + sa->iv_len;
		job->u.CHACHA20_POLY1305.aad_len_in_bytes = 8;
		break;
	default:
		job->cipher_mode = sa->cipher == CIPHER_NULL ? IMB_CIPHER_NULL : IMB_CIPHER_CBC;
		job->hash_alg = hashes[sa->auth];
		job->iv_len_in_bytes = sa->iv_len;
		job->hash_start_src_offset_in_bytes = 0;
	}
}

/* The rest of it. */
static inline void set_packet(
	const struct alone *a, IMB_JOB *job, bool seal, const struct alone_batch *b, unsigned i)
{
	const struct crypto_key *key = key_of(a, b, i);
	uint8_t *esp = b->esp[i], *text = esp + 8 + a->sa->iv_len;

	job->src = esp;
	job->dst = text;
	job->msg_len_to_cipher_in_bytes = b->text_len[i];
	job->msg_len_to_hash_in_bytes = b->text_len[i];
	job->auth_tag_output = seal ? text + b->text_len[i] : a->tag[i];
	switch (a->sa->cipher) {
	case CIPHER_AES_GCM_16:
		job->enc_keys = job->dec_keys = &key->gcm;
		job->iv = a->nonce[i];
		job->u.GCM.aad = esp;
		break;
	case CIPHER_CHACHA20_POLY1305:
		job->enc_keys = job->dec_keys = key->chacha;
		job->iv = a->nonce[i];
		job->u.CHACHA20_POLY1305.aad = esp;
		break;
	default:
		job->enc_keys = key->aes.enc;
		job->dec_keys = key->aes.dec;
		job->iv = esp + 8;
		job->msg_len_to_hash_in_bytes += 8 + a->sa->iv_len;
		job->u.HMAC._hashed_auth_key_xor_ipad = key->ipad;
		job->u.HMAC._hashed_auth_key_xor_opad = key->opad;
	}
}

static void one_shot_chacha(
	struct alone *a, bool seal, const struct alone_batch *b, unsigned i, uint8_t *text)
{
	const uint8_t *key = key_of(a, b, i)->chacha;

	IMB_CHACHA20_POLY1305_INIT(a->mgr, key, &a->chacha_ctx, a->nonce[i], b->esp[i], 8);
	if (seal)
		IMB_CHACHA20_POLY1305_ENC_UPDATE(
			a->mgr, key, &a->chacha_ctx, text, text, b->text_len[i]);
	else
		IMB_CHACHA20_POLY1305_DEC_UPDATE(
			a->mgr, key, &a->chacha_ctx, text, text, b->text_len[i]);
	IMB_CHACHA20_POLY1305_ENC_FINALIZE(
		a->mgr, &a->chacha_ctx, seal ? text + b->text_len[i] : a->tag[i], 16);
}

static void one_shot(struct alone *a, bool seal, const struct alone_batch *b)
{
	for (unsigned i = 0; i < b->n; i++) {
		uint8_t *text = b->esp[i] + 16;

		if (a->sa->cipher == CIPHER_AES_GCM_16)
			a->gcm[seal](&key_of(a, b, i)->gcm, &a->gcm_ctx, text, text, b->text_len[i],
				a->nonce[i], b->esp[i], 8, seal ? text + b->text_len[i] : a->tag[i],
				16);
		else
			one_shot_chacha(a, seal, b, i, text);
	}
}

static void jobs(struct alone *a, bool seal, const struct alone_batch *b)
{
	IMB_JOB *job;

	for (unsigned i = 0; i < b->n; i++) {
		job = IMB_GET_NEXT_JOB(a->mgr);
		set_job(a, job, seal);
		set_packet(a, job, seal, b, i);
		for (job = IMB_SUBMIT_JOB_NOCHECK(a->mgr); job != NULL;)
			job = IMB_GET_COMPLETED_JOB(a->mgr);
	}
	while (IMB_FLUSH_JOB(a->mgr) != NULL)
		;
}

/* Never more than half the queue, and emptied in between: IPsec-MB 1.3 takes a full queue for an
 * empty one. */
static void burst(struct alone *a, bool seal, const struct alone_batch *b)
{
	IMB_JOB *job[IMB_MAX_BURST_SIZE];
	unsigned n;

	for (unsigned i = 0; i < b->n; i += n) {
		n = IMB_GET_NEXT_BURST(
			a->mgr, RTE_MIN(b->n - i, (unsigned)IMB_MAX_BURST_SIZE), job);
		for (unsigned j = 0; j < n; j++) {
			set_job(a, job[j], seal);
			set_packet(a, job[j], seal, b, i + j);
		}
		IMB_SUBMIT_BURST_NOCHECK(a->mgr, n, job);
		while (IMB_FLUSH_BURST(a->mgr, IMB_MAX_BURST_SIZE, job) > 0)
			;
	}
}

static void split(struct alone *a, bool seal, const struct alone_batch *b)
{
	IMB_KEY_SIZE_BYTES key_size = a->key[0]->len;

	for (unsigned i = 0; i < b->n; i++)
		set_packet(a, &a->job[i], seal, b, i);
	if (seal && a->sa->cipher == CIPHER_AES_CBC)
		IMB_SUBMIT_CIPHER_BURST_NOCHECK(
			a->mgr, a->job, b->n, IMB_CIPHER_CBC, IMB_DIR_ENCRYPT, key_size);
	IMB_SUBMIT_HASH_BURST_NOCHECK(a->mgr, a->job, b->n, hashes[a->sa->auth]);
	if (!seal && a->sa->cipher == CIPHER_AES_CBC)
		IMB_SUBMIT_CIPHER_BURST_NOCHECK(
			a->mgr, a->job, b->n, IMB_CIPHER_CBC, IMB_DIR_DECRYPT, key_size);
}

static void run(struct alone *a, enum alone_api api, bool seal, const struct alone_batch *b)
{
	static void (*const by_api[ALONE_APIS])(
		struct alone * a, bool seal, const struct alone_batch *b) = {
		[ALONE_ONE_SHOT] = one_shot,
		[ALONE_JOB] = jobs,
		[ALONE_BURST] = burst,
		[ALONE_SPLIT] = split,
	};

	by_api[api](a, seal, b);
}

void alone_seal(struct alone *a, enum alone_api api, const struct alone_batch *b)
{
	run(a, api, true, b);
}

void alone_open(struct alone *a, enum alone_api api, const struct alone_batch *b)
{
	run(a, api, false, b);
}

bool alone_has(const struct alone *a, enum alone_api api)
{
	bool aead = a->sa->auth == AUTH_NONE;

	return api == ALONE_JOB || api == ALONE_BURST || (api == ALONE_ONE_SHOT) == aead;
}

static void set_gcm(struct alone *a)
{
	const aes_gcm_enc_dec_t by_size[3][2] = {
		{a->mgr->gcm128_dec, a->mgr->gcm128_enc},
		{a->mgr->gcm192_dec, a->mgr->gcm192_enc},
		{a->mgr->gcm256_dec, a->mgr->gcm256_enc},
	};

	memcpy(a->gcm, by_size[KEY_INDEX(a->key[0]->len)], sizeof(a->gcm));
}

struct alone *alone_new(struct sa *const *sa, unsigned n_sa, unsigned max)
{
	struct alone *a = calloc(1, sizeof(*a));

	*a = (struct alone){.mgr = crypto_mgr_new(NULL),
		.sa = sa[0],
		.n_sa = n_sa,
		.key = calloc(n_sa, sizeof(*a->key)),
		.job = calloc(max, sizeof(*a->job)),
		.nonce = calloc(max, sizeof(*a->nonce)),
		.tag = calloc(max, sizeof(*a->tag))};
	for (unsigned i = 0; i < n_sa; i++)
		a->key[i] = sa[i]->key;
	for (unsigned i = 0; i < max; i++)
		set_job(a, &a->job[i], true);
	if (sa[0]->cipher == CIPHER_AES_GCM_16)
		set_gcm(a);
	return a;
}

void alone_free(struct alone *a)
{
	free_mb_mgr(a->mgr);
	free(a->tag);
	free(a->nonce);
	free(a->job);
	free(a->key);
	free(a);
}
