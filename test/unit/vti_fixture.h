/* SPDX-License-Identifier: BSD-3-Clause */
/* VTIs with the real SA database; the kernel, clients, routes and the clock are fakes. */
#ifndef VIADUCT_TEST_VTI_FIXTURE_H
#define VIADUCT_TEST_VTI_FIXTURE_H

#include "control/addr_text.h"
#include "control/iface/vti.h"
#include "control/rcu.h"
#include "control/sa/sadb.h"
#include "dataplane/spi_table.h"

#include "control_fakes.h"
#include "unit.h"

#include <rte_eal.h>

static struct err e;

static inline void begin(void)
{
	static bool started;

	if (!started) {
		rcu_init(2);
		spi_table_init();
		started = true;
	}
	vti_fini();
	sadb_fini();
	rcu_poll();
	memset(&fake, 0, sizeof(fake));
	fake.link_set = -1;
	e.text[0] = '\0';
}

static inline struct viaduct_addr A(const char *text) {
	struct viaduct_addr a = {0};

	if (*text != '\0' && addr_parse(text, &a) < 0)
		abort();
	return a;
}

static inline struct viaduct_vti
request(const char *name, const char *local, const char *remote)
{
	struct viaduct_vti r = {.fields = VIADUCT_VTI_LOCAL | VIADUCT_VTI_REMOTE};

	strcpy(r.name, name);
	r.local = A(local);
	r.remote = A(remote);
	return r;
}

static inline struct vti *add(const struct viaduct_vti *r)
{
	struct vti *v = NULL;
	const int rc = vti_add(r, &v, &e);

	if (rc != 0)
		printf("    %s\n", e.text);
	CU_ASSERT_EQUAL(rc, 0);
	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	return v;
}

static inline struct viaduct_sa sa_request(uint8_t dir, uint32_t spi, uint32_t reqid)
{
	const bool in = dir == VIADUCT_IN;
	struct viaduct_sa r = {
		.id = {.dst = A(in ? "192.0.2.1" : "192.0.2.2"), .spi = spi},
		.src = A(in ? "192.0.2.2" : "192.0.2.1"),
		.dir = dir,
		.cipher = VIADUCT_CIPHER_AES_CBC,
		.auth = VIADUCT_AUTH_HMAC_SHA2_256_128,
		.reqid = reqid,
		.enc_key_len = 16,
		.auth_key_len = 32,
	};

	return r;
}

#endif
