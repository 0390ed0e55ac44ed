/* SPDX-License-Identifier: BSD-3-Clause */
/* libviaduct: against the real server, and against a server that misbehaves. */
#include "control/daemon.h"
#include "test/unit/api_raw.h"
#include "test/unit/unit.h"

#include <pthread.h>
#include <viaduct.h>

/* The client has its own thread; the server's loop turns here until it is done. */
static void with_server(void *(*client)(void *))
{
	pthread_t thread;
	int err;

	raw_server_start();
	if (pthread_create(&thread, NULL, client, NULL) != 0)
		abort();
	do {
		event_base_loop(base, EVLOOP_NONBLOCK);
		usleep(100);
		err = pthread_tryjoin_np(thread, NULL);
	} while (err == EBUSY);
	raw_server_stop();
}

static int count(const void *item, void *arg)
{
	const struct viaduct_drop_info *d = item;
	unsigned *n = arg;

	CU_ASSERT_EQUAL(d->reason, *n);
	++*n;
	return 0;
}

static int stop_at_three(const void *item, void *arg)
{
	const struct viaduct_drop_info *d = item;

	(void)arg;
	return d->reason == 3 ? 42 : 0;
}

static void *calls_and_dumps(void *arg)
{
	const struct viaduct_subscribe bad = {.mask = 1 << 20}, good = {.mask = VIADUCT_SUB_SA};
	struct viaduct *v = viaduct_open(raw_path, "test");
	unsigned n = 0;

	(void)arg;
	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	CU_ASSERT_EQUAL(viaduct_dump(v, VIADUCT_DROP_DUMP, NULL, count, &n), 0);
	CU_ASSERT(n > 50);
	/* Ended early, the rest is read away: the next answer is the next answer. */
	CU_ASSERT_EQUAL(viaduct_dump(v, VIADUCT_DROP_DUMP, NULL, stop_at_three, NULL), 42);
	CU_ASSERT_EQUAL(viaduct_call(v, VIADUCT_SUBSCRIBE, &bad, NULL), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(viaduct_error(v), "mask"));
	CU_ASSERT_EQUAL(viaduct_call(v, VIADUCT_SUBSCRIBE, &good, NULL), 0);
	/* Misuse is told at once and costs nothing. */
	CU_ASSERT_EQUAL(viaduct_call(v, VIADUCT_DROP_DUMP, NULL, NULL), -EINVAL);
	CU_ASSERT_EQUAL(viaduct_dump(v, VIADUCT_STATUS, NULL, count, NULL), -EINVAL);
	CU_ASSERT_EQUAL(viaduct_call(v, 9999, NULL, NULL), -EINVAL);
	CU_ASSERT_EQUAL(viaduct_call(v, VIADUCT_SUBSCRIBE, NULL, NULL), -EINVAL);
	CU_ASSERT_EQUAL(viaduct_call(v, VIADUCT_SUBSCRIBE, &good, NULL), 0);
	viaduct_close(v);
	return NULL;
}

static void calls_dumps_and_refusals(void)
{
	with_server(calls_and_dumps);
}

static int check_stage(const void *item, void *arg)
{
	const struct viaduct_cycles_info *info = item;
	unsigned *n = arg, worker = *n / CYCLES_STAGE_COUNT, stage = *n % CYCLES_STAGE_COUNT;

	CU_ASSERT_EQUAL(info->worker, worker);
	CU_ASSERT_EQUAL(info->kind, (unsigned)cycles_kind(stage));
	CU_ASSERT_EQUAL(info->cycles, 1000 * worker + stage);
	CU_ASSERT_EQUAL(info->packets, 2000 * worker + stage);
	CU_ASSERT_STRING_EQUAL(info->name, cycles_name(stage));
	CU_ASSERT_STRING_EQUAL(info->help, cycles_help(stage));
	++*n;
	return 0;
}

static void *cycles_dump(void *arg)
{
	struct viaduct *v = viaduct_open(raw_path, "test");
	unsigned n = 0;

	(void)arg;
	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	CU_ASSERT_EQUAL(viaduct_dump(v, VIADUCT_CYCLES_DUMP, NULL, check_stage, &n), 0);
	CU_ASSERT_EQUAL(n, 2 * CYCLES_STAGE_COUNT);
	viaduct_close(v);
	return NULL;
}

static void cycles_of_all_workers(void)
{
	static struct worker worker[2];
	struct worker *workers[] = {&worker[0], &worker[1]};

	for (unsigned w = 0; w < 2; w++) {
		for (unsigned i = 0; i < CYCLES_STAGE_COUNT; i++) {
			worker[w].cycles.stage[i].cycles = 1000 * w + i;
			worker[w].cycles.stage[i].packets = 2000 * w + i;
		}
	}
	daemon_state.workers = workers;
	daemon_state.n_workers = 2;
	with_server(cycles_dump);
	daemon_state = (struct daemon_state){0};
}

struct seen {
	struct viaduct *v;
	unsigned n, wrong;
};

static void on_event(unsigned type, const void *data, void *arg)
{
	const struct viaduct_sa_expire *ev = data;
	struct seen *s = arg;

	s->wrong += type != VIADUCT_EVENT_SA_EXPIRE || ev->reqid != s->n;
	s->n++;
	/* Calls do not nest. */
	s->wrong += viaduct_call(s->v, VIADUCT_STATUS, NULL, NULL) != -EBUSY;
}

/* A server that answers HELLO and then one request, with the bytes it was given. */
static struct {
	int listener;
	uint32_t version;
	uint8_t bytes[4096];
	size_t len;
} fake;

static void *fake_run(void *arg)
{
	struct {
		struct viaduct_msg msg;
		struct viaduct_hello hello;
	} in,
		out = {{sizeof(out.hello), VIADUCT_HELLO, VIADUCT_REPLY, 1, 0},
			{fake.version, 1, "fake"}};
	int fd = accept(fake.listener, NULL, NULL);

	(void)arg;
	if (recv(fd, &in, sizeof(in.msg), MSG_WAITALL) == sizeof(in.msg) &&
		recv(fd, &in.hello, in.msg.len, MSG_WAITALL) == in.msg.len)
		send(fd, &out, sizeof(out), MSG_NOSIGNAL);
	if (recv(fd, &in, sizeof(in.msg), MSG_WAITALL) == sizeof(in.msg)) {
		recv(fd, &in.hello, in.msg.len, MSG_WAITALL);
		send(fd, fake.bytes, fake.len, MSG_NOSIGNAL);
	}
	close(fd);
	return NULL;
}

static void fake_add(const void *data, size_t len)
{
	if (len > 0)
		memcpy(fake.bytes + fake.len, data, len);
	fake.len += len;
}

static void fake_frame(
	uint16_t type, uint16_t flags, uint32_t id, uint32_t status, const void *data, uint32_t len)
{
	const struct viaduct_msg msg = {len, type, flags, id, status};

	fake_add(&msg, sizeof(msg));
	fake_add(data, len);
}

static struct viaduct *fake_open(uint32_t version, pthread_t *thread)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct viaduct *v;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "/tmp/viaduct-fake-%d.sock", getpid());
	unlink(sun.sun_path);
	fake.version = version;
	fake.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(fake.listener, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
		listen(fake.listener, 1) < 0 || pthread_create(thread, NULL, fake_run, NULL) != 0)
		abort();
	v = viaduct_open(sun.sun_path, "test");
	unlink(sun.sun_path);
	return v;
}

static void fake_close(struct viaduct *v, pthread_t thread)
{
	viaduct_close(v);
	pthread_join(thread, NULL);
	close(fake.listener);
	fake.len = 0;
}

/* The answer to one SUBSCRIBE is what fake_add() collected; what the call returns, and the next. */
static void answered(int ret, const char *words, int next)
{
	const struct viaduct_subscribe sub = {0};
	pthread_t thread;
	struct viaduct *v = fake_open(VIADUCT_API_VERSION, &thread);

	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	CU_ASSERT_EQUAL(viaduct_call(v, VIADUCT_SUBSCRIBE, &sub, NULL), ret);
	CU_ASSERT_PTR_NOT_NULL(strstr(viaduct_error(v), words));
	CU_ASSERT_EQUAL(viaduct_call(v, VIADUCT_SUBSCRIBE, &sub, NULL), next);
	fake_close(v, thread);
}

static void events_during_calls_are_kept(void)
{
	const struct viaduct_subscribe sub = {0};
	struct viaduct_sa_expire ev = {.reqid = 0};
	struct seen s = {0};
	pthread_t thread;

	for (ev.reqid = 0; ev.reqid < 3; ev.reqid++)
		fake_frame(VIADUCT_EVENT_SA_EXPIRE, VIADUCT_EVENT, 0, 0, &ev, sizeof(ev));
	fake_frame(VIADUCT_SUBSCRIBE, VIADUCT_REPLY, 2, 0, NULL, 0);
	fake_frame(VIADUCT_EVENT_SA_EXPIRE, VIADUCT_EVENT, 0, 0, &ev, sizeof(ev));
	s.v = fake_open(VIADUCT_API_VERSION, &thread);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s.v);
	CU_ASSERT_EQUAL(viaduct_call(s.v, VIADUCT_SUBSCRIBE, &sub, NULL), 0);
	CU_ASSERT_EQUAL(s.n, 0);
	CU_ASSERT_EQUAL(viaduct_events(s.v, 1000, on_event, &s), 4);
	CU_ASSERT_EQUAL(s.n, 4);
	CU_ASSERT_EQUAL(s.wrong, 0);
	CU_ASSERT_EQUAL(viaduct_events(s.v, 1000, on_event, &s), -ECONNRESET);
	CU_ASSERT_PTR_NOT_NULL(strstr(viaduct_error(s.v), "closed"));
	fake_close(s.v, thread);
}

static void a_server_out_of_step_is_left(void)
{
	static const struct viaduct_msg huge = {.len = 0xffffffff, .type = VIADUCT_SUBSCRIBE};
	static const uint8_t zeros[64];

	fake_frame(VIADUCT_SUBSCRIBE, VIADUCT_REPLY, 77, 0, NULL, 0);
	answered(-EPROTO, "id 77", -EPROTO);
	fake_frame(VIADUCT_STATUS, VIADUCT_REPLY, 2, 0, NULL, 0);
	answered(-EPROTO, "unexpected", -EPROTO);
	fake_frame(VIADUCT_SUBSCRIBE, 0, 2, 0, NULL, 0);
	answered(-EPROTO, "unexpected", -EPROTO);
	fake_frame(VIADUCT_SUBSCRIBE, VIADUCT_REPLY, 2, 0, zeros, 64);
	answered(-EPROTO, "64 bytes", -EPROTO);
	fake_frame(VIADUCT_EVENT_VTI, VIADUCT_EVENT, 0, 0, zeros, 64);
	answered(-EPROTO, "event", -EPROTO);
	fake_add(&huge, sizeof(huge));
	answered(-EPROTO, "4294967295 bytes", -EPROTO);
	fake_add(&huge, sizeof(huge) - 1);
	answered(-ECONNRESET, "closed", -ECONNRESET);
}

/* What a daemon of a later minor version may send, and what one of an earlier one may leave off. */
static void structures_may_have_grown(void)
{
	static const uint8_t longer[sizeof(struct viaduct_sa_expire) + 8] = {4};
	const struct viaduct_subscribe sub = {0};
	struct viaduct_hello rep;
	struct seen s = {0};
	pthread_t thread;

	fake_frame(VIADUCT_EVENT_SA_EXPIRE, VIADUCT_EVENT, 0, 0, longer, sizeof(longer));
	fake_frame(VIADUCT_SUBSCRIBE, VIADUCT_REPLY, 2, 0, NULL, 0);
	s.v = fake_open(VIADUCT_API_VERSION, &thread);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s.v);
	CU_ASSERT_EQUAL(viaduct_call(s.v, VIADUCT_SUBSCRIBE, &sub, NULL), 0);
	CU_ASSERT_EQUAL(viaduct_events(s.v, 1000, on_event, &s), 1);
	CU_ASSERT_EQUAL(s.wrong, 0);
	fake_close(s.v, thread);

	/* HELLO without what 2.0 added to it. */
	fake_frame(VIADUCT_HELLO, VIADUCT_REPLY, 2, 0, &(struct viaduct_hello){.version = 2}, 40);
	s.v = fake_open(VIADUCT_API_VERSION, &thread);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s.v);
	memset(&rep, 0xff, sizeof(rep));
	CU_ASSERT_EQUAL(viaduct_call(s.v, VIADUCT_HELLO, &rep, &rep), 0);
	CU_ASSERT_EQUAL(rep.version, 2);
	CU_ASSERT_EQUAL(rep.minor, 0);
	fake_close(s.v, thread);
}

struct answers {
	struct viaduct *v;
	unsigned n, refused, wrong;
};

/* Odd ones have an unknown bit. */
static void on_answer(const struct viaduct_answer *a, void *arg)
{
	struct answers *s = arg;
	const bool odd = s->n % 2;

	s->wrong += a->type != VIADUCT_SUBSCRIBE || (a->status == -EINVAL) != odd ||
		(a->error[0] != '\0') != odd;
	s->refused += a->status != 0;
	s->n++;
	s->wrong += viaduct_call(s->v, VIADUCT_STATUS, NULL, NULL) != -EBUSY;
}

static void send_many(struct answers *s, unsigned n)
{
	struct viaduct_subscribe sub = {0};

	for (unsigned i = 0; i < n; i++) {
		sub.mask = i % 2 ? 1u << 31 : VIADUCT_SUB_SA;
		s->wrong += viaduct_send(s->v, VIADUCT_SUBSCRIBE, &sub, on_answer, s) != 0;
	}
}

static void *pipelined(void *arg)
{
	struct answers s = {.v = viaduct_open(raw_path, "test")};
	unsigned drops = 0;

	CU_ASSERT_PTR_NOT_NULL_FATAL(s.v);
	CU_ASSERT_EQUAL(viaduct_flush(s.v), 0);
	/* More than can be under way at once, and more than socket buffers hold. */
	send_many(&s, 100000);
	CU_ASSERT_EQUAL(viaduct_flush(s.v), 50000);
	CU_ASSERT_EQUAL(s.n, 100000);
	CU_ASSERT_EQUAL(s.refused, 50000);
	/* A dump in the middle takes the answers before it first; refusals count from the last flush. */
	send_many(&s, 10);
	CU_ASSERT_EQUAL(viaduct_dump(s.v, VIADUCT_DROP_DUMP, NULL, count, &drops), 0);
	CU_ASSERT_EQUAL(s.n, 100010);
	send_many(&s, 2);
	CU_ASSERT_EQUAL(viaduct_flush(s.v), 6);
	CU_ASSERT_EQUAL(viaduct_flush(s.v), 0);
	CU_ASSERT_EQUAL(s.wrong, 0);
	/* Misuse is told at once and costs nothing. */
	CU_ASSERT_EQUAL(viaduct_send(s.v, VIADUCT_DROP_DUMP, NULL, NULL, NULL), -EINVAL);
	CU_ASSERT_EQUAL(viaduct_send(s.v, VIADUCT_SUBSCRIBE, NULL, NULL, NULL), -EINVAL);
	CU_ASSERT_EQUAL(viaduct_flush(s.v), 0);
	viaduct_close(s.v);
	return arg;
}

static void requests_are_pipelined(void)
{
	with_server(pipelined);
}

static void on_lost(const struct viaduct_answer *a, void *arg)
{
	struct answers *s = arg;

	s->n++;
	s->refused += a->status == -ECONNRESET;
}

static void every_request_is_answered_when_the_daemon_goes(void)
{
	const struct viaduct_subscribe sub = {0};
	struct answers s = {0};
	pthread_t thread;

	fake_frame(VIADUCT_SUBSCRIBE, VIADUCT_REPLY, 2, 0, NULL, 0);
	s.v = fake_open(VIADUCT_API_VERSION, &thread);
	CU_ASSERT_PTR_NOT_NULL_FATAL(s.v);
	for (unsigned i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(viaduct_send(s.v, VIADUCT_SUBSCRIBE, &sub, on_lost, &s), 0);
	CU_ASSERT_EQUAL(viaduct_flush(s.v), -ECONNRESET);
	CU_ASSERT_EQUAL(s.n, 5);
	CU_ASSERT_EQUAL(s.refused, 4);
	CU_ASSERT_EQUAL(viaduct_send(s.v, VIADUCT_SUBSCRIBE, &sub, on_lost, &s), -ECONNRESET);
	CU_ASSERT_EQUAL(s.n, 5);
	fake_close(s.v, thread);
}

static void refusals_carry_the_servers_words(void)
{
	/* Not terminated, and longer than any sentence should be. */
	char words[1000];

	memset(words, 'w', sizeof(words));
	fake_frame(VIADUCT_SUBSCRIBE, VIADUCT_REPLY, 2, EEXIST, "taken", 5);
	answered(-EEXIST, "taken", -ECONNRESET);
	fake_frame(VIADUCT_SUBSCRIBE, VIADUCT_REPLY, 0, EACCES, "not you", 8);
	answered(-EACCES, "not you", -EACCES);
	fake_frame(VIADUCT_SUBSCRIBE, VIADUCT_REPLY, 2, EIO, words, sizeof(words));
	answered(-EIO, "wwww", -ECONNRESET);
	fake_frame(VIADUCT_SUBSCRIBE, VIADUCT_REPLY, 2, ENOSPC, NULL, 0);
	answered(-ENOSPC, "No space", -ECONNRESET);
	fake_frame(VIADUCT_SUBSCRIBE, VIADUCT_REPLY, 2, 0x80000000, NULL, 0);
	answered(-EPROTO, "", -ECONNRESET);
}

static void failing_to_connect_says_what_to_do(void)
{
	char path[200];
	pthread_t thread;

	CU_ASSERT_PTR_NULL(viaduct_open("/nonexistent/viaduct.sock", "test"));
	CU_ASSERT_EQUAL(errno, ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(viaduct_error(NULL), "/nonexistent/viaduct.sock"));
	CU_ASSERT_PTR_NOT_NULL(strstr(viaduct_error(NULL), "is viaductd running"));
	memset(path, 'p', sizeof(path));
	path[199] = '\0';
	CU_ASSERT_PTR_NULL(viaduct_open(path, "test"));
	CU_ASSERT_EQUAL(errno, ENAMETOOLONG);
	CU_ASSERT_PTR_NULL(fake_open(VIADUCT_API_VERSION + 1, &thread));
	CU_ASSERT_EQUAL(errno, EPROTO);
	CU_ASSERT_PTR_NOT_NULL(strstr(viaduct_error(NULL), "version 3"));
	fake_close(NULL, thread);
}

UNIT_MAIN("libviaduct", UNIT_TEST(calls_dumps_and_refusals), UNIT_TEST(cycles_of_all_workers),
	UNIT_TEST(events_during_calls_are_kept), UNIT_TEST(a_server_out_of_step_is_left),
	UNIT_TEST(structures_may_have_grown), UNIT_TEST(requests_are_pipelined),
	UNIT_TEST(every_request_is_answered_when_the_daemon_goes),
	UNIT_TEST(refusals_carry_the_servers_words), UNIT_TEST(failing_to_connect_says_what_to_do))
