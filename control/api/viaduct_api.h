/* SPDX-License-Identifier: BSD-3-Clause */
/* Viaduct's control protocol: every message, declared once.
 *
 * A stream socket (/run/viaduct/viaduct.sock) carries frames: struct viaduct_msg, then `len` bytes.
 * The client sends requests; each is answered by zero or more frames with VIADUCT_MORE set (dumps)
 * and one without it, all with the request's id. Requests may be pipelined: answers come in order.
 * Frames with id 0 are events, sent to those who subscribed. The first request is HELLO.
 *
 * Fields are fixed-width, in host byte order, except addresses (network order). Reserved fields
 * are zero. Strings are NUL-terminated within their arrays. On refusal `status` is a positive errno
 * and the payload a sentence for people that names the field and the value.
 *
 * A structure may grow at its end, and zero there means what held before: who gets fewer bytes takes
 * the rest as zeros, who gets more ignores them (docs/api.md, Versions). */
#ifndef VIADUCT_API_H
#define VIADUCT_API_H

#include <stddef.h>
#include <stdint.h>

/* Version: both sides must agree. Minor: rises with what is added; see viaduct_hello. */
#define VIADUCT_API_VERSION 2
#define VIADUCT_API_MINOR   0
#define VIADUCT_SOCKET      "/run/viaduct/viaduct.sock"
#define VIADUCT_MSG_MAX     16384 /* bytes of payload, either direction */
#define VIADUCT_NAME_LEN    16    /* interface names, as the kernel's IFNAMSIZ */
#define VIADUCT_TEXT_LEN    128   /* descriptions */
#define VIADUCT_ERROR_LEN   256

enum viaduct_msg_flag {
	VIADUCT_REPLY = 1 << 0,
	VIADUCT_MORE = 1 << 1, /* more frames follow for this request */
	VIADUCT_EVENT = 1 << 2,
};

struct viaduct_msg {
	uint32_t len;    /* bytes that follow */
	uint16_t type;   /* enum viaduct_msg_type */
	uint16_t flags;  /* enum viaduct_msg_flag */
	uint32_t id;     /* the client's, not 0 */
	uint32_t status; /* replies: 0 or an errno */
};

/* X(NAME, number, request struct, reply struct, needs write permission, is a dump)
 * "none" is the empty struct. A dump's reply frames carry one reply struct each. */
#define VIADUCT_MESSAGES(X)                                                                        \
	X(HELLO, 1, viaduct_hello, viaduct_hello, 0, 0)                                            \
	X(STATUS, 2, viaduct_none, viaduct_status, 0, 0)                                           \
	X(SUBSCRIBE, 3, viaduct_subscribe, viaduct_none, 0, 0)                                     \
	X(BATCH_BEGIN, 4, viaduct_none, viaduct_none, 1, 0)                                        \
	X(BATCH_COMMIT, 5, viaduct_none, viaduct_none, 1, 0)                                       \
	X(BATCH_ABORT, 6, viaduct_none, viaduct_none, 1, 0)                                        \
	X(SNAPSHOT, 7, viaduct_snapshot, viaduct_none, 0, 1)                                       \
	X(VTI_ADD, 10, viaduct_vti, viaduct_vti, 1, 0)                                             \
	X(VTI_SET, 11, viaduct_vti, viaduct_vti, 1, 0)                                             \
	X(VTI_DEL, 12, viaduct_name, viaduct_none, 1, 0)                                           \
	X(VTI_DUMP, 13, viaduct_none, viaduct_vti_info, 0, 1)                                      \
	X(SPI_ALLOC, 20, viaduct_spi_alloc, viaduct_spi, 1, 0)                                     \
	X(SA_ADD, 21, viaduct_sa, viaduct_none, 1, 0)                                              \
	X(SA_DEL, 22, viaduct_sa_id, viaduct_none, 1, 0)                                           \
	X(SA_GET, 23, viaduct_sa_id, viaduct_sa_info, 0, 0)                                        \
	X(SA_DUMP, 24, viaduct_none, viaduct_sa_info, 0, 1)                                        \
	X(SA_FLUSH, 25, viaduct_none, viaduct_none, 1, 0)                                          \
	X(SA_UPDATE, 26, viaduct_sa_update, viaduct_none, 1, 0)                                    \
	X(POLICY_ADD, 30, viaduct_policy, viaduct_none, 1, 0)                                      \
	X(POLICY_DEL, 31, viaduct_policy, viaduct_none, 1, 0)                                      \
	X(POLICY_DUMP, 32, viaduct_none, viaduct_policy, 0, 1)                                     \
	X(POLICY_FLUSH, 33, viaduct_none, viaduct_none, 1, 0)                                      \
	X(ROUTE_ADD, 40, viaduct_route, viaduct_none, 1, 0)                                        \
	X(ROUTE_DEL, 41, viaduct_route, viaduct_none, 1, 0)                                        \
	X(ROUTE_DUMP, 42, viaduct_none, viaduct_route, 0, 1)                                       \
	X(ROUTE_LOOKUP, 43, viaduct_route_lookup, viaduct_route, 0, 0)                             \
	X(NEIGH_DUMP, 44, viaduct_none, viaduct_neigh, 0, 1)                                       \
	X(PORT_DUMP, 50, viaduct_none, viaduct_port_info, 0, 1)                                    \
	X(WORKER_DUMP, 51, viaduct_none, viaduct_worker_info, 0, 1)                                \
	X(DROP_DUMP, 52, viaduct_none, viaduct_drop_info, 0, 1)                                    \
	X(CYCLES_DUMP, 53, viaduct_none, viaduct_cycles_info, 0, 1)                                \
	X(RELOAD, 60, viaduct_reload, viaduct_change, 1, 1)                                        \
	X(CONFIG_DUMP, 61, viaduct_none, viaduct_text, 0, 1)

/* X(NAME, number, struct): frames that nobody asked for but by SUBSCRIBE. */
#define VIADUCT_EVENTS(X)                                                                          \
	X(SA_EXPIRE, 100, viaduct_sa_expire)                                                       \
	X(ACQUIRE, 101, viaduct_acquire)                                                           \
	X(MAPPING, 102, viaduct_mapping)                                                           \
	X(VTI, 103, viaduct_vti_info) /* new, or something changed */                              \
	X(DROPS, 104, viaduct_drops)

enum viaduct_msg_type {
#define X(name, number, req, rep, write, dump) VIADUCT_##name = number,
	VIADUCT_MESSAGES(X)
#undef X
#define X(name, number, type) VIADUCT_EVENT_##name = number,
	VIADUCT_EVENTS(X)
#undef X
};

/* X(struct, bytes): what must be sent of a structure; the others are sent whole. One that grows is
 * named here with its former size, so that clients of that time are still understood. */
#define VIADUCT_BASE_SIZES(X)                                                                      \
	X(viaduct_hello, offsetof(struct viaduct_hello, minor))                                    \
	X(viaduct_sa, offsetof(struct viaduct_sa, selectors))

struct viaduct_none {
};

struct viaduct_addr {
	uint8_t family; /* 4, 6, or 0: none */
	uint8_t reserved[3];
	uint8_t bytes[16]; /* network order; IPv4 in the first four */
};

struct viaduct_name {
	char name[VIADUCT_NAME_LEN];
};

struct viaduct_hello {
	uint32_t version; /* VIADUCT_API_VERSION of the sender; must be equal */
	uint32_t pid;     /* reply: the daemon's */
	char name[32];    /* "viaductctl", "charon"; reply: "viaductd 0.1.0" */
	uint32_t minor;   /* VIADUCT_API_MINOR of the sender; may differ */
	uint32_t reserved;
};

struct viaduct_status {
	uint64_t uptime_s;
	uint32_t pid;
	uint32_t workers, ports, vtis, sas, policies, routes4, routes6, neighs, clients;
	uint32_t mbufs_total, mbufs_used;
	uint32_t writable; /* 1: this client may change things */
	char version[32];
	char crypto[64]; /* "ipsec-mb 1.3.0 (avx512)" or the crypto device */
	uint32_t reserved;
	uint64_t netlink_resyncs;
	uint64_t netlink_routes; /* route messages followed */
};

enum viaduct_event_mask {
	VIADUCT_SUB_SA = 1 << 0,
	VIADUCT_SUB_ACQUIRE = 1 << 1,
	VIADUCT_SUB_MAPPING = 1 << 2,
	VIADUCT_SUB_VTI = 1 << 3,
	VIADUCT_SUB_DROPS = 1 << 4,
};

struct viaduct_subscribe {
	uint32_t mask;             /* enum viaduct_event_mask; replaces the former one */
	uint32_t drops_per_second; /* VIADUCT_SUB_DROPS: of one reason; 0: 100 */
};

/* What a SNAPSHOT shows, in this order. */
enum viaduct_snapshot_kind {
	VIADUCT_SNAPSHOT_VTIS = 1 << 0,
	VIADUCT_SNAPSHOT_SAS = 1 << 1,
	VIADUCT_SNAPSHOT_POLICIES = 1 << 2,
	VIADUCT_SNAPSHOT_ROUTES = 1 << 3,
};

/* Several dumps of one moment: each item comes with the type of its own dump (VIADUCT_VTI_DUMP ...). */
struct viaduct_snapshot {
	uint32_t kinds; /* enum viaduct_snapshot_kind; 0: all */
	uint32_t reserved;
};

/* Which fields of a VTI a request means to set. */
enum viaduct_vti_field {
	VIADUCT_VTI_LOCAL = 1 << 0,
	VIADUCT_VTI_REMOTE = 1 << 1,
	VIADUCT_VTI_REQID = 1 << 2,
	VIADUCT_VTI_IF_ID = 1 << 3,
	VIADUCT_VTI_MARK = 1 << 4,
	VIADUCT_VTI_DESCRIPTION = 1 << 5,
	VIADUCT_VTI_MTU = 1 << 6,
	VIADUCT_VTI_ADMIN = 1 << 7,
	VIADUCT_VTI_PARALLEL = 1 << 8,
	VIADUCT_VTI_MSS = 1 << 9,
	VIADUCT_VTI_FRAGMENT = 1 << 10,
	VIADUCT_VTI_DF = 1 << 11,
	VIADUCT_VTI_DSCP = 1 << 12, /* dscp and dscp_map */
	VIADUCT_VTI_ECN = 1 << 13,
	VIADUCT_VTI_TTL = 1 << 14,
	VIADUCT_VTI_FLOW_LABEL = 1 << 15,
	VIADUCT_VTI_RPF = 1 << 16,
};

/* TCP's maximum segment size, of what enters or leaves a VTI; or the largest one, from 88 up. */
enum viaduct_mss {
	VIADUCT_MSS_AUTO = 0, /* what fits the MTU, at most */
	VIADUCT_MSS_OFF = 1,
};

/* What is larger than the MTU and may be fragmented. */
enum viaduct_fragment {
	VIADUCT_FRAGMENT_BEFORE = 0, /* encryption */
	VIADUCT_FRAGMENT_AFTER = 1,
};

/* The outer DF bit (IPv4). */
enum viaduct_df {
	VIADUCT_DF_SA = 0, /* as the SA says */
	VIADUCT_DF_COPY = 1,
	VIADUCT_DF_SET = 2,
	VIADUCT_DF_CLEAR = 3,
};

/* The outer DSCP. */
enum viaduct_dscp {
	VIADUCT_DSCP_SA = 0, /* as the SA says */
	VIADUCT_DSCP_COPY = 1,
	VIADUCT_DSCP_MAP = 2,    /* dscp_map[the inner one] */
	VIADUCT_DSCP_VALUE = 64, /* + 0 to 63: this one */
};

/* Congestion marks: copied outside and merged inside (RFC 6040), or left alone. */
enum viaduct_ecn {
	VIADUCT_ECN_SA = 0, /* as the SA says */
	VIADUCT_ECN_TRUE = 1,
	VIADUCT_ECN_FALSE = 2,
};

#define VIADUCT_TTL_COPY 256

/* The outer flow label (IPv6). */
enum viaduct_flow_label {
	VIADUCT_FLOW_LABEL_HASH = 0, /* of the inner flow (RFC 6438) */
	VIADUCT_FLOW_LABEL_COPY = 1, /* the inner one; of IPv4 0 */
	VIADUCT_FLOW_LABEL_ZERO = 2,
};

/* Reverse path check of what comes in. */
enum viaduct_rpf {
	VIADUCT_RPF_OFF = 0,
	VIADUCT_RPF_LOOSE = 1,  /* there is a route to the source */
	VIADUCT_RPF_STRICT = 2, /* by the interface that it came in by */
};

struct viaduct_vti {
	char name[VIADUCT_NAME_LEN];
	uint32_t fields; /* enum viaduct_vti_field; others are ignored (reply: all) */
	struct viaduct_addr local, remote; /* outer; none: any (decided by the SA) */
	uint32_t reqid;                    /* 0: automatic */
	uint32_t if_id;                    /* as in Linux xfrmi; 0: none */
	uint32_t mark, mark_mask;          /* as in Linux vti (ikey = okey); mask 0: exact */
	uint32_t mtu;                      /* 0: computed */
	uint32_t admin_up;                 /* 0 or 1 */
	uint32_t parallel;                 /* 0 or 1: every worker sends, out of step */
	char description[VIADUCT_TEXT_LEN];
	uint32_t mss;       /* enum viaduct_mss, or 88 to 65535 */
	uint8_t fragment;   /* enum viaduct_fragment */
	uint8_t df;         /* enum viaduct_df */
	uint8_t dscp;       /* enum viaduct_dscp */
	uint8_t ecn;        /* enum viaduct_ecn */
	uint16_t ttl;       /* outer, 1 to 255; VIADUCT_TTL_COPY; 0: 64 */
	uint8_t flow_label; /* enum viaduct_flow_label */
	uint8_t rpf;        /* enum viaduct_rpf */
	uint8_t dscp_map[64];
};

struct viaduct_if_stats {
	uint64_t rx_packets, rx_bytes, rx_drops, tx_packets, tx_bytes, tx_drops;
};

struct viaduct_vti_info {
	struct viaduct_vti vti; /* mtu: the configured one, 0 when computed */
	uint32_t ifindex;       /* of the kernel's twin */
	uint32_t mtu_now;
	uint32_t carrier;
	uint32_t reqid_auto; /* 1: reqid was given by the daemon */
	uint32_t sas_in, sas_out;
	uint32_t held;     /* packets that wait for an outbound SA */
	uint32_t origin;   /* enum viaduct_origin: API or CONFIG */
	uint32_t path_mtu; /* of the way that its ESP packets go */
	uint32_t
		path_mtu_expires; /* told by ICMP: seconds until that is forgotten; 0: the device's */
	uint32_t reserved;
	struct viaduct_if_stats stats;
};

struct viaduct_spi_alloc {
	struct viaduct_addr src, dst;
	uint32_t min, max; /* host order; both 0: any */
};

struct viaduct_spi {
	uint32_t spi; /* host order; unused so far and kept for this client for three minutes */
	uint32_t reserved;
};

enum viaduct_dir {
	VIADUCT_IN = 1,
	VIADUCT_OUT = 2
};

/* Same numbers as dataplane/alg.h. */
enum viaduct_cipher {
	VIADUCT_CIPHER_NULL = 1,
	VIADUCT_CIPHER_AES_CBC = 2,
	VIADUCT_CIPHER_AES_GCM_16 = 3,
	VIADUCT_CIPHER_CHACHA20_POLY1305 = 4,
	VIADUCT_CIPHER_AES_CTR = 5,
	VIADUCT_CIPHER_AES_GMAC = 6,
};

enum viaduct_auth {
	VIADUCT_AUTH_NONE = 0,
	VIADUCT_AUTH_HMAC_SHA1_96 = 1,
	VIADUCT_AUTH_HMAC_SHA2_256_128 = 2,
	VIADUCT_AUTH_HMAC_SHA2_384_192 = 3,
	VIADUCT_AUTH_HMAC_SHA2_512_256 = 4,
};

enum viaduct_sa_flag {
	VIADUCT_SA_ESN = 1 << 0,
	VIADUCT_SA_ENCAP = 1 << 1, /* UDP encapsulation with sport, dport */
	VIADUCT_SA_NO_COPY_DSCP = 1 << 2,
	VIADUCT_SA_NO_ECN = 1 << 3,
	VIADUCT_SA_COPY_DF = 1 << 4,
	VIADUCT_SA_SET_DF = 1 << 5,
	VIADUCT_SA_NO_REPLAY = 1 << 6, /* inbound: sequence numbers are not looked at */
	VIADUCT_SA_IKE = 1 << 30,      /* negotiated: says no more than who installed it */
};

struct viaduct_sa_id {
	struct viaduct_addr dst; /* outer destination */
	uint32_t spi;            /* host order */
	uint32_t reserved;
};

struct viaduct_selector {
	uint8_t family, proto;
	uint8_t reserved[2];
	uint16_t src_port[2], dst_port[2]; /* from, to; any: 0, 65535 */
	uint8_t src[2][16], dst[2][16];    /* from, to; network order, left-aligned */
};

#define VIADUCT_SELECTORS_MAX 16

/* 0 in any field: no such limit. Seconds count from installation, idle from the last packet. */
struct viaduct_lifetime {
	uint64_t soft_seconds, hard_seconds;
	uint64_t soft_bytes, hard_bytes;
	uint64_t soft_packets, hard_packets;
};

struct viaduct_sa {
	struct viaduct_sa_id id;
	struct viaduct_addr src; /* outer source */
	uint16_t sport, dport;   /* VIADUCT_SA_ENCAP */
	uint8_t dir, cipher, auth, n_selectors;
	uint32_t flags;                         /* enum viaduct_sa_flag */
	uint32_t reqid, if_id, mark, mark_mask; /* which VTI it belongs to; see docs/api.md */
	uint32_t replay_window;                 /* packets; inbound; 0: the daemon's default */
	uint64_t first_seq;                     /* to send or accept; 0: 1 */
	struct viaduct_lifetime lifetime;
	uint16_t enc_key_len, auth_key_len; /* bytes; AEAD: with the salt */
	uint32_t reserved;
	uint8_t enc_key[64], auth_key[64];
	struct viaduct_selector selectors[VIADUCT_SELECTORS_MAX];
};

/* Change addresses, ports, encapsulation in place; keys, counters and sequence stay. */
struct viaduct_sa_update {
	struct viaduct_sa_id id;
	struct viaduct_addr new_src, new_dst;
	uint16_t new_sport, new_dport;
	uint32_t encap;     /* 0 or 1 */
	uint32_t new_reqid; /* 0: unchanged */
	uint32_t reserved;
};

struct viaduct_sa_info {
	struct viaduct_sa_id id;
	struct viaduct_addr src;
	uint16_t sport, dport;
	uint8_t dir, cipher, auth, active; /* active: outbound SA its VTI sends with */
	uint32_t flags, reqid, if_id, mark, mark_mask, replay_window;
	uint16_t key_bits;
	uint16_t origin;            /* enum viaduct_origin: API, CONFIG or IKE */
	char vti[VIADUCT_NAME_LEN]; /* "" while it belongs to none */
	uint32_t reserved2;
	struct viaduct_lifetime lifetime;
	uint64_t packets, bytes, errors;
	uint64_t age_s;  /* since installation */
	uint64_t idle_s; /* since the last packet; UINT64_MAX: never used */
	uint64_t seq;    /* out: last one sent; in: highest seen */
};

/* What the IKE daemon says about traffic: it ties a reqid to a mark or if_id, hence to a VTI. */
struct viaduct_policy {
	uint8_t dir; /* enum viaduct_dir */
	uint8_t reserved[3];
	uint32_t reqid, if_id, mark, mark_mask, priority;
	struct viaduct_addr src, dst; /* outer */
	struct viaduct_selector selector;
};

enum viaduct_route_type {
	VIADUCT_ROUTE_UNICAST = 1,
	VIADUCT_ROUTE_LOCAL = 2,
	VIADUCT_ROUTE_BLACKHOLE = 6,
	VIADUCT_ROUTE_UNREACHABLE = 7,
	VIADUCT_ROUTE_PROHIBIT = 8,
};

/* Who made it. */
enum viaduct_origin {
	VIADUCT_ORIGIN_KERNEL = 1,
	VIADUCT_ORIGIN_API,
	VIADUCT_ORIGIN_CONFIG,
	VIADUCT_ORIGIN_NEIGH,
	VIADUCT_ORIGIN_IKE,   /* SAs with VIADUCT_SA_IKE */
	VIADUCT_ORIGIN_GUARD, /* routes: what is left of one whose VTI went down or was deleted */
};

struct viaduct_route {
	struct viaduct_addr prefix;               /* family always set */
	uint8_t prefix_len, type, origin, active; /* active: the one the FIB uses */
	uint32_t metric;
	uint32_t protocol; /* the kernel's RTPROT_*, 0 when unknown */
	struct viaduct_addr gateway;
	char dev[VIADUCT_NAME_LEN];
	char state[VIADUCT_NAME_LEN]; /* reply: next hop's type, e.g. "vti", "port", "glean" */
};

struct viaduct_route_lookup {
	struct viaduct_addr dst;
};

struct viaduct_neigh {
	struct viaduct_addr addr;
	uint8_t mac[6];
	uint16_t state; /* the kernel's NUD_* */
	char dev[VIADUCT_NAME_LEN];
};

struct viaduct_port_info {
	char name[VIADUCT_NAME_LEN];
	char device[64], driver[32];
	uint8_t mac[6];
	uint16_t port_id;
	uint32_t ifindex, mtu, admin_up, carrier, speed_mbps, rx_queues, tx_queues;
	uint32_t vlan; /* a VLAN's id; 0: it has a device */
	struct viaduct_if_stats stats;
	uint64_t missed;               /* packets the device dropped because no worker took them */
	char parent[VIADUCT_NAME_LEN]; /* a VLAN's port */
};

struct viaduct_worker_info {
	uint32_t id, lcore, cpu, rx_queues;
	uint64_t turns, busy_turns, rx_packets, tx_packets, punted, injected, mirrored, icmp_sent;
	uint64_t busy_permille; /* share of cycles that packets took, since the last dump */
};

struct viaduct_drop_info {
	uint32_t reason, reserved;
	uint64_t packets;
	char name[32];
	char help[VIADUCT_TEXT_LEN];
};

enum viaduct_cycles_kind {
	VIADUCT_CYCLES_WORK = 0,
	/* Work, where packets come in: these stages' counts sum up to all packets. */
	VIADUCT_CYCLES_ENTRY = 1,
	VIADUCT_CYCLES_REST = 2, /* no work: looking for packets, asleep */
};

/* One stage of one worker. */
struct viaduct_cycles_info {
	uint32_t worker, kind;    /* enum viaduct_cycles_kind */
	uint64_t cycles, packets; /* since the start; cycles are the TSC's */
	uint64_t tsc_hz;
	char name[16];
	char help[VIADUCT_TEXT_LEN];
};

struct viaduct_sa_expire {
	struct viaduct_sa_id id;
	uint32_t hard; /* 0: soft, time to rekey */
	uint32_t reqid;
};

/* Packets of one reason are dropped at more than the subscription's rate, or no longer. */
struct viaduct_drops {
	uint32_t reason;              /* as in viaduct_drop_info */
	uint32_t over;                /* 1: more than it now; 0: less than half of it again */
	uint64_t per_second, packets; /* measured over the last second; since the start */
	uint32_t threshold, reserved;
	char name[32];
};

/* A packet was routed to a VTI that has no outbound SA for it: negotiate one. */
struct viaduct_acquire {
	char vti[VIADUCT_NAME_LEN];
	uint32_t
		reqid; /* of the outbound policy that covers the packet; without policies the VTI's */
	uint32_t if_id, mark, mark_mask; /* the VTI's */
	struct viaduct_addr src, dst;    /* of the packet */
	uint16_t sport, dport;           /* ICMP: type, code; without ports: 0 */
	uint8_t proto;
	uint8_t reserved[3];
};

struct viaduct_mapping {
	struct viaduct_sa_id id;
	struct viaduct_addr new_src;
	uint16_t new_port, reserved;
	uint32_t reqid;
};

enum viaduct_reload_flag {
	VIADUCT_RELOAD_DRY_RUN = 1 << 0, /* say what would change, and change nothing */
};

struct viaduct_reload {
	uint32_t flags; /* enum viaduct_reload_flag */
	uint32_t reserved;
};

enum viaduct_change_kind {
	VIADUCT_CHANGE_ADD = 1,
	VIADUCT_CHANGE_SET,     /* in place */
	VIADUCT_CHANGE_REPLACE, /* an SA: the new one sends before the old one goes */
	VIADUCT_CHANGE_ADOPT,   /* made by the API, now the file's */
	VIADUCT_CHANGE_DEL,
	VIADUCT_CHANGE_RESTART, /* not applied: needs a restart */
};

/* One difference between the configuration that runs and the file. */
struct viaduct_change {
	uint32_t kind; /* enum viaduct_change_kind */
	uint32_t reserved;
	char object[16];             /* "setting", "port", "vti", "sa", "route" */
	char name[VIADUCT_TEXT_LEN]; /* "workers.cores", "vti0", "0x00002710 to 192.0.2.2" */
	char text[VIADUCT_TEXT_LEN]; /* "mtu 0 -> 1400"; "" where the name says it all */
};

/* A piece of text; the pieces follow each other without anything between them. */
struct viaduct_text {
	char text[1024];
};

#endif
