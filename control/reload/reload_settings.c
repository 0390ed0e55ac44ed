/* SPDX-License-Identifier: BSD-3-Clause */
/* The settings that are no lists, and the ports: what a reload can change of them, and what it can't. */
#include "config/setting_text.h"
#include "config/tables.h"
#include "control/daemon.h"
#include "control/log.h"
#include "control/port/port_vlan.h"
#include "control/port/ports.h"
#include "control/reload/reload_plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void describe_kept(const struct step *s, struct viaduct_change *c)
{
	*c = (struct viaduct_change){.kind = c->kind};
	snprintf(c->object, sizeof(c->object), "%s", s->change.object);
	snprintf(c->name, sizeof(c->name), "%s", s->change.name);
	snprintf(c->text, sizeof(c->text), "%s", s->change.text);
}

static const struct step_kind needs_restart = {
	.object = "", .change = VIADUCT_CHANGE_RESTART, .describe = describe_kept};

/* replay_window and what may come later is looked up where it is used. */
static int apply_setting(struct step *s, struct err *e)
{
	const struct config *to = s->to;

	(void)e;
	log_set_level(log_level_by_name(to->log_level));
	return 0;
}

static void undo_setting(struct step *s)
{
	const struct config *from = s->from;

	log_set_level(log_level_by_name(from->log_level));
}

static const struct step_kind set_setting = {.object = "",
	.change = VIADUCT_CHANGE_SET,
	.phase = PHASE_MAKE,
	.apply = apply_setting,
	.undo = undo_setting,
	.describe = describe_kept};

static struct step *add_described(struct plan *p, const struct step_kind *kind, const char *object,
	const char *name, const char *text)
{
	struct step *s = plan_add(p, kind, NULL, NULL);

	if (s == NULL)
		return NULL;
	snprintf(s->change.object, sizeof(s->change.object), "%s", object);
	snprintf(s->change.name, sizeof(s->change.name), "%s", name);
	snprintf(s->change.text, sizeof(s->change.text), "%.*s", (int)sizeof(s->change.text) - 1,
		text);
	return s;
}

static int setting_changed(
	const struct setting *t, const char *name, const char *a, const char *b, void *arg)
{
	struct plan *p = arg;
	char text[2 * SETTING_TEXT_LEN + 8];
	struct step *s;

	snprintf(text, sizeof(text), "%s -> %s", a, b);
	s = add_described(p, t->live ? &set_setting : &needs_restart, "setting", name, text);
	if (s == NULL)
		return -ENOMEM;
	s->from = p->from;
	s->to = p->to;
	return 0;
}

int plan_settings(struct plan *p, struct err *e)
{
	if (settings_compare(config_settings, p->from, p->to, setting_changed, p) < 0)
		return err_set(e, ENOMEM, "no memory to compare the settings");
	return 0;
}

void settle_settings(struct plan *p)
{
	settings_keep(config_settings, p->from, p->to);
}

static const struct config_port *find_port(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->n_ports; i++) {
		if (strcmp(c->ports[i].name, name) == 0)
			return &c->ports[i];
	}
	return NULL;
}

static int apply_port(struct step *s, struct err *e)
{
	return port_change(s->from, s->to, e);
}

static void undo_port(struct step *s)
{
	struct err e;

	if (port_change(s->to, s->from, &e) < 0)
		log_err("%s", e.text);
}

static const struct step_kind set_port = {.object = "",
	.change = VIADUCT_CHANGE_SET,
	.phase = PHASE_MAKE,
	.apply = apply_port,
	.undo = undo_port,
	.describe = describe_kept};

struct port_texts {
	char live[VIADUCT_TEXT_LEN], restart[VIADUCT_TEXT_LEN];
};

static int port_setting_changed(
	const struct setting *t, const char *name, const char *a, const char *b, void *arg)
{
	struct port_texts *texts = arg;
	char *to = t->live ? texts->live : texts->restart;
	const size_t n = strlen(to);

	snprintf(to + n, sizeof(texts->live) - n, "%s%s %s -> %s", n > 0 ? ", " : "", name, a, b);
	return 0;
}

static int plan_port(
	struct plan *p, const struct config_port *from, const struct config_port *to, struct err *e)
{
	struct port_texts texts = {"", ""};
	struct step *s;
	int ret;

	settings_compare(port_settings, from, to, port_setting_changed, &texts);
	if (texts.restart[0] != '\0' &&
		add_described(p, &needs_restart, "port", to->name, texts.restart) == NULL)
		return -ENOMEM;
	if (texts.live[0] == '\0')
		return 0;
	ret = port_check_change(from, to, e);
	if (ret < 0)
		return ret;
	s = add_described(p, &set_port, "port", to->name, texts.live);
	if (s == NULL)
		return -ENOMEM;
	s->from = from;
	s->to = to;
	return 0;
}

static int apply_add_vlan(struct step *s, struct err *e)
{
	return port_vlan_add(s->to, daemon_state.n_workers, e);
}

static void undo_add_vlan(struct step *s)
{
	port_vlan_del(((const struct config_port *)s->to)->name);
}

static int apply_del_vlan(struct step *s, struct err *e)
{
	(void)e;
	port_vlan_del(((const struct config_port *)s->from)->name);
	return 0;
}

static void describe_vlan(const struct step *s, struct viaduct_change *c)
{
	const struct config_port *v = s->to != NULL ? s->to : s->from;

	snprintf(c->name, sizeof(c->name), "%s", v->name);
	snprintf(c->text, sizeof(c->text), "VLAN %u of %s", v->vlan, v->parent);
}

static const struct step_kind add_vlan = {.object = "port",
	.change = VIADUCT_CHANGE_ADD,
	.phase = PHASE_MAKE,
	.apply = apply_add_vlan,
	.undo = undo_add_vlan,
	.describe = describe_vlan};
static const struct step_kind del_vlan = {.object = "port",
	.change = VIADUCT_CHANGE_DEL,
	.phase = PHASE_REMOVE,
	.apply = apply_del_vlan,
	.describe = describe_vlan};

static bool is_vlan(const struct config_port *c)
{
	return c->parent[0] != '\0';
}

/* Can it be made while the workers run? Its parent must run, and its id not be that of a VLAN which
 * stays; for that one waits for a restart itself, to have another id. */
static bool vlan_can_be_added(
	const struct config *from, const struct config *to, const struct config_port *vlan)
{
	const struct config_port *parent = find_port(from, vlan->parent);

	if (!is_vlan(vlan) || parent == NULL || is_vlan(parent))
		return false;
	for (unsigned i = 0; i < from->n_ports; i++) {
		const struct config_port *is = &from->ports[i];

		if (strcmp(is->parent, vlan->parent) == 0 && is->vlan == vlan->vlan &&
			find_port(to, is->name) != NULL)
			return false;
	}
	return true;
}

bool plan_adds_port(const struct plan *p, const char *name)
{
	const struct config_port *port = find_port(p->to, name);

	return port != NULL && find_port(p->from, name) == NULL &&
		vlan_can_be_added(p->from, p->to, port);
}

static int plan_new_port(struct plan *p, const struct config_port *to, struct err *e)
{
	int ret;

	if (!vlan_can_be_added(p->from, p->to, to))
		return add_described(p, &needs_restart, "port", to->name, "added") != NULL
			? 0
			: -ENOMEM;
	ret = port_vlan_check(to, e);
	if (ret < 0)
		return ret;
	return plan_add(p, &add_vlan, NULL, to) != NULL ? 0 : -ENOMEM;
}

static int plan_old_port(struct plan *p, const struct config_port *from)
{
	const struct step *s = is_vlan(from)
		? plan_add(p, &del_vlan, from, NULL)
		: add_described(p, &needs_restart, "port", from->name, "removed");

	return s != NULL ? 0 : -ENOMEM;
}

/* Devices are attached, and their queues given to workers, before these run. VLANs have none. */
int plan_ports(struct plan *p, struct err *e)
{
	const struct config_port *from;
	struct err why = {""};
	int ret = 0;

	for (unsigned i = 0; i < p->to->n_ports && ret == 0; i++) {
		from = find_port(p->from, p->to->ports[i].name);
		ret = from != NULL ? plan_port(p, from, &p->to->ports[i], &why)
				   : plan_new_port(p, &p->to->ports[i], &why);
	}
	for (unsigned i = 0; i < p->from->n_ports && ret == 0; i++) {
		if (find_port(p->to, p->from->ports[i].name) == NULL)
			ret = plan_old_port(p, &p->from->ports[i]);
	}
	if (ret == -ENOMEM)
		return err_set(e, ENOMEM, "no memory to compare the ports");
	return ret < 0 ? plan_error(p, e, -ret, "ports: %s", why.text) : 0;
}

/* The ports that run, with what was changed of them. */
void settle_ports(struct plan *p)
{
	struct config *to = p->to;
	struct config_port ports[CONFIG_PORTS_MAX];
	const struct config_port *found;
	unsigned n = 0;

	for (unsigned i = 0; i < p->from->n_ports; i++) {
		found = find_port(to, p->from->ports[i].name);
		if (found == NULL && is_vlan(&p->from->ports[i]))
			continue;
		ports[n] = found != NULL ? *found : p->from->ports[i];
		settings_keep(port_settings, &p->from->ports[i], &ports[n++]);
	}
	for (unsigned i = 0; i < to->n_ports && n < CONFIG_PORTS_MAX; i++) {
		if (plan_adds_port(p, to->ports[i].name))
			ports[n++] = to->ports[i];
	}
	memcpy(to->ports, ports, sizeof(ports[0]) * n);
	to->n_ports = n;
}
