/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/iface/vti_options.h"
#include "control/api/vti_choices.h"
#include "control/iface/ifaces.h"
#include "control/rcu.h"
#include "dataplane/outer_rules.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define ECN_BITS  0x03
#define DSCP_BITS 0xfc

/* What the API calls it is what the workers call it. */
static_assert((int)VIADUCT_DF_CLEAR == OUTER_DF_CLEAR && (int)VIADUCT_DF_SET == OUTER_DF_SET &&
		(int)VIADUCT_DF_COPY == OUTER_DF_COPY,
	"DF");
static_assert((int)VIADUCT_ECN_TRUE == OUTER_ECN_TRUE && (int)VIADUCT_ECN_FALSE == OUTER_ECN_FALSE,
	"ECN");
static_assert((int)VIADUCT_FLOW_LABEL_COPY == OUTER_LABEL_COPY &&
		(int)VIADUCT_FLOW_LABEL_ZERO == OUTER_LABEL_ZERO,
	"flow label");
static_assert(
	(int)VIADUCT_RPF_LOOSE == IFACE_RPF_LOOSE && (int)VIADUCT_RPF_STRICT == IFACE_RPF_STRICT,
	"reverse path");

static bool all_default(const struct viaduct_vti *c)
{
	for (unsigned i = VTI_DF; i <= VTI_FLOW_LABEL; i++) {
		if (choice_get(&vti_choices[i], c) != vti_choices[i].def)
			return false;
	}
	return true;
}

static void set_dscp(struct outer_rules *r, const struct viaduct_vti *c)
{
	if (c->dscp == VIADUCT_DSCP_SA)
		return;
	if (c->dscp == VIADUCT_DSCP_COPY) {
		r->tos_also |= DSCP_BITS;
		return;
	}
	r->tos_not |= DSCP_BITS;
	r->map = c->dscp == VIADUCT_DSCP_MAP;
	if (!r->map)
		r->tos = (c->dscp - VIADUCT_DSCP_VALUE) << 2;
	for (unsigned i = 0; r->map && i < sizeof(r->dscp); i++)
		r->dscp[i] = c->dscp_map[i] << 2;
}

int vti_options_make(const struct viaduct_vti *c, struct outer_rules **rules, struct err *e)
{
	struct outer_rules *r;

	*rules = NULL;
	if (all_default(c))
		return 0;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_set(e, ENOMEM, "%s: no memory for its options", c->name);
	set_dscp(r, c);
	if (c->ecn == VIADUCT_ECN_TRUE)
		r->tos_also |= ECN_BITS;
	else if (c->ecn == VIADUCT_ECN_FALSE)
		r->tos_not |= ECN_BITS;
	r->df = c->df;
	r->ecn = c->ecn;
	r->ttl = c->ttl == VIADUCT_TTL_COPY ? 0 : c->ttl;
	r->label = c->flow_label;
	*rules = r;
	return 0;
}

void vti_options_apply(struct iface *iface, const struct viaduct_vti *c, struct outer_rules *rules)
{
	struct outer_rules *old =
		atomic_exchange_explicit(&iface->outer, rules, memory_order_acq_rel);
	uint16_t mss = c->mss;

	if (mss == VIADUCT_MSS_AUTO)
		mss = 1;
	else if (mss == VIADUCT_MSS_OFF)
		mss = 0;
	atomic_store_explicit(&iface->mss, mss, memory_order_relaxed);
	atomic_store_explicit(&iface->rpf, c->rpf, memory_order_relaxed);
	iface_set_flag(iface, IFACE_FRAGMENT_AFTER, c->fragment == VIADUCT_FRAGMENT_AFTER);
	iface_set_flag(iface, IFACE_PARALLEL, c->parallel);
	if (old != NULL)
		rcu_retire(free, old);
}
