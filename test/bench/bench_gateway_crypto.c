/* SPDX-License-Identifier: BSD-3-Clause */
/* The crypto alone: IPsec-MB called directly with the tunnels' keys, in the order in which their
 * packets come, on as many buffers of the same pool as a turn has packets. AES-GCM by its one-shot
 * call, all else by multi-buffer jobs, flushed once a turn. What is in the buffers does not matter. */
#include "bench_gateway.h"

#include "dataplane/crypto_key.h"
#include "dataplane/esp.h"
#include "frame.h"

#include <rte_cycles.h>

#define BUFFERS 256 /* as many as are in flight in a gateway: they fit into the L2 cache */

static IMB_MGR *mgr;
static uint8_t *buffer[BUFFERS];
static uint8_t nonce[BUFFERS][16] __rte_cache_aligned;
static unsigned next_frame, next_buffer;

static const IMB_HASH_ALG hash_algs[AUTH_COUNT] = {
	[AUTH_HMAC_SHA1_96] = IMB_AUTH_HMAC_SHA_1,
	[AUTH_HMAC_SHA2_256_128] = IMB_AUTH_HMAC_SHA_256,
	[AUTH_HMAC_SHA2_384_192] = IMB_AUTH_HMAC_SHA_384,
	[AUTH_HMAC_SHA2_512_256] = IMB_AUTH_HMAC_SHA_512,
};

void alone_init(void)
{
	mgr = crypto_mgr_new(NULL);
	must(mgr != NULL, "IPsec-MB");
	for (unsigned i = 0; i < BUFFERS; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(world.pool);

		must(m != NULL, "packet pool is empty");
		buffer[i] = rte_pktmbuf_mtod(m, uint8_t *);
		memset(buffer[i], i, rte_pktmbuf_tailroom(m));
	}
}

/* The SA, the text's length and the buffer of the next packet. */
static const struct sa *next_packet(bool seal, unsigned *len, unsigned *buf)
{
	const struct load *l = &world.load;
	const struct tunnel *t = &world.tunnel[l->tunnel[next_frame]];
	const struct sa *sa = seal ? t->sa_out : t->sa_in;

	*len = RTE_ALIGN_CEIL(l->size[next_frame] + ESP_TRAILER_LEN, sa->align);
	if (++next_frame == l->n)
		next_frame = 0;
	*buf = next_buffer++ % BUFFERS;
	return sa;
}

static uint64_t gcm_turn(aes_gcm_enc_dec_t gcm, bool seal)
{
	static struct gcm_context_data ctx;
	unsigned aad = world.opt.esn ? 12 : 8, len, i;
	uint8_t tag[16] __rte_aligned(16);
	uint64_t start = rte_rdtsc_precise();

	for (unsigned k = 0; k < TURN_MAX; k++) {
		const struct sa *sa = next_packet(seal, &len, &i);
		uint8_t *text = buffer[i] + 16;

		gcm(&sa->key->gcm, &ctx, text, text, len, nonce[i], buffer[i], aad,
			seal ? text + len : tag, sizeof(tag));
	}
	return rte_rdtsc_precise() - start;
}

static void fill_chacha(IMB_JOB *job, const struct sa *sa, uint8_t *buf, uint8_t *iv)
{
	job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	job->hash_start_src_offset_in_bytes = job->cipher_start_src_offset_in_bytes;
	job->msg_len_to_hash_in_bytes = job->msg_len_to_cipher_in_bytes;
	job->enc_keys = job->dec_keys = sa->key->chacha;
	job->key_len_in_bytes = sizeof(sa->key->chacha);
	job->iv = iv;
	job->iv_len_in_bytes = 12;
	job->u.CHACHA20_POLY1305.aad = buf;
	job->u.CHACHA20_POLY1305.aad_len_in_bytes = 8;
}

static void fill_hmac(IMB_JOB *job, const struct sa *sa, uint8_t *buf)
{
	job->cipher_mode = sa->cipher == CIPHER_NULL ? IMB_CIPHER_NULL : IMB_CIPHER_CBC;
	job->hash_alg = hash_algs[sa->auth];
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_hash_in_bytes =
		job->cipher_start_src_offset_in_bytes + job->msg_len_to_cipher_in_bytes;
	job->enc_keys = sa->key->aes.enc;
	job->dec_keys = sa->key->aes.dec;
	job->key_len_in_bytes = sa->key->len;
	job->iv = buf + 8;
	job->iv_len_in_bytes = sa->iv_len;
	job->u.HMAC._hashed_auth_key_xor_ipad = sa->key->ipad;
	job->u.HMAC._hashed_auth_key_xor_opad = sa->key->opad;
}

static uint64_t job_turn(bool seal)
{
	static uint8_t tag[BUFFERS][32];
	uint64_t start = rte_rdtsc_precise();
	unsigned len, i;

	for (unsigned k = 0; k < TURN_MAX; k++) {
		IMB_JOB *job = IMB_GET_NEXT_JOB(mgr);
		const struct sa *sa = next_packet(seal, &len, &i);
		unsigned head = sizeof(struct esp_hdr) + sa->iv_len;

		job->src = buffer[i];
		job->dst = buffer[i] + head;
		job->cipher_start_src_offset_in_bytes = head;
		job->msg_len_to_cipher_in_bytes = len;
		if (sa->cipher == CIPHER_CHACHA20_POLY1305)
			fill_chacha(job, sa, buffer[i], nonce[i]);
		else
			fill_hmac(job, sa, buffer[i]);
		job->cipher_direction = seal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
		job->chain_order = seal ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
		job->auth_tag_output = seal ? buffer[i] + head + len : tag[i];
		job->auth_tag_output_len_in_bytes = sa->icv_len;
		job = IMB_SUBMIT_JOB_NOCHECK(mgr);
		while (job != NULL)
			job = IMB_GET_COMPLETED_JOB(mgr);
	}
	while (IMB_FLUSH_JOB(mgr) != NULL)
		;
	return rte_rdtsc_precise() - start;
}

static uint64_t run(unsigned turns, bool seal)
{
	const aes_gcm_enc_dec_t gcm[2][3] = {
		{mgr->gcm128_dec, mgr->gcm192_dec, mgr->gcm256_dec},
		{mgr->gcm128_enc, mgr->gcm192_enc, mgr->gcm256_enc},
	};
	const struct sa *sa = world.tunnel[0].sa_out;
	uint64_t cycles = 0;

	for (unsigned i = 0; i < turns; i++)
		cycles += sa->cipher == CIPHER_AES_GCM_16
			? gcm_turn(gcm[seal][KEY_INDEX(sa->key->len)], seal)
			: job_turn(seal);
	return cycles;
}

uint64_t alone_seal(unsigned turns)
{
	return run(turns, true);
}

uint64_t alone_open(unsigned turns)
{
	return run(turns, false);
}
