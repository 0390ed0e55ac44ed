/* SPDX-License-Identifier: BSD-3-Clause */
/* What an IKE daemon is told about a packet that met a VTI without an outbound SA. */
#ifndef VIADUCT_ACQUIRE_H
#define VIADUCT_ACQUIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct_api.h>

struct vti;
struct rte_mbuf;

/* Describe an IP packet that was routed into v: addresses, ports, and the reqid to negotiate for.
 * False where nobody would: the VTI has policies, and none of them covers the packet.
 *
 * The reqid is that of the outbound policy which covers the packet, since an IKE daemon that installs
 * policies (strongSwan's traps) numbers them itself. A VTI without policies has its own. */
bool acquire_describe(const struct vti *v, struct rte_mbuf *m, struct viaduct_acquire *out);

/* Tell whoever subscribed. */
void acquire_raise(const struct viaduct_acquire *a);

#endif
