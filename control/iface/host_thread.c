/* SPDX-License-Identifier: BSD-3-Clause */
/* The host thread: one loop over the twins' file descriptors and the workers' rings. Workers never
 * wake it, since that would be a system call: it looks often while there is traffic, and a
 * thousand times a second when there is none. */
#include "control/iface/host_twins.h"
#include "control/log.h"
#include "dataplane/buffer.h"
#include "dataplane/host.h"
#include "dataplane/worker.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <pthread.h>
#include <rte_lcore.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#define BURST        32
#define TWIN_BURSTS  4 /* of one twin per turn, so that a flood on one leaves room for others */
#define EVENTS       64
#define CONTROL_RING 1024 /* packets on their way to the control thread, which holds them */
#define WAIT_MIN_US  100
#define WAIT_MAX_US  1000
#define SEGMENTS_MAX 128 /* that reassembly takes */
/* EtherType of what is only shown to captures: IEEE's for local experiments. Packet sockets see
 * such packets (tcpdump goes by the IP version on a TUN), the IP stack passes over them. */
#define MIRROR_PROTO 0x88b5

static struct {
	pthread_t thread;
	bool running;
	_Atomic bool stop;
	int epoll_fd, event_fd;
	struct rte_ring *control;
	struct rte_mempool *pool;
	struct worker **workers;
	unsigned n_workers;
	_Atomic unsigned wanted; /* the control thread waits for the lock */
	/* Guards what follows; the thread holds it except while it waits. */
	pthread_mutex_t lock;
	struct twin *twins[IFACE_MAX];
	struct rte_mbuf *spare[BURST]; /* allocated, not yet filled */
	unsigned n_spare;
	uint8_t rest[65536]; /* of the packet just read, where it is larger than a buffer */
	struct host_stats stats;
} host = {.lock = PTHREAD_MUTEX_INITIALIZER, .epoll_fd = -1, .event_fd = -1};

/* For the control thread: the loop, which would otherwise take the lock again at once, lets it go
 * first. */
static void lock_from_control(void)
{
	atomic_fetch_add(&host.wanted, 1);
	pthread_mutex_lock(&host.lock);
	atomic_fetch_sub(&host.wanted, 1);
}

static void lock_from_loop(void)
{
	while (atomic_load(&host.wanted) > 0)
		sched_yield();
	pthread_mutex_lock(&host.lock);
}

static int watch(struct twin *t)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.u32 = t->iface};

	return epoll_ctl(host.epoll_fd, EPOLL_CTL_ADD, t->fd, &ev) < 0 ? -errno : 0;
}

int host_attach(struct twin *t, struct err *e)
{
	int ret = 0;

	lock_from_control();
	host.twins[t->iface] = t;
	if (host.epoll_fd >= 0)
		ret = watch(t);
	if (ret < 0)
		host.twins[t->iface] = NULL;
	pthread_mutex_unlock(&host.lock);
	return ret == 0 ? 0 : err_set(e, -ret, "%s: epoll: %s", t->name, strerror(-ret));
}

void host_detach(struct twin *t)
{
	lock_from_control();
	host.twins[t->iface] = NULL;
	if (host.epoll_fd >= 0)
		epoll_ctl(host.epoll_fd, EPOLL_CTL_DEL, t->fd, NULL);
	pthread_mutex_unlock(&host.lock);
}

/* From the kernel */

static bool fill_spare(void)
{
	if (host.n_spare > 0)
		return true;
	if (rte_pktmbuf_alloc_bulk(host.pool, host.spare, BURST) == 0)
		host.n_spare = BURST;
	return host.n_spare > 0;
}

/* One packet into m, and into host.rest what it has no room for. 0: nothing to read. */
static ssize_t read_packet(const struct twin *t, struct rte_mbuf *m, struct tun_pi *pi)
{
	struct iovec iov[3];
	unsigned n = 0;
	ssize_t len;

	if (t->kind == IFACE_VTI)
		iov[n++] = (struct iovec){pi, sizeof(*pi)};
	if (m != NULL)
		iov[n++] = (struct iovec){rte_pktmbuf_mtod(m, void *), rte_pktmbuf_tailroom(m)};
	iov[n++] = (struct iovec){host.rest, sizeof(host.rest)};
	do {
		len = readv(t->fd, iov, n);
	} while (len < 0 && errno == EINTR);
	if (len > 0 && t->kind == IFACE_VTI)
		len -= sizeof(*pi);
	return len;
}

static bool packet_good(const struct twin *t, const struct tun_pi *pi, ssize_t len)
{
	if (len > LARGE_BUFFER_SIZE)
		return false;
	if (t->kind == IFACE_PORT)
		return len >= RTE_ETHER_HDR_LEN;
	return pi->proto == RTE_BE16(ETH_P_IP) || pi->proto == RTE_BE16(ETH_P_IPV6);
}

/* The packet of `len` bytes that was read into m, in m or in a large buffer. NULL: none is free. */
static struct rte_mbuf *take(struct rte_mbuf *m, uint32_t len)
{
	const uint32_t room = rte_pktmbuf_tailroom(m);
	struct rte_mbuf *large;

	if (likely(len <= room)) {
		host.n_spare--;
		m->data_len = m->pkt_len = len;
		return m;
	}
	large = large_buffers != NULL ? rte_pktmbuf_alloc(large_buffers) : NULL;
	if (large != NULL) {
		memcpy(rte_pktmbuf_append(large, len), rte_pktmbuf_mtod(m, void *), room);
		memcpy(rte_pktmbuf_mtod_offset(large, void *, room), host.rest, len - room);
	}
	return large;
}

/* Up to BURST packets of a twin; *n those fit to go on. False: there is no more to read. */
static bool read_burst(const struct twin *t, struct rte_mbuf **burst, unsigned *n)
{
	*n = 0;
	for (unsigned i = 0; i < BURST; i++) {
		struct rte_mbuf *m = fill_spare() ? host.spare[host.n_spare - 1] : NULL;
		struct tun_pi pi;
		ssize_t len = read_packet(t, m, &pi);

		if (len <= 0)
			return false;
		if (!packet_good(t, &pi, len)) {
			host.stats.drops[DROP_INJECT_BAD]++;
			continue;
		}
		m = m != NULL ? take(m, len) : NULL;
		if (m == NULL) {
			host.stats.drops[DROP_NO_MBUF]++;
			continue;
		}
		*host_tag(m) = (struct host_tag){
			.op = t->kind == IFACE_PORT ? HOST_SEND : HOST_TUNNEL, .iface = t->iface};
		burst[(*n)++] = m;
	}
	return true;
}

static struct rte_ring *inject_ring(uint16_t iface)
{
	return host.workers[iface % host.n_workers]->inject;
}

static unsigned from_kernel(const struct twin *t)
{
	struct rte_mbuf *burst[BURST];
	unsigned n, sent, total = 0;
	bool more = true;

	for (unsigned i = 0; i < TWIN_BURSTS && more; i++) {
		more = read_burst(t, burst, &n);
		sent = rte_ring_enqueue_burst(inject_ring(t->iface), (void **)burst, n, NULL);
		host.stats.from_kernel += sent;
		host.stats.drops[DROP_INJECT_FULL] += n - sent;
		rte_pktmbuf_free_bulk(burst + sent, n - sent);
		total += n;
	}
	return total;
}

/* To the kernel */

static int write_packet(const struct twin *t, struct rte_mbuf *m, uint16_t proto)
{
	struct tun_pi pi = {.proto = rte_cpu_to_be_16(proto)};
	struct iovec iov[SEGMENTS_MAX + 1];
	unsigned n = 0;
	ssize_t len;

	if (m->nb_segs > SEGMENTS_MAX)
		return -EMSGSIZE;
	if (t->kind == IFACE_VTI)
		iov[n++] = (struct iovec){&pi, sizeof(pi)};
	for (; m != NULL; m = m->next)
		iov[n++] = (struct iovec){rte_pktmbuf_mtod(m, void *), m->data_len};
	do {
		len = writev(t->fd, iov, n);
	} while (len < 0 && errno == EINTR);
	return len < 0 ? -errno : 0;
}

static uint16_t ip_proto(const struct rte_mbuf *m)
{
	return *rte_pktmbuf_mtod(m, const uint8_t *) >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP;
}

static void to_kernel(struct rte_mbuf *m, bool mirror)
{
	const struct twin *t = host.twins[host_tag(m)->iface];

	/* Fails where the twin is gone or down, or the kernel has no memory. */
	bool done = t != NULL && write_packet(t, m, mirror ? MIRROR_PROTO : ip_proto(m)) == 0;

	/* A lost mirror is not a lost packet: the original went its way. */
	if (mirror)
		host.stats.mirrored += done;
	else if (done)
		host.stats.to_kernel++;
	else
		host.stats.drops[DROP_PUNT_ERROR]++;
	rte_pktmbuf_free(m);
}

static bool for_control(uint8_t op)
{
	return op == HOST_RESOLVE || op == HOST_HOLD || op == HOST_EARLY || op == HOST_MOVED ||
		op == HOST_PATH_MTU;
}

/* A message that is lost is no packet, and will come again. */
static bool to_control(struct rte_mbuf *m)
{
	const uint8_t op = host_tag(m)->op;

	if (rte_ring_enqueue(host.control, m) == 0)
		return true;
	if (op == HOST_RESOLVE)
		host.stats.drops[DROP_NEIGH_QUEUE_FULL]++;
	else if (op == HOST_HOLD)
		host.stats.drops[DROP_VTI_HOLD_FULL]++;
	else if (op == HOST_EARLY)
		host.stats.drops[DROP_ESP_NO_SA]++;
	else if (op == HOST_PATH_MTU)
		host.stats.drops[DROP_PMTU_RATE]++;
	rte_pktmbuf_free(m);
	return false;
}

static unsigned from_worker(struct worker *w)
{
	struct rte_mbuf *burst[BURST];
	unsigned n = rte_ring_dequeue_burst(w->to_host, (void **)burst, BURST, NULL);
	bool wake = false;

	for (unsigned i = 0; i < n; i++) {
		uint8_t op = host_tag(burst[i])->op;

		if (for_control(op))
			wake |= to_control(burst[i]);
		else
			to_kernel(burst[i], op == HOST_MIRROR);
	}
	if (wake)
		eventfd_write(host.event_fd, 1);
	return n;
}

static unsigned serve(const struct epoll_event *ev, int n_ev)
{
	unsigned done = 0;

	lock_from_loop();
	for (int i = 0; i < n_ev; i++) {
		const struct twin *t = host.twins[ev[i].data.u32];

		if (t != NULL)
			done += from_kernel(t);
	}
	for (unsigned i = 0; i < host.n_workers; i++)
		done += from_worker(host.workers[i]);
	pthread_mutex_unlock(&host.lock);
	return done;
}

/* How long to wait after a turn that moved so many packets. */
static unsigned next_wait(unsigned done, unsigned last_us)
{
	if (done >= BURST)
		return 0; /* there may be more */
	if (done > 0)
		return WAIT_MIN_US;
	return RTE_MIN(RTE_MAX(last_us * 2, (unsigned)WAIT_MIN_US), (unsigned)WAIT_MAX_US);
}

static void *host_loop(void *arg)
{
	unsigned wait_us = WAIT_MAX_US;

	(void)arg;
	/* An lcore id of its own gives it a cache in front of the mempool. */
	if (rte_thread_register() < 0)
		log_debug("host thread runs without a buffer cache");
	while (!atomic_load_explicit(&host.stop, memory_order_relaxed)) {
		const struct timespec ts = {.tv_nsec = wait_us * 1000};
		struct epoll_event ev[EVENTS];
		int n = epoll_pwait2(host.epoll_fd, ev, EVENTS, &ts, NULL);

		wait_us = next_wait(serve(ev, n), wait_us);
	}
	rte_thread_unregister();
	return NULL;
}

/* Start and stop */

static int open_fds(struct err *e)
{
	host.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	host.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (host.epoll_fd < 0 || host.event_fd < 0)
		return err_set(e, errno, "host thread: epoll or eventfd: %s", strerror(errno));
	for (unsigned i = 0; i < IFACE_MAX; i++) {
		if (host.twins[i] != NULL && watch(host.twins[i]) < 0)
			return err_set(
				e, errno, "%s: epoll: %s", host.twins[i]->name, strerror(errno));
	}
	return 0;
}

int host_start(struct worker **workers, unsigned n, struct rte_mempool *pool, struct err *e)
{
	int ret = open_fds(e);

	if (ret < 0) {
		host_stop();
		return ret;
	}
	host.workers = workers;
	host.n_workers = n;
	host.pool = pool;
	host.control = rte_ring_create(
		"host_control", CONTROL_RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (host.control == NULL) {
		host_stop();
		return err_set(e, ENOMEM, "host thread: no memory for its ring");
	}
	atomic_store(&host.stop, false);
	ret = pthread_create(&host.thread, NULL, host_loop, NULL);
	if (ret != 0) {
		host_stop();
		return err_set(e, ret, "host thread: %s", strerror(ret));
	}
	pthread_setname_np(host.thread, "viaduct-host");
	host.running = true;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void host_stop(void)
{
	void *m;

	atomic_store(&host.stop, true);
	if (host.running)
		pthread_join(host.thread, NULL);
	host.running = false;
	while (host.control != NULL && rte_ring_dequeue(host.control, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(host.control);
	host.control = NULL;
	rte_pktmbuf_free_bulk(host.spare, host.n_spare);
	host.n_spare = 0;
	close_fd(&host.epoll_fd);
	close_fd(&host.event_fd);
}

int host_event_fd(void)
{
	return host.event_fd;
}

struct rte_ring *host_control_ring(void)
{
	return host.control;
}

void host_drop(struct rte_mbuf *m, enum drop_reason reason)
{
	lock_from_control();
	host.stats.drops[reason]++;
	pthread_mutex_unlock(&host.lock);
	rte_pktmbuf_free(m);
}

void host_forward(struct rte_mbuf *m, uint16_t iface_id)
{
	host_tag(m)->op = HOST_FORWARD;
	if (rte_ring_enqueue(inject_ring(iface_id), m) < 0)
		host_drop(m, DROP_INJECT_FULL);
}

void host_to_tunnel(struct rte_mbuf *m)
{
	const uint16_t iface_id = host_tag(m)->iface;

	host_tag(m)->op = HOST_VTI;
	if (rte_ring_enqueue(inject_ring(iface_id), m) < 0)
		host_drop(m, DROP_INJECT_FULL);
}

/* Whose sender is the router itself has nobody to be told; and when it goes down, nobody is there to. */
void host_unreachable(struct rte_mbuf *m, enum drop_reason reason)
{
	struct host_tag *tag = host_tag(m);

	tag->op = HOST_UNREACHABLE;
	tag->reason = reason;
	if (!host.running || tag->in == 0 || (tag->flags & PKT_OWN) ||
		rte_ring_enqueue(inject_ring(tag->iface), m) < 0)
		host_drop(m, reason);
}

const struct host_stats *host_stats(void)
{
	return &host.stats;
}
