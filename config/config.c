/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/config.h"
#include "config/includes.h"
#include "config/tables.h"
#include "config/value.h"
#include "control/iface/iface_name.h"
#include "control/log.h"
#include "control/secrets.h"
#include "dataplane/replay.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int read_log_level(struct reader *r, const config_setting_t *s, void *field)
{
	if (log_level_by_name(field) < 0)
		return setting_wrong(r, s, "error, warning, notice, info or debug");
	return 0;
}

static int read_not_empty(struct reader *r, const config_setting_t *s, void *field)
{
	return *(char *)field != '\0' ? 0 : setting_wrong(r, s, "a text that is not empty");
}

static int read_socket(struct reader *r, const config_setting_t *s, void *field)
{
	return *(char *)field == '/' ? 0 : setting_wrong(r, s, "an absolute path");
}

static int read_cores(struct reader *r, const config_setting_t *s, void *object)
{
	struct config *c = object;

	if (!config_setting_is_array(s) && !config_setting_is_list(s))
		return setting_wrong(r, s, "an array of CPU numbers: [ 1, 2 ]");
	if (config_setting_length(s) == 0 || config_setting_length(s) > CONFIG_CORES_MAX)
		return setting_error(r, s, "%d CPUs; expected 1 to %d", config_setting_length(s),
			CONFIG_CORES_MAX);
	c->n_cores = 0;
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *m = config_setting_get_elem(s, i);
		const int64_t cpu = value_int(m);

		if (!value_is_int(m) || cpu < -1 || cpu > 1023)
			return setting_wrong(r, m, "a CPU number from 0 to 1023, or -1 for any");
		for (unsigned j = 0; j < c->n_cores; j++) {
			if (cpu >= 0 && c->cores[j] == cpu)
				return setting_error(
					r, m, "CPU %d twice; expected one worker a CPU", (int)cpu);
		}
		c->cores[c->n_cores++] = cpu;
	}
	return 0;
}

/* n_cores and cores[], as one field: what is behind the last CPU stays zero. */
#define CORES_FIELD                                                                                \
	.offset = offsetof(struct config, n_cores),                                                \
	.size = offsetof(struct config, eal_args) - offsetof(struct config, n_cores)

static void write_cores(const void *object, char *buf, size_t size)
{
	const struct config *c = object;
	size_t n = snprintf(buf, size, "[ ");

	for (unsigned i = 0; i < c->n_cores && n < size; i++)
		n += snprintf(buf + n, size - n, "%s%d", i > 0 ? ", " : "", c->cores[i]);
	if (n < size)
		snprintf(buf + n, size - n, " ]");
}

static int read_mbuf_size(struct reader *r, const config_setting_t *s, void *object)
{
	const int64_t size = value_int(s);

	if (!value_is_int(s) || (size != 0 && (size < 2048 || size > 16384)))
		return setting_wrong(r, s, "a number from 2048 to 16384, or 0");
	((struct config *)object)->mbuf_size = size;
	return 0;
}

static void write_mbuf_size(const void *object, char *buf, size_t size)
{
	snprintf(buf, size, "%u", ((const struct config *)object)->mbuf_size);
}

static const struct setting max_routes_settings[] = {
	{"ipv4", SETTING_UINT, SETTING_FIELD(struct config, max_routes4), .min = 1, .max = 8u << 20,
		.def = 65536,
		.help = "IPv4 routes there is room for. About 0.9 KiB of memory_mb each, on top of "
			"274 MiB."},
	{"ipv6", SETTING_UINT, SETTING_FIELD(struct config, max_routes6), .min = 1, .max = 4u << 20,
		.def = 16384,
		.help = "IPv6 routes there is room for. About 4.8 KiB of memory_mb each."},
	{.type = SETTING_END},
};

static const struct setting worker_settings[] = {
	{"cores", SETTING_OWN, CORES_FIELD, .def_text = "[ -1 ]",
		.expects = "an array of CPU numbers",
		.help = "One worker for each, pinned to this CPU; -1 does not pin.",
		.read = read_cores, .write = write_cores},
	{"idle_us", SETTING_UINT, SETTING_FIELD(struct config, idle_us), .max = 1000000, .def = 50,
		.help = "Microseconds that a worker sleeps when there is no traffic. 0: it never "
			"does, for the lowest latency; its CPU is then always at 100 %."},
	{.type = SETTING_END},
};

const struct setting config_settings[] = {
	{"socket", SETTING_TEXT, SETTING_FIELD(struct config, socket), .def_text = VIADUCT_SOCKET,
		.expects = "a path",
		.help = "Unix socket for viaductctl and the strongSwan plugin.",
		.read = read_socket},
	{"api", SETTING_GROUP, .help = "Who may use the socket, besides root.",
		.sub = api_settings},
	{"user", SETTING_TEXT, SETTING_FIELD(struct config, user), .def_text = "",
		.expects = "a user",
		.help = "User to run as, with the few capabilities that are needed. None: who "
			"started it.",
		.read = read_account},
	{"core_dumps", SETTING_BOOL, SETTING_FIELD(struct config, core_dumps), .def = false,
		.help = "Leave a core file after a crash. For developers: packets and keys may be "
			"in it."},
	{"log_level", SETTING_TEXT, SETTING_FIELD(struct config, log_level), .def_text = "notice",
		.expects = "error, warning, notice, info or debug",
		.help = "The least important messages to log: error, warning, notice, info or "
			"debug.",
		.read = read_log_level, .live = true},
	{"crypto", SETTING_TEXT, SETTING_FIELD(struct config, crypto), .def_text = "ipsec-mb",
		.expects = "\"ipsec-mb\" or a crypto device",
		.help = "What encrypts: \"ipsec-mb\" (on the workers' own cores) or a DPDK crypto "
			"device's name and arguments, or PCI address.",
		.read = read_not_empty},
	{"huge_pages", SETTING_BOOL, SETTING_FIELD(struct config, huge_pages), .def = false,
		.help = "Take memory from huge pages. Needed for NICs under vfio-pci, faster for "
			"all; reserve the pages first."},
	{"memory_mb", SETTING_UINT, SETTING_FIELD(struct config, memory_mb), .max = 1048576,
		.def = 1024, .help = "Memory for DPDK in MiB. 0: what DPDK finds right."},
	{"mbufs", SETTING_UINT, SETTING_FIELD(struct config, mbufs), .min = 1024, .max = 16777216,
		.def = 32768, .help = "Packet buffers, shared by all ports and workers."},
	{"mbuf_size", SETTING_OWN, SETTING_FIELD(struct config, mbuf_size), .def_text = "0",
		.expects = "a number from 2048 to 16384, or 0",
		.help = "Bytes a packet buffer holds. 0: as many as the ports' MTUs need, 2048 "
			"at least.",
		.read = read_mbuf_size, .write = write_mbuf_size},
	{"max_routes", SETTING_GROUP, .help = "Size of the forwarding tables.",
		.sub = max_routes_settings},
	{"replay_window", SETTING_UINT, SETTING_FIELD(struct config, replay_window),
		.min = REPLAY_WINDOW_MIN, .max = REPLAY_WINDOW_MAX, .def = REPLAY_WINDOW_DEFAULT,
		.help = "Packets by which an inbound packet may be late, where its SA says "
			"nothing else.",
		.live = true},
	{"path_mtu_timeout", SETTING_UINT, SETTING_FIELD(struct config, path_mtu_timeout), .min = 1,
		.max = 86400, .def = 600,
		.help = "Seconds until a path MTU that ICMP told of is forgotten, and larger "
			"packets are tried again. RFC 1191 wants 300 at least.",
		.live = true},
	{"eal_args", SETTING_TEXT, SETTING_FIELD(struct config, eal_args), .def_text = "",
		.expects = "arguments for DPDK",
		.help = "More arguments for DPDK, split at spaces."},
	{"workers", SETTING_GROUP, .help = "The threads that forward and encrypt.",
		.sub = worker_settings},
	{"ports", SETTING_LIST, .help = "Network devices, each with a TAP device in the kernel.",
		.sub = port_settings, .read = read_port},
	{"vtis", SETTING_LIST,
		.help = "Virtual tunnel interfaces, each with a TUN device in the kernel.",
		.sub = vti_settings, .read = read_vti, .live = true},
	{"sas", SETTING_LIST, .help = "Security associations keyed by hand.", .sub = sa_settings,
		.read = read_sa, .live = true},
	{"routes", SETTING_LIST, .help = "Static routes, beside those of the kernel.",
		.sub = route_settings, .read = read_route, .live = true},
	{.type = SETTING_END},
};

int check_iface_name(
	struct reader *r, const config_setting_t *s, const struct config *c, const char *name)
{
	const config_setting_t *at = setting_member(s, "name");
	bool taken = false;

	if (!iface_name_valid(name))
		return setting_wrong(r, at, "1 to 15 characters without '/', ':', '%' or spaces");
	for (unsigned i = 0; i < c->n_ports; i++)
		taken |= strcmp(c->ports[i].name, name) == 0;
	for (unsigned i = 0; i < c->n_vtis; i++)
		taken |= strcmp(c->vtis[i].name, name) == 0;
	return taken ? setting_error(r, at, "\"%s\" twice; expected a name of its own", name) : 0;
}

unsigned setting_count(const config_setting_t *root, const char *name)
{
	const config_setting_t *list = config_setting_get_member(root, name);

	return list != NULL && config_setting_is_list(list) ? config_setting_length(list) : 0;
}

static struct config *config_new(const config_setting_t *root)
{
	struct config *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	/* One more than needed: calloc(0) may give NULL. */
	c->vtis = calloc(setting_count(root, "vtis") + 1, sizeof(*c->vtis));
	c->sas = calloc(setting_count(root, "sas") + 1, sizeof(*c->sas));
	c->keys = calloc(setting_count(root, "sas") + 1, sizeof(*c->keys));
	c->routes = calloc(setting_count(root, "routes") + 1, sizeof(*c->routes));
	if (c->vtis == NULL || c->sas == NULL || c->keys == NULL || c->routes == NULL) {
		config_free(c);
		return NULL;
	}
	settings_default(config_settings, c);
	c->n_cores = 1;
	c->cores[0] = -1;
	return c;
}

/* Every file that a setting came from: the main one and what it includes. */
static int check_files(const struct reader *r, const config_setting_t *s, const char **last)
{
	const char *name = config_setting_source_file(s);
	char file[PATH_MAX];

	if (name != NULL && (*last == NULL || strcmp(name, *last) != 0)) {
		*last = name;
		if (value_check_literals(reader_file(r, name, file, sizeof(file)), r->e) < 0)
			return -EINVAL;
	}
	for (int i = 0; config_setting_is_aggregate(s) && i < config_setting_length(s); i++) {
		if (check_files(r, config_setting_get_elem(s, i), last) < 0)
			return -EINVAL;
	}
	return 0;
}

/* libconfig's copies of the keys. */
static void wipe_strings(config_setting_t *s)
{
	const char *text = config_setting_get_string(s);

	if (text != NULL)
		explicit_bzero((char *)text, strlen(text));
	for (int i = 0; config_setting_is_aggregate(s) && i < config_setting_length(s); i++)
		wipe_strings(config_setting_get_elem(s, i));
}

/* libconfig ends the process when it is given a directory. */
static int check_readable(const char *path, struct err *e)
{
	struct stat st;
	FILE *f;

	if (stat(path, &st) < 0)
		return err_set(e, errno, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return err_set(e, EISDIR, "%s: a directory; expected a file", path);
	f = fopen(path, "r");
	if (f == NULL)
		return err_set(e, errno, "%s: %s", path, strerror(errno));
	fclose(f);
	return 0;
}

static int parse(config_t *cf, const struct reader *r)
{
	const char *path = r->path;
	char dir[PATH_MAX], file[PATH_MAX];
	int rc = check_readable(path, r->e);

	if (rc < 0)
		return rc;
	/* @include is relative to the file, wherever the daemon was started. */
	snprintf(dir, sizeof(dir), "%s", path);
	config_set_include_dir(cf, dirname(dir));
	rc = includes_check(path, cf->include_dir, r->e);
	if (rc < 0)
		return rc;
	if (config_read_file(cf, path) == CONFIG_TRUE)
		return 0;
	return err_set(r->e, EINVAL, "%s:%d: %s",
		reader_file(r, config_error_file(cf), file, sizeof(file)), config_error_line(cf),
		config_error_text(cf));
}

static void warn_open_files(const struct reader *r, const config_setting_t *sas)
{
	char file[PATH_MAX];
	const char *name, *last = "";
	struct stat st;

	for (int i = 0; sas != NULL && i < config_setting_length(sas); i++) {
		const config_setting_t *sa = config_setting_get_elem(sas, i);

		if (config_setting_get_member(sa, "key") == NULL &&
			config_setting_get_member(sa, "auth_key") == NULL)
			continue; /* they are in files of their own, see value_key_file() */
		name = config_setting_source_file(sa);
		name = name != NULL ? name : r->path;
		if (strcmp(name, last) == 0)
			continue;
		last = name;
		name = reader_file(r, name, file, sizeof(file));
		if (stat(name, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)))
			log_warn("%s: holds keys and others may read it (mode %04o); expected 0600",
				name, st.st_mode & 07777);
	}
}

static struct config *build(config_t *cf, struct reader *r)
{
	const config_setting_t *root = config_root_setting(cf);
	const char *last = NULL;
	struct config *c;

	if (check_files(r, root, &last) < 0)
		return NULL;
	c = config_new(root);
	if (c == NULL) {
		err_set(r->e, ENOMEM, "%s: no memory to read it", r->path);
		return NULL;
	}
	if (settings_read(r, root, config_settings, c) < 0 || check_routes(r, root, c) < 0) {
		config_free(c);
		return NULL;
	}
	warn_open_files(r, config_setting_get_member(root, "sas"));
	return c;
}

struct config *config_default(void)
{
	struct config *c;
	config_t cf;

	config_init(&cf);
	c = config_new(config_root_setting(&cf));
	config_destroy(&cf);
	return c;
}

/* Elements of the configuration's own arrays. */
static void keep(void *element)
{
	(void)element;
}

struct config *config_load(const char *path, struct err *e)
{
	struct reader r = {.path = path, .e = e};
	struct config *c = NULL;
	config_t cf;

	config_init(&cf);
	if (parse(&cf, &r) == 0)
		c = build(&cf, &r);
	tdestroy(r.routes, keep);
	wipe_strings(config_root_setting(&cf));
	config_destroy(&cf);
	secrets_wipe_stack();
	return c;
}

void config_wipe_keys(struct config *c)
{
	for (unsigned i = 0; i < c->n_sas; i++) {
		explicit_bzero(c->sas[i].enc_key, sizeof(c->sas[i].enc_key));
		explicit_bzero(c->sas[i].auth_key, sizeof(c->sas[i].auth_key));
	}
}

void config_free(struct config *c)
{
	if (c == NULL)
		return;
	config_wipe_keys(c);
	free(c->vtis);
	free(c->sas);
	free(c->keys);
	free(c->routes);
	free(c);
}
