/* SPDX-License-Identifier: BSD-3-Clause */
/* What each message leads to. Prototypes come from the message list: a handler or check that is
 * missing does not link. */
#ifndef VIADUCT_API_HANDLERS_H
#define VIADUCT_API_HANDLERS_H

#include "control/api/api_server.h"

#include <viaduct_api.h>

/* Handlers have one signature, and few need all of it. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* handle_VTI_ADD() and so on, in the api_*.c of its group. */
#define X(name, number, req, rep, write, dump)                                                     \
	int handle_##name(struct api_client *c, const void *req_, void *rep_, struct err *e);
VIADUCT_MESSAGES(X)
#undef X

/* Requests that came together have been handled, and none was answered yet (api_route.c). */
void api_routes_commit(void);
/* route_add() or route_del() as such a request. */
int api_route_change(const struct viaduct_route *r,
	int (*change)(const struct viaduct_route *r, struct err *e), struct err *e);

/* check_viaduct_vti() and so on (api_check.c), run before any handler of a message that carries the
 * structure: strings end within their arrays, enums are known, addresses have a family, reserved
 * fields are zero. What depends on the daemon's state is left to those who own it. */
#define API_REQUESTS(X)                                                                            \
	X(viaduct_none)                                                                            \
	X(viaduct_hello)                                                                           \
	X(viaduct_subscribe)                                                                       \
	X(viaduct_snapshot)                                                                        \
	X(viaduct_vti)                                                                             \
	X(viaduct_name)                                                                            \
	X(viaduct_spi_alloc)                                                                       \
	X(viaduct_sa)                                                                              \
	X(viaduct_sa_id)                                                                           \
	X(viaduct_sa_update)                                                                       \
	X(viaduct_policy)                                                                          \
	X(viaduct_route)                                                                           \
	X(viaduct_route_lookup)                                                                    \
	X(viaduct_reload)

#define X(req) int check_##req(const void *req_, struct err *e);
API_REQUESTS(X)
#undef X

#endif
