/* SPDX-License-Identifier: BSD-3-Clause */
/* Clients that mean harm, all at once: half frames, floods, one that never reads, garbage, more connections
 * than there are places. A well-behaved one is served meanwhile, and nothing stays when they are gone. */
#include "control/api/api_access.h"
#include "control/daemon.h"
#include "test/unit/api_raw.h"
#include "test/unit/unit.h"

#include <grp.h>
#include <sys/wait.h>
#include <time.h>

static char text[VIADUCT_MSG_MAX];

/* Closed by the server, whatever it said before? */
static bool is_closed(int fd)
{
	ssize_t n;

	while ((n = recv(fd, text, sizeof(text), 0)) > 0)
		;
	return n == 0 || errno != EAGAIN;
}

/* The status in a refusal that waits to be read; -1: nothing there. */
static int refusal(int fd)
{
	struct viaduct_msg msg;

	memset(text, 0, sizeof(text));
	return raw_receive(fd, &msg, text, sizeof(text)) == 1 ? (int)msg.status : -1;
}

static void wait_seconds(double s)
{
	const uint64_t end = monotonic_ns() + s * 1e9;

	while (monotonic_ns() < end) {
		turn();
		usleep(2000);
	}
}

/* Of this process alone: the machine may be busy with others. */
static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Four kinds of stalling side by side, since each takes ten seconds. */
static void who_stalls_is_closed_in_ten_seconds(void)
{
	struct viaduct_msg half = {.len = 100, .type = VIADUCT_SA_ADD, .id = 1};
	int silent, begun, trickles, deaf, good;

	raw_server_start();
	good = raw_client();
	silent = raw_connect();
	begun = raw_client();
	raw_send(begun, &half, sizeof(half) - 1);
	trickles = raw_client();
	raw_send(trickles, &half, sizeof(half));
	deaf = raw_client();
	for (uint32_t id = 1; id <= 3000; id++) {
		const struct viaduct_msg msg = {.type = VIADUCT_DROP_DUMP, .id = id};

		if (send(deaf, &msg, sizeof(msg), MSG_NOSIGNAL) < 0)
			break;
		if (id % 16 == 0)
			turn();
	}
	turn();
	for (unsigned s = 0; s < 9; s++) {
		wait_seconds(1);
		raw_send(trickles, "x", 1); /* each a sign of life, but no frame */
		CU_ASSERT_EQUAL(raw_call(good, 9999, NULL, 0, text), EOPNOTSUPP);
	}
	CU_ASSERT_EQUAL(refusal(silent), -1);
	CU_ASSERT_EQUAL(refusal(begun), -1);
	CU_ASSERT_EQUAL(refusal(trickles), -1);
	wait_seconds(1.6);
	CU_ASSERT_EQUAL(refusal(silent), ETIMEDOUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "HELLO"));
	CU_ASSERT_EQUAL(refusal(begun), ETIMEDOUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "frame"));
	CU_ASSERT_EQUAL(refusal(trickles), ETIMEDOUT);
	CU_ASSERT(is_closed(silent) && is_closed(begun) && is_closed(trickles));
	CU_ASSERT(is_closed(deaf));
	CU_ASSERT_EQUAL(raw_call(good, 9999, NULL, 0, text), EOPNOTSUPP);
	CU_ASSERT_EQUAL(api_client_count(), 1);
	close(silent);
	close(begun);
	close(trickles);
	close(deaf);
	close(good);
	raw_server_stop();
}

/* Idle between frames is nobody's fault. */
static void a_frame_that_is_complete_ends_the_clock(void)
{
	const struct viaduct_msg msg = {.type = 9999, .id = 1};
	struct api_client *c;
	int fd;

	raw_server_start();
	fd = raw_client();
	c = LIST_FIRST(&api_clients);
	raw_send(fd, &msg, sizeof(msg) / 2);
	turn();
	CU_ASSERT_NOT_EQUAL(c->began_ns, 0);
	raw_send(fd, (const char *)&msg + sizeof(msg) / 2, sizeof(msg) / 2);
	CU_ASSERT_EQUAL(refusal(fd), EOPNOTSUPP);
	CU_ASSERT_EQUAL(c->began_ns, 0);
	close(fd);
	raw_server_stop();
}

/* Floods from all places but one: the last client's answer comes within the turns of the others. */
static void floods_delay_others_by_a_bounded_time(void)
{
	static struct viaduct_msg frames[4096];
	int flood[API_CLIENTS_MAX - 1], good;
	uint64_t worst = 0, start;
	struct viaduct_msg msg;

	raw_server_start();
	good = raw_client();
	for (uint32_t i = 0; i < 4096; i++)
		frames[i] = (struct viaduct_msg){.type = 9999, .id = 1 + i};
	for (unsigned i = 0; i < API_CLIENTS_MAX - 1; i++)
		flood[i] = raw_client();
	for (unsigned round = 0; round < 50; round++) {
		for (unsigned i = 0; i < API_CLIENTS_MAX - 1; i++) {
			send(flood[i], frames, sizeof(frames), MSG_NOSIGNAL);
			while (recv(flood[i], text, sizeof(text), 0) > 0)
				;
		}
		msg = (struct viaduct_msg){.type = 9999, .id = 1};
		raw_send(good, &msg, sizeof(msg));
		start = cpu_ns();
		do
			event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		while (recv(good, &msg, sizeof(msg), 0) != sizeof(msg));
		if (cpu_ns() - start > worst)
			worst = cpu_ns() - start;
		recv(good, text, sizeof(text), 0);
	}
	/* 63 turns of at most 2 ms, if each request took long; these take microseconds. */
	CU_ASSERT(worst < (API_CLIENTS_MAX - 1) * API_TURN_US * 1000ull);
	printf("    %u floods delay another client by %.1f ms at most\n", API_CLIENTS_MAX - 1,
		worst / 1e6);
	for (unsigned i = 0; i < API_CLIENTS_MAX - 1; i++)
		close(flood[i]);
	close(good);
	turn();
	CU_ASSERT_EQUAL(api_client_count(), 0);
	raw_server_stop();
}

static void garbage_and_too_many_connections(void)
{
	int fd[API_CLIENTS_MAX + 50], good;
	unsigned refused = 0;

	raw_server_start();
	good = raw_client();
	srandom(7);
	for (unsigned i = 0; i < API_CLIENTS_MAX + 50; i++) {
		fd[i] = raw_connect();
		turn();
		for (unsigned j = 0; j < sizeof(text); j++)
			text[j] = random();
		send(fd[i], text, random() % sizeof(text), MSG_NOSIGNAL);
		turn();
	}
	CU_ASSERT_EQUAL(raw_call(good, 9999, NULL, 0, text), EOPNOTSUPP);
	for (unsigned i = 0; i < API_CLIENTS_MAX + 50; i++) {
		refused += refusal(fd[i]) > 0;
		close(fd[i]);
	}
	CU_ASSERT(refused > API_CLIENTS_MAX);
	turn();
	CU_ASSERT_EQUAL(api_client_count(), 1);
	CU_ASSERT_EQUAL(raw_call(good, 9999, NULL, 0, text), EOPNOTSUPP);
	close(good);
	raw_server_stop();
}

/* A process of another user, who may read: its exit status is how many connections got no further. */
static int many_connections(unsigned n)
{
	const struct viaduct_hello hello = {.version = VIADUCT_API_VERSION, .name = "test"};
	struct viaduct_msg msg;
	int fd, refused = 0;

	for (unsigned i = 0; i < n; i++) {
		fd = raw_connect();
		fcntl(fd, F_SETFL, 0); /* it waits; the server's loop turns in the parent */
		msg = (struct viaduct_msg){.len = sizeof(hello), .type = VIADUCT_HELLO, .id = 1};
		if (send(fd, &msg, sizeof(msg), MSG_NOSIGNAL) < 0 ||
			send(fd, &hello, sizeof(hello), MSG_NOSIGNAL) < 0)
			msg.len = 0; /* closed, but it said why */
		if (recv(fd, &msg, sizeof(msg), MSG_WAITALL) == sizeof(msg) && msg.status == EUSERS)
			refused++;
	}
	return refused;
}

static void one_user_cannot_take_all_places(void)
{
	const struct config open = {.api_read_group = "users"}, none = {""};
	const struct group *users = getgrnam("users");
	int good, status;
	struct err e;
	pid_t child;

	if (geteuid() != 0 || users == NULL) {
		printf("skipped: one_user_cannot_take_all_places needs root and a group "
		       "\"users\"\n");
		return;
	}
	CU_ASSERT_EQUAL_FATAL(api_access_init(&open, &e), 0);
	raw_server_start();
	CU_ASSERT_EQUAL(chmod(raw_dir, 0755), 0);
	good = raw_client();
	child = fork();
	if (child == 0) {
		if (setgroups(0, NULL) < 0 || setgid(users->gr_gid) < 0 || setuid(4711) < 0)
			_exit(100);
		_exit(many_connections(API_UID_CLIENTS + 5));
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		turn();
		usleep(100);
	}
	CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	CU_ASSERT_EQUAL(raw_call(good, 9999, NULL, 0, text), EOPNOTSUPP);
	close(good);
	raw_server_stop();
	api_access_init(&none, &e);
}

/* Batches that are never committed: bounded, and gone with the client. */
static void open_batches_are_bounded_and_go(void)
{
	const struct viaduct_sa_id id = {.dst = {.family = 4, .bytes = {192, 0, 2, 1}}, .spi = 999};
	int fd;

	raw_server_start();
	fd = raw_client();
	CU_ASSERT_EQUAL(raw_call(fd, VIADUCT_BATCH_BEGIN, NULL, 0, text), 0);
	for (uint32_t i = 1; i < 20000; i++) {
		raw_request(fd, VIADUCT_SA_DEL, i, &id, sizeof(id));
		while (recv(fd, text, sizeof(text), 0) > 0)
			;
	}
	turn();
	close(fd);
	turn();
	CU_ASSERT_EQUAL(api_client_count(), 0);
	raw_server_stop(); /* the sanitizers' build finds what is left */
}

UNIT_MAIN("api_hostile", UNIT_TEST(who_stalls_is_closed_in_ten_seconds),
	UNIT_TEST(a_frame_that_is_complete_ends_the_clock),
	UNIT_TEST(floods_delay_others_by_a_bounded_time),
	UNIT_TEST(garbage_and_too_many_connections), UNIT_TEST(one_user_cannot_take_all_places),
	UNIT_TEST(open_batches_are_bounded_and_go))
