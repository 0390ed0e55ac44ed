/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may do what on the socket, with clients of other users and groups: processes of their own. */
#include "control/api/api_access.h"

#include "api_raw.h"
#include "unit.h"

#include <grp.h>
#include <sys/wait.h>

#define OTHER_UID  4711
#define WRITE_NAME "operator"
#define READ_NAME  "users"

/* What a client may do: its process's exit status. */
enum found {
	FOUND_NOTHING = 10, /* not even connect */
	FOUND_REFUSED,      /* told so by the daemon */
	FOUND_READER,       /* every message that changes something is refused */
	FOUND_WRITER,       /* not so */
	FOUND_MIXTURE
};

struct identity {
	uid_t uid;
	const char *group, *more; /* names; NULL: the uid's number, none */
};

static void start(const struct config *c)
{
	struct err e = {""};

	CU_ASSERT_EQUAL_FATAL(api_access_init(c, &e), 0);
	raw_server_start();
	CU_ASSERT_EQUAL(chmod(raw_dir, 0755), 0);
}

static void stop(void)
{
	const struct config none = {""};
	struct err e;

	raw_server_stop();
	api_access_init(&none, &e);
}

static gid_t gid_of(const char *name)
{
	const struct group *g = getgrnam(name);

	return g != NULL ? g->gr_gid : OTHER_UID;
}

static void become(const struct identity *who)
{
	const gid_t gid = who->group != NULL ? gid_of(who->group) : OTHER_UID;
	const gid_t more = who->more != NULL ? gid_of(who->more) : 0;

	if (setgroups(who->more != NULL, &more) < 0 || setresgid(gid, gid, gid) < 0 ||
		setresuid(who->uid, who->uid, who->uid) < 0)
		_exit(1);
}

/* The client is in another process: it waits, and the server's loop turns in ours. */
static int ask(int fd, unsigned type, const void *req, size_t len)
{
	const struct viaduct_msg msg = {.len = len, .type = type, .id = 1};
	uint8_t data[VIADUCT_MSG_MAX];
	struct viaduct_msg rep;

	if (send(fd, &msg, sizeof(msg), MSG_NOSIGNAL) < 0 ||
		(len > 0 && send(fd, req, len, MSG_NOSIGNAL) < 0))
		rep.len = 0; /* closed, but it may have said why */
	if (recv(fd, &rep, sizeof(rep), MSG_WAITALL) != sizeof(rep) ||
		(rep.len > 0 && recv(fd, data, rep.len, MSG_WAITALL) != (ssize_t)rep.len))
		return -1;
	return rep.status;
}

/* Each message that changes something, with zeros for a request. A writer's first one is refused for
 * its zeros, and he is not let do more. */
static enum found try_to_write(int fd)
{
	static const struct {
		uint16_t type, size;
	} writes[] = {
#define X(name, number, req, rep, write, dump) {write ? number : 0, sizeof(struct req)},
		VIADUCT_MESSAGES(X)
#undef X
	};
	static const uint8_t zero[VIADUCT_MSG_MAX];
	unsigned refused = 0, tried = 0;

	if (ask(fd, VIADUCT_VTI_ADD, zero, sizeof(struct viaduct_vti)) != EPERM)
		return FOUND_WRITER;
	for (unsigned i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
		if (writes[i].type == 0)
			continue;
		refused += ask(fd, writes[i].type, zero, writes[i].size) == EPERM;
		tried++;
	}
	return refused == tried && tried > 10 ? FOUND_READER : FOUND_MIXTURE;
}

static enum found look(const struct identity *who)
{
	const struct viaduct_hello hello = {.version = VIADUCT_API_VERSION, .name = "test"};
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), ret;

	become(who);
	memcpy(sun.sun_path, raw_path, sizeof(raw_path));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		return FOUND_NOTHING;
	ret = ask(fd, VIADUCT_HELLO, &hello, sizeof(hello));
	if (ret != 0)
		return ret == EACCES ? FOUND_REFUSED : FOUND_MIXTURE;
	return try_to_write(fd);
}

static enum found found_by(struct identity who)
{
	const pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(look(&who));
	while (waitpid(pid, &status, WNOHANG) == 0) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		usleep(100);
	}
	turn();
	return WIFEXITED(status) ? WEXITSTATUS(status) : FOUND_MIXTURE;
}

static unsigned mode_now(gid_t *gid)
{
	struct stat st = {0};

	CU_ASSERT_EQUAL(stat(raw_path, &st), 0);
	*gid = st.st_gid;
	return st.st_mode & 07777;
}

static void root_alone(void)
{
	const struct config c = {""};
	gid_t gid;

	start(&c);
	CU_ASSERT_EQUAL(mode_now(&gid), 0600);
	CU_ASSERT_EQUAL(found_by((struct identity){OTHER_UID}), FOUND_NOTHING);
	CU_ASSERT_EQUAL(found_by((struct identity){OTHER_UID, WRITE_NAME}), FOUND_NOTHING);
	CU_ASSERT_EQUAL(found_by((struct identity){0, WRITE_NAME}), FOUND_WRITER);
	/* The file's mode is not what protects. */
	CU_ASSERT_EQUAL(chmod(raw_path, 0666), 0);
	CU_ASSERT_EQUAL(found_by((struct identity){OTHER_UID}), FOUND_REFUSED);
	stop();
}

static void members_write_or_read(void)
{
	const struct config c = {.api_group = WRITE_NAME, .api_read_group = READ_NAME};
	gid_t gid;

	start(&c);
	CU_ASSERT_EQUAL(mode_now(&gid), 0666);
	CU_ASSERT_EQUAL(gid, gid_of(WRITE_NAME));
	CU_ASSERT_EQUAL(found_by((struct identity){OTHER_UID}), FOUND_REFUSED);
	CU_ASSERT_EQUAL(found_by((struct identity){OTHER_UID, "daemon", "games"}), FOUND_REFUSED);
	CU_ASSERT_EQUAL(found_by((struct identity){OTHER_UID, WRITE_NAME}), FOUND_WRITER);
	CU_ASSERT_EQUAL(found_by((struct identity){OTHER_UID, READ_NAME}), FOUND_READER);
	CU_ASSERT_EQUAL(found_by((struct identity){OTHER_UID, NULL, WRITE_NAME}), FOUND_WRITER);
	CU_ASSERT_EQUAL(found_by((struct identity){OTHER_UID, NULL, READ_NAME}), FOUND_READER);
	CU_ASSERT_EQUAL(
		found_by((struct identity){OTHER_UID, READ_NAME, WRITE_NAME}), FOUND_WRITER);
	CU_ASSERT_EQUAL(
		found_by((struct identity){OTHER_UID, WRITE_NAME, READ_NAME}), FOUND_WRITER);
	CU_ASSERT_EQUAL(found_by((struct identity){0, READ_NAME}), FOUND_WRITER);
	stop();
}

static void readers_alone(void)
{
	const struct config c = {.api_read_group = READ_NAME};
	gid_t gid;

	start(&c);
	CU_ASSERT_EQUAL(mode_now(&gid), 0660);
	CU_ASSERT_EQUAL(gid, gid_of(READ_NAME));
	CU_ASSERT_EQUAL(found_by((struct identity){OTHER_UID, NULL, READ_NAME}), FOUND_READER);
	CU_ASSERT_EQUAL(found_by((struct identity){OTHER_UID}), FOUND_NOTHING);
	stop();
}

static void mode_as_configured(void)
{
	const struct config c = {.api_group = WRITE_NAME, .api_mode = "0600"};
	gid_t gid;

	umask(077);
	start(&c);
	CU_ASSERT_EQUAL(mode_now(&gid), 0600);
	CU_ASSERT_EQUAL(found_by((struct identity){OTHER_UID, WRITE_NAME}), FOUND_NOTHING);
	stop();
}

static void unknown_group(void)
{
	const struct config c = {.api_read_group = "no-such-group"};
	struct err e = {""};

	CU_ASSERT_EQUAL(api_access_init(&c, &e), -ENOENT);
	CU_ASSERT_STRING_EQUAL(
		e.text, "api.read_group = \"no-such-group\": no such group on this system");
}

int main(int argc, char **argv)
{
	static const CU_TestInfo tests[] = {UNIT_TEST(root_alone), UNIT_TEST(members_write_or_read),
		UNIT_TEST(readers_alone), UNIT_TEST(mode_as_configured), UNIT_TEST(unknown_group),
		CU_TEST_INFO_NULL};

	if (geteuid() != 0) {
		printf("SKIP api_access: needs root, to be other users\n");
		return 77;
	}
	return unit_run("api_access", tests, argc, argv);
}
