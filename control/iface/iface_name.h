/* SPDX-License-Identifier: BSD-3-Clause */
/* Names of ports and VTIs: those of their twins, so the kernel's rule. */
#ifndef VIADUCT_IFACE_NAME_H
#define VIADUCT_IFACE_NAME_H

#include <stdbool.h>

/* 1 to 15 characters, no '/', ':', '%' or space, as the kernel's dev_valid_name() and
 * dev_alloc_name(), which takes a '%' as a place for a number. */
bool iface_name_valid(const char *name);

#endif
