/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests about virtual tunnel interfaces. */
#include "control/api/api_handlers.h"
#include "control/iface/vti.h"

int handle_VTI_ADD(struct api_client *c, const void *req, void *rep, struct err *e)
{
	struct vti *v;
	int ret = vti_add(req, &v, e);

	if (ret == 0)
		*(struct viaduct_vti *)rep = v->conf;
	return ret;
}

int handle_VTI_SET(struct api_client *c, const void *req, void *rep, struct err *e)
{
	struct vti *v;
	int ret = vti_set(req, &v, e);

	if (ret == 0)
		*(struct viaduct_vti *)rep = v->conf;
	return ret;
}

int handle_VTI_DEL(struct api_client *c, const void *req, void *rep, struct err *e)
{
	const struct viaduct_name *r = req;

	return vti_del(r->name, e);
}

int handle_VTI_DUMP(struct api_client *c, const void *req, void *rep, struct err *e)
{
	struct viaduct_vti_info info;
	int ret = 0;

	for (struct vti *v = vti_first(); v != NULL && ret == 0; v = v->hh.next) {
		info = (struct viaduct_vti_info){0};
		vti_fill_info(v, &info);
		ret = api_item(c, &info);
	}
	return ret;
}
