/* SPDX-License-Identifier: BSD-3-Clause */
/* What a client may send, over the real server, SA database, VTIs, policies and routing table; only the
 * kernel is a fake one (no_kernel.c). The first byte chooses:
 *
 *	0x80 and more	a request structure, for its check alone
 *	0x40 and more	requests: each a message, what is odd about its frame, its structure's bytes
 *	else		the bytes of the stream as they are
 *
 * The second byte says whether HELLO is over, and whether the client may write. Every answer must be a
 * frame as docs/api.md has it, and afterwards all must go away again: a request that was refused, or a
 * batch that failed, has left nothing behind. */
#include "control/api/api_client.h"
#include "control/api/api_handlers.h"
#include "control/daemon.h"
#include "control/iface/ifaces.h"
#include "control/iface/vti.h"
#include "control/log.h"
#include "control/rcu.h"
#include "control/reload/reload.h"
#include "control/routing/fib_writer.h"
#include "control/routing/nexthops.h"
#include "control/routing/rib.h"
#include "control/sa/sadb.h"
#include "control/workers.h"
#include "dataplane/spi_table.h"
#include "fuzz.h"
#include "test/unit/unit.h"

#include <event2/event.h>

#include <errno.h>
#include <fcntl.h>
#include <rte_eal.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <viaduct_sizes.h>

#define CHECK        0x80
#define REQUESTS     0x40
#define REQUESTS_MAX 64

enum client_flag {
	CLIENT_HELLO = 1 << 0, /* most inputs would never get past it */
	CLIENT_WRITES = 1 << 1,
};

enum frame_flag {
	FRAME_BASE = 1 << 0,   /* the structure's former size */
	FRAME_LONGER = 1 << 1, /* zeros behind it, as of a later version */
	FRAME_ID_ZERO = 1 << 2,
	FRAME_SHORT = 1 << 3,
};

static struct event_base *base;

static void fail(const char *what)
{
	fprintf(stderr, "fuzz: %s\n", what);
	abort();
}

/* What they have of IPsec-MB's is known only to DPDK's memory, where a leak checker doesn't look. */
static void stop(void)
{
	workers_free(daemon_state.workers, daemon_state.n_workers);
}

static void start_state(void)
{
	static const struct config_source source = {.path = "/nonexistent/viaduct.conf"};
	struct config *config = config_default();
	struct err e = {""};

	daemon_state.config = config;
	daemon_state.n_workers = 1;
	if (config == NULL || rcu_init(1) < 0 || spi_table_init() < 0 || nexthops_init() < 0 ||
		fib_create(0, 1000, 1000) < 0)
		fail("cannot start");
	daemon_state.workers = workers_new(1, daemon_state.pool, &e);
	if (daemon_state.workers == NULL || reload_start(config, &source, &e) < 0)
		fail(e.text);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char *eal[] = {(*argv)[0], UNIT_EAL_ARGS};
	struct iface *port;

	(void)argc;
	log_set_level(LOG_LEVEL_ERR);
	if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)
		fail("no EAL");
	base = event_base_new();
	daemon_state.pool = rte_pktmbuf_pool_create("fuzz", 63, 0, 0, 256, 0);
	if (daemon_state.pool == NULL)
		fail("no mbufs");
	start_state();
	atexit(stop);
	port = iface_new(IFACE_PORT, "lan0", 1);
	port->kernel_ifindex = 10;
	iface_publish(port);
	return 0;
}

/* A copy of exactly the structure's size: reading past it is an error that ASan sees. */
static void check(
	int (*fn)(const void *, struct err *), size_t want, const uint8_t *data, size_t size)
{
	uint8_t *req = calloc(1, want > 0 ? want : 1);
	struct err e;

	if (req == NULL)
		abort();
	memcpy(req, data, size < want ? size : want);
	e.text[0] = '\0';
	if (fn(req, &e) < 0 && e.text[0] == '\0')
		fail("refused without a reason");
	free(req);
}

static void check_by_number(unsigned number, const uint8_t *data, size_t size)
{
	static const struct {
		int (*fn)(const void *, struct err *);
		size_t size;
	} checks[] = {
#define X(req) {check_##req, sizeof(struct req)},
		API_REQUESTS(X)
#undef X
	};
	const unsigned i = number % (sizeof(checks) / sizeof(checks[0]));

	check(checks[i].fn, checks[i].size, data, size);
}

/* The other end of the client's socket, and what has been read there of the next frame. */
static struct {
	int fd;
	size_t len;
	uint8_t in[sizeof(struct viaduct_msg) + VIADUCT_MSG_MAX];
} far;

static void check_answer(const struct viaduct_msg *msg, const uint8_t *data)
{
	if (msg->flags & VIADUCT_EVENT) {
		if (msg->id != 0 || msg->status != 0)
			fail("an event with id or status");
		return;
	}
	if (!(msg->flags & VIADUCT_REPLY) || msg->flags & ~(VIADUCT_REPLY | VIADUCT_MORE))
		fail("neither an answer nor an event");
	if (msg->status == 0)
		return;
	if (msg->flags & VIADUCT_MORE || msg->len == 0 || msg->len > VIADUCT_ERROR_LEN ||
		strnlen((const char *)data, msg->len) != msg->len - 1 || msg->len == 1)
		fail("a refusal without a sentence");
}

static void read_answers(void)
{
	struct viaduct_msg msg;
	size_t off = 0;
	ssize_t n;

	while ((n = recv(far.fd, far.in + far.len, sizeof(far.in) - far.len, 0)) > 0) {
		far.len += n;
		for (off = 0; far.len - off >= sizeof(msg); off += sizeof(msg) + msg.len) {
			memcpy(&msg, far.in + off, sizeof(msg));
			if (msg.len > VIADUCT_MSG_MAX)
				fail("an answer that is too long");
			if (far.len - off < sizeof(msg) + msg.len)
				break;
			check_answer(&msg, far.in + off + sizeof(msg));
		}
		far.len -= off;
		memmove(far.in, far.in + off, far.len);
	}
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
	read_answers();
}

/* False: the server has closed the connection. */
static bool send_all(const uint8_t *data, size_t size)
{
	while (size > 0) {
		const ssize_t n = send(far.fd, data, size, MSG_NOSIGNAL);

		if (n > 0) {
			data += n;
			size -= n;
		}
		turn();
		if (n < 0 && LIST_EMPTY(&api_clients))
			return false;
	}
	return true;
}

static const struct {
	uint16_t type, size, least;
} messages[] = {
#define X(name, number, req, rep, write, dump) {number, sizeof(struct req), VIADUCT_BASE_SIZE(req)},
	VIADUCT_MESSAGES(X)
#undef X
};

#define MESSAGES (sizeof(messages) / sizeof(messages[0]))

/* By its number; any other byte means one of them, too. */
static unsigned message_of(uint8_t byte)
{
	for (unsigned i = 0; i < MESSAGES; i++) {
		if (messages[i].type == byte)
			return i;
	}
	return byte % MESSAGES;
}

static void send_requests(const uint8_t *data, size_t size)
{
	struct {
		struct viaduct_msg msg;
		uint8_t data[VIADUCT_MSG_MAX];
	} frame;
	size_t want, have;
	bool open = true;

	for (unsigned n = 1; open && n <= REQUESTS_MAX && size >= 2; n++) {
		const unsigned i = message_of(data[0]), odd = data[1];

		data += 2;
		size -= 2;
		want = odd & FRAME_BASE ? messages[i].least : messages[i].size;
		have = want < size ? want : size;
		memset(&frame, 0, sizeof(frame.msg) + want + 16);
		memcpy(frame.data, data, have);
		data += have;
		size -= have;
		if (odd & FRAME_SHORT && want > 0)
			want--;
		frame.msg.len = want + (odd & FRAME_LONGER ? 8 : 0);
		frame.msg.type = messages[i].type;
		frame.msg.id = odd & FRAME_ID_ZERO ? 0 : n;
		open = send_all((const uint8_t *)&frame, sizeof(frame.msg) + frame.msg.len);
		if (n % 8 == 0)
			sadb_tick();
	}
}

/* Our routes, one at a time: the list may not change while it is read. */
static int first_given(const struct viaduct_route *r, void *out)
{
	if (r->origin != VIADUCT_ORIGIN_API)
		return 0;
	memcpy(out, r, sizeof(*r));
	return 1;
}

static void clean_up(void)
{
	struct viaduct_route r;
	struct err e;

	while (rib_each(first_given, &r) == 1) {
		if (route_del(&r, &e) < 0)
			fail(e.text);
	}
	rib_commit();
	vti_fini();
	sadb_fini();
	policy_flush();
	rcu_drain();
	if (vti_count() + sadb_count() + policy_count() > 0)
		fail("something was left behind");
}

static void client(uint8_t how, const uint8_t *data, size_t size, bool requests)
{
	const struct ucred peer = {.pid = 1};
	struct api_client *c;
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) < 0)
		abort();
	far.fd = fd[1];
	far.len = 0;
	c = api_client_new(base, fd[0], &peer);
	if (c == NULL)
		abort();
	c->writable = how & CLIENT_WRITES;
	c->hello = how & CLIENT_HELLO;
	if (requests)
		send_requests(data, size);
	else
		send_all(data, size);
	shutdown(fd[1], SHUT_WR);
	for (unsigned i = 0; i < 64 && !LIST_EMPTY(&api_clients); i++)
		turn();
	close(fd[1]);
	for (unsigned i = 0; i < 4 && !LIST_EMPTY(&api_clients); i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	if (!LIST_EMPTY(&api_clients))
		fail("a client that is gone stays");
	if (how & CLIENT_WRITES)
		clean_up();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	if (data[0] & CHECK)
		check_by_number(data[0], data + 1, size - 1);
	else
		client(data[1], data + 2, size - 2, data[0] & REQUESTS);
	return 0;
}
