/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of inbound SAs. Its entries need no more of an SA than SPI and destination. */
#include "dataplane/spi_table.h"

#include "dataplane/sa.h"

#include "unit.h"

#include <errno.h>

static unsigned retired;

static void retire(void *old)
{
	retired++;
	free(old);
}

static struct sa *sa_new(uint32_t spi, uint32_t dst)
{
	struct sa *sa = aligned_alloc(_Alignof(struct sa), sizeof(*sa));

	memset(sa, 0, sizeof(*sa));
	sa->spi = spi;
	sa->dst = addr_v4(dst);
	return sa;
}

static struct sa *sa_new6(uint32_t spi, uint8_t last)
{
	struct sa *sa = sa_new(spi, 0);
	uint8_t dst[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = last};

	sa->dst = addr_v6(dst);
	return sa;
}

static struct sa *find(const struct sa *like)
{
	return spi_lookup(like->spi, like->dst.family, like->dst.v6);
}

static void start(void)
{
	retired = 0;
	CU_ASSERT_EQUAL_FATAL(spi_table_init(), 0);
}

static void finds_what_was_inserted(void)
{
	struct sa *a = sa_new(256, 1), *b = sa_new(257, 1);
	uint32_t other = 2;

	start();
	CU_ASSERT_PTR_NULL(find(a));
	CU_ASSERT_EQUAL(spi_insert(a, retire), 0);
	CU_ASSERT_PTR_EQUAL(find(a), a);
	CU_ASSERT_PTR_NULL(find(b));
	CU_ASSERT_PTR_NULL(spi_lookup(256, IP_V4, &other));
	CU_ASSERT_PTR_NULL(spi_lookup(256, IP_V6, a->dst.v6));
	CU_ASSERT_PTR_NULL(spi_lookup(0, IP_V4, &a->dst.v4));
	CU_ASSERT_EQUAL(spi_insert(a, retire), -EEXIST);
	spi_remove(b);
	CU_ASSERT_PTR_EQUAL(find(a), a);
	spi_table_free();
	free(a);
	free(b);
}

static void one_spi_for_several_destinations(void)
{
	struct sa *sa[6];

	start();
	for (unsigned i = 0; i < 3; i++) {
		sa[i] = sa_new(5000, i + 1);
		sa[3 + i] = sa_new6(5000, i + 1);
	}
	for (unsigned i = 0; i < 6; i++)
		CU_ASSERT_EQUAL(spi_insert(sa[i], retire), 0);
	for (unsigned i = 0; i < 6; i++)
		CU_ASSERT_PTR_EQUAL(find(sa[i]), sa[i]);
	spi_remove(sa[1]);
	CU_ASSERT_PTR_NULL(find(sa[1]));
	CU_ASSERT_PTR_EQUAL(find(sa[2]), sa[2]);
	CU_ASSERT_PTR_EQUAL(find(sa[5]), sa[5]);
	spi_table_free();
	for (unsigned i = 0; i < 6; i++)
		free(sa[i]);
}

static uint32_t slot_of(uint32_t spi)
{
	uint32_t h = spi_hash(spi);

	return (h ^ h >> 15) & spi_table->mask;
}

/* SPIs of one slot: a chain goes on past removed ones, and they are used again. */
static void collision_chains(void)
{
	struct sa *sa[20], *again;
	unsigned n = 0;

	start();
	for (uint32_t spi = 256; n < 20; spi++) {
		if (slot_of(spi) == slot_of(256))
			sa[n++] = sa_new(spi, 7);
	}
	for (unsigned i = 0; i < 20; i++)
		CU_ASSERT_EQUAL(spi_insert(sa[i], retire), 0);
	for (unsigned i = 0; i < 20; i += 2)
		spi_remove(sa[i]);
	for (unsigned i = 0; i < 20; i++)
		CU_ASSERT_PTR_EQUAL(find(sa[i]), i % 2 ? sa[i] : NULL);
	again = sa_new(sa[4]->spi, 7);
	CU_ASSERT_EQUAL(spi_insert(again, retire), 0);
	CU_ASSERT_PTR_EQUAL(find(sa[4]), again);
	CU_ASSERT_EQUAL(spi_table->used, 20);
	spi_table_free();
	for (unsigned i = 0; i < 20; i++)
		free(sa[i]);
	free(again);
}

static void grows_and_keeps_all(void)
{
	enum {
		N = 10000
	};
	struct sa **sa = calloc(N, sizeof(*sa));
	uint32_t before;

	start();
	before = spi_table->mask;
	for (unsigned i = 0; i < N; i++) {
		/* By hand in sequence, by charon at random, and in network order. */
		uint32_t spi = i % 3 == 0 ? 10000 + i
			: i % 3 == 1      ? i * 2654435761u
					  : __builtin_bswap32(i);

		sa[i] = sa_new(spi, i % 4);
		CU_ASSERT_EQUAL_FATAL(spi_insert(sa[i], retire), 0);
		CU_ASSERT_TRUE_FATAL(2 * spi_table->used <= spi_table->mask + 1);
	}
	CU_ASSERT(spi_table->mask > before);
	CU_ASSERT(retired > 0);
	for (unsigned i = 0; i < N; i++)
		CU_ASSERT_PTR_EQUAL_FATAL(find(sa[i]), sa[i]);
	for (unsigned i = 0; i < N; i++) {
		spi_remove(sa[i]);
		CU_ASSERT_PTR_NULL_FATAL(find(sa[i]));
		free(sa[i]);
	}
	spi_table_free();
	free(sa);
}

/* Years of rekeying: the removed keys don't fill the table for good. */
static void rekeys_do_not_grow_it(void)
{
	struct sa *old = sa_new(256, 1), *new;

	start();
	CU_ASSERT_EQUAL(spi_insert(old, retire), 0);
	for (uint32_t spi = 257; spi < 20000; spi++) {
		new = sa_new(spi, 1);
		CU_ASSERT_EQUAL_FATAL(spi_insert(new, retire), 0);
		CU_ASSERT_PTR_EQUAL_FATAL(find(old), old);
		spi_remove(old);
		CU_ASSERT_PTR_NULL_FATAL(find(old));
		free(old);
		old = new;
	}
	CU_ASSERT_PTR_EQUAL(find(old), old);
	CU_ASSERT_EQUAL(spi_table->mask + 1, 1024);
	CU_ASSERT(retired > 10);
	spi_table_free();
	free(old);
}

UNIT_MAIN("spi_table", UNIT_TEST(finds_what_was_inserted),
	UNIT_TEST(one_spi_for_several_destinations), UNIT_TEST(collision_chains),
	UNIT_TEST(grows_and_keeps_all), UNIT_TEST(rekeys_do_not_grow_it))
