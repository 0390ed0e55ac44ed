/* SPDX-License-Identifier: BSD-3-Clause */
/* TCP MSS clamping: TCP through a tunnel works even where every ICMP message is lost. */
#ifndef VIADUCT_MSS_H
#define VIADUCT_MSS_H

#include "dataplane/pkt.h"

/* What iface->mss says besides "at most that". */
#define MSS_ANY    0
#define MSS_BY_MTU 1
#define MSS_LEAST  88 /* Linux, for one, uses no smaller one */

/* Packets on their way into a tunnel or out of one: lower what TCP's SYNs among them offer as MSS to
 * what the tunnel's iface->mss lets through. Worth a call where there is TCP among them. */
void mss_clamp(const struct iface *tunnel, struct pkt *p, unsigned n);

#endif
