/* SPDX-License-Identifier: BSD-3-Clause */
/* The Unix socket: clients, framing, dispatch, events. Handlers are in api_*.c, one per group. */
#ifndef VIADUCT_API_SERVER_H
#define VIADUCT_API_SERVER_H

#include "control/err.h"

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct api_client;

/* Bind the socket (mode and group: api_access.h; a stale one is replaced, a live one means
 * EADDRINUSE). */
int api_start(struct event_base *base, const char *path, struct err *e);
void api_stop(void);

/* A handler gets a request of exactly the declared size and answers by returning: 0 with the reply
 * struct filled (zeroed before), or a negative errno with *e. Dump handlers call api_item() per item
 * instead. */
typedef int (*api_handler)(struct api_client *c, const void *req, void *rep, struct err *e);

/* Queue one item of the dump being answered. Not 0: the client is gone, stop. */
int api_item(struct api_client *c, const void *item);

/* Send an event to every client subscribed to `mask` (enum viaduct_event_mask). */
void api_event(unsigned mask, unsigned type, const void *data, size_t len);

/* Kernel devices of VTIs are gone: answers that waited for it are sent. */
void api_devices_closed(void);

/* Once a second: who wants to know of drops is told. */
void api_tick(void);

/* Does any client want such events? */
bool api_subscribed(unsigned mask);

unsigned api_client_count(void);

#endif
