/* SPDX-License-Identifier: BSD-3-Clause */
/* One tunnel of the router under test: stations of the protected network are behind port 0
 * (10.1.0.0/16, 2001:db8:a::/48), the peer behind port 1, and 10.2.0.0/16 and 2001:db8:b::/48 are
 * routed to the tunnel. */
#ifndef VIADUCT_TEST_ESP_FIXTURE_H
#define VIADUCT_TEST_ESP_FIXTURE_H

#include "dataplane/sa.h"
#include "harness.h"

#define TUNNEL_LAN 0
#define TUNNEL_WAN 1

/* Outer addresses: ours is that of port 1, the peer's is reached through station 9. */
#define TUNNEL_LOCAL4 "10.0.1.1"
#define TUNNEL_PEER4  "192.0.2.9"
#define TUNNEL_LOCAL6 "2001:db8:1::1"
#define TUNNEL_PEER6  "2001:db8:f::9"

#define TUNNEL_LAN_STATION 5
#define TUNNEL_WAN_STATION 9

struct tunnel {
	struct iface *vti;
	struct sa *in, *out;
};

void tunnel_start(struct tunnel *t);
void tunnel_stop(struct tunnel *t);

/* Make an SA of its own direction the tunnel's, instead of the one before. NULL: refused, with *why. */
struct sa *tunnel_sa(struct tunnel *t, const struct sa_params *p, const char **why);

/* Parameters with the tunnel's addresses for this direction and outer family. */
struct sa_params tunnel_params(enum sa_dir dir, enum ip_family family);

/* An SA of NULL encryption with HMAC-SHA2-256-128, whose packets can be read as they are. The flags
 * are enum sa_flag. */
struct sa *tunnel_plain_sa(
	struct tunnel *t, enum sa_dir dir, enum ip_family family, uint16_t flags);

/* What the peer sends: the inner packet of f with ESP's padding and trailer, or any text, in an
 * outer packet with this TOS byte, to the tunnel's inbound SA. */
struct frame tunnel_seal(const struct tunnel *t, uint64_t seq, const struct frame *f, uint8_t tos);
struct frame tunnel_seal_text(
	const struct tunnel *t, uint64_t seq, const void *text, unsigned len, uint8_t tos);

/* First byte of a frame's ESP header. */
unsigned tunnel_esp_at(const struct frame *f, const struct sa *sa);

/* A frame from the peer: `inner` comes out of the LAN, forwarded, or it is dropped for this reason
 * and nothing comes out. */
void tunnel_receive(const struct frame *f);
void tunnel_passes(const struct frame *f, const struct frame *inner);
void tunnel_drops(const struct frame *f, enum drop_reason reason);

#endif
