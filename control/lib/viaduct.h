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

/* Called for each item of a snapshot. type: VIADUCT_VTI_DUMP, VIADUCT_SA_DUMP ...; item: what that dump
 * has. Not 0 ends it early with that value. */
typedef int (*viaduct_snapshot_cb)(unsigned type, const void *item, void *arg);

/* Several dumps of one moment. kinds: enum viaduct_snapshot_kind, 0: all. Events that come later tell
 * what changed since; those that came before are in it. */
int viaduct_snapshot(struct viaduct *v, unsigned kinds, viaduct_snapshot_cb cb, void *arg);

/* Many requests without awaiting each answer. */

struct viaduct_answer {
	unsigned type;     /* of the request */
	int status;        /* 0 or a negative errno */
	const char *error; /* the daemon's sentence; "" with status 0 */
	const void *reply; /* the reply structure; NULL where refused */
};

/* Called once for every request that viaduct_send() took, in their order. */
typedef void (*viaduct_reply_cb)(const struct viaduct_answer *answer, void *arg);

/* Send a request (no dump) and go on; it may wait here for answers when very many are under way. cb
 * may be NULL; req is copied, and the copy wiped. 0, or a negative errno: not sent, cb not called. */
int viaduct_send(struct viaduct *v, unsigned type, const void *req, viaduct_reply_cb cb, void *arg);

/* Wait for all answers. Returns how many requests were refused since the last time, or a negative
 * errno when the connection is gone: what was not answered then was called back with it. A
 * viaduct_call() or viaduct_dump() does this first. */
int viaduct_flush(struct viaduct *v);

/* All or nothing: what viaduct_send() sends between begin and commit happens as one, or not at all.
 * Answers come at the commit, so that calls and dumps are refused (-EBUSY) until then. viaduct_commit()
 * returns 0, or the errno of the request that failed: viaduct_error() names it and says why. */
int viaduct_begin(struct viaduct *v);
int viaduct_commit(struct viaduct *v);
int viaduct_abort(struct viaduct *v);

/* Events: subscribe with VIADUCT_SUBSCRIBE, then wait up to timeout_ms (-1: for ever) for at least
 * one. Events that arrive during other calls are kept and delivered here; answers that arrive here
 * are called back. Returns the number of events, 0 on timeout, a negative errno when the connection
 * is gone. */
int viaduct_events(struct viaduct *v, int timeout_ms, viaduct_event_cb cb, void *arg);

/* The socket, for poll(2): readable means events or end of connection. */
int viaduct_fd(const struct viaduct *v);

/* VIADUCT_API_MINOR of the daemon: what was added later than that it does not know. */
unsigned viaduct_minor(const struct viaduct *v);

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
