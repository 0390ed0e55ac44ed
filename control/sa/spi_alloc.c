/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/sa/spi_alloc.h"
#include "control/addr_text.h"
#include "control/daemon.h"
#include "control/sa/early.h"
#include "control/sa/sadb.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define KEEP_NS (180ull * 1000 * 1000 * 1000)

/* Left alone by automatic choice: small SPIs are for people. */
#define SPI_AUTO_MIN 0x10000000u
#define SPI_MIN      256u /* RFC 4303 2.1 */

/* After so many draws from a range without a free one, it is searched from end to end. */
#define DRAWS 64

struct reservation {
	struct viaduct_sa_id id;
	uint64_t until_ns;
	UT_hash_handle hh; /* by id; in the order they were made, hence of expiry */
};

static struct reservation *reservations;

static struct reservation *find(const struct viaduct_sa_id *id)
{
	struct reservation *r;

	HASH_FIND(hh, reservations, id, sizeof(*id), r);
	return r;
}

static void drop(struct reservation *r)
{
	HASH_DEL(reservations, r);
	free(r);
}

void spi_release(const struct viaduct_sa_id *id)
{
	struct reservation *r = find(id);

	if (r != NULL)
		drop(r);
}

uint64_t spi_kept_until(const struct viaduct_sa_id *id)
{
	const struct reservation *r = find(id);

	return r != NULL ? r->until_ns : 0;
}

void spi_keep(const struct viaduct_sa_id *id, uint64_t until_ns)
{
	struct reservation *r = find(id) == NULL ? calloc(1, sizeof(*r)) : NULL;

	if (r == NULL)
		return;
	r->id = *id;
	r->until_ns = until_ns;
	HASH_ADD(hh, reservations, id, sizeof(r->id), r);
}

void spi_alloc_tick(uint64_t now_ns)
{
	while (reservations != NULL && reservations->until_ns <= now_ns)
		drop(reservations);
}

unsigned spi_reserved_count(void)
{
	return HASH_COUNT(reservations);
}

void spi_alloc_fini(void)
{
	spi_alloc_tick(UINT64_MAX);
}

static bool is_free(const struct viaduct_sa_id *id)
{
	return sadb_find(id) == NULL && find(id) == NULL;
}

/* Unpredictable, so that an off-path attacker cannot guess it; evenly spread over min to max. */
static int draw(uint32_t min, uint32_t max, uint32_t *spi)
{
	uint64_t r;

	if (getrandom(&r, sizeof(r), 0) != sizeof(r))
		return -errno;
	*spi = min + r % ((uint64_t)max - min + 1);
	return 0;
}

/* 0 with id->spi set; -ENOENT: none free. */
static int choose(uint32_t min, uint32_t max, struct viaduct_sa_id *id)
{
	const uint64_t size = (uint64_t)max - min + 1;
	uint32_t start;
	int rc;

	for (unsigned i = 0; i < DRAWS; i++) {
		rc = draw(min, max, &id->spi);
		if (rc < 0)
			return rc;
		if (is_free(id))
			return 0;
	}
	start = id->spi;
	/* More would have to be taken than there can be entries: so large a range has a free one. */
	for (uint64_t i = 1; i < size; i++) {
		id->spi = min + (start - min + i) % size;
		if (is_free(id))
			return 0;
	}
	return -ENOENT;
}

static int check(const struct viaduct_spi_alloc *req, struct err *e)
{
	if (req->dst.family != IP_V4 && req->dst.family != IP_V6)
		return err_set(e, EINVAL,
			"dst: address family %u; expected an IPv4 or IPv6 address",
			req->dst.family);
	if (req->min == 0 && req->max == 0)
		return 0;
	if (req->min < SPI_MIN)
		return err_set(e, EINVAL, "min: %u; expected 256 or more (RFC 4303 2.1)", req->min);
	if (req->max < req->min)
		return err_set(e, EINVAL, "max: %u; expected at least min, %u", req->max, req->min);
	return 0;
}

int sadb_alloc_spi(const struct viaduct_spi_alloc *req, uint32_t *spi, struct err *e)
{
	const bool any = req->min == 0 && req->max == 0;
	const uint32_t min = any ? SPI_AUTO_MIN : req->min, max = any ? UINT32_MAX : req->max;
	const struct addr dst = addr_from_api(&req->dst);
	struct reservation *r;
	int rc;

	rc = check(req, e);
	if (rc < 0)
		return rc;
	spi_alloc_tick(monotonic_ns());
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_set(e, ENOMEM, "no memory to keep an SPI aside");
	r->id.dst = addr_to_api(&dst);
	rc = choose(min, max, &r->id);
	if (rc < 0) {
		free(r);
		return rc == -ENOENT
			? err_set(e, ENOSPC, "min: all SPIs from 0x%08x to 0x%08x are taken", min,
				  max)
			: err_set(e, -rc, "no random number for an SPI");
	}
	r->until_ns = monotonic_ns() + KEEP_NS;
	*spi = r->id.spi;
	HASH_ADD(hh, reservations, id, sizeof(r->id), r);
	early_expect();
	return 0;
}
