/* SPDX-License-Identifier: BSD-3-Clause */
/* A VTI's options (MSS, fragments, outer headers, reverse path) as the workers read them. */
#ifndef VIADUCT_VTI_OPTIONS_H
#define VIADUCT_VTI_OPTIONS_H

#include "control/err.h"
#include "dataplane/iface.h"

#include <viaduct_api.h>

/* The part that needs memory, made aside. *rules is NULL where SAs decide all. */
int vti_options_make(const struct viaduct_vti *conf, struct outer_rules **rules, struct err *e);

/* Cannot fail, and takes the rules; packets see the new options from their next turn on. */
void vti_options_apply(
	struct iface *iface, const struct viaduct_vti *conf, struct outer_rules *rules);

#endif
