/* SPDX-License-Identifier: BSD-3-Clause */
/* A map of DSCPs as text: "46:34,8-15:0" sends 46 as 34 and 8 to 15 as 0; the others stay. */
#include "control/api/vti_choices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DSCPS 64

/* A number that `end` stands behind; *text goes behind it. */
static bool take(const char **text, char end, unsigned *dscp)
{
	char *rest;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*dscp = strtoul(*text, &rest, 10);
	if (errno != 0 || *dscp >= DSCPS || *rest != end)
		return false;
	*text = end != '\0' ? rest + 1 : rest;
	return true;
}

/* "46:34" or "8-15:0" at *text, which goes behind `end`. */
static bool take_entry(const char **text, char end, uint8_t map[DSCPS])
{
	const char *at = *text;
	unsigned first = 0, last, to;
	const bool range = take(&at, '-', &first);

	if (!take(&at, ':', &last) || !take(&at, end, &to))
		return false;
	if (!range)
		first = last;
	if (last < first)
		return false;
	for (; first <= last; first++)
		map[first] = to;
	*text = at;
	return true;
}

int dscp_map_read(const char *text, void *vti)
{
	struct viaduct_vti *v = vti;
	uint8_t map[DSCPS];

	for (unsigned i = 0; i < DSCPS; i++)
		map[i] = i;
	while (take_entry(&text, ',', map))
		;
	if (!take_entry(&text, '\0', map))
		return -EINVAL;
	v->dscp = VIADUCT_DSCP_MAP;
	memcpy(v->dscp_map, map, sizeof(map));
	return 0;
}

bool dscp_map_write(const void *vti, char *buf, size_t size)
{
	const struct viaduct_vti *v = vti;
	unsigned last;
	size_t n = 0;

	if (v->dscp != VIADUCT_DSCP_MAP)
		return false;
	snprintf(buf, size, "0:0"); /* where each stays */
	for (unsigned first = 0; first < DSCPS; first = last + 1) {
		for (last = first; last + 1 < DSCPS &&
			v->dscp_map[last + 1] == v->dscp_map[first] && v->dscp_map[first] != first;
			last++)
			;
		if (v->dscp_map[first] == first || n >= size)
			continue;
		n += snprintf(buf + n, size - n, n > 0 ? ",%u" : "%u", first);
		if (last > first && n < size)
			n += snprintf(buf + n, size - n, "-%u", last);
		if (n < size)
			n += snprintf(buf + n, size - n, ":%u", v->dscp_map[first]);
	}
	return true;
}

bool dscp_map_valid(const void *vti)
{
	const struct viaduct_vti *v = vti;

	for (unsigned i = 0; i < DSCPS; i++) {
		if (v->dscp_map[i] >= DSCPS)
			return false;
	}
	return v->dscp == VIADUCT_DSCP_MAP;
}
