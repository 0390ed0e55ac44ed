/* SPDX-License-Identifier: BSD-3-Clause */
/* Asking the daemon: failures go to standard error, exit codes to the caller. */
#include "control/cli/batch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A refusal is the command's failure; a lost connection is not its fault. */
static int call_failed(struct cli *cli, int ret)
{
	fflush(stdout);
	fprintf(stderr, "viaductctl: %s\n", viaduct_error(cli->v));
	return ret == -ECONNRESET || ret == -EPIPE || ret == -ETIMEDOUT ? EXIT_UNREACHABLE
									: EXIT_REFUSED;
}

int cli_connect(struct cli *cli)
{
	cli->v = viaduct_open(cli->socket, "viaductctl");
	if (cli->v != NULL)
		return EXIT_OK;
	fprintf(stderr, "viaductctl: %s\n", viaduct_error(NULL));
	return EXIT_UNREACHABLE;
}

int cli_call(struct cli *cli, unsigned type, const void *req, void *rep)
{
	int ret;

	if (cli->batch != NULL)
		return batch_call(cli, type, req, rep);
	ret = viaduct_call(cli->v, type, req, rep);
	return ret < 0 ? call_failed(cli, ret) : EXIT_OK;
}

struct items {
	size_t size, n, room;
	char *data;
};

static int keep_item(const void *item, void *arg)
{
	struct items *i = arg;
	void *more;

	if (i->n == i->room) {
		i->room = i->room == 0 ? 256 : 2 * i->room;
		more = realloc(i->data, i->room * i->size);
		if (more == NULL)
			return -ENOMEM;
		i->data = more;
	}
	memcpy(i->data + i->size * i->n++, item, i->size);
	return 0;
}

/* Read in full before any is shown: a pager that waits for its reader must not make the daemon wait, and
 * what fails shows nothing. */
int cli_dump_of(struct cli *cli, unsigned type, const void *req, viaduct_dump_cb cb, void *arg)
{
	struct items items = {.size = viaduct_reply_size(type)};
	int ret = viaduct_dump(cli->v, type, req, keep_item, &items);

	for (size_t i = 0; i < items.n && ret == 0; i++)
		ret = cb(items.data + i * items.size, arg);
	free(items.data);
	return ret < 0 ? call_failed(cli, ret) : EXIT_OK;
}

int cli_dump(struct cli *cli, unsigned type, viaduct_dump_cb cb, void *arg)
{
	return cli_dump_of(cli, type, NULL, cb, arg);
}
