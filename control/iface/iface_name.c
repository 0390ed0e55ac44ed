/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/iface/iface_name.h"

#include <ctype.h>
#include <net/if.h>
#include <string.h>

bool iface_name_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= IFNAMSIZ || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (; *name != '\0'; name++) {
		if (*name == '/' || *name == ':' || *name == '%' || isspace((unsigned char)*name))
			return false;
	}
	return true;
}
