/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sa.h"

#include "dataplane/crypto.h"
#include "dataplane/esp.h"
#include "dataplane/lookaside.h"
#include "dataplane/worker.h"

#include <rte_malloc.h>

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

#define SPI_MIN       256 /* 0 is never sent, 1 to 255 are IANA's (RFC 4303 2.1) */
#define SEQ_MAX       UINT32_MAX
#define SEQ_MAX_ESN   (UINT64_MAX - UINT32_MAX)
#define SA_FLAGS_ALL  (2 * SA_LOOKASIDE - 1)
#define SELECTORS_MAX UINT8_MAX

/* The sentence of the last refusal; callers show it at once. */
static _Thread_local char sentence[192];

#define REFUSE(why, ...)                                                                           \
	do {                                                                                       \
		snprintf(sentence, sizeof(sentence), __VA_ARGS__);                                 \
		*(why) = sentence;                                                                 \
		return false;                                                                      \
	} while (0)

static bool is_zero(const struct addr *a)
{
	return a->q[0] == 0 && a->q[1] == 0;
}

static bool addr_valid(const char *field, const struct addr *a, const char **why)
{
	char text[INET6_ADDRSTRLEN] = "none";

	if (a->family != IP_V4 && a->family != IP_V6)
		REFUSE(why, "%s: no address given, one address is expected", field);
	if (is_zero(a)) {
		inet_ntop(a->family == IP_V4 ? AF_INET : AF_INET6, a->v6, text, sizeof(text));
		REFUSE(why, "%s: %s, but one address is expected", field, text);
	}
	return true;
}

bool sa_ends_valid(const struct sa_ends *ends, enum sa_dir dir, const char **why)
{
	if (!addr_valid("dst", &ends->dst, why))
		return false;
	/* A peer that may be anywhere may also be unknown. */
	if (!(dir == SA_IN && (ends->flags & SA_ANY_SOURCE) && is_zero(&ends->src)) &&
		!addr_valid("src", &ends->src, why))
		return false;
	if (ends->src.family != ends->dst.family)
		REFUSE(why, "src: IPv%u, but dst is IPv%u; both must be of one family",
			ends->src.family, ends->dst.family);
	if ((ends->flags & SA_UDP_ENCAP) && (ends->sport == 0 || ends->dport == 0))
		REFUSE(why, "%s: 0, but UDP encapsulation needs a port from 1 to 65535",
			ends->sport == 0 ? "sport" : "dport");
	if ((ends->flags & SA_UDP_ENCAP) && dir == SA_IN && ends->dport != NATT_PORT)
		REFUSE(why, "dport: %u; inbound UDP encapsulation is received on port %u",
			ends->dport, NATT_PORT);
	return true;
}

static struct sa_ends ends_of(const struct sa_params *p)
{
	return (struct sa_ends){
		.src = p->src,
		.dst = p->dst,
		.sport = p->sport,
		.dport = p->dport,
		.flags = p->flags & (SA_UDP_ENCAP | SA_ANY_SOURCE),
	};
}

static bool flags_valid(const struct sa_params *p, const char **why)
{
	if (p->flags & ~SA_FLAGS_ALL)
		REFUSE(why, "flags: 0x%x has bits that mean nothing", p->flags);
	if ((p->flags & SA_COPY_DF) && (p->flags & SA_SET_DF))
		REFUSE(why, "flags: DF is either copied or set, not both");
	return true;
}

static bool counters_valid(const struct sa_params *p, const char **why)
{
	uint64_t max = p->flags & SA_ESN ? SEQ_MAX_ESN : SEQ_MAX;

	if (p->dir == SA_IN && p->replay_window != 0 &&
		(p->replay_window < REPLAY_WINDOW_MIN || p->replay_window > REPLAY_WINDOW_MAX))
		REFUSE(why, "replay window: %u, but %u to %u packets are possible, or 0 for none",
			p->replay_window, REPLAY_WINDOW_MIN, REPLAY_WINDOW_MAX);
	if (p->dir == SA_OUT && p->first_seq > max)
		REFUSE(why, "first sequence number: %" PRIu64 ", but the last possible is %" PRIu64,
			p->first_seq, max);
	return true;
}

static bool selector_valid(const struct selector *s, unsigned i, const char **why)
{
	if (s->family != IP_V4 && s->family != IP_V6)
		REFUSE(why, "selector %u: family %u, but 4 or 6 is expected", i, s->family);
	if (s->src_port[0] > s->src_port[1] || s->dst_port[0] > s->dst_port[1])
		REFUSE(why, "selector %u: port range ends before it begins", i);
	if (memcmp(s->src[0], s->src[1], addr_len(s->family)) > 0 ||
		memcmp(s->dst[0], s->dst[1], addr_len(s->family)) > 0)
		REFUSE(why, "selector %u: address range ends before it begins", i);
	return true;
}

static bool params_valid(const struct sa_params *p, unsigned n_workers, const char **why)
{
	const struct sa_ends ends = ends_of(p);

	if (p->dir != SA_IN && p->dir != SA_OUT)
		REFUSE(why, "direction: %u, but in (1) or out (2) is expected", p->dir);
	if (p->spi < SPI_MIN)
		REFUSE(why, "spi: %u, but 0 to 255 are reserved (RFC 4303)", p->spi);
	if (n_workers == 0 || n_workers > WORKER_MAX)
		REFUSE(why, "workers: %u, but 1 to %u are possible", n_workers, WORKER_MAX);
	if (!alg_valid(p->cipher, p->enc_key_len, p->auth, p->auth_key_len, why) ||
		!flags_valid(p, why) || !sa_ends_valid(&ends, p->dir, why) ||
		!counters_valid(p, why))
		return false;
	for (unsigned i = 0; i < p->n_selectors; i++) {
		if (!selector_valid(&p->selectors[i], i, why))
			return false;
	}
	return true;
}

/* The SA, its workers' lines and the words of a large replay window in one piece. */
static struct sa *sa_alloc(const struct sa_params *p, unsigned n_workers)
{
	uint32_t slots = p->dir == SA_IN ? replay_slots(p->replay_window) : 0;
	size_t head = sizeof(struct sa) + n_workers * sizeof(struct sa_worker);
	bool few = slots <= RTE_DIM(((struct sa *)NULL)->few_slots);
	struct sa *sa;

	sa = rte_zmalloc("sa", head + (few ? 0 : slots * sizeof(uint64_t)), RTE_CACHE_LINE_SIZE);
	if (sa == NULL)
		return NULL;
	if (p->dir == SA_IN)
		replay_init(
			&sa->replay, p->replay_window, few ? sa->few_slots : RTE_PTR_ADD(sa, head));
	sa->worker_count = n_workers;
	return sa;
}

static void set_fields(struct sa *sa, const struct sa_params *p)
{
	const struct cipher_info *c = cipher_info(p->cipher);

	sa->spi = p->spi;
	sa->spi_be = htonl(p->spi);
	sa->flags = p->flags;
	sa->dir = p->dir;
	sa->family = p->dst.family;
	sa->cipher = p->cipher;
	sa->auth = p->auth;
	sa->iv_len = c->iv;
	sa->icv_len = c->aead ? c->icv : auth_info(p->auth)->icv;
	sa->align = c->align;
	if (c->salt != 0)
		memcpy(&sa->salt, p->enc_key + p->enc_key_len - c->salt, c->salt);
	sa->ends[0] = ends_of(p);
	if (p->dir == SA_IN) {
		if (p->first_seq > 1)
			replay_seek(&sa->replay, p->first_seq - 1);
		return;
	}
	atomic_init(&sa->path_mtu, UINT16_MAX);
	atomic_init(&sa->seq, p->first_seq != 0 ? p->first_seq : 1);
	sa->seq_max = sa_seq_end(sa);
	if (p->max_packets != 0 && p->max_packets <= sa->seq_max - sa->seq)
		sa->seq_max = sa->seq + p->max_packets - 1;
	esp_build_template(sa);
}

uint64_t sa_seq_end(const struct sa *sa)
{
	return sa->flags & SA_ESN ? SEQ_MAX_ESN : SEQ_MAX;
}

static int copy_selectors(struct sa *sa, const struct sa_params *p)
{
	if (p->n_selectors == 0 || p->dir == SA_OUT)
		return 0;
	sa->selectors = rte_malloc("selectors", p->n_selectors * sizeof(struct selector), 0);
	if (sa->selectors == NULL)
		return -1;
	memcpy(sa->selectors, p->selectors, p->n_selectors * sizeof(struct selector));
	sa->n_selectors = p->n_selectors;
	return 0;
}

/* Keys are where the crypto is: with the device, or expanded for IPsec-MB. */
static int crypto_init(struct sa *sa, const struct sa_params *p, const char **why)
{
	if (p->flags & SA_LOOKASIDE)
		return lookaside_sa_init(sa, p, why);
	return crypto_key_init(sa, p);
}

struct sa *sa_create(const struct sa_params *p, unsigned n_workers, const char **why)
{
	struct sa *sa;

	if (!params_valid(p, n_workers, why))
		return NULL;
	*why = "out of memory";
	sa = sa_alloc(p, n_workers);
	if (sa == NULL)
		return NULL;
	set_fields(sa, p);
	if (copy_selectors(sa, p) < 0 || crypto_init(sa, p, why) < 0) {
		sa_destroy(sa);
		return NULL;
	}
	return sa;
}

void sa_destroy(struct sa *sa)
{
	if (sa == NULL)
		return;
	if (sa->expired != SA_MOVED) {
		lookaside_sa_free(sa->lookaside);
		crypto_key_free(sa->key);
	}
	if (sa->dir == SA_IN)
		rte_free(sa->selectors);
	explicit_bzero(sa, sizeof(*sa)); /* the salt */
	rte_free(sa);
}

/* What does not depend on the inner packet: outer header, IV, ICV. */
static uint32_t fixed_len(const struct sa *sa)
{
	return sa->hdr_len + sa->iv_len + sa->icv_len;
}

uint16_t sa_inner_mtu(const struct sa *sa, uint16_t path_mtu)
{
	uint32_t text;

	if (path_mtu < fixed_len(sa))
		return 0;
	text = RTE_ALIGN_FLOOR(path_mtu - fixed_len(sa), sa->align);
	return text > ESP_TRAILER_LEN ? text - ESP_TRAILER_LEN : 0;
}

uint32_t sa_outer_len(const struct sa *sa, uint16_t inner)
{
	return fixed_len(sa) + RTE_ALIGN_CEIL((uint32_t)inner + ESP_TRAILER_LEN, sa->align);
}

struct sa_stats sa_stats_sum(const struct sa *sa)
{
	struct sa_stats sum = {0};

	for (uint32_t i = 0; i < sa->worker_count; i++) {
		const struct sa_worker *w = &sa->worker[i];

		sum.packets += w->packets;
		sum.bytes += w->bytes;
		sum.errors += w->errors;
		sum.inflight += atomic_load_explicit(&w->inflight, memory_order_acquire);
		sum.last_use = RTE_MAX(sum.last_use, w->last_use);
	}
	return sum;
}
