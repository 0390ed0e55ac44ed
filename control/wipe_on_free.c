/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductd's free(3) and realloc(3): whatever is given back is zeros. Our own code wipes keys where it
 * is done with them; the buffers in which libconfig's scanner, stdio and libevent had seen them are
 * theirs, and are freed as they are. Workers don't allocate, so the fast path pays nothing. */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void free(void *p)
{
	static void (*next)(void *);
	const int kept = errno;

	if (p == NULL)
		return;
	if (next == NULL)
		next = (void (*)(void *))dlsym(RTLD_NEXT, "free");
	explicit_bzero(p, malloc_usable_size(p));
	next(p);
	errno = kept;
}

void *realloc(void *old, size_t size)
{
	const size_t had = old != NULL ? malloc_usable_size(old) : 0;
	void *p;

	if (old != NULL && size == 0) {
		free(old);
		return NULL;
	}
	if (size <= had && size >= had / 2)
		return old;
	p = malloc(size);
	if (p == NULL || old == NULL)
		return p;
	memcpy(p, old, had < size ? had : size);
	free(old);
	return p;
}
