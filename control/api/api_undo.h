/* SPDX-License-Identifier: BSD-3-Clause */
/* Changes that can be taken back: what a batch is made of. */
#ifndef VIADUCT_API_UNDO_H
#define VIADUCT_API_UNDO_H

#include "control/routing/rib.h"
#include "control/sa/sadb.h"

#include <stdbool.h>

/* What it takes to undo one request. */
union api_undo {
	struct {
		struct viaduct_sa_id id;
		uint64_t spi_kept_until;
	} sa_add;
	struct sa_entry *sa_del;
	struct {
		struct viaduct_sa_id id;
		struct sa_former former;
	} sa_update;
	struct {
		struct viaduct_vti conf;
		bool reqid_auto;
	} vti;
	struct viaduct_name vti_name;
	struct viaduct_policy policy_add;
	struct {
		struct policy *policy;
		bool gone;
	} policy_del;
	struct {
		struct viaduct_route route;
		struct rib_route old;
		bool had;
	} route;
};

/* One kind of change. After do() has succeeded exactly one of undo() and keep() is called: undo() of
 * several in the reverse order. Neither can fail but for want of memory, which is logged. */
struct api_change {
	int (*run)(const void *req, void *rep, union api_undo *u, struct err *e);
	void (*undo)(union api_undo *u);
	void (*keep)(union api_undo *u); /* NULL: nothing left to do */
};

/* NULL: not a change, or one that cannot be taken back. */
const struct api_change *api_change(unsigned type);

#endif
