/* SPDX-License-Identifier: BSD-3-Clause */
/* How many bytes of a structure must travel (docs/api.md, Versions). Not installed. */
#ifndef VIADUCT_SIZES_H
#define VIADUCT_SIZES_H

#include <viaduct_api.h>

#define VIADUCT_BASE_OF_(type, size) struct type * : (size),
#define VIADUCT_BASE_SIZE(type)                                                                    \
	_Generic((struct type *)0, VIADUCT_BASE_SIZES(VIADUCT_BASE_OF_) default                    \
		 : sizeof(struct type))

#endif
