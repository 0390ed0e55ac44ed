/* SPDX-License-Identifier: BSD-3-Clause */
/* crypto_seal() and crypto_open() against published vectors, on each architecture of IPsec-MB that
 * this CPU has; and the random numbers behind CBC's IVs. */
#include "crypto_fixture.h"

#include <rte_eal.h>

struct vector {
	const char *name;
	uint8_t cipher, auth;
	bool esn;
	uint32_t seq_hi;
	const char *key, *auth_key; /* hexadecimal, as all below */
	const char *clear;          /* ESP header, IV, text in clear */
	const char *sealed;         /* ESP header, IV, ciphertext, ICV */
};

#include "crypto_vectors.h"

#define VECTORS (sizeof(vectors) / sizeof(vectors[0]))

static unsigned from_hex(const char *hex, uint8_t *to)
{
	unsigned n = strlen(hex) / 2;

	for (unsigned i = 0; i < n; i++)
		sscanf(hex + 2 * i, "%2hhx", &to[i]);
	return n;
}

static struct sa *sa_of_vector(const struct vector *v)
{
	uint8_t key[ENC_KEY_MAX], auth_key[AUTH_KEY_MAX];
	unsigned key_len = from_hex(v->key, key), auth_len = from_hex(v->auth_key, auth_key);

	return sa_of(v->cipher, v->auth, v->esn, key, key_len, auth_key, auth_len);
}

static void try_vector(struct crypto_ctx *ctx, const struct vector *v)
{
	uint8_t packet[PACKET_MAX], clear[PACKET_MAX], sealed[PACKET_MAX];
	unsigned clear_len = from_hex(v->clear, clear), len = from_hex(v->sealed, sealed);
	struct sa *sa = sa_of_vector(v);
	struct crypto_op op = {.sa = sa,
		.esp = packet,
		.text_len = clear_len - 8 - sa->iv_len,
		.seq_hi = v->seq_hi};

	memcpy(packet, clear, clear_len);
	crypto_seal(ctx, &op, 1);
	CU_ASSERT_EQUAL(op.ok, 1);
	CU_ASSERT_EQUAL(memcmp(packet, sealed, len), 0);
	if (memcmp(packet, sealed, len) != 0)
		printf("%s on %s\n", v->name, crypto_ctx_arch(ctx));

	memcpy(packet, sealed, len);
	crypto_open(ctx, &op, 1);
	CU_ASSERT_EQUAL(op.ok, 1);
	CU_ASSERT_EQUAL(memcmp(packet, clear, clear_len), 0);

	/* One wrong bit anywhere is noticed. */
	for (unsigned i = 0; i < len; i++) {
		memcpy(packet, sealed, len);
		packet[i] ^= 1 << i % 8;
		crypto_open(ctx, &op, 1);
		CU_ASSERT_EQUAL(op.ok, 0);
	}
	if (v->esn) {
		memcpy(packet, sealed, len);
		op.seq_hi ^= 1;
		crypto_open(ctx, &op, 1);
		CU_ASSERT_EQUAL(op.ok, 0);
	}
	sa_destroy(sa);
}

static void try_all_vectors(struct crypto_ctx *ctx)
{
	for (unsigned i = 0; i < VECTORS; i++)
		try_vector(ctx, &vectors[i]);
}

static void published_vectors(void)
{
	each_arch(try_all_vectors);
}

/* Nothing behind the ICV and nothing before the header is touched. */
static void stays_within_its_packet(void)
{
	struct crypto_ctx *ctx = crypto_ctx_new(NULL);
	struct sa *sa[ALGS_MAX];
	unsigned n_sa = all_algorithms(sa), len;
	uint8_t buf[PACKET_MAX];

	for (unsigned i = 0; i < n_sa; i++) {
		for (unsigned text = sa[i]->align; text < 200; text += sa[i]->align) {
			struct crypto_op op = {.sa = sa[i], .esp = buf + 64, .text_len = text};

			len = whole_len(&op);
			memset(buf, 0xa5, sizeof(buf));
			memset(buf + 64, 0, len);
			crypto_seal(ctx, &op, 1);
			crypto_open(ctx, &op, 1);
			CU_ASSERT_EQUAL(op.ok, 1);
			for (unsigned j = 0; j < 64; j++) {
				CU_ASSERT_EQUAL_FATAL(buf[j], 0xa5);
				CU_ASSERT_EQUAL_FATAL(buf[64 + len + j], 0xa5);
			}
		}
		sa_destroy(sa[i]);
	}
	crypto_ctx_free(ctx);
}

static void one_architecture_at_a_time(void)
{
	struct crypto_ctx *sse = crypto_ctx_new("sse"), *second;

	CU_ASSERT_PTR_NOT_NULL_FATAL(sse);
	CU_ASSERT_PTR_NULL(crypto_ctx_new("avx"));
	second = crypto_ctx_new("sse");
	CU_ASSERT_PTR_NOT_NULL(second);
	crypto_ctx_free(second);
	crypto_ctx_free(sse);
	CU_ASSERT_PTR_NULL(crypto_ctx_new("altivec"));
	setenv("VIADUCT_CRYPTO_ARCH", "sse", 1);
	sse = crypto_ctx_new(NULL);
	CU_ASSERT_STRING_EQUAL(crypto_ctx_arch(sse), "sse");
	crypto_ctx_free(sse);
	unsetenv("VIADUCT_CRYPTO_ARCH");
}

#define IVS 100000

static int compare_iv(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static void ivs_do_not_repeat(void)
{
	struct crypto_ctx *ctx[2] = {crypto_ctx_new(NULL), crypto_ctx_new(NULL)};
	uint8_t(*iv)[16] = calloc(2 * IVS, 16);
	unsigned repeated = 0;

	for (unsigned i = 0; i < 2 * IVS; i++)
		crypto_random(ctx[i >= IVS], iv[i], 16);
	qsort(iv, 2 * IVS, 16, compare_iv);
	for (unsigned i = 1; i < 2 * IVS; i++)
		repeated += memcmp(iv[i - 1], iv[i], 16) == 0;
	CU_ASSERT_EQUAL(repeated, 0);
	free(iv);
	crypto_ctx_free(ctx[0]);
	crypto_ctx_free(ctx[1]);
}

/* Each of the 128 bits is set about half of the time, and differs from the one before about half of
 * the time: six sigma of 100,000 throws is 949. */
static void iv_bits_are_balanced(void)
{
	struct crypto_ctx *ctx = crypto_ctx_new(NULL);
	int set[128] = {0}, changed[128] = {0};
	uint8_t iv[16], last[16] = {0};

	for (unsigned n = 0; n < IVS; n++) {
		crypto_random(ctx, iv, sizeof(iv));
		for (unsigned b = 0; b < 128; b++) {
			set[b] += iv[b / 8] >> b % 8 & 1;
			changed[b] += (iv[b / 8] ^ last[b / 8]) >> b % 8 & 1;
		}
		memcpy(last, iv, sizeof(iv));
	}
	for (unsigned b = 0; b < 128; b++) {
		CU_ASSERT(abs(set[b] - IVS / 2) < 949);
		CU_ASSERT(abs(changed[b] - IVS / 2) < 949);
	}
	crypto_ctx_free(ctx);
}

/* Requests of any size run on through the generator's refills. */
static void random_in_any_portion(void)
{
	struct crypto_ctx *ctx = crypto_ctx_new(NULL);
	uint8_t buf[10000], zero[64] = {0};

	for (unsigned n = 1; n <= sizeof(buf); n = n * 3 + 1) {
		memset(buf, 0, sizeof(buf));
		crypto_random(ctx, buf, n);
		for (unsigned i = 0; i + 64 <= n; i += 64)
			CU_ASSERT_NOT_EQUAL(memcmp(buf + i, zero, 64), 0);
		if (n < sizeof(buf))
			CU_ASSERT_EQUAL(buf[n], 0);
	}
	crypto_ctx_free(ctx);
}

UNIT_EAL_MAIN("crypto", UNIT_TEST(published_vectors), UNIT_TEST(stays_within_its_packet),
	UNIT_TEST(one_architecture_at_a_time), UNIT_TEST(ivs_do_not_repeat),
	UNIT_TEST(iv_bits_are_balanced), UNIT_TEST(random_in_any_portion))
