/* SPDX-License-Identifier: BSD-3-Clause */
/* Twins as the host thread knows them. */
#ifndef VIADUCT_HOST_TWINS_H
#define VIADUCT_HOST_TWINS_H

#include "control/err.h"
#include "control/iface/twin.h"

#include <sys/queue.h>

struct twin {
	int fd;
	uint16_t iface; /* id */
	uint8_t kind;   /* enum iface_kind */
	uint32_t ifindex;
	char name[IFNAMSIZ];
	STAILQ_ENTRY(twin) closing; /* twin_closer.c */
};

/* From now on the host thread serves the twin; after detach it does not touch it any more. */
int host_attach(struct twin *t, struct err *e);
void host_detach(struct twin *t);

#endif
