/* SPDX-License-Identifier: BSD-3-Clause */
/* The listening socket: whose it is, who may connect. */
#include "control/api/api_server.h"
#include "control/api/api_access.h"
#include "control/api/api_client.h"
#include "control/log.h"

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
	struct event_base *base;
	struct event *listen, *retry;
	int fd;
	struct sockaddr_un addr;
	dev_t dev; /* of the socket file, so that only our own is removed */
	ino_t ino;
} server = {.fd = -1};

unsigned api_client_count(void)
{
	const struct api_client *c;
	unsigned n = 0;

	LIST_FOREACH (c, &api_clients, link)
		n += c->hello;
	return n;
}

static unsigned clients_of(uid_t uid)
{
	const struct api_client *c;
	unsigned n = 0;

	LIST_FOREACH (c, &api_clients, link)
		n += c->peer.uid == uid;
	return n;
}

static unsigned client_total(void)
{
	const struct api_client *c;
	unsigned n = 0;

	LIST_FOREACH (c, &api_clients, link)
		n++;
	return n;
}

static void client_accept(int fd)
{
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);
	struct api_client *c;
	const unsigned others = client_total();
	enum api_right right;
	struct err e;

	/* The kernel's word on who connected, not the client's. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0) {
		close(fd);
		return;
	}
	c = api_client_new(server.base, fd, &peer);
	if (c == NULL) {
		log_err("no memory for another API client");
		return;
	}
	right = api_access_of(fd, &peer);
	c->writable = right == API_WRITE;
	if (right == API_NONE) {
		err_set(&e, EACCES, "uid %u may not use this socket; who may: %s", peer.uid,
			api_access_all());
		api_client_refuse(c, EACCES, e.text);
	} else if (others >= API_CLIENTS_MAX) {
		api_client_refuse(c, EUSERS, "too many API clients are connected");
	} else if (peer.uid != 0 && clients_of(peer.uid) > API_UID_CLIENTS) {
		err_set(&e, EUSERS, "uid %u has %d API clients already", peer.uid, API_UID_CLIENTS);
		api_client_refuse(c, EUSERS, e.text);
	}
}

static void on_accept(evutil_socket_t listener, short what, void *arg)
{
	const struct timeval pause = {.tv_sec = 1};
	int fd;

	(void)what;
	(void)arg;
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		client_accept(fd);
	} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
		/* No descriptors, no memory: the listener stays readable, so do not spin on it. */
		log_warn("cannot accept an API client: %s", strerror(errno));
		event_del(server.listen);
		event_add(server.retry, &pause);
	}
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_add(server.listen, NULL);
}

/* The directory is locked while a stale socket is told from a live one and replaced, so that two
 * daemons that start together cannot both win. */
static int directory_lock(const char *path, struct err *e)
{
	char copy[sizeof(server.addr.sun_path)];
	const char *dir;
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	dir = dirname(copy);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_set(e, errno, "socket directory %s: %s%s", dir, strerror(errno),
			errno == EACCES ? "; start viaductd as root" : "");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "socket directory %s: %s", dir, strerror(errno));
	if (flock(fd, LOCK_EX) < 0) {
		err_set(e, errno, "socket directory %s: cannot lock: %s", dir, strerror(errno));
		close(fd);
		return -EIO;
	}
	return fd;
}

/* Someone answers there: -EADDRINUSE. A leftover of a daemon that died: removed, 0. */
static int stale_remove(const char *path, struct err *e)
{
	struct ucred cred = {0};
	socklen_t len = sizeof(cred);
	struct stat st;
	int fd, ret;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_set(e, errno, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, EEXIST,
			"%s exists and is no socket: remove it or choose another path", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(e, errno, "socket: %s", strerror(errno));
	ret = connect(fd, (const struct sockaddr *)&server.addr, sizeof(server.addr)) < 0 ? errno
											  : 0;
	if (ret == 0)
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	close(fd);
	/* EAGAIN: its backlog is full. */
	if (ret == 0 || ret == EAGAIN)
		return err_set(
			e, EADDRINUSE, "another viaductd (pid %d) serves %s", cred.pid, path);
	if (ret != ECONNREFUSED)
		return err_set(e, ret, "%s: %s", path, strerror(ret));
	if (unlink(path) < 0)
		return err_set(
			e, errno, "cannot remove the stale socket %s: %s", path, strerror(errno));
	log_notice("removed the stale socket %s", path);
	return 0;
}

/* Only now may others connect: bind(2) has made the file for its owner alone. */
static int open_to_groups(const char *path)
{
	const gid_t group = api_access_owner();

	if (group != (gid_t)-1 && lchown(path, -1, group) < 0)
		return -1;
	return chmod(path, api_access_mode());
}

static int socket_listen(const char *path, struct err *e)
{
	struct stat st;
	int fd, code;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(e, errno, "socket: %s", strerror(errno));
	/* The mode that bind(2) gives the file: 0600 from its first moment, whatever the umask. */
	if (fchmod(fd, 0600) < 0 ||
		bind(fd, (const struct sockaddr *)&server.addr, sizeof(server.addr)) < 0 ||
		open_to_groups(path) < 0 || listen(fd, 64) < 0 || stat(path, &st) < 0) {
		code = errno;
		close(fd);
		return err_set(e, code, "cannot listen on %s: %s", path, strerror(code));
	}
	server.dev = st.st_dev;
	server.ino = st.st_ino;
	return fd;
}

int api_start(struct event_base *base, const char *path, struct err *e)
{
	int lock, ret;

	if (*path == '\0' || strlen(path) >= sizeof(server.addr.sun_path))
		return err_set(e, ENAMETOOLONG,
			"socket path of %zu characters, expected 1 to %zu: %s", strlen(path),
			sizeof(server.addr.sun_path) - 1, path);
	server.addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(server.addr.sun_path, path, strlen(path));
	lock = directory_lock(path, e);
	if (lock < 0)
		return lock;
	ret = stale_remove(path, e);
	if (ret == 0)
		ret = socket_listen(path, e);
	close(lock);
	if (ret < 0)
		return ret;
	/* A client that leaves while it is written to is an error return, not the daemon's end. */
	signal(SIGPIPE, SIG_IGN);
	server.fd = ret;
	server.base = base;
	server.listen = event_new(base, server.fd, EV_READ | EV_PERSIST, on_accept, NULL);
	server.retry = evtimer_new(base, on_retry, NULL);
	if (server.listen == NULL || server.retry == NULL || event_add(server.listen, NULL) < 0) {
		api_stop();
		return err_set(e, ENOMEM, "no memory to listen on %s", path);
	}
	return 0;
}

void api_stop(void)
{
	struct api_client *c;
	struct stat st;

	api_events_stop();
	while ((c = LIST_FIRST(&api_clients)) != NULL)
		api_client_free(c);
	if (server.listen != NULL)
		event_free(server.listen);
	if (server.retry != NULL)
		event_free(server.retry);
	server.listen = server.retry = NULL;
	if (server.fd < 0)
		return;
	close(server.fd);
	server.fd = -1;
	/* Another daemon may have taken the path over after ours was removed by hand. */
	if (lstat(server.addr.sun_path, &st) == 0 && st.st_dev == server.dev &&
		st.st_ino == server.ino)
		unlink(server.addr.sun_path);
}
