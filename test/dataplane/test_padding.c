/* SPDX-License-Identifier: BSD-3-Clause */
/* What is between the inner packet and the ICV (RFC 4303 2.4 to 2.7): the padding that we send, with each
 * algorithm, and what a peer may send that test_esp_in.c has not. */
#include "esp_fixture.h"

#include "dataplane/crypto.h"
#include "dataplane/esp.h"

#define FAR4  "10.2.3.4"
#define FAR6  "2001:db8:b::4"
#define HOST4 "10.1.2.3"
#define HOST6 "2001:db8:a::3"

static struct tunnel t;

static void open_sa(enum sa_dir dir, uint8_t cipher, uint8_t auth, uint16_t flags)
{
	const struct cipher_info *c = cipher_info(cipher);
	struct sa_params p = tunnel_params(dir, IP_V4);
	static const uint8_t key[AUTH_KEY_MAX] = {1, 2, 3};
	const char *why = "";

	p.cipher = cipher;
	p.auth = auth;
	p.flags = flags;
	p.sport = p.dport = NATT_PORT;
	p.enc_key = p.auth_key = key;
	p.enc_key_len = c->key_min + c->salt;
	p.auth_key_len = auth_info(auth)->key;
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(&t, &p, &why));
}

/* The text of what left the WAN; its length in *len. */
static uint8_t *opened(struct frame *f, uint32_t *len)
{
	struct crypto_op op = {.sa = t.out, .esp = f->b + tunnel_esp_at(f, t.out)};

	op.text_len = f->b + f->len - op.esp - 8 - t.out->iv_len - t.out->icv_len;
	crypto_open(dp.worker[0]->crypto, &op, 1);
	CU_ASSERT_EQUAL(op.ok, 1);
	*len = op.text_len;
	return op.esp + 8 + t.out->iv_len;
}

/* No byte more than the alignment wants, and these are 1, 2, 3 ... */
static void padding_of(const struct frame *in, unsigned align)
{
	unsigned inner = in->len - L3, wrong = 0, pad = (align - (inner + 2) % align) % align;
	struct frame f = {0}, want = frame_forwarded(in, TUNNEL_LAN, 1);
	uint32_t len;
	uint8_t *text;

	dp_send(TUNNEL_LAN, in);
	dp_run();
	CU_ASSERT_FATAL(dp_out_any(TUNNEL_WAN, &f));
	text = opened(&f, &len);
	CU_ASSERT_EQUAL_FATAL(len, inner + pad + 2);
	CU_ASSERT_EQUAL(len % align, 0);
	CU_ASSERT_EQUAL(memcmp(text, want.b + L3, inner), 0);
	for (unsigned i = 0; i < pad; i++)
		wrong += text[inner + i] != i + 1;
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT_EQUAL(text[inner + pad], pad);
	CU_ASSERT_EQUAL(text[inner + pad + 1], in->b[L3] >> 4 == 4 ? ESP_NEXT_IP4 : ESP_NEXT_IP6);
}

static void each_length(uint8_t cipher, uint8_t auth, uint16_t flags)
{
	unsigned align = cipher == CIPHER_AES_CBC ? 16 : 4;

	open_sa(SA_OUT, cipher, auth, flags);
	for (unsigned payload = 0; payload < 40; payload++) {
		struct frame four = frame_udp(TUNNEL_LAN, HOST4, FAR4, payload),
			     six = frame_udp(TUNNEL_LAN, HOST6, FAR6, payload);

		padding_of(&four, align);
		padding_of(&six, align);
	}
}

static void as_short_as_the_algorithm_lets_it_be(void)
{
	tunnel_start(&t);
	for (unsigned cipher = 1; cipher < CIPHER_COUNT; cipher++) {
		bool aead = cipher_info(cipher)->aead;

		for (unsigned auth = !aead; auth < (aead ? 1 : AUTH_COUNT); auth++) {
			each_length(cipher, auth, 0);
			each_length(cipher, auth, SA_ESN | SA_UDP_ENCAP);
		}
	}
	CU_ASSERT(dp_none_dropped());
	tunnel_stop(&t);
}

/* Any text of whole blocks, `next` at its end. */
static struct frame sealed(uint64_t seq, uint8_t *text, unsigned len, uint8_t pad, uint8_t next)
{
	text[len - 2] = pad;
	text[len - 1] = next;
	return tunnel_seal_text(&t, seq, text, len, 0);
}

/* Noise, not a packet, and nothing at all: a dummy's text means nothing (RFC 4303 2.6). */
static void dummies_of_any_content(void)
{
	uint8_t text[1024];
	uint64_t seq = 1;
	struct frame f;

	tunnel_start(&t);
	for (unsigned cbc = 0; cbc < 2; cbc++) {
		unsigned align = cbc ? 16 : 4;

		open_sa(SA_IN, cbc ? CIPHER_AES_CBC : CIPHER_AES_GCM_16,
			cbc ? AUTH_HMAC_SHA2_256_128 : AUTH_NONE, 0);
		for (unsigned len = align; len <= sizeof(text); len += 3 * align, seq += 100) {
			for (unsigned i = 0; i < len; i++)
				text[i] = 7 * i + len;
			f = sealed(seq, text, len, 0, ESP_NEXT_DUMMY);
			tunnel_drops(&f, DROP_ESP_DUMMY);
			/* It has moved the window by its own hundred. */
			CU_ASSERT_EQUAL(t.in->replay.top, seq);
			tunnel_drops(&f, DROP_ESP_REPLAY);
			if (seq < 100)
				continue;
			f = sealed(seq - 64, text, len, 0, ESP_NEXT_DUMMY);
			tunnel_drops(&f, DROP_ESP_LATE);
		}
		CU_ASSERT_EQUAL(sa_stats_sum(t.in).packets, 0);
	}
	tunnel_stop(&t);
}

/* The pad length may be anything up to what there is, and not one more, with blocks of 16, too. */
static void pad_length_against_the_text(void)
{
	uint8_t text[64];
	uint64_t seq = 1;
	struct frame f;

	tunnel_start(&t);
	open_sa(SA_IN, CIPHER_AES_CBC, AUTH_HMAC_SHA1_96, 0);
	for (unsigned len = 16; len <= sizeof(text); len += 16) {
		for (unsigned pad = len - 3; pad < 256; pad++) {
			/* As if all of it, and all before it, were padding. */
			for (unsigned i = 0; i < len; i++)
				text[i] = i + 1 - (len - 2 - pad);
			f = sealed(seq++, text, len, pad, ESP_NEXT_IP4);
			/* Padding alone is no packet; one byte is none either. */
			tunnel_drops(&f,
				pad == len - 2           ? DROP_TOO_SHORT
					: pad == len - 3 ? DROP_IP4_VERSION
							 : DROP_ESP_PADDING);
		}
	}
	tunnel_stop(&t);
}

/* The same where the sequence number in front of the text goes on with 1, 2, 3: it is no padding. */
static void sequence_number_is_no_padding(void)
{
	static const uint32_t seqs[] = {1, 0x102, 0x10203, 0x1020304};
	struct frame f;

	tunnel_start(&t);
	for (unsigned i = 0; i < RTE_DIM(seqs); i++) {
		uint8_t text[64], pad = sizeof(text) - 2 + i + 1;

		open_sa(SA_IN, CIPHER_NULL, AUTH_HMAC_SHA2_256_128, 0);
		for (unsigned k = 0; k < sizeof(text); k++)
			text[k] = k + 1 + i + 1;
		f = sealed(seqs[i], text, sizeof(text), pad, ESP_NEXT_IP4);
		tunnel_drops(&f, DROP_ESP_PADDING);
	}
	tunnel_stop(&t);
}

/* Traffic flow padding behind the inner packet, with each algorithm and at each length (RFC 4303 2.7):
 * only the inner header says where it ends, so what is there may be anything. */
static void trailing_bytes_are_trimmed(void)
{
	struct frame inner = frame_udp(TUNNEL_WAN, FAR4, HOST4, 21), longer, f;

	tunnel_start(&t);
	for (unsigned cipher = 1; cipher < CIPHER_COUNT; cipher++) {
		uint8_t auth = cipher_info(cipher)->aead ? AUTH_NONE : AUTH_HMAC_SHA2_512_256;

		open_sa(SA_IN, cipher, auth, 0);
		for (unsigned tfc = 0; tfc < 100; tfc++) {
			longer = inner;
			memset(longer.b + longer.len, 0x45, tfc);
			longer.len += tfc;
			f = tunnel_seal(&t, tfc + 1, &longer, 0);
			tunnel_passes(&f, &inner);
		}
	}
	tunnel_stop(&t);
}

DP_MAIN("padding", 1, DP_TEST(as_short_as_the_algorithm_lets_it_be),
	DP_TEST(dummies_of_any_content), DP_TEST(pad_length_against_the_text),
	DP_TEST(sequence_number_is_no_padding), DP_TEST(trailing_bytes_are_trimmed))
