/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/sa/sa_request.h"
#include "control/addr_text.h"
#include "control/daemon.h"
#include "control/sa/sadb.h"

#include <rte_common.h>

#include <errno.h>

#define FLAGS_ALL                                                                                  \
	(VIADUCT_SA_ESN | VIADUCT_SA_ENCAP | VIADUCT_SA_NO_COPY_DSCP | VIADUCT_SA_NO_ECN |         \
		VIADUCT_SA_COPY_DF | VIADUCT_SA_SET_DF | VIADUCT_SA_NO_REPLAY | VIADUCT_SA_IKE)

static int check_addr(const char *field, const struct viaduct_addr *a, struct err *e)
{
	if (a->family == IP_V4 || a->family == IP_V6)
		return 0;
	return err_set(e, EINVAL, "%s: address family %u; expected an IPv4 or IPv6 address", field,
		a->family);
}

static int check_port(const char *field, uint16_t port, struct err *e)
{
	if (port != 0)
		return 0;
	return err_set(e, EINVAL, "%s: 0; UDP encapsulation needs both ports", field);
}

int sa_request_check_update(const struct viaduct_sa_update *u, struct err *e)
{
	char src[ADDR_TEXT_LEN], dst[ADDR_TEXT_LEN];

	if (check_addr("new_src", &u->new_src, e) < 0 || check_addr("new_dst", &u->new_dst, e) < 0)
		return -EINVAL;
	if (u->new_src.family != u->new_dst.family)
		return err_set(e, EINVAL,
			"new_src: %s; expected an address of the same family as new_dst %s",
			addr_text(&u->new_src, src), addr_text(&u->new_dst, dst));
	if (u->encap > 1)
		return err_set(e, EINVAL, "encap: %u; expected 0 or 1", u->encap);
	if (u->encap == 0)
		return 0;
	if (check_port("new_sport", u->new_sport, e) < 0)
		return -EINVAL;
	return check_port("new_dport", u->new_dport, e);
}

static int check_addrs(const struct viaduct_sa *r, struct err *e)
{
	char src[ADDR_TEXT_LEN], dst[ADDR_TEXT_LEN];

	if (check_addr("dst", &r->id.dst, e) < 0 || check_addr("src", &r->src, e) < 0)
		return -EINVAL;
	if (r->src.family != r->id.dst.family)
		return err_set(e, EINVAL,
			"src: %s; expected an address of the same family as dst %s",
			addr_text(&r->src, src), addr_text(&r->id.dst, dst));
	return 0;
}

static int check_flags(const struct viaduct_sa *r, struct err *e)
{
	const uint32_t df = VIADUCT_SA_COPY_DF | VIADUCT_SA_SET_DF;

	if (r->flags & ~(uint32_t)FLAGS_ALL)
		return err_set(e, EINVAL, "flags: 0x%x has bits that nobody knows", r->flags);
	if ((r->flags & df) == df)
		return err_set(e, EINVAL, "flags: copy-df and set-df exclude each other");
	if (!(r->flags & VIADUCT_SA_ENCAP))
		return 0;
	if (check_port("sport", r->sport, e) < 0)
		return -EINVAL;
	return check_port("dport", r->dport, e);
}

static int check_limit(const char *unit, uint64_t soft, uint64_t hard, struct err *e)
{
	if (soft == 0 || hard == 0 || soft <= hard)
		return 0;
	return err_set(e, EINVAL,
		"lifetime: soft limit of %" PRIu64 " %s above the hard one of %" PRIu64, soft, unit,
		hard);
}

static int check_lifetime(const struct viaduct_lifetime *l, struct err *e)
{
	if (check_limit("seconds", l->soft_seconds, l->hard_seconds, e) < 0 ||
		check_limit("bytes", l->soft_bytes, l->hard_bytes, e) < 0)
		return -EINVAL;
	return check_limit("packets", l->soft_packets, l->hard_packets, e);
}

static bool range_ok(const uint16_t port[2], const uint8_t addr[2][16], unsigned family)
{
	return port[0] <= port[1] && memcmp(addr[0], addr[1], addr_len(family)) <= 0;
}

static int check_selectors(const struct viaduct_sa *r, struct err *e)
{
	if (r->n_selectors > VIADUCT_SELECTORS_MAX)
		return err_set(e, EINVAL, "n_selectors: %u; expected at most %u", r->n_selectors,
			VIADUCT_SELECTORS_MAX);
	for (unsigned i = 0; i < r->n_selectors; i++) {
		const struct viaduct_selector *s = &r->selectors[i];

		if (s->family != IP_V4 && s->family != IP_V6)
			return err_set(e, EINVAL, "selectors[%u].family: %u; expected 4 or 6", i,
				s->family);
		if (!range_ok(s->src_port, s->src, s->family) ||
			!range_ok(s->dst_port, s->dst, s->family))
			return err_set(e, EINVAL,
				"selectors[%u]: a range of addresses or ports ends before it "
				"begins",
				i);
	}
	return 0;
}

static int check_sequence(const struct viaduct_sa *r, struct err *e)
{
	if (r->replay_window != 0 && (r->flags & VIADUCT_SA_NO_REPLAY))
		return err_set(e, EINVAL, "replay_window: %u; the flag no-replay excludes any",
			r->replay_window);
	if (r->replay_window != 0 &&
		(r->replay_window < REPLAY_WINDOW_MIN || r->replay_window > REPLAY_WINDOW_MAX))
		return err_set(e, EINVAL,
			"replay_window: %u; expected %u to %u, or 0 for the default",
			r->replay_window, REPLAY_WINDOW_MIN, REPLAY_WINDOW_MAX);
	if (!(r->flags & VIADUCT_SA_ESN) && r->first_seq > UINT32_MAX)
		return err_set(e, EINVAL, "first_seq: %" PRIu64 "; expected at most %u without ESN",
			r->first_seq, UINT32_MAX);
	return 0;
}

int sa_request_check(const struct viaduct_sa *r, struct err *e)
{
	if (r->dir != VIADUCT_IN && r->dir != VIADUCT_OUT)
		return err_set(e, EINVAL, "dir: %u; expected 1 (in) or 2 (out)", r->dir);
	if (r->id.spi < 256)
		return err_set(
			e, EINVAL, "spi: %u; expected 256 or more (RFC 4303 2.1)", r->id.spi);
	if (r->enc_key_len > sizeof(r->enc_key))
		return err_set(e, EINVAL, "enc_key_len: %u; expected at most %zu", r->enc_key_len,
			sizeof(r->enc_key));
	if (r->auth_key_len > sizeof(r->auth_key))
		return err_set(e, EINVAL, "auth_key_len: %u; expected at most %zu", r->auth_key_len,
			sizeof(r->auth_key));
	if (check_addrs(r, e) < 0 || check_flags(r, e) < 0 || check_selectors(r, e) < 0 ||
		check_sequence(r, e) < 0)
		return -EINVAL;
	return check_lifetime(&r->lifetime, e);
}

/* A NAT may give the peer another address at any time: the ICV says who it is. */
static uint16_t encap_flags(enum sa_dir dir)
{
	return dir == SA_IN ? SA_UDP_ENCAP | SA_ANY_SOURCE : SA_UDP_ENCAP;
}

static uint16_t flags_of(const struct viaduct_sa *r)
{
	static const struct {
		uint32_t api;
		uint16_t sa;
	} map[] = {
		{VIADUCT_SA_ESN, SA_ESN},
		{VIADUCT_SA_NO_COPY_DSCP, SA_NO_COPY_DSCP},
		{VIADUCT_SA_NO_ECN, SA_NO_ECN},
		{VIADUCT_SA_COPY_DF, SA_COPY_DF},
		{VIADUCT_SA_SET_DF, SA_SET_DF},
	};
	uint16_t flags = daemon_state.lookaside ? SA_LOOKASIDE : 0;

	for (unsigned i = 0; i < RTE_DIM(map); i++)
		flags |= r->flags & map[i].api ? map[i].sa : 0;
	if (r->flags & VIADUCT_SA_ENCAP)
		flags |= encap_flags(r->dir);
	return flags;
}

struct sa_ends sa_request_ends(const struct viaduct_sa_update *u, enum sa_dir dir)
{
	const bool encap = u->encap != 0;

	return (struct sa_ends){
		.src = addr_from_api(&u->new_src),
		.dst = addr_from_api(&u->new_dst),
		.sport = encap ? u->new_sport : 0,
		.dport = encap ? u->new_dport : 0,
		.flags = encap ? encap_flags(dir) : 0,
	};
}

static uint32_t window_of(const struct viaduct_sa *r)
{
	if (r->dir != VIADUCT_IN || (r->flags & VIADUCT_SA_NO_REPLAY))
		return 0;
	if (r->replay_window != 0)
		return r->replay_window;
	return daemon_state.config != NULL ? daemon_state.config->replay_window
					   : REPLAY_WINDOW_DEFAULT;
}

static void selector_of(const struct viaduct_selector *from, struct selector *to)
{
	to->family = from->family;
	to->proto = from->proto;
	memcpy(to->src_port, from->src_port, sizeof(to->src_port));
	memcpy(to->dst_port, from->dst_port, sizeof(to->dst_port));
	memcpy(to->src, from->src, sizeof(to->src));
	memcpy(to->dst, from->dst, sizeof(to->dst));
}

void sa_request_params(const struct viaduct_sa *r, struct sa_params *p, struct selector *sel)
{
	for (unsigned i = 0; i < r->n_selectors; i++)
		selector_of(&r->selectors[i], &sel[i]);
	*p = (struct sa_params){
		.spi = r->id.spi,
		.dir = r->dir,
		.cipher = r->cipher,
		.auth = r->auth,
		.flags = flags_of(r),
		.src = addr_from_api(&r->src),
		.dst = addr_from_api(&r->id.dst),
		.sport = r->sport,
		.dport = r->dport,
		.replay_window = window_of(r),
		.first_seq = r->first_seq,
		.max_packets = r->lifetime.hard_packets,
		.enc_key_len = r->enc_key_len,
		.auth_key_len = r->auth_key_len,
		.enc_key = r->enc_key,
		.auth_key = r->auth_key,
		.selectors = r->dir == VIADUCT_IN ? sel : NULL,
		.n_selectors = r->dir == VIADUCT_IN ? r->n_selectors : 0,
	};
}

unsigned sa_request_families(const struct viaduct_sa *r)
{
	unsigned families = 0;

	for (unsigned i = 0; i < r->n_selectors; i++)
		families |= 1u << AF_INDEX(r->selectors[i].family);
	return families;
}
