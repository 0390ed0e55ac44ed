/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/iface.h"

struct iface *_Atomic iface_table[IFACE_MAX];
