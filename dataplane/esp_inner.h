/* SPDX-License-Identifier: BSD-3-Clause */
/* What inbound processing before and after decryption share. */
#ifndef VIADUCT_ESP_INNER_H
#define VIADUCT_ESP_INNER_H

#include "dataplane/drop.h"
#include "dataplane/pkt.h"
#include "dataplane/sa.h"

struct worker;

/* What a selector's port ranges are compared with. As in Linux's XFRM, type and code of ICMP stand where
 * other protocols have ports. */
struct selector_ports {
	bool known; /* not in later fragments, nor in protocols that have none */
	uint16_t src, dst;
};

/* Of a packet that parse_ip() has found good. */
struct selector_ports selector_ports(const struct pkt *p);

/* RFC 4301 5.2: does the inner packet belong to what the SA was negotiated for? */
bool esp_selected(const struct sa *sa, const struct pkt *p);

/* After a run of an encapsulated SA was authenticated and its sequence numbers taken: does its last
 * packet come from where the SA's peer is? If not, the control thread is told (esp_peer.c). */
void esp_peer_check(struct worker *w, struct sa *sa, const struct pkt *last);

/* Drop reason by enum replay_verdict. */
extern const uint8_t esp_replay_drop[];

/* Count the packet as the SA's error, and drop it. */
void esp_drop_in(struct worker *w, struct sa *sa, const struct pkt *p, enum drop_reason reason);

#endif
