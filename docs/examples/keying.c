/* SPDX-License-Identifier: BSD-3-Clause */
/* A keying daemon in two pages: gives a tunnel interface a pair of SAs with fresh keys, and new ones each
 * time viaductd says that an SA has reached its soft lifetime. It may be restarted at any time, and so may
 * viaductd: whichever comes back finds out how things are and goes on.
 *
 *	cc keying.c $(pkg-config --cflags --libs libviaduct) -o keying
 *	./keying vti0 192.0.2.1 192.0.2.2 100 [SOFT_SECONDS]
 *
 * A real one agrees on keys and SPIs with the peer (IKE); this one only shows the calls. docs/keying.md
 * tells the story. */
#include <viaduct.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define SAS_MAX 16

struct tunnel {
	struct viaduct_vti vti;
	uint32_t soft_seconds;
	uint32_t spi_in;                   /* of the pair in use */
	struct viaduct_sa_id old[SAS_MAX]; /* to be removed when the next pair is in place */
	unsigned n_old;
	bool rekey;
};

static struct viaduct_addr address(const char *text)
{
	struct viaduct_addr a = {.family = 4};

	if (inet_pton(AF_INET, text, a.bytes) != 1) {
		fprintf(stderr, "%s: not an IPv4 address\n", text);
		exit(2);
	}
	return a;
}

/* What the daemon refuses is said, and this program ends; a lost connection is for the caller. */
static int checked(struct viaduct *v, int ret, const char *what)
{
	if (ret >= 0)
		return 0;
	fprintf(stderr, "%s: %s\n", what, viaduct_error(v));
	if (ret != -ECONNRESET && ret != -ETIMEDOUT && ret != -EPIPE)
		exit(1);
	return -1;
}

/* SAs with our reqid that are there already: an earlier run's, or those that are about to be replaced. */
static int note_old(unsigned type, const void *item, void *arg)
{
	const struct viaduct_sa_info *sa = item;
	struct tunnel *t = arg;

	if (type == VIADUCT_SA_DUMP && sa->reqid == t->vti.reqid && t->n_old < SAS_MAX)
		t->old[t->n_old++] = sa->id;
	return 0;
}

static void add(struct viaduct *v, const struct tunnel *t, uint8_t dir, uint32_t spi)
{
	struct viaduct_sa sa = {.dir = dir,
		.cipher = VIADUCT_CIPHER_AES_GCM_16,
		.reqid = t->vti.reqid,
		.enc_key_len = 16 + 4 /* salt */,
		.lifetime = {
			.soft_seconds = t->soft_seconds, .hard_seconds = t->soft_seconds + 30}};

	sa.id.spi = spi;
	sa.id.dst = dir == VIADUCT_IN ? t->vti.local : t->vti.remote;
	sa.src = dir == VIADUCT_IN ? t->vti.remote : t->vti.local;
	if (getrandom(sa.enc_key, sa.enc_key_len, 0) != sa.enc_key_len)
		exit(1);
	viaduct_send(v, VIADUCT_SA_ADD, &sa, NULL, NULL);
	explicit_bzero(&sa, sizeof(sa));
}

/* Make before break: the new pair, inbound first, since the peer may send as soon as it knows the key;
 * then the old ones. All of it or nothing. */
static int key(struct viaduct *v, struct tunnel *t)
{
	struct viaduct_spi_alloc req = {.src = t->vti.remote, .dst = t->vti.local};
	struct viaduct_spi spi;

	t->n_old = 0;
	if (checked(v, viaduct_snapshot(v, VIADUCT_SNAPSHOT_SAS, note_old, t), "SAs") < 0 ||
		checked(v, viaduct_call(v, VIADUCT_SPI_ALLOC, &req, &spi), "SPI") < 0)
		return -1;
	viaduct_begin(v);
	add(v, t, VIADUCT_IN, spi.spi);
	add(v, t, VIADUCT_OUT, spi.spi); /* a real peer chooses this one */
	for (unsigned i = 0; i < t->n_old; i++)
		viaduct_send(v, VIADUCT_SA_DEL, &t->old[i], NULL, NULL);
	if (checked(v, viaduct_commit(v), "new SAs") < 0)
		return -1;
	t->spi_in = spi.spi;
	t->rekey = false;
	printf("keyed: SPI 0x%08x, %u old SAs removed\n", t->spi_in, t->n_old);
	fflush(stdout);
	return 0;
}

static void on_event(unsigned type, const void *data, void *arg)
{
	const struct viaduct_sa_expire *ev = data;
	struct tunnel *t = arg;

	if (type == VIADUCT_EVENT_SA_EXPIRE && ev->id.spi == t->spi_in)
		t->rekey = true;
}

/* Until the connection is lost. */
static void serve(struct viaduct *v, struct tunnel *t)
{
	const struct viaduct_subscribe sub = {.mask = VIADUCT_SUB_SA};
	int ret = viaduct_call(v, VIADUCT_VTI_ADD, &t->vti, NULL);

	if (ret != -EEXIST && checked(v, ret, "VTI") < 0)
		return;
	/* First the events, then how things are: nothing is missed in between. */
	if (checked(v, viaduct_call(v, VIADUCT_SUBSCRIBE, &sub, NULL), "events") < 0)
		return;
	t->rekey = true;
	do {
		if (t->rekey && key(v, t) < 0)
			return;
	} while (checked(v, viaduct_events(v, -1, on_event, t), "events") == 0);
}

int main(int argc, char **argv)
{
	struct tunnel t = {.soft_seconds = 300};
	struct viaduct *v;

	if (argc != 5 && argc != 6) {
		fprintf(stderr, "usage: %s VTI LOCAL REMOTE REQID [SOFT_SECONDS]\n", argv[0]);
		return 2;
	}
	snprintf(t.vti.name, sizeof(t.vti.name), "%s", argv[1]);
	t.vti.fields = VIADUCT_VTI_LOCAL | VIADUCT_VTI_REMOTE | VIADUCT_VTI_REQID;
	t.vti.local = address(argv[2]);
	t.vti.remote = address(argv[3]);
	t.vti.reqid = strtoul(argv[4], NULL, 0);
	if (argc == 6)
		t.soft_seconds = strtoul(argv[5], NULL, 0);
	for (bool once = false;; once = true) {
		v = viaduct_open(NULL, "keying");
		if (v == NULL && !once) {
			fprintf(stderr, "%s\n", viaduct_error(NULL));
			return 3;
		}
		if (v != NULL)
			serve(v, &t);
		viaduct_close(v);
		sleep(1);
	}
}
