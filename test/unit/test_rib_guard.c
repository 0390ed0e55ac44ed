/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes into a tunnel outlive its VTI: no packet of theirs leaves by a port in the clear until somebody
 * says that it may. */
#include "rib_fixture.h"

#include "control/addr_text.h"

static struct iface *lost_vti;

static enum nexthop_type type_to(const char *dst)
{
	return nexthop_to(dst)->type;
}

/* A default route out of wan0, the protected network by its own VTI. */
static void start(void)
{
	begin(100);
	lost_vti = make_iface(IFACE_VTI, "gone", 20);
	add(kernel_route("0.0.0.0", 0, "192.0.2.1", port[1], 0));
	add(kernel_route("::", 0, "2001:db8:f::1", port[1], 1024));
	add(kernel_route("10.2.0.0", 16, NULL, lost_vti, 0));
	add(kernel_route("2001:db8:2::", 48, NULL, lost_vti, 1024));
	rib_commit();
	CU_ASSERT_EQUAL(type_to("10.2.0.1"), NH_VTI);
	CU_ASSERT_EQUAL(type_to("2001:db8:2::1"), NH_VTI);
}

static void delete_vti(void)
{
	rib_forget_iface(lost_vti);
	iface_retire(lost_vti);
}

static void down(void)
{
	rib_iface_down(lost_vti);
	rib_commit();
}

static void guarded(const char *dst)
{
	if (type_to(dst) != NH_GUARD)
		CU_FAIL(dst);
}

static void vti_down(void)
{
	start();
	down();
	guarded("10.2.0.1");
	guarded("2001:db8:2::1");
	CU_ASSERT_EQUAL(rib_guards(), 2);
	CU_ASSERT_EQUAL(type_to("10.3.0.1"), NH_PENDING);
	/* Up again, it gets its routes again. */
	add(kernel_route("10.2.0.0", 16, NULL, lost_vti, 0));
	add(kernel_route("2001:db8:2::", 48, NULL, lost_vti, 1024));
	rib_commit();
	CU_ASSERT_EQUAL(type_to("10.2.0.1"), NH_VTI);
	CU_ASSERT_EQUAL(type_to("2001:db8:2::1"), NH_VTI);
	CU_ASSERT_EQUAL(rib_guards(), 0);
	CU_ASSERT_EQUAL(rib_count(IP_V4), 2);
	delete_vti();
	end();
}

static void vti_deleted(void)
{
	struct rib_route r;

	start();
	/* Whoever gave it. */
	r = kernel_route("10.7.0.0", 16, NULL, lost_vti, 0);
	r.origin = VIADUCT_ORIGIN_CONFIG;
	r.table = r.kernel_oif = 0;
	add(r);
	r.prefix = parse("10.8.0.0");
	r.origin = VIADUCT_ORIGIN_API;
	add(r);
	rib_commit();
	CU_ASSERT_EQUAL(type_to("10.7.0.1"), NH_VTI);
	delete_vti();
	guarded("10.2.0.1");
	guarded("10.7.0.1");
	guarded("10.8.0.1");
	guarded("2001:db8:2::1");
	end();
}

/* Withdrawn by somebody is not lost. */
static void withdrawn(void)
{
	struct rib_route r;

	start();
	r = kernel_route("10.2.0.0", 16, NULL, lost_vti, 0);
	CU_ASSERT_EQUAL(rib_del(&r, NULL), 0);
	rib_commit();
	CU_ASSERT_EQUAL(type_to("10.2.0.1"), NH_PENDING);
	delete_vti();
	CU_ASSERT_EQUAL(type_to("10.2.0.1"), NH_PENDING);
	CU_ASSERT_EQUAL(rib_guards(), 1);
	end();
}

/* What the kernel still says of the old device changes nothing. */
static void late_news(void)
{
	struct rib_route r;

	start();
	r = kernel_route("2001:db8:2::", 48, NULL, lost_vti, 1024);
	delete_vti();
	CU_ASSERT_EQUAL(rib_del(&r, NULL), -ENOENT);
	r.iface = NULL; /* no interface of ours has that index any more */
	add(r);
	rib_commit();
	guarded("2001:db8:2::1");
	rib_mark(IP_V6);
	rib_sweep(IP_V6);
	rib_commit();
	guarded("2001:db8:2::1");
	end();
}

/* The kernel's routes are read again, and those by a VTI that is up are no longer there: withdrawn. */
static void withdrawn_by_a_dump(void)
{
	start();
	rib_mark(IP_V4);
	add(kernel_route("0.0.0.0", 0, "192.0.2.1", port[1], 0));
	rib_sweep(IP_V4);
	rib_commit();
	CU_ASSERT_EQUAL(type_to("10.2.0.1"), NH_PENDING);
	delete_vti();
	CU_ASSERT_EQUAL(rib_guards(), 1);
	end();
}

/* A new route for the prefix is somebody's word, whatever its metric; one that was there before is not. */
static void ended_by_a_new_route(void)
{
	start();
	add(kernel_route("10.2.0.0", 16, "192.0.2.7", port[1], 500));
	rib_commit();
	down();
	guarded("10.2.0.1");
	add(kernel_route("10.2.0.0", 16, "192.0.2.7", port[1], 500)); /* named again */
	rib_commit();
	guarded("10.2.0.1");
	add(kernel_route("10.2.0.0", 16, "192.0.2.8", port[1], 900));
	rib_commit();
	CU_ASSERT_EQUAL(type_to("10.2.0.1"), NH_PENDING);
	CU_ASSERT_EQUAL(rib_guards(), 1);
	delete_vti();
	end();
}

static void ended_by_hand(void)
{
	struct viaduct_route r = {.prefix_len = 16, .origin = VIADUCT_ORIGIN_API};
	struct addr prefix = parse("10.2.0.0");
	struct rib_route old;
	struct err e;

	start();
	r.prefix = addr_to_api(&prefix);
	CU_ASSERT_EQUAL(route_del(&r, &e), -ENOENT);
	down();
	CU_ASSERT(route_deletes(&r, &old));
	CU_ASSERT_EQUAL(route_del(&r, &e), 0);
	rib_commit();
	CU_ASSERT_EQUAL(type_to("10.2.0.1"), NH_PENDING);
	CU_ASSERT_EQUAL(route_del(&r, &e), -ENOENT);
	/* Taken back. */
	CU_ASSERT_EQUAL(rib_add(&old, &e), 0);
	rib_commit();
	guarded("10.2.0.1");
	CU_ASSERT_EQUAL(rib_guards(), 2);
	delete_vti();
	end();
}

/* Another tunnel is as good as this one: by the same prefix, or by one around it. */
static void another_tunnel_takes_over(void)
{
	struct rib_route r;

	start();
	add(kernel_route("10.2.0.0", 16, NULL, vti[1], 500));
	rib_commit();
	down();
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.2.0.1")->iface, vti[1]);
	r = kernel_route("10.2.0.0", 16, NULL, vti[1], 500);
	CU_ASSERT_EQUAL(rib_del(&r, NULL), 0);
	rib_commit();
	guarded("10.2.0.1");
	/* Shorter ones come and go while the guard is there. */
	add(kernel_route("10.0.0.0", 8, NULL, vti[0], 0));
	rib_commit();
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.2.0.1")->iface, vti[0]);
	add(kernel_route("10.0.0.0", 12, "192.0.2.1", port[1], 0));
	rib_commit();
	guarded("10.2.0.1");
	r = kernel_route("10.0.0.0", 12, "192.0.2.1", port[1], 0);
	CU_ASSERT_EQUAL(rib_del(&r, NULL), 0);
	rib_commit();
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.2.0.1")->iface, vti[0]);
	r = kernel_route("10.0.0.0", 8, NULL, vti[0], 0);
	CU_ASSERT_EQUAL(rib_del(&r, NULL), 0);
	rib_commit();
	guarded("10.2.0.1");
	delete_vti();
	end();
}

/* Guards around guards: the tunnels of both are gone. */
static void nested(void)
{
	start();
	add(kernel_route("10.0.0.0", 8, NULL, lost_vti, 0));
	add(kernel_route("10.2.3.0", 24, NULL, vti[0], 0));
	rib_commit();
	delete_vti();
	guarded("10.2.0.1");
	guarded("10.9.0.1");
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.2.3.1")->iface, vti[0]);
	rib_iface_down(vti[0]);
	rib_commit();
	guarded("10.2.3.1");
	/* The default route goes into a tunnel now: all may follow it. */
	add(kernel_route("0.0.0.0", 0, NULL, vti[1], 0));
	rib_commit();
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.2.3.1")->iface, vti[1]);
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.9.0.1")->iface, vti[1]);
	end();
}

/* A route by a gateway that was reached through the tunnel. */
static void gateway_behind_the_tunnel(void)
{
	struct rib_route r = kernel_route("10.9.0.0", 16, "10.255.0.2", NULL, 0);

	start();
	r.origin = VIADUCT_ORIGIN_CONFIG;
	r.table = r.kernel_oif = 0;
	add(r);
	add(kernel_route("10.255.0.0", 30, NULL, lost_vti, 0));
	rib_commit();
	CU_ASSERT_EQUAL(type_to("10.9.0.1"), NH_VTI);
	delete_vti();
	guarded("10.255.0.2");
	guarded("10.9.0.1");
	end();
}

/* Ports' routes go as they always did. */
static void ports_leave_none(void)
{
	start();
	add(kernel_route("10.3.0.0", 16, "10.1.0.1", port[0], 0));
	rib_commit();
	rib_forget_iface(port[0]);
	CU_ASSERT_EQUAL(type_to("10.3.0.1"), NH_PENDING);
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.3.0.1")->iface, port[1]);
	CU_ASSERT_EQUAL(rib_guards(), 0);
	delete_vti();
	end();
}

UNIT_EAL_MAIN("rib_guard", UNIT_TEST(vti_down), UNIT_TEST(vti_deleted), UNIT_TEST(withdrawn),
	UNIT_TEST(late_news), UNIT_TEST(withdrawn_by_a_dump), UNIT_TEST(ended_by_a_new_route),
	UNIT_TEST(ended_by_hand), UNIT_TEST(another_tunnel_takes_over), UNIT_TEST(nested),
	UNIT_TEST(gateway_behind_the_tunnel), UNIT_TEST(ports_leave_none))
