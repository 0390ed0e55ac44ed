/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/alg.h"

#include "unit.h"

static void names_and_sizes(void)
{
	static const struct {
		const char *name;
		int cipher, iv, icv, align, salt;
		bool aead;
	} want[] = {
		{"null", CIPHER_NULL, 0, 0, 4, 0, false},
		{"aes-cbc", CIPHER_AES_CBC, 16, 0, 16, 0, false},
		{"aes-gcm-16", CIPHER_AES_GCM_16, 8, 16, 4, 4, true},
		{"chacha20-poly1305", CIPHER_CHACHA20_POLY1305, 8, 16, 4, 4, true},
		{"aes-ctr", CIPHER_AES_CTR, 8, 0, 4, 4, false},
		{"aes-gmac", CIPHER_AES_GMAC, 8, 16, 4, 4, true},
	};

	for (unsigned i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct cipher_info *c = cipher_info(want[i].cipher);

		CU_ASSERT_EQUAL(cipher_by_name(want[i].name), want[i].cipher);
		CU_ASSERT_PTR_NOT_NULL_FATAL(c);
		CU_ASSERT_STRING_EQUAL(c->name, want[i].name);
		CU_ASSERT_EQUAL(c->iv, want[i].iv);
		CU_ASSERT_EQUAL(c->icv, want[i].icv);
		CU_ASSERT_EQUAL(c->align, want[i].align);
		CU_ASSERT_EQUAL(c->salt, want[i].salt);
		CU_ASSERT_EQUAL(c->aead, want[i].aead);
	}
}

static void auth_names_and_sizes(void)
{
	static const struct {
		const char *name;
		int auth, key, icv;
	} want[] = {
		{"none", AUTH_NONE, 0, 0},
		{"hmac-sha1-96", AUTH_HMAC_SHA1_96, 20, 12},
		{"hmac-sha2-256-128", AUTH_HMAC_SHA2_256_128, 32, 16},
		{"hmac-sha2-384-192", AUTH_HMAC_SHA2_384_192, 48, 24},
		{"hmac-sha2-512-256", AUTH_HMAC_SHA2_512_256, 64, 32},
	};

	for (unsigned i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct auth_info *a = auth_info(want[i].auth);

		CU_ASSERT_EQUAL(auth_by_name(want[i].name), want[i].auth);
		CU_ASSERT_PTR_NOT_NULL_FATAL(a);
		CU_ASSERT_STRING_EQUAL(a->name, want[i].name);
		CU_ASSERT_EQUAL(a->key, want[i].key);
		CU_ASSERT_EQUAL(a->icv, want[i].icv);
	}
}

static void unknown_names_and_numbers(void)
{
	static const char *const weak[] = {"des", "des-cbc", "3des", "3des-cbc", "blowfish", "cast",
		"rc5", "aes-gcm-8", "aes-gcm-12"};

	for (unsigned i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
		CU_ASSERT_EQUAL(cipher_by_name(weak[i]), 0);
	CU_ASSERT_EQUAL(cipher_by_name(""), 0);
	CU_ASSERT_EQUAL(auth_by_name("hmac-md5-96"), -1);
	CU_ASSERT_EQUAL(auth_by_name("hmac-md5"), -1);
	CU_ASSERT_PTR_NULL(cipher_info(0));
	CU_ASSERT_PTR_NULL(cipher_info(CIPHER_COUNT));
	CU_ASSERT_PTR_NULL(auth_info(AUTH_COUNT));
}

static void accepts_each_algorithm(void)
{
	const char *why = NULL;

	for (unsigned key = 16; key <= 32; key += 8) {
		CU_ASSERT_TRUE(alg_valid(CIPHER_AES_GCM_16, key + 4, AUTH_NONE, 0, &why));
		CU_ASSERT_TRUE(alg_valid(CIPHER_AES_GMAC, key + 4, AUTH_NONE, 0, &why));
		for (unsigned a = AUTH_HMAC_SHA1_96; a < AUTH_COUNT; a++) {
			CU_ASSERT_TRUE(alg_valid(CIPHER_AES_CBC, key, a, auth_info(a)->key, &why));
			CU_ASSERT_TRUE(
				alg_valid(CIPHER_AES_CTR, key + 4, a, auth_info(a)->key, &why));
		}
	}
	CU_ASSERT_TRUE(alg_valid(CIPHER_CHACHA20_POLY1305, 36, AUTH_NONE, 0, &why));
	for (unsigned a = AUTH_HMAC_SHA1_96; a < AUTH_COUNT; a++)
		CU_ASSERT_TRUE(alg_valid(CIPHER_NULL, 0, a, auth_info(a)->key, &why));
	CU_ASSERT_PTR_NULL(why);
}

static void refuses(
	unsigned cipher, unsigned key, unsigned auth, unsigned auth_key, const char *say)
{
	const char *why = "";

	CU_ASSERT_FALSE(alg_valid(cipher, key, auth, auth_key, &why));
	CU_ASSERT_STRING_EQUAL(why, say);
}

static void refuses_with_a_sentence(void)
{
	refuses(0, 16, AUTH_NONE, 0, "encryption: no algorithm has the number 0");
	refuses(77, 16, AUTH_NONE, 0, "encryption: no algorithm has the number 77");
	refuses(CIPHER_NULL, 0, 9, 0, "integrity: no algorithm has the number 9");
	refuses(CIPHER_NULL, 0, AUTH_NONE, 0,
		"integrity: none, but null encryption needs one (RFC 8221)");
	refuses(CIPHER_AES_CBC, 16, AUTH_NONE, 0,
		"integrity: none, but aes-cbc without integrity is not safe (RFC 8221)");
	refuses(CIPHER_AES_CTR, 20, AUTH_NONE, 0,
		"integrity: none, but aes-ctr without integrity is not safe (RFC 8221)");
	refuses(CIPHER_AES_CTR, 16, AUTH_HMAC_SHA1_96, 20,
		"encryption key: 16 bytes, but aes-ctr takes 20, 28 or 36 (the salt's 4 among "
		"them)");
	refuses(CIPHER_AES_GMAC, 20, AUTH_HMAC_SHA1_96, 20,
		"integrity: aes-gmac brings its own, so hmac-sha1-96 must not be given with it");
	refuses(CIPHER_AES_GCM_16, 20, AUTH_HMAC_SHA1_96, 20,
		"integrity: aes-gcm-16 brings its own, so hmac-sha1-96 must not be given with it");
	refuses(CIPHER_AES_GCM_16, 16, AUTH_NONE, 0,
		"encryption key: 16 bytes, but aes-gcm-16 takes 20, 28 or 36 (the salt's 4 among "
		"them)");
	refuses(CIPHER_CHACHA20_POLY1305, 32, AUTH_NONE, 0,
		"encryption key: 32 bytes, but chacha20-poly1305 takes 36 (the salt's 4 among "
		"them)");
	refuses(CIPHER_AES_CBC, 20, AUTH_HMAC_SHA1_96, 20,
		"encryption key: 20 bytes, but aes-cbc takes 16, 24 or 32");
	refuses(CIPHER_AES_CBC, 40, AUTH_HMAC_SHA1_96, 20,
		"encryption key: 40 bytes, but aes-cbc takes 16, 24 or 32");
	refuses(CIPHER_NULL, 1, AUTH_HMAC_SHA1_96, 20, "encryption key: 1 bytes, but null takes 0");
	refuses(CIPHER_AES_CBC, 16, AUTH_HMAC_SHA2_256_128, 20,
		"integrity key: 20 bytes, but hmac-sha2-256-128 takes 32");
	refuses(CIPHER_AES_GCM_16, 20, AUTH_NONE, 3, "integrity key: 3 bytes, but none takes 0");
}

UNIT_MAIN("alg", UNIT_TEST(names_and_sizes), UNIT_TEST(auth_names_and_sizes),
	UNIT_TEST(unknown_names_and_numbers), UNIT_TEST(accepts_each_algorithm),
	UNIT_TEST(refuses_with_a_sentence))
