/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration file: what it means, and the exact sentence for everything that is wrong in one. */
#include "config/config.h"
#include "config/reference.h"
#include "config/tables.h"

#include "unit.h"

#include <glob.h>
#include <libgen.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

/* libconfig 1.5 forgets its buffer when a file ends inside a string. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

static char dir[] = "/tmp/viaduct-test-config-XXXXXX";

static const char *write_file(const char *name, const char *text)
{
	static char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (f == NULL)
		abort();
	fputs(text, f);
	fclose(f);
	chmod(path, 0600);
	return path;
}

static struct config *load(const char *text)
{
	struct err e = {""};
	struct config *c = config_load(write_file("t.conf", text), &e);

	if (c == NULL)
		printf("    unexpected: %s\n", e.text);
	return c;
}

/* The file is refused with this sentence after "FILE:". */
static void refuses(const char *text, const char *expected)
{
	const char *path = write_file("t.conf", text);
	struct err e = {""};
	struct config *c = config_load(path, &e);
	const size_t n = strlen(path);

	CU_ASSERT_PTR_NULL(c);
	if (strncmp(e.text, path, n) != 0 || e.text[n] != ':' ||
		strcmp(e.text + n + 1, expected) != 0) {
		printf("\n    expected: %s:%s\n    got:      %s\n", path, expected, e.text);
		CU_FAIL("another sentence");
	}
	config_free(c);
}

static void empty_file_is_all_defaults(void)
{
	struct config *c = load("");

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_STRING_EQUAL(c->socket, "/run/viaduct/viaduct.sock");
	CU_ASSERT_STRING_EQUAL(c->log_level, "notice");
	CU_ASSERT_STRING_EQUAL(c->crypto, "ipsec-mb");
	CU_ASSERT_STRING_EQUAL(c->eal_args, "");
	CU_ASSERT_FALSE(c->huge_pages);
	CU_ASSERT_EQUAL(c->memory_mb, 1024);
	CU_ASSERT_EQUAL(c->mbufs, 32768);
	CU_ASSERT_EQUAL(c->mbuf_size, 2048);
	CU_ASSERT_EQUAL(c->max_routes4, 65536);
	CU_ASSERT_EQUAL(c->max_routes6, 16384);
	CU_ASSERT_EQUAL(c->replay_window, 64);
	CU_ASSERT_EQUAL(c->idle_us, 50);
	CU_ASSERT_EQUAL(c->n_cores, 1);
	CU_ASSERT_EQUAL(c->cores[0], -1);
	CU_ASSERT_EQUAL(c->n_ports + c->n_vtis + c->n_sas + c->n_routes, 0);
	config_free(c);
}

static void reads_scalars(void)
{
	struct config *c =
		load("socket = \"/tmp/v.sock\"; log_level = \"debug\";\n"
		     "crypto = \"crypto_openssl\"; huge_pages = true; memory_mb = 0x800;\n"
		     "mbufs = 8192; mbuf_size = 9216; replay_window = 4096;\n"
		     "max_routes = { ipv4 = 1000; };\n"
		     "eal_args = \"--log-level=pmd:8 --iova-mode=va\";\n"
		     "workers = { cores = [ 1, -1, 3 ]; idle_us = 0; };\n");

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_STRING_EQUAL(c->socket, "/tmp/v.sock");
	CU_ASSERT_STRING_EQUAL(c->log_level, "debug");
	CU_ASSERT_STRING_EQUAL(c->crypto, "crypto_openssl");
	CU_ASSERT_STRING_EQUAL(c->eal_args, "--log-level=pmd:8 --iova-mode=va");
	CU_ASSERT_TRUE(c->huge_pages);
	CU_ASSERT_EQUAL(c->memory_mb, 2048);
	CU_ASSERT_EQUAL(c->mbufs, 8192);
	CU_ASSERT_EQUAL(c->mbuf_size, 9216);
	CU_ASSERT_EQUAL(c->max_routes4, 1000);
	CU_ASSERT_EQUAL(c->max_routes6, 16384);
	CU_ASSERT_EQUAL(c->replay_window, 4096);
	CU_ASSERT_EQUAL(c->idle_us, 0);
	CU_ASSERT_EQUAL(c->n_cores, 3);
	CU_ASSERT_EQUAL(c->cores[0], 1);
	CU_ASSERT_EQUAL(c->cores[1], -1);
	CU_ASSERT_EQUAL(c->cores[2], 3);
	config_free(c);
}

static void reads_ports(void)
{
	struct config *c = load("ports = ( { name = \"wan0\"; device = \"net_tap0\"; },\n"
				"{ name = \"lan0\"; device = \"0000:03:00.0\"; rx_queues = 2;\n"
				"rx_descriptors = 512; tx_descriptors = 256; mtu = 9000;\n"
				"promiscuous = true; mac = \"02:00:00:00:00:01\"; } );");
	const struct config_port *p;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL_FATAL(c->n_ports, 2);
	p = &c->ports[0];
	CU_ASSERT_STRING_EQUAL(p->name, "wan0");
	CU_ASSERT_STRING_EQUAL(p->device, "net_tap0");
	CU_ASSERT_EQUAL(p->rx_queues, 0);
	CU_ASSERT_EQUAL(p->rx_descriptors, 1024);
	CU_ASSERT_EQUAL(p->tx_descriptors, 1024);
	CU_ASSERT_EQUAL(p->mtu, 1500);
	CU_ASSERT_FALSE(p->promiscuous);
	CU_ASSERT_STRING_EQUAL(p->mac, "");
	p = &c->ports[1];
	CU_ASSERT_STRING_EQUAL(p->device, "0000:03:00.0");
	CU_ASSERT_EQUAL(p->rx_queues, 2);
	CU_ASSERT_EQUAL(p->rx_descriptors, 512);
	CU_ASSERT_EQUAL(p->tx_descriptors, 256);
	CU_ASSERT_EQUAL(p->mtu, 9000);
	CU_ASSERT_TRUE(p->promiscuous);
	CU_ASSERT_STRING_EQUAL(p->mac, "02:00:00:00:00:01");
	config_free(c);
}

static void reads_vtis(void)
{
	struct config *c = load("vtis = ( { name = \"vti0\"; }, { name = \"vti1\"; up = false;\n"
				"local = \"192.0.2.1\"; remote = \"192.0.2.2\"; reqid = 100;\n"
				"if_id = 0xffffffff; mark = \"12/0xff\"; mtu = 1400;\n"
				"description = \"to B\"; }, { name = \"vti2\"; mark = 0x2a;\n"
				"local = \"2001:db8::1\"; remote = \"any\"; } );");
	const struct viaduct_vti *v;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL_FATAL(c->n_vtis, 3);
	v = &c->vtis[0];
	CU_ASSERT_STRING_EQUAL(v->name, "vti0");
	CU_ASSERT_EQUAL(v->fields, VIADUCT_VTI_ADMIN);
	CU_ASSERT_EQUAL(v->admin_up, 1);
	v = &c->vtis[1];
	CU_ASSERT_EQUAL(v->fields, 0xff);
	CU_ASSERT_EQUAL(v->admin_up, 0);
	CU_ASSERT_EQUAL(v->local.family, 4);
	CU_ASSERT_EQUAL(memcmp(v->local.bytes, "\xc0\x00\x02\x01", 4), 0);
	CU_ASSERT_EQUAL(memcmp(v->remote.bytes, "\xc0\x00\x02\x02", 4), 0);
	CU_ASSERT_EQUAL(v->reqid, 100);
	CU_ASSERT_EQUAL(v->if_id, 0xffffffff);
	CU_ASSERT_EQUAL(v->mark, 12);
	CU_ASSERT_EQUAL(v->mark_mask, 0xff);
	CU_ASSERT_EQUAL(v->mtu, 1400);
	CU_ASSERT_STRING_EQUAL(v->description, "to B");
	v = &c->vtis[2];
	CU_ASSERT_EQUAL(v->mark, 42);
	CU_ASSERT_EQUAL(v->mark_mask, 0);
	CU_ASSERT_EQUAL(v->local.family, 6);
	CU_ASSERT_EQUAL(v->local.bytes[15], 1);
	CU_ASSERT_EQUAL(v->remote.family, 0);
	config_free(c);
}

#define KEY16 "0x000102030405060708090a0b0c0d0e0f"
#define KEY20 KEY16 "10111213"
#define KEY32 KEY16 "101112131415161718191a1b1c1d1e1f"
#define SA(more)                                                                                   \
	"sas = ( { dir = \"in\"; src = \"192.0.2.2\"; dst = \"192.0.2.1\"; spi = 0x2711;\n" more   \
	" } );"
#define ALGS                                                                                       \
	"cipher = \"aes-cbc\"; key = \"" KEY16                                                     \
	"\";\nauth = \"hmac-sha2-256-128\"; auth_key = \"" KEY32 "\";"

static void reads_sas(void)
{
	struct config *c = load(SA(ALGS "reqid = 100; esn = true; replay_window = 128; mark = 7;\n"
					"if_id = 9; encap = { sport = 1024; };"));
	const struct viaduct_sa *a;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL_FATAL(c->n_sas, 1);
	a = &c->sas[0];
	CU_ASSERT_EQUAL(a->dir, VIADUCT_IN);
	CU_ASSERT_EQUAL(a->id.spi, 10001);
	CU_ASSERT_EQUAL(a->id.dst.family, 4);
	CU_ASSERT_EQUAL(memcmp(a->id.dst.bytes, "\xc0\x00\x02\x01", 4), 0);
	CU_ASSERT_EQUAL(memcmp(a->src.bytes, "\xc0\x00\x02\x02", 4), 0);
	CU_ASSERT_EQUAL(a->cipher, VIADUCT_CIPHER_AES_CBC);
	CU_ASSERT_EQUAL(a->auth, VIADUCT_AUTH_HMAC_SHA2_256_128);
	CU_ASSERT_EQUAL(a->enc_key_len, 16);
	CU_ASSERT_EQUAL(a->auth_key_len, 32);
	CU_ASSERT_EQUAL(a->enc_key[15], 15);
	CU_ASSERT_EQUAL(a->auth_key[31], 31);
	CU_ASSERT_EQUAL(a->flags, VIADUCT_SA_ESN | VIADUCT_SA_ENCAP);
	CU_ASSERT_EQUAL(a->sport, 1024);
	CU_ASSERT_EQUAL(a->dport, 4500);
	CU_ASSERT_EQUAL(a->reqid, 100);
	CU_ASSERT_EQUAL(a->mark, 7);
	CU_ASSERT_EQUAL(a->if_id, 9);
	CU_ASSERT_EQUAL(a->replay_window, 128);
	config_wipe_keys(c);
	CU_ASSERT_EQUAL(a->enc_key[15], 0);
	CU_ASSERT_EQUAL(a->auth_key[31], 0);
	config_free(c);
}

static void reads_null_with_integrity(void)
{
	struct config *c =
		load(SA("cipher = \"null\"; auth = \"hmac-sha1-96\"; auth_key = \"" KEY20 "\";"));

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL(c->sas[0].cipher, VIADUCT_CIPHER_NULL);
	CU_ASSERT_EQUAL(c->sas[0].enc_key_len, 0);
	CU_ASSERT_EQUAL(c->sas[0].auth, VIADUCT_AUTH_HMAC_SHA1_96);
	config_free(c);
}

static void reads_routes(void)
{
	struct config *c = load("routes = ( { to = \"10.2.0.0/16\"; dev = \"vti0\"; },\n"
				"{ to = \"default\"; via = \"192.0.2.254\"; metric = 10; },\n"
				"{ to = \"2001:db8::/32\"; type = \"blackhole\"; } );\n"
				"vtis = ( { name = \"vti0\"; } );");
	const struct viaduct_route *t;

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL_FATAL(c->n_routes, 3);
	t = c->routes;
	CU_ASSERT_EQUAL(t->prefix.family, 4);
	CU_ASSERT_EQUAL(memcmp(t->prefix.bytes, "\x0a\x02\x00\x00", 4), 0);
	CU_ASSERT_EQUAL(t->prefix_len, 16);
	CU_ASSERT_STRING_EQUAL(t->dev, "vti0");
	CU_ASSERT_EQUAL(t->type, VIADUCT_ROUTE_UNICAST);
	CU_ASSERT_EQUAL(t->origin, VIADUCT_ORIGIN_CONFIG);
	t++;
	CU_ASSERT_EQUAL(t->prefix.family, 4);
	CU_ASSERT_EQUAL(t->prefix_len, 0);
	CU_ASSERT_EQUAL(t->gateway.family, 4);
	CU_ASSERT_EQUAL(t->gateway.bytes[3], 254);
	CU_ASSERT_EQUAL(t->metric, 10);
	t++;
	CU_ASSERT_EQUAL(t->prefix.family, 6);
	CU_ASSERT_EQUAL(t->prefix_len, 32);
	CU_ASSERT_EQUAL(t->type, VIADUCT_ROUTE_BLACKHOLE);
	config_free(c);
}

struct refusal {
	const char *text, *expected;
};

static void refuse_all(const struct refusal *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		refuses(r[i].text, r[i].expected);
}

#define REFUSE_ALL(list) refuse_all(list, sizeof(list) / sizeof(list[0]))

static void refuses_bad_syntax(void)
{
	static const struct refusal list[] = {
		{"socket = ;", "1: syntax error"},
		{"\n\nports = ( {", "3: syntax error"},
		{"mbufs = 2048;\nmbufs = 2048;", "2: duplicate setting name"},
		{"\n@include \"nowhere.conf\"\n", "2: cannot open include file"},
	};

	REFUSE_ALL(list);
}

static void refuses_unknown_settings(void)
{
	static const struct refusal list[] = {
		{"\nsoket = \"/x\";", "2: soket: unknown setting; did you mean \"socket\"?"},
		{"bananas = 3;", "1: bananas: unknown setting"},
		{"workers = { core = [1]; };",
			"1: workers.core: unknown setting; did you mean \"cores\"?"},
		{"vtis = ( { name = \"a\"; },\n{ name = \"b\";\nif_idd = 1; } );",
			"3: vtis[1].if_idd: unknown setting; did you mean \"if_id\"?"},
		{SA("encap = { port = 1; };"),
			"2: sas[0].encap.port: unknown setting; did you mean \"sport\"?"},
	};

	REFUSE_ALL(list);
}

static void refuses_wrong_types_and_ranges(void)
{
	static const struct refusal list[] = {
		{"socket = 5;", "1: socket: 5; expected a path"},
		{"socket = \"v.sock\";", "1: socket: \"v.sock\"; expected an absolute path"},
		{"log_level = \"loud\";",
			"1: log_level: \"loud\"; expected error, warning, notice, "
			"info or debug"},
		{"crypto = \"\";", "1: crypto: \"\"; expected a text that is not empty"},
		{"huge_pages = 1;", "1: huge_pages: 1; expected true or false"},
		{"mbufs = \"many\";",
			"1: mbufs: \"many\"; expected a number from 1024 to 16777216"},
		{"mbufs = 12;", "1: mbufs: 12; expected a number from 1024 to 16777216"},
		{"mbufs = -1;", "1: mbufs: -1; expected a number from 1024 to 16777216"},
		{"mbufs = 1.5;", "1: mbufs: 1.5; expected a number from 1024 to 16777216"},
		{"mbufs = 0xffffffff;",
			"1: mbufs: 0xffffffff; expected a number from 1024 to 16777216"},
		{"replay_window = 31;", "1: replay_window: 31; expected a number from 32 to 4096"},
		{"replay_window = 4097;",
			"1: replay_window: 4097; expected a number from 32 to 4096"},
		{"max_routes = 5;", "1: max_routes: 5; expected a group { ... }"},
		{"max_routes = { ipv6 = 0; };",
			"1: max_routes.ipv6: 0; expected a number from 1 to 4194304"},
		{"ports = { };",
			"1: ports: a group { }; expected a list of groups: ( { ... }, "
			"{ ... } )"},
		{"ports = ( 5 );", "1: ports[0]: 5; expected a group { ... }"},
		{"vtis = [ ];",
			"1: vtis: an array [ ]; expected a list of groups: ( { ... }, "
			"{ ... } )"},
		{"workers = { cores = 1; };",
			"1: workers.cores: 1; expected an array of CPU numbers: [ 1, 2 ]"},
		{"workers = { cores = [ ]; };", "1: workers.cores: 0 CPUs; expected 1 to 64"},
		{"workers = { cores = [ 1, 1 ]; };",
			"1: workers.cores[1]: CPU 1 twice; expected one worker a CPU"},
		{"workers = { cores = [ 1024 ]; };",
			"1: workers.cores[0]: 1024; expected a CPU number from 0 to 1023, or -1 "
			"for "
			"any"},
	};

	REFUSE_ALL(list);
}

/* libconfig would read these as other numbers. */
static void refuses_numbers_that_libconfig_cuts(void)
{
	static const struct refusal list[] = {
		{"# 99999999999\nmbufs = 4294967295;",
			"2: 4294967295: number too large; expected 4294967295L where it is meant "
			"so"},
		{"eal_args = \"99999999999 \\\" 1\";\n/* 99999999999\n 99999999999 */ mbufs = "
		 "0x100001000;",
			"3: 0x100001000: number too large; expected 0x100001000L where it is meant "
			"so"},
		{"mbufs = 5000000000L;",
			"1: mbufs: 5000000000; expected a number from 1024 to 16777216"},
	};

	REFUSE_ALL(list);
}

static void accepts_large_spis(void)
{
	struct config *c =
		load("sas = ( { dir = \"in\"; src = \"192.0.2.2\"; dst = \"192.0.2.1\";\n"
		     "spi = 0xfedcba98;" ALGS "},\n{ dir = \"out\";\n"
		     "src = \"192.0.2.1\"; dst = \"192.0.2.2\"; spi = 4275878552L;\n" ALGS "} );");

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL(c->sas[0].id.spi, 0xfedcba98);
	CU_ASSERT_EQUAL(c->sas[1].id.spi, 0xfedcba98);
	config_free(c);
}

#define PORT(more) "ports = ( { name = \"wan0\"; device = \"net_tap0\";" more " } );"

static void refuses_bad_ports(void)
{
	static const struct refusal list[] = {
		{"ports = ( { device = \"x\"; } );",
			"1: ports[0]: no \"name\"; expected an interface name"},
		{"ports = (\n{ name = \"wan0\"; } );",
			"2: ports[0]: no \"device\"; expected a DPDK device"},
		{"ports = ( { name = \"wan0\"; device = \"\"; } );",
			"1: ports[0].device: \"\"; expected a DPDK device"},
		{"ports = ( { name = \"a/b\"; device = \"x\"; } );",
			"1: ports[0].name: \"a/b\"; expected 1 to 15 characters without '/', ':', "
			"'%' or spaces"},
		{"ports = ( { name = \"\"; device = \"x\"; } );",
			"1: ports[0].name: \"\"; expected 1 to 15 characters without '/', ':', '%' "
			"or spaces"},
		{"ports = ( { name = \"sixteen-letters-\"; device = \"x\"; } );",
			"1: ports[0].name: 16 characters; expected an interface name of at most "
			"15"},
		{PORT("mtu = 20;"), "1: ports[0].mtu: 20; expected a number from 68 to 16000"},
		{PORT("mac = \"01:00:00:00:00:00\";"),
			"1: ports[0].mac: \"01:00:00:00:00:00\"; expected a unicast MAC address "
			"such "
			"as 02:00:00:00:00:01"},
		{PORT("mac = \"02:00\";"),
			"1: ports[0].mac: \"02:00\"; expected a unicast MAC "
			"address such as 02:00:00:00:00:01"},
		{"ports = ( { name = \"a\"; device = \"x\"; },\n{ name = \"a\"; device = \"y\"; } "
		 ");",
			"2: ports[1].name: \"a\" twice; expected a name of its own"},
		{"ports = ( { name = \"a\"; device = \"x\"; },\n{ name = \"b\"; device = \"x\"; } "
		 ");",
			"2: ports[1].device: \"x\" is port a already; expected another device"},
		{PORT("") "\nvtis = ( { name = \"wan0\"; } );",
			"2: vtis[0].name: \"wan0\" twice; expected a name of its own"},
		{"vtis = ( { name = \"wan0\"; } );\n" PORT(""),
			"2: ports[0].name: \"wan0\" twice; expected a name of its own"},
	};

	REFUSE_ALL(list);
}

static void refuses_too_many_ports(void)
{
	char text[8192] = "ports = (", expected[128];

	for (unsigned i = 0; i <= CONFIG_PORTS_MAX; i++)
		sprintf(text + strlen(text), "%s{ name = \"p%u\"; device = \"d%u\"; }",
			i > 0 ? ",\n" : "\n", i, i);
	strcat(text, " );");
	sprintf(expected, "%u: ports[%u]: one too many; expected at most %u ports",
		CONFIG_PORTS_MAX + 2, CONFIG_PORTS_MAX, CONFIG_PORTS_MAX);
	refuses(text, expected);
}

#define VTI(more) "vtis = ( { name = \"vti0\";\n" more " } );"
#define ADDRESS   "expected a unicast IPv4 or IPv6 address, or \"any\""
#define MARK      "expected a mark as 12 or \"12/0xff\", without bits outside the mask"

static void refuses_bad_vtis(void)
{
	static const struct refusal list[] = {
		{VTI("local = \"192.0.2\";"), "2: vtis[0].local: \"192.0.2\"; " ADDRESS},
		{VTI("local = 5;"), "2: vtis[0].local: 5; " ADDRESS},
		{VTI("remote = \"224.0.0.5\";"), "2: vtis[0].remote: \"224.0.0.5\"; " ADDRESS},
		{VTI("remote = \"::\";"), "2: vtis[0].remote: \"::\"; " ADDRESS},
		{VTI("local = \"192.0.2.1\"; remote = \"2001:db8::1\";"),
			"2: vtis[0].remote: \"2001:db8::1\"; expected an address of the same "
			"family "
			"as local"},
		{VTI("local = \"192.0.2.1\";\nremote = \"192.0.2.1\";"),
			"3: vtis[0].remote: \"192.0.2.1\"; expected another address than local"},
		{VTI("reqid = -1;"),
			"2: vtis[0].reqid: -1; expected a number from 0 to 4294967295"},
		{VTI("mtu = 67;"),
			"2: vtis[0].mtu: 67; expected a number from 68 to 65535, or 0 to compute "
			"it"},
		{VTI("mtu = 65536;"),
			"2: vtis[0].mtu: 65536; expected a number from 68 to 65535, "
			"or 0 to compute it"},
		{VTI("mark = \"12/\";"), "2: vtis[0].mark: \"12/\"; " MARK},
		{VTI("mark = \"0x1ff/0xff\";"), "2: vtis[0].mark: \"0x1ff/0xff\"; " MARK},
		{VTI("mark = \"4294967296\";"), "2: vtis[0].mark: \"4294967296\"; " MARK},
		{VTI("mark = \" 1\";"), "2: vtis[0].mark: \" 1\"; " MARK},
		{VTI("mark = -1;"), "2: vtis[0].mark: -1; " MARK},
		{VTI("mark = true;"), "2: vtis[0].mark: true; " MARK},
		{VTI("up = \"yes\";"), "2: vtis[0].up: \"yes\"; expected true or false"},
		{"vtis = ( { name = \"a\"; reqid = 5; },\n{ name = \"b\"; reqid = 5; } );",
			"2: vtis[1]: same local, remote, if_id, mark and reqid as a; expected one "
			"of them to differ"},
		{"vtis = ( { name = \"a\"; if_id = 5; },\n{ name = \"b\"; if_id = 5; } );",
			"2: vtis[1]: same local, remote, if_id, mark and reqid as a; expected one "
			"of them to differ"},
	};

	REFUSE_ALL(list);
}

#define AUTH "auth = \"hmac-sha2-256-128\"; auth_key = \"" KEY32 "\";"

static void refuses_bad_sas(void)
{
	static const struct refusal list[] = {
		{"sas = ( { } );", "1: sas[0]: no \"dir\"; expected \"in\" or \"out\""},
		{"sas = ( { dir = \"up\"; } );",
			"1: sas[0].dir: \"up\"; expected \"in\" or \"out\""},
		{"sas = ( { src = \"any\"; } );",
			"1: sas[0].src: \"any\"; expected a unicast IPv4 or IPv6 address"},
		{"sas = ( { spi = 255; } );",
			"1: sas[0].spi: 255; expected a number from 256 to 4294967295"},
		{SA("cipher = \"3des\";"),
			"2: sas[0].cipher: \"3des\"; expected \"aes-cbc\" or \"null\""},
		{SA("cipher = \"aes-gcm-16\";"),
			"2: sas[0].cipher: \"aes-gcm-16\" would repeat IVs under the same key "
			"after "
			"a restart; expected \"aes-cbc\" or \"null\" with auth, or IKE (RFC 8221 "
			"3)"},
		{SA("cipher = \"chacha20-poly1305\";"),
			"2: sas[0].cipher: \"chacha20-poly1305\" would repeat IVs under the same "
			"key "
			"after a restart; expected \"aes-cbc\" or \"null\" with auth, or IKE (RFC "
			"8221 3)"},
		{SA("cipher = \"aes-cbc\"; key = \"" KEY16 "\";"),
			"1: sas[0]: no \"auth\"; encryption without integrity is refused (RFC 8221 "
			"4)"},
		{SA("cipher = \"aes-cbc\"; key = \"" KEY16
		    "\";\nauth = \"none\"; auth_key = \"0x00\";"),
			"3: sas[0].auth: integrity: none, but aes-cbc without integrity is not "
			"safe "
			"(RFC 8221)"},
		{SA("auth = \"hmac-md5\";"),
			"2: sas[0].auth: \"hmac-md5\"; expected \"hmac-sha2-256-128\", "
			"\"hmac-sha2-384-192\", \"hmac-sha2-512-256\" or \"hmac-sha1-96\""},
		{SA("cipher = \"aes-cbc\";\n" AUTH),
			"1: sas[0]: encryption key: 0 bytes, but aes-cbc takes 16, 24 or 32"},
		{SA("cipher = \"aes-cbc\";\nkey = \"" KEY20 "\";" AUTH),
			"3: sas[0].key: encryption key: 20 bytes, but aes-cbc takes 16, 24 or 32"},
		{SA("cipher = \"null\"; key = \"" KEY16 "\";" AUTH),
			"2: sas[0].key: encryption key: 16 bytes, but null takes 0"},
		{SA("cipher = \"aes-cbc\"; key = \"" KEY16
		    "\";\nauth = \"hmac-sha1-96\";\nauth_key = \"" KEY16 "\";"),
			"4: sas[0].auth_key: integrity key: 16 bytes, but hmac-sha1-96 takes 20"},
		{SA("key = \"secret\";"),
			"2: sas[0].key: not a key; expected \"0x\" and hexadecimal digits"},
		{SA("key = 0x0011;"),
			"2: sas[0].key: not a key; expected \"0x\" and hexadecimal digits"},
		{SA("key = \"0x\";"),
			"2: sas[0].key: 0 hexadecimal digits; expected two for each byte"},
		{SA("key = \"0x001\";"),
			"2: sas[0].key: 3 hexadecimal digits; expected two for each byte"},
		{SA("key = \"0x00g1\";"),
			"2: sas[0].key: character 5 is no hexadecimal digit; expected 0-9 and a-f"},
		{SA("key = \"0x001 \";"),
			"2: sas[0].key: character 6 is no hexadecimal digit; expected 0-9 and a-f"},
		{SA("key = \"" KEY32 "000000000000000000000000000000000000000000000000000000000000"
		    "000000\";"),
			"2: sas[0].key: 65 bytes; expected at most 64"},
		{SA("esn = 1;"), "2: sas[0].esn: 1; expected true or false"},
		{SA("replay_window = 0;"),
			"2: sas[0].replay_window: 0; expected a number from 32 to 4096"},
		{SA("encap = 4500;"),
			"2: sas[0].encap: 4500; expected a group { sport = ...; dport = ...; }"},
		{SA("encap = { sport = 0; };"),
			"2: sas[0].encap.sport: 0; expected a number from 1 to 65535"},
		{"sas = ( { dir = \"in\"; src = \"2001:db8::1\"; dst = \"192.0.2.1\"; spi = "
		 "300;" ALGS "} );",
			"1: sas[0].src: \"2001:db8::1\"; expected an address of the same family as "
			"dst"},
		{"sas = ( { dir = \"in\"; src = \"192.0.2.1\"; dst = \"192.0.2.1\"; spi = 300;" ALGS
		 "} );",
			"1: sas[0].src: \"192.0.2.1\"; expected another address than dst"},
		{"sas = ( { dir = \"in\"; src = \"192.0.2.2\"; dst = \"192.0.2.1\"; spi = 300;" ALGS
		 "},\n{ dir = \"in\"; src = \"192.0.2.3\"; dst = \"192.0.2.1\"; spi = 300;" ALGS
		 "} );",
			"3: sas[1].spi: 300 to 192.0.2.1 twice; expected one SA for each SPI and "
			"dst"},
	};

	REFUSE_ALL(list);
}

#define ROUTE(more) "routes = ( { " more " } );\nvtis = ( { name = \"vti0\"; } );"

static void refuses_bad_routes(void)
{
	static const struct refusal list[] = {
		{ROUTE("dev = \"vti0\";"), "1: routes[0]: no \"to\"; expected a prefix"},
		{ROUTE("to = \"10.2.0.0/33\";"),
			"1: routes[0].to: \"10.2.0.0/33\"; expected a "
			"prefix such as 10.2.0.0/16, or \"default\""},
		{ROUTE("to = \"10.2.0.1/16\";"),
			"1: routes[0].to: \"10.2.0.1/16\" has bits set beyond its length of 16; "
			"expected a network address"},
		{ROUTE("to = 10;"),
			"1: routes[0].to: 10; expected a prefix such as 10.2.0.0/16, "
			"or \"default\""},
		{ROUTE("to = \"10.2.0.0/16\";"),
			"1: routes[0]: neither \"dev\" nor \"via\"; expected one of them"},
		{ROUTE("to = \"10.2.0.0/16\"; dev = \"vti1\";"),
			"1: routes[0].dev: \"vti1\"; expected the name of a port or VTI of this "
			"file"},
		{ROUTE("to = \"10.2.0.0/16\"; via = \"2001:db8::1\";"),
			"1: routes[0].via: \"2001:db8::1\"; expected an address of the same family "
			"as to"},
		{ROUTE("to = \"10.2.0.0/16\"; type = \"local\";"),
			"1: routes[0].type: \"local\"; expected \"unicast\", \"blackhole\", "
			"\"unreachable\" or \"prohibit\""},
		{ROUTE("to = \"10.2.0.0/16\"; type = \"prohibit\"; dev = \"vti0\";"),
			"1: routes[0].type: \"prohibit\"; expected \"unicast\" where \"dev\" or "
			"\"via\" is given"},
		{ROUTE("to = \"10.0.0.0/8\"; dev = \"vti0\"; },\n{ to = \"10.0.0.0/8\"; "
		       "via = \"192.0.2.1\";"),
			"2: routes[1].to: a second route with metric 0; expected another metric"},
	};

	REFUSE_ALL(list);
}

static void refuses_unreadable_files(void)
{
	struct err e;

	CU_ASSERT_PTR_NULL(config_load("/nonexistent/viaduct.conf", &e));
	CU_ASSERT_STRING_EQUAL(e.text, "/nonexistent/viaduct.conf: No such file or directory");
	CU_ASSERT_PTR_NULL(config_load("/tmp", &e));
	CU_ASSERT_STRING_EQUAL(e.text, "/tmp: a directory; expected a file");
}

/* An included file's faults are named by its own name and lines, wherever we are started. */
static void include_is_relative_and_named(void)
{
	char expected[256];
	struct config *c;
	struct err e;

	write_file("vtis.inc", "vtis = (\n{ name = \"vti0\";\n reqid = \"x\"; } );\n");
	snprintf(expected, sizeof(expected),
		"%s/vtis.inc:3: vtis[0].reqid: \"x\"; expected a number from 0 to 4294967295", dir);
	CU_ASSERT_PTR_NULL(
		config_load(write_file("t.conf", "\n\n\n\n@include \"vtis.inc\"\n"), &e));
	CU_ASSERT_STRING_EQUAL(e.text, expected);

	write_file("vtis.inc", "vtis = (\n{ name = \"vti0\"; reqid = 3000000000; } );\n");
	snprintf(expected, sizeof(expected),
		"%s/vtis.inc:2: 3000000000: number too large; expected 3000000000L where it is "
		"meant "
		"so",
		dir);
	CU_ASSERT_PTR_NULL(config_load(write_file("t.conf", "@include \"vtis.inc\"\n"), &e));
	CU_ASSERT_STRING_EQUAL(e.text, expected);

	write_file("vtis.inc", "vtis = (\n{ name = \"vti0\"; reqid = 3; } );\n");
	c = load("@include \"vtis.inc\"\nmbufs = 4096;\n");
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL(c->n_vtis, 1);
	CU_ASSERT_EQUAL(c->vtis[0].reqid, 3);
	CU_ASSERT_EQUAL(c->mbufs, 4096);
	config_free(c);
}

static void check_examples(const char *pattern, unsigned at_least)
{
	struct config *c;
	struct err e;
	glob_t g;

	CU_ASSERT_EQUAL_FATAL(glob(pattern, 0, NULL, &g), 0);
	CU_ASSERT(g.gl_pathc >= at_least);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		c = config_load(g.gl_pathv[i], &e);
		if (c == NULL)
			printf("\n    %s\n", e.text);
		CU_ASSERT_PTR_NOT_NULL(c);
		config_free(c);
	}
	globfree(&g);
}

static void examples_are_valid(void)
{
	check_examples(SOURCE_ROOT "/config/examples/*.conf", 6);
	check_examples(SOURCE_ROOT "/config/viaduct.conf", 1);
}

/* Two files that are meant for each other agree on every SA, but for the direction. */
static void manual_examples_match(void)
{
	struct config *a = config_load(SOURCE_ROOT "/config/examples/manual-freebsd-a.conf", NULL);
	struct config *b = config_load(SOURCE_ROOT "/config/examples/manual-freebsd-b.conf", NULL);

	CU_ASSERT_PTR_NOT_NULL_FATAL(a);
	CU_ASSERT_PTR_NOT_NULL_FATAL(b);
	CU_ASSERT_EQUAL_FATAL(a->n_sas, 2);
	CU_ASSERT_EQUAL_FATAL(b->n_sas, 2);
	CU_ASSERT_EQUAL(a->vtis[0].reqid, 100);
	CU_ASSERT_EQUAL(b->vtis[0].reqid, 200);
	for (unsigned i = 0; i < 2; i++) {
		const struct viaduct_sa *x = &a->sas[i], *y = &b->sas[i];

		CU_ASSERT_EQUAL(x->id.spi, 10000 + i);
		CU_ASSERT_EQUAL(x->reqid, 100);
		CU_ASSERT_EQUAL(y->reqid, 200);
		CU_ASSERT_NOT_EQUAL(x->dir, y->dir);
		CU_ASSERT_EQUAL(memcmp(&x->id, &y->id, sizeof(x->id)), 0);
		CU_ASSERT_EQUAL(memcmp(&x->src, &y->src, sizeof(x->src)), 0);
		CU_ASSERT_EQUAL(memcmp(x->enc_key, y->enc_key, sizeof(x->enc_key)), 0);
		CU_ASSERT_EQUAL(memcmp(x->auth_key, y->auth_key, sizeof(x->auth_key)), 0);
	}
	config_free(a);
	config_free(b);
}

static char *read_whole(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 1 << 17);

	if (f == NULL || text == NULL)
		abort();
	CU_ASSERT(fread(text, 1, (1 << 17) - 1, f) > 0);
	fclose(f);
	return text;
}

static void documentation_agrees(void)
{
	char *doc = read_whole(SOURCE_ROOT "/docs/configuration.md"), *reference;
	size_t size;
	FILE *f = open_memstream(&reference, &size);

	config_reference(f);
	fclose(f);
	CU_ASSERT_PTR_NOT_NULL(strstr(doc, reference));
	if (strstr(doc, reference) == NULL)
		printf("\n    docs/configuration.md should hold:\n%s\n", reference);
	free(reference);
	free(doc);
}

/* Each setting has its paragraph; those of max_routes and workers under their full names. */
static void check_manual(const char *man, const char *prefix, const struct setting *t)
{
	for (; t->type != SETTING_END; t++) {
		char entry[64], inner[32];

		snprintf(entry, sizeof(entry), "\n.B %s%s\n", prefix, t->name);
		if (strstr(man, entry) == NULL)
			printf("\n    not in the manual: %s%s\n", prefix, t->name);
		CU_ASSERT_PTR_NOT_NULL(strstr(man, entry));
		snprintf(inner, sizeof(inner), "%s.", t->name);
		if (t->sub != NULL)
			check_manual(man, t->type == SETTING_GROUP ? inner : "", t->sub);
	}
}

static void manual_names_every_setting(void)
{
	char *man = read_whole(SOURCE_ROOT "/docs/man/viaduct.conf.5");

	check_manual(man, "", config_settings);
	free(man);
}

/* The installed file shows the defaults: with its comment signs taken off it changes nothing. */
static void installed_file_shows_the_defaults(void)
{
	char *text = read_whole(SOURCE_ROOT "/config/viaduct.conf");
	struct config *shown, *defaults = load("");
	unsigned uncommented = 0;

	for (char *p = text; p != NULL; p = strchr(p, '\n')) {
		p += *p == '\n';
		/* One-line settings only: ports, vtis and routes there are examples. */
		if (p[0] != '#' || p[1] < 'a' || p[1] > 'z' || p[strcspn(p, "\n;")] != ';')
			continue;
		*p = ' ';
		uncommented++;
	}
	CU_ASSERT_EQUAL(uncommented, 11);
	shown = load(text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(shown);
	/* But for the pointers at its end the structures are equal. */
	CU_ASSERT_EQUAL(memcmp(shown, defaults, offsetof(struct config, vtis)), 0);
	config_free(shown);
	config_free(defaults);
	free(text);
}

/* Bytes that were never a configuration: refused or read, never a crash. */
static void survives_noise(void)
{
	static const char *const words[] = {"vtis", "=", "(", ")", "{", "}", "[", "]", "\"", "name",
		"sas", "spi", "0x", "99999999999", ";", ",", "\n", "/*", "*/", "#", "-", "L", "1",
		"routes", "to", "workers", "cores", "\\", "ports", "key", "\"0xzz\"", "true"};
	char text[2048];

	srand(1);
	for (unsigned round = 0; round < 20000; round++) {
		struct config *c;
		struct err e;

		text[0] = '\0';
		for (int n = rand() % 60; n > 0; n--) {
			strcat(text, words[rand() % (sizeof(words) / sizeof(words[0]))]);
			strcat(text, rand() % 3 ? " " : "");
		}
		c = config_load(write_file("noise.conf", text), &e);
		if (c == NULL)
			CU_ASSERT_NOT_EQUAL(e.text[0], '\0');
		config_free(c);
	}
}

static int run(const CU_TestInfo *tests, int argc, char **argv)
{
	char command[128];
	int rc;

	if (mkdtemp(dir) == NULL)
		return 1;
	rc = unit_run("config", tests, argc, argv);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command) != 0 ? 1 : rc;
}

int main(int argc, char **argv)
{
	static const CU_TestInfo tests[] = {
		UNIT_TEST(empty_file_is_all_defaults),
		UNIT_TEST(reads_scalars),
		UNIT_TEST(reads_ports),
		UNIT_TEST(reads_vtis),
		UNIT_TEST(reads_sas),
		UNIT_TEST(reads_null_with_integrity),
		UNIT_TEST(reads_routes),
		UNIT_TEST(refuses_bad_syntax),
		UNIT_TEST(refuses_unknown_settings),
		UNIT_TEST(refuses_wrong_types_and_ranges),
		UNIT_TEST(refuses_numbers_that_libconfig_cuts),
		UNIT_TEST(accepts_large_spis),
		UNIT_TEST(refuses_bad_ports),
		UNIT_TEST(refuses_too_many_ports),
		UNIT_TEST(refuses_bad_vtis),
		UNIT_TEST(refuses_bad_sas),
		UNIT_TEST(refuses_bad_routes),
		UNIT_TEST(refuses_unreadable_files),
		UNIT_TEST(include_is_relative_and_named),
		UNIT_TEST(examples_are_valid),
		UNIT_TEST(manual_examples_match),
		UNIT_TEST(documentation_agrees),
		UNIT_TEST(manual_names_every_setting),
		UNIT_TEST(installed_file_shows_the_defaults),
		UNIT_TEST(survives_noise),
		CU_TEST_INFO_NULL,
	};

	return run(tests, argc, argv);
}
