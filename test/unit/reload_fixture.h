/* SPDX-License-Identifier: BSD-3-Clause */
/* A daemon's VTIs and SAs with configuration files that are loaded and reloaded. Routes and ports are
 * lists, and the kernel says what the test wants. */
#ifndef VIADUCT_TEST_RELOAD_FIXTURE_H
#define VIADUCT_TEST_RELOAD_FIXTURE_H

#include "control/log.h"
#include "control/port/port_vlan.h"
#include "control/port/ports.h"
#include "control/reload/reload.h"
#include "control/sa/sa_resume.h"

#include "config_file.h"
#include "vti_fixture.h"

#define ROUTES_MAX 32

static struct {
	struct viaduct_route routes[ROUTES_MAX];
	unsigned n_routes, route_changes;
	uint8_t refuse_route; /* to 10.N.0.0 */
	unsigned port_changes;
	struct config_port port;
	bool refuse_port;
} world;

static int find_route(const struct viaduct_route *r, unsigned origin)
{
	for (unsigned i = 0; i < world.n_routes; i++) {
		const struct viaduct_route *is = &world.routes[i];

		if (is->origin == origin && is->prefix_len == r->prefix_len &&
			is->metric == r->metric &&
			memcmp(&is->prefix, &r->prefix, sizeof(r->prefix)) == 0)
			return i;
	}
	return -1;
}

int route_add(const struct viaduct_route *r, struct err *e)
{
	int i = find_route(r, r->origin);

	if (world.refuse_route != 0 && r->prefix.bytes[1] == world.refuse_route)
		return err_set(e, ENOMEM, "out of memory for a route");
	if (r->dev[0] != '\0' && iface_by_name(r->dev) == NULL)
		return err_set(e, ENODEV, "dev: no port or VTI is named \"%s\"", r->dev);
	world.routes[i < 0 ? (int)world.n_routes++ : i] = *r;
	world.route_changes++;
	return 0;
}

int route_del(const struct viaduct_route *r, struct err *e)
{
	int i = find_route(r, r->origin);

	if (i < 0)
		return err_set(e, ENOENT, "no such route");
	world.routes[i] = world.routes[--world.n_routes];
	world.route_changes++;
	return 0;
}

bool route_given(const struct viaduct_route *r, unsigned origin, struct viaduct_route *out)
{
	int i = find_route(r, origin);

	if (i >= 0)
		*out = world.routes[i];
	return i >= 0;
}

int rib_each(int (*cb)(const struct viaduct_route *r, void *arg), void *arg)
{
	int ret = 0;

	for (unsigned i = 0; i < world.n_routes && ret == 0; i++)
		ret = cb(&world.routes[i], arg);
	return ret;
}

void rib_commit(void)
{
}

int port_check_change(const struct config_port *from, const struct config_port *to, struct err *e)
{
	(void)from;
	if (to->mtu > 9000)
		return err_set(e, EINVAL, "%s: mtu %u; expected at most 9000", to->name, to->mtu);
	return 0;
}

int port_change(const struct config_port *from, const struct config_port *to, struct err *e)
{
	(void)from;
	if (world.refuse_port)
		return err_set(e, EIO, "port %s: the device said no", to->name);
	world.port_changes++;
	world.port = *to;
	return 0;
}

/* Ports that run have no interface here; VLANs that are made live have. */
int port_vlan_check(const struct config_port *c, struct err *e)
{
	return iface_by_name(c->name) == NULL
		? 0
		: err_set(e, EBUSY, "%s: an interface of this name exists already", c->name);
}

int port_vlan_add(const struct config_port *c, unsigned n_workers, struct err *e)
{
	struct iface *i;

	if (world.refuse_port)
		return err_set(e, EIO, "port %s: the kernel said no", c->name);
	i = iface_new(IFACE_PORT, c->name, n_workers);
	i->vlan = c->vlan;
	iface_publish(i);
	return 0;
}

void port_vlan_del(const char *name)
{
	iface_retire(iface_by_name(name));
}

static struct config *running;
static struct config_source from_file;
static struct viaduct_change changes[64];
static unsigned n_changes;

static inline int note(const struct viaduct_change *c, void *arg)
{
	(void)arg;
	if (n_changes < 64)
		changes[n_changes++] = *c;
	return 0;
}

static inline int reload_text(const char *text, bool dry_run)
{
	write_file("t.conf", text);
	n_changes = 0;
	e.text[0] = '\0';
	return reload(dry_run, note, NULL, &e);
}

static inline void show_changes(int rc)
{
	printf("    %d %s\n", rc, e.text);
	for (unsigned i = 0; i < n_changes; i++)
		printf("    %u %s %s: %s\n", changes[i].kind, changes[i].object, changes[i].name,
			changes[i].text);
}

/* Applied, with so many differences. */
#define RELOAD(file, n)                                                                            \
	do {                                                                                       \
		const int rc_ = reload_text(file, false);                                          \
		if (rc_ != (n))                                                                    \
			show_changes(rc_);                                                         \
		CU_ASSERT_EQUAL(rc_, n);                                                           \
	} while (0)

/* Refused, with this in the sentence. */
#define REFUSED(file, why)                                                                         \
	do {                                                                                       \
		CU_ASSERT(reload_text(file, false) < 0);                                           \
		if (strstr(e.text, why) == NULL)                                                   \
			printf("    is: %s\n", e.text);                                            \
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, why));                                       \
	} while (0)

static inline const struct viaduct_change *change_of(const char *object, const char *name)
{
	static const struct viaduct_change none;

	for (unsigned i = 0; i < n_changes; i++) {
		if (strcmp(changes[i].object, object) == 0 && strcmp(changes[i].name, name) == 0)
			return &changes[i];
	}
	return &none;
}

static inline void stop(void)
{
	daemon_state.config = NULL;
	config_free(running);
	running = NULL;
}

static inline void start(const char *text)
{
	static char path[128];

	begin();
	stop();
	memset(&world, 0, sizeof(world));
	snprintf(path, sizeof(path), "%s", write_file("t.conf", text));
	from_file = (struct config_source){.path = path};
	running = config_source_load(&from_file, &e);
	daemon_state.config = running;
	if (running == NULL || reload_start(running, &from_file, &e) < 0) {
		printf("    %s\n", e.text);
		abort();
	}
	fake.events = 0;
}

static inline int reload_run(const char *suite, const CU_TestInfo *tests, int argc, char **argv)
{
	char *eal[] = {argv[0], UNIT_EAL_ARGS};

	log_set_level(LOG_LEVEL_ERR);
	if (rte_eal_init(sizeof(eal) / sizeof(eal[0]), eal) < 0)
		return 1;
	return config_run(suite, tests, argc, argv);
}

#endif
