/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/routing/nexthops.h"

#include "control/log.h"
#include "control/rcu.h"
#include "control/routing/fib_writer.h"
#include "dataplane/vlan.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <uthash.h>

/* A gateway's next hop is NH_PENDING at one time and NH_PORT at another, under one id: both have
 * the key of NH_PENDING. */
struct key {
	struct iface *iface;
	struct addr gateway;
	uint32_t type;
	uint32_t partial;
};

struct entry {
	struct key key;
	uint32_t id, refs;
	struct nexthop *nh; /* what nexthop_table[id] holds */
	bool on_dead;
	LIST_ENTRY(entry) dead; /* refs 0, waiting for nexthops_reap() */
	UT_hash_handle hh;
};

static struct entry *by_key;
static struct entry **by_id; /* NEXTHOP_MAX, from NH_ID_DYNAMIC on */
static LIST_HEAD(, entry) dead_list = LIST_HEAD_INITIALIZER(dead_list);

/* Ids: those below next_id have been used; of these free_ids[] are free again. */
static uint32_t *free_ids, n_free, next_id;

static const struct {
	uint32_t id;
	enum nexthop_type type;
} fixed[] = {
	{NH_ID_NO_ROUTE, NH_NO_ROUTE},
	{NH_ID_BLACKHOLE, NH_BLACKHOLE},
	{NH_ID_UNREACHABLE, NH_UNREACHABLE},
	{NH_ID_PROHIBIT, NH_PROHIBIT},
	{NH_ID_GUARD, NH_GUARD},
	{NH_ID_FIB_FULL, NH_FIB_FULL},
	{NH_ID_KERNEL, NH_KERNEL},
	{NH_ID_LOCAL, NH_LOCAL},
};

static struct nexthop fixed_nexthops[NH_ID_DYNAMIC];

int nexthops_init(void)
{
	/* Large, but touched only as far as ids are in use. */
	by_id = calloc(NEXTHOP_MAX, sizeof(*by_id));
	free_ids = calloc(NEXTHOP_MAX, sizeof(*free_ids));
	if (by_id == NULL || free_ids == NULL) {
		nexthops_fini();
		return -ENOMEM;
	}
	for (unsigned i = 0; i < RTE_DIM(fixed); i++) {
		struct nexthop *nh = &fixed_nexthops[fixed[i].id];

		*nh = (struct nexthop){.type = fixed[i].type, .id = fixed[i].id};
		atomic_store_explicit(&nexthop_table[nh->id], nh, memory_order_release);
	}
	n_free = 0;
	next_id = NH_ID_DYNAMIC;
	return 0;
}

/* Workers have stopped: nothing is read any more. */
void nexthops_fini(void)
{
	struct entry *e, *tmp;

	HASH_ITER (hh, by_key, e, tmp) {
		HASH_DEL(by_key, e);
		free(e->nh);
		free(e);
	}
	LIST_INIT(&dead_list);
	for (uint32_t id = 0; id < next_id; id++)
		atomic_store(&nexthop_table[id], NULL);
	free(by_id);
	free(free_ids);
	by_id = NULL;
	free_ids = NULL;
	n_free = next_id = 0;
}

static uint32_t fixed_id(enum nexthop_type type)
{
	for (unsigned i = 0; i < RTE_DIM(fixed); i++) {
		if (fixed[i].type == type)
			return fixed[i].id;
	}
	return 0;
}

static uint32_t take_id(void)
{
	if (n_free > 0)
		return free_ids[--n_free];
	return next_id < NEXTHOP_MAX ? next_id++ : 0;
}

/* Without the EtherType, which is each packet's. */
static void put_l2(struct nexthop *nh, const struct iface *out, const struct rte_ether_addr *mac)
{
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)nh->l2;
	const uint16_t tag[] = {VLAN_TYPE_BE, rte_cpu_to_be_16(out->vlan)};

	rte_ether_addr_copy(mac, &eth->dst_addr);
	rte_ether_addr_copy(&out->mac, &eth->src_addr);
	nh->l2_len = sizeof(*eth);
	if (out->vlan != 0) {
		memcpy(nh->l2 + VLAN_MACS_LEN, tag, sizeof(tag));
		nh->l2_len = VLAN_HDR_LEN;
	}
}

static struct nexthop *build(enum nexthop_type type, const struct key *key, uint32_t id,
	const struct rte_ether_addr *mac)
{
	struct nexthop *nh = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*nh));

	if (nh == NULL)
		return NULL;
	memset(nh, 0, sizeof(*nh));
	nh->type = type;
	nh->id = id;
	nh->iface = key->iface;
	nh->gateway = key->gateway;
	nh->partial = key->partial;
	if (type == NH_PORT)
		put_l2(nh, key->iface, mac);
	return nh;
}

/* Put another structure under the entry's id. */
static void replace(struct entry *e, struct nexthop *nh)
{
	struct nexthop *old = e->nh;

	e->nh = nh;
	atomic_store_explicit(&nexthop_table[e->id], nh, memory_order_release);
	fib_invalidate_cached();
	rcu_retire(free, old);
}

static bool same_mac(const struct nexthop *nh, const struct rte_ether_addr *mac)
{
	return nh->type == NH_PORT && memcmp(nh->l2, mac, sizeof(*mac)) == 0;
}

/* mac NULL: not known. */
static void resolve(struct entry *e, const struct rte_ether_addr *mac)
{
	enum nexthop_type type = mac == NULL ? NH_PENDING : NH_PORT;
	struct nexthop *nh;

	if (mac == NULL ? e->nh->type == NH_PENDING : same_mac(e->nh, mac))
		return;
	nh = build(type, &e->key, e->id, mac);
	if (nh == NULL) {
		log_err("out of memory: a next hop on %s keeps its old link-layer address",
			e->key.iface->name);
		return;
	}
	replace(e, nh);
}

static struct entry *entry_new(
	enum nexthop_type type, const struct key *key, const struct rte_ether_addr *mac)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->key = *key;
	e->id = take_id();
	if (e->id != 0)
		e->nh = build(type, key, e->id, mac);
	if (e->nh == NULL) {
		if (e->id != 0)
			free_ids[n_free++] = e->id;
		free(e);
		return NULL;
	}
	by_id[e->id] = e;
	HASH_ADD(hh, by_key, key, sizeof(e->key), e);
	atomic_store_explicit(&nexthop_table[e->id], e->nh, memory_order_release);
	return e;
}

static struct key make_key(
	enum nexthop_type type, struct iface *iface, const struct addr *gateway, bool partial)
{
	struct key key;

	memset(&key, 0, sizeof(key)); /* padding is hashed too */
	key.type = type == NH_PORT ? NH_PENDING : type;
	key.iface = iface;
	key.partial = partial;
	if (key.type == NH_PENDING && gateway != NULL)
		key.gateway = *gateway;
	return key;
}

static uint32_t get(enum nexthop_type type, struct iface *iface, const struct addr *gateway,
	const struct rte_ether_addr *mac, bool partial)
{
	struct key key;
	struct entry *e;

	if (type < NH_GLEAN)
		return fixed_id(type);
	key = make_key(type, iface, gateway, partial);
	HASH_FIND(hh, by_key, &key, sizeof(key), e);
	if (e == NULL)
		e = entry_new(type, &key, mac);
	else if (type == NH_PORT)
		resolve(e, mac);
	if (e == NULL)
		return 0;
	if (e->on_dead) {
		LIST_REMOVE(e, dead);
		e->on_dead = false;
	}
	e->refs++;
	return e->id;
}

uint32_t nexthop_get(enum nexthop_type type, struct iface *iface, const struct addr *gateway,
	const struct rte_ether_addr *mac)
{
	return get(type, iface, gateway, mac, false);
}

uint32_t nexthop_get_partial(enum nexthop_type type, struct iface *iface,
	const struct addr *gateway, const struct rte_ether_addr *mac)
{
	if (type == NH_KERNEL)
		return NH_ID_FIB_FULL;
	return get(type, iface, gateway, mac,
		type == NH_GLEAN || type == NH_PENDING || type == NH_PORT);
}

void nexthop_put(uint32_t id)
{
	struct entry *e;

	if (id < NH_ID_DYNAMIC)
		return;
	e = by_id[id];
	if (--e->refs == 0) {
		LIST_INSERT_HEAD(&dead_list, e, dead);
		e->on_dead = true;
	}
}

static void entry_free(void *arg)
{
	struct entry *e = arg;

	if (free_ids != NULL)
		free_ids[n_free++] = e->id;
	free(e->nh);
	free(e);
}

void nexthops_reap(void)
{
	struct entry *e;

	if (LIST_EMPTY(&dead_list))
		return;
	/* A worker may have cached one together with the generation; after this it looks again. */
	fib_invalidate_cached();
	while ((e = LIST_FIRST(&dead_list)) != NULL) {
		LIST_REMOVE(e, dead);
		HASH_DEL(by_key, e);
		by_id[e->id] = NULL;
		atomic_store_explicit(&nexthop_table[e->id], NULL, memory_order_release);
		rcu_retire(entry_free, e);
	}
}

void nexthop_resolve(
	struct iface *iface, const struct addr *gateway, const struct rte_ether_addr *mac)
{
	for (unsigned partial = 0; partial < 2; partial++) {
		struct key key = make_key(NH_PENDING, iface, gateway, partial);
		struct entry *e;

		HASH_FIND(hh, by_key, &key, sizeof(key), e);
		if (e != NULL)
			resolve(e, mac);
	}
}

bool nexthop_in_use(struct iface *iface, const struct addr *gateway)
{
	for (unsigned partial = 0; partial < 2; partial++) {
		struct key key = make_key(NH_PENDING, iface, gateway, partial);
		const struct entry *e;

		HASH_FIND(hh, by_key, &key, sizeof(key), e);
		if (e != NULL && e->refs > 0)
			return true;
	}
	return false;
}

unsigned nexthop_count(void)
{
	return NH_ID_DYNAMIC + HASH_COUNT(by_key);
}

const char *nexthop_type_name(enum nexthop_type type)
{
	static const char *const names[] = {
		[NH_NO_ROUTE] = "no route",
		[NH_BLACKHOLE] = "blackhole",
		[NH_UNREACHABLE] = "unreachable",
		[NH_PROHIBIT] = "prohibit",
		[NH_GUARD] = "guard",
		[NH_FIB_FULL] = "fib full",
		[NH_LOCAL] = "local",
		[NH_KERNEL] = "kernel",
		[NH_GLEAN] = "glean",
		[NH_PENDING] = "pending",
		[NH_PORT] = "port",
		[NH_VTI] = "vti",
	};

	return (unsigned)type < RTE_DIM(names) ? names[type] : "unknown";
}
