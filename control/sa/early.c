/* SPDX-License-Identifier: BSD-3-Clause */
/* Time is counted in calls of early_tick(). */
#include "control/sa/early.h"

#include "control/addr_text.h"
#include "control/iface/twin.h"
#include "control/sa/sadb.h"
#include "control/sa/spi_alloc.h"
#include "dataplane/esp.h"
#include "dataplane/host.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <stdlib.h>
#include <sys/queue.h>

#define EARLY_MAX   256 /* packets in all, and what workers may send between two ticks */
#define EARLY_TICKS 10  /* a second: much longer than it takes to derive keys */

struct early {
	struct rte_mbuf *m;
	struct viaduct_sa_id id;
	uint32_t since;
	TAILQ_ENTRY(early) link;
};

static TAILQ_HEAD(, early) waiting = TAILQ_HEAD_INITIALIZER(waiting); /* oldest first */
static unsigned n_waiting;
static uint32_t now;
static uint64_t drops;

static void open_workers(void)
{
	const bool expected = spi_reserved_count() > 0;

	atomic_store_explicit(
		&host_early_room, expected ? EARLY_MAX - n_waiting : 0, memory_order_relaxed);
}

void early_expect(void)
{
	if (atomic_load_explicit(&host_early_room, memory_order_relaxed) == 0)
		open_workers();
}

static void drop(struct rte_mbuf *m)
{
	drops++;
	rte_pktmbuf_free(m);
}

static struct rte_mbuf *take(struct early *p)
{
	struct rte_mbuf *m = p->m;

	TAILQ_REMOVE(&waiting, p, link);
	n_waiting--;
	free(p);
	return m;
}

static void forward(struct rte_mbuf *m)
{
	host_forward(m, host_tag(m)->in);
}

/* Which SA the packet is for: the worker has found ESP behind its headers, perhaps inside UDP. */
static struct viaduct_sa_id id_of(struct rte_mbuf *m)
{
	const uint8_t *l3 = rte_pktmbuf_mtod_offset(m, const uint8_t *, host_tag(m)->l3_off);
	const struct rte_ipv4_hdr *ip4 = (const struct rte_ipv4_hdr *)l3;
	const bool six = *l3 >> 4 == IP_V6;
	const struct addr dst = six ? addr_v6(l3 + offsetof(struct rte_ipv6_hdr, dst_addr))
				    : addr_v4(ip4->dst_addr);
	uint32_t spi;

	memcpy(&spi, l3 + host_tag(m)->spi_off, sizeof(spi));
	return (struct viaduct_sa_id){.dst = addr_to_api(&dst), .spi = rte_be_to_cpu_32(spi)};
}

static bool hold(struct rte_mbuf *m, const struct viaduct_sa_id *id)
{
	struct early *p = n_waiting < EARLY_MAX ? malloc(sizeof(*p)) : NULL;

	if (p == NULL)
		return false;
	*p = (struct early){.m = m, .id = *id, .since = now};
	TAILQ_INSERT_TAIL(&waiting, p, link);
	n_waiting++;
	return true;
}

void early_packet(struct rte_mbuf *m)
{
	const struct viaduct_sa_id id = id_of(m);

	if (sadb_find(&id) != NULL)
		forward(m); /* the SA came while the packet was on its way here */
	else if (spi_kept_until(&id) == 0 || !hold(m, &id))
		drop(m);
}

void early_release(const struct viaduct_sa_id *id)
{
	struct early *p, *next;

	for (p = TAILQ_FIRST(&waiting); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (memcmp(&p->id, id, sizeof(*id)) == 0)
			forward(take(p));
	}
}

void early_tick(void)
{
	struct early *p;

	now++;
	while ((p = TAILQ_FIRST(&waiting)) != NULL && now - p->since > EARLY_TICKS)
		drop(take(p));
	open_workers();
}

void early_fini(void)
{
	while (!TAILQ_EMPTY(&waiting))
		drop(take(TAILQ_FIRST(&waiting)));
	atomic_store_explicit(&host_early_room, 0, memory_order_relaxed);
}

unsigned early_count(void)
{
	return n_waiting;
}

uint64_t early_drops(void)
{
	return drops;
}
