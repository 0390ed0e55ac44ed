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

struct viaduct {
	int fd;
	int timeout_ms; /* of one request's sending, and of each frame of its answer */
	int broken;     /* negative errno for every further call; 0: good */
	bool busy;      /* inside a call */
	uint32_t last_id;
	unsigned n_events;
	struct kept_event *events, **events_tail;
	size_t in_start, in_end; /* received and not yet taken: in[in_start .. in_end) */
	unsigned char in[2 * FRAME_MAX];
	char error[64 + VIADUCT_ERROR_LEN];
};

struct frame {
	struct viaduct_msg msg;
	const void *data; /* good until the next frame is asked for */
};

bool message_is_dump(unsigned type);

/* Note the sentence; returns -code. viaduct_break() also ends the connection's usefulness. */
int viaduct_fail(struct viaduct *v, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int viaduct_break(struct viaduct *v, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

int frame_send(struct viaduct *v, const struct viaduct_msg *msg, const void *data);

/* 1: *f is the next frame; 0: none within timeout_ms (-1: wait for ever); or a negative errno. */
int frame_receive(struct viaduct *v, struct frame *f, int timeout_ms);

#endif
