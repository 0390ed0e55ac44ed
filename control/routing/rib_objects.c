/* SPDX-License-Identifier: BSD-3-Clause */
/* Which of the kernel's next-hop objects routes use. When one of these changes, the kernel changes
 * or drops routes without a word about them, so netlink.c has to read them again; FRR makes and
 * deletes many that no route uses, which must cost nothing. */
#include "control/routing/rib_entry.h"

#include <stdlib.h>

struct object {
	uint32_t id;
	uint32_t refs;
	UT_hash_handle hh;
};

static struct object *objects;

static struct object *find(uint32_t id)
{
	struct object *o;

	HASH_FIND(hh, objects, &id, sizeof(id), o);
	return o;
}

void rib_object_ref(uint32_t id)
{
	struct object *o = id == 0 ? NULL : find(id);

	if (id != 0 && o == NULL) {
		o = calloc(1, sizeof(*o));
		if (o == NULL)
			return;
		o->id = id;
		HASH_ADD(hh, objects, id, sizeof(o->id), o);
	}
	if (o != NULL)
		o->refs++;
}

void rib_object_unref(uint32_t id)
{
	struct object *o = id == 0 ? NULL : find(id);

	if (o == NULL || --o->refs > 0)
		return;
	HASH_DEL(objects, o);
	free(o);
}

bool rib_uses_object(uint32_t id)
{
	return find(id) != NULL;
}
