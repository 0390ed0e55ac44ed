/* SPDX-License-Identifier: BSD-3-Clause */
/* Tells who subscribed when packets of one reason are dropped faster than a threshold of its own, and
 * when that is over: at less than half of it, so that a rate which hovers there is told of once. */
#include "control/api/api_client.h"
#include "control/daemon.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_PER_SECOND 100

static uint64_t last[DROP_REASON_COUNT], last_ns;

void api_drops_subscribe(struct api_client *c, uint32_t per_second)
{
	c->drops_per_second = per_second != 0 ? per_second : DEFAULT_PER_SECOND;
	memset(c->drops_over, 0, sizeof(c->drops_over));
}

static void tell(struct api_client *c, unsigned reason, uint64_t rate, bool over)
{
	struct viaduct_drops ev = {
		.reason = reason,
		.over = over,
		.per_second = rate,
		.packets = last[reason],
		.threshold = c->drops_per_second,
	};

	c->drops_over[reason] = over;
	snprintf(ev.name, sizeof(ev.name), "%s", drop_name(reason));
	api_event_to(c, VIADUCT_EVENT_DROPS, &ev, sizeof(ev));
}

static void compare(unsigned reason, uint64_t rate)
{
	struct api_client *c;

	LIST_FOREACH (c, &api_clients, link) {
		if (!(c->subscribed & VIADUCT_SUB_DROPS))
			continue;
		if (!c->drops_over[reason] && rate > c->drops_per_second)
			tell(c, reason, rate, true);
		else if (c->drops_over[reason] && rate * 2 < c->drops_per_second)
			tell(c, reason, rate, false);
	}
}

void api_tick(void)
{
	const uint64_t now_ns = monotonic_ns(), elapsed = now_ns - last_ns;
	const bool first = last_ns == 0;
	uint64_t sum, added;

	if (elapsed == 0)
		return;
	last_ns = now_ns;
	for (unsigned i = 0; i < DROP_REASON_COUNT; i++) {
		sum = drop_sum(i);
		added = sum - last[i];
		last[i] = sum;
		/* The tick may be late: packets per second, not per tick. */
		if (!first)
			compare(i, (uint64_t)((double)added * 1e9 / elapsed));
	}
}
