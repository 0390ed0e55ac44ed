/* SPDX-License-Identifier: BSD-3-Clause */
/* Which VTI takes an SA: by reqid, mark or ends, also when the VTI changes or goes. */
#include "vti_fixture.h"

static struct vti *match_reqid(uint32_t reqid, const char *local, const char *remote)
{
	const struct viaduct_addr l = A(local), r = A(remote);
	const struct vti_key key = {
		.reqid = reqid, .local = addr_from_api(&l), .remote = addr_from_api(&r)};

	return vti_match(&key);
}

/* A VTI that names only its two ends takes SAs with a reqid that nobody asked for: charon's own. */
static void ends_alone_match(void)
{
	struct viaduct_vti r = request("vti0", "192.0.2.1", "192.0.2.2");
	struct vti *by_ends, *by_reqid;

	begin();
	by_ends = add(&r);
	CU_ASSERT_PTR_EQUAL(match_reqid(1, "192.0.2.1", "192.0.2.2"), by_ends);
	CU_ASSERT_PTR_NULL(match_reqid(1, "192.0.2.1", "192.0.2.3"));
	CU_ASSERT_PTR_NULL(match_reqid(1, "192.0.2.3", "192.0.2.2"));
	CU_ASSERT_PTR_NULL(match_reqid(0, "192.0.2.1", "192.0.2.2"));
	/* One whose reqid it is goes before. */
	strcpy(r.name, "vti1");
	r.fields |= VIADUCT_VTI_REQID;
	r.reqid = 100;
	by_reqid = add(&r);
	CU_ASSERT_PTR_EQUAL(match_reqid(100, "192.0.2.1", "192.0.2.2"), by_reqid);
	CU_ASSERT_PTR_EQUAL(match_reqid(101, "192.0.2.1", "192.0.2.2"), by_ends);
	/* Nothing is taken by a VTI with a key of its own, or with an end left open. */
	CU_ASSERT_EQUAL(vti_del("vti0", &e), 0);
	CU_ASSERT_PTR_NULL(match_reqid(101, "192.0.2.1", "192.0.2.2"));
	r = request("vti2", "192.0.2.1", "192.0.2.2");
	r.fields |= VIADUCT_VTI_IF_ID;
	r.if_id = 5;
	add(&r);
	r = request("vti3", "", "192.0.2.2");
	add(&r);
	CU_ASSERT_PTR_NULL(match_reqid(101, "192.0.2.1", "192.0.2.2"));
}

static struct vti *match(uint32_t mark, uint32_t mask)
{
	const struct vti_key key = {.mark = mark, .mark_mask = mask};

	return vti_match(&key);
}

static void marks_match_as_in_linux(void)
{
	struct viaduct_vti r = request("vti0", "", "");
	struct vti *v, *w;

	begin();
	r.fields |= VIADUCT_VTI_MARK;
	r.mark = 12;
	r.mark_mask = 0xff;
	v = add(&r);
	strcpy(r.name, "vti1");
	r.mark = 0x10000c;
	r.mark_mask = 0;
	w = add(&r);
	CU_ASSERT_PTR_EQUAL(match(12, 0), v);
	CU_ASSERT_PTR_EQUAL(match(12, 0xff), v);
	CU_ASSERT_PTR_EQUAL(match(0x10000c, 0xff0000), w);
	CU_ASSERT_PTR_EQUAL(match(0x30c, 0), v);
	CU_ASSERT_PTR_NULL(match(0x100000, 0));
	CU_ASSERT_PTR_EQUAL(match(0x100000, 0xff0000), w);
	CU_ASSERT_PTR_NULL(match(13, 0xff));
	CU_ASSERT_PTR_NULL(match(0, 0));
}

static void set_rebinds(void)
{
	struct viaduct_sa sa = sa_request(VIADUCT_OUT, 0x2000, 100);
	struct viaduct_vti r = request("vti0", "", "");
	struct vti *v;

	begin();
	v = add(&r);
	CU_ASSERT_EQUAL(sadb_add(&sa, &e), 0);
	CU_ASSERT_PTR_NULL(v->iface->sa_out[0]);
	r.fields = VIADUCT_VTI_REQID;
	r.reqid = 100;
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), 0);
	CU_ASSERT_PTR_NOT_NULL(v->iface->sa_out[0]);
	/* A peer that is not the SA's. */
	r = request("vti0", "192.0.2.1", "192.0.2.3");
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), 0);
	CU_ASSERT_PTR_NULL(v->iface->sa_out[0]);
	CU_ASSERT_EQUAL(v->sas_out, 0);
	r = request("vti0", "192.0.2.1", "192.0.2.2");
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), 0);
	CU_ASSERT_PTR_NOT_NULL(v->iface->sa_out[0]);
	strcpy(r.name, "vti7");
	CU_ASSERT_EQUAL(vti_set(&r, NULL, &e), -ENOENT);
	CU_ASSERT_STRING_EQUAL(e.text, "name: no VTI vti7");
}

/* SAs outlive their VTI and find it, or another one that fits, again. */
static void sas_outlive_the_vti(void)
{
	struct viaduct_sa in = sa_request(VIADUCT_IN, 0x1000, 100);
	struct viaduct_sa out = sa_request(VIADUCT_OUT, 0x2000, 100);
	struct viaduct_vti exact = request("vti0", "192.0.2.1", "192.0.2.2");
	struct viaduct_vti any = request("vti1", "", "");
	struct vti *v, *w;

	begin();
	exact.fields |= VIADUCT_VTI_REQID;
	any.fields |= VIADUCT_VTI_REQID;
	exact.reqid = any.reqid = 100;
	w = add(&any);
	v = add(&exact);
	CU_ASSERT_EQUAL(sadb_add(&in, &e), 0);
	CU_ASSERT_EQUAL(sadb_add(&out, &e), 0);
	CU_ASSERT_EQUAL(v->sas_in, 1);
	CU_ASSERT_PTR_NOT_NULL(v->iface->sa_out[0]);
	CU_ASSERT_EQUAL(vti_del("vti0", &e), 0);
	CU_ASSERT_EQUAL(w->sas_in, 1);
	CU_ASSERT_PTR_NOT_NULL(w->iface->sa_out[0]);
	CU_ASSERT_TRUE(w->twin->carrier);
	CU_ASSERT_EQUAL(vti_del("vti1", &e), 0);
	CU_ASSERT_EQUAL(sadb_count(), 2);
	CU_ASSERT_PTR_NULL(sadb_first()->sa->vti);
	v = add(&exact);
	CU_ASSERT_EQUAL(v->sas_in, 1);
	CU_ASSERT_EQUAL(v->sas_out, 1);
	CU_ASSERT_TRUE(v->twin->carrier);
}

UNIT_EAL_MAIN("vti_match", UNIT_TEST(set_rebinds), UNIT_TEST(sas_outlive_the_vti),
	UNIT_TEST(ends_alone_match), UNIT_TEST(marks_match_as_in_linux))
