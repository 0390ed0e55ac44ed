/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events become calls of charon's kernel interface, which queue jobs and return.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#include "events.h"
#include "convert.h"

#include <daemon.h>

void event_expire(const struct viaduct_sa_id *id, bool hard)
{
	host_t *dst = host_from_addr(&id->dst, 0);

	charon->kernel->expire(charon->kernel, IPPROTO_ESP, htonl(id->spi), dst, hard);
	dst->destroy(dst);
}

void event_acquire(const struct viaduct_acquire *acquire)
{
	kernel_acquire_data_t data = {
		.src = selector_from_acquire(acquire, TRUE),
		.dst = selector_from_acquire(acquire, FALSE),
	};

	charon->kernel->acquire(charon->kernel, acquire->reqid, &data);
	data.src->destroy(data.src);
	data.dst->destroy(data.dst);
}

void event_mapping(const struct viaduct_mapping *mapping)
{
	host_t *dst = host_from_addr(&mapping->id.dst, 0);
	host_t *remote = host_from_addr(&mapping->new_src, mapping->new_port);

	charon->kernel->mapping(charon->kernel, IPPROTO_ESP, htonl(mapping->id.spi), dst, remote);
	remote->destroy(remote);
	dst->destroy(dst);
}
