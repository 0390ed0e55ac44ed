/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes by hand, from the configuration and the API. */
#include "control/addr_text.h"

#include "rib_fixture.h"

/* route_add() with a gateway alone: it is found when its network is there. */
static void gateway_without_device_follows_its_network(void)
{
	struct viaduct_route r = {.type = VIADUCT_ROUTE_UNICAST, .origin = VIADUCT_ORIGIN_CONFIG};
	struct rib_route net;

	begin(100);
	prefix_parse("10.9.0.0/16", &r.prefix, &r.prefix_len);
	addr_parse("10.1.0.1", &r.gateway);
	CU_ASSERT_EQUAL(route_add(&r, NULL), 0);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.9.0.1")->type, NH_NO_ROUTE);
	add(kernel_route("10.1.0.0", 24, NULL, port[1], 0));
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.9.0.1")->type, NH_PENDING);
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.9.0.1")->iface, port[1]);
	net = kernel_route("10.1.0.0", 24, NULL, port[1], 0);
	rib_del(&net, NULL);
	add(kernel_route("10.1.0.0", 30, NULL, vti[1], 0));
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.9.0.1")->type, NH_VTI);
	rib_forget_iface(vti[1]);
	CU_ASSERT_EQUAL(nexthop_to("10.9.0.1")->type, NH_GUARD);
	CU_ASSERT_EQUAL(rib_count(IP_V4), 2);
	end();
}

static void api_routes_are_checked(void)
{
	struct viaduct_route r = {.type = VIADUCT_ROUTE_UNICAST, .origin = VIADUCT_ORIGIN_API};
	struct err e;

	begin(100);
	CU_ASSERT_EQUAL(route_add(&r, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "prefix: family 0, expected 4 or 6");
	prefix_parse("10.9.0.0/16", &r.prefix, &r.prefix_len);
	CU_ASSERT_EQUAL(route_add(&r, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "dev, gateway: expected at least one of them");
	strcpy(r.dev, "vti9");
	CU_ASSERT_EQUAL(route_add(&r, &e), -ENODEV);
	CU_ASSERT_STRING_EQUAL(e.text, "dev: no port or VTI is named \"vti9\"");
	memset(r.dev, 'x', sizeof(r.dev)); /* not terminated */
	CU_ASSERT_EQUAL(route_add(&r, &e), -ENODEV);
	memset(r.dev, 0, sizeof(r.dev));
	strcpy(r.dev, "vti0");
	r.prefix.bytes[3] = 1;
	CU_ASSERT_EQUAL(route_add(&r, &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "10.9.0.1/16 has bits set"));
	r.prefix.bytes[3] = 0;
	r.prefix_len = 33;
	CU_ASSERT_EQUAL(route_add(&r, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "prefix_len: 33, expected at most 32");
	r.prefix_len = 16;
	r.type = 99;
	CU_ASSERT_EQUAL(route_add(&r, &e), -EINVAL);
	r.type = VIADUCT_ROUTE_PROHIBIT;
	CU_ASSERT_EQUAL(route_add(&r, &e), -EINVAL);
	r.type = VIADUCT_ROUTE_UNICAST;
	addr_parse("fe80::1", &r.gateway);
	CU_ASSERT_EQUAL(route_add(&r, &e), -EINVAL);
	r.gateway.family = 0;
	CU_ASSERT_EQUAL(rib_count(IP_V4), 0);
	r.metric = 7;
	CU_ASSERT_EQUAL(route_add(&r, &e), 0);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.9.1.1")->type, NH_VTI);
	/* Without a metric the lowest one goes; the kernel's are not the API's to remove. */
	r.metric = 0;
	CU_ASSERT_EQUAL(route_del(&r, &e), 0);
	add(kernel_route("10.9.0.0", 16, NULL, vti[0], 0));
	CU_ASSERT_EQUAL(route_del(&r, &e), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "no such route: 10.9.0.0/16"));
	end();
}

UNIT_EAL_MAIN("route", UNIT_TEST(gateway_without_device_follows_its_network),
	UNIT_TEST(api_routes_are_checked))
