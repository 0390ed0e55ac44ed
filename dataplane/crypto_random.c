/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/crypto_random.h"

#include "dataplane/crypto_ctx.h"

#include <errno.h>
#include <sys/random.h>

#define SEED_BYTES (32 + 16) /* key and counter */

static const uint8_t zeros[DRBG_BYTES];

/* Take over a new key and counter, and wipe them where they came from. */
static void rekey(struct drbg *d, IMB_MGR *mgr, uint8_t *seed)
{
	uint8_t unused[16 * 15] __rte_aligned(16);

	IMB_AES_KEYEXP_256(mgr, seed, d->schedule, unused);
	memcpy(d->counter, seed + 32, sizeof(d->counter));
	explicit_bzero(seed, SEED_BYTES);
	explicit_bzero(unused, sizeof(unused));
}

static void refill(struct drbg *d, IMB_MGR *mgr)
{
	IMB_JOB *job = IMB_GET_NEXT_JOB(mgr);

	job->cipher_mode = IMB_CIPHER_CNTR;
	job->cipher_direction = IMB_DIR_ENCRYPT;
	job->chain_order = IMB_ORDER_CIPHER_HASH;
	job->hash_alg = IMB_AUTH_NULL;
	job->enc_keys = d->schedule;
	job->dec_keys = d->schedule;
	job->key_len_in_bytes = 32;
	job->iv = d->counter;
	job->iv_len_in_bytes = sizeof(d->counter);
	job->src = zeros;
	job->dst = d->out;
	job->cipher_start_src_offset_in_bytes = 0;
	job->msg_len_to_cipher_in_bytes = DRBG_BYTES;
	if (IMB_SUBMIT_JOB_NOCHECK(mgr) == NULL)
		IMB_FLUSH_JOB(mgr);
	rekey(d, mgr, d->out);
	d->used = SEED_BYTES;
}

int drbg_init(struct drbg *d, IMB_MGR *mgr)
{
	uint8_t seed[SEED_BYTES];

	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		return -EIO;
	rekey(d, mgr, seed);
	d->used = DRBG_BYTES;
	return 0;
}

void drbg_fill(struct drbg *d, IMB_MGR *mgr, void *buf, unsigned n)
{
	uint8_t *to = buf;
	unsigned part;

	while (n > 0) {
		if (d->used == DRBG_BYTES)
			refill(d, mgr);
		part = RTE_MIN(n, DRBG_BYTES - d->used);
		memcpy(to, d->out + d->used, part);
		d->used += part;
		to += part;
		n -= part;
	}
}

void crypto_random(struct crypto_ctx *ctx, void *buf, unsigned n)
{
	drbg_fill(&ctx->drbg, ctx->mgr, buf, n);
}
