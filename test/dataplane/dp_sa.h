/* SPDX-License-Identifier: BSD-3-Clause */
/* VTIs and SAs of the router under test, as many and of whatever kind a test wants: made as the
 * control thread would make them, taken down with the router. */
#ifndef VIADUCT_TEST_DP_SA_H
#define VIADUCT_TEST_DP_SA_H

#include "dataplane/sa.h"
#include "harness.h"

struct dp_sa {
	enum sa_dir dir;
	uint32_t spi;
	const char *src, *dst; /* of the outer header */
	uint8_t cipher, auth;  /* 0: AES-GCM-16 with the shortest key */
	uint16_t flags;        /* enum sa_flag; with SA_UDP_ENCAP the ports are 4500 */
};

/* A VTI, up, MTU 1400, without SAs. */
struct iface *dp_vti(const char *name);

/* An SA of this VTI (NULL: bound to none). Its keys are 1, 2, 3 ... so that any two of a test
 * understand each other. */
struct sa *dp_sa(struct iface *vti, const struct dp_sa *conf);

/* Next hop through the tunnel. */
uint32_t dp_through(struct iface *vti);

/* Address a frame that came out of the router to one of its ports, as from a station. */
void dp_readdress(struct frame *f, unsigned port);

/* dp_stop() calls it. */
void dp_sas_stop(void);

#endif
