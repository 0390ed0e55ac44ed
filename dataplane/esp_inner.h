/* SPDX-License-Identifier: BSD-3-Clause */
/* What is looked at in a decrypted packet before it may be routed. */
#ifndef VIADUCT_ESP_INNER_H
#define VIADUCT_ESP_INNER_H

#include "dataplane/drop.h"
#include "dataplane/pkt.h"
#include "dataplane/sa.h"

/* Strip ESP's trailer and the outer header, check what was inside, and settle ECN. Before: p is the
 * outer packet, decrypted in place; after: the inner one. DROP_REASON_COUNT where it is good. */
enum drop_reason esp_unwrap(const struct sa *sa, struct pkt *p);

/* RFC 4301 5.2: does the inner packet belong to what the SA was negotiated for? */
bool esp_selected(const struct sa *sa, const struct pkt *p);

#endif
