/* SPDX-License-Identifier: BSD-3-Clause */
/* A VTI's MTU: computed from the path and the SA, unless set by hand. */
#ifndef VIADUCT_VTI_MTU_H
#define VIADUCT_VTI_MTU_H

#include "control/iface/vti.h"

#define VTI_MTU_MIN 68 /* RFC 791; IPv6 inside needs 1280 */
#define VTI_MTU_MAX 65535

/* The largest inner packet that fits the path in one piece, or that the link takes where packets are
 * cut after encryption. Without an outbound SA an estimate: that of AES-GCM without UDP encapsulation. */
uint32_t vti_mtu_compute(const struct vti *v);

/* The largest outer packet for the path; *expires: see path_mtu_expires(). */
uint32_t vti_mtu_path(const struct vti *v, uint32_t *expires);
bool vti_mtu_goes_to(const struct vti *v, const struct addr *peer);

/* Bring interface and twin to the configured or computed MTU. True when it changed. */
bool vti_mtu_apply(struct vti *v);

/* The kernel was asked for this MTU and has agreed. */
void vti_mtu_asked(struct vti *v, uint32_t mtu);

/* The kernel says the twin's MTU is this: did somebody else set it? */
bool vti_mtu_by_hand(struct vti *v, uint32_t mtu);

#endif
