/* SPDX-License-Identifier: BSD-3-Clause */
/* Random changes to the routing table, against a table that searches all its routes. */
#include "control/routing/prefix.h"

#include "rib_fixture.h"

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
		model[i].used = model[i].used && model[i].r.iface != port[0];
	rib_forget_iface(port[0]);
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

UNIT_EAL_MAIN(
	"rib_random", UNIT_TEST(random_changes_match_naive_table), UNIT_TEST(listing_is_in_order))
