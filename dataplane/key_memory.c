/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys of one size stand side by side in chunks of DPDK's memory: locked and kept out of core files as
 * a whole, of which a page alone would cost a mapping each. A chunk is what a huge page is, and aligned
 * like one, so that its being a mapping of its own splits none. */
#include "dataplane/key_memory.h"

#include <rte_common.h>
#include <rte_malloc.h>

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>

#define CHUNK     ((size_t)2 << 20)
#define SIZES_MAX 4 /* an SA has a key schedule alone, or with an HMAC's states */

/* At the start of its chunk. */
struct chunk {
	LIST_ENTRY(chunk) link; /* where there is room */
	struct key_size *of;
	void *freed;  /* linked by their first bytes */
	size_t fresh; /* offset of what was never used */
	unsigned used;
} __rte_cache_aligned;

struct key_size {
	size_t stride;
	LIST_HEAD(, chunk) room;
};

static struct key_size sizes[SIZES_MAX];

/* An odd number of cache lines: a stride of 1 KiB would put the lines that every packet needs of
 * every key into the same four sets of the first-level cache. */
static size_t stride_of(size_t size)
{
	return ((size + RTE_CACHE_LINE_SIZE - 1) / RTE_CACHE_LINE_SIZE | 1) * RTE_CACHE_LINE_SIZE;
}

static struct key_size *size_find(size_t size)
{
	const size_t stride = stride_of(size);

	for (unsigned i = 0; i < SIZES_MAX; i++) {
		if (sizes[i].stride == 0)
			sizes[i].stride = stride;
		if (sizes[i].stride == stride)
			return &sizes[i];
	}
	return NULL;
}

/* What the system does not let us do is not the SA's fault; control/secrets.c says so at the start. */
static struct chunk *chunk_new(struct key_size *of)
{
	struct chunk *c = rte_malloc("key_memory", CHUNK, CHUNK);

	if (c == NULL)
		return NULL;
	(void)!mlock2(c, CHUNK, MLOCK_ONFAULT);
	(void)!madvise(c, CHUNK, MADV_DONTDUMP);
	*c = (struct chunk){.of = of, .fresh = sizeof(*c)};
	LIST_INSERT_HEAD(&of->room, c, link);
	return c;
}

static bool is_full(const struct chunk *c)
{
	return c->freed == NULL && c->fresh + c->of->stride > CHUNK;
}

static void *take(struct chunk *c)
{
	void *key = c->freed;

	if (key != NULL) {
		memcpy(&c->freed, key, sizeof(c->freed));
	} else {
		key = (uint8_t *)c + c->fresh;
		c->fresh += c->of->stride;
	}
	if (is_full(c))
		LIST_REMOVE(c, link);
	c->used++;
	return memset(key, 0, c->of->stride);
}

void *key_memory_alloc(size_t size)
{
	struct key_size *of = size_find(size);
	struct chunk *c;

	if (of == NULL)
		return NULL;
	c = LIST_FIRST(&of->room);
	if (c == NULL)
		c = chunk_new(of);
	return c != NULL ? take(c) : NULL;
}

void key_memory_free(void *key)
{
	struct chunk *c = RTE_PTR_ALIGN_FLOOR(key, CHUNK);
	struct key_size *of = c->of;

	explicit_bzero(key, of->stride);
	if (is_full(c))
		LIST_INSERT_HEAD(&of->room, c, link);
	memcpy(key, &c->freed, sizeof(c->freed));
	c->freed = key;
	/* The last chunk with room stays, lest one SA that comes and goes make and free it each time. */
	if (--c->used > 0 || (LIST_FIRST(&of->room) == c && LIST_NEXT(c, link) == NULL))
		return;
	LIST_REMOVE(c, link);
	rte_free(c);
}
