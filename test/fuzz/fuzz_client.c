/* SPDX-License-Identifier: BSD-3-Clause */
/* libviaduct against a server that means harm. The first bytes are what the client does, up to a zero; the
 * others all that the server ever sends. Calls must return, callbacks must get whole structures, and each
 * request that was taken must be answered once. */
#include "control/lib/connection.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEPS_MAX 16

static unsigned taken, answered, read_bytes;
static int far; /* the server's end; what the client sends stays in it */

static void fail(const char *what)
{
	fprintf(stderr, "fuzz: %s\n", what);
	abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

/* All of it, so that sanitizers see a structure that is too short. */
static void look_at(const void *data, int size)
{
	const uint8_t *p = data;

	if (size < 0)
		fail("a structure of no type");
	for (int i = 0; i < size; i++)
		read_bytes += p[i] != 0;
}

static int on_item(const void *item, void *arg)
{
	look_at(item, viaduct_reply_size(*(const unsigned *)arg));
	return 0;
}

static int on_snapshot(unsigned type, const void *item, void *arg)
{
	(void)arg;
	look_at(item, viaduct_reply_size(type));
	return 0;
}

static void on_event(unsigned type, const void *data, void *arg)
{
	(void)arg;
	look_at(data, viaduct_event_size(type));
}

static void on_answer(const struct viaduct_answer *a, void *arg)
{
	(void)arg;
	answered++;
	if (a->status > 0 || a->error == NULL || (a->status == 0) != (a->error[0] == '\0'))
		fail("an answer that says nothing");
	if (a->status == 0 && a->reply != NULL)
		look_at(a->reply, viaduct_reply_size(a->type));
}

static void send_one(struct viaduct *v, unsigned type, const void *req)
{
	taken += viaduct_send(v, type, req, on_answer, NULL) == 0;
}

static void step(struct viaduct *v, uint8_t what)
{
	static const unsigned dumps[] = {VIADUCT_VTI_DUMP, VIADUCT_SA_DUMP, VIADUCT_DROP_DUMP};
	static const struct viaduct_hello hello = {.version = VIADUCT_API_VERSION};
	static const struct viaduct_sa_id id;
	unsigned type = dumps[(what >> 4) % 3];
	uint8_t rep[VIADUCT_MSG_MAX];

	switch (what & 15) {
	case 1:
		viaduct_call(v, VIADUCT_HELLO, &hello, rep);
		break;
	case 2:
		viaduct_call(v, VIADUCT_STATUS, NULL, rep);
		break;
	case 3:
		viaduct_dump(v, type, NULL, on_item, &type);
		break;
	case 4:
		viaduct_snapshot(v, 0, on_snapshot, NULL);
		break;
	case 5:
		viaduct_events(v, 0, on_event, NULL);
		break;
	case 6:
		send_one(v, VIADUCT_SA_GET, &id);
		break;
	case 7:
		send_one(v, VIADUCT_SA_DEL, &id);
		break;
	case 8:
		viaduct_flush(v);
		break;
	case 9:
		viaduct_begin(v);
		break;
	case 10:
		viaduct_commit(v);
		break;
	case 11:
		viaduct_abort(v);
		break;
	}
}

static struct viaduct *connection(const uint8_t *data, size_t size)
{
	struct viaduct *v = calloc(1, sizeof(*v));
	int fd[2];

	if (v == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0)
		fail("no connection");
	v->fd = fd[0];
	v->timeout_ms = 1000;
	v->events_tail = &v->events;
	/* All that comes is there before it is asked for, and then the end. */
	if (send(fd[1], data, size, MSG_NOSIGNAL) != (ssize_t)size || shutdown(fd[1], SHUT_WR) < 0)
		fail("cannot send");
	far = fd[1];
	return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, 0, size < STEPS_MAX ? size : STEPS_MAX);
	struct viaduct *v;

	if (end == NULL || size > 65536)
		return 0;
	taken = answered = 0;
	v = connection(end + 1, data + size - end - 1);
	for (; data < end; data++)
		step(v, *data);
	viaduct_abort(v); /* of an open batch nothing is answered before its end */
	viaduct_flush(v);
	if (answered != taken)
		fail("a request was answered twice, or never");
	viaduct_close(v);
	close(far);
	return 0;
}
