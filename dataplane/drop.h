/* SPDX-License-Identifier: BSD-3-Clause */
/* Every reason for which a packet can be dropped: enum, name and help in one list.
 * A packet that ends neither in a port, in a tunnel nor in the kernel is counted here, once. */
#ifndef VIADUCT_DROP_H
#define VIADUCT_DROP_H

#include <stdint.h>

#define DROP_REASONS(X)                                                                            \
	/* link and IP hygiene (parse.c) */                                                        \
	X(RX_IFACE_DOWN, "rx_iface_down", "arrived on an interface that is administratively down") \
	X(TOO_SHORT, "too_short", "frame shorter than the headers it claims")                      \
	X(SEGMENTS, "segments", "frame in several buffers, larger than a packet can be")           \
	X(BAD_ETHERTYPE, "bad_ethertype", "neither IPv4, IPv6 nor a protocol of the kernel's")     \
	X(NOT_OUR_MAC, "not_our_mac", "unicast frame for another station")                         \
	X(IP4_VERSION, "ip4_version", "IPv4 header with another version number")                   \
	X(IP4_HEADER_LEN, "ip4_header_len", "IPv4 header length below 20 or beyond the packet")    \
	X(IP4_TOTAL_LEN, "ip4_total_len",                                                          \
		"IPv4 total length below the header or beyond the packet")                         \
	X(IP4_CHECKSUM, "ip4_checksum", "wrong IPv4 header checksum")                              \
	X(IP4_SOURCE_ROUTE, "ip4_source_route", "IPv4 source route option")                        \
	X(IP6_VERSION, "ip6_version", "IPv6 header with another version number")                   \
	X(IP6_PAYLOAD_LEN, "ip6_payload_len", "IPv6 payload length beyond the packet")             \
	X(IP6_EXT_HEADERS, "ip6_ext_headers", "IPv6 extension headers too long, too many or cut")  \
	X(IP6_SOURCE_ROUTE, "ip6_source_route", "IPv6 routing header of type 0 (RFC 5095)")        \
	X(MARTIAN_SRC, "martian_src", "source address that no packet on a wire may have")          \
	X(MARTIAN_DST, "martian_dst", "destination address that no packet on a wire may have")     \
	X(OWN_SRC, "own_src", "source address is one of the router's own")                         \
	X(RPF, "rpf", "no route back to the source (by that interface, where strict)")             \
	/* forwarding (forward.c, icmp_error.c) */                                                 \
	X(NO_ROUTE, "no_route", "no route to the destination")                                     \
	X(BLACKHOLE, "blackhole", "blackhole route")                                               \
	X(UNREACHABLE, "unreachable", "unreachable route")                                         \
	X(PROHIBIT, "prohibit", "prohibit route")                                                  \
	X(GUARD, "guard", "its route led into a tunnel interface that went down or was deleted")   \
	X(FIB_FULL, "fib_full",                                                                    \
		"would leave in the clear, since its route into a tunnel had no room")             \
	X(ESP_ONLY, "esp_only", "would leave in the clear by a port that is set to esp_only")      \
	X(TTL_EXCEEDED, "ttl_exceeded", "TTL or hop limit used up")                                \
	X(TOO_BIG, "too_big", "larger than the next hop's MTU and may not be fragmented")          \
	X(FRAGMENT_FAILED, "fragment_failed", "could not be fragmented (no buffer, bad options)")  \
	X(TX_IFACE_DOWN, "tx_iface_down", "next hop's interface is down")                          \
	X(NEIGH_FAILED, "neigh_failed", "the kernel could not resolve the next hop")               \
	X(NEIGH_QUEUE_FULL, "neigh_queue_full", "too many packets wait for the next hop")          \
	X(TX_QUEUE_FULL, "tx_queue_full", "the device took no more packets")                       \
	X(TX_ERROR, "tx_error", "larger than the device can send")                                 \
	X(HANDOFF_FULL, "handoff_full", "ring to another worker is full")                          \
	/* to and from the kernel (punt.c) */                                                      \
	X(PUNT_FULL, "punt_full", "ring to the kernel is full")                                    \
	X(PUNT_ERROR, "punt_error", "the kernel refused the packet")                               \
	X(INJECT_FULL, "inject_full", "packet of the kernel's, ring to the worker is full")        \
	X(INJECT_BAD, "inject_bad", "packet of the kernel's is not a valid frame or packet")       \
	/* fragments (reassemble.c) */                                                             \
	X(FRAG_INVALID, "frag_invalid", "fragment that no packet of 65535 bytes or less can have") \
	X(FRAG_TINY, "frag_tiny", "fragment too small to be honest, or without the first headers") \
	X(FRAG_OVERLAP, "frag_overlap", "fragments overlap: all of the packet's go (RFC 5722)")    \
	X(FRAG_DUPLICATE, "frag_duplicate", "fragment came twice; the first one is used")          \
	X(FRAG_FULL, "frag_full", "too many fragments wait: the oldest of a sender's gave way")    \
	X(FRAG_TIMEOUT, "frag_timeout", "the other fragments did not come")                        \
	/* ESP in (esp_in.c) */                                                                    \
	X(ESP_NO_SA, "esp_no_sa", "no inbound SA with this SPI and destination")                   \
	X(ESP_SHORT, "esp_short", "too short or badly aligned for its SA's algorithms")            \
	X(ESP_ENCAP, "esp_encap", "UDP-encapsulated where the SA is not, or the other way round")  \
	X(ESP_SOURCE, "esp_source", "outer source address is not the SA's peer")                   \
	X(ESP_REPLAY, "esp_replay", "sequence number already seen (duplicate)")                    \
	X(ESP_LATE, "esp_late", "sequence number left of the replay window")                       \
	X(ESP_SEQ_ZERO, "esp_seq_zero", "sequence number 0")                                       \
	X(ESP_ICV, "esp_icv", "integrity check failed")                                            \
	X(ESP_PADDING, "esp_padding", "padding longer than the packet or not 1, 2, 3 ...")         \
	X(ESP_NEXT_HEADER, "esp_next_header", "protected packet is neither IPv4 nor IPv6")         \
	X(ESP_DUMMY, "esp_dummy", "dummy packet (next header 59), as the peer meant it")           \
	X(ESP_ECN, "esp_ecn",                                                                      \
		"congestion marked outside, inner packet is not ECN-capable (RFC 6040)")           \
	X(ESP_SELECTOR, "esp_selector", "inner packet does not match the SA's traffic selectors")  \
	X(ESP_NO_VTI, "esp_no_vti", "decrypted, but the SA belongs to no tunnel interface yet")    \
	X(ESP_EXPIRED_IN, "esp_expired_in", "inbound SA has passed its hard lifetime")             \
	X(ESP_CRYPTO_IN, "esp_crypto_in", "crypto device refused an inbound packet")               \
	X(NATT_KEEPALIVE, "natt_keepalive", "NAT keepalive, absorbed (RFC 3948)")                  \
	X(NATT_SHORT, "natt_short", "UDP encapsulation too short to be ESP or IKE")                \
	/* VTI and ESP out (vti_out.c, esp_out.c) */                                               \
	X(VTI_DOWN, "vti_down", "tunnel interface is administratively down")                       \
	X(VTI_NO_SA, "vti_no_sa", "tunnel interface has no outbound SA")                           \
	X(VTI_HOLD_FULL, "vti_hold_full", "too many packets wait for an outbound SA already")      \
	X(VTI_HOLD_TIMEOUT, "vti_hold_timeout", "no outbound SA came while the packet waited")     \
	X(VTI_LOOP, "vti_loop", "route to the tunnel's far end goes through a tunnel")             \
	X(ESP_SEQ_EXHAUSTED, "esp_seq_exhausted", "outbound SA has used all its sequence numbers") \
	X(ESP_EXPIRED_OUT, "esp_expired_out", "outbound SA has passed its hard lifetime")          \
	X(ESP_CRYPTO_OUT, "esp_crypto_out", "crypto device refused an outbound packet")            \
	X(ESP_NO_ROOM, "esp_no_room", "no room in the buffer for ESP's headers or trailer")        \
	X(NO_MBUF, "no_mbuf", "no buffer is free, or no large one")                                \
	/* what ICMP says of our ESP packets (path_mtu.c, control/iface/path_mtu.c) */             \
	X(PMTU_BAD, "pmtu_bad", "Packet Too Big about ESP: cut, wrong checksum or impossible MTU") \
	X(PMTU_NO_SA, "pmtu_no_sa", "Packet Too Big about ESP that no outbound SA of ours sent")   \
	X(PMTU_RATE, "pmtu_rate", "more Packet Too Big about ESP than are looked at")              \
	X(ICMP_REFUSED, "icmp_refused", "ICMP redirect or source quench to the router itself")     \
	/* ICMP errors of our own */                                                               \
	X(ICMP_SUPPRESSED, "icmp_suppressed",                                                      \
		"ICMP error not sent: rate limit, RFC 1812 4.3.2.7 or no buffer")

enum drop_reason {
#define X(id, name, help) DROP_##id,
	DROP_REASONS(X)
#undef X
	DROP_REASON_COUNT
};

/* Name as the API and the metrics show it, e.g. "esp_replay"; "unknown" beyond the list. */
const char *drop_name(unsigned reason);

/* One line for people. */
const char *drop_help(unsigned reason);

#endif
