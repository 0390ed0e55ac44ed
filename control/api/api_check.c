/* SPDX-License-Identifier: BSD-3-Clause */
/* Are a request's bytes a request? Run before any handler sees it. */
#include "control/addr_text.h"
#include "control/api/api_handlers.h"
#include "control/iface/iface_name.h"

#include <ctype.h>
#include <errno.h>

#define REPLAY_MAX 4096

/* Terminated within its array, and nothing that would upset a terminal or a log. */
static int text(const char *s, size_t size, const char *field, struct err *e)
{
	if (memchr(s, '\0', size) == NULL)
		return err_set(e, EINVAL, "%s is not terminated within %zu bytes", field, size);
	for (; *s != '\0'; s++) {
		if (iscntrl((unsigned char)*s))
			return err_set(e, EINVAL, "%s holds control character %#x", field,
				(unsigned char)*s);
	}
	return 0;
}

static int iface_name(const char *s, const char *field, struct err *e)
{
	int ret = text(s, VIADUCT_NAME_LEN, field, e);

	if (ret == 0 && !iface_name_valid(s))
		return err_set(e, EINVAL,
			"%s \"%s\" is no interface name: 1 to 15 characters, no '/', no space",
			field, s);
	return ret;
}

static int zero(const void *p, size_t n, const char *field, struct err *e)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++) {
		if (b[i] != 0)
			return err_set(e, EINVAL, "reserved bytes of %s are not zero", field);
	}
	return 0;
}

/* An address or none; what its family leaves over is zero, so that equal addresses are equal
 * bytes. */
static int address(const struct viaduct_addr *a, const char *field, struct err *e)
{
	const unsigned used = a->family == 0 ? 0 : addr_len(a->family);
	int ret;

	if (a->family != IP_NONE && a->family != IP_V4 && a->family != IP_V6)
		return err_set(e, EINVAL, "%s has family %u, expected 4, 6 or 0 for none", field,
			a->family);
	ret = zero(a->reserved, sizeof(a->reserved), field, e);
	if (ret == 0)
		ret = zero(a->bytes + used, sizeof(a->bytes) - used, field, e);
	return ret;
}

static int address_given(const struct viaduct_addr *a, const char *field, struct err *e)
{
	int ret = address(a, field, e);

	if (ret == 0 && a->family == IP_NONE)
		return err_set(e, EINVAL, "%s is missing", field);
	return ret;
}

static int pair(const struct viaduct_addr *src, const struct viaduct_addr *dst, struct err *e)
{
	if (src->family != IP_NONE && dst->family != IP_NONE && src->family != dst->family)
		return err_set(e, EINVAL, "addresses of two families: IPv%u and IPv%u", src->family,
			dst->family);
	return 0;
}

static int range(uint64_t value, uint64_t min, uint64_t max, const char *field, struct err *e)
{
	if (value < min || value > max)
		return err_set(e, EINVAL, "%s is %llu, expected %llu to %llu", field,
			(unsigned long long)value, (unsigned long long)min,
			(unsigned long long)max);
	return 0;
}

static int bits(uint32_t value, uint32_t known, const char *field, struct err *e)
{
	if (value & ~known)
		return err_set(e, EINVAL, "%s has unknown bits %#x", field, value & ~known);
	return 0;
}

static int selector(const struct viaduct_selector *s, struct err *e)
{
	const unsigned used = addr_len(s->family);
	const struct {
		const char *name;
		const uint8_t (*addr)[16];
		const uint16_t *port;
	} ends[] = {{"selector source", s->src, s->src_port},
		{"selector destination", s->dst, s->dst_port}};

	if (s->family != IP_V4 && s->family != IP_V6)
		return err_set(e, EINVAL, "selector has family %u, expected 4 or 6", s->family);
	if (zero(s->reserved, sizeof(s->reserved), "selector", e) < 0)
		return -EINVAL;
	for (unsigned i = 0; i < 2; i++) {
		if (memcmp(ends[i].addr[0], ends[i].addr[1], used) > 0)
			return err_set(
				e, EINVAL, "%s: first address is above the last", ends[i].name);
		if (ends[i].port[0] > ends[i].port[1])
			return err_set(e, EINVAL, "%s: first port %u is above the last, %u",
				ends[i].name, ends[i].port[0], ends[i].port[1]);
		if (zero(ends[i].addr[0] + used, 16 - used, ends[i].name, e) < 0 ||
			zero(ends[i].addr[1] + used, 16 - used, ends[i].name, e) < 0)
			return -EINVAL;
	}
	return 0;
}

int check_viaduct_none(const void *req, struct err *e)
{
	return 0;
}

int check_viaduct_hello(const void *req, struct err *e)
{
	const struct viaduct_hello *r = req;

	return text(r->name, sizeof(r->name), "name", e);
}

int check_viaduct_subscribe(const void *req, struct err *e)
{
	const struct viaduct_subscribe *r = req;

	return bits(r->mask, (VIADUCT_SUB_DROPS << 1) - 1, "mask", e);
}

int check_viaduct_snapshot(const void *req, struct err *e)
{
	const struct viaduct_snapshot *r = req;
	int ret = bits(r->kinds, (VIADUCT_SNAPSHOT_ROUTES << 1) - 1, "kinds", e);

	return ret != 0 ? ret : zero(&r->reserved, sizeof(r->reserved), "snapshot", e);
}

int check_viaduct_vti(const void *req, struct err *e)
{
	const struct viaduct_vti *r = req;
	int ret = iface_name(r->name, "name", e);

	if (ret == 0)
		ret = bits(r->fields, (VIADUCT_VTI_RPF << 1) - 1, "fields", e);
	if (ret == 0 && r->fields & VIADUCT_VTI_LOCAL)
		ret = address(&r->local, "local", e);
	if (ret == 0 && r->fields & VIADUCT_VTI_REMOTE)
		ret = address(&r->remote, "remote", e);
	if (ret == 0 && r->fields & VIADUCT_VTI_LOCAL && r->fields & VIADUCT_VTI_REMOTE)
		ret = pair(&r->local, &r->remote, e);
	if (ret == 0 && r->fields & VIADUCT_VTI_MTU)
		ret = range(r->mtu, 0, 65535, "mtu", e);
	if (ret == 0 && r->fields & VIADUCT_VTI_ADMIN)
		ret = range(r->admin_up, 0, 1, "admin_up", e);
	if (ret == 0 && r->fields & VIADUCT_VTI_PARALLEL)
		ret = range(r->parallel, 0, 1, "parallel", e);
	if (ret == 0 && r->fields & VIADUCT_VTI_DESCRIPTION)
		ret = text(r->description, sizeof(r->description), "description", e);
	return ret;
}

int check_viaduct_name(const void *req, struct err *e)
{
	const struct viaduct_name *r = req;

	return iface_name(r->name, "name", e);
}

int check_viaduct_spi_alloc(const void *req, struct err *e)
{
	const struct viaduct_spi_alloc *r = req;
	int ret = address(&r->src, "src", e);

	if (ret == 0)
		ret = address_given(&r->dst, "dst", e);
	if (ret == 0)
		ret = pair(&r->src, &r->dst, e);
	if (ret == 0 && r->min > r->max)
		return err_set(e, EINVAL, "min %u is above max %u", r->min, r->max);
	return ret;
}

static int sa_id(const struct viaduct_sa_id *id, struct err *e)
{
	int ret = address_given(&id->dst, "dst", e);

	/* 0 is for local use and 1 to 255 are reserved by IANA (RFC 4303 2.1). */
	if (ret == 0)
		ret = range(id->spi, 256, UINT32_MAX, "spi", e);
	return ret != 0 ? ret : zero(&id->reserved, sizeof(id->reserved), "SA id", e);
}

int check_viaduct_sa_id(const void *req, struct err *e)
{
	return sa_id(req, e);
}

static int sa_encap(const struct viaduct_sa *r, struct err *e)
{
	if (r->flags & VIADUCT_SA_ENCAP)
		return r->sport != 0 && r->dport != 0
			? 0
			: err_set(e, EINVAL, "encapsulation with port 0 (sport %u, dport %u)",
				  r->sport, r->dport);
	if (r->sport != 0 || r->dport != 0)
		return err_set(e, EINVAL, "sport %u, dport %u without the encapsulation flag",
			r->sport, r->dport);
	return 0;
}

int check_viaduct_sa(const void *req, struct err *e)
{
	const struct viaduct_sa *r = req;
	int ret = sa_id(&r->id, e);

	if (ret == 0)
		ret = address_given(&r->src, "src", e);
	if (ret == 0)
		ret = pair(&r->src, &r->id.dst, e);
	if (ret == 0)
		ret = range(r->dir, VIADUCT_IN, VIADUCT_OUT, "dir", e);
	if (ret == 0)
		ret = range(r->cipher, VIADUCT_CIPHER_NULL, VIADUCT_CIPHER_AES_GMAC, "cipher", e);
	if (ret == 0)
		ret = range(r->auth, VIADUCT_AUTH_NONE, VIADUCT_AUTH_HMAC_SHA2_512_256, "auth", e);
	if (ret == 0)
		ret = bits(
			r->flags, ((VIADUCT_SA_NO_REPLAY << 1) - 1) | VIADUCT_SA_IKE, "flags", e);
	if (ret == 0)
		ret = sa_encap(r, e);
	if (ret == 0)
		ret = range(r->replay_window, 0, REPLAY_MAX, "replay_window", e);
	if (ret == 0)
		ret = range(r->enc_key_len, 0, sizeof(r->enc_key), "enc_key_len", e);
	if (ret == 0)
		ret = range(r->auth_key_len, 0, sizeof(r->auth_key), "auth_key_len", e);
	if (ret == 0)
		ret = zero(&r->reserved, sizeof(r->reserved), "SA", e);
	if (ret == 0)
		ret = range(r->n_selectors, 0, VIADUCT_SELECTORS_MAX, "n_selectors", e);
	for (unsigned i = 0; ret == 0 && i < r->n_selectors; i++)
		ret = selector(&r->selectors[i], e);
	return ret;
}

int check_viaduct_sa_update(const void *req, struct err *e)
{
	const struct viaduct_sa_update *r = req;
	int ret = sa_id(&r->id, e);

	if (ret == 0)
		ret = address_given(&r->new_src, "new_src", e);
	if (ret == 0)
		ret = address_given(&r->new_dst, "new_dst", e);
	if (ret == 0)
		ret = pair(&r->new_src, &r->new_dst, e);
	if (ret == 0)
		ret = range(r->encap, 0, 1, "encap", e);
	if (ret == 0 && r->encap && (r->new_sport == 0 || r->new_dport == 0))
		ret = err_set(e, EINVAL, "encapsulation with port 0 (sport %u, dport %u)",
			r->new_sport, r->new_dport);
	return ret != 0 ? ret : zero(&r->reserved, sizeof(r->reserved), "SA update", e);
}

int check_viaduct_policy(const void *req, struct err *e)
{
	const struct viaduct_policy *r = req;
	int ret = range(r->dir, VIADUCT_IN, VIADUCT_OUT, "dir", e);

	if (ret == 0)
		ret = zero(r->reserved, sizeof(r->reserved), "policy", e);
	if (ret == 0)
		ret = address(&r->src, "src", e);
	if (ret == 0)
		ret = address(&r->dst, "dst", e);
	return ret != 0 ? ret : selector(&r->selector, e);
}

static bool route_type_known(unsigned type)
{
	switch (type) {
	case VIADUCT_ROUTE_UNICAST:
	case VIADUCT_ROUTE_LOCAL:
	case VIADUCT_ROUTE_BLACKHOLE:
	case VIADUCT_ROUTE_UNREACHABLE:
	case VIADUCT_ROUTE_PROHIBIT:
		return true;
	}
	return false;
}

int check_viaduct_route(const void *req, struct err *e)
{
	const struct viaduct_route *r = req;
	char buf[PREFIX_TEXT_LEN];
	int ret = address_given(&r->prefix, "prefix", e);

	if (ret == 0)
		ret = range(r->prefix_len, 0, addr_bits(r->prefix.family), "prefix_len", e);
	if (ret == 0 && !addr_host_bits_zero(&r->prefix, r->prefix_len))
		ret = err_set(e, EINVAL, "prefix %s has bits set beyond its length",
			prefix_text(&r->prefix, r->prefix_len, buf));
	if (ret == 0 && !route_type_known(r->type))
		ret = err_set(e, EINVAL, "route type %u is unknown", r->type);
	if (ret == 0)
		ret = address(&r->gateway, "gateway", e);
	if (ret == 0 && r->dev[0] != '\0')
		ret = iface_name(r->dev, "dev", e);
	return ret;
}

int check_viaduct_route_lookup(const void *req, struct err *e)
{
	const struct viaduct_route_lookup *r = req;

	return address_given(&r->dst, "dst", e);
}

int check_viaduct_reload(const void *req, struct err *e)
{
	const struct viaduct_reload *r = req;
	int ret = bits(r->flags, VIADUCT_RELOAD_DRY_RUN, "flags", e);

	return ret != 0 ? ret : zero(&r->reserved, sizeof(r->reserved), "reload", e);
}
