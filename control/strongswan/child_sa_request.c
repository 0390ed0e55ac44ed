/* SPDX-License-Identifier: GPL-2.0-or-later */
/* charon's SA parameters -> the API's: algorithms, keys, selectors, flags, lifetimes.
 *
 * Part of the strongSwan plugin kernel-viaduct: free software under the GNU General Public License,
 * version 2 or (at your option) any later version; see COPYING in this folder. No warranty. */
#include "child_sa_request.h"
#include "convert.h"

#include <collections/linked_list.h>
#include <utils/debug.h>

static const struct {
	encryption_algorithm_t ike;
	enum viaduct_cipher viaduct;
	bool aead;
} ciphers[] = {
	{ENCR_AES_GCM_ICV16, VIADUCT_CIPHER_AES_GCM_16, TRUE},
	{ENCR_CHACHA20_POLY1305, VIADUCT_CIPHER_CHACHA20_POLY1305, TRUE},
	{ENCR_NULL_AUTH_AES_GMAC, VIADUCT_CIPHER_AES_GMAC, TRUE},
	{ENCR_AES_CBC, VIADUCT_CIPHER_AES_CBC, FALSE},
	{ENCR_AES_CTR, VIADUCT_CIPHER_AES_CTR, FALSE},
	{ENCR_NULL, VIADUCT_CIPHER_NULL, FALSE},
};

static const struct {
	integrity_algorithm_t ike;
	enum viaduct_auth viaduct;
} auths[] = {
	{AUTH_HMAC_SHA1_96, VIADUCT_AUTH_HMAC_SHA1_96},
	{AUTH_HMAC_SHA2_256_128, VIADUCT_AUTH_HMAC_SHA2_256_128},
	{AUTH_HMAC_SHA2_384_192, VIADUCT_AUTH_HMAC_SHA2_384_192},
	{AUTH_HMAC_SHA2_512_256, VIADUCT_AUTH_HMAC_SHA2_512_256},
};

static bool set_auth(struct viaduct_sa *req, uint16_t int_alg, uint16_t enc_alg)
{
	for (unsigned i = 0; i < countof(auths); i++) {
		if (auths[i].ike == int_alg) {
			req->auth = auths[i].viaduct;
			return TRUE;
		}
	}
	if (int_alg == AUTH_UNDEFINED)
		DBG1(DBG_KNL, "viaduct: %N without an integrity algorithm is refused",
			encryption_algorithm_names, enc_alg);
	else
		DBG1(DBG_KNL, "viaduct: integrity algorithm %N is not supported",
			integrity_algorithm_names, int_alg);
	return FALSE;
}

static bool set_algorithms(struct viaduct_sa *req, const kernel_ipsec_add_sa_t *data)
{
	for (unsigned i = 0; i < countof(ciphers); i++) {
		if (ciphers[i].ike != data->enc_alg)
			continue;
		req->cipher = ciphers[i].viaduct;
		return ciphers[i].aead || set_auth(req, data->int_alg, data->enc_alg);
	}
	DBG1(DBG_KNL, "viaduct: encryption algorithm %N is not supported",
		encryption_algorithm_names, data->enc_alg);
	return FALSE;
}

static bool set_keys(struct viaduct_sa *req, const kernel_ipsec_add_sa_t *data)
{
	if (data->enc_key.len > sizeof(req->enc_key) || data->int_key.len > sizeof(req->auth_key)) {
		DBG1(DBG_KNL, "viaduct: keys of %zu and %zu bytes, at most %zu each are taken",
			data->enc_key.len, data->int_key.len, sizeof(req->enc_key));
		return FALSE;
	}
	req->enc_key_len = data->enc_key.len;
	req->auth_key_len = data->int_key.len;
	memcpy(req->enc_key, data->enc_key.ptr, data->enc_key.len);
	memcpy(req->auth_key, data->int_key.ptr, data->int_key.len);
	return TRUE;
}

static bool add_selectors(struct viaduct_sa *req, traffic_selector_t *src, linked_list_t *dst_list)
{
	struct viaduct_selector sel;
	traffic_selector_t *dst;
	enumerator_t *enumerator;
	bool ok = TRUE;

	enumerator = dst_list->create_enumerator(dst_list);
	while (ok && enumerator->enumerate(enumerator, &dst)) {
		if (!selector_from_pair(&sel, src, dst))
			continue;
		ok = req->n_selectors < VIADUCT_SELECTORS_MAX;
		if (ok)
			req->selectors[req->n_selectors++] = sel;
	}
	enumerator->destroy(enumerator);
	return ok;
}

/* Every pair of a source and a destination selector of one family: what may come through. */
static bool set_selectors(struct viaduct_sa *req, const kernel_ipsec_add_sa_t *data)
{
	traffic_selector_t *src;
	enumerator_t *enumerator;
	bool ok = TRUE;

	enumerator = data->src_ts->create_enumerator(data->src_ts);
	while (ok && enumerator->enumerate(enumerator, &src))
		ok = add_selectors(req, src, data->dst_ts);
	enumerator->destroy(enumerator);
	if (!ok)
		DBG1(DBG_KNL,
			"viaduct: a CHILD_SA of more than %d pairs of traffic selectors is not "
			"supported;"
			" negotiate 0.0.0.0/0 and ::/0 and let the routes decide",
			VIADUCT_SELECTORS_MAX);
	return ok;
}

/* Out: may the inner DSCP be seen outside? In: Viaduct never copies the outer one inwards. */
static bool copies_dscp(const kernel_ipsec_add_sa_t *data)
{
	return data->copy_dscp == DSCP_COPY_OUT_ONLY || data->copy_dscp == DSCP_COPY_YES;
}

static void set_flags(struct viaduct_sa *req, const kernel_ipsec_add_sa_t *data)
{
	req->flags = VIADUCT_SA_IKE | (data->esn ? VIADUCT_SA_ESN : 0) |
		(data->encap ? VIADUCT_SA_ENCAP : 0) |
		(copies_dscp(data) ? 0 : VIADUCT_SA_NO_COPY_DSCP) |
		(data->copy_ecn ? 0 : VIADUCT_SA_NO_ECN) | (data->copy_df ? VIADUCT_SA_COPY_DF : 0);
	/* charon has a default of its own (charon.replay_window): 0 was asked for. */
	if (data->inbound && data->replay_window == 0)
		req->flags |= VIADUCT_SA_NO_REPLAY;
}

/* A rand_time above the rekey_time takes charon's soft limits below zero, hence far beyond the hard
 * one (5.9.8). Rekeying in the last tenth of the life is better than letting the SA expire. */
static uint64_t soft_limit(uint64_t soft, uint64_t hard)
{
	return hard != 0 && soft > hard ? hard - hard / 10 : soft;
}

static void set_lifetime(struct viaduct_lifetime *life, const lifetime_cfg_t *cfg)
{
	life->soft_seconds = soft_limit(cfg->time.rekey, cfg->time.life);
	life->hard_seconds = cfg->time.life;
	life->soft_bytes = soft_limit(cfg->bytes.rekey, cfg->bytes.life);
	life->hard_bytes = cfg->bytes.life;
	life->soft_packets = soft_limit(cfg->packets.rekey, cfg->packets.life);
	life->hard_packets = cfg->packets.life;
}

static const char *unsupported(const kernel_ipsec_sa_id_t *id, const kernel_ipsec_add_sa_t *data)
{
	if (id->proto != IPPROTO_ESP)
		return "AH (ah_proposals)";
	if (data->mode != MODE_TUNNEL)
		return data->mode == MODE_TRANSPORT ? "transport mode" : "BEET mode";
	if (data->ipcomp != IPCOMP_NONE)
		return "IPComp (ipcomp = yes)";
	if (data->tfc != 0)
		return "traffic flow confidentiality (tfc_padding)";
	if (data->label != NULL)
		return "a security label (label)";
	if (data->mark.value != 0)
		return "a mark set on packets (set_mark_in, set_mark_out)";
	if (data->copy_dscp == DSCP_COPY_IN_ONLY || data->copy_dscp == DSCP_COPY_YES)
		return "copying the outer DSCP inwards (copy_dscp = in, yes)";
	if (data->hw_offload == HW_OFFLOAD_YES)
		return "hw_offload = yes (viaductd's configuration chooses who encrypts)";
	return NULL;
}

bool child_sa_request(
	struct viaduct_sa *req, const kernel_ipsec_sa_id_t *id, const kernel_ipsec_add_sa_t *data)
{
	const char *what = unsupported(id, data);

	memset(req, 0, sizeof(*req));
	if (what != NULL) {
		DBG1(DBG_KNL, "viaduct: %s is not supported", what);
		return FALSE;
	}
	req->id = sa_id_from(id);
	req->src = addr_from_host(id->src);
	req->dir = data->inbound ? VIADUCT_IN : VIADUCT_OUT;
	req->reqid = data->reqid;
	req->if_id = id->if_id;
	req->mark = id->mark.value;
	req->mark_mask = id->mark.mask;
	req->replay_window = data->replay_window;
	if (data->encap) { /* as the outer header travels: the peer's port is its NAT's */
		req->sport = id->src->get_port(id->src);
		req->dport = id->dst->get_port(id->dst);
	}
	set_flags(req, data);
	set_lifetime(&req->lifetime, data->lifetime);
	return set_algorithms(req, data) && set_selectors(req, data) && set_keys(req, data);
}
