/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/sa/sa_resume.h"

#include <errno.h>
#include <stdlib.h>
#include <uthash.h>

/* Workers that hold an outbound SA while it goes may send so many more packets with it. */
#define STILL_SENT 65536

struct key {
	struct viaduct_sa_id id;
	struct key_digest keys;
};

struct resume {
	struct key key;
	uint64_t first;
	UT_hash_handle hh;
};

static struct resume *gone;

int sa_resume_mark(struct sa_entry *s, const struct key_digest *keys)
{
	struct key_digest *copy = s->keys != NULL ? s->keys : malloc(sizeof(*copy));

	if (copy == NULL)
		return -ENOMEM;
	*copy = *keys;
	s->keys = copy;
	s->origin = VIADUCT_ORIGIN_CONFIG;
	return 0;
}

uint64_t sa_resume_after(const struct sa_entry *s)
{
	const struct sa *sa = s->sa;
	uint64_t next;

	if (sa->dir == SA_IN)
		return atomic_load(&sa->replay.top) + 1;
	next = atomic_load(&sa->seq);
	/* At the end of the number space it may send nothing more, nor may its successor. */
	return next <= sa->seq_max - STILL_SENT ? next + STILL_SENT : sa->seq_max;
}

static struct resume *find(const struct viaduct_sa_id *id, const struct key_digest *keys)
{
	const struct key key = {.id = *id, .keys = *keys};
	struct resume *r;

	HASH_FIND(hh, gone, &key, sizeof(key), r);
	return r;
}

void sa_resume_keep(struct sa_entry *s)
{
	struct resume *r;

	if (s->keys == NULL)
		return;
	r = find(&s->id, s->keys);
	if (r == NULL) {
		r = calloc(1, sizeof(*r));
		if (r != NULL) {
			r->key = (struct key){.id = s->id, .keys = *s->keys};
			HASH_ADD(hh, gone, key, sizeof(r->key), r);
		}
	}
	if (r != NULL)
		r->first = RTE_MAX(r->first, sa_resume_after(s));
	free(s->keys);
	s->keys = NULL;
}

uint64_t sa_resume_first(const struct viaduct_sa_id *id, const struct key_digest *keys)
{
	const struct resume *r = find(id, keys);

	return r != NULL ? r->first : 0;
}

void sa_resume_fini(void)
{
	struct resume *r, *next;

	HASH_ITER (hh, gone, r, next) {
		HASH_DEL(gone, r);
		free(r);
	}
}
