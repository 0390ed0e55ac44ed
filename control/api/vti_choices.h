/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of a VTI that are words or numbers, from mss to rpf: everything that handles a VTI's
 * settings goes through this table. */
#ifndef VIADUCT_VTI_CHOICES_H
#define VIADUCT_VTI_CHOICES_H

#include "control/api/choice.h"

#include <viaduct_api.h>

extern const struct word mss_words[], fragment_words[], df_words[], dscp_words[], ecn_words[],
	ttl_words[], flow_label_words[], rpf_words[];

enum vti_choice {
	VTI_MSS,
	VTI_FRAGMENT,
	VTI_DF,
	VTI_DSCP,
	VTI_ECN,
	VTI_TTL,
	VTI_FLOW_LABEL,
	VTI_RPF,
	VTI_CHOICES
};

extern const struct choice vti_choices[VTI_CHOICES];

/* Its bit of enum viaduct_vti_field. */
static inline uint32_t vti_choice_field(unsigned i)
{
	return VIADUCT_VTI_MSS << i;
}

/* NULL: none of that name. */
const struct choice *vti_choice(const char *name);

void vti_choice_copy(unsigned i, struct viaduct_vti *to, const struct viaduct_vti *from);
bool vti_choice_equal(unsigned i, const struct viaduct_vti *a, const struct viaduct_vti *b);

/* vti_dscp.c: a DSCP for each, "46:34,8-15:0", others as they are. */
int dscp_map_read(const char *text, void *vti);
bool dscp_map_write(const void *vti, char *buf, size_t size);
bool dscp_map_valid(const void *vti);

#endif
