/* SPDX-License-Identifier: BSD-3-Clause */
/* The routing table's entries by prefix: found exactly, by longest match, or one after another. */
#include "control/routing/rib_entry.h"

#include "control/routing/prefix.h"

#include <stdlib.h>

static struct rib_entry *entries;
static uint32_t n_by_len[2][129]; /* entries of each length: which ones a lookup must try */
static bool sorted;

struct rib_entry *rib_find(const struct addr *prefix, uint8_t len)
{
	struct rib_entry key = {.prefix = *prefix, .len = len}, *e;

	HASH_FIND(hh, entries, &key.prefix, RIB_KEY_LEN, e);
	return e;
}

struct rib_entry *rib_first(void)
{
	return entries;
}

struct rib_entry *rib_entry_get(const struct addr *prefix, uint8_t len)
{
	struct rib_entry *e = rib_find(prefix, len);

	if (e != NULL)
		return e;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return NULL;
	e->prefix = *prefix;
	e->len = len;
	HASH_ADD(hh, entries, prefix, RIB_KEY_LEN, e);
	n_by_len[AF_INDEX(prefix->family)][len]++;
	sorted = false;
	return e;
}

void rib_entry_free(struct rib_entry *e)
{
	HASH_DEL(entries, e);
	n_by_len[AF_INDEX(e->prefix.family)][e->len]--;
	free(e);
}

static int by_prefix(const struct rib_entry *a, const struct rib_entry *b)
{
	int diff = a->prefix.family - b->prefix.family;

	if (diff == 0)
		diff = memcmp(a->prefix.v6, b->prefix.v6, sizeof(a->prefix.v6));
	return diff != 0 ? diff : a->len - b->len;
}

void rib_sort(void)
{
	if (!sorted)
		HASH_SORT(entries, by_prefix);
	sorted = true;
}

struct rib_entry *rib_longest(
	const struct addr *a, int len, bool (*want)(const struct rib_entry *e))
{
	const uint32_t *n = n_by_len[AF_INDEX(a->family)];

	for (; len >= 0; len--) {
		struct addr prefix;
		struct rib_entry *e;

		if (n[len] == 0)
			continue;
		prefix = prefix_of(a, len);
		e = rib_find(&prefix, len);
		if (e != NULL && want(e))
			return e;
	}
	return NULL;
}

struct rib_entry *rib_around(
	const struct rib_entry *e, bool (*want)(const struct rib_entry *around))
{
	return rib_longest(&e->prefix, (int)e->len - 1, want);
}
