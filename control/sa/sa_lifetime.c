/* SPDX-License-Identifier: BSD-3-Clause */
/* When is an SA old or used up? Soft: the IKE daemon is asked to rekey. Hard: it carries nothing more
 * (RFC 4301 4.4.2.1).
 *
 * Time is looked at once a second, packets and bytes ten times: only those few SAs that have such
 * limits, or are near the end of their sequence numbers. A hard limit of packets is kept by the
 * workers themselves, outbound, as the last sequence number (sa.h). */
#include "control/sa/sa_lifetime.h"
#include "control/api/api_server.h"
#include "control/daemon.h"
#include "control/iface/vti.h"
#include "control/log.h"
#include "control/sa/sa_bind.h"
#include "control/sa/spi_alloc.h"

#include <inttypes.h>

struct usage {
	uint64_t seconds, bytes, packets;
};

static LIST_HEAD(, sa_entry) watched = LIST_HEAD_INITIALIZER(watched);

static struct usage usage_of(const struct sa_entry *s, uint64_t now_ns)
{
	const struct sa_stats st = sadb_stats(s);

	return (struct usage){
		.seconds = (now_ns - s->created_ns) / 1000000000u,
		.bytes = st.bytes,
		.packets = st.packets,
	};
}

static bool reached(uint64_t used, uint64_t limit)
{
	return limit != 0 && used >= limit;
}

/* Sequence numbers never come round (RFC 4303 3.3.3): rekey in the last tenth, stop at the end. */
static bool seq_soft(const struct sa *sa)
{
	const uint64_t end = sa_seq_end(sa);

	return sa->dir == SA_OUT && sa->seq > end - end / 10;
}

/* Used up, or as many of them as the SA may send packets. */
static bool seq_hard(const struct sa *sa)
{
	return sa->dir == SA_OUT && sa->seq > sa->seq_max;
}

static bool has_packet_limits(const struct viaduct_lifetime *l)
{
	return (l->soft_bytes | l->hard_bytes | l->soft_packets | l->hard_packets) != 0;
}

/* Those with limits that packets use up, and those whose sequence numbers come to an end. */
static void watch_if_needed(struct sa_entry *s)
{
	if (s->watched || s->hard_sent || !(has_packet_limits(&s->life) || seq_soft(s->sa)))
		return;
	LIST_INSERT_HEAD(&watched, s, watch);
	s->watched = true;
}

static void unwatch(struct sa_entry *s)
{
	if (s->watched)
		LIST_REMOVE(s, watch);
	s->watched = false;
}

static bool is_soft(const struct sa_entry *s, const struct usage *u)
{
	return reached(u->seconds, s->life.soft_seconds) || reached(u->bytes, s->life.soft_bytes) ||
		reached(u->packets, s->life.soft_packets) || seq_soft(s->sa);
}

static bool is_hard(const struct sa_entry *s, const struct usage *u)
{
	return reached(u->seconds, s->life.hard_seconds) || reached(u->bytes, s->life.hard_bytes) ||
		reached(u->packets, s->life.hard_packets) || seq_hard(s->sa);
}

static void expire(const struct sa_entry *s, bool hard)
{
	const struct viaduct_sa_expire ev = {.id = s->id, .hard = hard, .reqid = s->reqid};

	api_event(VIADUCT_SUB_SA, VIADUCT_EVENT_SA_EXPIRE, &ev, sizeof(ev));
	log_info("SA 0x%08x (reqid %u): %s lifetime reached", s->id.spi, s->reqid,
		hard ? "hard" : "soft");
}

/* Each event once, the soft one first even when both limits were passed since the last look. */
static void check(struct sa_entry *s, uint64_t now_ns)
{
	const struct usage u = usage_of(s, now_ns);

	if (s->hard_sent)
		return;
	if (!s->soft_sent && is_soft(s, &u)) {
		s->soft_sent = true;
		expire(s, false);
	}
	if (is_hard(s, &u)) {
		s->hard_sent = s->soft_sent = true;
		atomic_store_explicit(&s->sa->expired, SA_EXPIRED, memory_order_relaxed);
		sa_bind(s);
		expire(s, true);
		unwatch(s);
	}
}

static void forget_old_ends(struct sa_entry *s, uint64_t now_ns)
{
	if (s->old_ends_end_ns == 0 || now_ns < s->old_ends_end_ns)
		return;
	sa_forget_old_ends(s->sa);
	s->old_ends_end_ns = 0;
}

void sa_lifetime_begin(struct sa_entry *s)
{
	watch_if_needed(s);
}

void sa_lifetime_end(struct sa_entry *s)
{
	unwatch(s);
}

void sadb_tick_often(void)
{
	const uint64_t now_ns = monotonic_ns();
	struct sa_entry *s, *next;

	for (s = LIST_FIRST(&watched); s != NULL; s = next) {
		next = LIST_NEXT(s, watch);
		check(s, now_ns);
	}
}

void sadb_tick(void)
{
	const uint64_t now_ns = monotonic_ns();
	struct sa_entry *s;
	struct vti *v;

	for (s = sadb_first(); s != NULL; s = s->hh.next) {
		check(s, now_ns);
		watch_if_needed(s);
		forget_old_ends(s, now_ns);
	}
	spi_alloc_tick(now_ns);
	/* The path's MTU may have changed with a route or a port. */
	for (v = vti_first(); v != NULL; v = v->hh.next)
		vti_refresh(v);
}
