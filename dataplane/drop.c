/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/drop.h"

static const struct {
	const char *name, *help;
} reasons[] = {
#define X(id, name, help) [DROP_##id] = {name, help},
	DROP_REASONS(X)
#undef X
};

const char *drop_name(unsigned reason)
{
	return reason < DROP_REASON_COUNT ? reasons[reason].name : "unknown";
}

const char *drop_help(unsigned reason)
{
	return reason < DROP_REASON_COUNT ? reasons[reason].help : "";
}
