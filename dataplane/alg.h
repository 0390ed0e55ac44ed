/* SPDX-License-Identifier: BSD-3-Clause */
/* ESP algorithms: names, key sizes and what they cost on the wire. One list for all who ask. */
#ifndef VIADUCT_ALG_H
#define VIADUCT_ALG_H

#include <stdbool.h>
#include <stdint.h>

enum esp_cipher {
	CIPHER_NULL = 1,              /* RFC 2410, only with integrity */
	CIPHER_AES_CBC = 2,           /* RFC 3602 */
	CIPHER_AES_GCM_16 = 3,        /* RFC 4106, 16-byte ICV */
	CIPHER_CHACHA20_POLY1305 = 4, /* RFC 7634 */
	CIPHER_AES_CTR = 5,           /* RFC 3686 */
	CIPHER_AES_GMAC = 6,          /* RFC 4543: AES-GCM's integrity alone, nothing encrypted */
	CIPHER_COUNT
};

enum esp_auth {
	AUTH_NONE = 0,              /* only with an AEAD cipher */
	AUTH_HMAC_SHA1_96 = 1,      /* RFC 2404 */
	AUTH_HMAC_SHA2_256_128 = 2, /* RFC 4868 */
	AUTH_HMAC_SHA2_384_192 = 3,
	AUTH_HMAC_SHA2_512_256 = 4,
	AUTH_COUNT
};

#define ENC_KEY_MAX  36 /* a key of 256 bits with its 4-byte salt */
#define AUTH_KEY_MAX 64

struct cipher_info {
	const char *name; /* "aes-gcm-16", as viaductctl and the configuration write it */
	bool aead;        /* integrity comes with it */
	uint8_t key_min, key_max, key_step; /* bytes, without the salt */
	uint8_t salt;                       /* bytes that follow the key in the key material */
	uint8_t iv;                         /* bytes of IV on the wire */
	uint8_t align; /* padding alignment, bytes: 4 or the block (RFC 4303 2.4) */
	uint8_t icv;   /* AEAD: bytes of ICV */
};

struct auth_info {
	const char *name; /* "hmac-sha2-256-128" */
	uint8_t key;      /* bytes, exactly */
	uint8_t icv;
};

/* NULL beyond the lists. */
const struct cipher_info *cipher_info(unsigned cipher);
const struct auth_info *auth_info(unsigned auth);

/* 0 where the name is unknown (for auth_by_name: -1, since AUTH_NONE is 0). */
int cipher_by_name(const char *name);
int auth_by_name(const char *name);

/* Is this combination one that ESP may run? On refusal *why says so for people, naming the field:
 * encryption without integrity, NULL with NULL (RFC 8221), AEAD with another integrity algorithm,
 * a key of the wrong length. key lengths in bytes, the cipher's with its salt. */
bool alg_valid(unsigned cipher, unsigned enc_key_len, unsigned auth, unsigned auth_key_len,
	const char **why);

#endif
