/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames over the socket; what request.c builds calls from. */
#ifndef VIADUCT_CONNECTION_H
#define VIADUCT_CONNECTION_H

#include "viaduct.h"

#define FRAME_MAX (sizeof(struct viaduct_msg) + VIADUCT_MSG_MAX)

struct kept_event {
	struct kept_event *next;
	unsigned type;
	unsigned char data[];
};

/* A request that was sent and not yet answered. */
struct pending {
	uint32_t id;
	uint16_t type;
	viaduct_reply_cb cb;
	void *arg;
};

/* More than a batch may hold, so that one always fits. */
#define PIPELINE_MAX 2048
#define PIPELINE_OUT (128 * 1024)

/* Requests under way (pipeline.c). */
struct pipeline {
	struct pending pending[PIPELINE_MAX]; /* in order, from `first` */
	unsigned first, count;
	unsigned refused; /* since the last flush */
	bool in_batch;
	int commit_status;
	size_t out_start, out_end; /* not yet written: out[out_start .. out_end) */
	unsigned char out[PIPELINE_OUT];
};

struct viaduct {
	int fd;
	int timeout_ms; /* of one request's sending, and of each frame of its answer */
	int broken;     /* negative errno for every further call; 0: good */
	bool busy;      /* inside a call */
	uint32_t last_id;
	unsigned minor;            /* the daemon's VIADUCT_API_MINOR */
	struct pipeline *pipeline; /* NULL until something is pipelined */
	unsigned n_events;
	struct kept_event *events, **events_tail;
	size_t in_start, in_end; /* received and not yet taken: in[in_start .. in_end) */
	unsigned char in[4 * FRAME_MAX];
	uint64_t payload[VIADUCT_MSG_MAX / 8]; /* of a reply or event, aligned and filled up */
	char error[64 + VIADUCT_ERROR_LEN];
};

struct frame {
	struct viaduct_msg msg;
	const void *data; /* good until the next frame is asked for */
};

bool message_is_dump(unsigned type);
/* Bytes of a reply or event without which it is none. */
size_t message_reply_base(unsigned type);
/* Bytes of a request that must travel. */
size_t message_request_len(unsigned type, const void *req);

/* Note the sentence; returns -code. viaduct_break() also ends the connection's usefulness. */
int viaduct_fail(struct viaduct *v, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int viaduct_break(struct viaduct *v, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

int frame_send(struct viaduct *v, const struct viaduct_msg *msg, const void *data);

/* Readable: 1; deadline passed: 0. */
int connection_wait(int fd, short events, int timeout_ms);

/* 1: *f is the next frame; 0: none within timeout_ms (-1: wait for ever); or a negative errno. */
int frame_receive(struct viaduct *v, struct frame *f, int timeout_ms);

/* request.c: a frame's payload as a structure of `size` bytes; NULL where it cannot be one. */
const void *frame_payload(struct viaduct *v, const struct frame *f, unsigned size);
int event_keep(struct viaduct *v, const struct frame *f);
/* The daemon's refusal as the caller's error. One with id 0 is about the whole connection. */
int frame_refusal(struct viaduct *v, const struct frame *f);
/* May a request of this type be sent now? */
int request_check(struct viaduct *v, unsigned type, bool dump, const void *req);
uint32_t request_id(struct viaduct *v);

/* pipeline.c: the answer to a pipelined request came. */
int pipeline_answer(struct viaduct *v, const struct frame *f);
bool pipeline_waits(const struct viaduct *v);
/* Before a call that awaits its answer: all others first. */
int pipeline_settle(struct viaduct *v);
/* Write what can be written now. */
int pipeline_push(struct viaduct *v);
void pipeline_free(struct viaduct *v);

#endif
