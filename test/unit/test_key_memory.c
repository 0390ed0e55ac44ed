/* SPDX-License-Identifier: BSD-3-Clause */
/* Where key schedules stand: zeroed, aligned, apart, spread over the cache's sets, wiped when given back. */
#include "dataplane/key_memory.h"

#include "unit.h"

#include <rte_eal.h>

#include <stdbool.h>
#include <stdint.h>

#define KEYS 5000 /* several chunks */
#define LINE 64
#define SETS 64

static uint8_t *key[KEYS];

static bool is_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i] != 0)
			return false;
	}
	return true;
}

static void keys_are_apart_and_come_back_zeroed(void)
{
	unsigned wrong = 0;

	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < KEYS; i++) {
			key[i] = key_memory_alloc(1024);
			CU_ASSERT_PTR_NOT_NULL_FATAL(key[i]);
			wrong += (uintptr_t)key[i] % LINE != 0 || !is_zero(key[i], 1024);
			memset(key[i], i | 1, 1024);
		}
		for (unsigned i = 0; i < KEYS; i++) {
			wrong += key[i][0] != (uint8_t)(i | 1) || key[i][1023] != (uint8_t)(i | 1);
			key_memory_free(key[i]);
		}
	}
	CU_ASSERT_EQUAL(wrong, 0);
}

static void freed_keys_are_wiped(void)
{
	uint8_t *stays = key_memory_alloc(1152), *goes = key_memory_alloc(1152);

	memset(goes, 0xa5, 1152);
	key_memory_free(goes);
	/* But for the link to the next free one. */
	CU_ASSERT(is_zero(goes + sizeof(void *), 1152 - sizeof(void *)));
	CU_ASSERT_PTR_EQUAL(key_memory_alloc(1152), goes);
	key_memory_free(goes);
	key_memory_free(stays);
}

/* The first lines of many keys: each set of the first-level cache gets its share. */
static void spread_over_the_cache(void)
{
	unsigned in_set[SETS] = {0};

	for (unsigned i = 0; i < 640; i++) {
		key[i] = key_memory_alloc(1024);
		in_set[(uintptr_t)key[i] / LINE % SETS]++;
	}
	for (unsigned i = 0; i < SETS; i++)
		CU_ASSERT_EQUAL(in_set[i], 640 / SETS);
	for (unsigned i = 0; i < 640; i++)
		key_memory_free(key[i]);
}

UNIT_EAL_MAIN("key_memory", UNIT_TEST(spread_over_the_cache),
	UNIT_TEST(keys_are_apart_and_come_back_zeroed), UNIT_TEST(freed_keys_are_wiped))
