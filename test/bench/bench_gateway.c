/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole turns of two gateways in one process: one encrypts what a capture file feeds it, the other
 * decrypts it, with fresh sequence numbers and so with replay protection on. See bench_gateway --help. */
#include "bench_gateway.h"

#include "bench_gateway_rounds.h"
#include "control/iface/vti.h"
#include "control/sa/sadb.h"
#include "dataplane/crypto.h"
#include "dataplane/crypto_key.h"
#include "frame.h"

#include <rte_cycles.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
	"Usage: bench_gateway [option]...\n"
	"\n"
	"TSC cycles a packet of whole worker turns on one core, encrypting and decrypting, in "
	"tunnel\n"
	"mode with replay protection on. One worker encrypts the packets of a capture file that\n"
	"DPDK's pcap driver replays for ever; another one gets them by a ring, decrypts them, "
	"routes\n"
	"them and sends them to a device that frees them. I/O alone and IPsec-MB alone are "
	"measured\n"
	"in the same rounds; their sum is the limit. Decrypting is shown as if the packets had "
	"come\n"
	"from a capture file, too: less the ring's I/O, plus the capture file's.\n"
	"\n"
	"  --size N      bytes of the inner IP packets, or imix (7 x 64, 4 x 570, 1 x 1420) [64]\n"
	"  --alg NAME    algorithm, e.g. aes-gcm-256 or \"aes-cbc-128 sha1\" [aes-gcm-128]\n"
	"  --tunnels N   packets go to all tunnels in random order [1]\n"
	"  --routes N    random prefixes, with destinations in all of them [one a tunnel]\n"
	"  --frames N    in the capture file, at least one a tunnel [256]\n"
	"  --window N    replay window, packets [64]\n"
	"  --family N    4 or 6: of the inner packets [4]\n"
	"  --outer N     4 or 6: of the tunnels' ends [4]\n"
	"  --natt        ESP in UDP\n"
	"  --esn         64-bit sequence numbers\n"
	"  --huge        memory from huge pages\n"
	"  --cpu N       CPU to run on [0]\n"
	"  --seconds N   how long to measure [5]\n"
	"  --json        print JSON\n";

enum option_key {
	OPT_SIZE = 1,
	OPT_ALG,
	OPT_TUNNELS,
	OPT_ROUTES,
	OPT_FRAMES,
	OPT_WINDOW,
	OPT_FAMILY,
	OPT_OUTER,
	OPT_NATT,
	OPT_ESN,
	OPT_HUGE,
	OPT_CPU,
	OPT_SECONDS,
	OPT_JSON,
	OPT_HELP
};

static const struct option long_options[] = {
	{"size", required_argument, NULL, OPT_SIZE},
	{"alg", required_argument, NULL, OPT_ALG},
	{"tunnels", required_argument, NULL, OPT_TUNNELS},
	{"routes", required_argument, NULL, OPT_ROUTES},
	{"frames", required_argument, NULL, OPT_FRAMES},
	{"window", required_argument, NULL, OPT_WINDOW},
	{"family", required_argument, NULL, OPT_FAMILY},
	{"outer", required_argument, NULL, OPT_OUTER},
	{"natt", no_argument, NULL, OPT_NATT},
	{"esn", no_argument, NULL, OPT_ESN},
	{"huge", no_argument, NULL, OPT_HUGE},
	{"cpu", required_argument, NULL, OPT_CPU},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"json", no_argument, NULL, OPT_JSON},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static unsigned number(const char *what, const char *text, unsigned min, unsigned max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n < min || n > max) {
		fprintf(stderr, "bench_gateway: --%s: %s, but a number from %u to %u is expected\n",
			what, text, min, max);
		exit(2);
	}
	return n;
}

static uint8_t family(const char *what, const char *text)
{
	unsigned n = number(what, text, 4, 6);

	must(n != 5, "family: 5, but 4 or 6 is expected");
	return n;
}

static const struct algorithm *algorithm(const char *name)
{
	for (unsigned i = 0; i < RTE_DIM(algorithms); i++) {
		if (strcmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	}
	fprintf(stderr, "bench_gateway: --alg: %s, but one of these is expected:\n", name);
	for (unsigned i = 0; i < RTE_DIM(algorithms); i++)
		fprintf(stderr, "  %s\n", algorithms[i].name);
	exit(2);
}

static void set_option(struct options *o, int key, const char *value)
{
	switch (key) {
	case OPT_SIZE:
		o->size = strcmp(value, "imix") == 0 ? 0 : number("size", value, 48, 1500);
		break;
	case OPT_ALG:
		o->alg = algorithm(value);
		break;
	case OPT_TUNNELS:
		o->tunnels = number("tunnels", value, 1, 30000);
		break;
	case OPT_ROUTES:
		o->routes = number("routes", value, 1, 1000000);
		break;
	case OPT_FRAMES:
		o->frames = number("frames", value, 1, 1000000);
		break;
	case OPT_WINDOW:
		o->window = number("window", value, REPLAY_WINDOW_MIN, REPLAY_WINDOW_MAX);
		break;
	case OPT_FAMILY:
		o->inner = family("family", value);
		break;
	case OPT_OUTER:
		o->outer = family("outer", value);
		break;
	case OPT_NATT:
		o->natt = true;
		break;
	case OPT_ESN:
		o->esn = true;
		break;
	case OPT_HUGE:
		o->huge = true;
		break;
	case OPT_CPU:
		o->cpu = number("cpu", value, 0, RTE_MAX_LCORE - 1);
		break;
	case OPT_SECONDS:
		o->seconds = atof(value);
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_HELP:
		fputs(usage, stdout);
		exit(0);
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

static struct options parse_options(int argc, char **argv)
{
	struct options o = {
		.alg = &algorithms[0],
		.size = 64,
		.tunnels = 1,
		.frames = VEC_MAX,
		.window = REPLAY_WINDOW_DEFAULT,
		.inner = IP_V4,
		.outer = IP_V4,
		.seconds = 5,
	};
	int key;

	while ((key = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		set_option(&o, key, optarg);
	if (optind != argc) {
		fputs(usage, stderr);
		exit(2);
	}
	return o;
}

/* What another worker adds to a tunnel: its lines of counters. */
static size_t memory_per_worker(void)
{
	return sizeof(struct iface_stats) + 2 * sizeof(struct sa_worker);
}

/* What the control thread knows of a tunnel besides: its VTI and two SAs. */
static size_t memory_control(void)
{
	return sizeof(struct vti) + 2 * sizeof(struct sa_entry);
}

static void print_memory(void)
{
	size_t shared = world.tunnels_memory / world.opt.tunnels - memory_per_worker();

	/* The heap's own granularity shows with few. */
	if (world.opt.tunnels < 100)
		return;
	printf("memory of an idle tunnel: %zu bytes shared by the workers (interface, next hop, "
	       "two "
	       "SAs of %zu bytes, two key schedules of %zu), %zu a worker, %zu of the control "
	       "thread's\n",
		shared, sizeof(struct sa), (size_t)world.tunnel[0].sa_out->key->size,
		memory_per_worker(), memory_control());
}

static void print_figure(const struct result *r, const char *name, unsigned k)
{
	printf("  %-44s %7.1f %7.1f\n", name, r->best[k], r->median[k]);
}

static void print_ratio(const struct result *r, const char *name, unsigned k)
{
	printf("  %-44s %7.2f %7.2f\n", name, r->best[k], r->median[k]);
}

static void print_head(const struct result *r)
{
	const struct options *o = &world.opt;
	char size[32] = "IMIX";

	if (o->size != 0)
		snprintf(size, sizeof(size), "%u bytes", o->size);
	printf("%s, %s, IPv%u in IPv%u%s%s, %u tunnels, %u routes, %u frames, window %u\n"
	       "%s, TSC %.3f GHz, %u rounds, cycles a packet: best, median\n",
		o->alg->name, size, o->inner, o->outer, o->natt ? " in UDP" : "",
		o->esn ? ", ESN" : "", o->tunnels, load_prefixes(), world.load.n, o->window,
		crypto_ctx_arch(world.near->crypto), rte_get_tsc_hz() / 1e9, r->rounds);
}

static void print_text(const struct result *r)
{
	print_head(r);
	print_figure(r, "I/O, inner packets, bursts of 32", FLOOR_INNER32);
	print_figure(r, "I/O, inner packets, bursts of 64", FLOOR_INNER64);
	print_figure(r, "I/O, ESP packets, bursts of 32", FLOOR_ESP32);
	print_figure(r, "I/O, ESP packets, bursts of 64", FLOOR_ESP64);
	print_figure(r, "I/O, ESP packets from the ring", FLOOR_RING);
	print_figure(r, "crypto alone, encrypting", SEAL);
	print_figure(r, "crypto alone, decrypting", OPEN);
	print_figure(r, "encrypting", ENCRYPTING);
	print_figure(r, "  its limit", ENCRYPTING_LIMIT);
	print_ratio(r, "  ratio", ENCRYPTING_RATIO);
	print_figure(r, "decrypting, from the ring", DECRYPTING_TURN);
	print_figure(r, "decrypting", DECRYPTING);
	print_figure(r, "  its limit", DECRYPTING_LIMIT);
	print_ratio(r, "  ratio", DECRYPTING_RATIO);
	print_ratio(r, "  ratio, I/O of the inner packets", DECRYPTING_RATIO_INNER);
	print_memory();
}

/* Where the decrypting worker's cycles went, by its own counters: the mean of all its turns. */
static void print_stages(void)
{
	const struct cycles *c = &world.far->cycles;
	uint64_t packets = RTE_MAX(c->stage[CYCLES_RX].packets, UINT64_C(1));
	const char *comma = "";

	printf(", \"decrypt_stages\": [");
	for (unsigned i = 0; i < CYCLES_STAGE_COUNT; i++) {
		if (cycles_kind(i) == CYCLES_REST)
			continue;
		printf("%s{\"stage\": \"%s\", \"cycles_per_packet\": %.3f}", comma, cycles_name(i),
			(double)c->stage[i].cycles / packets);
		comma = ", ";
	}
	printf("]");
}

static void print_json(const struct result *r)
{
	static const char *const names[FIGURES] = {
		[ENCRYPTING] = "encrypt",
		[FLOOR_INNER32] = "io_inner_32",
		[FLOOR_INNER64] = "io_inner_64",
		[SEAL] = "crypto_seal",
		[DECRYPTING_TURN] = "decrypt_from_ring",
		[FLOOR_RING] = "io_ring",
		[FLOOR_ESP32] = "io_esp_32",
		[FLOOR_ESP64] = "io_esp_64",
		[OPEN] = "crypto_open",
		[ENCRYPTING_LIMIT] = "encrypt_limit",
		[ENCRYPTING_RATIO] = "encrypt_ratio",
		[DECRYPTING] = "decrypt",
		[DECRYPTING_LIMIT] = "decrypt_limit",
		[DECRYPTING_RATIO] = "decrypt_ratio",
		[DECRYPTING_RATIO_INNER] = "decrypt_ratio_inner_io",
	};
	const struct options *o = &world.opt;

	printf("{\"algorithm\": \"%s\", \"size\": %u, \"imix\": %s, \"inner\": %u, \"outer\": %u, "
	       "\"natt\": %s, \"esn\": %s, \"tunnels\": %u, \"routes\": %u, \"frames\": %u, "
	       "\"window\": %u, \"arch\": \"%s\", \"tsc_hz\": %lu, \"rounds\": %u",
		o->alg->name, o->size, o->size == 0 ? "true" : "false", o->inner, o->outer,
		o->natt ? "true" : "false", o->esn ? "true" : "false", o->tunnels, load_prefixes(),
		world.load.n, o->window, crypto_ctx_arch(world.near->crypto), rte_get_tsc_hz(),
		r->rounds);
	printf(", \"memory_per_tunnel\": %zu, \"memory_per_tunnel_and_worker\": %zu, "
	       "\"memory_per_tunnel_control\": %zu",
		world.tunnels_memory / o->tunnels - memory_per_worker(), memory_per_worker(),
		memory_control());
	for (unsigned k = 0; k < FIGURES; k++)
		printf(", \"%s\": {\"best\": %.3f, \"median\": %.3f}", names[k], r->best[k],
			r->median[k]);
	print_stages();
	printf("}\n");
}

int main(int argc, char **argv)
{
	struct result r;

	world.opt = parse_options(argc, argv);
	world_make(argv[0]);
	alone_init();
	r = rounds_run(world.opt.seconds);
	if (world.opt.json)
		print_json(&r);
	else
		print_text(&r);
	return 0;
}
