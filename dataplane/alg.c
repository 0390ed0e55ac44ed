/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/alg.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct cipher_info ciphers[CIPHER_COUNT] = {
	[CIPHER_NULL] = {.name = "null", .key_step = 1, .align = 4},
	[CIPHER_AES_CBC] = {.name = "aes-cbc",
		.key_min = 16,
		.key_max = 32,
		.key_step = 8,
		.iv = 16,
		.align = 16},
	[CIPHER_AES_GCM_16] = {.name = "aes-gcm-16",
		.aead = true,
		.key_min = 16,
		.key_max = 32,
		.key_step = 8,
		.salt = 4,
		.iv = 8,
		.align = 4,
		.icv = 16},
	[CIPHER_CHACHA20_POLY1305] = {.name = "chacha20-poly1305",
		.aead = true,
		.key_min = 32,
		.key_max = 32,
		.key_step = 1,
		.salt = 4,
		.iv = 8,
		.align = 4,
		.icv = 16},
	[CIPHER_AES_CTR] = {.name = "aes-ctr",
		.key_min = 16,
		.key_max = 32,
		.key_step = 8,
		.salt = 4,
		.iv = 8,
		.align = 4},
	[CIPHER_AES_GMAC] = {.name = "aes-gmac",
		.aead = true,
		.key_min = 16,
		.key_max = 32,
		.key_step = 8,
		.salt = 4,
		.iv = 8,
		.align = 4,
		.icv = 16},
};

static const struct auth_info auths[AUTH_COUNT] = {
	[AUTH_NONE] = {"none", 0, 0},
	[AUTH_HMAC_SHA1_96] = {"hmac-sha1-96", 20, 12},
	[AUTH_HMAC_SHA2_256_128] = {"hmac-sha2-256-128", 32, 16},
	[AUTH_HMAC_SHA2_384_192] = {"hmac-sha2-384-192", 48, 24},
	[AUTH_HMAC_SHA2_512_256] = {"hmac-sha2-512-256", 64, 32},
};

const struct cipher_info *cipher_info(unsigned cipher)
{
	return cipher < CIPHER_COUNT && ciphers[cipher].name != NULL ? &ciphers[cipher] : NULL;
}

const struct auth_info *auth_info(unsigned auth)
{
	return auth < AUTH_COUNT ? &auths[auth] : NULL;
}

int cipher_by_name(const char *name)
{
	for (int i = 1; i < CIPHER_COUNT; i++) {
		if (strcmp(ciphers[i].name, name) == 0)
			return i;
	}
	return 0;
}

int auth_by_name(const char *name)
{
	for (int i = 0; i < AUTH_COUNT; i++) {
		if (strcmp(auths[i].name, name) == 0)
			return i;
	}
	return -1;
}

/* The sentence of the last refusal; callers show it at once. */
static _Thread_local char sentence[160];

#define REFUSE(why, ...)                                                                           \
	do {                                                                                       \
		snprintf(sentence, sizeof(sentence), __VA_ARGS__);                                 \
		*(why) = sentence;                                                                 \
		return false;                                                                      \
	} while (0)

/* "16 + 4", "16, 24 or 32": the key lengths of a cipher for people. */
static void key_lengths(char *buf, size_t size, const struct cipher_info *c)
{
	int n = snprintf(buf, size, c->key_min < c->key_max ? "%u, %u or %u" : "%u",
		c->key_min + c->salt, c->key_min + c->key_step + c->salt, c->key_max + c->salt);

	if (c->salt != 0)
		snprintf(buf + n, size - n, " (the salt's %u among them)", c->salt);
}

static bool cipher_key_valid(const struct cipher_info *c, unsigned len, const char **why)
{
	char want[64];

	if (len >= (unsigned)c->key_min + c->salt && len <= (unsigned)c->key_max + c->salt &&
		(len - c->salt - c->key_min) % c->key_step == 0)
		return true;
	key_lengths(want, sizeof(want), c);
	REFUSE(why, "encryption key: %u bytes, but %s takes %s", len, c->name, want);
}

bool alg_valid(unsigned cipher, unsigned enc_key_len, unsigned auth, unsigned auth_key_len,
	const char **why)
{
	const struct cipher_info *c = cipher_info(cipher);
	const struct auth_info *a = auth_info(auth);

	if (c == NULL)
		REFUSE(why, "encryption: no algorithm has the number %u", cipher);
	if (a == NULL)
		REFUSE(why, "integrity: no algorithm has the number %u", auth);
	if (c->aead && auth != AUTH_NONE)
		REFUSE(why, "integrity: %s brings its own, so %s must not be given with it",
			c->name, a->name);
	if (!c->aead && auth == AUTH_NONE && cipher == CIPHER_NULL)
		REFUSE(why, "integrity: none, but null encryption needs one (RFC 8221)");
	if (!c->aead && auth == AUTH_NONE)
		REFUSE(why, "integrity: none, but %s without integrity is not safe (RFC 8221)",
			c->name);
	if (!cipher_key_valid(c, enc_key_len, why))
		return false;
	if (auth_key_len != a->key)
		REFUSE(why, "integrity key: %u bytes, but %s takes %u", auth_key_len, a->name,
			a->key);
	return true;
}
