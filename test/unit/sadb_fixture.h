/* SPDX-License-Identifier: BSD-3-Clause */
/* The SA database on the real SPI table, SAs and RCU; the kernel, clients and the clock are fakes. */
#ifndef VIADUCT_TEST_SADB_FIXTURE_H
#define VIADUCT_TEST_SADB_FIXTURE_H

#include "control/addr_text.h"
#include "control/iface/vti.h"
#include "control/rcu.h"
#include "control/sa/sadb.h"
#include "control/sa/spi_alloc.h"
#include "dataplane/spi_table.h"

#include "control_fakes.h"
#include "unit.h"

#include <rte_eal.h>

#define SECOND 1000000000ull

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
	fake.now_ns = 1000 * SECOND;
	e.text[0] = '\0';
}

/* Nothing left behind: every test ends here. */
static inline void end(void)
{
	vti_fini();
	sadb_fini();
	CU_ASSERT_EQUAL(rcu_poll(), 0);
	CU_ASSERT_EQUAL(sadb_count(), 0);
	CU_ASSERT_EQUAL(vti_count(), 0);
	CU_ASSERT_EQUAL(policy_count(), 0);
	CU_ASSERT_EQUAL(spi_reserved_count(), 0);
	CU_ASSERT_EQUAL(fake.twins, 0);
}

static inline struct viaduct_addr A(const char *text) {
	struct viaduct_addr a = {0};

	if (*text != '\0' && addr_parse(text, &a) < 0)
		abort();
	return a;
}

#define HERE  "192.0.2.1"
#define THERE "192.0.2.2"

static inline struct viaduct_sa
sa_request(uint8_t dir, uint32_t spi, uint32_t reqid)
{
	const bool in = dir == VIADUCT_IN;
	struct viaduct_sa r = {
		.id = {.dst = A(in ? HERE : THERE), .spi = spi},
		.src = A(in ? THERE : HERE),
		.dir = dir,
		.cipher = VIADUCT_CIPHER_AES_GCM_16,
		.reqid = reqid,
		.enc_key_len = 20,
	};

	memset(r.enc_key, 0x5a, 20);
	return r;
}

static inline struct viaduct_sa_id id_of(uint8_t dir, uint32_t spi)
{
	return (struct viaduct_sa_id){.dst = A(dir == VIADUCT_IN ? HERE : THERE), .spi = spi};
}

static inline void add(uint8_t dir, uint32_t spi, uint32_t reqid)
{
	const struct viaduct_sa r = sa_request(dir, spi, reqid);
	const int rc = sadb_add(&r, &e);

	if (rc != 0)
		printf("    %s\n", e.text);
	CU_ASSERT_EQUAL(rc, 0);
}

static inline void del(uint8_t dir, uint32_t spi)
{
	const struct viaduct_sa_id id = id_of(dir, spi);

	CU_ASSERT_EQUAL(sadb_del(&id, &e), 0);
}

static inline struct sa *find(uint8_t dir, uint32_t spi)
{
	const struct viaduct_sa_id id = id_of(dir, spi);
	struct sa_entry *s = sadb_find(&id);

	return s != NULL ? s->sa : NULL;
}

static inline struct sa *lookup_in(uint32_t spi)
{
	const struct viaduct_addr dst = A(HERE);

	return spi_lookup(spi, IP_V4, dst.bytes);
}

static inline struct vti *vti(const char *name, uint32_t reqid, uint32_t if_id, uint32_t mark)
{
	struct viaduct_vti r = {
		.fields = VIADUCT_VTI_REQID | VIADUCT_VTI_IF_ID | VIADUCT_VTI_MARK,
		.reqid = reqid,
		.if_id = if_id,
		.mark = mark,
	};
	struct vti *v = NULL;

	strcpy(r.name, name);
	if (vti_add(&r, &v, &e) != 0)
		printf("    %s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	return v;
}

static inline struct viaduct_sa_info info_of(uint8_t dir, uint32_t spi)
{
	const struct viaduct_sa_id id = id_of(dir, spi);
	struct viaduct_sa_info info = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(sadb_find(&id));
	sadb_fill_info(sadb_find(&id), &info);
	return info;
}

#endif
