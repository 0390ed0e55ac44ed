/* SPDX-License-Identifier: BSD-3-Clause */
/* A device that goes costs the kernel an RCU grace period, some 20 ms, in the call that closes its
 * file; devices that go together cost one for all. So whatever is due when the thread looks goes as
 * one group. */
#include "control/iface/twin_closer.h"
#include "control/log.h"
#include "control/netlink/netlink.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define GROUP_MAX 256  /* the kernel lets nobody else change an interface meanwhile */
#define DUE_MAX   4096 /* each is an open file: more of them wait */

STAILQ_HEAD(twin_list, twin);

static struct {
	pthread_t thread;
	bool running, stop;
	int event_fd;
	pthread_mutex_t lock; /* guards all but thread, running and event_fd */
	pthread_cond_t more, fewer;
	struct twin_list due;
	uint64_t asked, done;
} closer = {.event_fd = -1,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.more = PTHREAD_COND_INITIALIZER,
	.fewer = PTHREAD_COND_INITIALIZER,
	.due = STAILQ_HEAD_INITIALIZER(closer.due)};

/* The device that is still the twin's own: it may have been deleted by hand, or taken to another
 * namespace, and its index may stand for another one here. */
static uint32_t own_device(const struct twin *t)
{
	struct ifreq ifr = {0};

	if (ioctl(t->fd, TUNGETIFF, &ifr) < 0)
		return 0;
	return if_nametoindex(ifr.ifr_name) == t->ifindex ? t->ifindex : 0;
}

static void free_twin(struct twin *t)
{
	close(t->fd); /* where the device is still there, it goes with it */
	free(t);
}

static void close_all(struct twin_list *list)
{
	uint32_t devices[GROUP_MAX], ifindex;
	struct twin *t, *next;
	unsigned n = 0;

	STAILQ_FOREACH (t, list, closing) {
		ifindex = own_device(t);
		if (ifindex != 0)
			devices[n++] = ifindex;
	}
	if (n > 1)
		netlink_remove_devices(devices, n);
	for (t = STAILQ_FIRST(list); t != NULL; t = next) {
		next = STAILQ_NEXT(t, closing);
		free_twin(t);
	}
}

static unsigned take(struct twin_list *list)
{
	struct twin *t;
	unsigned n = 0;

	STAILQ_INIT(list);
	while (n < GROUP_MAX && (t = STAILQ_FIRST(&closer.due)) != NULL) {
		STAILQ_REMOVE_HEAD(&closer.due, closing);
		STAILQ_INSERT_TAIL(list, t, closing);
		n++;
	}
	return n;
}

static void *closer_loop(void *arg)
{
	struct twin_list list;
	unsigned n;

	(void)arg;
	pthread_mutex_lock(&closer.lock);
	for (;;) {
		while (STAILQ_EMPTY(&closer.due) && !closer.stop)
			pthread_cond_wait(&closer.more, &closer.lock);
		n = take(&list);
		if (n == 0)
			break;
		pthread_mutex_unlock(&closer.lock);
		close_all(&list);
		pthread_mutex_lock(&closer.lock);
		closer.done += n;
		pthread_cond_broadcast(&closer.fewer);
		eventfd_write(closer.event_fd, 1);
	}
	pthread_mutex_unlock(&closer.lock);
	return NULL;
}

int twin_closer_start(struct err *e)
{
	int ret;

	closer.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (closer.event_fd < 0)
		return err_set(e, errno, "closer of kernel devices: %s", strerror(errno));
	closer.stop = false;
	ret = pthread_create(&closer.thread, NULL, closer_loop, NULL);
	if (ret != 0) {
		close(closer.event_fd);
		closer.event_fd = -1;
		return err_set(e, ret, "closer of kernel devices: %s", strerror(ret));
	}
	pthread_setname_np(closer.thread, "viaduct-closer");
	closer.running = true;
	return 0;
}

void twin_closer_stop(void)
{
	if (!closer.running)
		return;
	pthread_mutex_lock(&closer.lock);
	closer.stop = true;
	pthread_cond_signal(&closer.more);
	pthread_mutex_unlock(&closer.lock);
	pthread_join(closer.thread, NULL);
	closer.running = false;
	close(closer.event_fd);
	closer.event_fd = -1;
}

void twin_close(struct twin *t)
{
	if (!closer.running) {
		free_twin(t);
		return;
	}
	pthread_mutex_lock(&closer.lock);
	while (closer.asked - closer.done >= DUE_MAX)
		pthread_cond_wait(&closer.fewer, &closer.lock);
	STAILQ_INSERT_TAIL(&closer.due, t, closing);
	closer.asked++;
	pthread_cond_signal(&closer.more);
	pthread_mutex_unlock(&closer.lock);
}

uint64_t twin_closings(void)
{
	uint64_t asked;

	pthread_mutex_lock(&closer.lock);
	asked = closer.asked;
	pthread_mutex_unlock(&closer.lock);
	return asked;
}

bool twin_is_closed(uint64_t number)
{
	bool closed;

	pthread_mutex_lock(&closer.lock);
	closed = closer.done >= number;
	pthread_mutex_unlock(&closer.lock);
	return closed;
}

void twin_closings_wait(void)
{
	uint64_t asked;

	pthread_mutex_lock(&closer.lock);
	asked = closer.asked;
	while (closer.done < asked)
		pthread_cond_wait(&closer.fewer, &closer.lock);
	pthread_mutex_unlock(&closer.lock);
}

int twin_closer_fd(void)
{
	return closer.event_fd;
}
