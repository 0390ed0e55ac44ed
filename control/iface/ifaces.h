/* SPDX-License-Identifier: BSD-3-Clause */
/* Interface ids and lookups shared by ports and VTIs. */
#ifndef VIADUCT_IFACES_H
#define VIADUCT_IFACES_H

#include "dataplane/iface.h"

/* For RTE_ETHER_ADDR_BYTES(), in the kernel's spelling. */
#define MAC_FMT "%02x:%02x:%02x:%02x:%02x:%02x"

/* Room for n_workers' counters; takes a free id. Not yet published. NULL: no id or no memory. */
struct iface *iface_new(enum iface_kind kind, const char *name, unsigned n_workers);
void iface_publish(struct iface *i);
/* Unpublish and free after RCU; whoever points to it (routes, SAs) must have let go. */
void iface_retire(struct iface *i);

struct iface *iface_by_name(const char *name);
struct iface *iface_by_kernel_ifindex(uint32_t ifindex);
/* Sum over the workers. */
void iface_stats_sum(const struct iface *i, struct iface_stats *sum);
void iface_set_flag(struct iface *i, enum iface_flag flag, bool on);

#endif
