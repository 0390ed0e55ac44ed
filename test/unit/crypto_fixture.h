/* SPDX-License-Identifier: BSD-3-Clause */
/* SAs of all algorithms, and IPsec-MB's architectures, for the tests of crypto_seal/crypto_open. */
#ifndef VIADUCT_CRYPTO_FIXTURE_H
#define VIADUCT_CRYPTO_FIXTURE_H

#include "dataplane/crypto.h"
#include "dataplane/pkt.h"

#include "unit.h"

#define PACKET_MAX 2048
#define BATCH      (2 * VEC_MAX)

static const char *const archs[] = {"sse", "avx", "avx2", "avx512"};

static inline struct sa *sa_of(uint8_t cipher, uint8_t auth, bool esn, const uint8_t *key,
	unsigned key_len, const uint8_t *auth_key, unsigned auth_key_len)
{
	struct sa_params p = {
		.spi = 256,
		.dir = SA_OUT,
		.cipher = cipher,
		.auth = auth,
		.flags = esn ? SA_ESN : 0,
		.src = addr_v4(0x01020304),
		.dst = addr_v4(0x05060708),
		.enc_key_len = key_len,
		.auth_key_len = auth_key_len,
		.enc_key = key,
		.auth_key = auth_key,
	};
	const char *why = "";
	struct sa *sa = sa_create(&p, 1, &why);

	if (sa == NULL)
		printf("%s\n", why);
	CU_ASSERT_PTR_NOT_NULL_FATAL(sa);
	return sa;
}

/* Run a test on every architecture of this CPU. */
static inline void each_arch(void (*test)(struct crypto_ctx *ctx))
{
	unsigned ran = 0;

	for (unsigned i = 0; i < sizeof(archs) / sizeof(archs[0]); i++) {
		struct crypto_ctx *ctx = crypto_ctx_new(archs[i]);

		if (ctx == NULL) {
			printf(" [skipped: this CPU has no %s]", archs[i]);
			continue;
		}
		CU_ASSERT_STRING_EQUAL(crypto_ctx_arch(ctx), archs[i]);
		test(ctx);
		crypto_ctx_free(ctx);
		ran++;
	}
	CU_ASSERT_NOT_EQUAL(ran, 0);
}

/* Every algorithm and key size, with and without ESN. */
#define ALGS_MAX 96

static inline unsigned all_algorithms(struct sa **sa)
{
	uint8_t key[ENC_KEY_MAX], auth_key[AUTH_KEY_MAX];
	unsigned n = 0;

	for (unsigned c = 1; c < CIPHER_COUNT; c++) {
		const struct cipher_info *info = cipher_info(c);

		for (unsigned len = info->key_min; len <= info->key_max; len += info->key_step) {
			for (unsigned a = info->aead ? AUTH_NONE : AUTH_NONE + 1;
				a < (info->aead ? AUTH_NONE + 1 : AUTH_COUNT); a++) {
				for (unsigned esn = 0; esn < 2; esn++) {
					memset(key, 0x11 * n + 1, sizeof(key));
					memset(auth_key, 0x22 * n + 1, sizeof(auth_key));
					sa[n++] = sa_of(c, a, esn, key, len + info->salt, auth_key,
						auth_info(a)->key);
				}
			}
		}
	}
	return n;
}

static inline void destroy_sas(struct sa **sa, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		sa_destroy(sa[i]);
}

static inline unsigned whole_len(const struct crypto_op *op)
{
	return 8 + op->sa->iv_len + op->text_len + op->sa->icv_len;
}

#endif
