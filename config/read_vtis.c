/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/tables.h"
#include "config/value.h"
#include "control/api/vti_choices.h"

#include <string.h>

/* Reads into struct viaduct_vti, noting in `fields` what the file gave. */
static int read_local(struct reader *r, const config_setting_t *s, void *vti)
{
	struct viaduct_vti *v = vti;

	v->fields |= VIADUCT_VTI_LOCAL;
	return value_addr(r, s, &v->local, true);
}

static int read_remote(struct reader *r, const config_setting_t *s, void *vti)
{
	struct viaduct_vti *v = vti;

	v->fields |= VIADUCT_VTI_REMOTE;
	return value_addr(r, s, &v->remote, true);
}

static int read_mark(struct reader *r, const config_setting_t *s, void *vti)
{
	struct viaduct_vti *v = vti;

	v->fields |= VIADUCT_VTI_MARK;
	return value_mark(r, s, &v->mark, &v->mark_mask);
}

static int read_mtu(struct reader *r, const config_setting_t *s, void *vti)
{
	struct viaduct_vti *v = vti;
	const int64_t mtu = value_int(s);

	if (!value_is_int(s) || (mtu != 0 && (mtu < 68 || mtu > 65535)))
		return setting_wrong(r, s, "a number from 68 to 65535, or 0 to compute it");
	v->fields |= VIADUCT_VTI_MTU;
	v->mtu = mtu;
	return 0;
}

static int read_up(struct reader *r, const config_setting_t *s, void *vti)
{
	struct viaduct_vti *v = vti;

	if (config_setting_type(s) != CONFIG_TYPE_BOOL)
		return setting_wrong(r, s, "true or false");
	v->admin_up = config_setting_get_bool(s);
	return 0;
}

static int read_parallel(struct reader *r, const config_setting_t *s, void *vti)
{
	struct viaduct_vti *v = vti;

	if (config_setting_type(s) != CONFIG_TYPE_BOOL)
		return setting_wrong(r, s, "true or false");
	v->fields |= VIADUCT_VTI_PARALLEL;
	v->parallel = config_setting_get_bool(s);
	return 0;
}

static void write_local(const void *vti, char *buf, size_t size)
{
	write_addr(&((const struct viaduct_vti *)vti)->local, buf, size);
}

static void write_remote(const void *vti, char *buf, size_t size)
{
	write_addr(&((const struct viaduct_vti *)vti)->remote, buf, size);
}

static void write_vti_mark(const void *vti, char *buf, size_t size)
{
	const struct viaduct_vti *v = vti;

	write_mark(v->mark, v->mark_mask, buf, size);
}

static void write_mtu(const void *vti, char *buf, size_t size)
{
	snprintf(buf, size, "%u", ((const struct viaduct_vti *)vti)->mtu);
}

static void write_up(const void *vti, char *buf, size_t size)
{
	snprintf(buf, size, "%s", ((const struct viaduct_vti *)vti)->admin_up ? "true" : "false");
}

static void write_parallel(const void *vti, char *buf, size_t size)
{
	snprintf(buf, size, "%s", ((const struct viaduct_vti *)vti)->parallel ? "true" : "false");
}

const struct setting vti_settings[] = {
	{"name", SETTING_TEXT, true, SETTING_FIELD(struct viaduct_vti, name),
		.expects = "an interface name", .help = "Name of the VTI and of its TUN device."},
	{"local", SETTING_OWN, .def_text = "\"any\"", .expects = "an address",
		.help = "Outer address of this side, IPv4 or IPv6. \"any\": the SA decides.",
		.read = read_local, .write = write_local},
	{"remote", SETTING_OWN, .def_text = "\"any\"", .expects = "an address",
		.help = "Outer address of the peer. \"any\": the SA decides.", .read = read_remote,
		.write = write_remote},
	{"reqid", SETTING_UINT, SETTING_FIELD(struct viaduct_vti, reqid), .max = UINT32_MAX,
		.help = "Binds the SAs with this reqid. 0: a number that is free, from 16384 up."},
	{"if_id", SETTING_UINT, SETTING_FIELD(struct viaduct_vti, if_id), .max = UINT32_MAX,
		.help = "Binds the SAs with this if_id, as Linux xfrmi does. 0: none."},
	{"mark", SETTING_OWN, .def_text = "0", .expects = "a mark",
		.help = "Binds the SAs with this mark, as Linux vti does: 12 or \"12/0xff\". 0: "
			"none.",
		.read = read_mark, .write = write_vti_mark},
	{"mtu", SETTING_OWN, .def_text = "0", .expects = "an MTU",
		.help = "Largest inner packet in bytes. 0: computed from the path's MTU and the "
			"SA's overhead.",
		.read = read_mtu, .write = write_mtu},
	{"description", SETTING_TEXT, SETTING_FIELD(struct viaduct_vti, description),
		.def_text = "", .expects = "a text", .help = "For people."},
	{"up", SETTING_OWN, .def_text = "true", .expects = "true or false",
		.help = "Set the interface up at start.", .read = read_up, .write = write_up},
	{"parallel", SETTING_OWN, .def_text = "false", .expects = "true or false",
		.help = "Every worker sends, not one. Only for a peer with a replay window of 1024 "
			"or more.",
		.read = read_parallel, .write = write_parallel},
	{"mss", SETTING_CHOICE, .choice = &vti_choices[VTI_MSS],
		.help = "Largest TCP segment that connections through it agree on. auto: what "
			"fits the MTU."},
	{"fragment", SETTING_CHOICE, .choice = &vti_choices[VTI_FRAGMENT],
		.help = "What is larger than the MTU and may be fragmented: before or after "
			"encryption."},
	{"df", SETTING_CHOICE, .choice = &vti_choices[VTI_DF],
		.help = "Outer DF bit. sa: as the SA says (strongSwan: copy_df of the child)."},
	{"dscp", SETTING_CHOICE, .choice = &vti_choices[VTI_DSCP],
		.help = "Outer DSCP: the inner one, always the same, or a map (others stay). sa: "
			"as the SA says (strongSwan: copy_dscp)."},
	{"ecn", SETTING_CHOICE, .choice = &vti_choices[VTI_ECN],
		.help = "Congestion marks in and out of the tunnel (RFC 6040). sa: as the SA says "
			"(strongSwan: copy_ecn)."},
	{"ttl", SETTING_CHOICE, .choice = &vti_choices[VTI_TTL],
		.help = "Outer TTL or hop limit. copy: the inner one."},
	{"flow_label", SETTING_CHOICE, .choice = &vti_choices[VTI_FLOW_LABEL],
		.help = "Outer IPv6 flow label: a hash of the inner flow (RFC 6438), the inner "
			"one, or 0."},
	{"rpf", SETTING_CHOICE, .choice = &vti_choices[VTI_RPF],
		.help = "What comes in needs a route back to its source. strict: by this "
			"interface."},
	{.type = SETTING_END},
};

/* The fields that need no function of their own. */
static void note_fields(const config_setting_t *s, struct viaduct_vti *v)
{
	if (config_setting_get_member(s, "reqid") != NULL)
		v->fields |= VIADUCT_VTI_REQID;
	if (config_setting_get_member(s, "if_id") != NULL)
		v->fields |= VIADUCT_VTI_IF_ID;
	if (config_setting_get_member(s, "description") != NULL)
		v->fields |= VIADUCT_VTI_DESCRIPTION;
	for (unsigned i = 0; i < VTI_CHOICES; i++) {
		if (config_setting_get_member(s, vti_choices[i].name) != NULL)
			v->fields |= vti_choice_field(i);
	}
	v->fields |= VIADUCT_VTI_ADMIN;
}

static bool same_addr(const struct viaduct_addr *a, const struct viaduct_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* What tells a VTI's SAs from another's: as vti_add() sees it. */
static bool same_key(const struct viaduct_vti *a, const struct viaduct_vti *b)
{
	const bool keyed = a->if_id != 0 || a->mark != 0;

	return a->if_id == b->if_id && a->mark == b->mark && a->mark_mask == b->mark_mask &&
		a->reqid == b->reqid && (a->reqid != 0 || keyed) &&
		same_addr(&a->local, &b->local) && same_addr(&a->remote, &b->remote);
}

static int check_vti(struct reader *r, const config_setting_t *s, const struct config *c,
	const struct viaduct_vti *v)
{
	const config_setting_t *remote = setting_member(s, "remote");

	if (check_iface_name(r, s, c, v->name) < 0)
		return -1;
	if (v->local.family != 0 && v->remote.family != 0 && v->local.family != v->remote.family)
		return setting_wrong(r, remote, "an address of the same family as local");
	if (v->local.family != 0 && same_addr(&v->local, &v->remote))
		return setting_wrong(r, remote, "another address than local");
	for (unsigned i = 0; i < c->n_vtis; i++) {
		if (same_key(v, &c->vtis[i]))
			return setting_error(r, s,
				"same local, remote, if_id, mark and reqid as %s; expected one of "
				"them to differ",
				c->vtis[i].name);
	}
	return 0;
}

void vti_default(struct viaduct_vti *v)
{
	memset(v, 0, sizeof(*v));
	settings_default(vti_settings, v);
	v->admin_up = 1;
}

int read_vti(struct reader *r, const config_setting_t *s, void *config)
{
	struct config *c = config;
	struct viaduct_vti *v = &c->vtis[c->n_vtis];

	vti_default(v);
	if (settings_read(r, s, vti_settings, v) < 0)
		return -1;
	note_fields(s, v);
	if (check_vti(r, s, c, v) < 0)
		return -1;
	c->n_vtis++;
	return 0;
}
