/* SPDX-License-Identifier: BSD-3-Clause */
/* SAs expire by time, bytes, packets and sequence numbers: soft once, then hard once. */
#include "sadb_fixture.h"

static void expect_expire(unsigned events, uint32_t spi, uint32_t hard)
{
	CU_ASSERT_EQUAL(fake.events, events);
	CU_ASSERT_EQUAL(fake.last_event, VIADUCT_EVENT_SA_EXPIRE);
	CU_ASSERT_EQUAL(fake.event.expire.id.spi, spi);
	CU_ASSERT_EQUAL(fake.event.expire.hard, hard);
	CU_ASSERT_EQUAL(fake.event.expire.reqid, 7);
}

static void expires_once_by_time(void)
{
	struct viaduct_sa r = sa_request(VIADUCT_IN, 0x1000, 7);

	begin();
	r.lifetime = (struct viaduct_lifetime){.soft_seconds = 10, .hard_seconds = 12};
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	fake.now_ns += 9 * SECOND;
	sadb_tick();
	CU_ASSERT_EQUAL(fake.events, 0);
	fake.now_ns += SECOND;
	sadb_tick();
	expect_expire(1, 0x1000, 0);
	sadb_tick();
	CU_ASSERT_EQUAL(fake.events, 1);
	CU_ASSERT_EQUAL(find(VIADUCT_IN, 0x1000)->expired, 0);
	fake.now_ns += 2 * SECOND;
	sadb_tick();
	expect_expire(2, 0x1000, 1);
	CU_ASSERT_EQUAL(find(VIADUCT_IN, 0x1000)->expired, 1);
	sadb_tick();
	CU_ASSERT_EQUAL(fake.events, 2);
	end();
}

static void expires_by_bytes_and_packets(void)
{
	struct viaduct_sa r = sa_request(VIADUCT_IN, 0x1000, 7);
	struct sa *sa;

	begin();
	r.lifetime = (struct viaduct_lifetime){.soft_bytes = 1000, .hard_packets = 3};
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	sa = find(VIADUCT_IN, 0x1000);
	sa->worker[0].bytes = 600;
	sa->worker[1].bytes = 399;
	sa->worker[1].packets = 2;
	sadb_tick();
	CU_ASSERT_EQUAL(fake.events, 0);
	sa->worker[1].bytes = 400;
	sadb_tick();
	expect_expire(1, 0x1000, 0);
	sa->worker[0].packets = 1;
	sadb_tick();
	expect_expire(2, 0x1000, 1);
	end();
}

/* Hard limits alone give no soft event afterwards, and a VTI does not count on what has expired. */
static void expired_sa_is_not_live(void)
{
	struct viaduct_sa r = sa_request(VIADUCT_OUT, 0x2001, 7);
	struct vti *v;

	begin();
	v = vti("vti0", 7, 0, 0);
	add(VIADUCT_IN, 0x1000, 7);
	add(VIADUCT_OUT, 0x2000, 7);
	r.lifetime.hard_seconds = 5;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2001));
	fake.events = 0;
	fake.now_ns += 5 * SECOND;
	sadb_tick();
	expect_expire(1, 0x2001, 1);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2000));
	CU_ASSERT_EQUAL(v->sas_out, 1);
	del(VIADUCT_OUT, 0x2000);
	CU_ASSERT_EQUAL(v->sas_out, 0);
	CU_ASSERT_PTR_NULL(v->iface->sa_out[0]);
	CU_ASSERT_FALSE(v->twin->carrier);
	end();
}

static void expires_before_the_sequence_ends(void)
{
	struct sa *sa;

	begin();
	add(VIADUCT_OUT, 0x2000, 7);
	sa = find(VIADUCT_OUT, 0x2000);
	CU_ASSERT_EQUAL(info_of(VIADUCT_OUT, 0x2000).seq, 0);
	sa->seq = UINT32_MAX - UINT32_MAX / 10;
	sadb_tick();
	CU_ASSERT_EQUAL(fake.events, 0);
	sa->seq++;
	sadb_tick();
	expect_expire(1, 0x2000, 0);
	sa->seq = UINT32_MAX;
	sadb_tick();
	CU_ASSERT_EQUAL(fake.events, 1);
	CU_ASSERT_EQUAL(info_of(VIADUCT_OUT, 0x2000).seq, UINT32_MAX - 1);
	sa->seq = (uint64_t)UINT32_MAX + 70; /* workers reserve runs past the end */
	sadb_tick();
	expect_expire(2, 0x2000, 1);
	CU_ASSERT_EQUAL(info_of(VIADUCT_OUT, 0x2000).seq, UINT32_MAX);
	end();
}

UNIT_EAL_MAIN("sa_lifetime", UNIT_TEST(expires_once_by_time),
	UNIT_TEST(expires_by_bytes_and_packets), UNIT_TEST(expired_sa_is_not_live),
	UNIT_TEST(expires_before_the_sequence_ends))
