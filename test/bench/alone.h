/* SPDX-License-Identifier: BSD-3-Clause */
/* Intel IPsec-MB called directly, through each of its interfaces: the yardstick for the crypto under
 * the ESP stages. */
#ifndef VIADUCT_BENCH_ALONE_H
#define VIADUCT_BENCH_ALONE_H

#include "dataplane/sa.h"

#include <stdint.h>

enum alone_api {
	ALONE_ONE_SHOT, /* a call per packet: AES-GCM's, or ChaCha20-Poly1305's init/update/finalize */
	ALONE_JOB,      /* IMB_SUBMIT_JOB */
	ALONE_BURST,    /* IMB_SUBMIT_BURST */
	ALONE_SPLIT,    /* IMB_SUBMIT_CIPHER_BURST and IMB_SUBMIT_HASH_BURST */
	ALONE_APIS
};

extern const char *const alone_api_names[ALONE_APIS];

/* Packets as struct crypto_op has them, all of one algorithm. */
struct alone_batch {
	uint8_t *const *esp; /* ESP header, IV, text, ICV */
	const uint32_t *text_len;
	unsigned n;
	unsigned first; /* packet i is of SA (first + i) % n_sa */
};

struct alone;

/* With the SAs' expanded keys. At most `max` packets a batch. */
struct alone *alone_new(struct sa *const *sa, unsigned n_sa, unsigned max);
void alone_free(struct alone *a);

/* Whether the interface has the algorithm. */
bool alone_has(const struct alone *a, enum alone_api api);

/* Encrypt and authenticate, or compute what the ICVs should be and decrypt. */
void alone_seal(struct alone *a, enum alone_api api, const struct alone_batch *b);
void alone_open(struct alone *a, enum alone_api api, const struct alone_batch *b);

#endif
