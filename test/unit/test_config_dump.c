/* SPDX-License-Identifier: BSD-3-Clause */
/* What runs, written as a file: read again it makes the same, and it never holds a key. */
#include "control/reload/config_dump.h"

#include "reload_fixture.h"

static char *dump(void)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	config_write_running(f, running);
	fclose(f);
	return text;
}

/* Its dump, after a start from the text, is the text again. */
static void check_round_trip(const char *text)
{
	char *again;

	start(text);
	again = dump();
	CU_ASSERT_STRING_EQUAL(again, text);
	if (strcmp(again, text) != 0)
		printf("    was:\n%s\n    is:\n%s\n", text, again);
	free(again);
	stop();
}

static void everything_comes_back(void)
{
	struct viaduct_vti r = request("vti5", "", "");
	char *auth = strdup(write_file("auth", KEY32 "\n")), *text, config[4096];
	struct viaduct_route route = {
		.origin = VIADUCT_ORIGIN_API, .type = VIADUCT_ROUTE_UNICAST, .metric = 3000000000};

	snprintf(config, sizeof(config),
		"socket = \"/tmp/a \\\"b\\\".sock\"; log_level = \"error\"; huge_pages = true;\n"
		"max_routes = { ipv6 = 99; }; replay_window = 0x80;\n"
		"workers = { cores = [ 3, -1 ]; idle_us = 0; }; eal_args = \"--a \\\\ b\";\n"
		"ports = ( { name = \"p0\"; device = \"net_tap0,iface=x\"; mtu = 1400; promiscuous "
		"= true; "
		"mac = \"02:00:00:00:00:01\"; }, { name = \"v\"; parent = \"p0\"; vlan = 9; },"
		"{ name = \"w\"; parent = \"p0\"; vlan = 10; mtu = 1399; } );\n"
		"vtis = ( { name = \"vti0\"; local = \"2001:db8::1\"; remote = \"2001:db8::2\"; "
		"if_id = "
		"0xfffffffe; mark = \"5/0xff\"; mtu = 1300; up = false; description = \"a\\tb "
		"\xc3\xa9\"; "
		"},\n{ name = \"vti1\"; reqid = 7; mark = 12; } );\n"
		"sas = ( { dir = \"in\"; src = \"192.0.2.2\"; dst = \"192.0.2.1\"; spi = "
		"0xfffffff0; reqid = "
		"7; cipher = \"null\"; auth = \"hmac-sha2-256-128\"; auth_key_file = \"%s\"; esn = "
		"true;\n"
		"replay_window = 1024; encap = { sport = 4501; }; } );\n"
		"routes = ( { to = \"default\"; dev = \"vti0\"; },\n{ to = \"2001:db8::/32\"; via "
		"= "
		"\"2001:db8:1::1\"; metric = 5; }, { to = \"10.9.0.0/16\"; type = \"blackhole\"; } "
		");\n",
		auth);
	start(config);
	add(&r);
	prefix_parse("10.5.0.0/16", &route.prefix, &route.prefix_len);
	strcpy(route.dev, "vti5");
	CU_ASSERT_EQUAL(route_add(&route, &e), 0);
	text = dump();
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "if_id = 4294967294L;"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "name = \"vti5\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "metric = 3000000000L;"));
	CU_ASSERT_PTR_NULL(strstr(text, "0x00010203"));
	CU_ASSERT_PTR_NULL(strstr(text, "memory_mb"));
	check_round_trip(text);
	free(text);
	free(auth);
	stop();
}

static void what_was_changed_at_run_time_is_written(void)
{
	struct viaduct_vti set = {.name = "vti0",
		.fields = VIADUCT_VTI_MTU | VIADUCT_VTI_ADMIN | VIADUCT_VTI_PARALLEL |
			VIADUCT_VTI_DSCP | VIADUCT_VTI_ECN | VIADUCT_VTI_TTL,
		.mtu = 1280,
		.dscp = VIADUCT_DSCP_MAP,
		.dscp_map = {[0] = 1, 2, 2, 2, [63] = 9},
		.ecn = VIADUCT_ECN_TRUE,
		.ttl = 255,
		.parallel = 1};
	struct viaduct_route api = {.origin = VIADUCT_ORIGIN_API, .type = VIADUCT_ROUTE_PROHIBIT};
	char *text;

	start("vtis = ( { name = \"vti0\"; } );\n"
	      "routes = ( { to = \"10.2.0.0/16\"; dev = \"vti0\"; } );\n");
	CU_ASSERT_EQUAL(vti_set(&set, NULL, &e), 0);
	/* The API's, which is the one in use, stands for both. */
	api.prefix = running->routes[0].prefix;
	api.prefix_len = 16;
	CU_ASSERT_EQUAL(route_add(&api, &e), 0);
	text = dump();
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "mtu = 1280;"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "up = false;"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "parallel = true;"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "dscp = \"0:1,1-3:2,4-62:0,63:9\";"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "ecn = true;"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "ttl = 255;"));
	CU_ASSERT_PTR_NULL(strstr(text, "df ="));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "type = \"prohibit\";"));
	CU_ASSERT_PTR_NULL(strstr(text, "dev = "));
	CU_ASSERT_PTR_NULL(strstr(text, "reqid"));
	check_round_trip(text);
	free(text);
	stop();
}

static void keys_are_never_written(void)
{
	struct viaduct_sa r = sa_request(VIADUCT_OUT, 5000, 0);
	char *text;

	memset(r.enc_key, 0x5a, sizeof(r.enc_key));
	start(SA(ALGS));
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	r.id.spi = 5001;
	r.flags = VIADUCT_SA_IKE;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	text = dump();
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n#\t\tspi = 10001;\n"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "\n# An SA that came by the API, keys unknown: 0x00001388"));
	CU_ASSERT_PTR_NULL(strstr(text, "0x00001389"));
	CU_ASSERT_PTR_NULL(strstr(text, "\nsas"));
	CU_ASSERT_PTR_NULL(strstr(text, "00010203"));
	CU_ASSERT_PTR_NULL(strstr(text, "5a5a"));
	free(text);
	stop();
}

static int gather(const struct viaduct_text *t, void *arg)
{
	CU_ASSERT(strlen(t->text) < sizeof(t->text));
	strcat(arg, t->text);
	return 0;
}

static void pieces_make_the_whole(void)
{
	static char text[1 << 17], config[1 << 16];
	size_t n = snprintf(config, sizeof(config), "vtis = ( { name = \"a\"; if_id = 1; }");
	char *whole;

	for (unsigned i = 2; i < 500; i++)
		n += snprintf(
			config + n, sizeof(config) - n, ", { name = \"v%u\"; if_id = %u; }", i, i);
	snprintf(config + n, sizeof(config) - n, " );\n");
	start(config);
	whole = dump();
	CU_ASSERT_EQUAL(config_dump(gather, text, &e), 0);
	CU_ASSERT_STRING_EQUAL(text, whole);
	check_round_trip(text);
	free(whole);
	stop();
}

int main(int argc, char **argv)
{
	static const CU_TestInfo tests[] = {UNIT_TEST(everything_comes_back),
		UNIT_TEST(what_was_changed_at_run_time_is_written),
		UNIT_TEST(keys_are_never_written), UNIT_TEST(pieces_make_the_whole),
		CU_TEST_INFO_NULL};

	return reload_run("config_dump", tests, argc, argv);
}
