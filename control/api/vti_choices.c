/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/api/vti_choices.h"

#include <assert.h>
#include <string.h>

const struct word mss_words[] = {{"auto", VIADUCT_MSS_AUTO}, {"off", VIADUCT_MSS_OFF}, {0}};
const struct word fragment_words[] = {
	{"before", VIADUCT_FRAGMENT_BEFORE}, {"after", VIADUCT_FRAGMENT_AFTER}, {0}};
const struct word df_words[] = {{"sa", VIADUCT_DF_SA}, {"copy", VIADUCT_DF_COPY},
	{"set", VIADUCT_DF_SET}, {"clear", VIADUCT_DF_CLEAR}, {0}};
const struct word dscp_words[] = {{"sa", VIADUCT_DSCP_SA}, {"copy", VIADUCT_DSCP_COPY}, {0}};
const struct word ecn_words[] = {
	{"sa", VIADUCT_ECN_SA}, {"true", VIADUCT_ECN_TRUE}, {"false", VIADUCT_ECN_FALSE}, {0}};
const struct word ttl_words[] = {{"copy", VIADUCT_TTL_COPY}, {0}};
const struct word flow_label_words[] = {{"hash", VIADUCT_FLOW_LABEL_HASH},
	{"copy", VIADUCT_FLOW_LABEL_COPY}, {"zero", VIADUCT_FLOW_LABEL_ZERO}, {0}};
const struct word rpf_words[] = {{"off", VIADUCT_RPF_OFF}, {"loose", VIADUCT_RPF_LOOSE},
	{"strict", VIADUCT_RPF_STRICT}, {0}};

#define FIELD(field) CHOICE_FIELD(struct viaduct_vti, field)

const struct choice vti_choices[VTI_CHOICES] = {
	[VTI_MSS] = {"mss", mss_words, .min = 88, .max = 65535,
		.expects = "auto, off, or a number from 88 to 65535", FIELD(mss)},
	[VTI_FRAGMENT] = {"fragment", fragment_words, .expects = "before or after",
		FIELD(fragment)},
	[VTI_DF] = {"df", df_words, .expects = "sa, copy, set or clear", FIELD(df)},
	[VTI_DSCP] = {"dscp", dscp_words, .max = 63, .base = VIADUCT_DSCP_VALUE,
		.expects = "sa, copy, a number from 0 to 63, or a map such as 46:34,8-15:0",
		.read = dscp_map_read, .write = dscp_map_write, .valid = dscp_map_valid,
		FIELD(dscp)},
	[VTI_ECN] = {"ecn", ecn_words, .expects = "sa, true or false", FIELD(ecn)},
	[VTI_TTL] = {"ttl", ttl_words, .def = 64, .min = 1, .max = 255,
		.expects = "copy, or a number from 1 to 255", FIELD(ttl)},
	[VTI_FLOW_LABEL] = {"flow_label", flow_label_words, .expects = "hash, copy or zero",
		FIELD(flow_label)},
	[VTI_RPF] = {"rpf", rpf_words, .expects = "off, loose or strict", FIELD(rpf)},
};

static_assert(VIADUCT_VTI_MSS << VTI_DF == VIADUCT_VTI_DF &&
		VIADUCT_VTI_MSS << VTI_TTL == VIADUCT_VTI_TTL &&
		VIADUCT_VTI_MSS << VTI_RPF == VIADUCT_VTI_RPF,
	"the bits are in the table's order");

const struct choice *vti_choice(const char *name)
{
	for (unsigned i = 0; i < VTI_CHOICES; i++) {
		if (strcmp(vti_choices[i].name, name) == 0)
			return &vti_choices[i];
	}
	return NULL;
}

void vti_choice_copy(unsigned i, struct viaduct_vti *to, const struct viaduct_vti *from)
{
	choice_set(&vti_choices[i], to, choice_get(&vti_choices[i], from));
	if (i == VTI_DSCP && from->dscp == VIADUCT_DSCP_MAP)
		memcpy(to->dscp_map, from->dscp_map, sizeof(to->dscp_map));
	else if (i == VTI_DSCP) /* one spelling for each meaning */
		memset(to->dscp_map, 0, sizeof(to->dscp_map));
}

bool vti_choice_equal(unsigned i, const struct viaduct_vti *a, const struct viaduct_vti *b)
{
	if (choice_get(&vti_choices[i], a) != choice_get(&vti_choices[i], b))
		return false;
	return i != VTI_DSCP || a->dscp != VIADUCT_DSCP_MAP ||
		memcmp(a->dscp_map, b->dscp_map, sizeof(a->dscp_map)) == 0;
}
