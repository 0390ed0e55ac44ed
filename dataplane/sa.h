/* SPDX-License-Identifier: BSD-3-Clause */
/* A security association as the workers use it (RFC 4301 4.4.2), one direction.
 *
 * Made by sa_create() from parameters, published in the SPI table (in) or an interface's sa_out
 * (out), retired through RCU, then wiped and freed by sa_destroy(). The first cache lines are
 * written once; what changes per packet lives in lines of its own.
 *
 * Its ends may change while it lives (MOBIKE, another NAT mapping). Inbound, they change in place, for
 * the replay window can't be in two places. Outbound, another struct sa takes over the keys and, from
 * the one worker that numbers its packets, the next sequence number: see sa_move.c. */
#ifndef VIADUCT_SA_H
#define VIADUCT_SA_H

#include "dataplane/addr.h"
#include "dataplane/alg.h"
#include "dataplane/replay.h"

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>

struct iface;
struct crypto_key;
struct lookaside_sa;

enum sa_dir {
	SA_IN = 1,
	SA_OUT = 2
};

enum sa_flag {
	SA_ESN = 1 << 0,
	SA_UDP_ENCAP = 1 << 1,    /* RFC 3948 */
	SA_ANY_SOURCE = 1 << 2,   /* inbound: the peer's address is not checked (behind NAT) */
	SA_NO_COPY_DSCP = 1 << 3, /* out: DSCP 0 outside instead of the inner one */
	SA_NO_ECN = 1 << 4,       /* out: not-ECT outside; in: the outer ECN field is ignored */
	SA_COPY_DF = 1 << 5,      /* out: the inner DF bit; else see SA_SET_DF */
	SA_SET_DF = 1 << 6,       /* out: DF set; neither of both: DF clear (RFC 4301 8.1) */
	SA_LOOKASIDE = 1 << 7,    /* librte_ipsec over a cryptodev does the crypto */
};

/* An inner packet's range that an SA may carry (RFC 4301 4.4.1.1). */
struct selector {
	uint8_t family;                    /* enum ip_family */
	uint8_t proto;                     /* 0: any */
	uint16_t src_port[2], dst_port[2]; /* from, to; 0 to 65535: any */
	uint8_t src[2][16], dst[2][16];    /* first and last address, network order, left-aligned */
};

/* Where packets come from and where they go: the outer header as it travels. */
struct sa_ends {
	struct addr src, dst;
	uint16_t sport, dport; /* SA_UDP_ENCAP: host order */
	uint16_t flags;        /* of enum sa_flag SA_UDP_ENCAP and SA_ANY_SOURCE */
} __rte_cache_aligned;

/* What sa_create() needs. Keys stay the caller's, who wipes them. Addresses and ports are those of
 * the outer header as it travels: src/sport is the sender. */
struct sa_params {
	uint32_t spi; /* host order, 256 or more */
	uint8_t dir;
	uint8_t cipher, auth;
	uint16_t flags;         /* enum sa_flag */
	struct addr src, dst;   /* same family, both set */
	uint16_t sport, dport;  /* SA_UDP_ENCAP: host order */
	uint32_t replay_window; /* inbound, packets */
	uint64_t first_seq;     /* first sequence number to send or accept; 0 means 1 */
	uint64_t max_packets;   /* outbound: none is sent after so many; 0: no such limit */
	uint8_t enc_key_len, auth_key_len;
	const uint8_t *enc_key, *auth_key;
	const struct selector *selectors; /* inbound; copied. Outbound: ignored */
	uint8_t n_selectors;              /* 0: anything */
};

/* One worker's own line of an SA. */
struct sa_worker {
	uint64_t packets,
		bytes;     /* ESP payload bytes as RFC 4301 counts: the inner packets' lengths */
	uint64_t last_use; /* TSC of the last packet that passed; 0: never */
	uint64_t errors;   /* ICV, padding, replay ... (in), exhausted ... (out) */
	/* Outbound: next hop of the outer destination. An id, since a next hop is replaced without
	 * the FIB noticing; good while the FIB's generation is nh_generation - 1 (0: none yet). */
	uint32_t nh_id, nh_generation;
	_Atomic uint32_t inflight; /* packets inside a crypto device: the SA must outlive them */
} __rte_cache_aligned;

#define SA_HDR_MAX 56 /* IPv6 40 + UDP 8 + ESP 8 */

/* What the outer headers of an SA's packets have in common, made by esp_build_template(). Small, since
 * the loop over a run's packets copies it: a local variable stays in registers, where *sa would be
 * read again after each store into a packet. */
struct esp_mould {
	uint64_t ip4[2]; /* IPv4: its first 16 bytes; TOS, lengths, id, TTL and checksum zero */
	uint32_t ip4_dst, ip4_sum;
	uint32_t spi, spi_be;
	uint32_t ports; /* UDP's, as they stand in memory */
	uint8_t hdr_len;
	uint8_t tos_mask, tos; /* inner bits that are copied; bits that are set */
	uint8_t ttl;
	uint8_t label; /* enum outer_label */
	bool four, udp, set_df, copy_df;
	bool varies; /* TTL or DSCP is looked up for each packet: esp_vary() */
};

static_assert(sizeof(struct esp_mould) + 2 * sizeof(uint64_t) <= RTE_CACHE_LINE_SIZE,
	"fetched at once, with the sequence numbers");

/* May it be used? Set by control. */
enum sa_state {
	SA_LIVE = 0,
	SA_EXPIRED, /* hard lifetime passed: packets are dropped */
	SA_MOVED,   /* outbound: moved_to goes on with it */
};

/* Which of an inbound SA's two ends count. */
enum sa_ends_state {
	SA_ENDS_SECOND = 1 << 0, /* ends[1] are the current ones, else ends[0] */
	SA_ENDS_OLD = 1 << 1,    /* packets may still be on their way from or to the others */
};

struct sa {
	/* Read by every packet, written once. */
	uint32_t spi; /* host order */
	uint32_t spi_be;
	uint16_t flags; /* inbound: what goes with the ends may have changed, see sa_ends_now() */
	uint8_t dir;
	uint8_t family; /* of the outer header; inbound: the first one, see sa_ends_now() */
	uint8_t cipher, auth;
	uint8_t iv_len, icv_len;
	uint8_t align;   /* padding alignment, a power of two */
	uint8_t hdr_len; /* out: bytes of hdr[]: IP, UDP when encapsulated, ESP */
	uint8_t n_selectors;
	_Atomic uint8_t expired; /* enum sa_state */
	uint32_t salt;           /* of counter modes, as it stands in memory */
	uint32_t worker_count;
	_Atomic uint8_t ends_state; /* inbound: enum sa_ends_state */
	/* Out: largest packet for the way to the peer, as ICMP told it (control/iface/path_mtu.h);
	 * UINT16_MAX: nothing was told. */
	_Atomic uint16_t path_mtu;
	struct crypto_key *key;         /* IPsec-MB's schedules; wiped by sa_destroy */
	struct lookaside_sa *lookaside; /* SA_LOOKASIDE */
	struct iface *_Atomic vti;      /* bound interface; NULL: none yet */
	union {
		struct selector *selectors; /* In. */
		struct sa *moved_to;        /* Out, SA_MOVED: set before that is. */
	};

	union {
		struct {                      /* Out. */
			struct addr src, dst; /* of the outer header as it travels */
			uint16_t sport, dport;
			/* Outer header template, lengths and sequence number zero. Where IPv4's
			 * checksum goes stands the folded sum of the rest. */
			uint8_t hdr[64] __rte_cache_aligned;
		};
		struct sa_ends ends[2]; /* In: the current ones and those before. */
	} __rte_cache_aligned;

	union {
		struct { /* Out. */
			struct esp_mould mould;
			/* The next sequence number to give away. It shares the mould's line, since
			 * the worker that numbers the packets also writes their headers. */
			_Atomic uint64_t seq;
			/* Last one that may be sent: 2^32 - 1; with ESN 2^32 short of 2^64, so that
			 * workers which add at the same moment as the last number goes can't carry
			 * `seq` round to 0. Less, where a lifetime counts packets. */
			uint64_t seq_max;
		};
		struct {                      /* In. */
			struct replay replay; /* written by workers */
			/* The window's words, where these are enough: up to 96 packets. */
			_Atomic uint64_t few_slots[4];
			/* TSC when the control thread was last told that the peer sends from
			 * elsewhere. */
			_Atomic uint64_t moved_told;
		};
	} __rte_cache_aligned;

	struct sa_worker worker[] __rte_cache_aligned;
} __rte_cache_aligned;

static_assert(offsetof(struct sa, ends) == RTE_CACHE_LINE_SIZE, "per-packet fields fill one line");
static_assert(sizeof(struct sa) == 4 * RTE_CACHE_LINE_SIZE, "a gateway has many");
static_assert(offsetof(struct sa, src) == offsetof(struct sa, ends[0].src) &&
		offsetof(struct sa, dport) == offsetof(struct sa, ends[0].dport),
	"an SA that never moved has its ends in one place, whatever its direction");

/* Control side. Checks the parameters (as alg_valid does; SPI range; addresses) and builds an SA
 * for n_workers workers, not yet visible to any. NULL with *why set on bad parameters or no memory. */
struct sa *sa_create(const struct sa_params *p, unsigned n_workers, const char **why);

/* Wipes keys and frees. Nobody may hold the SA any more. The keys of one that has moved are its
 * successor's, which must be destroyed after it. */
void sa_destroy(struct sa *sa);

/* The ends of packets that come or go now. */
static inline const struct sa_ends *sa_ends_now(const struct sa *sa)
{
	uint8_t state = atomic_load_explicit(&sa->ends_state, memory_order_acquire);

	return &sa->ends[state & SA_ENDS_SECOND];
}

/* Those from and to which packets may still be on their way; NULL: none. */
static inline const struct sa_ends *sa_ends_old(const struct sa *sa)
{
	uint8_t state = atomic_load_explicit(&sa->ends_state, memory_order_acquire);

	return state & SA_ENDS_OLD ? &sa->ends[!(state & SA_ENDS_SECOND)] : NULL;
}

static inline bool sa_ends_dst_is(const struct sa_ends *e, unsigned family, const void *dst)
{
	if (__atomic_load_n(&e->dst.family, __ATOMIC_ACQUIRE) != family)
		return false;
	return likely(family == IP_V4) ? memcmp(&e->dst.v4, dst, 4) == 0
				       : memcmp(e->dst.v6, dst, 16) == 0;
}

/* Inbound: is an address that packets for this SA come to? dst: 4 or 16 bytes. Which ends are the
 * current ones is not asked: those that don't count have no family. */
static inline bool sa_dst_is(const struct sa *sa, unsigned family, const void *dst)
{
	return likely(sa_ends_dst_is(&sa->ends[0], family, dst)) ||
		sa_ends_dst_is(&sa->ends[1], family, dst);
}

/* Control side: are these ends that an SA of this direction can have? */
bool sa_ends_valid(const struct sa_ends *ends, enum sa_dir dir, const char **why);

/* Control side: new ends for an inbound SA. Between the two calls every worker must have been
 * quiescent. Until sa_forget_old_ends() is called again packets of the former ones are taken, too. */
void sa_forget_old_ends(struct sa *sa);
void sa_set_ends(struct sa *sa, const struct sa_ends *ends);
/* The same two steps, but these are ends that the SA had before. */
void sa_set_old_ends(struct sa *sa, const struct sa_ends *ends);

/* Control side: what is to go on with an outbound SA, from other ends; NULL: no memory. Then
 * sa_moved() says so to the workers, and when all were quiescent since then sa_take_over() makes sure
 * that the sequence number is there, and the new one can be published. When sa_moved() is called, only
 * one worker may be numbering the SA's packets. */
struct sa *sa_move(const struct sa *old, const struct sa_ends *ends);
void sa_moved(struct sa *old, struct sa *new);

/* The next sequence number, unless it was handed over before. */
static inline void sa_take_over(struct sa *new, const struct sa *old)
{
	uint64_t none = 0, seq = atomic_load_explicit(&old->seq, memory_order_relaxed);

	atomic_compare_exchange_strong_explicit(
		&new->seq, &none, seq, memory_order_relaxed, memory_order_relaxed);
}

/* Worker side: the SA to number the next packets with, where this one isn't live. */
static inline struct sa *sa_follow(struct sa *sa)
{
	while (atomic_load_explicit(&sa->expired, memory_order_acquire) == SA_MOVED) {
		sa_take_over(sa->moved_to, sa);
		sa = sa->moved_to;
	}
	return sa;
}

/* The last sequence number that there is (RFC 4303 3.3.3); see seq_max. */
uint64_t sa_seq_end(const struct sa *sa);

/* Largest inner packet whose ESP packet is at most `path_mtu` bytes, for an SA (or one like it):
 * padding, IV, ICV, UDP and the outer header taken off exactly. 0 where nothing fits. */
uint16_t sa_inner_mtu(const struct sa *sa, uint16_t path_mtu);

/* Bytes of the ESP packet, outer header included, that carries `inner` bytes. */
uint32_t sa_outer_len(const struct sa *sa, uint16_t inner);

/* Sums over the workers. */
struct sa_stats {
	uint64_t packets, bytes, errors, last_use;
	uint32_t inflight;
};
struct sa_stats sa_stats_sum(const struct sa *sa);

#endif
