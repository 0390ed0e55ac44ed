/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests about security associations and policies. */
#include "control/addr_text.h"
#include "control/api/api_handlers.h"
#include "control/sa/sadb.h"

#include <errno.h>

int handle_SPI_ALLOC(struct api_client *c, const void *req, void *rep, struct err *e)
{
	struct viaduct_spi *spi = rep;

	return sadb_alloc_spi(req, &spi->spi, e);
}

/* The request carries keys: whoever called wipes it. */
int handle_SA_ADD(struct api_client *c, const void *req, void *rep, struct err *e)
{
	return sadb_add(req, e);
}

int handle_SA_DEL(struct api_client *c, const void *req, void *rep, struct err *e)
{
	return sadb_del(req, e);
}

int handle_SA_GET(struct api_client *c, const void *req, void *rep, struct err *e)
{
	const struct viaduct_sa_id *id = req;
	const struct sa_entry *s = sadb_find(id);
	char buf[ADDR_TEXT_LEN];

	if (s == NULL)
		return err_set(
			e, ENOENT, "no SA with spi %u to %s", id->spi, addr_text(&id->dst, buf));
	sadb_fill_info(s, rep);
	return 0;
}

int handle_SA_DUMP(struct api_client *c, const void *req, void *rep, struct err *e)
{
	struct viaduct_sa_info info;
	int ret = 0;

	for (struct sa_entry *s = sadb_first(); s != NULL && ret == 0; s = s->hh.next) {
		info = (struct viaduct_sa_info){0};
		sadb_fill_info(s, &info);
		ret = api_item(c, &info);
	}
	return ret;
}

int handle_SA_FLUSH(struct api_client *c, const void *req, void *rep, struct err *e)
{
	sadb_flush();
	return 0;
}

int handle_SA_UPDATE(struct api_client *c, const void *req, void *rep, struct err *e)
{
	return sadb_update(req, e);
}

int handle_POLICY_ADD(struct api_client *c, const void *req, void *rep, struct err *e)
{
	return policy_add(req, e);
}

int handle_POLICY_DEL(struct api_client *c, const void *req, void *rep, struct err *e)
{
	return policy_del(req, e);
}

static int policy_item(const struct viaduct_policy *p, void *client)
{
	return api_item(client, p);
}

int handle_POLICY_DUMP(struct api_client *c, const void *req, void *rep, struct err *e)
{
	return policy_each(policy_item, c);
}

int handle_POLICY_FLUSH(struct api_client *c, const void *req, void *rep, struct err *e)
{
	policy_flush();
	return 0;
}
