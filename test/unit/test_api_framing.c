/* SPDX-License-Identifier: BSD-3-Clause */
/* The API socket: who may connect, how frames are cut, what one client can do to the others. */
#include "test/unit/api_raw.h"
#include "test/unit/unit.h"

#include <sys/wait.h>
#include <viaduct_sizes.h>

static char text[VIADUCT_MSG_MAX];

static void socket_is_private_from_the_start(void)
{
	const mode_t old = umask(0);
	struct stat st;
	char run[80];

	raw_server_start();
	umask(old);
	CU_ASSERT_EQUAL(stat(raw_path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode, S_IFSOCK | 0600);
	snprintf(run, sizeof(run), "%s/run", raw_dir);
	CU_ASSERT_EQUAL(stat(run, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode, S_IFDIR | 0755);
	raw_server_stop();
	CU_ASSERT_EQUAL(stat(raw_path, &st), -1);
}

static void second_instance_is_refused(void)
{
	char pid[32];
	struct err e;
	int fd;

	raw_server_start();
	CU_ASSERT_EQUAL(api_start(base, raw_path, &e), -EADDRINUSE);
	snprintf(pid, sizeof(pid), "(pid %d)", getpid());
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, pid));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, raw_path));
	fd = raw_client(); /* the first one goes on */
	close(fd);
	raw_server_stop();
}

static void stale_socket_is_replaced_but_no_file(void)
{
	struct event_base *b = event_base_new();
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct stat st;
	struct err e;
	int fd;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "/tmp/viaduct-test-%d.sock", getpid());
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	CU_ASSERT_EQUAL(api_start(b, sun.sun_path, &e), 0);
	api_stop();
	CU_ASSERT_EQUAL(stat(sun.sun_path, &st), -1);

	close(open(sun.sun_path, O_CREAT | O_WRONLY, 0600));
	CU_ASSERT_EQUAL(api_start(b, sun.sun_path, &e), -EEXIST);
	CU_ASSERT_EQUAL(stat(sun.sun_path, &st), 0);
	unlink(sun.sun_path);
	event_base_free(b);
}

static void stop_removes_only_its_own_socket(void)
{
	struct stat st;
	char away[128];

	raw_server_start();
	snprintf(away, sizeof(away), "%s.away", raw_path);
	CU_ASSERT_EQUAL(rename(raw_path, away), 0);
	close(open(raw_path, O_CREAT | O_WRONLY, 0600));
	unlink(away);
	api_stop();
	CU_ASSERT_EQUAL(stat(raw_path, &st), 0);
	raw_server_stop();
}

static void other_users_are_refused(void)
{
	struct viaduct_msg msg;
	int fd, status;
	pid_t child;

	if (geteuid() != 0) {
		printf("skipped: other_users_are_refused needs root\n");
		return;
	}
	raw_server_start();
	/* Past the file's mode, to meet the check behind it. */
	chmod(raw_path, 0666);
	chmod(raw_dir, 0755);
	child = fork();
	if (child == 0) {
		if (setuid(65534) < 0)
			_exit(2);
		fd = raw_connect();
		poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 5000);
		if (recv(fd, &msg, sizeof(msg), 0) != sizeof(msg) || recv(fd, text, 256, 0) <= 0)
			_exit(3);
		_exit(msg.status == EACCES && msg.id == 0 && strstr(text, "uid 65534") != NULL ? 0
											       : 4);
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		turn();
		usleep(1000);
	}
	CU_ASSERT_EQUAL(status, 0);
	CU_ASSERT_EQUAL(api_client_count(), 0);
	raw_server_stop();
}

static void hello_comes_first_and_versions_match(void)
{
	struct viaduct_msg msg;
	struct viaduct_hello rep;
	int fd;

	raw_server_start();
	fd = raw_connect();
	CU_ASSERT_EQUAL(raw_hello_version(fd, VIADUCT_API_VERSION, &msg, &rep), 1);
	CU_ASSERT_EQUAL(msg.status, 0);
	CU_ASSERT_EQUAL(msg.len, sizeof(rep));
	CU_ASSERT_EQUAL(msg.flags, VIADUCT_REPLY);
	CU_ASSERT_EQUAL(rep.version, VIADUCT_API_VERSION);
	CU_ASSERT_EQUAL(rep.minor, VIADUCT_API_MINOR);
	CU_ASSERT_EQUAL(rep.pid, (uint32_t)getpid());
	close(fd);

	fd = raw_connect();
	CU_ASSERT_EQUAL(raw_hello_version(fd, 77, &msg, text), 1);
	CU_ASSERT_EQUAL(msg.status, EPROTO);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "speaks 2,"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "speaks 77"));
	CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), -1);
	close(fd);

	fd = raw_connect();
	CU_ASSERT_EQUAL(raw_call(fd, VIADUCT_DROP_DUMP, NULL, 0, text), EPROTO);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "HELLO"));
	CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), -1);
	close(fd);
	raw_server_stop();
}

/* What a client of version 1 sends: its HELLO was shorter, and it is told in so many words. */
static void an_old_client_is_told_the_versions(void)
{
	const struct viaduct_hello hello = {.version = 1, .name = "old"};
	struct viaduct_msg msg;
	int fd;

	raw_server_start();
	fd = raw_connect();
	raw_request(fd, VIADUCT_HELLO, 1, &hello, 40);
	CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), 1);
	CU_ASSERT_EQUAL(msg.status, EPROTO);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "the client (old) speaks 1"));
	CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), -1);
	close(fd);
	raw_server_stop();
}

/* The rule of docs/api.md: zeros may follow what is known, and what has a base size may end there. */
static void structures_may_grow_at_their_end(void)
{
	static const struct {
		unsigned type, size, base;
	} requests[] = {
#define X(name, number, req, rep, write, dump) {number, sizeof(struct req), VIADUCT_BASE_SIZE(req)},
		VIADUCT_MESSAGES(X)
#undef X
	};
	static uint8_t bytes[VIADUCT_MSG_MAX], *zeros = bytes;
	int fd;

	raw_server_start();
	fd = raw_client();
	for (unsigned i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		const unsigned type = requests[i].type, size = requests[i].size;

		if (type == VIADUCT_HELLO)
			continue; /* closes */
		bytes[size] = 1;
		CU_ASSERT_EQUAL(raw_call(fd, type, bytes, size + 1, text), E2BIG);
		CU_ASSERT_PTR_NOT_NULL(strstr(text, "not zero"));
		bytes[size] = 0;
		bytes[VIADUCT_MSG_MAX - 1] = 1;
		CU_ASSERT_EQUAL(raw_call(fd, type, bytes, VIADUCT_MSG_MAX, text), E2BIG);
		bytes[VIADUCT_MSG_MAX - 1] = 0;
		if (requests[i].base == 0)
			continue;
		CU_ASSERT_EQUAL(raw_call(fd, type, bytes, requests[i].base - 1, text), EMSGSIZE);
		/* Of full length, longer, and as short as allowed, it says the same. */
		const int full = raw_call(fd, type, bytes, size, text);

		CU_ASSERT_NOT_EQUAL(full, EMSGSIZE);
		CU_ASSERT_EQUAL(raw_call(fd, type, bytes, size + 8, text), full);
		CU_ASSERT_EQUAL(raw_call(fd, type, bytes, requests[i].base, text), full);
	}
	CU_ASSERT_EQUAL(raw_call(fd, 9999, zeros, 0, text), EOPNOTSUPP);
	CU_ASSERT_EQUAL(raw_call(fd, VIADUCT_EVENT_VTI, zeros, 0, text), EOPNOTSUPP);
	close(fd);
	raw_server_stop();
}

static void bad_headers_end_the_connection(void)
{
	struct viaduct_msg msg = {.len = VIADUCT_MSG_MAX + 1, .type = VIADUCT_STATUS, .id = 3};
	int fd;

	raw_server_start();
	fd = raw_client();
	raw_send(fd, &msg, sizeof(msg));
	CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), 1);
	CU_ASSERT_EQUAL(msg.status, EMSGSIZE);
	CU_ASSERT_EQUAL(msg.id, 0);
	CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), -1);
	close(fd);

	fd = raw_client();
	raw_request(fd, VIADUCT_SUBSCRIBE, 0, NULL, 0);
	CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), 1);
	CU_ASSERT_EQUAL(msg.status, EINVAL);
	CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), -1);
	close(fd);

	/* Flags are the daemon's: refused, but the stream is in step and goes on. */
	fd = raw_client();
	msg = (struct viaduct_msg){.type = VIADUCT_DROP_DUMP, .id = 4, .flags = VIADUCT_MORE};
	raw_send(fd, &msg, sizeof(msg));
	CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), 1);
	CU_ASSERT_EQUAL(msg.status, EINVAL);
	CU_ASSERT_EQUAL(msg.id, 4);
	CU_ASSERT_EQUAL(raw_call(fd, 9999, NULL, 0, text), EOPNOTSUPP);
	close(fd);
	raw_server_stop();
}

static void frames_may_come_in_pieces(void)
{
	const struct viaduct_subscribe sub = {.mask = VIADUCT_SUB_VTI};
	struct {
		struct viaduct_msg msg;
		struct viaduct_subscribe sub;
	} frame = {{sizeof(sub), VIADUCT_SUBSCRIBE, 0, 9, 0}, sub};
	struct viaduct_msg msg;
	int fd;

	raw_server_start();
	fd = raw_client();
	for (unsigned cut = 1; cut < sizeof(frame); cut++) {
		raw_send(fd, &frame, cut);
		CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), 0);
		raw_send(fd, (char *)&frame + cut, sizeof(frame) - cut);
		CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), 1);
		CU_ASSERT_EQUAL(msg.id, 9);
		CU_ASSERT_EQUAL(msg.status, 0);
	}
	for (unsigned i = 0; i < sizeof(frame); i++) {
		raw_send(fd, (char *)&frame + i, 1);
		turn();
	}
	CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), 1);
	/* Half a frame, then the end: nothing happens, nothing stays. */
	raw_send(fd, &frame, sizeof(frame) - 1);
	turn();
	close(fd);
	turn();
	CU_ASSERT_EQUAL(api_client_count(), 0);
	raw_server_stop();
}

static void pipelined_requests_are_answered_in_order(void)
{
	struct viaduct_msg msg;
	unsigned bad = 0;
	int fd;

	raw_server_start();
	fd = raw_client();
	for (uint32_t id = 1; id <= 500; id++)
		raw_request(fd, 9999, id, NULL, 0);
	shutdown(fd, SHUT_WR); /* done asking, still reading */
	for (uint32_t id = 1; id <= 500; id++)
		bad += raw_receive(fd, &msg, text, sizeof(text)) != 1 || msg.id != id;
	CU_ASSERT_EQUAL(bad, 0);
	CU_ASSERT_EQUAL(raw_receive(fd, &msg, text, sizeof(text)), -1);
	close(fd);
	raw_server_stop();
}

/* Answers read so far, without turning the loop. */
static unsigned answers(int fd)
{
	struct viaduct_msg msg;
	unsigned n = 0;

	while (recv(fd, &msg, sizeof(msg), 0) == sizeof(msg)) {
		if (recv(fd, text, msg.len, 0) != (ssize_t)msg.len)
			abort();
		n++;
	}
	return n;
}

static void a_flood_lets_others_have_their_turn(void)
{
	struct viaduct_msg frames[1000];
	unsigned flood = 0, other = 0;
	int a, b;

	raw_server_start();
	a = raw_client();
	b = raw_client();
	for (uint32_t id = 1; id <= 1000; id++)
		frames[id - 1] = (struct viaduct_msg){.type = 9999, .id = id};
	raw_send(a, frames, sizeof(frames)); /* all at once: the loop does not turn yet */
	raw_request(b, 9999, 1, NULL, 0);
	for (unsigned i = 0; i < 100 && other == 0; i++) {
		event_base_loop(base, EVLOOP_ONCE);
		flood += answers(a);
		other += answers(b);
	}
	CU_ASSERT_EQUAL(other, 1);
	CU_ASSERT(flood <= 4 * API_TURN_MAX);
	close(a);
	close(b);
	raw_server_stop();
}

static void who_does_not_read_is_not_served_without_bound(void)
{
	struct api_client *c;
	unsigned sent = 0;
	int fd;

	raw_server_start();
	fd = raw_client();
	c = LIST_FIRST(&api_clients);
	/* Dumps that nobody reads: requests then wait in the socket, the queue stays bounded. */
	for (; sent < 20000; sent++) {
		const struct viaduct_msg msg = {.type = VIADUCT_DROP_DUMP, .id = 1 + sent};

		if (send(fd, &msg, sizeof(msg), MSG_NOSIGNAL) < 0)
			break;
		if (sent % 64 == 0)
			turn();
	}
	turn();
	CU_ASSERT(sent < 20000);
	CU_ASSERT(api_client_queued(c) >= API_QUEUE_HIGH);
	CU_ASSERT(api_client_queued(c) < API_QUEUE_HIGH + 64 * 1024);
	close(fd);
	turn();
	raw_server_stop();
}

static void a_subscriber_that_sleeps_is_closed_and_others_are_not(void)
{
	const struct viaduct_subscribe sub = {.mask = VIADUCT_SUB_SA};
	const struct viaduct_sa_expire ev = {.reqid = 5};
	struct viaduct_msg msg;
	unsigned got = 0, wrong = 0;
	int asleep, awake;

	raw_server_start();
	asleep = raw_client();
	awake = raw_client();
	CU_ASSERT_EQUAL(raw_call(asleep, VIADUCT_SUBSCRIBE, &sub, sizeof(sub), text), 0);
	CU_ASSERT_EQUAL(raw_call(awake, VIADUCT_SUBSCRIBE, &sub, sizeof(sub), text), 0);
	for (unsigned i = 0; i < 40000; i++) {
		api_event(VIADUCT_SUB_SA, VIADUCT_EVENT_SA_EXPIRE, &ev, sizeof(ev));
		api_event(VIADUCT_SUB_VTI, VIADUCT_EVENT_VTI, &ev, sizeof(ev)); /* not asked for */
		if (i % 16 != 0)
			continue;
		while (raw_receive(awake, &msg, text, sizeof(text)) == 1) {
			wrong += msg.type != VIADUCT_EVENT_SA_EXPIRE || msg.id != 0 ||
				msg.flags != VIADUCT_EVENT || msg.len != sizeof(ev);
			got++;
		}
	}
	while (raw_receive(awake, &msg, text, sizeof(text)) == 1)
		got++;
	CU_ASSERT_EQUAL(got, 40000);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(api_client_count(), 1);
	close(asleep);
	close(awake);
	raw_server_stop();
}

static void too_many_clients_are_told_so(void)
{
	struct viaduct_msg msg;
	int fd[API_CLIENTS_MAX + 1];

	raw_server_start();
	for (unsigned i = 0; i < API_CLIENTS_MAX; i++)
		fd[i] = raw_client();
	fd[API_CLIENTS_MAX] = raw_connect();
	CU_ASSERT_EQUAL(raw_receive(fd[API_CLIENTS_MAX], &msg, text, sizeof(text)), 1);
	CU_ASSERT_EQUAL(msg.status, EUSERS);
	CU_ASSERT_EQUAL(raw_receive(fd[API_CLIENTS_MAX], &msg, text, sizeof(text)), -1);
	for (unsigned i = 0; i <= API_CLIENTS_MAX; i++)
		close(fd[i]);
	turn();
	CU_ASSERT_EQUAL(api_client_count(), 0);
	raw_server_stop();
}

static void keys_do_not_stay_in_buffers(void)
{
	struct viaduct_sa sa = {.dir = 9}; /* refused: only the way in matters */
	const struct api_client *c;
	int fd;

	memset(sa.enc_key, 0xa7, sizeof(sa.enc_key));
	raw_server_start();
	fd = raw_client();
	c = LIST_FIRST(&api_clients);
	CU_ASSERT_EQUAL(raw_call(fd, VIADUCT_SA_ADD, &sa, sizeof(sa), text), EINVAL);
	CU_ASSERT_EQUAL(c->in_len, 0);
	CU_ASSERT_PTR_NULL(memmem(c->in, sizeof(c->in), sa.enc_key, 8));
	CU_ASSERT_PTR_NULL(memmem(text, sizeof(text), sa.enc_key, 8));
	close(fd);
	raw_server_stop();
}

/* Any bytes, any lengths, cut anywhere: the server answers or closes, and serves the next. */
static void random_bytes_do_no_harm(void)
{
	uint8_t junk[3 * VIADUCT_MSG_MAX];
	struct viaduct_msg msg;
	unsigned closed = 0, answered = 0;
	int fd, ret;

	srandom(20240517);
	raw_server_start();
	for (unsigned round = 0; round < 5000; round++) {
		fd = random() % 4 == 0 ? raw_connect() : raw_client();
		for (unsigned n = random() % 6; n > 0; n--) {
			const size_t len = random() % (random() % 8 == 0 ? sizeof(junk) : 600);

			for (size_t i = 0; i < len; i++)
				junk[i] = random();
			/* Half of them with a header that leads further in: a type of a write that its
			 * check must stop, the right size, random contents. */
			if (random() % 2 == 0 && len >= sizeof(msg) + sizeof(struct viaduct_sa)) {
				static const struct viaduct_msg heads[] = {
					{sizeof(struct viaduct_sa), VIADUCT_SA_ADD, 0, 5, 0},
					{sizeof(struct viaduct_vti), VIADUCT_VTI_ADD, 0, 5, 0},
					{sizeof(struct viaduct_policy), VIADUCT_POLICY_ADD, 0, 5,
						0},
					{sizeof(struct viaduct_route), VIADUCT_ROUTE_ADD, 0, 5, 0},
					{sizeof(struct viaduct_sa_update), VIADUCT_SA_UPDATE, 0, 5,
						0},
				};

				msg = heads[random() % 5];
				memcpy(junk, &msg, sizeof(msg));
			}
			raw_send(fd, junk, len);
		}
		while ((ret = raw_receive(fd, &msg, text, sizeof(text))) == 1) {
			CU_ASSERT_NOT_EQUAL_FATAL(msg.status, 0);
			answered++;
		}
		closed += ret < 0;
		close(fd);
		turn();
	}
	CU_ASSERT(closed > 1000);
	CU_ASSERT(answered > 1000);
	CU_ASSERT_EQUAL(api_client_count(), 0);
	fd = raw_client();
	CU_ASSERT_EQUAL(raw_call(fd, 9999, NULL, 0, text), EOPNOTSUPP);
	close(fd);
	raw_server_stop();
}

UNIT_MAIN("api_framing", UNIT_TEST(socket_is_private_from_the_start),
	UNIT_TEST(second_instance_is_refused), UNIT_TEST(stale_socket_is_replaced_but_no_file),
	UNIT_TEST(stop_removes_only_its_own_socket), UNIT_TEST(other_users_are_refused),
	UNIT_TEST(hello_comes_first_and_versions_match),
	UNIT_TEST(an_old_client_is_told_the_versions), UNIT_TEST(structures_may_grow_at_their_end),
	UNIT_TEST(bad_headers_end_the_connection), UNIT_TEST(frames_may_come_in_pieces),
	UNIT_TEST(pipelined_requests_are_answered_in_order),
	UNIT_TEST(a_flood_lets_others_have_their_turn),
	UNIT_TEST(who_does_not_read_is_not_served_without_bound),
	UNIT_TEST(a_subscriber_that_sleeps_is_closed_and_others_are_not),
	UNIT_TEST(too_many_clients_are_told_so), UNIT_TEST(keys_do_not_stay_in_buffers),
	UNIT_TEST(random_bytes_do_no_harm))
