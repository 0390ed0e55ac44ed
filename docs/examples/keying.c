/* SPDX-License-Identifier: BSD-3-Clause */
/* A keying daemon in a page: gives a tunnel interface a pair of SAs with fresh keys, and new ones each
 * time viaductd says that an SA has reached its soft lifetime.
 *
 *	cc keying.c $(pkg-config --cflags --libs libviaduct) -o keying
 *	./keying vti0 192.0.2.1 192.0.2.2 100
 *
 * A real one agrees on keys and SPIs with the peer (IKE); this one only shows the calls. */
#include <viaduct.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct tunnel {
	struct viaduct_addr local, remote;
	uint32_t reqid;
	uint32_t spi_in; /* the inbound SA in use; 0: none yet */
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

static void must(struct viaduct *v, int ret, const char *what)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, viaduct_error(v));
	exit(1);
}

static uint32_t allocate(struct viaduct *v, const struct tunnel *t)
{
	struct viaduct_spi_alloc req = {.src = t->remote, .dst = t->local};
	struct viaduct_spi spi;

	must(v, viaduct_call(v, VIADUCT_SPI_ALLOC, &req, &spi), "SPI");
	return spi.spi;
}

static void install(struct viaduct *v, const struct tunnel *t, uint8_t dir, uint32_t spi)
{
	struct viaduct_sa sa = {.dir = dir,
		.cipher = VIADUCT_CIPHER_AES_GCM_16,
		.reqid = t->reqid,
		.enc_key_len = 16 + 4 /* salt */,
		.lifetime = {.soft_seconds = 300, .hard_seconds = 330}};

	sa.id.spi = spi;
	sa.id.dst = dir == VIADUCT_IN ? t->local : t->remote;
	sa.src = dir == VIADUCT_IN ? t->remote : t->local;
	if (getrandom(sa.enc_key, sa.enc_key_len, 0) != sa.enc_key_len)
		exit(1);
	must(v, viaduct_call(v, VIADUCT_SA_ADD, &sa, NULL), "SA");
	explicit_bzero(&sa, sizeof(sa));
}

/* Inbound first: the peer may send as soon as it knows the key. */
static void key(struct viaduct *v, struct tunnel *t)
{
	t->spi_in = allocate(v, t);
	install(v, t, VIADUCT_IN, t->spi_in);
	install(v, t, VIADUCT_OUT, t->spi_in); /* a real peer chooses this SPI */
	printf("keyed: SPI 0x%08x\n", t->spi_in);
	t->rekey = false;
}

static void on_event(unsigned type, const void *data, void *arg)
{
	const struct viaduct_sa_expire *ev = data;
	struct tunnel *t = arg;

	if (type == VIADUCT_EVENT_SA_EXPIRE && ev->id.spi == t->spi_in && !ev->hard)
		t->rekey = true;
}

int main(int argc, char **argv)
{
	struct viaduct_vti vti = {
		.fields = VIADUCT_VTI_LOCAL | VIADUCT_VTI_REMOTE | VIADUCT_VTI_REQID};
	const struct viaduct_subscribe sub = {.mask = VIADUCT_SUB_SA};
	struct tunnel t = {.rekey = true};
	struct viaduct *v;

	if (argc != 5) {
		fprintf(stderr, "usage: %s VTI LOCAL REMOTE REQID\n", argv[0]);
		return 2;
	}
	t.local = address(argv[2]);
	t.remote = address(argv[3]);
	t.reqid = strtoul(argv[4], NULL, 0);
	v = viaduct_open(NULL, "keying");
	if (v == NULL) {
		fprintf(stderr, "%s\n", viaduct_error(NULL));
		return 3;
	}
	snprintf(vti.name, sizeof(vti.name), "%s", argv[1]);
	vti.local = t.local;
	vti.remote = t.remote;
	vti.reqid = t.reqid;
	must(v, viaduct_call(v, VIADUCT_VTI_ADD, &vti, NULL), "VTI");
	must(v, viaduct_call(v, VIADUCT_SUBSCRIBE, &sub, NULL), "events");
	for (;;) {
		if (t.rekey)
			key(v, &t);
		must(v, viaduct_events(v, -1, on_event, &t), "events");
	}
}
