/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as the API socket's input. The first byte chooses: a request structure for its check, or a
 * stream of frames for a client that may only read (what changes things is stopped behind the
 * framing, so that no kernel device is made). */
#include "control/api_client.h"
#include "control/api_handlers.h"
#include "control/daemon.h"
#include "control/log.h"
#include "fuzz.h"
#include "test/unit/unit.h"

#include <event2/event.h>

#include <fcntl.h>
#include <rte_eal.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As much of the daemon as answering "status" needs. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const struct config config;
	char *eal[] = {(*argv)[0], UNIT_EAL_ARGS};

	(void)argc;
	log_set_level(LOG_LEVEL_ERR);
	if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)
		abort();
	daemon_state.config = &config;
	daemon_state.lookaside = true;
	daemon_state.pool = rte_pktmbuf_pool_create("fuzz", 63, 0, 0, 256, 0);
	if (daemon_state.pool == NULL)
		abort();
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
	/* Who refuses says why. */
	if (fn(req, &e) < 0 && e.text[0] == '\0')
		abort();
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

static void frames(const uint8_t *data, size_t size)
{
	static struct event_base *base;
	const struct ucred peer = {.pid = 1};
	struct api_client *c;
	char sink[4096];
	int fd[2];

	if (base == NULL)
		base = event_base_new();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) < 0)
		abort();
	c = api_client_new(base, fd[0], &peer);
	if (c == NULL)
		abort();
	c->writable = false;
	c->hello = data[0] & 1; /* most inputs would never get past it */
	data++;
	size--;
	while (size > 0) {
		const ssize_t n = send(fd[1], data, size, MSG_NOSIGNAL);

		if (n > 0) {
			data += n;
			size -= n;
		}
		event_base_loop(base, EVLOOP_NONBLOCK);
		while (recv(fd[1], sink, sizeof(sink), 0) > 0)
			;
		if (n < 0 && LIST_EMPTY(&api_clients))
			break;
	}
	close(fd[1]);
	for (unsigned i = 0; i < 4 && !LIST_EMPTY(&api_clients); i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	if (!LIST_EMPTY(&api_clients))
		api_client_free(LIST_FIRST(&api_clients));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	if (data[0] & 0x80)
		check_by_number(data[0], data + 1, size - 1);
	else
		frames(data + 1, size - 1);
	return 0;
}
