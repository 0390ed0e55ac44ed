/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes by hand: from the API's structures, checked, to the routing table's. */
#include "control/addr_text.h"
#include "control/iface/ifaces.h"
#include "control/routing/prefix.h"
#include "control/routing/rib.h"

#include <errno.h>

static int check_prefix(const struct viaduct_route *r, struct err *e)
{
	char text[PREFIX_TEXT_LEN];

	if (r->prefix.family != IP_V4 && r->prefix.family != IP_V6)
		return err_set(e, EINVAL, "prefix: family %u, expected 4 or 6", r->prefix.family);
	if (r->prefix_len > addr_bits(r->prefix.family))
		return err_set(e, EINVAL, "prefix_len: %u, expected at most %u", r->prefix_len,
			addr_bits(r->prefix.family));
	if (!addr_host_bits_zero(&r->prefix, r->prefix_len))
		return err_set(e, EINVAL, "prefix: %s has bits set beyond its length",
			prefix_text(&r->prefix, r->prefix_len, text));
	return 0;
}

static int check_type(const struct viaduct_route *r, struct err *e)
{
	bool leads = r->dev[0] != '\0' || r->gateway.family != IP_NONE;

	switch (r->type) {
	case VIADUCT_ROUTE_UNICAST:
		if (!leads)
			return err_set(e, EINVAL, "dev, gateway: expected at least one of them");
		return 0;
	case VIADUCT_ROUTE_BLACKHOLE:
	case VIADUCT_ROUTE_UNREACHABLE:
	case VIADUCT_ROUTE_PROHIBIT:
		if (leads)
			return err_set(
				e, EINVAL, "dev, gateway: a route that drops packets has neither");
		return 0;
	default:
		return err_set(e, EINVAL,
			"type: %u, expected unicast, blackhole, unreachable or prohibit", r->type);
	}
}

static int check_gateway(const struct viaduct_route *r, const struct iface *iface, struct err *e)
{
	struct addr gw = addr_from_api(&r->gateway);
	char text[ADDR_TEXT_LEN];

	if (r->gateway.family == IP_NONE)
		return 0;
	if (r->gateway.family != r->prefix.family)
		return err_set(e, EINVAL, "gateway: family %u, expected the prefix's, %u",
			r->gateway.family, r->prefix.family);
	if (iface == NULL && gw.family == IP_V6 && gw.v6[0] == 0xfe && (gw.v6[1] & 0xc0) == 0x80)
		return err_set(e, EINVAL, "gateway: %s is link-local, expected dev as well",
			addr_text(&r->gateway, text));
	return 0;
}

static int convert(const struct viaduct_route *r, struct rib_route *out, struct err *e)
{
	char name[VIADUCT_NAME_LEN + 1] = {0};
	int rc = check_prefix(r, e);

	if (rc != 0)
		return rc;
	*out = (struct rib_route){
		.prefix = addr_from_api(&r->prefix),
		.prefix_len = r->prefix_len,
		.type = r->type,
		.origin = r->origin,
		.protocol = r->protocol,
		.metric = r->metric,
		.gateway = addr_from_api(&r->gateway),
	};
	memcpy(name, r->dev, sizeof(r->dev));
	if (name[0] != '\0')
		out->iface = iface_by_name(name);
	if (name[0] != '\0' && out->iface == NULL)
		return err_set(e, ENODEV, "dev: no port or VTI is named \"%s\"", name);
	return 0;
}

bool route_given(const struct viaduct_route *r, unsigned origin, struct viaduct_route *out)
{
	const struct rib_route key = {.prefix = addr_from_api(&r->prefix),
		.prefix_len = r->prefix_len,
		.origin = origin,
		.metric = r->metric};
	struct rib_route is;

	if (!rib_get(&key, &is))
		return false;
	*out = (struct viaduct_route){.prefix = r->prefix,
		.prefix_len = r->prefix_len,
		.type = is.type,
		.origin = origin,
		.metric = r->metric,
		.protocol = is.protocol,
		.gateway = addr_to_api(&is.gateway)};
	if (is.iface != NULL)
		memcpy(out->dev, is.iface->name, sizeof(out->dev));
	return true;
}

int route_add(const struct viaduct_route *r, struct err *e)
{
	struct rib_route route;
	int rc = convert(r, &route, e);

	if (rc == 0)
		rc = check_type(r, e);
	if (rc == 0)
		rc = check_gateway(r, route.iface, e);
	return rc == 0 ? rib_add(&route, e) : rc;
}

/* Who deletes a prefix's route says that its packets may go another way. */
static struct rib_route guard_key(const struct rib_route *r)
{
	return (struct rib_route){
		.prefix = r->prefix, .prefix_len = r->prefix_len, .origin = VIADUCT_ORIGIN_GUARD};
}

int route_del(const struct viaduct_route *r, struct err *e)
{
	struct rib_route route;
	int rc = convert(r, &route, e);

	if (rc != 0)
		return rc;
	if (route.metric == 0)
		rib_lowest_metric(&route.prefix, route.prefix_len, route.origin, &route.metric);
	rc = rib_del(&route, e);
	if (rc == -ENOENT) {
		const struct rib_route guard = guard_key(&route);

		rc = rib_del(&guard, NULL) == 0 ? 0 : rc;
	}
	return rc;
}

bool route_replaces(const struct viaduct_route *r, struct rib_route *old)
{
	struct rib_route key;

	if (convert(r, &key, NULL) != 0)
		return false;
	key.gateway = (struct addr){0};
	key.iface = NULL;
	return rib_get(&key, old);
}

bool route_deletes(const struct viaduct_route *r, struct rib_route *old)
{
	struct rib_route key;

	if (convert(r, &key, NULL) != 0)
		return false;
	if (key.metric == 0)
		rib_lowest_metric(&key.prefix, key.prefix_len, key.origin, &key.metric);
	if (rib_get(&key, old))
		return true;
	key = guard_key(&key);
	return rib_get(&key, old);
}
