/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/loop.h"

#include "control/api/api_server.h"
#include "control/daemon.h"
#include "control/iface/ifaces.h"
#include "control/iface/path_mtu.h"
#include "control/iface/twin.h"
#include "control/iface/twin_closer.h"
#include "control/log.h"
#include "control/port/ports.h"
#include "control/rcu.h"
#include "control/reload/reload.h"
#include "control/routing/neigh.h"
#include "control/routing/rib.h"
#include "control/sa/early.h"
#include "control/sa/hold.h"
#include "control/sa/mapping.h"
#include "control/sa/sadb.h"
#include "control/workers.h"
#include "dataplane/host.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>

#define TICK_S       1
#define OFTEN_US     100000 /* what packets use up is noticed so fast */
#define RCU_POLL_US  2000   /* workers pass a quiescent state some thousand times in that */
#define HOST_BURST   64
#define PRIORITIES   3 /* libevent gives events the middle one unless told */
#define PRIORITY_LOW 2

static struct {
	struct event_base *base;
	struct event *signals[3];
	struct event *tick, *often, *rcu, *host, *closer;
	bool stuck; /* a worker made no turn in the last second */
} loop;

static const int signal_numbers[] = {SIGTERM, SIGINT, SIGHUP};

struct event_base *loop_base(void)
{
	return loop.base;
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	(void)what;
	(void)arg;
	if (sig == SIGHUP) {
		reload_on_signal();
		return;
	}
	log_notice("stopping (signal %d)", (int)sig);
	event_base_loopbreak(loop.base);
}

/* systemd's watchdog is fed only while the workers turn. */
static void watchdog(void)
{
	bool alive = workers_alive(daemon_state.workers, daemon_state.n_workers);

	if (alive)
		sd_notify(0, "WATCHDOG=1");
	else if (!loop.stuck)
		log_warn("a worker made no turn for a second");
	loop.stuck = !alive;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	sadb_tick();
	api_tick();
	neigh_tick();
	hold_tick();
	mapping_tick();
	path_mtu_tick();
	ports_tick();
	watchdog();
}

static void on_often(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	sadb_tick_often();
	early_tick();
	path_mtu_tick_often();
}

static void rcu_later(void)
{
	const struct timeval tv = {.tv_usec = RCU_POLL_US};

	event_add(loop.rcu, &tv);
}

static void on_rcu(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (rcu_poll() > 0)
		rcu_later();
}

static void resolve(struct rte_mbuf *m)
{
	const struct host_tag *tag = host_tag(m);
	struct iface *iface = iface_by_id(tag->iface);

	if (iface != NULL)
		neigh_hold(iface, &tag->target, m);
	else
		host_drop(m, DROP_TX_IFACE_DOWN); /* it is gone */
}

/* Packets for which workers found no neighbour or no SA, and news from them. */
static void on_host(evutil_socket_t fd, short what, void *arg)
{
	struct rte_mbuf *m[HOST_BURST];
	eventfd_t count;
	unsigned n;

	(void)what;
	(void)arg;
	eventfd_read(fd, &count);
	do {
		n = rte_ring_dequeue_burst(host_control_ring(), (void **)m, HOST_BURST, NULL);
		for (unsigned i = 0; i < n; i++) {
			if (host_tag(m[i])->op == HOST_HOLD)
				hold_packet(m[i]);
			else if (host_tag(m[i])->op == HOST_EARLY)
				early_packet(m[i]);
			else if (host_tag(m[i])->op == HOST_MOVED)
				mapping_seen(m[i]);
			else if (host_tag(m[i])->op == HOST_PATH_MTU)
				path_mtu_news_seen(m[i]);
			else
				resolve(m[i]);
		}
	} while (n == HOST_BURST);
}

/* Who deleted VTIs is told once their devices are gone. */
static void on_closed(evutil_socket_t fd, short what, void *arg)
{
	eventfd_t count;

	(void)what;
	(void)arg;
	eventfd_read(fd, &count);
	api_devices_closed();
}

void loop_block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (unsigned i = 0; i < RTE_DIM(signal_numbers); i++)
		sigaddset(&set, signal_numbers[i]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* A client that is gone is an error of write(), not the end of the daemon. */
	signal(SIGPIPE, SIG_IGN);
}

static void unblock_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (unsigned i = 0; i < RTE_DIM(signal_numbers); i++)
		sigaddset(&set, signal_numbers[i]);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int loop_start(struct err *e)
{
	loop.base = event_base_new();
	if (loop.base == NULL || event_base_priority_init(loop.base, PRIORITIES) < 0)
		return err_set(e, ENOMEM, "event loop: no memory");
	return 0;
}

static int add_events(void)
{
	const struct timeval second = {.tv_sec = TICK_S}, often = {.tv_usec = OFTEN_US};
	bool ok = true;

	for (unsigned i = 0; i < RTE_DIM(signal_numbers); i++) {
		loop.signals[i] = evsignal_new(loop.base, signal_numbers[i], on_signal, NULL);
		ok = ok && loop.signals[i] != NULL && event_add(loop.signals[i], NULL) == 0;
	}
	loop.tick = event_new(loop.base, -1, EV_PERSIST, on_tick, NULL);
	loop.often = event_new(loop.base, -1, EV_PERSIST, on_often, NULL);
	loop.rcu = event_new(loop.base, -1, 0, on_rcu, NULL);
	loop.host = event_new(loop.base, host_event_fd(), EV_READ | EV_PERSIST, on_host, NULL);
	loop.closer = event_new(loop.base, twin_closer_fd(), EV_READ | EV_PERSIST, on_closed, NULL);
	ok = ok && loop.closer != NULL && event_add(loop.closer, NULL) == 0;
	ok = ok && loop.often != NULL && event_add(loop.often, &often) == 0;
	ok = ok && loop.tick != NULL && loop.rcu != NULL && loop.host != NULL;
	return ok && event_add(loop.tick, &second) == 0 && event_add(loop.host, NULL) == 0
		? 0
		: -ENOMEM;
}

int loop_run(struct err *e)
{
	if (add_events() < 0)
		return err_set(e, ENOMEM, "event loop: no memory");
	rcu_on_pending(rcu_later);
	if (rcu_poll() > 0)
		rcu_later();
	ports_tick(); /* carrier now, not in a second */
	unblock_signals();
	event_base_dispatch(loop.base);
	rcu_on_pending(NULL);
	return 0;
}

static void event_drop(struct event **ev)
{
	if (*ev != NULL)
		event_free(*ev);
	*ev = NULL;
}

void loop_stop(void)
{
	for (unsigned i = 0; i < RTE_DIM(signal_numbers); i++)
		event_drop(&loop.signals[i]);
	event_drop(&loop.tick);
	event_drop(&loop.often);
	event_drop(&loop.rcu);
	event_drop(&loop.host);
	event_drop(&loop.closer);
	if (loop.base != NULL)
		event_base_free(loop.base);
	loop.base = NULL;
	libevent_global_shutdown();
}
