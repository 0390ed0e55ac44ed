/* SPDX-License-Identifier: BSD-3-Clause */
/* libviaduct: talk to viaductd. One connection belongs to one thread, and calls do not nest: none may
 * be made from within a callback (-EBUSY).
 *
 * Calls block, but not for ever: -ETIMEDOUT when the daemon is silent for 30 seconds. A refusal by
 * the daemon (-EEXIST, -EINVAL ...) leaves the connection as good as before; once it is lost or out
 * of step every call fails with the same error: close it and open another. */
#ifndef VIADUCT_H
#define VIADUCT_H

#ifdef __cplusplus
extern "C" {
#endif

#include <viaduct_api.h>

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(default)

struct viaduct;

/* Connect and say HELLO as `name`. path NULL: VIADUCT_SOCKET, or $VIADUCT_SOCKET. Returns NULL and
 * sets errno; viaduct_error(NULL) then says what to do. */
struct viaduct *viaduct_open(const char *path, const char *name);
void viaduct_close(struct viaduct *v);

/* How long a call may wait for the daemon; 30 s if never set. */
void viaduct_set_timeout(struct viaduct *v, int ms);

/* The last failure in words: the daemon's own sentence where there is one. */
const char *viaduct_error(const struct viaduct *v);

/* Called per frame of a dump with one reply structure; not 0 ends it early with that value. */
typedef int (*viaduct_dump_cb)(const void *item, void *arg);

/* Called for events that arrive. type: VIADUCT_EVENT_*; data: its struct. */
typedef void (*viaduct_event_cb)(unsigned type, const void *data, void *arg);

/* One request, its answer awaited. req/rep: the structs that VIADUCT_MESSAGES declares for the type,
 * NULL where it is viaduct_none. 0, or a negative errno. Both buffers stay the caller's. */
int viaduct_call(struct viaduct *v, unsigned type, const void *req, void *rep);

/* A dump: cb for every item. 0, a negative errno, or what cb returned. */
int viaduct_dump(struct viaduct *v, unsigned type, const void *req, viaduct_dump_cb cb, void *arg);

/* Events: subscribe with VIADUCT_SUBSCRIBE, then wait up to timeout_ms (-1: for ever) for at least
 * one. Events that arrive during viaduct_call are kept and delivered here. Returns their number,
 * 0 on timeout, a negative errno when the connection is gone. */
int viaduct_events(struct viaduct *v, int timeout_ms, viaduct_event_cb cb, void *arg);

/* The socket, for poll(2): readable means events or end of connection. */
int viaduct_fd(const struct viaduct *v);

/* Size of a message's request or reply; -1 for an unknown type. */
int viaduct_request_size(unsigned type);
int viaduct_reply_size(unsigned type);
/* Size of an event's structure; -1 for an unknown one. */
int viaduct_event_size(unsigned type);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
