/* SPDX-License-Identifier: BSD-3-Clause */
/* A request to install an SA: is it sound, and what does it mean to the dataplane? */
#ifndef VIADUCT_SA_REQUEST_H
#define VIADUCT_SA_REQUEST_H

#include "control/err.h"
#include "dataplane/sa.h"

#include <viaduct_api.h>

/* Checks everything but algorithms, keys and duplicates. 0 or -EINVAL. */
int sa_request_check(const struct viaduct_sa *req, struct err *e);

/* The same for a change of ends. */
int sa_request_check_update(const struct viaduct_sa_update *u, struct err *e);
struct sa_ends sa_request_ends(const struct viaduct_sa_update *u, enum sa_dir dir);

/* sel: room for VIADUCT_SELECTORS_MAX. Keys and selectors stay where they are: use *p while they do. */
void sa_request_params(const struct viaduct_sa *req, struct sa_params *p, struct selector *sel);

/* Inner families of its selectors, enum sa_family; 0: it has none. */
unsigned sa_request_families(const struct viaduct_sa *req);

#endif
