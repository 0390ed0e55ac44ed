/* SPDX-License-Identifier: BSD-3-Clause */
/* Many tunnels in a running viaductd: interfaces t0, t1 .. with a pair of AES-GCM-128 SAs each.
 *
 *	fill_tunnels SOCKET COUNT
 *
 * Tunnel n goes from 192.0.2.1 to 198.18.0.0 + n and has the reqid n + 1. Prints how long it took. */
#include "control/lib/viaduct.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_SPI 65536
#define KEY_LEN   20

static void must(struct viaduct *v, int ret, const char *what, unsigned n)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "fill_tunnels: %s %u: %s\n", what, n, viaduct_error(v));
	exit(1);
}

static struct viaduct_addr address(uint32_t a)
{
	struct viaduct_addr addr = {.family = 4};

	a = htonl(a);
	memcpy(addr.bytes, &a, sizeof(a));
	return addr;
}

static struct viaduct_addr local(void)
{
	return address(0xc0000201);
}

static struct viaduct_addr remote(unsigned n)
{
	return address(0xc6120000 + n);
}

static void add_vti(struct viaduct *v, unsigned n)
{
	struct viaduct_vti vti = {.fields = VIADUCT_VTI_LOCAL | VIADUCT_VTI_REMOTE |
			VIADUCT_VTI_REQID | VIADUCT_VTI_MTU | VIADUCT_VTI_ADMIN,
		.local = local(),
		.remote = remote(n),
		.reqid = n + 1,
		.mtu = 1500,
		.admin_up = 1};

	snprintf(vti.name, sizeof(vti.name), "t%u", n);
	must(v, viaduct_call(v, VIADUCT_VTI_ADD, &vti, NULL), "VTI", n);
}

static void add_sa(struct viaduct *v, unsigned n, uint8_t dir)
{
	struct viaduct_sa sa = {.dir = dir,
		.cipher = VIADUCT_CIPHER_AES_GCM_16,
		.reqid = n + 1,
		.enc_key_len = KEY_LEN};

	sa.id.spi = FIRST_SPI + n;
	sa.id.dst = dir == VIADUCT_IN ? local() : remote(n);
	sa.src = dir == VIADUCT_IN ? remote(n) : local();
	memcpy(sa.enc_key, &n, sizeof(n));
	must(v, viaduct_call(v, VIADUCT_SA_ADD, &sa, NULL), "SA", n);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	unsigned count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	double start = now(), vtis;
	struct viaduct *v;

	if (count == 0 || count > 65536) {
		fprintf(stderr, "usage: fill_tunnels SOCKET COUNT (1 to 65536)\n");
		return 2;
	}
	v = viaduct_open(argv[1], "fill_tunnels");
	if (v == NULL) {
		fprintf(stderr, "fill_tunnels: %s\n", viaduct_error(NULL));
		return 3;
	}
	for (unsigned n = 0; n < count; n++)
		add_vti(v, n);
	vtis = now();
	for (unsigned n = 0; n < count; n++) {
		add_sa(v, n, VIADUCT_OUT);
		add_sa(v, n, VIADUCT_IN);
	}
	printf("%u VTIs in %.3f s, their SAs in %.3f s\n", count, vtis - start, now() - vtis);
	viaduct_close(v);
	return 0;
}
