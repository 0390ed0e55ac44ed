/* SPDX-License-Identifier: BSD-3-Clause */
/* Key schedules, made on the control thread. */
#include "dataplane/crypto_key.h"
#include "dataplane/key_memory.h"

#include <errno.h>

/* Expands keys; of the architecture of all contexts there are. Control thread only. */
static IMB_MGR *expander;
static unsigned contexts;

int crypto_arch_hold(const IMB_MGR *mgr)
{
	if (expander != NULL && expander->used_arch != mgr->used_arch) {
		if (contexts > 0)
			return -EBUSY;
		free_mb_mgr(expander);
		expander = NULL;
	}
	if (expander == NULL)
		expander = crypto_mgr_new(crypto_mgr_arch(mgr));
	if (expander == NULL)
		return -ENOMEM;
	contexts++;
	return 0;
}

void crypto_arch_release(void)
{
	if (--contexts > 0)
		return;
	free_mb_mgr(expander);
	expander = NULL;
}

static void expand_aes(struct crypto_key *key, const uint8_t *raw)
{
	const keyexp_t expand[] = {
		expander->keyexp_128, expander->keyexp_192, expander->keyexp_256};

	expand[KEY_INDEX(key->len)](raw, key->aes.enc, key->aes.dec);
}

static void expand_gcm(struct crypto_key *key, const uint8_t *raw)
{
	const aes_gcm_pre_t expand[] = {
		expander->gcm128_pre, expander->gcm192_pre, expander->gcm256_pre};

	expand[KEY_INDEX(key->len)](raw, &key->gcm);
}

/* The hash's state after one block of the key xor `pad` (RFC 2104). */
static void hash_padded(hash_one_block_t hash, uint8_t *state, unsigned block,
	const struct sa_params *p, uint8_t pad)
{
	uint8_t buf[IMB_SHA_512_BLOCK_SIZE];

	memset(buf, pad, block);
	for (unsigned i = 0; i < p->auth_key_len; i++)
		buf[i] ^= p->auth_key[i];
	hash(buf, state);
	explicit_bzero(buf, sizeof(buf));
}

static void expand_hmac(struct crypto_key *key, const struct sa_params *p)
{
	const struct {
		hash_one_block_t hash;
		unsigned block;
	} by_auth[AUTH_COUNT] = {
		[AUTH_HMAC_SHA1_96] = {expander->sha1_one_block, IMB_SHA1_BLOCK_SIZE},
		[AUTH_HMAC_SHA2_256_128] = {expander->sha256_one_block, IMB_SHA_256_BLOCK_SIZE},
		[AUTH_HMAC_SHA2_384_192] = {expander->sha384_one_block, IMB_SHA_384_BLOCK_SIZE},
		[AUTH_HMAC_SHA2_512_256] = {expander->sha512_one_block, IMB_SHA_512_BLOCK_SIZE},
	};

	hash_padded(by_auth[p->auth].hash, key->ipad, by_auth[p->auth].block, p, 0x36);
	hash_padded(by_auth[p->auth].hash, key->opad, by_auth[p->auth].block, p, 0x5c);
}

int crypto_key_init(struct sa *sa, const struct sa_params *p)
{
	size_t size = p->auth != AUTH_NONE ? sizeof(struct crypto_key)
					   : offsetof(struct crypto_key, ipad);
	struct crypto_key *key;

	if (expander == NULL)
		expander = crypto_mgr_new(NULL);
	if (expander == NULL)
		return -ENOMEM;
	key = key_memory_alloc(size);
	if (key == NULL)
		return -ENOMEM;
	key->size = size;
	key->len = p->enc_key_len - cipher_info(p->cipher)->salt;
	switch (p->cipher) {
	case CIPHER_AES_GCM_16:
	case CIPHER_AES_GMAC:
		expand_gcm(key, p->enc_key);
		break;
	case CIPHER_AES_CBC:
	case CIPHER_AES_CTR:
		expand_aes(key, p->enc_key);
		break;
	case CIPHER_CHACHA20_POLY1305:
		memcpy(key->chacha, p->enc_key, sizeof(key->chacha));
		break;
	}
	if (p->auth != AUTH_NONE)
		expand_hmac(key, p);
	sa->key = key;
	return 0;
}

void crypto_key_free(struct crypto_key *key)
{
	if (key != NULL)
		key_memory_free(key);
}
