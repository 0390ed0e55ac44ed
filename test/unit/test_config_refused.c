/* SPDX-License-Identifier: BSD-3-Clause */
/* The exact sentence for everything that is wrong in a configuration file. */
#include "config_file.h"

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

static void refuses_bad_access(void)
{
	static const struct refusal list[] = {
		{"api = { mode = \"660\"; };",
			"1: api.mode: \"660\"; expected a mode as \"0660\", whose owner may read "
			"and "
			"write"},
		{"api = { mode = \"0466\"; };",
			"1: api.mode: \"0466\"; expected a mode as \"0660\", whose owner may read "
			"and "
			"write"},
		{"api = { group = \"a b\"; };",
			"1: api.group: \"a b\"; expected a name of an account, or \"\" for none"},
		{"user = \"-x\";",
			"1: user: \"-x\"; expected a name of an account, or \"\" for none"},
		{"api = { readers = \"users\"; };", "1: api.readers: unknown setting"},
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
		{"mbuf_size = 2047;",
			"1: mbuf_size: 2047; expected a number from 2048 to 16384, or 0"},
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
			"for any"},
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

#define PORT(more) "ports = ( { name = \"wan0\"; device = \"net_tap0\";" more " } );"

static void refuses_bad_ports(void)
{
	static const struct refusal list[] = {
		{"ports = ( { device = \"x\"; } );",
			"1: ports[0]: no \"name\"; expected an interface name"},
		{"ports = (\n{ name = \"wan0\"; } );",
			"2: ports[0]: no \"device\"; expected a DPDK device, or \"parent\" and "
			"\"vlan\""},
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
			"such as 02:00:00:00:00:01"},
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
	static char text[64 * (CONFIG_PORTS_MAX + 1)];
	char expected[128];
	unsigned n = sprintf(text, "ports = (");

	for (unsigned i = 0; i <= CONFIG_DEVICES_MAX; i++)
		n += sprintf(text + n, "%s{ name = \"p%u\"; device = \"d%u\"; }",
			i > 0 ? ",\n" : "\n", i, i);
	sprintf(text + n, " );");
	sprintf(expected, "%u: ports[%u].device: one too many; expected at most %u devices",
		CONFIG_DEVICES_MAX + 2, CONFIG_DEVICES_MAX, CONFIG_DEVICES_MAX);
	refuses(text, expected);
	n = sprintf(text, "ports = (\n{ name = \"p0\"; device = \"d0\"; }");
	for (unsigned i = 1; i <= CONFIG_PORTS_MAX; i++)
		n += sprintf(text + n, ",\n{ name = \"p%u\"; parent = \"p0\"; vlan = %u; }", i, i);
	sprintf(text + n, " );");
	sprintf(expected, "%u: ports[%u]: one too many; expected at most %u ports",
		CONFIG_PORTS_MAX + 2, CONFIG_PORTS_MAX, CONFIG_PORTS_MAX);
	refuses(text, expected);
}

#define VLAN(more) "ports = ( { name = \"p\"; device = \"d\"; },\n{ name = \"v\"; " more " } );"
#define PARENT     "expected the name of a port with a device, above it"

static void refuses_bad_vlans(void)
{
	static const struct refusal list[] = {
		{VLAN("vlan = 5;"),
			"2: ports[1].vlan: 5 without \"parent\"; expected the port that it is a "
			"VLAN of"},
		{VLAN("device = \"x\"; vlan = 5;"),
			"2: ports[1].vlan: 5 without \"parent\"; expected the port that it is a "
			"VLAN of"},
		{VLAN("parent = \"p\";"),
			"2: ports[1]: no \"vlan\"; expected a number from 1 to 4094"},
		{VLAN("parent = \"p\"; vlan = 0;"),
			"2: ports[1].vlan: 0; expected a number from 1 to 4094"},
		{VLAN("parent = \"p\"; vlan = 4095;"),
			"2: ports[1].vlan: 4095; expected a number from 1 to 4094"},
		{VLAN("parent = \"q\"; vlan = 5;"), "2: ports[1].parent: \"q\"; " PARENT},
		{VLAN("parent = \"\"; vlan = 5;"), "2: ports[1].parent: \"\"; " PARENT},
		{VLAN("parent = \"v\"; vlan = 5;"), "2: ports[1].parent: \"v\"; " PARENT},
		{VLAN("parent = \"p\"; vlan = 5; },\n{ name = \"w\"; parent = \"v\"; vlan = 6;"),
			"3: ports[2].parent: \"v\"; " PARENT},
		{VLAN("parent = \"p\"; vlan = 5; },\n{ name = \"w\"; parent = \"p\"; vlan = 5;"),
			"3: ports[2].vlan: 5 is port v already; expected another VLAN of p"},
		{VLAN("parent = \"p\"; vlan = 5; device = \"x\";"),
			"2: ports[1].device: not for a VLAN, which has its parent's"},
		{VLAN("parent = \"p\"; vlan = 5; mac = \"02:00:00:00:00:01\";"),
			"2: ports[1].mac: not for a VLAN, which has its parent's"},
		{VLAN("parent = \"p\"; vlan = 5; rx_queues = 0;"),
			"2: ports[1].rx_queues: not for a VLAN, which has its parent's"},
		{VLAN("parent = \"p\"; vlan = 5; mtu = 1501;"),
			"2: ports[1].mtu: 1501; expected at most 1500, the MTU of its parent p"},
	};

	REFUSE_ALL(list);
}

#define VTI(more) "vtis = ( { name = \"vti0\";\n" more " } );"
#define ADDRESS   "expected a unicast IPv4 or IPv6 address, or \"any\""
#define MARK      "expected a mark as 12 or \"12/0xff\", without bits outside the mask"

#define DSCP "expected sa, copy, a number from 0 to 63, or a map such as 46:34,8-15:0"

static void refuses_bad_vtis(void)
{
	static const struct refusal list[] = {
		{VTI("mss = 87;"),
			"2: vtis[0].mss: 87; expected auto, off, or a number from 88 to 65535"},
		{VTI("fragment = true;"), "2: vtis[0].fragment: true; expected before or after"},
		{VTI("df = \"sett\";"), "2: vtis[0].df: \"sett\"; expected sa, copy, set or clear"},
		{VTI("dscp = 64;"), "2: vtis[0].dscp: 64; " DSCP},
		{VTI("dscp = \"46:64\";"), "2: vtis[0].dscp: \"46:64\"; " DSCP},
		{VTI("dscp = \"8-7:1\";"), "2: vtis[0].dscp: \"8-7:1\"; " DSCP},
		{VTI("dscp = \"1:2,\";"), "2: vtis[0].dscp: \"1:2,\"; " DSCP},
		{VTI("dscp = \"1-2\";"), "2: vtis[0].dscp: \"1-2\"; " DSCP},
		{VTI("dscp = \"\";"), "2: vtis[0].dscp: \"\"; " DSCP},
		{VTI("ecn = 1;"), "2: vtis[0].ecn: 1; expected sa, true or false"},
		{VTI("ttl = 0;"), "2: vtis[0].ttl: 0; expected copy, or a number from 1 to 255"},
		{VTI("ttl = 1.5;"),
			"2: vtis[0].ttl: 1.5; expected copy, or a number from 1 to 255"},
		{VTI("flow_label = 7;"), "2: vtis[0].flow_label: 7; expected hash, copy or zero"},
		{VTI("rpf = true;"), "2: vtis[0].rpf: true; expected off, loose or strict"},
		{VTI("local = \"192.0.2\";"), "2: vtis[0].local: \"192.0.2\"; " ADDRESS},
		{VTI("local = 5;"), "2: vtis[0].local: 5; " ADDRESS},
		{VTI("remote = \"224.0.0.5\";"), "2: vtis[0].remote: \"224.0.0.5\"; " ADDRESS},
		{VTI("remote = \"::\";"), "2: vtis[0].remote: \"::\"; " ADDRESS},
		{VTI("local = \"192.0.2.1\"; remote = \"2001:db8::1\";"),
			"2: vtis[0].remote: \"2001:db8::1\"; expected an address of the same "
			"family as local"},
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
		{SA("esn = 1;"), "2: sas[0].esn: 1; expected true or false"},
		{SA("replay_window = 31;"),
			"2: sas[0].replay_window: 31; expected a number from 32 to 4096, or 0 for "
			"no protection"},
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

static void refuses_unsafe_or_unknown_algorithms(void)
{
	static const struct refusal list[] = {
		{SA("cipher = \"3des\";"),
			"2: sas[0].cipher: \"3des\"; expected \"aes-cbc\" or \"null\""},
		{SA("cipher = \"aes-gcm-16\";"),
			"2: sas[0].cipher: \"aes-gcm-16\" would repeat IVs under the same key "
			"after a restart; expected \"aes-cbc\" or \"null\" with auth, or IKE (RFC "
			"8221 3)"},
		{SA("cipher = \"chacha20-poly1305\";"),
			"2: sas[0].cipher: \"chacha20-poly1305\" would repeat IVs under the same "
			"key after a restart; expected \"aes-cbc\" or \"null\" with auth, or IKE "
			"(RFC 8221 3)"},
		{SA("cipher = \"aes-ctr\";"),
			"2: sas[0].cipher: \"aes-ctr\" would repeat IVs under the same key after "
			"a restart; expected \"aes-cbc\" or \"null\" with auth, or IKE (RFC 8221 "
			"3)"},
		{SA("cipher = \"aes-gmac\";"),
			"2: sas[0].cipher: \"aes-gmac\" would repeat IVs under the same key after "
			"a restart; expected \"aes-cbc\" or \"null\" with auth, or IKE (RFC 8221 "
			"3)"},
		{SA("cipher = \"aes-cbc\"; key = \"" KEY16 "\";"),
			"1: sas[0]: no \"auth\"; encryption without integrity is refused (RFC 8221 "
			"4)"},
		{SA("cipher = \"aes-cbc\"; key = \"" KEY16
		    "\";\nauth = \"none\"; auth_key = \"0x00\";"),
			"3: sas[0].auth: integrity: none, but aes-cbc without integrity is not "
			"safe (RFC 8221)"},
		{SA("auth = \"hmac-md5\";"),
			"2: sas[0].auth: \"hmac-md5\"; expected \"hmac-sha2-256-128\", "
			"\"hmac-sha2-384-192\", \"hmac-sha2-512-256\" or \"hmac-sha1-96\""},
	};

	REFUSE_ALL(list);
}

static void refuses_bad_keys(void)
{
	static const struct refusal list[] = {
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
		"meant so",
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

CONFIG_MAIN("config_refused", UNIT_TEST(refuses_bad_syntax), UNIT_TEST(refuses_bad_access),
	UNIT_TEST(refuses_unknown_settings), UNIT_TEST(refuses_wrong_types_and_ranges),
	UNIT_TEST(refuses_numbers_that_libconfig_cuts), UNIT_TEST(refuses_bad_ports),
	UNIT_TEST(refuses_too_many_ports), UNIT_TEST(refuses_bad_vlans),
	UNIT_TEST(refuses_bad_vtis), UNIT_TEST(refuses_bad_sas),
	UNIT_TEST(refuses_unsafe_or_unknown_algorithms), UNIT_TEST(refuses_bad_keys),
	UNIT_TEST(refuses_bad_routes), UNIT_TEST(refuses_unreadable_files),
	UNIT_TEST(include_is_relative_and_named))
