/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/reload/reload.h"
#include "control/log.h"
#include "control/reload/reload_plan.h"
#include "control/routing/rib.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static struct config *running;
static struct config_source source;
static char path[PATH_MAX];

/* Options override the file. */
static int override(struct config *c, const struct config_source *from, struct err *e)
{
	if (from->log_level != NULL && log_level_by_name(from->log_level) < 0)
		return err_set(e, EINVAL,
			"--log-level %s; expected error, warning, notice, info or debug",
			from->log_level);
	if (from->log_level != NULL)
		snprintf(c->log_level, sizeof(c->log_level), "%s", from->log_level);
	if (from->socket == NULL)
		return 0;
	if (from->socket[0] == '\0' || strlen(from->socket) >= sizeof(c->socket))
		return err_set(e, EINVAL, "--socket \"%s\"; expected a path of 1 to %zu bytes",
			from->socket, sizeof(c->socket) - 1);
	snprintf(c->socket, sizeof(c->socket), "%s", from->socket);
	return 0;
}

struct config *config_source_load(const struct config_source *from, struct err *e)
{
	struct config *c = config_load(from->path, e);

	if (c != NULL && override(c, from, e) < 0) {
		config_free(c);
		c = NULL;
	}
	return c;
}

static int make_plan(struct plan *p, struct err *e)
{
	static int (*const parts[])(struct plan * p, struct err * e) = {
		plan_settings, plan_ports, plan_vtis, plan_sas, plan_routes};
	int ret = 0;

	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]) && ret == 0; i++)
		ret = parts[i](p, e);
	return ret;
}

static void undo(struct plan *p)
{
	for (unsigned phase = PHASE_COUNT; phase-- > 0;) {
		for (unsigned i = p->n; i-- > 0;) {
			struct step *s = &p->steps[i];

			if (s->done && s->kind->phase == phase && s->kind->undo != NULL)
				s->kind->undo(s);
		}
	}
	rib_commit();
}

static int run_phase(struct plan *p, enum reload_phase phase, struct err *e)
{
	for (unsigned i = 0; i < p->n; i++) {
		/* Removed is the other way round: routes and SAs before their VTIs. */
		struct step *s = &p->steps[phase == PHASE_REMOVE ? p->n - 1 - i : i];
		int ret = 0;

		if (s->kind->phase != phase)
			continue;
		if (s->kind->apply != NULL)
			ret = s->kind->apply(s, e);
		if (ret < 0)
			return ret;
		s->done = true;
	}
	return 0;
}

/* What is refused after all (no memory, the kernel) is taken back. */
static int apply(struct plan *p, struct err *e)
{
	struct err why = {""};
	int ret = 0;

	for (unsigned phase = 0; phase < PHASE_COUNT && ret == 0; phase++) {
		if (phase == PHASE_REMOVE)
			rib_commit(); /* the new ways before the old interfaces go */
		ret = run_phase(p, phase, &why);
	}
	if (ret < 0) {
		undo(p);
		return plan_error(p, e, -ret, "%s; nothing was changed", why.text);
	}
	rib_commit();
	for (unsigned i = 0; i < p->n; i++) {
		if (p->steps[i].kind->finish != NULL)
			p->steps[i].kind->finish(&p->steps[i]);
	}
	return 0;
}

/* `to` becomes what runs; what ran is left in it, to be freed. Pointers to `running` stay good. */
static void settle(struct plan *p)
{
	struct config old = *running;

	settle_settings(p);
	settle_ports(p);
	settle_routes(p);
	*running = *p->to;
	*p->to = old;
	config_wipe_keys(running);
}

/* Whatever directory the daemon may be in later. */
static int keep_source(const struct config_source *from, struct err *e)
{
	char *cwd = from->path[0] == '/' ? strdup("") : getcwd(NULL, 0);

	if (cwd == NULL)
		return err_set(e, errno, "%s: %s", from->path, strerror(errno));
	source = *from;
	snprintf(path, sizeof(path), "%s%s%s", cwd, cwd[0] != '\0' ? "/" : "", from->path);
	source.path = path;
	free(cwd);
	return 0;
}

int reload_start(struct config *config, const struct config_source *from, struct err *e)
{
	struct config nothing = *config;
	struct plan p = {.path = from->path, .from = &nothing, .to = config};
	int ret;

	nothing.n_vtis = nothing.n_sas = nothing.n_routes = 0;
	ret = make_plan(&p, e);
	if (ret == 0)
		ret = apply(&p, e);
	free(p.steps);
	config_wipe_keys(config);
	running = config;
	if (ret == 0)
		ret = keep_source(from, e);
	return ret;
}

static void log_change(const struct viaduct_change *c)
{
	static const char *const verbs[] = {
		[VIADUCT_CHANGE_ADD] = "added",
		[VIADUCT_CHANGE_SET] = "changed",
		[VIADUCT_CHANGE_REPLACE] = "replaced",
		[VIADUCT_CHANGE_ADOPT] = "now the file's",
		[VIADUCT_CHANGE_DEL] = "removed",
		[VIADUCT_CHANGE_RESTART] = "needs a restart",
	};
	const char *colon = c->text[0] != '\0' ? ": " : "";

	if (c->kind == VIADUCT_CHANGE_RESTART)
		log_warn("configuration: %s %s %s%s%s", c->object, c->name, verbs[c->kind], colon,
			c->text);
	else
		log_info("configuration: %s %s %s%s%s", c->object, c->name, verbs[c->kind], colon,
			c->text);
}

static int tell(const struct plan *p, bool log, reload_change told, void *arg)
{
	struct viaduct_change c;
	int n = 0, stop = told == NULL;

	for (unsigned i = 0; i < p->n; i++) {
		const struct step *s = &p->steps[i];

		if (s->kind->object == NULL) /* part of another one */
			continue;
		n++;
		c = (struct viaduct_change){.kind = s->kind->change};
		snprintf(c.object, sizeof(c.object), "%s", s->kind->object);
		s->kind->describe(s, &c);
		if (log)
			log_change(&c);
		if (stop == 0)
			stop = told(&c, arg);
	}
	if (log)
		log_notice("configuration reloaded, differences: %d", n);
	return n;
}

/* A pipe or a terminal, good for a start, would stop the daemon now. */
static int check_file(struct err *e)
{
	struct stat st;

	if (stat(source.path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s: not a regular file", source.path);
	return 0;
}

int reload(bool dry_run, reload_change told, void *arg, struct err *e)
{
	struct plan p = {.path = source.path, .from = running};
	int ret;

	if (running == NULL)
		return err_set(e, EAGAIN, "no configuration runs yet");
	ret = check_file(e);
	if (ret < 0)
		return ret;
	p.to = config_source_load(&source, e);
	if (p.to == NULL)
		return -EINVAL;
	ret = make_plan(&p, e);
	if (ret == 0 && !dry_run)
		ret = apply(&p, e);
	if (ret == 0)
		ret = tell(&p, !dry_run, told, arg);
	if (ret >= 0 && !dry_run)
		settle(&p);
	free(p.steps);
	config_free(p.to);
	return ret;
}

void reload_on_signal(void)
{
	struct err e = {""};

	sd_notify(0, "RELOADING=1");
	if (reload(false, NULL, NULL, &e) < 0)
		log_err("configuration not reloaded: %s", e.text);
	sd_notify(0, "READY=1");
}
