/* SPDX-License-Identifier: BSD-3-Clause */
/* From two configurations to a list of steps, each of which can be taken back until the last phase,
 * whose steps cannot fail. */
#ifndef VIADUCT_RELOAD_PLAN_H
#define VIADUCT_RELOAD_PLAN_H

#include "config/setting.h"
#include "control/reload/reload.h"

struct sa_entry;
struct step;

enum reload_phase {
	PHASE_CLEAR, /* what is in the way of a later step moves aside */
	PHASE_MAKE,  /* interfaces */
	PHASE_SA,    /* new SAs send before old ones go */
	PHASE_ROUTE,
	PHASE_REMOVE, /* cannot fail: checked before, asks nobody */
	PHASE_COUNT
};

struct step_kind {
	const char *object; /* "vti"; NULL: not told of */
	enum viaduct_change_kind change;
	enum reload_phase phase;
	int (*apply)(struct step *s, struct err *e); /* NULL: nothing to do */
	void (*undo)(struct step *s);                /* NULL: nothing to undo */
	void (*finish)(struct step *s);              /* all went well; NULL: nothing to do */
	void (*describe)(const struct step *s, struct viaduct_change *c);
};

struct step {
	const struct step_kind *kind;
	const void *from, *to; /* elements of the running and the new configuration; NULL: none */
	bool done;
	union { /* for undo */
		struct {
			struct viaduct_vti conf, wanted;
			bool reqid_auto;
			uint8_t origin;
		} vti;
		struct viaduct_route route;
		struct {
			const struct key_digest *from, *to;
			struct sa_entry *old;
		} sa;
		struct viaduct_change change; /* described when it was planned */
	};
};

struct plan {
	const char *path;          /* of the file, for errors */
	const struct config *from; /* what runs */
	struct config *to;
	struct step *steps;
	unsigned n, room;
};

/* NULL: no memory. Steps move when more are added: don't keep the pointer. */
struct step *plan_add(
	struct plan *p, const struct step_kind *kind, const void *from, const void *to);

/* "FILE: sas: 0x2711 to 192.0.2.1: ..." */
int plan_error(const struct plan *p, struct err *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Elements of an array by what names them (tsearch(3)). compare: as in qsort(3). */
struct lookup {
	void *root;
	int (*compare)(const void *a, const void *b);
};

int lookup_fill(struct lookup *l, int (*compare)(const void *a, const void *b), const void *array,
	unsigned n, size_t size);
const void *lookup_find(const struct lookup *l, const void *key);
void lookup_free(struct lookup *l);

/* "mtu 0 -> 1400, up true -> false" */
void describe_settings(
	char *text, size_t size, const struct setting *table, const void *a, const void *b);

/* Each compares its part, checks all that can be checked, and adds steps. */
int plan_settings(struct plan *p, struct err *e);
int plan_ports(struct plan *p, struct err *e);
/* Will there be a new port of this name, without a restart? */
bool plan_adds_port(const struct plan *p, const char *name);
int plan_vtis(struct plan *p, struct err *e);
int plan_sas(struct plan *p, struct err *e);
int plan_routes(struct plan *p, struct err *e);

/* The configuration that runs once the steps are done: restart settings, ports and routes that wait
 * for a restart are left as they were. */
void settle_settings(struct plan *p);
void settle_ports(struct plan *p);
void settle_routes(struct plan *p);

#endif
