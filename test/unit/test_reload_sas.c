/* SPDX-License-Identifier: BSD-3-Clause */
/* Manual SAs over reloads: what is the same is not touched, and no sequence number comes twice. */
#include "reload_fixture.h"

#define OTHER32 "0xff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define ALGS_OF(auth)                                                                              \
	"cipher = \"aes-cbc\"; key = \"" KEY16                                                     \
	"\"; auth = \"hmac-sha2-256-128\"; reqid = 100; auth_key = \"" auth "\"; "
#define OUT(spi, more)                                                                             \
	"{ dir = \"out\"; src = \"192.0.2.1\"; dst = \"192.0.2.2\"; spi = " spi "; " more " }"
#define IN(spi, more)                                                                              \
	"{ dir = \"in\"; src = \"192.0.2.2\"; dst = \"192.0.2.1\"; spi = " spi "; " more " }"
#define SAS(list) "sas = ( " list " );\n"
#define TUNNEL                                                                                     \
	"vtis = ( { name = \"vti0\"; local = \"192.0.2.1\"; remote = \"192.0.2.2\"; reqid = 100; " \
	"} );\n"
#define PAIR OUT("300", ALGS_OF(KEY32)) ", " IN("301", ALGS_OF(KEY32))

static struct sa_entry *entry(unsigned dir, uint32_t spi)
{
	const struct viaduct_sa_id id = {
		.dst = A(dir == VIADUCT_IN ? "192.0.2.1" : "192.0.2.2"), .spi = spi};

	return sadb_find(&id);
}

static void what_is_the_same_is_not_touched(void)
{
	struct sa *out, *in;

	start(TUNNEL SAS(PAIR));
	out = entry(VIADUCT_OUT, 300)->sa;
	in = entry(VIADUCT_IN, 301)->sa;
	atomic_store(&out->seq, 1000);
	CU_ASSERT_EQUAL(entry(VIADUCT_OUT, 300)->origin, VIADUCT_ORIGIN_CONFIG);
	RELOAD(TUNNEL SAS(IN("0x12d", ALGS_OF(KEY32) "esn = false;") ",\n\n" OUT(
		       "300", ALGS_OF(KEY32))),
		0);
	RELOAD(TUNNEL SAS(PAIR ", " OUT("302", ALGS_OF(KEY32) "if_id = 9;")), 1);
	CU_ASSERT_EQUAL(changes[0].kind, VIADUCT_CHANGE_ADD);
	CU_ASSERT_STRING_EQUAL(changes[0].name, "0x0000012e to 192.0.2.2");
	RELOAD(TUNNEL SAS(PAIR), 1);
	CU_ASSERT_EQUAL(changes[0].kind, VIADUCT_CHANGE_DEL);
	CU_ASSERT_PTR_EQUAL(entry(VIADUCT_OUT, 300)->sa, out);
	CU_ASSERT_PTR_EQUAL(entry(VIADUCT_IN, 301)->sa, in);
	CU_ASSERT_EQUAL(out->seq, 1000);
	CU_ASSERT_PTR_EQUAL(vti_by_name("vti0")->iface->sa_out[0], out);
	CU_ASSERT_EQUAL(fake.events, 0);
	stop();
}

static void other_keys_make_another_sa(void)
{
	struct viaduct_addr here;
	struct sa *out, *in;

	start(TUNNEL SAS(PAIR));
	here = A("192.0.2.1");
	out = entry(VIADUCT_OUT, 300)->sa;
	in = entry(VIADUCT_IN, 301)->sa;
	atomic_store(&out->seq, 1000);
	RELOAD(TUNNEL SAS(OUT("300", ALGS_OF(OTHER32)) ", " IN("301", ALGS_OF(OTHER32))), 2);
	CU_ASSERT_EQUAL(changes[0].kind, VIADUCT_CHANGE_REPLACE);
	CU_ASSERT_STRING_EQUAL(changes[0].text, "other keys");
	CU_ASSERT_PTR_NOT_EQUAL(entry(VIADUCT_OUT, 300)->sa, out);
	CU_ASSERT_PTR_NOT_EQUAL(entry(VIADUCT_IN, 301)->sa, in);
	CU_ASSERT_EQUAL(entry(VIADUCT_OUT, 300)->sa->seq, 1);
	CU_ASSERT_PTR_EQUAL(vti_by_name("vti0")->iface->sa_out[0], entry(VIADUCT_OUT, 300)->sa);
	CU_ASSERT_PTR_EQUAL(spi_lookup(301, IP_V4, here.bytes), entry(VIADUCT_IN, 301)->sa);
	CU_ASSERT_EQUAL(sadb_count(), 2);
	CU_ASSERT_EQUAL(vti_by_name("vti0")->sas_in + vti_by_name("vti0")->sas_out, 2);
	CU_ASSERT_EQUAL(fake.events, 0); /* carrier never went */
	/* Back to the first keys: their numbers go on. */
	RELOAD(TUNNEL SAS(PAIR), 2);
	CU_ASSERT(entry(VIADUCT_OUT, 300)->sa->seq >= 1000);
	stop();
}

static void ends_change_in_place(void)
{
	struct sa_entry *in;

	start(TUNNEL SAS(PAIR));
	in = entry(VIADUCT_IN, 301);
	atomic_store(&in->sa->replay.top, 77);
	RELOAD(TUNNEL SAS(OUT("300",
		       ALGS_OF(KEY32)) ", { dir = \"in\"; src = \"192.0.2.9\"; "
				       "dst = \"192.0.2.1\"; spi = 301; encap = { }; " ALGS_OF(
					       KEY32) " }"),
		1);
	CU_ASSERT_EQUAL(changes[0].kind, VIADUCT_CHANGE_SET);
	CU_ASSERT_STRING_EQUAL(changes[0].text,
		"src \"192.0.2.2\" -> \"192.0.2.9\", encap none -> { sport = 4500; dport = 4500; "
		"}");
	CU_ASSERT_PTR_EQUAL(entry(VIADUCT_IN, 301), in);
	CU_ASSERT(in->api_flags & VIADUCT_SA_ENCAP);
	CU_ASSERT_EQUAL(in->sa->replay.top, 77);
	stop();
}

/* The same keys with other properties: another SA, whose numbers go on. */
static void other_properties_keep_the_numbers(void)
{
	start(TUNNEL SAS(PAIR));
	atomic_store(&entry(VIADUCT_OUT, 300)->sa->seq, 1000);
	atomic_store(&entry(VIADUCT_IN, 301)->sa->replay.top, 500);
	RELOAD(TUNNEL SAS(OUT("300", ALGS_OF(KEY32) "esn = true;") ", " IN(
		       "301", ALGS_OF(KEY32) "replay_window = 128;")),
		2);
	CU_ASSERT_STRING_EQUAL(changes[0].text, "esn false -> true");
	CU_ASSERT(entry(VIADUCT_OUT, 300)->sa->seq >= 1000);
	CU_ASSERT_TRUE(entry(VIADUCT_OUT, 300)->sa->flags & SA_ESN);
	CU_ASSERT_EQUAL(entry(VIADUCT_IN, 301)->sa->replay.top, 500);
	CU_ASSERT_EQUAL(entry(VIADUCT_IN, 301)->sa->replay.window, 128);
	stop();
}

/* Removed and named again, by the file or by hand: never from 1 again. */
static void who_comes_back_goes_on(void)
{
	struct viaduct_sa_id id;

	start(TUNNEL SAS(PAIR));
	for (unsigned i = 0; i < 4; i++) {
		const uint64_t before = entry(VIADUCT_OUT, 300)->sa->seq + 10;

		atomic_store(&entry(VIADUCT_OUT, 300)->sa->seq, before);
		atomic_store(&entry(VIADUCT_IN, 301)->sa->replay.top, 500 + i);
		if (i == 0) {
			RELOAD(TUNNEL, 2);
		} else if (i == 1) {
			id = entry(VIADUCT_OUT, 300)->id;
			CU_ASSERT_EQUAL(sadb_del(&id, &e), 0);
			id = entry(VIADUCT_IN, 301)->id;
			CU_ASSERT_EQUAL(sadb_del(&id, &e), 0);
		} else {
			sadb_flush();
		}
		CU_ASSERT_EQUAL(sadb_count(), 0);
		RELOAD(TUNNEL SAS(PAIR), 2);
		CU_ASSERT(entry(VIADUCT_OUT, 300)->sa->seq >= before);
		CU_ASSERT_EQUAL(entry(VIADUCT_IN, 301)->sa->replay.top, 500 + i);
	}
	stop();
}

static void the_apis_and_ikes_stay(void)
{
	struct viaduct_sa r = sa_request(VIADUCT_OUT, 300, 0);

	start(TUNNEL);
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_EQUAL(entry(VIADUCT_OUT, 300)->origin, VIADUCT_ORIGIN_API);
	r = sa_request(VIADUCT_IN, 301, 0);
	r.flags = VIADUCT_SA_IKE;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_EQUAL(entry(VIADUCT_IN, 301)->origin, VIADUCT_ORIGIN_IKE);
	REFUSED(TUNNEL SAS(PAIR), "sas: 0x0000012c to 192.0.2.2: was installed by the API");
	REFUSED(TUNNEL SAS(IN("301", ALGS_OF(KEY32))), "was installed by IKE");
	RELOAD(TUNNEL SAS(OUT("302", ALGS_OF(KEY32))), 1);
	RELOAD(TUNNEL, 1);
	CU_ASSERT_EQUAL(sadb_count(), 2);
	stop();
}

static void failures_put_the_old_ones_back(void)
{
	struct sa *out;

	start(TUNNEL SAS(PAIR));
	out = entry(VIADUCT_OUT, 300)->sa;
	world.refuse_route = 5;
	REFUSED(TUNNEL SAS(OUT(
			"300", ALGS_OF(OTHER32)) ", { dir = \"in\"; src = \"192.0.2.9\"; "
						 "dst = \"192.0.2.1\"; spi = 301; " ALGS_OF(
							 KEY32) " }, " OUT("302",
							 ALGS_OF(KEY32))) "routes = ( { to = "
									  "\"10.5.0.0/16\"; dev = "
									  "\"vti0\"; } );",
		"nothing was changed");
	CU_ASSERT_PTR_EQUAL(entry(VIADUCT_OUT, 300)->sa, out);
	CU_ASSERT_PTR_EQUAL(vti_by_name("vti0")->iface->sa_out[0], out);
	CU_ASSERT_PTR_NULL(entry(VIADUCT_OUT, 302));
	CU_ASSERT_EQUAL(sa_ends_now(entry(VIADUCT_IN, 301)->sa)->src.v6[3], 2);
	RELOAD(TUNNEL SAS(PAIR), 0);
	stop();
}

static void keys_are_not_kept(void)
{
	static const uint8_t zeros[64];
	char *file = strdup(write_file("k", KEY32 "\n"));
	char text[1024];

	snprintf(text, sizeof(text),
		TUNNEL SAS(OUT("300",
			"cipher = \"null\"; auth = \"hmac-sha2-256-128\"; auth_key_file = "
			"\"%s\";")),
		file);
	start(TUNNEL SAS(OUT("300",
		"cipher = \"null\"; auth = \"hmac-sha2-256-128\"; auth_key = \"" KEY32 "\";")));
	CU_ASSERT_EQUAL(memcmp(running->sas[0].auth_key, zeros, 64), 0);
	/* The same key from a file is the same; another one in the same file is not. */
	RELOAD(text, 0);
	CU_ASSERT_STRING_EQUAL(running->keys[0].auth_key_file, file);
	write_file("k", OTHER32 "\n");
	RELOAD(text, 1);
	CU_ASSERT_EQUAL(memcmp(running->sas[0].auth_key, zeros, 64), 0);
	CU_ASSERT_STRING_EQUAL(changes[0].text, "other keys");
	write_file("k", "hello\n");
	REFUSED(text, "sas[0].auth_key_file: not a key");
	free(file);
	stop();
}

int main(int argc, char **argv)
{
	static const CU_TestInfo tests[] = {UNIT_TEST(what_is_the_same_is_not_touched),
		UNIT_TEST(other_keys_make_another_sa), UNIT_TEST(ends_change_in_place),
		UNIT_TEST(other_properties_keep_the_numbers), UNIT_TEST(who_comes_back_goes_on),
		UNIT_TEST(the_apis_and_ikes_stay), UNIT_TEST(failures_put_the_old_ones_back),
		UNIT_TEST(keys_are_not_kept), CU_TEST_INFO_NULL};

	return reload_run("reload_sas", tests, argc, argv);
}
