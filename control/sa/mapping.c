/* SPDX-License-Identifier: BSD-3-Clause */
/* Time is counted in calls of mapping_tick(). */
#include "control/sa/mapping.h"

#include "control/addr_text.h"
#include "control/api/api_server.h"
#include "control/log.h"
#include "control/sa/sadb.h"
#include "dataplane/esp.h"
#include "dataplane/host.h"

#include <rte_byteorder.h>
#include <rte_udp.h>

#include <stdlib.h>
#include <uthash.h>

#define AGAIN_TICKS  10   /* until subscribers are told the same again: one may have been away */
#define FORGET_TICKS 60   /* since the last packet from there */
#define MOVED_MAX    4096 /* SAs remembered; of others each report is an event, once a second */

/* An SA whose peer has moved, and where to. */
struct moved {
	struct viaduct_sa_id id;
	struct viaduct_addr src;
	uint16_t port;
	uint32_t told, seen;
	UT_hash_handle hh;
};

static struct moved *all;
static uint32_t now;

static struct viaduct_addr outer_addr(const uint8_t *l3, bool dst)
{
	struct addr a;

	if (*l3 >> 4 == IP_V6) {
		a = addr_v6(l3 + (dst ? 24 : 8));
	} else {
		a = addr_v4(0);
		memcpy(&a.v4, l3 + (dst ? 16 : 12), sizeof(a.v4));
	}
	return addr_to_api(&a);
}

/* What the worker copied: IP, UDP and ESP headers, the last at tag->l3_off. */
static void read_headers(struct rte_mbuf *m, struct moved *to)
{
	const uint8_t *l3 = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct esp_hdr *esp = (const struct esp_hdr *)(l3 + host_tag(m)->l3_off);
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)esp - 1;

	*to = (struct moved){
		.id = {.dst = outer_addr(l3, true), .spi = rte_be_to_cpu_32(esp->spi)},
		.src = outer_addr(l3, false),
		.port = rte_be_to_cpu_16(udp->src_port),
	};
}

static bool same_place(const struct moved *m, const struct viaduct_addr *src, uint16_t port)
{
	return m->port == port && memcmp(&m->src, src, sizeof(*src)) == 0;
}

/* Or has the SA been brought up to date while the news was on its way? */
static bool has_moved(const struct sa_entry *s, const struct moved *to)
{
	const struct sa_ends *ends = sa_ends_now(s->sa);
	const struct viaduct_addr src = addr_to_api(&ends->src);

	return (ends->flags & SA_UDP_ENCAP) && !same_place(to, &src, ends->sport);
}

static void tell(const struct sa_entry *s, const struct moved *to)
{
	const struct viaduct_mapping event = {
		.id = s->id,
		.new_src = to->src,
		.new_port = to->port,
		.reqid = s->reqid,
	};
	char text[ADDR_TEXT_LEN];

	log_info("SA 0x%08x: its peer sends from %s port %u now", s->id.spi,
		addr_text(&to->src, text), to->port);
	api_event(VIADUCT_SUB_MAPPING, VIADUCT_EVENT_MAPPING, &event, sizeof(event));
}

static struct moved *find(const struct viaduct_sa_id *id)
{
	struct moved *m;

	HASH_FIND(hh, all, id, sizeof(*id), m);
	return m;
}

static void remember(const struct moved *to)
{
	struct moved *m = find(&to->id);

	if (m == NULL) {
		m = HASH_COUNT(all) < MOVED_MAX ? calloc(1, sizeof(*m)) : NULL;
		if (m == NULL)
			return;
		m->id = to->id;
		HASH_ADD(hh, all, id, sizeof(m->id), m);
	}
	m->src = to->src;
	m->port = to->port;
	m->told = m->seen = now;
}

static void report(const struct sa_entry *s, const struct moved *to)
{
	struct moved *known = find(&to->id);

	if (known != NULL && same_place(known, &to->src, to->port) &&
		now - known->told < AGAIN_TICKS) {
		known->seen = now;
		return;
	}
	tell(s, to);
	remember(to);
}

void mapping_seen(struct rte_mbuf *m)
{
	struct moved to;
	struct sa_entry *s;

	read_headers(m, &to);
	rte_pktmbuf_free(m);
	s = sadb_find(&to.id);
	if (s != NULL && s->sa->dir == SA_IN && has_moved(s, &to))
		report(s, &to);
}

static void forget(struct moved *m)
{
	HASH_DEL(all, m);
	free(m);
}

void mapping_tick(void)
{
	struct moved *m, *next;

	now++;
	HASH_ITER (hh, all, m, next) {
		if (now - m->seen >= FORGET_TICKS)
			forget(m);
	}
}

void mapping_fini(void)
{
	struct moved *m, *next;

	HASH_ITER (hh, all, m, next)
		forget(m);
}
