/* SPDX-License-Identifier: BSD-3-Clause */
/* An SA's expanded keys, and the architecture they are expanded for. */
#ifndef VIADUCT_CRYPTO_KEY_H
#define VIADUCT_CRYPTO_KEY_H

#include "dataplane/crypto.h"

#include <intel-ipsec-mb.h>
#include <rte_common.h>

/* Key sizes 16, 24, 32 as an index. */
#define KEY_INDEX(bytes) ((bytes) / 8 - 2)

struct crypto_key {
	union {
		struct gcm_key_data gcm; /* its layout depends on the manager's architecture */
		struct {
			uint8_t enc[IMB_AES_BLOCK_SIZE * 15] __rte_aligned(16);
			uint8_t dec[IMB_AES_BLOCK_SIZE * 15] __rte_aligned(16);
		} aes;
		uint8_t chacha[32];
	};
	uint8_t len;   /* of the cipher's key, bytes */
	uint16_t size; /* of what there is of this structure, bytes: see below */
	/* HMAC's inner and outer hash states after the padded key. An AEAD cipher's key ends before
	 * them: a gateway has two keys for each of many tunnels. */
	uint8_t ipad[IMB_SHA512_DIGEST_SIZE_IN_BYTES] __rte_aligned(16);
	uint8_t opad[IMB_SHA512_DIGEST_SIZE_IN_BYTES] __rte_aligned(16);
} __rte_cache_aligned;

/* A manager of the architecture (see crypto_ctx_new); NULL if the CPU hasn't it. */
IMB_MGR *crypto_mgr_new(const char *arch);
const char *crypto_mgr_arch(const IMB_MGR *mgr);

/* Keys must be expanded for the architecture of those who use them, so a process has one: that of
 * its contexts. crypto_arch_hold says that another context of `mgr`'s architecture exists, and
 * fails when contexts of another one do. */
int crypto_arch_hold(const IMB_MGR *mgr);
void crypto_arch_release(void);

#endif
