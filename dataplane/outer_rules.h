/* SPDX-License-Identifier: BSD-3-Clause */
/* How a VTI wants its outer headers made, where it has a word to say beside its SAs. Never changed once
 * an interface points to it: it is replaced whole, so that a change under traffic needs nobody to wait
 * and no packet to mix the two. */
#ifndef VIADUCT_OUTER_RULES_H
#define VIADUCT_OUTER_RULES_H

#include <stdbool.h>
#include <stdint.h>

enum outer_df {
	OUTER_DF_SA, /* as the SA says */
	OUTER_DF_COPY,
	OUTER_DF_SET,
	OUTER_DF_CLEAR
};

enum outer_ecn {
	OUTER_ECN_SA, /* as the SA says */
	OUTER_ECN_TRUE,
	OUTER_ECN_FALSE
};

/* Outer IPv6 flow label. */
enum outer_label {
	OUTER_LABEL_HASH, /* of the inner flow (RFC 6438) */
	OUTER_LABEL_COPY,
	OUTER_LABEL_ZERO
};

struct outer_rules {
	/* Bits of the inner TOS byte that are copied: those of the SA's, less or more these. */
	uint8_t tos_not, tos_also;
	uint8_t tos;      /* bits that are always set */
	uint8_t df;       /* enum outer_df */
	uint8_t ecn;      /* enum outer_ecn; outbound it is in the masks above already */
	uint8_t ttl;      /* 0: the inner one */
	uint8_t label;    /* enum outer_label */
	bool map;         /* dscp[] counts, and no other word about DSCP */
	uint8_t dscp[64]; /* by inner DSCP: the outer one, as it stands in a TOS byte */
};

#endif
