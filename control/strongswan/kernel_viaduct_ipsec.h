/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_ipsec_t over viaductd.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#ifndef KERNEL_VIADUCT_IPSEC_H
#define KERNEL_VIADUCT_IPSEC_H

#include <library.h>

#include <kernel/kernel_ipsec.h>

/* Never NULL: while viaductd is away requests fail, and it is looked for every second. */
kernel_ipsec_t *kernel_viaduct_ipsec_create(void);

#endif
