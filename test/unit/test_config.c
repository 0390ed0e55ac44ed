/* SPDX-License-Identifier: BSD-3-Clause */
/* What a configuration file means. */
#include "config_file.h"

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
	CU_ASSERT_EQUAL(c->mbuf_size, 0);
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

static void reads_every_log_level(void)
{
	static const char *const levels[] = {"error", "warning", "notice", "info", "debug"};
	char text[64];

	for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		struct config *c;

		snprintf(text, sizeof(text), "log_level = \"%s\";", levels[i]);
		c = load(text);
		CU_ASSERT_PTR_NOT_NULL_FATAL(c);
		CU_ASSERT_STRING_EQUAL(c->log_level, levels[i]);
		config_free(c);
	}
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
	CU_ASSERT_EQUAL(p->rpf, VIADUCT_RPF_OFF);
	config_free(c);
	c = load("ports = ( { name = \"a\"; device = \"b\"; rpf = \"loose\"; } );");
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL(c->ports[0].rpf, VIADUCT_RPF_LOOSE);
	config_free(c);
}

static void reads_vlans(void)
{
	struct config *c =
		load("ports = ( { name = \"p\"; device = \"net_tap0\"; mtu = 9000; },\n"
		     "{ name = \"p.5\"; parent = \"p\"; vlan = 5; },\n"
		     "{ name = \"q\"; device = \"net_tap1\"; },\n"
		     "{ name = \"v\"; parent = \"q\"; vlan = 5; mtu = 1400; rpf = \"loose\"; },\n"
		     "{ name = \"last\"; parent = \"p\"; vlan = 4094; mtu = 1500; } );");

	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	CU_ASSERT_EQUAL_FATAL(c->n_ports, 5);
	CU_ASSERT_STRING_EQUAL(c->ports[1].parent, "p");
	CU_ASSERT_STRING_EQUAL(c->ports[1].device, "");
	CU_ASSERT_EQUAL(c->ports[1].vlan, 5);
	CU_ASSERT_EQUAL(c->ports[1].mtu, 9000);
	CU_ASSERT_EQUAL(c->ports[2].vlan, 0);
	CU_ASSERT_STRING_EQUAL(c->ports[2].parent, "");
	CU_ASSERT_EQUAL(c->ports[3].mtu, 1400);
	CU_ASSERT_EQUAL(c->ports[3].rpf, VIADUCT_RPF_LOOSE);
	CU_ASSERT_EQUAL(c->ports[4].vlan, 4094);
	CU_ASSERT_EQUAL(c->ports[4].mtu, 1500);
	config_free(c);
}

static const struct viaduct_vti *options(struct config **c, const char *text)
{
	char whole[256];

	snprintf(whole, sizeof(whole), "vtis = ( { name = \"vti0\"; %s } );", text);
	*c = load(whole);
	CU_ASSERT_PTR_NOT_NULL_FATAL(*c);
	return &(*c)->vtis[0];
}

static void reads_vti_options(void)
{
	struct config *c;
	const struct viaduct_vti *v = options(&c, "");

	CU_ASSERT_EQUAL(v->fields, VIADUCT_VTI_ADMIN);
	CU_ASSERT_EQUAL(v->ttl, 64);
	config_free(c);
	v = options(&c,
		"mss = 1200; fragment = \"after\"; df = \"clear\"; dscp = 46; ecn = false; "
		"ttl = 255; flow_label = \"copy\"; rpf = \"strict\";");
	CU_ASSERT_EQUAL(v->fields, 0x1fe80);
	CU_ASSERT_EQUAL(v->mss, 1200);
	CU_ASSERT_EQUAL(v->fragment, VIADUCT_FRAGMENT_AFTER);
	CU_ASSERT_EQUAL(v->df, VIADUCT_DF_CLEAR);
	CU_ASSERT_EQUAL(v->dscp, VIADUCT_DSCP_VALUE + 46);
	CU_ASSERT_EQUAL(v->ecn, VIADUCT_ECN_FALSE);
	CU_ASSERT_EQUAL(v->ttl, 255);
	CU_ASSERT_EQUAL(v->flow_label, VIADUCT_FLOW_LABEL_COPY);
	CU_ASSERT_EQUAL(v->rpf, VIADUCT_RPF_STRICT);
	config_free(c);
	v = options(&c, "mss = \"off\"; dscp = \"46:34,8-15:0\"; ecn = true; ttl = \"copy\";");
	CU_ASSERT_EQUAL(v->mss, VIADUCT_MSS_OFF);
	CU_ASSERT_EQUAL(v->dscp, VIADUCT_DSCP_MAP);
	for (unsigned i = 0; i < 64; i++)
		CU_ASSERT_EQUAL(v->dscp_map[i], i == 46 ? 34 : i >= 8 && i < 16 ? 0 : i);
	CU_ASSERT_EQUAL(v->ecn, VIADUCT_ECN_TRUE);
	CU_ASSERT_EQUAL(v->ttl, VIADUCT_TTL_COPY);
	config_free(c);
}

static void reads_vtis(void)
{
	struct config *c = load(
		"vtis = ( { name = \"vti0\"; }, { name = \"vti1\"; up = false; parallel = true;\n"
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
	CU_ASSERT_EQUAL(v->fields, 0x1ff);
	CU_ASSERT_EQUAL(v->admin_up, 0);
	CU_ASSERT_EQUAL(v->parallel, 1);
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

CONFIG_MAIN("config", UNIT_TEST(empty_file_is_all_defaults), UNIT_TEST(reads_scalars),
	UNIT_TEST(reads_every_log_level), UNIT_TEST(reads_ports), UNIT_TEST(reads_vlans),
	UNIT_TEST(reads_vti_options), UNIT_TEST(reads_vtis), UNIT_TEST(reads_sas),
	UNIT_TEST(reads_null_with_integrity), UNIT_TEST(accepts_large_spis),
	UNIT_TEST(reads_routes), UNIT_TEST(survives_noise))
