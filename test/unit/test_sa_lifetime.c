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
	sadb_tick_often();
	expect_expire(2, 0x2000, 1);
	CU_ASSERT_EQUAL(info_of(VIADUCT_OUT, 0x2000).seq, UINT32_MAX);
	end();
}

/* Both limits were passed since the last look. */
static void soft_goes_before_hard(void)
{
	struct viaduct_sa r = sa_request(VIADUCT_IN, 0x1000, 7);

	begin();
	r.lifetime = (struct viaduct_lifetime){.soft_packets = 10, .hard_bytes = 1000};
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	find(VIADUCT_IN, 0x1000)->worker[0].packets = 20;
	find(VIADUCT_IN, 0x1000)->worker[0].bytes = 2000;
	sadb_tick_often();
	expect_expire(2, 0x1000, 1);
	CU_ASSERT_EQUAL(fake.expire_before.hard, 0);
	CU_ASSERT_EQUAL(fake.expire_before.id.spi, 0x1000);
	sadb_tick_often();
	sadb_tick();
	CU_ASSERT_EQUAL(fake.events, 2);
	end();
}

/* Ten times a second only those are looked at that packets may use up. */
static void looks_often_at_few(void)
{
	struct viaduct_sa r = sa_request(VIADUCT_IN, 0x1000, 7);

	begin();
	r.lifetime = (struct viaduct_lifetime){.soft_seconds = 1};
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	r = sa_request(VIADUCT_IN, 0x1001, 7);
	r.lifetime = (struct viaduct_lifetime){.soft_bytes = 1000};
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	r = sa_request(VIADUCT_OUT, 0x2000, 7);
	r.first_seq = UINT32_MAX - 5;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	fake.now_ns += 2 * SECOND;
	sadb_tick_often();
	expect_expire(1, 0x2000, 0);
	find(VIADUCT_IN, 0x1001)->worker[0].bytes = 1000;
	sadb_tick_often();
	expect_expire(2, 0x1001, 0);
	find(VIADUCT_OUT, 0x2000)->seq += 6;
	sadb_tick_often();
	expect_expire(3, 0x2000, 1);
	sadb_tick();
	expect_expire(4, 0x1000, 0);
	del(VIADUCT_IN, 0x1001);
	sadb_tick_often();
	CU_ASSERT_EQUAL(fake.events, 4);
	end();
}

/* The last sequence number is that of the last packet that may be sent: workers keep to it. Rekeying is
 * asked for by the soft limit, not by how near that number is. */
static void packet_limit_ends_the_sequence(void)
{
	struct viaduct_sa r = sa_request(VIADUCT_OUT, 0x2000, 7);
	struct sa *sa;

	begin();
	r.first_seq = 1000;
	r.lifetime = (struct viaduct_lifetime){.soft_packets = 50, .hard_packets = 100};
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	sa = find(VIADUCT_OUT, 0x2000);
	CU_ASSERT_EQUAL(sa->seq_max, 1099);
	sa->seq += 49;
	sa->worker[0].packets = 49;
	sadb_tick_often();
	CU_ASSERT_EQUAL(fake.events, 0);
	sa->seq++;
	sa->worker[0].packets++;
	sadb_tick_often();
	expect_expire(1, 0x2000, 0);
	/* Numbers are used up, though one packet found no room in its buffer and didn't count. */
	sa->seq = 1110;
	sa->worker[0].packets = 99;
	sadb_tick_often();
	expect_expire(2, 0x2000, 1);
	CU_ASSERT_EQUAL(info_of(VIADUCT_OUT, 0x2000).seq, 1099);
	/* Where the numbers end before the limit does, they end. */
	r = sa_request(VIADUCT_OUT, 0x2001, 7);
	r.first_seq = UINT32_MAX - 5;
	r.lifetime = (struct viaduct_lifetime){.hard_packets = 100};
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_EQUAL(find(VIADUCT_OUT, 0x2001)->seq_max, UINT32_MAX);
	end();
}

/* What it has used up and said is not forgotten when it moves. */
static void moving_is_no_new_life(void)
{
	struct viaduct_sa r = sa_request(VIADUCT_OUT, 0x2000, 7);
	const struct viaduct_sa_update u = {
		.id = id_of(VIADUCT_OUT, 0x2000), .new_src = A("192.0.2.77"), .new_dst = A(THERE)};

	begin();
	r.lifetime = (struct viaduct_lifetime){.soft_packets = 50, .hard_packets = 100};
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	find(VIADUCT_OUT, 0x2000)->worker[0].packets = 60;
	find(VIADUCT_OUT, 0x2000)->seq = 61;
	sadb_tick_often();
	expect_expire(1, 0x2000, 0);
	CU_ASSERT_EQUAL(sadb_update(&u, &e), 0);
	sadb_tick_often();
	CU_ASSERT_EQUAL(fake.events, 1);
	find(VIADUCT_OUT, 0x2000)->worker[0].packets = 40;
	sadb_tick_often();
	expect_expire(2, 0x2000, 1);
	CU_ASSERT_EQUAL(find(VIADUCT_OUT, 0x2000)->expired, SA_EXPIRED);
	end();
}

UNIT_EAL_MAIN("sa_lifetime", UNIT_TEST(expires_once_by_time),
	UNIT_TEST(expires_by_bytes_and_packets), UNIT_TEST(expired_sa_is_not_live),
	UNIT_TEST(expires_before_the_sequence_ends), UNIT_TEST(soft_goes_before_hard),
	UNIT_TEST(looks_often_at_few), UNIT_TEST(packet_limit_ends_the_sequence),
	UNIT_TEST(moving_is_no_new_life))
