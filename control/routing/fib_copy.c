/* SPDX-License-Identifier: BSD-3-Clause */
/* rte_fib counts the groups of 256 entries that prefixes beyond /24 need, and refuses a prefix when
 * none is left. In DPDK 22.11 the count goes wrong:
 *
 * - A prefix with its parent's next hop takes no group when added but gives one back when removed
 *   (both families): after 10.0.0.0/16 and 10.0.0.1/32 through one tunnel and the removal of the
 *   latter, IPv4 takes no prefix beyond /24 any more. So such prefixes are first added with a next
 *   hop that nobody has, and get it again before they are removed.
 * - rte_fib6 gives back nothing on removal. So the table is built anew when what was lost that way
 *   may be why it refuses.
 * - rte_fib wants two free groups where one would do, and leaves a half-made change behind when it
 *   has only one. So the last two are never used.
 *
 * All of it happens on a copy without readers. */
#include "control/routing/fib_copy.h"

#include "control/log.h"
#include "dataplane/nexthop.h"

#include <rte_byteorder.h>
#include <rte_errno.h>
#include <rte_rib.h>
#include <rte_rib6.h>
#include <rte_vect.h>

#include <errno.h>
#include <stdlib.h>

/* A next hop id that no route has. */
#define NH_ID_NOBODY NEXTHOP_MAX

/* Prefixes up to this length need no group. */
#define FIRST_BITS 24

/* IPv4: one group for every /24 with longer prefixes in it. IPv6: one for every 8 bits beyond 24 of
 * a prefix, less those of a prefix around it. Sized for tables as they are met, not for the worst
 * case. */
static uint32_t groups4(uint32_t max_routes)
{
	return RTE_MAX(1024u, max_routes / 16);
}

static uint32_t groups6(uint32_t max_routes)
{
	return RTE_MAX(8192u, RTE_MIN(max_routes, 1u << 29) * 2);
}

size_t fib_copy_memory(uint32_t max_routes4, uint32_t max_routes6)
{
	const size_t first = (1u << FIRST_BITS) * 4, group = 256 * 4;
	/* Up to two nodes a route: a mempool element of three cache lines and a place in its ring. */
	const size_t route = 2 * (3 * RTE_CACHE_LINE_SIZE + sizeof(void *));

	return 2 * first + (groups4(max_routes4) + groups6(max_routes6)) * group +
		((size_t)max_routes4 + max_routes6) * route;
}

/* For these tables only: the vector lookup is several times faster for IPv6, while 512 bits for all
 * of DPDK is the administrator's choice (EAL's --force-max-simd-bitwidth, which wins). */
static uint16_t allow_vector_lookup(void)
{
	uint16_t old = rte_vect_get_max_simd_bitwidth();

	rte_vect_set_max_simd_bitwidth(RTE_VECT_SIMD_512);
	return old;
}

static struct rte_fib *create4(const char *name, uint32_t max_routes)
{
	struct rte_fib_conf conf = {
		.type = RTE_FIB_DIR24_8,
		.default_nh = NH_ID_NO_ROUTE,
		.max_routes = max_routes,
		.dir24_8 = {.nh_sz = RTE_FIB_DIR24_8_4B, .num_tbl8 = groups4(max_routes)},
	};
	uint16_t simd = allow_vector_lookup();
	struct rte_fib *t = rte_fib_create(name, SOCKET_ID_ANY, &conf);

	rte_vect_set_max_simd_bitwidth(simd);
	return t;
}

static struct rte_fib6 *create6(const char *name, uint32_t max_routes)
{
	struct rte_fib6_conf conf = {
		.type = RTE_FIB6_TRIE,
		.default_nh = NH_ID_NO_ROUTE,
		.max_routes = max_routes,
		.trie = {.nh_sz = RTE_FIB6_TRIE_4B, .num_tbl8 = groups6(max_routes)},
	};
	uint16_t simd = allow_vector_lookup();
	struct rte_fib6 *t = rte_fib6_create(name, SOCKET_ID_ANY, &conf);

	rte_vect_set_max_simd_bitwidth(simd);
	return t;
}

int fib_copy_open(struct fib_copy *c, const char *name, uint32_t max_routes4, uint32_t max_routes6)
{
	*c = (struct fib_copy){.max_routes6 = max_routes6,
		.groups4_max = groups4(max_routes4) - 2,
		.groups6_max = groups6(max_routes6)};
	snprintf(c->name4, sizeof(c->name4), "fib4_%s", name);
	snprintf(c->name6, sizeof(c->name6), "fib6_%s", name);
	c->v4 = create4(c->name4, max_routes4);
	if (c->v4 != NULL)
		c->v6 = create6(c->name6, max_routes6);
	if (c->v4 == NULL || c->v6 == NULL) {
		int rc = rte_errno == 0 ? ENOMEM : rte_errno;

		fib_copy_close(c);
		return -rc;
	}
	return 0;
}

void fib_copy_close(struct fib_copy *c)
{
	rte_fib_free(c->v4);
	rte_fib6_free(c->v6);
	c->v4 = NULL;
	c->v6 = NULL;
}

/* Is there a prefix beyond /24 in ip's /24? */
static bool group4_used(const struct fib_copy *c, uint32_t ip)
{
	return rte_rib_get_nxt(
		       rte_fib_get_rib(c->v4), ip, FIRST_BITS, NULL, RTE_RIB_GET_NXT_COVER) != NULL;
}

static bool exists4(const struct fib_copy *c, uint32_t ip, uint8_t len)
{
	return rte_rib_lookup_exact(rte_fib_get_rib(c->v4), ip, len) != NULL;
}

static int set4(struct fib_copy *c, uint32_t ip, uint8_t len, uint32_t nh_id)
{
	bool new_group;
	int rc;

	if (len <= FIRST_BITS || exists4(c, ip, len))
		return rte_fib_add(c->v4, ip, len, nh_id);
	new_group = !group4_used(c, ip);
	if (new_group && c->groups4 >= c->groups4_max)
		return -ENOSPC;
	rc = rte_fib_add(c->v4, ip, len, NH_ID_NOBODY);
	if (rc != 0)
		return rc;
	c->groups4 += new_group;
	return rte_fib_add(c->v4, ip, len, nh_id);
}

static void unset4(struct fib_copy *c, uint32_t ip, uint8_t len)
{
	if (len > FIRST_BITS) {
		if (!exists4(c, ip, len))
			return;
		rte_fib_add(c->v4, ip, len, NH_ID_NOBODY);
	}
	rte_fib_delete(c->v4, ip, len);
	if (len > FIRST_BITS && !group4_used(c, ip))
		c->groups4--;
}

/* The addresses go to DPDK as void *: 24.11 made them a type of their own. */
static bool exists6(const struct fib_copy *c, const void *ip, uint8_t len)
{
	return rte_rib6_lookup_exact(rte_fib6_get_rib(c->v6), ip, len) != NULL;
}

static int add6(struct rte_fib6 *t, const void *ip, uint8_t len, uint32_t nh_id)
{
	int rc = 0;

	if (len > FIRST_BITS)
		rc = rte_fib6_add(t, ip, len, NH_ID_NOBODY);
	return rc == 0 ? rte_fib6_add(t, ip, len, nh_id) : rc;
}

struct route6 {
	uint64_t nh_id;
	uint8_t ip[16], len;
};

struct list6 {
	struct route6 *r;
	uint32_t n, room;
};

static int list6_add(struct list6 *l, struct rte_rib6_node *node)
{
	struct route6 *r;

	if (l->n == l->room) {
		uint32_t room = l->room == 0 ? 1024 : l->room * 2;

		r = realloc(l->r, room * sizeof(*r));
		if (r == NULL)
			return -ENOMEM;
		l->r = r;
		l->room = room;
	}
	r = &l->r[l->n++];
	rte_rib6_get_ip(node, (void *)r->ip);
	rte_rib6_get_depth(node, &r->len);
	rte_rib6_get_nh(node, &r->nh_id);
	return 0;
}

/* All prefixes of the table, each after those inside it. */
static int list6_fill(struct list6 *l, struct rte_fib6 *t)
{
	struct rte_rib6 *rib = rte_fib6_get_rib(t);
	const uint8_t any[16] = {0};
	struct rte_rib6_node *node = NULL;

	while ((node = rte_rib6_get_nxt(rib, (const void *)any, 0, node, RTE_RIB6_GET_NXT_ALL)) !=
		NULL) {
		if (list6_add(l, node) != 0)
			return -ENOMEM;
	}
	/* The walk leaves out the prefix it is asked about. */
	node = rte_rib6_lookup_exact(rib, (const void *)any, 0);
	return node == NULL ? 0 : list6_add(l, node);
}

/* The same prefixes in a new table. The old one goes first: there may be no memory for a third. */
static int rebuild6(struct fib_copy *c)
{
	struct list6 l = {0};
	int rc = list6_fill(&l, c->v6);

	if (rc == 0) {
		rte_fib6_free(c->v6);
		c->v6 = create6(c->name6, c->max_routes6);
		if (c->v6 == NULL)
			rte_panic("no memory for an IPv6 table of the size just freed\n");
		for (uint32_t i = l.n; i-- > 0;)
			add6(c->v6, l.r[i].ip, l.r[i].len, l.r[i].nh_id);
		c->leaked6 = 0;
		log_info("IPv6 forwarding table built anew: %u prefixes", l.n);
	}
	free(l.r);
	return rc;
}

static int set6(struct fib_copy *c, const void *ip, uint8_t len, uint32_t nh_id)
{
	int rc;

	if (exists6(c, ip, len))
		return rte_fib6_add(c->v6, ip, len, nh_id);
	rc = add6(c->v6, ip, len, nh_id);
	/* Not for a handful of lost groups: it takes milliseconds per thousand routes. */
	if (rc == -ENOSPC && c->leaked6 > c->groups6_max / 16 && rebuild6(c) == 0)
		rc = add6(c->v6, ip, len, nh_id);
	return rc;
}

static void unset6(struct fib_copy *c, const void *ip, uint8_t len)
{
	if (len > FIRST_BITS) {
		if (!exists6(c, ip, len))
			return;
		rte_fib6_add(c->v6, ip, len, NH_ID_NOBODY);
		c->leaked6 += (len - FIRST_BITS + 7) / 8;
	}
	rte_fib6_delete(c->v6, ip, len);
}

int fib_copy_set(struct fib_copy *c, const struct addr *prefix, uint8_t len, uint32_t nh_id)
{
	if (prefix->family == IP_V4)
		return set4(c, rte_be_to_cpu_32(prefix->v4), len, nh_id);
	return set6(c, prefix->v6, len, nh_id);
}

void fib_copy_unset(struct fib_copy *c, const struct addr *prefix, uint8_t len)
{
	if (prefix->family == IP_V4)
		unset4(c, rte_be_to_cpu_32(prefix->v4), len);
	else
		unset6(c, prefix->v6, len);
}
