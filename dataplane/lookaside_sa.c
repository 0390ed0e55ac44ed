/* SPDX-License-Identifier: BSD-3-Clause */
/* An SA as librte_ipsec and the cryptodev want it. */
#include "dataplane/lookaside.h"
#include "dataplane/lookaside_device.h"

#include <rte_cryptodev.h>
#include <rte_errno.h>
#include <rte_malloc.h>

#include <netinet/in.h>
#include <stdio.h>

/* Inbound replay is ours (replay.h), but with ESN librte_ipsec insists on a window of its own. It
 * never learns that a packet was good, so the window stays where it begins. From here it lets every
 * number pass; from 0 it would refuse those whose lower half is 0. */
#define UNMOVED_WINDOW (1ull << 32)

static char sentence[192];

static void aead_xform(
	struct rte_crypto_sym_xform *x, const struct sa *sa, const struct sa_params *p)
{
	const struct cipher_info *c = cipher_info(sa->cipher);

	x->type = RTE_CRYPTO_SYM_XFORM_AEAD;
	x->aead.op = sa->dir == SA_OUT ? RTE_CRYPTO_AEAD_OP_ENCRYPT : RTE_CRYPTO_AEAD_OP_DECRYPT;
	x->aead.algo = sa->cipher == CIPHER_AES_GCM_16 ? RTE_CRYPTO_AEAD_AES_GCM
						       : RTE_CRYPTO_AEAD_CHACHA20_POLY1305;
	x->aead.key.data = p->enc_key;
	x->aead.key.length = p->enc_key_len - c->salt;
	x->aead.iv.offset = LOOKASIDE_IV_OFFSET;
	x->aead.iv.length = 12;
	x->aead.digest_length = sa->icv_len;
	x->aead.aad_length = sa->flags & SA_ESN ? 12 : 8; /* RFC 4106 5 */
}

static void cipher_xform(
	struct rte_crypto_sym_xform *x, const struct sa *sa, const struct sa_params *p)
{
	static const enum rte_crypto_cipher_algorithm algo[CIPHER_COUNT] = {
		[CIPHER_NULL] = RTE_CRYPTO_CIPHER_NULL,
		[CIPHER_AES_CBC] = RTE_CRYPTO_CIPHER_AES_CBC,
		[CIPHER_AES_CTR] = RTE_CRYPTO_CIPHER_AES_CTR,
	};

	x->type = RTE_CRYPTO_SYM_XFORM_CIPHER;
	x->cipher.op =
		sa->dir == SA_OUT ? RTE_CRYPTO_CIPHER_OP_ENCRYPT : RTE_CRYPTO_CIPHER_OP_DECRYPT;
	x->cipher.algo = algo[sa->cipher];
	x->cipher.key.data = p->enc_key;
	x->cipher.key.length = p->enc_key_len - cipher_info(sa->cipher)->salt;
	x->cipher.iv.offset = LOOKASIDE_IV_OFFSET;
	/* AES-CTR's is the whole counter block. */
	x->cipher.iv.length = sa->cipher == CIPHER_AES_CTR ? 16 : sa->iv_len;
}

static void auth_xform(
	struct rte_crypto_sym_xform *x, const struct sa *sa, const struct sa_params *p)
{
	static const enum rte_crypto_auth_algorithm algo[AUTH_COUNT] = {
		[AUTH_HMAC_SHA1_96] = RTE_CRYPTO_AUTH_SHA1_HMAC,
		[AUTH_HMAC_SHA2_256_128] = RTE_CRYPTO_AUTH_SHA256_HMAC,
		[AUTH_HMAC_SHA2_384_192] = RTE_CRYPTO_AUTH_SHA384_HMAC,
		[AUTH_HMAC_SHA2_512_256] = RTE_CRYPTO_AUTH_SHA512_HMAC,
	};

	x->type = RTE_CRYPTO_SYM_XFORM_AUTH;
	x->auth.op = sa->dir == SA_OUT ? RTE_CRYPTO_AUTH_OP_GENERATE : RTE_CRYPTO_AUTH_OP_VERIFY;
	x->auth.algo = algo[sa->auth];
	x->auth.key.data = p->auth_key;
	x->auth.key.length = p->auth_key_len;
	x->auth.digest_length = sa->icv_len;
}

/* The transforms in the order that librte_ipsec asks for: cipher first to send, integrity first to
 * receive. Returns the first. */
static struct rte_crypto_sym_xform *xforms(
	struct rte_crypto_sym_xform x[2], const struct sa *sa, const struct sa_params *p)
{
	unsigned first = sa->dir == SA_OUT ? 0 : 1;

	memset(x, 0, 2 * sizeof(*x));
	if (cipher_info(sa->cipher)->aead) {
		aead_xform(&x[0], sa, p);
		return &x[0];
	}
	cipher_xform(&x[0], sa, p);
	auth_xform(&x[1], sa, p);
	x[first].next = &x[!first];
	return &x[first];
}

/* Transport mode, over an outer header of our own: see lookaside.h. */
static void ipsec_params(
	struct rte_ipsec_sa_prm *prm, const struct sa *sa, struct rte_crypto_sym_xform *first)
{
	memset(prm, 0, sizeof(*prm));
	prm->crypto_xform = first;
	prm->ipsec_xform.spi = sa->spi;
	prm->ipsec_xform.salt = sa->salt;
	prm->ipsec_xform.options.esn = !!(sa->flags & SA_ESN);
	prm->ipsec_xform.direction = sa->dir == SA_OUT ? RTE_SECURITY_IPSEC_SA_DIR_EGRESS
						       : RTE_SECURITY_IPSEC_SA_DIR_INGRESS;
	prm->ipsec_xform.proto = RTE_SECURITY_IPSEC_SA_PROTO_ESP;
	prm->ipsec_xform.mode = RTE_SECURITY_IPSEC_SA_MODE_TRANSPORT;
	prm->ipsec_xform.esn.value = sa->dir == SA_IN ? UNMOVED_WINDOW : 0;
	prm->trs.proto = sa->family == IP_V4 ? IPPROTO_IPIP : IPPROTO_IPV6;
}

static int init_sa(struct lookaside_sa *ls, struct rte_ipsec_sa_prm *prm)
{
	int size = rte_ipsec_sa_size(prm);

	if (size < 0)
		return size;
	/* Zeroed: rte_ipsec_sa_init() reads a field of it before it writes any. */
	ls->sa = rte_zmalloc("ipsec_sa", size, RTE_CACHE_LINE_SIZE);
	if (ls->sa == NULL)
		return -ENOMEM;
	size = rte_ipsec_sa_init(ls->sa, prm, size);
	return size < 0 ? size : 0;
}

/* librte_ipsec wants a cipher even if that is NULL, but few devices have it: they get the integrity
 * alone. */
static struct rte_crypto_sym_xform *device_xform(
	const struct sa *sa, struct rte_crypto_sym_xform x[2], struct rte_crypto_sym_xform *first)
{
	if (sa->cipher != CIPHER_NULL)
		return first;
	x[1].next = NULL;
	return &x[1];
}

static int init_session(struct lookaside_sa *ls, struct rte_crypto_sym_xform *x)
{
	ls->crypto =
		rte_cryptodev_sym_session_create(lookaside_device.id, x, lookaside_device.sessions);
	if (ls->crypto == NULL)
		return -rte_errno;
	ls->session.sa = ls->sa;
	ls->session.type = RTE_SECURITY_ACTION_TYPE_NONE;
	ls->session.crypto.ses = ls->crypto;
	ls->session.crypto.dev_id = lookaside_device.id;
	return rte_ipsec_session_prepare(&ls->session);
}

static int refuse(const struct sa *sa, const struct sa_params *p, int error, const char **why)
{
	const struct cipher_info *c = cipher_info(sa->cipher);
	const char *device = rte_cryptodev_name_get(lookaside_device.id);

	if (error == -ENOMEM)
		snprintf(sentence, sizeof(sentence),
			"out of memory, or of crypto device %s's %u sessions", device,
			LOOKASIDE_SA_MAX);
	else
		snprintf(sentence, sizeof(sentence),
			"encryption: crypto device %s does not have %s with a key of %u bits%s%s",
			device, c->name, 8 * (p->enc_key_len - c->salt), c->aead ? "" : " and ",
			c->aead ? "" : auth_info(sa->auth)->name);
	*why = sentence;
	return error;
}

int lookaside_sa_init(struct sa *sa, const struct sa_params *p, const char **why)
{
	struct rte_crypto_sym_xform x[2], *first = xforms(x, sa, p);
	struct rte_ipsec_sa_prm prm;
	struct lookaside_sa *ls;
	int rc;

	if (!lookaside_device.running) {
		*why = "no crypto device is running";
		return -ENODEV;
	}
	/* librte_ipsec puts ESN's upper half behind the text, where HMAC wants it; RFC 4543 does not. */
	if (sa->cipher == CIPHER_AES_GMAC) {
		*why = "encryption: aes-gmac is not done on crypto devices";
		return -ENOTSUP;
	}
	ls = rte_zmalloc("lookaside_sa", sizeof(*ls), RTE_CACHE_LINE_SIZE);
	if (ls == NULL)
		return refuse(sa, p, -ENOMEM, why);
	ipsec_params(&prm, sa, first);
	rc = init_sa(ls, &prm);
	if (rc == 0)
		rc = init_session(ls, device_xform(sa, x, first));
	if (rc < 0) {
		lookaside_sa_free(ls);
		return refuse(sa, p, rc, why);
	}
	sa->lookaside = ls;
	return 0;
}

void lookaside_sa_free(struct lookaside_sa *ls)
{
	if (ls == NULL)
		return;
	if (ls->crypto != NULL)
		rte_cryptodev_sym_session_free(lookaside_device.id, ls->crypto);
	if (ls->sa != NULL)
		rte_ipsec_sa_fini(ls->sa); /* clears it */
	rte_free(ls->sa);
	rte_free(ls);
}
