/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connecting, noticing the end of a connection, connecting again.
 *
 * Who may touch what: `requests` is used with the lock held. `events` is used by the watcher's
 * callback; while the link is down only the reconnect job (there is one at most) replaces it.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#include "link.h"

#include <processing/jobs/callback_job.h>
#include <threading/mutex.h>
#include <utils/debug.h>
#include <viaduct.h>

#include <errno.h>

#define RETRY_MS 1000

struct link {
	mutex_t *mutex;
	char *path;
	unsigned timeout_ms;
	struct link_user user;
	struct viaduct *requests, *events;
	bool up;
	bool said_down;  /* do not repeat it every second */
	uint32_t pid;    /* of the daemon last connected to */
	int64_t started; /* when it started, seconds of our monotonic clock */
	char error[VIADUCT_ERROR_LEN];
};

static job_requeue_t reconnect(struct link *link);

static void retry_later(struct link *link)
{
	lib->scheduler->schedule_job_ms(lib->scheduler,
		(job_t *)callback_job_create_with_prio(
			(callback_job_cb_t)reconnect, link, NULL, NULL, JOB_PRIO_HIGH),
		RETRY_MS);
}

/* With the lock held. */
static void go_down(struct link *link, const char *why)
{
	if (!link->up)
		return;
	link->up = FALSE;
	link->said_down = TRUE;
	DBG1(DBG_KNL, "viaduct: lost viaductd at %s: %s; trying every second", link->path, why);
	retry_later(link);
}

bool link_lost(int ret)
{
	switch (-ret) {
	case ENOTCONN:
	case ECONNRESET:
	case ECONNREFUSED:
	case EPIPE:
	case ETIMEDOUT:
	case EPROTO:
	case ENOBUFS:
	case EIO:
		return TRUE;
	}
	return FALSE;
}

static int answered(struct link *link, int ret)
{
	if (ret == 0)
		return 0;
	snprintf(link->error, sizeof(link->error), "%s", viaduct_error(link->requests));
	if (link_lost(ret))
		go_down(link, link->error);
	return ret;
}

int link_call(struct link *link, unsigned type, const void *req, void *rep)
{
	if (!link->up)
		return -ENOTCONN;
	return answered(link, viaduct_call(link->requests, type, req, rep));
}

int link_dump(struct link *link, unsigned type, int (*cb)(const void *item, void *arg), void *arg)
{
	if (!link->up)
		return -ENOTCONN;
	return answered(link, viaduct_dump(link->requests, type, NULL, cb, arg));
}

const char *link_error(const struct link *link)
{
	return link->up ? link->error : "there is no connection to viaductd";
}

static void on_event(unsigned type, const void *data, void *arg)
{
	struct link *link = arg;

	link->user.event(link->user.arg, type, data);
}

/* The watcher's callback: FALSE ends the watch. */
static bool receive(struct link *link, int fd, watcher_event_t event)
{
	const int ret = viaduct_events(link->events, 0, on_event, link);

	if (ret >= 0)
		return TRUE;
	link_lock(link);
	go_down(link, viaduct_error(link->events));
	link_unlock(link);
	return FALSE;
}

static void disconnect(struct link *link)
{
	if (link->events != NULL) {
		/* Waits for a callback that is running: not with the lock held, which it may want. */
		lib->watcher->remove(lib->watcher, viaduct_fd(link->events));
		viaduct_close(link->events);
	}
	viaduct_close(link->requests);
	link->events = link->requests = NULL;
}

static bool connect_both(struct link *link)
{
	const struct viaduct_subscribe sub = {
		.mask = VIADUCT_SUB_SA | VIADUCT_SUB_ACQUIRE | VIADUCT_SUB_MAPPING,
	};

	link->requests = viaduct_open(link->path, "charon");
	if (link->requests != NULL)
		link->events = viaduct_open(link->path, "charon events");
	if (link->events == NULL) {
		snprintf(link->error, sizeof(link->error), "%s%s", viaduct_error(NULL),
			errno == EACCES ? " (or AppArmor forbids it: see docs/strongswan.md)" : "");
		return FALSE;
	}
	if (viaduct_call(link->events, VIADUCT_SUBSCRIBE, &sub, NULL) < 0) {
		snprintf(link->error, sizeof(link->error), "%s", viaduct_error(link->events));
		return FALSE;
	}
	viaduct_set_timeout(link->requests, link->timeout_ms);
	return TRUE;
}

/* Another daemon than last time? A pid alone does not tell: in containers it is always the same. */
static int identify(struct link *link, bool *restarted)
{
	struct viaduct_status status;
	int64_t started;
	int ret;

	ret = viaduct_call(link->requests, VIADUCT_STATUS, NULL, &status);
	if (ret < 0)
		return ret;
	started = time_monotonic(NULL) - (int64_t)status.uptime_s;
	*restarted = status.pid != link->pid || llabs(started - link->started) > 2;
	link->pid = status.pid;
	link->started = started;
	return 0;
}

/* FALSE: not up. TRUE says that it was: should the link be lost again, go_down() has seen to it. */
static bool go_up(struct link *link)
{
	bool restarted;

	if (identify(link, &restarted) < 0) {
		snprintf(link->error, sizeof(link->error), "%s", viaduct_error(link->requests));
		return FALSE;
	}
	DBG1(DBG_KNL, "viaduct: connected to viaductd (pid %u) at %s", link->pid, link->path);
	link->said_down = FALSE;
	link_lock(link);
	link->up = TRUE;
	link->user.connected(link->user.arg, restarted);
	if (!link->up)
		link->pid = 0; /* not all was restored: once more from the start */
	link_unlock(link);
	return TRUE;
}

static job_requeue_t reconnect(struct link *link)
{
	disconnect(link);
	if (connect_both(link) && go_up(link)) {
		/* Events that came along with the answer to the subscription first. */
		if (receive(link, viaduct_fd(link->events), WATCHER_READ))
			lib->watcher->add(lib->watcher, viaduct_fd(link->events), WATCHER_READ,
				(watcher_cb_t)receive, link);
		return JOB_REQUEUE_NONE;
	}
	if (!link->said_down)
		DBG1(DBG_KNL, "viaduct: no IPsec without viaductd: %s; trying every second",
			link->error);
	link->said_down = TRUE;
	return JOB_RESCHEDULE_MS(RETRY_MS);
}

void link_lock(struct link *link)
{
	link->mutex->lock(link->mutex);
}

void link_unlock(struct link *link)
{
	link->mutex->unlock(link->mutex);
}

struct link *link_create(const char *path, unsigned timeout_s, struct link_user user)
{
	struct link *link;

	INIT(link, .mutex = mutex_create(MUTEX_TYPE_DEFAULT), .path = strdup(path),
		.timeout_ms = max(timeout_s, 1) * 1000, .user = user, );
	return link;
}

void link_start(struct link *link)
{
	if (reconnect(link).type != JOB_REQUEUE_TYPE_NONE)
		retry_later(link);
}

void link_destroy(struct link *link)
{
	disconnect(link);
	link->mutex->destroy(link->mutex);
	free(link->path);
	free(link);
}
