/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/crypto_random.h"

#include "dataplane/crypto_ctx.h"

#include <rte_branch_prediction.h>

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

static bool refill(struct drbg *d, IMB_MGR *mgr)
{
	IMB_JOB job = {
		.cipher_mode = IMB_CIPHER_CNTR,
		.cipher_direction = IMB_DIR_ENCRYPT,
		.chain_order = IMB_ORDER_CIPHER_HASH,
		.hash_alg = IMB_AUTH_NULL,
		.enc_keys = d->schedule,
		.dec_keys = d->schedule,
		.key_len_in_bytes = IMB_KEY_256_BYTES,
		.iv = d->counter,
		.iv_len_in_bytes = sizeof(d->counter),
		.src = zeros,
		.dst = d->out,
		.msg_len_to_cipher_in_bytes = DRBG_BYTES,
	};

	if (IMB_SUBMIT_CIPHER_BURST_NOCHECK(
		    mgr, &job, 1, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT, IMB_KEY_256_BYTES) != 1)
		return false;
	rekey(d, mgr, d->out);
	d->used = SEED_BYTES;
	return true;
}

int drbg_init(struct drbg *d, IMB_MGR *mgr)
{
	uint8_t seed[SEED_BYTES];

	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		return -EIO;
	rekey(d, mgr, seed);
	return refill(d, mgr) ? 0 : -EIO; /* later ones can't fail where the first did not */
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
	struct drbg *d = &ctx->drbg;

	/* One IV: a call each packet. */
	if (likely(n == 16 && d->used <= DRBG_BYTES - 16)) {
		memcpy(buf, d->out + d->used, 16);
		d->used += 16;
		return;
	}
	drbg_fill(&ctx->drbg, ctx->mgr, buf, n);
}
