/* SPDX-License-Identifier: BSD-3-Clause */
/* For tests of the API server: the server in this process, its loop turned by hand, and clients that
 * send any bytes they like. */
#ifndef VIADUCT_TEST_API_RAW_H
#define VIADUCT_TEST_API_RAW_H

#include "control/api/api_client.h"
#include "control/api/api_server.h"

#include <event2/event.h>
#include <viaduct_api.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct event_base *base;
static char raw_dir[64], raw_path[96];

static inline void raw_server_start(void)
{
	struct err e;

	snprintf(raw_dir, sizeof(raw_dir), "/tmp/viaduct-test-XXXXXX");
	if (mkdtemp(raw_dir) == NULL)
		abort();
	snprintf(raw_path, sizeof(raw_path), "%s/run/api.sock", raw_dir);
	base = event_base_new();
	if (api_start(base, raw_path, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		abort();
	}
}

static inline void raw_server_stop(void)
{
	char run[80];

	api_stop();
	event_base_free(base);
	unlink(raw_path);
	snprintf(run, sizeof(run), "%s/run", raw_dir);
	rmdir(run);
	rmdir(raw_dir);
}

static inline int raw_connect(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", raw_path);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		abort();
	return fd;
}

/* Turn the loop until nothing is left to do at once. */
static inline void turn(void)
{
	for (unsigned i = 0; i < 8; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static inline void raw_send(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		const ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			turn();
			continue;
		}
		if (n < 0)
			return; /* closed by the server: the test sees it when it reads */
		p += n;
		len -= n;
	}
}

static inline void raw_request(int fd, unsigned type, uint32_t id, const void *req, size_t len)
{
	struct {
		struct viaduct_msg msg;
		uint8_t data[VIADUCT_MSG_MAX];
	} frame = {.msg = {.len = len, .type = type, .id = id}};

	if (len > 0)
		memcpy(frame.data, req, len);
	raw_send(fd, &frame, sizeof(frame.msg) + len);
}

/* The server's next frame for us: 1, 0 none within what the loop has to do, -1 connection closed. */
static inline int raw_receive(int fd, struct viaduct_msg *msg, void *data, size_t size)
{
	ssize_t n;

	turn();
	n = recv(fd, msg, sizeof(*msg), MSG_PEEK);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		return -1;
	if (n < (ssize_t)sizeof(*msg) || msg->len > size)
		return 0;
	if (recv(fd, msg, sizeof(*msg), 0) != sizeof(*msg))
		return -1;
	if (msg->len > 0 && recv(fd, data, msg->len, 0) != (ssize_t)msg->len)
		return -1;
	return 1;
}

static inline int raw_hello_version(int fd, uint32_t version, struct viaduct_msg *msg, void *data)
{
	const struct viaduct_hello hello = {.version = version, .name = "test"};

	raw_request(fd, VIADUCT_HELLO, 1, &hello, sizeof(hello));
	return raw_receive(fd, msg, data, VIADUCT_MSG_MAX);
}

/* A client past HELLO. */
static inline int raw_client(void)
{
	uint8_t data[VIADUCT_MSG_MAX];
	struct viaduct_msg msg;
	int fd = raw_connect();

	if (raw_hello_version(fd, VIADUCT_API_VERSION, &msg, data) != 1 || msg.status != 0)
		abort();
	return fd;
}

/* One request, its one answer: the status, text in data. -1: closed. */
static inline int raw_call(int fd, unsigned type, const void *req, size_t len, char *data)
{
	struct viaduct_msg msg;

	raw_request(fd, type, 7, req, len);
	memset(data, 0, VIADUCT_MSG_MAX);
	if (raw_receive(fd, &msg, data, VIADUCT_MSG_MAX) != 1)
		return -1;
	return (int)msg.status;
}

#endif
