/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/addr_text.h"
#include "control/fib_writer.h"
#include "control/ifaces.h"
#include "control/neigh.h"
#include "control/nexthops.h"
#include "control/prefix.h"
#include "control/rcu.h"
#include "control/rib.h"

#include "unit.h"

#include <rte_eal.h>

#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

static struct iface *port[2], *vti[2];
static const struct rte_ether_addr mac = {{0x02, 0, 0, 0, 0, 0xaa}};

static struct addr parse(const char *text)
{
	struct addr a = {.family = strchr(text, ':') != NULL ? IP_V6 : IP_V4};

	CU_ASSERT_EQUAL_FATAL(inet_pton(a.family == IP_V6 ? AF_INET6 : AF_INET, text, a.v6), 1);
	return a;
}

static struct iface *make_iface(enum iface_kind kind, const char *name, unsigned ifindex)
{
	struct iface *i = iface_new(kind, name, 1);

	i->kernel_ifindex = ifindex;
	i->mac = (struct rte_ether_addr){{0x02, 0, 0, 0, 1, ifindex}};
	iface_publish(i);
	return i;
}

static void begin(uint32_t max_routes)
{
	CU_ASSERT_EQUAL_FATAL(rcu_init(1), 0);
	CU_ASSERT_EQUAL_FATAL(nexthops_init(), 0);
	CU_ASSERT_EQUAL_FATAL(fib_create(0, max_routes, max_routes), 0);
	CU_ASSERT_EQUAL_FATAL(rib_init(max_routes, max_routes), 0);
	port[0] = make_iface(IFACE_PORT, "lan0", 10);
	port[1] = make_iface(IFACE_PORT, "wan0", 11);
	vti[0] = make_iface(IFACE_VTI, "vti0", 12);
	vti[1] = make_iface(IFACE_VTI, "vti1", 13);
}

static void end(void)
{
	neigh_fini();
	rib_fini();
	for (unsigned i = 0; i < 2; i++) {
		iface_retire(port[i]);
		iface_retire(vti[i]);
	}
	fib_destroy(0);
	rcu_drain();
	nexthops_fini();
	rcu_fini();
}

/* "10.0.0.0/8" by way of gateway (may be NULL) on iface. */
static struct rib_route kernel_route(
	const char *prefix, uint8_t len, const char *gateway, struct iface *iface, uint32_t metric)
{
	struct rib_route r = {
		.prefix = parse(prefix),
		.prefix_len = len,
		.type = VIADUCT_ROUTE_UNICAST,
		.origin = VIADUCT_ORIGIN_KERNEL,
		.metric = metric,
		.iface = iface,
		.kernel_oif = iface == NULL ? 1 : iface->kernel_ifindex,
		.table = RT_TABLE_MAIN,
	};

	if (gateway != NULL)
		r.gateway = parse(gateway);
	return r;
}

static void add(struct rib_route r)
{
	struct err e;

	CU_ASSERT_EQUAL_FATAL(rib_add(&r, &e), 0);
}

static const struct nexthop *nexthop_to(const char *dst)
{
	struct addr a = parse(dst);

	return nexthop_by_id(fib_lookup(fib_by_vrf(0), a.family, a.v6));
}

static void kinds_of_next_hops(void)
{
	struct rib_route r;

	begin(100);
	add(kernel_route("10.1.0.0", 16, NULL, port[0], 0));
	add(kernel_route("10.2.0.0", 16, NULL, vti[0], 0));
	add(kernel_route("10.3.0.0", 16, "10.1.0.1", port[0], 0));
	add(kernel_route("10.4.0.0", 16, "10.1.0.1", vti[1], 0));
	add(kernel_route("10.5.0.0", 16, NULL, NULL, 0));
	r = kernel_route("10.1.0.9", 32, NULL, port[0], 0);
	r.type = VIADUCT_ROUTE_LOCAL;
	r.table = RT_TABLE_LOCAL;
	add(r);
	r = kernel_route("10.6.0.0", 16, NULL, NULL, 0);
	r.type = VIADUCT_ROUTE_BLACKHOLE;
	add(r);
	add(kernel_route("2001:db8:2::", 48, NULL, vti[0], 1024));
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_NO_ROUTE); /* not before the commit */
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_GLEAN);
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.1.0.5")->iface, port[0]);
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.9")->type, NH_LOCAL);
	CU_ASSERT_EQUAL(nexthop_to("10.2.0.5")->type, NH_VTI);
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.2.0.5")->iface, vti[0]);
	CU_ASSERT_EQUAL(nexthop_to("10.3.0.5")->type, NH_PENDING);
	CU_ASSERT_EQUAL(nexthop_to("10.3.0.5")->gateway.v4, parse("10.1.0.1").v4);
	CU_ASSERT_EQUAL(nexthop_to("10.4.0.5")->type, NH_VTI);
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.4.0.5")->iface, vti[1]);
	CU_ASSERT_EQUAL(nexthop_to("10.5.0.5")->type, NH_KERNEL);
	CU_ASSERT_EQUAL(nexthop_to("10.6.0.5")->type, NH_BLACKHOLE);
	CU_ASSERT_EQUAL(nexthop_to("10.7.0.5")->type, NH_NO_ROUTE);
	CU_ASSERT_PTR_EQUAL(nexthop_to("2001:db8:2::1")->iface, vti[0]);
	CU_ASSERT_EQUAL(rib_count(IP_V4), 7);
	CU_ASSERT_EQUAL(rib_count(IP_V6), 1);
	end();
}

static void best_candidate_wins(void)
{
	struct viaduct_route out;
	struct addr dst = parse("10.2.0.1");
	struct rib_route r;

	begin(100);
	r = kernel_route("10.2.0.0", 16, NULL, vti[1], 50);
	r.origin = VIADUCT_ORIGIN_API;
	r.table = r.kernel_oif = 0;
	add(r);
	rib_commit();
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.2.0.1")->iface, vti[1]);
	/* The kernel's come first, whatever the metric; among them the lowest metric. */
	add(kernel_route("10.2.0.0", 16, NULL, vti[0], 200));
	add(kernel_route("10.2.0.0", 16, "10.9.9.9", port[0], 100));
	rib_commit();
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.2.0.1")->iface, port[0]);
	CU_ASSERT_EQUAL(rib_lookup(&dst, &out), 0);
	CU_ASSERT_EQUAL(out.metric, 100);
	CU_ASSERT_EQUAL(out.active, 1);
	CU_ASSERT_STRING_EQUAL(out.dev, "lan0");
	CU_ASSERT_STRING_EQUAL(out.state, "pending");
	CU_ASSERT_EQUAL(out.gateway.family, 4);
	CU_ASSERT_EQUAL(out.prefix_len, 16);
	/* Replaced in place. */
	add(kernel_route("10.2.0.0", 16, NULL, vti[1], 100));
	rib_commit();
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.2.0.1")->iface, vti[1]);
	CU_ASSERT_EQUAL(rib_count(IP_V4), 3);
	r = kernel_route("10.2.0.0", 16, NULL, NULL, 100);
	r.kernel_oif = 0;
	CU_ASSERT_EQUAL(rib_del(&r, NULL), 0);
	CU_ASSERT_EQUAL(rib_del(&r, NULL), -ENOENT);
	rib_commit();
	CU_ASSERT_PTR_EQUAL(nexthop_to("10.2.0.1")->iface, vti[0]);
	end();
}

static void fixed_prefixes_are_refused(void)
{
	struct rib_route r;
	struct viaduct_route out;
	struct addr group = parse("224.0.0.5");
	struct err e;

	begin(100);
	r = kernel_route("fe80::", 64, NULL, port[0], 256);
	CU_ASSERT_EQUAL(rib_add(&r, &e), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "link-local"));
	CU_ASSERT_EQUAL(rib_count(IP_V6), 0);
	CU_ASSERT_EQUAL(rib_lookup(&group, &out), 0);
	CU_ASSERT_EQUAL(out.type, VIADUCT_ROUTE_LOCAL);
	CU_ASSERT_EQUAL(out.prefix_len, 4);
	end();
}

static void neighbours_get_host_routes_where_they_are_connected(void)
{
	struct addr on = parse("10.1.0.5"), off = parse("10.7.0.5"), on6 = parse("2001:db8::5"),
		    ll = parse("fe80::5");
	struct rib_route r;

	begin(100);
	/* Neighbours may be known before the network is. */
	neigh_update(port[0], &on, &mac, NUD_REACHABLE);
	neigh_update(port[0], &off, &mac, NUD_STALE);
	neigh_update(port[0], &on6, &mac, NUD_STALE);
	neigh_update(port[0], &ll, &mac, NUD_STALE);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_NO_ROUTE);
	add(kernel_route("10.1.0.0", 24, NULL, port[0], 0));
	add(kernel_route("2001:db8::", 64, NULL, port[0], 256));
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_PORT);
	CU_ASSERT_EQUAL(memcmp(nexthop_to("10.1.0.5")->l2, &mac, 6), 0);
	CU_ASSERT_EQUAL(nexthop_to("2001:db8::5")->type, NH_PORT);
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.6")->type, NH_GLEAN);
	CU_ASSERT_EQUAL(nexthop_to("10.7.0.5")->type, NH_NO_ROUTE);
	CU_ASSERT_EQUAL(nexthop_to("fe80::5")->type, NH_LOCAL);
	CU_ASSERT_EQUAL(rib_count(IP_V4), 2);
	/* A more specific route takes the address elsewhere. */
	add(kernel_route("10.1.0.4", 30, NULL, vti[0], 0));
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_VTI);
	r = kernel_route("10.1.0.4", 30, NULL, vti[0], 0);
	rib_del(&r, NULL);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_PORT);
	/* A host route on the same network says no more than the network's. */
	add(kernel_route("10.1.0.5", 32, NULL, port[0], 0));
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_PORT);
	/* But one of the router's own addresses stays its own. */
	r = kernel_route("10.1.0.5", 32, NULL, port[0], 0);
	r.type = VIADUCT_ROUTE_LOCAL;
	r.table = RT_TABLE_LOCAL;
	add(r);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_LOCAL);
	rib_del(&r, NULL);
	/* Lost, and the network gone. */
	neigh_update(port[0], &on, NULL, NUD_FAILED);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.5")->type, NH_GLEAN);
	r = kernel_route("2001:db8::", 64, NULL, port[0], 256);
	rib_del(&r, NULL);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("2001:db8::5")->type, NH_NO_ROUTE);
	CU_ASSERT_EQUAL(rib_count(IP_V6), 0);
	end();
}

static void gateways_are_resolved_under_the_routes(void)
{
	struct addr gw = parse("10.1.0.1"), ll = parse("fe80::1");
	uint32_t id;

	begin(100);
	neigh_update(port[0], &ll, &mac, NUD_STALE);
	add(kernel_route("10.1.0.0", 24, NULL, port[0], 0));
	add(kernel_route("0.0.0.0", 0, "10.1.0.1", port[0], 0));
	add(kernel_route("::", 0, "fe80::1", port[0], 1024));
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("::1234")->type, NH_PORT);
	CU_ASSERT_EQUAL(nexthop_to("8.8.8.8")->type, NH_PENDING);
	id = nexthop_to("8.8.8.8")->id;
	neigh_update(port[0], &gw, &mac, NUD_REACHABLE);
	CU_ASSERT_EQUAL(nexthop_to("8.8.8.8")->type, NH_PORT); /* at once, without a commit */
	CU_ASSERT_EQUAL(nexthop_to("8.8.8.8")->id, id);
	rib_commit();
	/* The host route to the gateway and the routes through it share one next hop. */
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.1")->id, id);
	neigh_delete(port[0], &gw);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("8.8.8.8")->type, NH_PENDING);
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.1")->type, NH_GLEAN);
	end();
}

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
	CU_ASSERT_EQUAL(nexthop_to("10.9.0.1")->type, NH_NO_ROUTE);
	CU_ASSERT_EQUAL(rib_count(IP_V4), 1);
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

static unsigned n_marked_full;

static int count_full(const struct viaduct_route *r, void *arg)
{
	(void)arg;
	if (strcmp(r->state, "fib full") == 0) {
		CU_ASSERT_EQUAL(r->active, 0);
		n_marked_full++;
	} else {
		CU_ASSERT_EQUAL(r->active, 1);
	}
	return 0;
}

static void full_fib_marks_routes_and_heals(void)
{
	struct rib_route r;
	unsigned full;

	begin(16);
	r = kernel_route("20.0.0.0", 24, NULL, vti[0], 0);
	for (unsigned i = 0; i < 100; i++) {
		r.prefix.v4 = htonl(20u << 24 | i << 8);
		r.iface = vti[i & 1];
		CU_ASSERT_EQUAL(rib_add(&r, NULL), 0);
	}
	rib_commit();
	full = rib_refused();
	CU_ASSERT_TRUE(full > 50 && full < 100);
	n_marked_full = 0;
	rib_each(count_full, NULL);
	CU_ASSERT_EQUAL(n_marked_full, full);
	/* Take away ten that are in use: as many of the others come in. */
	for (unsigned i = 0; i < 10; i++) {
		r.prefix.v4 = htonl(20u << 24 | i << 8);
		CU_ASSERT_EQUAL(rib_del(&r, NULL), 0);
	}
	rib_commit();
	CU_ASSERT_TRUE(rib_refused() < full - 5);
	n_marked_full = 0;
	rib_each(count_full, NULL);
	CU_ASSERT_EQUAL(n_marked_full, rib_refused());
	CU_ASSERT_EQUAL(rib_count(IP_V4), 90);
	rib_forget_iface(vti[0]);
	rib_forget_iface(vti[1]);
	CU_ASSERT_EQUAL(rib_refused(), 0);
	CU_ASSERT_EQUAL(rib_count(IP_V4), 0);
	end();
}

static void mark_and_sweep(void)
{
	struct rib_route api;

	begin(100);
	api = kernel_route("10.8.0.0", 16, NULL, vti[0], 0);
	api.origin = VIADUCT_ORIGIN_API;
	api.iface = vti[0];
	add(api);
	add(kernel_route("10.1.0.0", 16, NULL, port[0], 0));
	add(kernel_route("10.2.0.0", 16, NULL, port[0], 0));
	add(kernel_route("2001:db8::", 32, NULL, port[0], 0));
	rib_commit();
	rib_mark(IP_V4);
	add(kernel_route("10.2.0.0", 16, NULL, port[0], 0));
	rib_sweep(IP_V4);
	rib_commit();
	CU_ASSERT_EQUAL(nexthop_to("10.1.0.1")->type, NH_NO_ROUTE);
	CU_ASSERT_EQUAL(nexthop_to("10.2.0.1")->type, NH_GLEAN);
	CU_ASSERT_EQUAL(nexthop_to("10.8.0.1")->type, NH_VTI);
	CU_ASSERT_EQUAL(nexthop_to("2001:db8::1")->type, NH_GLEAN);
	CU_ASSERT_EQUAL(rib_count(IP_V4), 2);
	end();
}

/* A naive table: all candidates in the order they came. */
#define MODEL_MAX 200

static struct {
	struct rib_route r;
	bool used;
	unsigned serial;
} model[MODEL_MAX];
static unsigned serial;

static bool model_before(unsigned a, unsigned b)
{
	const struct rib_route *x = &model[a].r, *y = &model[b].r;

	if (x->origin != y->origin)
		return x->origin < y->origin;
	if (x->table != y->table)
		return x->table > y->table; /* 255 local, 254 main, 253 default */
	if (x->metric != y->metric)
		return x->metric < y->metric;
	return model[a].serial < model[b].serial;
}

static int model_lookup(const struct addr *dst)
{
	int best = -1;

	for (unsigned i = 0; i < MODEL_MAX; i++) {
		const struct rib_route *r = &model[i].r;

		if (!model[i].used || r->prefix.family != dst->family ||
			!prefix_covers(&r->prefix, r->prefix_len, dst))
			continue;
		if (best < 0 || r->prefix_len > model[best].r.prefix_len ||
			(r->prefix_len == model[best].r.prefix_len && model_before(i, best)))
			best = i;
	}
	return best;
}

static bool model_same_rank(unsigned i, const struct rib_route *r)
{
	const struct rib_route *m = &model[i].r;

	return model[i].used && m->prefix_len == r->prefix_len && addr_eq(&m->prefix, &r->prefix) &&
		m->origin == r->origin && m->table == r->table && m->metric == r->metric;
}

static bool model_same_hop(unsigned i, const struct rib_route *r)
{
	return addr_eq(&model[i].r.gateway, &r->gateway) && model[i].r.iface == r->iface;
}

/* The first of the same rank, or of the same rank and hop. */
static int model_find(const struct rib_route *r, bool hop)
{
	int found = -1;

	for (unsigned i = 0; i < MODEL_MAX; i++) {
		if (model_same_rank(i, r) && (!hop || model_same_hop(i, r)) &&
			(found < 0 || model[i].serial < model[found].serial))
			found = i;
	}
	return found;
}

static struct addr random_addr(unsigned family)
{
	struct addr a = {.family = family};

	for (unsigned i = 0; i < addr_len(family); i++)
		a.v6[i] = rand() % 4 == 0 ? rand() : (rand() & 1) * 0x80;
	a.v6[0] = 0x20;
	return a;
}

static struct rib_route random_route(void)
{
	static const uint32_t tables[] = {
		RT_TABLE_MAIN, RT_TABLE_MAIN, RT_TABLE_LOCAL, RT_TABLE_DEFAULT};
	struct addr a = random_addr(rand() & 1 ? IP_V4 : IP_V6);
	uint8_t max = addr_len(a.family) * 8;
	struct rib_route r = {.type = VIADUCT_ROUTE_UNICAST, .metric = rand() % 2};

	r.prefix_len = rand() % 3 == 0 ? max : rand() % 5 * (max / 8);
	r.prefix = prefix_of(&a, r.prefix_len);
	r.origin = rand() % 4 == 0 ? VIADUCT_ORIGIN_API : VIADUCT_ORIGIN_KERNEL;
	r.iface = rand() & 1 ? port[rand() & 1] : vti[rand() & 1];
	if (r.origin == VIADUCT_ORIGIN_KERNEL) {
		r.kernel_oif = r.iface->kernel_ifindex;
		r.table = tables[rand() % 4];
	}
	if (rand() & 1) {
		r.gateway = (struct addr){.family = r.prefix.family};
		r.gateway.v6[0] = 0x30;
		r.gateway.v6[3] = rand() % 3;
	} else if (rand() % 8 == 0) {
		r.type = VIADUCT_ROUTE_BLACKHOLE;
	}
	return r;
}

static void random_change(void)
{
	unsigned slot = rand() % MODEL_MAX;
	bool append = rand() & 1;
	struct rib_route r;
	int i;

	if (model[slot].used) {
		r = model[slot].r;
		i = model_find(&r, true);
		CU_ASSERT_EQUAL(rib_del(&r, NULL), 0);
		model[i].used = false;
		return;
	}
	r = random_route();
	i = model_find(&r, append);
	CU_ASSERT_EQUAL(append ? rib_append(&r, NULL) : rib_add(&r, NULL), 0);
	if (i < 0) {
		i = slot;
		model[i].serial = ++serial;
		model[i].used = true;
	}
	model[i].r = r;
}

static bool agrees(const struct addr *dst)
{
	int want = model_lookup(dst);
	const struct nexthop *nh = nexthop_by_id(fib_lookup(fib_by_vrf(0), dst->family, dst->v6));
	const struct rib_route *r = &model[want < 0 ? 0 : want].r;
	struct viaduct_route out;

	if (want < 0)
		return nh->type == NH_NO_ROUTE && rib_lookup(dst, &out) == -ENOENT;
	if (rib_lookup(dst, &out) != 0 || out.prefix_len != r->prefix_len ||
		out.metric != r->metric || out.origin != r->origin || out.type != r->type)
		return false;
	if (r->type == VIADUCT_ROUTE_BLACKHOLE)
		return nh->type == NH_BLACKHOLE;
	if (nh->iface != r->iface)
		return false;
	if (r->iface->kind == IFACE_VTI)
		return nh->type == NH_VTI;
	if (r->gateway.family == IP_NONE)
		return nh->type == NH_GLEAN;
	return nh->type == NH_PENDING && addr_eq(&nh->gateway, &r->gateway);
}

static unsigned check_model(unsigned n)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < n; i++) {
		struct addr a = random_addr(i & 1 ? IP_V4 : IP_V6);
		unsigned k = rand() % MODEL_MAX;

		if ((i & 2) && model[k].used)
			a = model[k].r.prefix;
		wrong += !agrees(&a);
	}
	return wrong;
}

static void random_changes_match_naive_table(void)
{
	unsigned changes = 0;

	srand(2022);
	memset(model, 0, sizeof(model));
	begin(1000);
	for (unsigned round = 0; round < 2000; round++) {
		for (unsigned i = rand() % 10; i > 0; i--, changes++)
			random_change();
		rib_commit();
		rcu_poll();
		CU_ASSERT_EQUAL(check_model(50), 0);
	}
	CU_ASSERT_TRUE(changes > 8000);
	/* All of one interface's at once. */
	for (unsigned i = 0; i < MODEL_MAX; i++)
		model[i].used = model[i].used && model[i].r.iface != vti[0];
	rib_forget_iface(vti[0]);
	CU_ASSERT_EQUAL(check_model(1000), 0);
	for (unsigned i = 0; i < MODEL_MAX; i++) {
		if (model[i].used)
			CU_ASSERT_EQUAL(rib_del(&model[i].r, NULL), 0);
		model[i].used = false;
	}
	rib_commit();
	CU_ASSERT_EQUAL(check_model(1000), 0);
	CU_ASSERT_EQUAL(rib_count(IP_V4) + rib_count(IP_V6), 0);
	CU_ASSERT_EQUAL(nexthop_count(), NH_ID_DYNAMIC); /* every reference was given back */
	end();
}

static int check_order(const struct viaduct_route *r, void *arg)
{
	struct viaduct_route *last = arg;
	int diff = last->prefix.family - r->prefix.family;

	if (diff == 0)
		diff = memcmp(last->prefix.bytes, r->prefix.bytes, 16);
	CU_ASSERT_TRUE(diff < 0 || (diff == 0 && last->prefix_len <= r->prefix_len));
	*last = *r;
	return 0;
}

static void listing_is_in_order(void)
{
	struct viaduct_route last = {0};

	begin(100);
	for (unsigned i = 0; i < 50; i++) {
		struct rib_route r = random_route();

		add(r);
	}
	rib_commit();
	CU_ASSERT_EQUAL(rib_each(check_order, &last), 0);
	CU_ASSERT_EQUAL(last.prefix.family, 6);
	end();
}

UNIT_EAL_MAIN("rib", UNIT_TEST(kinds_of_next_hops), UNIT_TEST(best_candidate_wins),
	UNIT_TEST(fixed_prefixes_are_refused),
	UNIT_TEST(neighbours_get_host_routes_where_they_are_connected),
	UNIT_TEST(gateways_are_resolved_under_the_routes),
	UNIT_TEST(gateway_without_device_follows_its_network), UNIT_TEST(api_routes_are_checked),
	UNIT_TEST(full_fib_marks_routes_and_heals), UNIT_TEST(mark_and_sweep),
	UNIT_TEST(random_changes_match_naive_table), UNIT_TEST(listing_is_in_order))
