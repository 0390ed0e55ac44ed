/* SPDX-License-Identifier: BSD-3-Clause */
/* What a VTI would be with a request applied, and which two can't be told apart. */
#ifndef VIADUCT_VTI_PLAN_H
#define VIADUCT_VTI_PLAN_H

#include "control/iface/vti.h"

/* self NULL: a new one. Changes nothing. That no other one has the same key is not checked. */
int vti_plan(const struct viaduct_vti *req, const struct vti *self, struct viaduct_vti *conf,
	bool *reqid_auto, struct err *e);

/* With an if_id or a mark that key decides, so that automatic reqids tell nothing apart. */
bool vti_same_key(
	const struct viaduct_vti *a, bool a_auto, const struct viaduct_vti *b, bool b_auto);

/* Does any but self have the same key? */
int vti_check_unique(
	const struct viaduct_vti *c, bool reqid_auto, const struct vti *self, struct err *e);

#endif
