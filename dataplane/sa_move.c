/* SPDX-License-Identifier: BSD-3-Clause */
/* An SA's ends change while packets flow. No packet is lost, no sequence number is used twice or left
 * out, and what was received once is not received again. */
#include "dataplane/esp.h"
#include "dataplane/sa.h"

#include <rte_malloc.h>

void sa_forget_old_ends(struct sa *sa)
{
	uint8_t now = atomic_load_explicit(&sa->ends_state, memory_order_relaxed) & SA_ENDS_SECOND;

	__atomic_store_n(&sa->ends[!now].dst.family, IP_NONE, __ATOMIC_RELAXED);
	atomic_store_explicit(&sa->ends_state, now, memory_order_relaxed);
}

/* A worker that finds the family finds the address. */
static void write_ends(struct sa_ends *to, const struct sa_ends *ends)
{
	to->src = ends->src;
	memcpy(to->dst.v6, ends->dst.v6, sizeof(to->dst.v6));
	to->sport = ends->sport;
	to->dport = ends->dport;
	to->flags = ends->flags;
	__atomic_store_n(&to->dst.family, ends->dst.family, __ATOMIC_RELEASE);
}

void sa_set_ends(struct sa *sa, const struct sa_ends *ends)
{
	uint8_t now = atomic_load_explicit(&sa->ends_state, memory_order_relaxed) & SA_ENDS_SECOND;

	write_ends(&sa->ends[!now], ends);
	atomic_store_explicit(
		&sa->ends_state, (now ^ SA_ENDS_SECOND) | SA_ENDS_OLD, memory_order_release);
}

void sa_set_old_ends(struct sa *sa, const struct sa_ends *ends)
{
	uint8_t now = atomic_load_explicit(&sa->ends_state, memory_order_relaxed) & SA_ENDS_SECOND;

	write_ends(&sa->ends[!now], ends);
	atomic_store_explicit(&sa->ends_state, now | SA_ENDS_OLD, memory_order_release);
}

/* What doesn't depend on the ends. */
static void copy_nature(struct sa *sa, const struct sa *old)
{
	sa->spi = old->spi;
	sa->spi_be = old->spi_be;
	sa->dir = old->dir;
	sa->cipher = old->cipher;
	sa->auth = old->auth;
	sa->iv_len = old->iv_len;
	sa->icv_len = old->icv_len;
	sa->align = old->align;
	sa->salt = old->salt;
	sa->worker_count = old->worker_count;
	sa->key = old->key;
	sa->lookaside = old->lookaside;
	atomic_init(&sa->expired, old->expired);
	atomic_init(&sa->vti, old->vti);
	/* `seq` stays 0 until it is handed over. */
	sa->seq_max = old->seq_max;
}

struct sa *sa_move(const struct sa *old, const struct sa_ends *ends)
{
	size_t size = sizeof(struct sa) + old->worker_count * sizeof(struct sa_worker);
	struct sa *sa = rte_zmalloc("sa", size, RTE_CACHE_LINE_SIZE);

	if (sa == NULL)
		return NULL;
	copy_nature(sa, old);
	sa->flags = (old->flags & ~SA_UDP_ENCAP) | (ends->flags & SA_UDP_ENCAP);
	sa->family = ends->dst.family;
	sa->ends[0] = *ends;
	atomic_init(&sa->path_mtu, UINT16_MAX); /* it is another way */
	esp_build_template(sa);
	return sa;
}

void sa_moved(struct sa *old, struct sa *new)
{
	old->moved_to = new;
	atomic_store_explicit(&old->expired, SA_MOVED, memory_order_release);
}
