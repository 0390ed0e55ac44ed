/* SPDX-License-Identifier: BSD-3-Clause */
/* crypto_seal() and crypto_open() on batches of every size and of random mixes: what a packet becomes
 * depends neither on the batch it is in nor on the architecture IPsec-MB runs on, and every ICV is
 * judged on its own. */
#include "crypto_fixture.h"

#include <rte_eal.h>

#define LARGEST 300 /* every batch up to this size; then the largest allowed */
#define MIXES   4

static uint8_t packets[BATCH][PACKET_MAX], clear[BATCH][PACKET_MAX], alone[PACKET_MAX];
static struct crypto_op op[BATCH];
static bool damaged[BATCH];
static unsigned seed;

static unsigned pick(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

/* The SA of packet i: any; always the same; two in turn; runs of a few. */
static unsigned mixed_sa(unsigned mix, unsigned i, unsigned n_sa)
{
	static unsigned current, other;

	if (i == 0) {
		current = pick(n_sa);
		other = pick(n_sa);
	}
	if (mix == 0 || (mix == 3 && pick(5) == 0))
		current = pick(n_sa);
	return mix == 2 && i % 2 == 1 ? other : current;
}

static void fill(struct sa **sa, unsigned n_sa, unsigned n)
{
	unsigned mix = n % MIXES, same_size = pick(2) ? 4 + pick(1500) : 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned size = same_size != 0 ? same_size : 4 + pick(pick(4) ? 200 : 1500);

		op[i] = (struct crypto_op){
			.sa = sa[mixed_sa(mix, i, n_sa)], .esp = packets[i], .seq_hi = pick(1000)};
		op[i].text_len = (size + op[i].sa->align - 1) & -(unsigned)op[i].sa->align;
		for (unsigned j = 0; j < whole_len(&op[i]); j++)
			packets[i][j] = pick(256);
		memcpy(clear[i], packets[i], PACKET_MAX);
	}
}

/* Against each packet on its own. */
static void check_sealed(struct crypto_ctx *ctx, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct crypto_op one = op[i];

		memcpy(alone, clear[i], PACKET_MAX);
		one.esp = alone;
		crypto_seal(ctx, &one, 1);
		CU_ASSERT_EQUAL_FATAL(op[i].ok, 1);
		CU_ASSERT_EQUAL_FATAL(memcmp(alone, packets[i], whole_len(&one)), 0);
	}
}

/* A wrong bit in every fourth packet. */
static void damage(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		damaged[i] = pick(4) == 0;
		if (damaged[i])
			packets[i][pick(whole_len(&op[i]))] ^= 1 << pick(8);
	}
}

static void check_opened(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned len = whole_len(&op[i]) - op[i].sa->icv_len;

		CU_ASSERT_EQUAL_FATAL(op[i].ok, !damaged[i]);
		if (!damaged[i])
			CU_ASSERT_EQUAL_FATAL(memcmp(packets[i], clear[i], len), 0);
	}
}

/* FNV-1a of what was sealed, to compare architectures by. */
static uint64_t fingerprint(unsigned n)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (unsigned i = 0; i < n; i++) {
		for (unsigned j = 0; j < whole_len(&op[i]); j++)
			hash = (hash ^ packets[i][j]) * 0x100000001b3;
	}
	return hash;
}

static void try_batch(struct crypto_ctx *ctx, struct sa **sa, unsigned n_sa, unsigned n)
{
	static uint64_t first[BATCH + 1]; /* what the first architecture made */
	uint64_t hash;

	seed = n;
	fill(sa, n_sa, n);
	crypto_seal(ctx, op, n);
	check_sealed(ctx, n);
	hash = fingerprint(n);
	if (first[n] == 0)
		first[n] = hash;
	CU_ASSERT_EQUAL_FATAL(hash, first[n]);
	damage(n);
	crypto_open(ctx, op, n);
	check_opened(n);
}

static void try_batches(struct crypto_ctx *ctx)
{
	struct sa *sa[ALGS_MAX];
	unsigned n_sa = all_algorithms(sa);

	CU_ASSERT_EQUAL(n_sa, 2 * (4 + 3 * 4 + 3 + 1 + 3 * 4 + 3));
	for (unsigned n = 1; n <= LARGEST; n++)
		try_batch(ctx, sa, n_sa, n);
	for (unsigned n = BATCH - MIXES + 1; n <= BATCH; n++)
		try_batch(ctx, sa, n_sa, n);
	destroy_sas(sa, n_sa);
}

static void every_size_and_mix(void)
{
	each_arch(try_batches);
}

/* One algorithm at a time, so that its lanes fill, overflow and drain. */
static void try_each_algorithm(struct crypto_ctx *ctx)
{
	struct sa *sa[ALGS_MAX];
	unsigned n_sa = all_algorithms(sa);

	for (unsigned a = 0; a < n_sa; a++) {
		for (unsigned n = 1; n < 40; n++) {
			seed = a * 100 + n;
			fill(&sa[a], 1, n);
			crypto_seal(ctx, op, n);
			check_sealed(ctx, n);
			damage(n);
			crypto_open(ctx, op, n);
			check_opened(n);
		}
	}
	destroy_sas(sa, n_sa);
}

static void each_algorithm(void)
{
	each_arch(try_each_algorithm);
}

UNIT_EAL_MAIN("crypto_batches", UNIT_TEST(every_size_and_mix), UNIT_TEST(each_algorithm))
