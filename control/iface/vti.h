/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual tunnel interfaces: create, change, destroy. All callers (configuration, API) come here. */
#ifndef VIADUCT_VTI_H
#define VIADUCT_VTI_H

#include "control/err.h"
#include "dataplane/iface.h"

#include <sys/queue.h>
#include <uthash.h>
#include <viaduct_api.h>

struct twin;

struct sa_entry;
struct hold;

/* The twin's MTU: what we asked the kernel for, and what it may still be telling us about. */
struct vti_mtu {
	uint32_t asked;
	uint32_t earlier[4]; /* values before `asked` whose notification may be under way */
	unsigned n_earlier;
	bool warned; /* below IPv6's minimum */
};

struct vti {
	struct viaduct_vti conf; /* as asked for; reqid filled in when automatic */
	bool reqid_auto;
	uint8_t origin;           /* enum viaduct_origin: API, or CONFIG */
	bool admin_asked;         /* of the kernel, whose word has not come yet */
	bool changed;             /* since the last event */
	uint32_t sas_in, sas_out; /* bound and live */
	struct sa_entry *sas;     /* bound, oldest first (sa_bind.c) */
	/* Live outbound ones by family, newest first. */
	LIST_HEAD(, sa_entry) senders[2];
	struct hold *hold[2]; /* packets that wait for an SA, by family (hold.c); NULL: none did */
	struct vti_mtu mtu;
	struct iface *iface;
	struct twin *twin;
	UT_hash_handle hh; /* by name */
	/* By what an SA may be matched with (vti_match.c). */
	LIST_ENTRY(vti) same_if_id, same_mark, same_reqid;
};

/* req->fields says what is set; name is always needed. Makes the kernel twin too. On success *out
 * (may be NULL) is the VTI. Errors: EEXIST, EINVAL, ENOSPC, the kernel's. */
int vti_add(const struct viaduct_vti *req, struct vti **out, struct err *e);
int vti_set(const struct viaduct_vti *req, struct vti **out, struct err *e);
int vti_del(const char *name, struct err *e);
/* Back to settings that it had before. */
int vti_restore(struct vti *v, const struct viaduct_vti *conf, bool reqid_auto, struct err *e);

struct vti *vti_by_name(const char *name);
struct vti *vti_by_iface(const struct iface *iface);
struct vti *vti_first(void); /* then ->hh.next */
unsigned vti_count(void);
void vti_fill_info(const struct vti *v, struct viaduct_vti_info *info);

/* What an SA or policy says about the VTI it belongs to. local, remote: the outer addresses as seen
 * from here; IP_NONE matches no VTI that names one. mask 0: exact. */
struct vti_key {
	uint32_t if_id, mark, mark_mask, reqid;
	struct addr local, remote;
};

/* The best VTI for such a key, or NULL. if_id decides if not 0, else mark, else reqid; a VTI's own
 * local and remote, where given, must match. Of several the one that agrees in more wins. A VTI with
 * neither if_id, mark nor a reqid of its own takes what runs between exactly its two ends. */
struct vti *vti_match(const struct vti_key *key);

/* Make vti_match() find it, or no more. Not while its if_id, mark or reqid changes: take it out
 * before and put it in afterwards. */
void vti_match_insert(struct vti *v);
void vti_match_remove(struct vti *v);

/* SAs were bound or unbound, or the path MTU changed: work out carrier and MTU again and tell the
 * twin, the workers and the subscribers. */
void vti_refresh(struct vti *v);

/* The kernel's side of the twin changed (netlink.c): admin state, MTU set by hand, a capture. */
void vti_kernel_link(struct vti *v, bool up, uint32_t mtu, bool promisc);

void vti_fini(void);

#endif
