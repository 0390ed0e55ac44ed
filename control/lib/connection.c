/* SPDX-License-Identifier: BSD-3-Clause */
/* The connection: open, close, frames in and out. */
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MS 30000

/* viaduct_error(NULL): why viaduct_open() failed. */
static _Thread_local char open_error[512];

int viaduct_fail(struct viaduct *v, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(v->error, sizeof(v->error), fmt, ap);
	va_end(ap);
	return -code;
}

int viaduct_break(struct viaduct *v, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(v->error, sizeof(v->error), fmt, ap);
	va_end(ap);
	v->broken = -code;
	return -code;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

/* 1: ready; 0: deadline passed; negative errno. deadline -1: none. */
static int wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = events};
	int64_t left;
	int n;

	for (;;) {
		left = deadline < 0 ? -1 : deadline - now_ms();
		if (deadline >= 0 && left < 0)
			left = 0;
		n = poll(&p, 1, left);
		if (n > 0)
			return 1;
		if (n == 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

int connection_wait(int fd, short events, int timeout_ms)
{
	return wait_for(fd, events, timeout_ms < 0 ? -1 : now_ms() + timeout_ms);
}

/* Straight from the caller's structure: no copy of a key stays here. */
int frame_send(struct viaduct *v, const struct viaduct_msg *msg, const void *data)
{
	const int64_t deadline = now_ms() + v->timeout_ms;
	struct iovec iov[2] = {{(void *)msg, sizeof(*msg)}, {(void *)data, msg->len}};
	struct msghdr hdr = {.msg_iov = iov, .msg_iovlen = msg->len > 0 ? 2 : 1};
	ssize_t n;
	int ret;

	while (hdr.msg_iovlen > 0) {
		n = sendmsg(v->fd, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			ret = wait_for(v->fd, POLLOUT, deadline);
			if (ret <= 0)
				return viaduct_break(v, ETIMEDOUT,
					"viaductd takes no requests (waited %d ms)", v->timeout_ms);
			continue;
		}
		if (n < 0)
			return -errno; /* the daemon may have said why: the caller reads on */
		while (hdr.msg_iovlen > 0 && (size_t)n >= hdr.msg_iov->iov_len) {
			n -= hdr.msg_iov->iov_len;
			hdr.msg_iov++;
			hdr.msg_iovlen--;
		}
		if (hdr.msg_iovlen > 0) {
			hdr.msg_iov->iov_base = (char *)hdr.msg_iov->iov_base + n;
			hdr.msg_iov->iov_len -= n;
		}
	}
	return 0;
}

/* Is a whole frame there? 1 takes it. */
static int frame_take(struct viaduct *v, struct frame *f)
{
	const size_t have = v->in_end - v->in_start;

	if (have < sizeof(f->msg))
		return 0;
	memcpy(&f->msg, v->in + v->in_start, sizeof(f->msg));
	if (f->msg.len > VIADUCT_MSG_MAX)
		return viaduct_break(v, EPROTO,
			"viaductd sent a frame of %u bytes, the most is %u: not a Viaduct socket?",
			f->msg.len, VIADUCT_MSG_MAX);
	if (have < sizeof(f->msg) + f->msg.len)
		return 0;
	f->data = v->in + v->in_start + sizeof(f->msg);
	v->in_start += sizeof(f->msg) + f->msg.len;
	return 1;
}

int frame_receive(struct viaduct *v, struct frame *f, int timeout_ms)
{
	const int64_t deadline = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;
	ssize_t n;
	int ret;

	if (v->broken != 0)
		return v->broken;
	while ((ret = frame_take(v, f)) == 0) {
		if (v->in_start > 0) {
			memmove(v->in, v->in + v->in_start, v->in_end - v->in_start);
			v->in_end -= v->in_start;
			v->in_start = 0;
		}
		ret = wait_for(v->fd, POLLIN, deadline);
		if (ret == 0)
			return 0;
		n = ret < 0
			? ret
			: recv(v->fd, v->in + v->in_end, sizeof(v->in) - v->in_end, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return viaduct_break(
				v, errno, "connection to viaductd lost: %s", strerror(errno));
		if (n == 0)
			return viaduct_break(v, ECONNRESET, "viaductd closed the connection");
		v->in_end += n;
	}
	return ret;
}

static const char *connect_hint(int code)
{
	switch (code) {
	case ENOENT:
		return "is viaductd running, and with this socket? (systemctl status viaductd; -s "
		       "PATH "
		       "or $VIADUCT_SOCKET for another)";
	case ECONNREFUSED:
		return "the socket is a leftover, nobody listens: start viaductd";
	case EACCES:
	case EPERM:
		return "root may connect, the user viaductd runs as, and members of the groups "
		       "that viaduct.conf names as api.group or api.read_group: try sudo";
	case EAGAIN:
		return "viaductd accepts no connections: too many clients, or it hangs";
	}
	return "is this viaductd's socket?";
}

static int open_fail(const char *path, int code)
{
	snprintf(open_error, sizeof(open_error), "cannot connect to %s: %s: %s", path,
		strerror(code), connect_hint(code));
	errno = code;
	return -1;
}

static int connect_to(const char *path)
{
	const struct timeval patience = {.tv_sec = 10};
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd, ret, code;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		snprintf(open_error, sizeof(open_error),
			"socket path of %zu characters is too long, the most is %zu: %.80s...",
			strlen(path), sizeof(sun.sun_path) - 1, path);
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return open_fail(path, errno);
	/* connect(2) waits so long where the daemon's backlog is full. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	do {
		ret = connect(fd, (const struct sockaddr *)&sun, sizeof(sun));
	} while (ret < 0 && errno == EINTR);
	if (ret == 0)
		return fd;
	code = errno;
	close(fd);
	return open_fail(path, code);
}

static int hello(struct viaduct *v, const char *name)
{
	struct viaduct_hello req = {
		.version = VIADUCT_API_VERSION, .pid = getpid(), .minor = VIADUCT_API_MINOR};
	struct viaduct_hello rep;
	int ret;

	snprintf(req.name, sizeof(req.name), "%s", name != NULL ? name : "");
	ret = viaduct_call(v, VIADUCT_HELLO, &req, &rep);
	v->minor = ret == 0 ? rep.minor : 0;
	if (ret == 0 && rep.version != VIADUCT_API_VERSION)
		ret = viaduct_break(v, EPROTO, "viaductd speaks API version %u, this program %u",
			rep.version, VIADUCT_API_VERSION);
	return ret;
}

struct viaduct *viaduct_open(const char *path, const char *name)
{
	struct viaduct *v;
	int ret;

	if (path == NULL)
		path = getenv("VIADUCT_SOCKET");
	if (path == NULL || *path == '\0')
		path = VIADUCT_SOCKET;
	v = calloc(1, sizeof(*v));
	if (v == NULL) {
		open_fail(path, ENOMEM);
		return NULL;
	}
	v->events_tail = &v->events;
	v->timeout_ms = TIMEOUT_MS;
	v->fd = connect_to(path);
	if (v->fd < 0) {
		ret = errno;
		free(v);
		errno = ret;
		return NULL;
	}
	ret = hello(v, name);
	if (ret == 0)
		return v;
	snprintf(open_error, sizeof(open_error), "%s: %s", path, v->error);
	viaduct_close(v);
	errno = -ret;
	return NULL;
}

void viaduct_close(struct viaduct *v)
{
	struct kept_event *ev;

	if (v == NULL)
		return;
	while ((ev = v->events) != NULL) {
		v->events = ev->next;
		free(ev);
	}
	pipeline_free(v);
	close(v->fd);
	free(v);
}

const char *viaduct_error(const struct viaduct *v)
{
	return v != NULL ? v->error : open_error;
}

void viaduct_set_timeout(struct viaduct *v, int ms)
{
	v->timeout_ms = ms;
}

unsigned viaduct_minor(const struct viaduct *v)
{
	return v->minor;
}

int viaduct_fd(const struct viaduct *v)
{
	return v->fd;
}
