/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/key_digest.h"
#include "dataplane/crypto_key.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/* Of fixed length, so that no two sets of keys make the same bytes. */
struct input {
	uint8_t secret[32];
	uint8_t cipher, auth;
	uint16_t enc_key_len, auth_key_len;
	uint8_t enc_key[sizeof(((struct viaduct_sa *)0)->enc_key)];
	uint8_t auth_key[sizeof(((struct viaduct_sa *)0)->auth_key)];
} __attribute__((packed));

static uint8_t secret[32];
static IMB_MGR *mgr;

/* Once in a process: digests of different secrets never compare equal. */
static int prepare(void)
{
	if (mgr != NULL)
		return 0;
	if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
		return -errno;
	mgr = crypto_mgr_new(NULL);
	return mgr != NULL ? 0 : -ENOMEM;
}

int key_digest(const struct viaduct_sa *a, struct key_digest *d)
{
	struct input in = {
		.cipher = a->cipher,
		.auth = a->auth,
		.enc_key_len = a->enc_key_len,
		.auth_key_len = a->auth_key_len,
	};
	const int rc = prepare();

	if (rc < 0)
		return rc;
	memcpy(in.secret, secret, sizeof(secret));
	memcpy(in.enc_key, a->enc_key, sizeof(in.enc_key));
	memcpy(in.auth_key, a->auth_key, sizeof(in.auth_key));
	IMB_SHA256(mgr, &in, sizeof(in), d->bytes);
	explicit_bzero(&in, sizeof(in));
	return 0;
}

bool key_digest_equal(const struct key_digest *a, const struct key_digest *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}
