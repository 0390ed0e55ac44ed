/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual tunnel interfaces: create, change, destroy. All callers (configuration, API) come here. */
#ifndef VIADUCT_VTI_H
#define VIADUCT_VTI_H

#include "control/err.h"
#include "dataplane/iface.h"

#include <uthash.h>
#include <viaduct_api.h>

struct twin;

struct vti {
	struct viaduct_vti conf; /* as asked for; reqid filled in when automatic */
	bool reqid_auto;
	uint32_t sas_in, sas_out; /* bound and live */
	struct iface *iface;
	struct twin *twin;
	UT_hash_handle hh; /* by name */
};

/* req->fields says what is set; name is always needed. Makes the kernel twin too. On success *out
 * (may be NULL) is the VTI. Errors: EEXIST, EINVAL, ENOSPC, the kernel's. */
int vti_add(const struct viaduct_vti *req, struct vti **out, struct err *e);
int vti_set(const struct viaduct_vti *req, struct vti **out, struct err *e);
int vti_del(const char *name, struct err *e);

struct vti *vti_by_name(const char *name);
struct vti *vti_by_iface(const struct iface *iface);
struct vti *vti_first(void); /* then ->hh.next */
unsigned vti_count(void);
void vti_fill_info(const struct vti *v, struct viaduct_vti_info *info);

/* The best VTI for an SA or policy with these properties, or NULL. if_id decides if not 0, else
 * mark, else reqid; a VTI's own local and remote, where given, must match (local/remote: the outer
 * addresses as seen from here). */
struct vti *vti_match(uint32_t if_id, uint32_t mark, uint32_t reqid, const struct addr *local,
	const struct addr *remote);

/* SAs were bound or unbound, or the path MTU changed: work out carrier and MTU again and tell the
 * twin, the workers and the subscribers. */
void vti_refresh(struct vti *v);

/* The kernel's side of the twin changed (netlink.c): admin state, MTU set by hand, a capture. */
void vti_kernel_link(struct vti *v, bool up, uint32_t mtu, bool promisc);

void vti_fini(void);

#endif
