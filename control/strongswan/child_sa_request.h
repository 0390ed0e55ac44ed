/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What charon asks for in add_sa() as a VIADUCT_SA_ADD request.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#ifndef CHILD_SA_REQUEST_H
#define CHILD_SA_REQUEST_H

#include <library.h>

#include <kernel/kernel_ipsec.h>
#include <viaduct_api.h>

/* FALSE, and a log line that names it, for anything Viaduct does not do. The request holds keys:
 * memwipe() it. */
bool child_sa_request(
	struct viaduct_sa *req, const kernel_ipsec_sa_id_t *id, const kernel_ipsec_add_sa_t *data);

#endif
