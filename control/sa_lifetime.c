/* SPDX-License-Identifier: BSD-3-Clause */
/* When is an SA old or used up? Soft: the IKE daemon is asked to rekey. Hard: it carries nothing more
 * (RFC 4301 4.4.2.1). */
#include "control/api_server.h"
#include "control/daemon.h"
#include "control/log.h"
#include "control/sa_bind.h"
#include "control/spi_alloc.h"
#include "control/vti.h"

#include <inttypes.h>

struct usage {
	uint64_t seconds, bytes, packets;
};

static struct usage usage_of(const struct sa_entry *s, uint64_t now_ns)
{
	const struct sa_stats st = sa_stats_sum(s->sa);

	return (struct usage){
		.seconds = (now_ns - s->created_ns) / 1000000000u,
		.bytes = s->base_bytes + st.bytes,
		.packets = s->base_packets + st.packets,
	};
}

static bool reached(uint64_t used, uint64_t limit)
{
	return limit != 0 && used >= limit;
}

/* Sequence numbers never come round (RFC 4303 3.3.3): rekey in the last tenth, stop at the end. */
static bool seq_soft(const struct sa *sa)
{
	return sa->dir == SA_OUT && sa->seq > sa->seq_max - sa->seq_max / 10;
}

static bool seq_hard(const struct sa *sa)
{
	return sa->dir == SA_OUT && sa->seq > sa->seq_max;
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

static void check(struct sa_entry *s, uint64_t now_ns)
{
	const struct usage u = usage_of(s, now_ns);

	if (!s->hard_sent && is_hard(s, &u)) {
		s->hard_sent = s->soft_sent = true;
		atomic_store_explicit(&s->sa->expired, 1, memory_order_relaxed);
		if (s->vti != NULL)
			vti_refresh(s->vti);
		expire(s, true);
	} else if (!s->soft_sent && is_soft(s, &u)) {
		s->soft_sent = true;
		expire(s, false);
	}
}

void sadb_tick(void)
{
	const uint64_t now_ns = monotonic_ns();
	struct sa_entry *s;
	struct vti *v;

	for (s = sadb_first(); s != NULL; s = s->hh.next)
		check(s, now_ns);
	spi_alloc_tick(now_ns);
	/* The path's MTU may have changed with a route or a port. */
	for (v = vti_first(); v != NULL; v = v->hh.next)
		vti_refresh(v);
}
