/* SPDX-License-Identifier: BSD-3-Clause */
/* Asking the daemon: failures go to standard error, exit codes to the caller. */
#include "control/cli/grammar.h"

#include <errno.h>
#include <stdio.h>

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
	int ret = viaduct_call(cli->v, type, req, rep);

	return ret < 0 ? call_failed(cli, ret) : EXIT_OK;
}

int cli_dump(struct cli *cli, unsigned type, viaduct_dump_cb cb, void *arg)
{
	int ret = viaduct_dump(cli->v, type, NULL, cb, arg);

	return ret < 0 ? call_failed(cli, ret) : EXIT_OK;
}
