/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/cycles.h"

static const struct {
	const char *name, *help;
	enum cycles_kind kind;
} stages[] = {
#define X(id, kind, name, help) [CYCLES_##id] = {name, help, CYCLES_##kind},
	CYCLES_STAGES(X)
#undef X
};

uint64_t cycles_busy(const struct cycles *c)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < CYCLES_STAGE_COUNT; i++)
		sum += stages[i].kind != CYCLES_REST ? c->stage[i].cycles : 0;
	return sum;
}

const char *cycles_name(enum cycles_stage stage)
{
	return stages[stage].name;
}

const char *cycles_help(enum cycles_stage stage)
{
	return stages[stage].help;
}

enum cycles_kind cycles_kind(enum cycles_stage stage)
{
	return stages[stage].kind;
}
