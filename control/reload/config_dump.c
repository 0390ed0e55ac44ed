/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/reload/config_dump.h"
#include "config/setting_text.h"
#include "config/tables.h"
#include "control/addr_text.h"
#include "control/daemon.h"
#include "control/iface/ifaces.h"
#include "control/iface/vti.h"
#include "control/port/ports.h"
#include "control/routing/rib.h"
#include "control/sa/sadb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INDENT "\t\t"

/* name = ( { ... }, { ... } ); the first group opens it. */
struct list {
	FILE *out;
	const char *name;
	unsigned n;
};

static void group_begin(struct list *l)
{
	if (l->n++ == 0)
		fprintf(l->out, "\n%s = (\n", l->name);
	else
		fputs(",\n", l->out);
	fputs("\t{\n", l->out);
}

static void group_end(struct list *l)
{
	fputs("\t}", l->out);
}

static void list_end(struct list *l)
{
	if (l->n > 0)
		fputs("\n);\n", l->out);
}

/* 0: no such port. */
static uint32_t mtu_now(const struct config *running, const char *port)
{
	const struct iface *iface = iface_by_name(port);

	for (unsigned i = 0; i < running->n_ports; i++) {
		if (strcmp(running->ports[i].name, port) == 0)
			return iface != NULL ? iface_mtu(iface) : running->ports[i].mtu;
	}
	return 0;
}

static void write_ports(FILE *out, const struct config *running)
{
	struct list l = {.out = out, .name = "ports"};
	struct config_port def = {0}, p;
	uint32_t mtu;

	settings_default(port_settings, &def);
	mtu = def.mtu;
	for (unsigned i = 0; i < running->n_ports; i++) {
		p = running->ports[i];
		p.mtu = mtu_now(running, p.name);
		/* A VLAN that does not say has its parent's. */
		def.mtu = p.vlan != 0 ? mtu_now(running, p.parent) : mtu;
		group_begin(&l);
		settings_write(out, INDENT, port_settings, &p, &def);
		group_end(&l);
	}
	list_end(&l);
}

static void write_vtis(FILE *out)
{
	struct list l = {.out = out, .name = "vtis"};
	struct viaduct_vti def, conf;

	vti_default(&def);
	for (const struct vti *v = vti_first(); v != NULL; v = v->hh.next) {
		conf = v->conf;
		conf.reqid = v->reqid_auto ? 0 : conf.reqid;
		group_begin(&l);
		settings_write(out, INDENT, vti_settings, &conf, &def);
		group_end(&l);
	}
	list_end(&l);
}

/* The file's, as it is now. */
static struct config_sa sa_now(
	const struct viaduct_sa *sa, const struct config_keys *keys, const struct sa_entry *is)
{
	struct config_sa a = {.sa = *sa, .keys = *keys};
	struct viaduct_sa_info info;

	sadb_fill_info(is, &info);
	a.sa.src = info.src;
	a.sa.sport = info.sport;
	a.sa.dport = info.dport;
	a.sa.reqid = info.reqid;
	a.sa.flags = info.flags;
	return a;
}

static bool has_key_files(const struct config_sa *a)
{
	return a->keys.auth_key_file[0] != '\0' &&
		(a->sa.enc_key_len == 0 || a->keys.key_file[0] != '\0');
}

static void write_keyless(FILE *out, const struct config_sa *a, const struct config_sa *def)
{
	fputs("\n# Its keys stood in the file itself and are not shown. Add them, and take the "
	      "comment "
	      "signs off:\n#\t{\n",
		out);
	settings_write(out, "#" INDENT, sa_settings, a, def);
	fputs("#" INDENT "# key = \"0x...\"; auth_key = \"0x...\";\n#\t}\n", out);
}

static const struct sa_entry *of_the_file(const struct viaduct_sa *sa)
{
	const struct sa_entry *is = sadb_find(&sa->id);

	return is != NULL && is->origin == VIADUCT_ORIGIN_CONFIG ? is : NULL;
}

static void write_sas(FILE *out, const struct config *running, bool with_files)
{
	struct list l = {.out = out, .name = "sas"};
	struct config_sa def, a;

	sa_default(&def);
	for (unsigned i = 0; i < running->n_sas; i++) {
		const struct sa_entry *is = of_the_file(&running->sas[i]);

		if (is == NULL)
			continue;
		a = sa_now(&running->sas[i], &running->keys[i], is);
		if (has_key_files(&a) != with_files)
			continue;
		if (!with_files) {
			write_keyless(out, &a, &def);
			continue;
		}
		group_begin(&l);
		settings_write(out, INDENT, sa_settings, &a, &def);
		group_end(&l);
	}
	list_end(&l);
}

static void write_api_sas(FILE *out)
{
	char dst[ADDR_TEXT_LEN];

	for (const struct sa_entry *s = sadb_first(); s != NULL; s = s->hh.next) {
		if (s->origin == VIADUCT_ORIGIN_API)
			fprintf(out,
				"\n# An SA that came by the API, keys unknown: 0x%08x to %s, %s\n",
				s->id.spi, addr_text(&s->id.dst, dst),
				s->sa->dir == SA_IN ? "in" : "out");
	}
}

/* Of one prefix and metric the API's hides the file's. */
static int write_route(const struct viaduct_route *r, void *arg)
{
	struct viaduct_route def, given, other;
	struct list *l = arg;

	if (r->origin != VIADUCT_ORIGIN_API && r->origin != VIADUCT_ORIGIN_CONFIG)
		return 0;
	if (r->origin == VIADUCT_ORIGIN_CONFIG && route_given(r, VIADUCT_ORIGIN_API, &other))
		return 0;
	if (!route_given(r, r->origin, &given))
		return 0;
	route_default(&def);
	group_begin(l);
	settings_write(l->out, INDENT, route_settings, &given, &def);
	group_end(l);
	return 0;
}

static void write_routes(FILE *out)
{
	struct list l = {.out = out, .name = "routes"};

	rib_each(write_route, &l);
	list_end(&l);
}

void config_write_running(FILE *out, const struct config *running)
{
	struct config *def = config_default();

	fputs("# Viaduct's configuration as it runs, by viaductctl config dump. What has its "
	      "default "
	      "is left out.\n",
		out);
	if (def != NULL)
		settings_write(out, "", config_settings, running, def);
	config_free(def);
	write_ports(out, running);
	write_vtis(out);
	write_sas(out, running, true);
	write_sas(out, running, false);
	write_api_sas(out);
	write_routes(out);
}

int config_dump(config_dump_piece piece, void *arg, struct err *e)
{
	struct viaduct_text text;
	char *whole = NULL;
	size_t size = 0, n;
	FILE *out = open_memstream(&whole, &size);
	int ret = 0;

	if (out == NULL)
		return err_set(e, ENOMEM, "no memory to write the configuration");
	config_write_running(out, daemon_state.config);
	if (fclose(out) != 0) {
		free(whole);
		return err_set(e, ENOMEM, "no memory to write the configuration");
	}
	for (size_t at = 0; at < size && ret == 0; at += n) {
		n = size - at < sizeof(text.text) - 1 ? size - at : sizeof(text.text) - 1;
		memset(&text, 0, sizeof(text));
		memcpy(text.text, whole + at, n);
		ret = piece(&text, arg);
	}
	free(whole);
	return ret;
}
