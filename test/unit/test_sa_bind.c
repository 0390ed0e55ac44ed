/* SPDX-License-Identifier: BSD-3-Clause */
/* Which VTI an SA belongs to, and which SA a VTI sends on: by if_id, mark, reqid; rekey. */
#include "sadb_fixture.h"

static void binds_by_reqid(void)
{
	struct vti *v, *w;

	begin();
	v = vti("vti0", 100, 0, 0);
	w = vti("vti1", 200, 0, 0);
	add(VIADUCT_IN, 0x1000, 200);
	add(VIADUCT_OUT, 0x2000, 200);
	CU_ASSERT_PTR_EQUAL(find(VIADUCT_IN, 0x1000)->vti, w->iface);
	CU_ASSERT_PTR_EQUAL(w->iface->sa_out[0], find(VIADUCT_OUT, 0x2000));
	CU_ASSERT_PTR_EQUAL(w->iface->sa_out[1], find(VIADUCT_OUT, 0x2000));
	CU_ASSERT_PTR_NULL(v->iface->sa_out[0]);
	CU_ASSERT_EQUAL(w->sas_in, 1);
	CU_ASSERT_EQUAL(w->sas_out, 1);
	CU_ASSERT_TRUE(w->twin->carrier);
	CU_ASSERT_FALSE(v->twin->carrier);
	CU_ASSERT_STRING_EQUAL(info_of(VIADUCT_OUT, 0x2000).vti, "vti1");
	CU_ASSERT_EQUAL(info_of(VIADUCT_OUT, 0x2000).active, 1);
	end();
}

static void if_id_goes_before_mark_before_reqid(void)
{
	struct vti *by_reqid, *by_mark, *by_if_id;
	struct viaduct_sa r;

	begin();
	by_reqid = vti("vti0", 5, 0, 0);
	by_mark = vti("vti1", 0, 0, 12);
	by_if_id = vti("vti2", 0, 42, 0);
	add(VIADUCT_IN, 0x1000, 5);
	r = sa_request(VIADUCT_IN, 0x1001, 5);
	r.mark = 12;
	r.mark_mask = 0xff;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	r = sa_request(VIADUCT_IN, 0x1002, 5);
	r.mark = 12;
	r.if_id = 42;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	/* An if_id that no VTI has binds to none, though the reqid would. */
	r = sa_request(VIADUCT_IN, 0x1003, 5);
	r.if_id = 43;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_PTR_EQUAL(find(VIADUCT_IN, 0x1000)->vti, by_reqid->iface);
	CU_ASSERT_PTR_EQUAL(find(VIADUCT_IN, 0x1001)->vti, by_mark->iface);
	CU_ASSERT_PTR_EQUAL(find(VIADUCT_IN, 0x1002)->vti, by_if_id->iface);
	CU_ASSERT_PTR_NULL(find(VIADUCT_IN, 0x1003)->vti);
	end();
}

static struct viaduct_policy policy(uint8_t dir, uint32_t reqid, uint8_t family, uint32_t mark)
{
	return (struct viaduct_policy){.dir = dir,
		.reqid = reqid,
		.mark = mark,
		.mark_mask = mark != 0 ? UINT32_MAX : 0,
		.src = A(dir == VIADUCT_IN ? THERE : HERE),
		.dst = A(dir == VIADUCT_IN ? HERE : THERE),
		.selector = {.family = family}};
}

/* strongSwan 5.9.8: the inbound SA has no mark, its policy has; and the policy comes later. */
static void inbound_mark_comes_from_the_policy(void)
{
	struct viaduct_policy p = policy(VIADUCT_IN, 1, IP_V4, 12);
	struct vti *v;

	begin();
	v = vti("vti0", 0, 0, 12);
	add(VIADUCT_IN, 0x1000, 1);
	CU_ASSERT_PTR_NULL(find(VIADUCT_IN, 0x1000)->vti);
	CU_ASSERT_EQUAL(policy_add(&p, &e), 0);
	CU_ASSERT_PTR_EQUAL(find(VIADUCT_IN, 0x1000)->vti, v->iface);
	CU_ASSERT_EQUAL(v->sas_in, 1);
	CU_ASSERT_EQUAL(policy_del(&p, &e), 0);
	CU_ASSERT_PTR_NULL(find(VIADUCT_IN, 0x1000)->vti);
	CU_ASSERT_EQUAL(v->sas_in, 0);
	end();
}

static void policies_limit_families(void)
{
	struct viaduct_policy p4 = policy(VIADUCT_OUT, 1, IP_V4, 0);
	struct viaduct_policy p6 = policy(VIADUCT_OUT, 2, IP_V6, 0);
	struct viaduct_sa r;
	struct vti *v;

	begin();
	v = vti("vti0", 0, 42, 0);
	CU_ASSERT_EQUAL(policy_add(&p4, &e), 0);
	CU_ASSERT_EQUAL(policy_add(&p6, &e), 0);
	r = sa_request(VIADUCT_OUT, 0x2000, 1);
	r.if_id = 42;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2000));
	CU_ASSERT_PTR_NULL(v->iface->sa_out[1]);
	r = sa_request(VIADUCT_OUT, 0x2001, 2);
	r.if_id = 42;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2000));
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[1], find(VIADUCT_OUT, 0x2001));
	/* An SA's own selectors say it better than policies. */
	r = sa_request(VIADUCT_OUT, 0x2002, 2);
	r.if_id = 42;
	r.n_selectors = 1;
	r.selectors[0] = (struct viaduct_selector){
		.family = IP_V4, .src_port = {0, 65535}, .dst_port = {0, 65535}};
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2002));
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[1], find(VIADUCT_OUT, 0x2001));
	end();
}

static void rekey_switches_at_once_and_falls_back(void)
{
	struct vti *v;

	begin();
	v = vti("vti0", 100, 0, 0);
	add(VIADUCT_IN, 0x1000, 100);
	add(VIADUCT_OUT, 0x2000, 100);
	/* The new pair: inbound first, both inbound ones receive. */
	add(VIADUCT_IN, 0x1001, 100);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2000));
	add(VIADUCT_OUT, 0x2001, 100);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2001));
	CU_ASSERT_EQUAL(info_of(VIADUCT_OUT, 0x2000).active, 0);
	CU_ASSERT_PTR_NOT_NULL(lookup_in(0x1000));
	CU_ASSERT_PTR_NOT_NULL(lookup_in(0x1001));
	/* The old pair goes: nothing that is used changes. */
	del(VIADUCT_OUT, 0x2000);
	del(VIADUCT_IN, 0x1000);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2001));
	CU_ASSERT_TRUE(v->twin->carrier);
	/* Three of them, the newest deleted: the newest of the others takes over. */
	add(VIADUCT_OUT, 0x2002, 100);
	add(VIADUCT_OUT, 0x2003, 100);
	del(VIADUCT_OUT, 0x2003);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2002));
	del(VIADUCT_OUT, 0x2002);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2001));
	del(VIADUCT_OUT, 0x2001);
	CU_ASSERT_PTR_NULL(v->iface->sa_out[0]);
	CU_ASSERT_PTR_NULL(v->iface->sa_out[1]);
	CU_ASSERT_FALSE(v->twin->carrier);
	end();
}

static void updates_the_reqid(void)
{
	struct viaduct_sa_update u = {.id = id_of(VIADUCT_OUT, 0x2000),
		.new_src = A(HERE),
		.new_dst = A(THERE),
		.new_reqid = 100};
	struct vti *v;

	begin();
	v = vti("vti0", 100, 0, 0);
	CU_ASSERT_EQUAL(sadb_update(&u, &e), -ENOENT);
	add(VIADUCT_OUT, 0x2000, 7);
	CU_ASSERT_EQUAL(sadb_update(&u, &e), 0);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2000));
	CU_ASSERT_EQUAL(info_of(VIADUCT_OUT, 0x2000).reqid, 100);
	end();
}

/* One of its packets is inside a crypto device, and comes back later. */
static void into_device(struct sa *sa)
{
	atomic_fetch_add(&sa->worker[0].inflight, 1);
}

static void out_of_device(struct sa *sa)
{
	atomic_fetch_sub(&sa->worker[0].inflight, 1);
}

/* What comes back reads the SA, and through it its interface: both are there as long as need be. */
static void packets_in_a_device_outlast_sa_and_vti(void)
{
	struct sa *sa;
	struct vti *v;

	begin();
	v = vti("vti0", 100, 0, 0);
	add(VIADUCT_IN, 0x1000, 100);
	sa = find(VIADUCT_IN, 0x1000);
	into_device(sa);
	del(VIADUCT_IN, 0x1000);
	CU_ASSERT_PTR_EQUAL(sa->vti, v->iface); /* it arrives where it would have */
	CU_ASSERT_EQUAL(vti_del("vti0", &e), 0);
	CU_ASSERT(rcu_poll() > 0);
	CU_ASSERT_STRING_EQUAL(sa->vti->name, "vti0"); /* freed, says ASan */
	out_of_device(sa);
	CU_ASSERT_EQUAL(rcu_poll(), 0);
	end();
}

/* In a batch the VTI may go while the deletion of the SA can still be taken back. */
static void a_vti_goes_before_its_former_sa(void)
{
	const struct viaduct_sa_id id = id_of(VIADUCT_IN, 0x1000);
	struct sa_entry *s;
	struct sa *sa;

	begin();
	vti("vti0", 100, 0, 0);
	add(VIADUCT_IN, 0x1000, 100);
	sa = find(VIADUCT_IN, 0x1000);
	into_device(sa);
	s = sadb_detach(&id, &e);
	CU_ASSERT_PTR_EQUAL(s->sa, sa);
	CU_ASSERT_EQUAL(vti_del("vti0", &e), 0);
	CU_ASSERT_PTR_NULL(sa->vti);
	sadb_discard(s);
	CU_ASSERT_EQUAL(rcu_poll(), 1); /* the interface has gone */
	out_of_device(sa);
	CU_ASSERT_EQUAL(rcu_poll(), 0);
	end();
}

/* What was taken back is bound as it was, and let go of once. */
static void an_sa_put_back_is_its_vtis_again(void)
{
	const struct viaduct_sa_id id = id_of(VIADUCT_IN, 0x1000);
	struct sa_entry *s;
	struct vti *v;

	begin();
	v = vti("vti0", 100, 0, 0);
	add(VIADUCT_IN, 0x1000, 100);
	for (unsigned i = 0; i < 2; i++) {
		s = sadb_detach(&id, &e);
		CU_ASSERT_PTR_NULL(s->vti);
		sadb_reattach(s);
		CU_ASSERT_PTR_EQUAL(s->vti, v);
	}
	del(VIADUCT_IN, 0x1000);
	CU_ASSERT_EQUAL(vti_del("vti0", &e), 0);
	end();
}

/* What must hold whatever was done: seen from the VTIs and from the SAs. */
static void check_consistency(void)
{
	struct sa_entry *s;
	struct vti *v;

	for (s = sadb_first(); s != NULL; s = s->hh.next) {
		CU_ASSERT_PTR_EQUAL(s->sa->vti, s->vti != NULL ? s->vti->iface : NULL);
		if (s->sa->dir == SA_IN)
			CU_ASSERT_PTR_EQUAL(lookup_in(s->id.spi), s->sa);
	}
	for (v = vti_first(); v != NULL; v = v->hh.next) {
		unsigned in = 0, out = 0;
		const struct sa_entry *newest = NULL;

		for (s = sadb_first(); s != NULL; s = s->hh.next) {
			if (s->vti != v || s->sa->expired)
				continue;
			in += s->sa->dir == SA_IN;
			out += s->sa->dir == SA_OUT;
			if (s->sa->dir == SA_OUT && (newest == NULL || s->serial > newest->serial))
				newest = s;
		}
		CU_ASSERT_EQUAL(v->sas_in, in);
		CU_ASSERT_EQUAL(v->sas_out, out);
		CU_ASSERT_EQUAL(v->twin->carrier, in > 0 && out > 0);
		CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], newest != NULL ? newest->sa : NULL);
	}
}

static void expire(const struct viaduct_sa_id *id)
{
	struct sa_entry *s = sadb_find(id);

	if (s == NULL)
		return;
	s->life.hard_seconds = 1;
	fake.now_ns += 2 * SECOND;
	sadb_tick();
}

static void random_step(void)
{
	const uint8_t dir = 1 + rand() % 2;
	const uint32_t spi = 0x1000 + rand() % 40, key = 1 + rand() % 4;
	const struct viaduct_sa r = sa_request(dir, spi, key);
	const struct viaduct_policy p = policy(dir, key, IP_V4, rand() % 3);
	struct viaduct_vti v = {.fields = VIADUCT_VTI_REQID | VIADUCT_VTI_MARK, .reqid = key};
	const struct viaduct_sa_update u = {.id = r.id,
		.new_src = r.src,
		.new_dst = r.id.dst,
		.encap = rand() % 2,
		.new_sport = 1 + rand() % 2,
		.new_dport = 4500,
		.new_reqid = rand() % 5};

	snprintf(v.name, sizeof(v.name), "vti%d", rand() % 4);
	v.mark = rand() % 3;
	switch (rand() % 10) {
	case 0:
	case 1:
	case 2:
		sadb_add(&r, NULL);
		break;
	case 3:
		sadb_del(&r.id, NULL);
		break;
	case 4:
		vti_add(&v, NULL, NULL);
		break;
	case 5:
		vti_set(&v, NULL, NULL);
		break;
	case 6:
		sadb_update(&u, NULL);
		break;
	case 7:
		if (rand() % 3 == 0)
			vti_del(v.name, NULL);
		break;
	case 8:
		expire(&r.id);
		break;
	default:
		if (rand() % 2)
			policy_add(&p, NULL);
		else
			policy_del(&p, NULL);
	}
}

static void random_operations_stay_consistent(void)
{
	begin();
	srand(4303);
	for (unsigned i = 0; i < 20000; i++) {
		random_step();
		if (i % 8 == 0)
			check_consistency();
		if (i % 5 == 0)
			rcu_poll();
		if (i % 1000 == 999)
			sadb_flush();
	}
	end();
}

UNIT_EAL_MAIN("sa_bind", UNIT_TEST(binds_by_reqid), UNIT_TEST(if_id_goes_before_mark_before_reqid),
	UNIT_TEST(inbound_mark_comes_from_the_policy), UNIT_TEST(policies_limit_families),
	UNIT_TEST(rekey_switches_at_once_and_falls_back), UNIT_TEST(updates_the_reqid),
	UNIT_TEST(packets_in_a_device_outlast_sa_and_vti),
	UNIT_TEST(a_vti_goes_before_its_former_sa), UNIT_TEST(an_sa_put_back_is_its_vtis_again),
	UNIT_TEST(random_operations_stay_consistent))
