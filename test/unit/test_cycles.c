/* SPDX-License-Identifier: BSD-3-Clause */
/* Accounting of cycles: what is charged to the stages is exactly the time that went by. */
#include "dataplane/cycles.h"
#include "test/unit/unit.h"

#include <viaduct_api.h>

static uint64_t charged(const struct cycles *c)
{
	return cycles_busy(c) + c->stage[CYCLES_IDLE].cycles;
}

/* A chain of charges, told the time. */
static void chain(void)
{
	struct cycles c = {.mark = 1000};

	cycles_charge_at(&c, CYCLES_IDLE, 0, 1010);
	cycles_charge_at(&c, CYCLES_RX, 32, 1110);
	cycles_charge_at(&c, CYCLES_PARSE, 30, 1150);
	cycles_charge_at(&c, CYCLES_RX, 8, 1250);
	cycles_charge_at(&c, CYCLES_TX, 0, 1280);
	CU_ASSERT_EQUAL(c.stage[CYCLES_IDLE].cycles, 10);
	CU_ASSERT_EQUAL(c.stage[CYCLES_RX].cycles, 200);
	CU_ASSERT_EQUAL(c.stage[CYCLES_RX].packets, 40);
	CU_ASSERT_EQUAL(c.stage[CYCLES_PARSE].cycles, 40);
	CU_ASSERT_EQUAL(c.stage[CYCLES_PARSE].packets, 30);
	CU_ASSERT_EQUAL(c.stage[CYCLES_TX].cycles, 30);
	CU_ASSERT_EQUAL(cycles_busy(&c), 270);
	CU_ASSERT_EQUAL(charged(&c), c.mark - 1000);
}

/* The same by the clock, whatever it says. */
static void clock_is_charged_whole(void)
{
	const uint64_t start = rte_rdtsc();
	struct cycles c = {.mark = start};

	for (unsigned i = 0; i < 10000; i++)
		cycles_charge(&c, i * 7 % CYCLES_STAGE_COUNT, i);
	CU_ASSERT(c.mark > start);
	CU_ASSERT(c.mark <= rte_rdtsc());
	CU_ASSERT_EQUAL(charged(&c), c.mark - start);
}

/* As the API takes them. */
static void names(void)
{
	const struct viaduct_cycles_info *info;
	unsigned rest = 0, entries = 0;

	for (unsigned i = 0; i < CYCLES_STAGE_COUNT; i++) {
		CU_ASSERT(strlen(cycles_name(i)) > 0);
		CU_ASSERT(strlen(cycles_name(i)) < sizeof(info->name));
		CU_ASSERT(strlen(cycles_help(i)) < sizeof(info->help));
		for (unsigned j = 0; j < i; j++)
			CU_ASSERT_STRING_NOT_EQUAL(cycles_name(i), cycles_name(j));
		rest += cycles_kind(i) == CYCLES_REST;
		entries += cycles_kind(i) == CYCLES_ENTRY;
	}
	CU_ASSERT_EQUAL(rest, 1);
	CU_ASSERT(entries > 0);
	CU_ASSERT_EQUAL((int)CYCLES_WORK, (int)VIADUCT_CYCLES_WORK);
	CU_ASSERT_EQUAL((int)CYCLES_ENTRY, (int)VIADUCT_CYCLES_ENTRY);
	CU_ASSERT_EQUAL((int)CYCLES_REST, (int)VIADUCT_CYCLES_REST);
}

UNIT_MAIN("cycles", UNIT_TEST(chain), UNIT_TEST(clock_is_charged_whole), UNIT_TEST(names))
