/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductctl monitor: events, a line each, as they happen. */
#include "control/addr_text.h"
#include "control/cli/commands.h"
#include "control/cli/values.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

/* clang-format off */
#define EVENT(word, what, bit) {word, NULL, what, .set = set_value32, .min = (bit)}
static const struct keyword keywords[] = {
	EVENT("sa", "SAs that reach a lifetime", VIADUCT_SUB_SA),
	EVENT("acquire", "packets that found no SA", VIADUCT_SUB_ACQUIRE),
	EVENT("mapping", "peers whose NAT changed their address", VIADUCT_SUB_MAPPING),
	EVENT("vti", "VTIs whose state changed", VIADUCT_SUB_VTI),
	EVENT("drops", "packets of one reason are dropped at more than a rate, and when that ends", VIADUCT_SUB_DROPS),
	{"rate", "N", "for drops: packets per second", "100", .set = set_u32, .min = 1,
		.offset = offsetof(struct viaduct_subscribe, drops_per_second)},
	{0}};
/* clang-format on */

#define ALL                                                                                        \
	(VIADUCT_SUB_SA | VIADUCT_SUB_ACQUIRE | VIADUCT_SUB_MAPPING | VIADUCT_SUB_VTI |            \
		VIADUCT_SUB_DROPS)

static void add_sa_id(json_object *o, const struct viaduct_sa_id *id, uint32_t reqid)
{
	add_addr(o, "dst", &id->dst);
	add_number(o, "spi", id->spi);
	add_number(o, "reqid", reqid);
}

static json_object *expire_item(const struct viaduct_sa_expire *ev)
{
	json_object *o = json_object_new_object();

	add_text(o, "event", "sa_expire");
	add_bool(o, "hard", ev->hard);
	add_sa_id(o, &ev->id, ev->reqid);
	return o;
}

static json_object *acquire_item(const struct viaduct_acquire *ev)
{
	json_object *o = json_object_new_object();

	add_text(o, "event", "acquire");
	add_text(o, "vti", ev->vti);
	add_number(o, "reqid", ev->reqid);
	add_number(o, "if_id", ev->if_id);
	add_number(o, "mark", ev->mark);
	add_number(o, "mark_mask", ev->mark_mask);
	add_addr(o, "src", &ev->src);
	add_addr(o, "dst", &ev->dst);
	add_number(o, "proto", ev->proto);
	add_number(o, "sport", ev->sport);
	add_number(o, "dport", ev->dport);
	return o;
}

static json_object *mapping_item(const struct viaduct_mapping *ev)
{
	json_object *o = json_object_new_object();

	add_text(o, "event", "mapping");
	add_sa_id(o, &ev->id, ev->reqid);
	add_addr(o, "new_src", &ev->new_src);
	add_number(o, "new_port", ev->new_port);
	return o;
}

static json_object *drops_item(const struct viaduct_drops *ev)
{
	json_object *o = json_object_new_object();

	add_text(o, "event", "drops");
	add_text(o, "name", ev->name);
	add_bool(o, "over", ev->over);
	add_number(o, "per_second", ev->per_second);
	add_number(o, "threshold", ev->threshold);
	add_number(o, "packets", ev->packets);
	return o;
}

static json_object *event_item(unsigned type, const void *data)
{
	json_object *o;

	switch (type) {
	case VIADUCT_EVENT_SA_EXPIRE:
		return expire_item(data);
	case VIADUCT_EVENT_ACQUIRE:
		return acquire_item(data);
	case VIADUCT_EVENT_MAPPING:
		return mapping_item(data);
	case VIADUCT_EVENT_DROPS:
		return drops_item(data);
	case VIADUCT_EVENT_VTI:
		o = vti_item(data);
		add_text(o, "event", "vti");
		return o;
	}
	return NULL;
}

static void print_time(struct timespec now)
{
	char text[32];
	struct tm tm;

	localtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%F %T", &tm);
	printf("%s.%03ld ", text, now.tv_nsec / 1000000);
}

static bool has_ports(unsigned proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

static void print_acquire(json_object *o)
{
	const unsigned proto = item_number(o, "proto");

	printf("acquire vti %s reqid %" PRIu64 " for %s to %s proto %u", item_text(o, "vti"),
		item_number(o, "reqid"), item_text(o, "src"), item_text(o, "dst"), proto);
	if (has_ports(proto))
		printf(" sport %" PRIu64 " dport %" PRIu64, item_number(o, "sport"),
			item_number(o, "dport"));
}

/* The words of ip monitor: what, then keyword and value. */
static void print_line(unsigned type, json_object *o)
{
	switch (type) {
	case VIADUCT_EVENT_SA_EXPIRE:
		printf("sa %s-expire dst %s spi 0x%08" PRIx64 " reqid %" PRIu64,
			json_object_get_boolean(item_at(o, "hard")) ? "hard" : "soft",
			item_text(o, "dst"), item_number(o, "spi"), item_number(o, "reqid"));
		break;
	case VIADUCT_EVENT_ACQUIRE:
		print_acquire(o);
		break;
	case VIADUCT_EVENT_MAPPING:
		printf("mapping spi 0x%08" PRIx64 " reqid %" PRIu64 " now from %s port %" PRIu64,
			item_number(o, "spi"), item_number(o, "reqid"), item_text(o, "new_src"),
			item_number(o, "new_port"));
		break;
	case VIADUCT_EVENT_VTI:
		printf("vti %s admin %s carrier %s mtu %" PRIu64 " sas in %" PRIu64 " out %" PRIu64,
			item_text(o, "name"),
			json_object_get_boolean(item_at(o, "admin_up")) ? "up" : "down",
			json_object_get_boolean(item_at(o, "carrier")) ? "up" : "down",
			item_number(o, "mtu"), item_number(o, "sas_in"), item_number(o, "sas_out"));
		break;
	case VIADUCT_EVENT_DROPS:
		printf("drops %s %s %" PRIu64 " per second, %" PRIu64 " per second now, %" PRIu64
		       " in all",
			item_text(o, "name"),
			json_object_get_boolean(item_at(o, "over")) ? "above" : "no longer above",
			item_number(o, "threshold"), item_number(o, "per_second"),
			item_number(o, "packets"));
		break;
	}
	putchar('\n');
	fflush(stdout);
}

static void on_event(unsigned type, const void *data, void *arg)
{
	json_object *o = event_item(type, data);
	const struct cli *cli = arg;
	struct timespec now;

	if (o == NULL)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	if (cli->json) {
		json_object_object_add(
			o, "time", json_object_new_double(now.tv_sec + now.tv_nsec / 1e9));
		line_print(o);
		return;
	}
	print_time(now);
	print_line(type, o);
	json_object_put(o);
}

static int run(struct cli *cli, void *req)
{
	struct viaduct_subscribe sub = *(const struct viaduct_subscribe *)req;
	int ret;

	if (sub.mask == 0)
		sub.mask = ALL;
	ret = cli_call(cli, VIADUCT_SUBSCRIBE, &sub, NULL);
	while (ret == EXIT_OK && viaduct_events(cli->v, -1, on_event, cli) >= 0 && !ferror(stdout))
		;
	if (ret != EXIT_OK)
		return ret;
	fprintf(stderr, "viaductctl: %s\n", viaduct_error(cli->v));
	return EXIT_UNREACHABLE;
}

static const struct verb verbs[] = {
	{"all", "print events until interrupted; name kinds to see only those", keywords,
		sizeof(struct viaduct_subscribe), .run = run},
	{0},
};

const struct object object_monitor = {"monitor", "events as they happen", verbs};
