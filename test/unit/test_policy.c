/* SPDX-License-Identifier: BSD-3-Clause */
/* Policies: counted, told apart by all that strongSwan tells them apart by, looked up by reqid. */
#include "control/addr_text.h"
#include "control/sa/sadb.h"

#include "unit.h"

#include <errno.h>

/* sadb.c's side: which reqids were bound again? */
static uint32_t rebound_reqid;
static unsigned rebinds, full_rebinds;

void sadb_rebind_reqid(uint32_t reqid)
{
	rebound_reqid = reqid;
	rebinds++;
}

void sadb_rebind(void)
{
	full_rebinds++;
}

static struct viaduct_policy make(uint8_t dir, uint32_t reqid, uint8_t family, uint32_t mark)
{
	struct viaduct_policy p = {
		.dir = dir, .reqid = reqid, .mark = mark, .selector = {.family = family}};

	addr_parse("192.0.2.1", &p.src);
	addr_parse("192.0.2.2", &p.dst);
	return p;
}

static void begin(void)
{
	policy_flush();
	rebinds = full_rebinds = rebound_reqid = 0;
}

static void is_counted(void)
{
	struct viaduct_policy p = make(VIADUCT_OUT, 7, IP_V4, 0);

	begin();
	CU_ASSERT_EQUAL(policy_add(&p, NULL), 0);
	CU_ASSERT_EQUAL(rebinds, 1);
	CU_ASSERT_EQUAL(rebound_reqid, 7);
	p.priority = 5; /* doesn't make it another one */
	CU_ASSERT_EQUAL(policy_add(&p, NULL), 0);
	CU_ASSERT_EQUAL(policy_count(), 1);
	CU_ASSERT_EQUAL(rebinds, 1);
	CU_ASSERT_EQUAL(policy_del(&p, NULL), 0);
	CU_ASSERT_EQUAL(policy_count(), 1);
	CU_ASSERT_EQUAL(rebinds, 1);
	CU_ASSERT_EQUAL(policy_families(7, VIADUCT_OUT), SA_FAMILY_V4);
	CU_ASSERT_EQUAL(policy_del(&p, NULL), 0);
	CU_ASSERT_EQUAL(policy_count(), 0);
	CU_ASSERT_EQUAL(rebinds, 2);
	CU_ASSERT_EQUAL(policy_families(7, VIADUCT_OUT), 0);
}

static void unknown_is_refused(void)
{
	struct viaduct_policy p = make(VIADUCT_OUT, 7, IP_V4, 0), other;
	struct err e;

	begin();
	CU_ASSERT_EQUAL(policy_del(&p, &e), -ENOENT);
	CU_ASSERT_STRING_EQUAL(e.text, "no such policy with reqid 7");
	CU_ASSERT_EQUAL(policy_add(&p, NULL), 0);
#define OTHER(change)                                                                              \
	do {                                                                                       \
		other = p;                                                                         \
		change;                                                                            \
		CU_ASSERT_EQUAL(policy_del(&other, &e), -ENOENT);                                  \
	} while (0)
	OTHER(other.dir = VIADUCT_IN);
	OTHER(other.reqid = 8);
	OTHER(other.if_id = 1);
	OTHER(other.mark = 1);
	OTHER(other.mark_mask = 1);
	OTHER(other.src.bytes[3] = 9);
	OTHER(other.dst.bytes[3] = 9);
	OTHER(other.selector.proto = 6);
	OTHER(other.selector.dst[1][3] = 1);
	CU_ASSERT_EQUAL(policy_count(), 1);
}

static void bad_ones_are_refused(void)
{
	struct viaduct_policy p = make(3, 7, IP_V4, 0);
	struct err e;

	begin();
	CU_ASSERT_EQUAL(policy_add(&p, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "dir: 3; expected 1 (in) or 2 (out)");
	p = make(VIADUCT_IN, 0, IP_V4, 0);
	CU_ASSERT_EQUAL(policy_add(&p, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "reqid: 0; expected the reqid of the policy's SAs");
	p = make(VIADUCT_IN, 7, 5, 0);
	CU_ASSERT_EQUAL(policy_add(&p, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "selector.family: 5; expected 4 or 6");
	p = make(VIADUCT_IN, 7, IP_V6, 0);
	p.src.family = 1;
	CU_ASSERT_EQUAL(policy_add(&p, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "src: address family 1; expected 4, 6 or 0 (any)");
	CU_ASSERT_EQUAL(policy_count(), 0);
	CU_ASSERT_EQUAL(rebinds, 0);
}

static void newest_key_counts(void)
{
	struct viaduct_policy none = make(VIADUCT_IN, 7, IP_V4, 0);
	struct viaduct_policy old = make(VIADUCT_IN, 7, IP_V4, 12), new = old;
	uint32_t if_id, mark, mask;

	begin();
	new.mark = 13;
	new.mark_mask = 0xff;
	new.if_id = 2;
	policy_add(&old, NULL);
	policy_add(&new, NULL);
	policy_add(&none, NULL); /* names no key: changes nothing */
	policy_lookup(7, VIADUCT_IN, &if_id, &mark, &mask);
	CU_ASSERT_EQUAL(if_id, 2);
	CU_ASSERT_EQUAL(mark, 13);
	CU_ASSERT_EQUAL(mask, 0xff);
	policy_del(&new, NULL);
	policy_lookup(7, VIADUCT_IN, &if_id, &mark, &mask);
	CU_ASSERT_EQUAL(if_id, 0);
	CU_ASSERT_EQUAL(mark, 12);
	/* The other direction and other reqids have none. */
	policy_lookup(7, VIADUCT_OUT, &if_id, &mark, &mask);
	CU_ASSERT_EQUAL(if_id + mark + mask, 0);
	policy_lookup(8, VIADUCT_IN, &if_id, &mark, &mask);
	CU_ASSERT_EQUAL(if_id + mark + mask, 0);
}

static void families_add_up(void)
{
	struct viaduct_policy p4 = make(VIADUCT_OUT, 7, IP_V4, 0),
			      p6 = make(VIADUCT_OUT, 7, IP_V6, 0);

	begin();
	policy_add(&p6, NULL);
	CU_ASSERT_EQUAL(policy_families(7, VIADUCT_OUT), SA_FAMILY_V6);
	policy_add(&p4, NULL);
	CU_ASSERT_EQUAL(policy_families(7, VIADUCT_OUT), SA_FAMILY_BOTH);
	CU_ASSERT_EQUAL(policy_families(7, VIADUCT_IN), 0);
}

static int count_until(const struct viaduct_policy *p, void *arg)
{
	unsigned *left = arg;

	CU_ASSERT(p->reqid == 1 || p->reqid == 2);
	return --*left == 0 ? -77 : 0;
}

static void each_stops_when_told(void)
{
	unsigned left = 10;

	begin();
	for (uint32_t mark = 1; mark <= 2; mark++) {
		for (uint32_t reqid = 1; reqid <= 2; reqid++) {
			const struct viaduct_policy p = make(VIADUCT_IN, reqid, IP_V4, mark);

			policy_add(&p, NULL);
		}
	}
	CU_ASSERT_EQUAL(policy_each(count_until, &left), 0);
	CU_ASSERT_EQUAL(left, 6);
	left = 3;
	CU_ASSERT_EQUAL(policy_each(count_until, &left), -77);
	policy_flush();
	CU_ASSERT_EQUAL(policy_count(), 0);
	CU_ASSERT_EQUAL(full_rebinds, 1);
}

UNIT_MAIN("policy", UNIT_TEST(is_counted), UNIT_TEST(unknown_is_refused),
	UNIT_TEST(bad_ones_are_refused), UNIT_TEST(newest_key_counts), UNIT_TEST(families_add_up),
	UNIT_TEST(each_stops_when_told))
