/* SPDX-License-Identifier: BSD-3-Clause */
/* One connection to the API socket: its buffers, its place in the protocol. */
#ifndef VIADUCT_API_CLIENT_H
#define VIADUCT_API_CLIENT_H

#include "control/api/api_server.h"
#include "dataplane/drop.h"

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <viaduct_api.h>

struct event;
struct evbuffer;

/* Bounds of what one client can make the daemon hold or do. */
#define API_CLIENTS_MAX   64
#define API_UID_CLIENTS   16            /* of one user other than root */
#define API_TURN_MAX      64            /* requests answered before others get their turn, */
#define API_TURN_US       2000          /* or so much time spent on them */
#define API_QUEUE_HIGH    (256 * 1024)  /* unread answers above which no request is taken */
#define API_EVENTS_MAX    (1024 * 1024) /* unread bytes above which an event closes the client */
#define API_DUMPS_MAX     (128u << 20)  /* unread bytes of all clients above which no dump starts */
#define API_STALL_SECONDS 10            /* without reading any, or without HELLO */

struct api_client {
	LIST_ENTRY(api_client) link;
	int fd;
	struct ucred peer;
	char name[32]; /* as it said in HELLO */
	bool hello;
	bool writable; /* may change things */
	bool closing;  /* takes no more requests; freed once its answers are sent */
	bool doomed;   /* freed at its next turn */
	uint32_t subscribed;
	struct event *read, *write, *again; /* again: more frames are here, or doomed */
	struct evbuffer *out;
	uint64_t closings;       /* nothing is sent before these devices are gone (twin_closer.h) */
	size_t dump_bytes;       /* queued by a dump: not held against the client */
	struct api_batch *batch; /* open; NULL: none */
	uint64_t began_ns;       /* when the frame began that is not complete; 0: there is none */
	uint32_t drops_per_second;
	uint8_t drops_over[DROP_REASON_COUNT]; /* reasons above it: api_drops.c */
	struct viaduct_msg now;                /* request being answered */
	size_t in_len;
	uint8_t in[sizeof(struct viaduct_msg) + VIADUCT_MSG_MAX];
};

LIST_HEAD(api_client_list, api_client);
extern struct api_client_list api_clients;

/* Takes over fd (connected, non-blocking). NULL on no memory, fd closed. */
struct api_client *api_client_new(struct event_base *base, int fd, const struct ucred *peer);
void api_client_free(struct api_client *c);

/* Queue a frame; then the socket takes what it can when it can. 0 or -ENOMEM (client doomed). */
int api_client_send(struct api_client *c, const struct viaduct_msg *msg, const void *data);
/* Keep back what is queued until all devices that VTIs had are gone from the kernel: the next requests
 * are served meanwhile, other clients too. */
void api_client_await_closings(struct api_client *c);
size_t api_client_queued(const struct api_client *c);

/* Say why, answer nothing else, close: an error of the whole connection (id 0). */
void api_client_refuse(struct api_client *c, int code, const char *text);
/* Close at its next turn, from wherever this is called. */
void api_client_doom(struct api_client *c);

/* Answer a request: the reply structure, or a refusal with *e. */
void api_answer(struct api_client *c, const struct viaduct_msg *msg, int ret, const void *rep,
	const struct err *e);
/* "SA_ADD"; "?" where there is none. */
const char *api_message_name(unsigned type);

/* api_events.c: between hold and release events wait; they come where it happened, else not at all. */
void api_events_hold(void);
void api_events_release(bool happened);
void api_events_stop(void);
void api_event_to(struct api_client *c, unsigned type, const void *data, size_t len);

/* api_drops.c: the rate from which the client wants to know; 0: the default. */
void api_drops_subscribe(struct api_client *c, uint32_t per_second);

/* Answer one whole request (api_dispatch.c). The frame's bytes are wiped by the caller. */
void api_dispatch(struct api_client *c, const struct viaduct_msg *msg, const uint8_t *payload);

#endif
