/* SPDX-License-Identifier: BSD-3-Clause */
/* The algorithms that are measured, by the names the benchmarks know them by. */
#ifndef VIADUCT_BENCH_ALGORITHMS_H
#define VIADUCT_BENCH_ALGORITHMS_H

#include "dataplane/alg.h"

struct algorithm {
	const char *name;
	uint8_t cipher, auth, key_len; /* bytes, with an AEAD's salt */
};

static const struct algorithm algorithms[] = {
	{"aes-gcm-128", CIPHER_AES_GCM_16, AUTH_NONE, 20},
	{"aes-gcm-256", CIPHER_AES_GCM_16, AUTH_NONE, 36},
	{"chacha20-poly1305", CIPHER_CHACHA20_POLY1305, AUTH_NONE, 36},
	{"aes-cbc-128 sha1", CIPHER_AES_CBC, AUTH_HMAC_SHA1_96, 16},
	{"aes-cbc-128 sha256", CIPHER_AES_CBC, AUTH_HMAC_SHA2_256_128, 16},
	{"aes-cbc-256 sha512", CIPHER_AES_CBC, AUTH_HMAC_SHA2_512_256, 32},
	{"null sha256", CIPHER_NULL, AUTH_HMAC_SHA2_256_128, 0},
};

#endif
