/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/nexthop.h"

struct nexthop *_Atomic nexthop_table[NEXTHOP_MAX];
