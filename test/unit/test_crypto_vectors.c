/* SPDX-License-Identifier: BSD-3-Clause */
/* crypto_seal() and crypto_open() against published vectors, on each architecture of IPsec-MB that
 * this CPU has; large mixed batches; and the random numbers behind CBC's IVs. */
#include "dataplane/crypto.h"
#include "dataplane/pkt.h"

#include "unit.h"

#include <rte_eal.h>

#define PACKET_MAX 2048
#define BATCH      (2 * VEC_MAX)

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

static const char *const archs[] = {"sse", "avx", "avx2", "avx512"};

static unsigned from_hex(const char *hex, uint8_t *to)
{
	unsigned n = strlen(hex) / 2;

	for (unsigned i = 0; i < n; i++)
		sscanf(hex + 2 * i, "%2hhx", &to[i]);
	return n;
}

static struct sa *sa_of(uint8_t cipher, uint8_t auth, bool esn, const uint8_t *key,
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

/* Run a test on every architecture of this CPU. */
static void each_arch(void (*test)(struct crypto_ctx *ctx))
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

static void try_all_vectors(struct crypto_ctx *ctx)
{
	for (unsigned i = 0; i < VECTORS; i++)
		try_vector(ctx, &vectors[i]);
}

static void published_vectors(void)
{
	each_arch(try_all_vectors);
}

/* Every algorithm and key size, with and without ESN. */
#define ALGS_MAX 64

static unsigned all_algorithms(struct sa **sa)
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

static uint8_t packets[BATCH][PACKET_MAX], alone[PACKET_MAX], clear[BATCH][PACKET_MAX];

static unsigned whole_len(const struct crypto_op *op)
{
	return 8 + op->sa->iv_len + op->text_len + op->sa->icv_len;
}

/* Packets of all SAs and sizes in turn, with contents that differ. */
static void fill(struct crypto_op *op, struct sa **sa, unsigned n_sa, unsigned n, unsigned seed)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned size = 4 + (i * 37 + seed * 101) % 1500;

		op[i] = (struct crypto_op){
			.sa = sa[(i * 7 + seed) % n_sa], .esp = packets[i], .seq_hi = i * 3 + seed};
		op[i].text_len = (size + op[i].sa->align - 1) & -(unsigned)op[i].sa->align;
		for (unsigned j = 0; j < whole_len(&op[i]); j++)
			packets[i][j] = i * 31 + j * 7 + seed;
		memcpy(clear[i], packets[i], PACKET_MAX);
	}
}

/* What a packet becomes does not depend on the batch it is in; every ICV is checked on its own. */
static void try_batches(struct crypto_ctx *ctx)
{
	static const unsigned sizes[] = {1, 2, 3, 15, 16, 17, 64, 255, 256, 257, BATCH};
	struct sa *sa[ALGS_MAX];
	unsigned n_sa = all_algorithms(sa), n;
	struct crypto_op op[BATCH], one;

	CU_ASSERT_EQUAL(n_sa, 2 * (4 + 3 * 4 + 3 + 1));
	for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		n = sizes[s];
		fill(op, sa, n_sa, n, s);
		crypto_seal(ctx, op, n);
		for (unsigned i = 0; i < n; i++) {
			memcpy(alone, clear[i], PACKET_MAX);
			one = op[i];
			one.esp = alone;
			crypto_seal(ctx, &one, 1);
			CU_ASSERT_EQUAL_FATAL(op[i].ok, 1);
			CU_ASSERT_EQUAL_FATAL(memcmp(alone, packets[i], whole_len(&one)), 0);
			/* Every fifth packet is damaged in its ICV, every seventh in its text. */
			if (i % 5 == 4)
				packets[i][whole_len(&one) - 1] ^= 0x80;
			if (i % 7 == 6)
				packets[i][8 + op[i].sa->iv_len] ^= 1;
		}
		crypto_open(ctx, op, n);
		for (unsigned i = 0; i < n; i++) {
			bool damaged = i % 5 == 4 || i % 7 == 6;

			CU_ASSERT_EQUAL_FATAL(op[i].ok, !damaged);
			if (!damaged)
				CU_ASSERT_EQUAL_FATAL(
					memcmp(packets[i], clear[i],
						8 + op[i].sa->iv_len + op[i].text_len),
					0);
		}
	}
	for (unsigned i = 0; i < n_sa; i++)
		sa_destroy(sa[i]);
}

static void mixed_batches(void)
{
	each_arch(try_batches);
}

static uint8_t first_result[BATCH][PACKET_MAX];
static bool have_first;

static void seal_like_first(struct crypto_ctx *ctx)
{
	struct sa *sa[ALGS_MAX];
	unsigned n_sa = all_algorithms(sa);
	struct crypto_op op[BATCH];

	fill(op, sa, n_sa, BATCH, 5);
	crypto_seal(ctx, op, BATCH);
	for (unsigned i = 0; i < BATCH; i++) {
		if (!have_first)
			memcpy(first_result[i], packets[i], PACKET_MAX);
		CU_ASSERT_EQUAL_FATAL(memcmp(first_result[i], packets[i], whole_len(&op[i])), 0);
	}
	have_first = true;
	for (unsigned i = 0; i < n_sa; i++)
		sa_destroy(sa[i]);
}

static void all_architectures_agree(void)
{
	each_arch(seal_like_first);
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

UNIT_EAL_MAIN("crypto", UNIT_TEST(published_vectors), UNIT_TEST(mixed_batches),
	UNIT_TEST(all_architectures_agree), UNIT_TEST(stays_within_its_packet),
	UNIT_TEST(one_architecture_at_a_time), UNIT_TEST(ivs_do_not_repeat),
	UNIT_TEST(iv_bits_are_balanced), UNIT_TEST(random_in_any_portion))
