/* SPDX-License-Identifier: BSD-3-Clause */
/* How fast does viaductd take SAs over its socket?
 *
 *	bench_api [-s SOCKET] [--sas N] [--tunnels N] [--routes N] [--rounds N] [--one-by-one] [--keep]
 *
 * Adds and removes N SAs (50,000; AES-GCM-128, half of them outbound), pipelined, in so many rounds (3),
 * and prints SAs per second. --tunnels: spread over so many VTIs b0, b1 .. made first, else they belong
 * to none. --one-by-one: each answer awaited, for comparison. --keep: the last round's SAs and VTIs stay.
 * --routes: so many blackhole routes too, and dumps of all there is. Meanwhile another client asks for the
 * status again and again: the longest it waited is printed with each step. */
#include "control/lib/viaduct.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_SPI   0x100000
#define FIRST_REQID 1000000

static struct {
	const char *socket;
	unsigned sas, tunnels, routes, rounds;
	int one_by_one, keep;
} opt = {.sas = 50000, .rounds = 3};

static struct viaduct *v;

static void die(const char *what)
{
	fprintf(stderr, "bench_api: %s: %s\n", what, viaduct_error(v));
	exit(1);
}

static struct viaduct_addr address(uint32_t a)
{
	struct viaduct_addr addr = {.family = 4};

	a = htonl(a);
	memcpy(addr.bytes, &a, sizeof(a));
	return addr;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* The other client. */
static _Atomic uint64_t waited_ns;
static atomic_bool ended;

static void *other_client(void *arg)
{
	struct viaduct *other = viaduct_open(opt.socket, "bench_api-other");
	struct viaduct_status st;
	double start;
	uint64_t ns;

	while (other != NULL && !ended) {
		start = now();
		if (viaduct_call(other, VIADUCT_STATUS, NULL, &st) < 0)
			break;
		ns = (now() - start) * 1e9;
		if (ns > waited_ns)
			waited_ns = ns;
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	viaduct_close(other);
	return arg;
}

static void step(const char *what, unsigned n, double since)
{
	printf("%-16s %8u  %9.0f per second  another client waited %.1f ms\n", what, n,
		n / (now() - since), waited_ns / 1e6);
	fflush(stdout);
	waited_ns = 0;
}

static void on_answer(const struct viaduct_answer *a, void *what)
{
	if (a->status == 0)
		return;
	fprintf(stderr, "bench_api: %s: %s\n", (const char *)what, a->error);
	exit(1);
}

static void request(unsigned type, const void *req, const char *what)
{
	if (opt.one_by_one ? viaduct_call(v, type, req, NULL) < 0
			   : viaduct_send(v, type, req, on_answer, (void *)what) < 0)
		die(what);
}

static void finish(const char *what)
{
	if (viaduct_flush(v) < 0)
		die(what);
}

static struct viaduct_addr here(void)
{
	return address(0xc0000201);
}

/* SA n belongs to tunnel n / 2 % tunnels, in and out by turns. */
static struct viaduct_addr there(unsigned n)
{
	return address(0xc6120000 + (opt.tunnels > 0 ? n / 2 % opt.tunnels : 0));
}

static struct viaduct_sa_id id_of(unsigned n)
{
	return (struct viaduct_sa_id){.dst = n % 2 ? here() : there(n), .spi = FIRST_SPI + n};
}

static void add_sas(void)
{
	for (unsigned n = 0; n < opt.sas; n++) {
		struct viaduct_sa sa = {.dir = n % 2 ? VIADUCT_IN : VIADUCT_OUT,
			.cipher = VIADUCT_CIPHER_AES_GCM_16,
			.id = id_of(n),
			.src = n % 2 ? there(n) : here(),
			.reqid = opt.tunnels > 0 ? FIRST_REQID + n / 2 % opt.tunnels : FIRST_REQID,
			.enc_key_len = 20};

		memcpy(sa.enc_key, &n, sizeof(n));
		request(VIADUCT_SA_ADD, &sa, "SA_ADD");
	}
	finish("SA_ADD");
}

static void del_sas(void)
{
	for (unsigned n = 0; n < opt.sas; n++) {
		const struct viaduct_sa_id id = id_of(n);

		request(VIADUCT_SA_DEL, &id, "SA_DEL");
	}
	finish("SA_DEL");
}

static void add_vtis(void)
{
	for (unsigned n = 0; n < opt.tunnels; n++) {
		struct viaduct_vti vti = {.fields = VIADUCT_VTI_REQID | VIADUCT_VTI_MTU,
			.reqid = FIRST_REQID + n,
			.mtu = 1400};

		snprintf(vti.name, sizeof(vti.name), "b%u", n);
		request(VIADUCT_VTI_ADD, &vti, "VTI_ADD");
	}
	finish("VTI_ADD");
}

static void del_vtis(void)
{
	for (unsigned n = 0; n < opt.tunnels; n++) {
		struct viaduct_name name;

		snprintf(name.name, sizeof(name.name), "b%u", n);
		request(VIADUCT_VTI_DEL, &name, "VTI_DEL");
	}
	finish("VTI_DEL");
}

static void routes(unsigned type)
{
	for (unsigned n = 0; n < opt.routes; n++) {
		const struct viaduct_route r = {.prefix = address(0x0b000000 + (n << 8)),
			.prefix_len = 24,
			.type = VIADUCT_ROUTE_BLACKHOLE};

		request(type, &r, "ROUTE");
	}
	finish("ROUTE");
}

static int count_item(const void *item, void *n)
{
	(void)item;
	++*(unsigned *)n;
	return 0;
}

static int count_any(unsigned type, const void *item, void *n)
{
	(void)type;
	return count_item(item, n);
}

static void dump(unsigned type, const char *what)
{
	const double start = now();
	unsigned n = 0;

	if (viaduct_dump(v, type, NULL, count_item, &n) < 0)
		die(what);
	step(what, n, start);
}

static void dump_routes(void)
{
	double start = now();
	unsigned n = 0;

	routes(VIADUCT_ROUTE_ADD);
	step("routes added", opt.routes, start);
	dump(VIADUCT_ROUTE_DUMP, "routes dumped");
	dump(VIADUCT_ROUTE_DUMP, "once more");
	dump(VIADUCT_SA_DUMP, "SAs dumped");
	start = now();
	if (viaduct_snapshot(v, 0, count_any, &n) < 0)
		die("snapshot");
	step("snapshot", n, start);
	start = now();
	routes(VIADUCT_ROUTE_DEL);
	step("routes removed", opt.routes, start);
}

static void parse(int argc, char **argv)
{
	static const struct option longopts[] = {{"socket", required_argument, NULL, 's'},
		{"sas", required_argument, NULL, 'n'}, {"tunnels", required_argument, NULL, 't'},
		{"routes", required_argument, NULL, 'R'}, {"rounds", required_argument, NULL, 'r'},
		{"one-by-one", no_argument, &opt.one_by_one, 1},
		{"keep", no_argument, &opt.keep, 1}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "s:", longopts, NULL)) != -1) {
		if (c == 's')
			opt.socket = optarg;
		else if (c == 'n')
			opt.sas = strtoul(optarg, NULL, 10);
		else if (c == 't')
			opt.tunnels = strtoul(optarg, NULL, 10);
		else if (c == 'R')
			opt.routes = strtoul(optarg, NULL, 10);
		else if (c == 'r')
			opt.rounds = strtoul(optarg, NULL, 10);
		else if (c == '?')
			exit(2);
	}
}

static void rounds(void)
{
	double start;

	for (unsigned i = 1; i <= opt.rounds; i++) {
		start = now();
		add_sas();
		step("SAs added", opt.sas, start);
		if (i == opt.rounds && opt.routes > 0)
			dump_routes();
		if (i == opt.rounds && opt.keep)
			return;
		start = now();
		del_sas();
		step("SAs removed", opt.sas, start);
	}
	start = now();
	del_vtis();
	if (opt.tunnels > 0)
		step("VTIs removed", opt.tunnels, start);
}

int main(int argc, char **argv)
{
	pthread_t other;
	double start;

	parse(argc, argv);
	v = viaduct_open(opt.socket, "bench_api");
	if (v == NULL) {
		fprintf(stderr, "bench_api: %s\n", viaduct_error(NULL));
		return 3;
	}
	if (pthread_create(&other, NULL, other_client, NULL) != 0)
		return 1;
	start = now();
	add_vtis();
	if (opt.tunnels > 0)
		step("VTIs added", opt.tunnels, start);
	rounds();
	ended = true;
	pthread_join(other, NULL);
	viaduct_close(v);
	return 0;
}
