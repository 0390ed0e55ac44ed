/* SPDX-License-Identifier: BSD-3-Clause */
/* Time is counted in calls of hold_tick(). */
#include "control/sa/hold.h"

#include "control/api/api_server.h"
#include "control/daemon.h"
#include "control/iface/twin.h"
#include "control/iface/vti.h"
#include "control/sa/acquire.h"
#include "dataplane/host.h"

#include <rte_mempool.h>

#include <stdlib.h>
#include <sys/queue.h>

#define HOLD_MAX     64   /* packets of one family for one VTI */
#define HOLD_MAX_ALL 4096 /* for all of them */
#define HOLD_SHARE   8    /* and no more than one in so many of all buffers */
#define HOLD_TICKS   30 /* longer than a few retransmissions of IKE's, shorter than TCP's patience */
#define ASK_TICKS    30 /* at most, between two events about the same packets */

struct held {
	struct rte_mbuf *m;
	struct hold *hold;
	uint32_t since;
	TAILQ_ENTRY(held) in_hold, in_all;
};

TAILQ_HEAD(held_list, held);

/* One family of a VTI. Made when its first packet comes, and then kept. */
struct hold {
	struct held_list packets; /* oldest first */
	unsigned n;
	uint32_t ask_at,
		ask_wait; /* when the next event is due, and how long after it the one after */
	bool refused;     /* the last packet was one that nobody negotiates for */
};

static struct held_list all = TAILQ_HEAD_INITIALIZER(all); /* oldest first */
static unsigned n_all;
static uint32_t now;
static bool listeners;
static uint64_t drops_full;

/* No word to its sender: an SA may be about to come. */
static void drop_full(struct rte_mbuf *m)
{
	drops_full++;
	rte_pktmbuf_free(m);
}

/* Off both lists; the packet is the caller's. */
static struct rte_mbuf *take(struct held *p)
{
	struct rte_mbuf *m = p->m;

	TAILQ_REMOVE(&p->hold->packets, p, in_hold);
	TAILQ_REMOVE(&all, p, in_all);
	p->hold->n--;
	n_all--;
	free(p);
	return m;
}

static bool append(struct hold *h, struct rte_mbuf *m)
{
	struct held *p = malloc(sizeof(*p));

	if (p == NULL)
		return false;
	*p = (struct held){.m = m, .hold = h, .since = now};
	TAILQ_INSERT_TAIL(&h->packets, p, in_hold);
	TAILQ_INSERT_TAIL(&all, p, in_all);
	h->n++;
	n_all++;
	return true;
}

static unsigned max_all(void)
{
	const struct rte_mempool *pool = daemon_state.pool;

	return pool != NULL ? RTE_MIN(pool->size / HOLD_SHARE, (unsigned)HOLD_MAX_ALL)
			    : HOLD_MAX_ALL;
}

/* How many packets may workers send here? One is always welcome where none waits, so that each VTI can
 * ask for its SA however many packets wait for others. */
static uint16_t room(const struct hold *h)
{
	if (!listeners)
		return 0;
	if (h == NULL)
		return n_all < max_all() ? HOLD_MAX : 1;
	if (h->refused || n_all >= max_all())
		return h->n == 0;
	return HOLD_MAX - h->n;
}

static void tell_workers(struct vti *v)
{
	for (unsigned af = 0; af < 2; af++)
		atomic_store_explicit(&v->iface->hold[af], room(v->hold[af]), memory_order_relaxed);
}

static void ask_at_once(struct hold *h)
{
	h->ask_at = now;
	h->ask_wait = 1;
}

static bool ask_due(const struct hold *h)
{
	return (int32_t)(now - h->ask_at) >= 0;
}

/* Have the SA negotiated: at once, and 1, 2, 4 ... seconds later while packets wait. IKE daemons ignore
 * what they are already at; the repetitions are for an attempt that failed. */
static void ask(struct hold *h, const struct viaduct_acquire *about)
{
	if (!ask_due(h))
		return;
	acquire_raise(about);
	h->ask_at = now + h->ask_wait;
	h->ask_wait = RTE_MIN(2 * h->ask_wait, (uint32_t)ASK_TICKS);
}

static struct hold *get(struct vti *v, unsigned af)
{
	struct hold *h = v->hold[af];

	if (h != NULL)
		return h;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return NULL;
	TAILQ_INIT(&h->packets);
	ask_at_once(h);
	v->hold[af] = h;
	return h;
}

/* The oldest of all makes room for the first of another VTI. */
static bool make_room(const struct hold *h)
{
	if (h->n == HOLD_MAX || (n_all >= max_all() && h->n > 0))
		return false;
	if (n_all >= max_all())
		drop_full(take(TAILQ_FIRST(&all)));
	return true;
}

static void hold(struct vti *v, unsigned af, struct rte_mbuf *m)
{
	struct hold *h = get(v, af);
	struct viaduct_acquire about;
	bool was_refused;

	if (h == NULL) {
		drop_full(m);
		return;
	}
	was_refused = h->refused;
	/* Packets behind the first need no answer of their own: they wait for the same SA. */
	h->refused = h->n == 0 && !acquire_describe(v, m, &about);
	if (h->refused) {
		host_unreachable(m, DROP_VTI_NO_SA);
		return;
	}
	if (!make_room(h) || !append(h, m)) {
		drop_full(m);
		return;
	}
	if (h->n == 1)
		ask(h, &about);
	if (was_refused)
		tell_workers(v);
}

void hold_packet(struct rte_mbuf *m)
{
	const struct host_tag *tag = host_tag(m);
	struct iface *iface = iface_by_id(tag->iface);
	struct vti *v = iface != NULL ? vti_by_iface(iface) : NULL;
	const unsigned af = AF_INDEX(*rte_pktmbuf_mtod(m, const uint8_t *) >> 4);

	if (v == NULL || !iface_has(iface, IFACE_UP))
		host_unreachable(m, DROP_VTI_DOWN);
	else if (atomic_load(&iface->sa_out[af]) != NULL)
		host_to_tunnel(m); /* the SA came while the packet was on its way here */
	else if (!listeners)
		host_unreachable(m, DROP_VTI_NO_SA);
	else
		hold(v, af, m);
}

static void release(struct hold *h)
{
	struct held *p;

	while ((p = TAILQ_FIRST(&h->packets)) != NULL)
		host_to_tunnel(take(p));
	ask_at_once(h);
	h->refused = false;
}

void hold_refresh(struct vti *v)
{
	for (unsigned af = 0; af < 2; af++) {
		if (v->hold[af] != NULL && atomic_load(&v->iface->sa_out[af]) != NULL)
			release(v->hold[af]);
	}
	tell_workers(v);
}

void hold_drop(struct vti *v)
{
	struct held *p;

	for (unsigned af = 0; af < 2; af++) {
		if (v->hold[af] == NULL)
			continue;
		while ((p = TAILQ_FIRST(&v->hold[af]->packets)) != NULL)
			host_unreachable(take(p), DROP_VTI_DOWN);
		ask_at_once(v->hold[af]);
	}
	tell_workers(v);
}

void hold_forget(struct vti *v)
{
	if (v->iface == NULL)
		return;
	hold_drop(v);
	for (unsigned af = 0; af < 2; af++) {
		free(v->hold[af]);
		v->hold[af] = NULL;
	}
}

void hold_listeners(void)
{
	const bool are = api_subscribed(VIADUCT_SUB_ACQUIRE);

	if (are == listeners)
		return;
	listeners = are;
	atomic_store_explicit(&host_hold_asks, are, memory_order_relaxed);
	for (struct vti *v = vti_first(); v != NULL; v = v->hh.next)
		tell_workers(v);
}

static void ask_again(const struct vti *v, struct hold *h)
{
	struct viaduct_acquire about;

	if (!ask_due(h))
		return;
	if (h->n == 0)
		h->ask_wait = 1; /* it is quiet */
	else if (acquire_describe(v, TAILQ_FIRST(&h->packets)->m, &about))
		ask(h, &about); /* else the policies have gone meanwhile */
}

void hold_tick(void)
{
	struct held *p;

	now++;
	hold_listeners();
	while ((p = TAILQ_FIRST(&all)) != NULL && now - p->since > HOLD_TICKS)
		host_unreachable(take(p), DROP_VTI_HOLD_TIMEOUT);
	for (struct vti *v = vti_first(); v != NULL; v = v->hh.next) {
		for (unsigned af = 0; af < 2; af++) {
			if (v->hold[af] != NULL)
				ask_again(v, v->hold[af]);
		}
		tell_workers(v);
	}
}

unsigned hold_count(const struct vti *v)
{
	unsigned n = 0;

	for (unsigned af = 0; af < 2; af++)
		n += v->hold[af] != NULL ? v->hold[af]->n : 0;
	return n;
}

uint64_t hold_drops(enum drop_reason reason)
{
	return reason == DROP_VTI_HOLD_FULL ? drops_full : 0;
}
