/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config.h"
#include "control/daemon.h"
#include "control/log.h"
#include "control/reload/reload.h"
#include "control/secrets.h"

#include <errno.h>
#include <getopt.h>
#include <rte_version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
	struct config_source source;
	bool check;
};

static const char help[] =
	"Usage: viaductd [OPTION]...\n"
	"Route-based IPsec gateway: encrypts what the routing table sends to a tunnel interface.\n"
	"Runs in the foreground and logs to standard error; SIGTERM or Ctrl-C stops it.\n"
	"\n"
	"  -c, --config FILE      configuration file (default " CONFIG_PATH ")\n"
	"      --check            read the configuration, say OK or what is wrong, and exit\n"
	"      --socket PATH      API socket, instead of the configuration's\n"
	"      --log-level LEVEL  error, warning, notice, info or debug, instead of the\n"
	"                         configuration's\n"
	"  -V, --version          print the version and exit\n"
	"  -h, --help             print this and exit\n"
	"\n"
	"Exit status: 0 after a clean stop, 1 when it could not start, 2 for a wrong option.\n"
	"See viaductd(8), viaduct.conf(5), viaductctl(8).\n";

static int usage(const char *why, const char *what)
{
	fprintf(stderr, "viaductd: %s%s; try viaductd --help\n", why, what);
	return 2;
}

static void print_version(void)
{
	printf("%s (%s)\n", VIADUCT_VERSION_STRING, rte_version());
}

/* -1: go on; else the exit status. */
static int parse(struct options *o, int argc, char **argv)
{
	enum {
		OPT_CHECK = 256,
		OPT_SOCKET,
		OPT_LOG_LEVEL
	};
	static const struct option longopts[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, OPT_CHECK},
		{"socket", required_argument, NULL, OPT_SOCKET},
		{"log-level", required_argument, NULL, OPT_LOG_LEVEL},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+:c:Vh", longopts, NULL)) >= 0) {
		switch (opt) {
		case 'c':
			o->source.path = optarg;
			break;
		case OPT_CHECK:
			o->check = true;
			break;
		case OPT_SOCKET:
			o->source.socket = optarg;
			break;
		case OPT_LOG_LEVEL:
			o->source.log_level = optarg;
			break;
		case 'V':
			print_version();
			return 0;
		case 'h':
			fputs(help, stdout);
			return 0;
		case ':':
			return usage("no value for ", argv[optind - 1]);
		default:
			return usage("unknown option ", argv[optind - 1]);
		}
	}
	return optind < argc ? usage("unexpected argument ", argv[optind]) : -1;
}

int main(int argc, char **argv)
{
	struct options o = {.source.path = CONFIG_PATH};
	struct err e = {""};
	struct config *c;
	int ret = parse(&o, argc, argv);

	if (ret >= 0)
		return ret;
	secrets_protect();
	c = config_source_load(&o.source, &e);
	ret = c == NULL ? -1 : 0;
	if (ret == 0)
		log_set_level(log_level_by_name(c->log_level));
	if (ret == 0 && o.check)
		printf("%s: OK\n", o.source.path);
	else if (ret == 0)
		ret = daemon_run(c, &o.source, &e);
	if (ret < 0)
		log_err("%s", e.text);
	config_free(c);
	return ret < 0 ? 1 : 0;
}
