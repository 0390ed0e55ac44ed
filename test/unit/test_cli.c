/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductctl's words: what request they make, and how wrong ones are answered. */
#include "control/addr_text.h"
#include "control/cli/output.h"
#include "test/unit/unit.h"

#include <errno.h>
#include <unistd.h>

static struct err e;
static char line[1024];
static char *words[64];

/* Cut a command line at its spaces; object and verb are looked up, the rest are words. */
static const struct verb *cut(const char *text)
{
	const struct object *o;
	unsigned n = 0;

	snprintf(line, sizeof(line), "%s", text);
	for (char *w = strtok(line, " "); w != NULL; w = strtok(NULL, " "))
		words[n++] = w;
	words[n] = NULL;
	o = object_find(words[0], &e);
	return o != NULL ? verb_find(o, words[1], &e) : NULL;
}

static int parse(const char *text, void *req, size_t size)
{
	const struct verb *v = cut(text);

	memset(req, 0, size);
	e.text[0] = '\0';
	if (v == NULL)
		return -ENOENT;
	CU_ASSERT_EQUAL_FATAL(v->req_size, size);
	return words_parse(v, words + 2, req, &e);
}

#define PARSED(text, req) CU_ASSERT_EQUAL(parse(text, &req, sizeof(req)), 0)
#define REFUSED(words_, req, part)                                                                 \
	do {                                                                                       \
		CU_ASSERT_EQUAL(parse(words_, &req, sizeof(req)), -EINVAL);                        \
		if (strstr(e.text, part) == NULL)                                                  \
			printf("\n%s: \"%s\" lacks \"%s\"\n", words_, e.text, part);               \
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, part));                                      \
	} while (0)

static struct viaduct_addr ip(const char *text)
{
	struct viaduct_addr a;

	if (addr_parse(text, &a) < 0)
		abort();
	return a;
}

static void vti_words(void)
{
	struct viaduct_vti v, want = {.name = "vti0", .reqid = 100};

	want.fields = VIADUCT_VTI_LOCAL | VIADUCT_VTI_REMOTE | VIADUCT_VTI_REQID;
	want.local = ip("192.0.2.1");
	want.remote = ip("192.0.2.2");
	PARSED("vti add vti0 local 192.0.2.1 remote 192.0.2.2 reqid 100", v);
	CU_ASSERT_EQUAL(memcmp(&v, &want, sizeof(v)), 0);
	PARSED("v a reqid 100 remote 192.0.2.2 name vti0 local 192.0.2.1", v);
	CU_ASSERT_EQUAL(memcmp(&v, &want, sizeof(v)), 0);

	want = (struct viaduct_vti){.name = "vti0", .reqid = 200, .mtu = 1400, .admin_up = 1};
	want.fields = VIADUCT_VTI_REQID | VIADUCT_VTI_MTU | VIADUCT_VTI_ADMIN;
	PARSED("vti set vti0 reqid 200 mtu 1400 up", v);
	CU_ASSERT_EQUAL(memcmp(&v, &want, sizeof(v)), 0);
	PARSED("vti set vti0 down", v);
	CU_ASSERT_EQUAL(v.fields, VIADUCT_VTI_ADMIN);
	CU_ASSERT_EQUAL(v.admin_up, 0);
	PARSED("vti set vti0 parallel on", v);
	CU_ASSERT(v.fields == VIADUCT_VTI_PARALLEL && v.parallel == 1);
	PARSED("vti set vti0 parallel off", v);
	CU_ASSERT(v.fields == VIADUCT_VTI_PARALLEL && v.parallel == 0);
	REFUSED("vti set vti0 parallel 1", v, "unknown '1', expected one of: on, off");
	PARSED("vti set vti0 mss off fragment after df copy dscp 46 ecn false ttl copy", v);
	CU_ASSERT(v.mss == VIADUCT_MSS_OFF && v.fragment == VIADUCT_FRAGMENT_AFTER);
	CU_ASSERT(v.df == VIADUCT_DF_COPY && v.dscp == VIADUCT_DSCP_VALUE + 46);
	CU_ASSERT(v.ecn == VIADUCT_ECN_FALSE && v.ttl == VIADUCT_TTL_COPY);
	CU_ASSERT_EQUAL(v.fields, 0x7e00);
	PARSED("vti set vti0 flow_label copy rpf loose mss 1200 dscp 0-63:0", v);
	CU_ASSERT(v.flow_label == VIADUCT_FLOW_LABEL_COPY && v.rpf == VIADUCT_RPF_LOOSE);
	CU_ASSERT(v.mss == 1200 && v.dscp == VIADUCT_DSCP_MAP && v.dscp_map[63] == 0);
	REFUSED("vti set vti0 ttl 0", v, "'0' is not copy, or a number from 1 to 255");
	PARSED("vti add x mark 0x10/0xff if_id 7", v);
	CU_ASSERT(v.mark == 16 && v.mark_mask == 255 && v.if_id == 7);
	PARSED("vti add x mark 5 if-id 7", v);
	CU_ASSERT(v.mark == 5 && v.mark_mask == 0 && v.if_id == 7);
	PARSED("vti set x local any", v);
	CU_ASSERT(v.local.family == 0 && v.fields == VIADUCT_VTI_LOCAL);
}

static void vti_mistakes(void)
{
	struct viaduct_vti v;

	REFUSED("vti add", v, "missing: name NAME");
	REFUSED("vti add vti0 foo", v, "unknown keyword 'foo', expected one of: name, local");
	REFUSED("vti add vti0 local", v, "local: value missing, expected ADDR|any");
	REFUSED("vti add vti0 local 1.2.3", v, "'1.2.3'");
	REFUSED("vti add vti0 reqid 5x", v, "'5x' is no number");
	REFUSED("vti add vti0 reqid -5", v, "'-5' is no number");
	REFUSED("vti add vti0 reqid 4294967296", v, "0 to 4294967295");
	REFUSED("vti add vti0 mtu 65536", v, "0 to 65535");
	REFUSED("vti add vti0 up down", v, "exclude");
	REFUSED("vti add vti0 reqid 1 reqid 2", v, "twice");
	REFUSED("vti add sixteencharacter", v, "longer than 15");
	REFUSED("vti add a/b", v, "interface name");
	REFUSED("vti set vti0", v, "nothing to change");
}

static void sa_words(void)
{
	struct viaduct_sa s,
		want = {.dir = VIADUCT_IN,
			.cipher = VIADUCT_CIPHER_AES_CBC,
			.auth = VIADUCT_AUTH_HMAC_SHA2_256_128,
			.reqid = 100,
			.flags = VIADUCT_SA_ESN | VIADUCT_SA_ENCAP | VIADUCT_SA_SET_DF,
			.sport = 4500,
			.dport = 61000,
			.replay_window = 256,
			.enc_key_len = 16,
			.auth_key_len = 2,
			.n_selectors = 1};
	const char *text = "sa add src 192.0.2.2 dst 192.0.2.1 spi 10001 dir in reqid 100 "
			   "enc aes-cbc key 0x000102030405060708090a0b0c0d0e0f "
			   "auth hmac-sha2-256-128 auth-key 0xFEed esn window 256 set-df "
			   "encap 4500 61000 selector 10.1.0.0/16 10.2.3.0/25 "
			   "soft-seconds 3000 hard-bytes 5G";

	want.id = (struct viaduct_sa_id){.dst = ip("192.0.2.1"), .spi = 10001};
	want.src = ip("192.0.2.2");
	want.lifetime.soft_seconds = 3000;
	want.lifetime.hard_bytes = 5000000000;
	for (unsigned i = 0; i < 16; i++)
		want.enc_key[i] = i;
	want.auth_key[0] = 0xfe;
	want.auth_key[1] = 0xed;
	want.selectors[0] = (struct viaduct_selector){.family = 4,
		.src_port = {0, 65535},
		.dst_port = {0, 65535},
		.src = {{10, 1}, {10, 1, 255, 255}},
		.dst = {{10, 2, 3}, {10, 2, 3, 127}}};
	PARSED(text, s);
	CU_ASSERT_EQUAL(memcmp(&s, &want, sizeof(s)), 0);
	/* The keys are gone from the words, which /proc shows. */
	CU_ASSERT_PTR_NULL(memmem(line, sizeof(line), "000102", 6));
	CU_ASSERT_PTR_NULL(memmem(line, sizeof(line), "FEed", 4));
	CU_ASSERT_PTR_NOT_NULL(memmem(line, sizeof(line), "auth-key", 8));
}

static void sa_mistakes(void)
{
	struct viaduct_sa s;

	REFUSED("sa add dst 1.1.1.1", s, "missing: src ADDR, spi N, dir in|out, enc ALG");
	REFUSED("sa add enc aes-foo", s, "aes-gcm-16, chacha20-poly1305");
	REFUSED("sa add enc 3des", s,
		"unknown algorithm '3des', expected one of: null, aes-cbc, "
		"aes-gcm-16, chacha20-poly1305, aes-ctr, aes-gmac");
	REFUSED("sa add enc des", s, "unknown algorithm 'des'");
	REFUSED("sa add auth md5", s, "hmac-sha1-96");
	REFUSED("sa add dir up", s, "expected one of: in, out");
	REFUSED("sa add spi 255", s, "256 to 4294967295");
	REFUSED("sa add key 0x123", s, "even number");
	REFUSED("sa add key 123", s, "0x");
	REFUSED("sa add key 0x12 key-file /x", s, "exclude");
	CU_ASSERT_EQUAL(parse("sa add key-file /nonexistent", &s, sizeof(s)), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/nonexistent: No such file"));
	REFUSED("sa add encap 4500", s, "SPORT DPORT");
	REFUSED("sa add encap 4500 0", s, "1 to 65535");
	REFUSED("sa add selector 10.0.0.0/8 ::/0", s, "families");
	REFUSED("sa add soft-bytes 20000000000G", s, "out of range");
	/* Not even a mistyped key is shown. */
	CU_ASSERT_EQUAL(parse("sa add key 0xabcdefgh", &s, sizeof(s)), -EINVAL);
	CU_ASSERT_PTR_NULL(strstr(e.text, "abcdef"));
	CU_ASSERT_EQUAL(parse("sa add 0x00112233445566778899aabbccddeeff", &s, sizeof(s)), -EINVAL);
	CU_ASSERT_PTR_NULL(strstr(e.text, "ccddeeff"));
}

static void keys_from_files_and_input(void)
{
	char path[] = "/tmp/viaduct-test-key-XXXXXX", text[128];
	static const char file[] = "0x0102\n", input[] = "0x03 04\n0x05\n";
	int fd = mkstemp(path), pipe_fd[2], old = dup(STDIN_FILENO);
	struct viaduct_sa s;

	CU_ASSERT_EQUAL(write(fd, file, sizeof(file) - 1), sizeof(file) - 1);
	close(fd);
	snprintf(text, sizeof(text), "sa add auth-key-file %s", path);
	REFUSED(text, s, "missing"); /* of the rest; the key itself is good */
	CU_ASSERT(s.auth_key_len == 2 && s.auth_key[0] == 1 && s.auth_key[1] == 2);
	unlink(path);

	CU_ASSERT_EQUAL(pipe(pipe_fd), 0);
	CU_ASSERT_EQUAL(write(pipe_fd[1], input, sizeof(input) - 1), sizeof(input) - 1);
	close(pipe_fd[1]);
	dup2(pipe_fd[0], STDIN_FILENO);
	REFUSED("sa add key - auth-key -", s, "missing");
	CU_ASSERT(s.enc_key_len == 2 && s.enc_key[0] == 3 && s.enc_key[1] == 4);
	CU_ASSERT(s.auth_key_len == 1 && s.auth_key[0] == 5);
	REFUSED("sa add key -", s, "key: expected 0x");
	dup2(old, STDIN_FILENO);
	close(pipe_fd[0]);
	close(old);
}

static void route_words(void)
{
	struct viaduct_route r;

	PARSED("route add 10.2.0.0/16 dev vti0", r);
	CU_ASSERT(r.prefix_len == 16 && strcmp(r.dev, "vti0") == 0 && r.gateway.family == 0);
	PARSED("route add blackhole 10.9.0.0/16 metric 5", r);
	CU_ASSERT(r.type == VIADUCT_ROUTE_BLACKHOLE && r.prefix.bytes[1] == 9 && r.metric == 5);
	PARSED("route add default via 192.0.2.9 dev wan0", r);
	CU_ASSERT(r.prefix.family == 4 && r.prefix_len == 0 && r.gateway.bytes[3] == 9);
	PARSED("route add 2001:db8::1 dev vti0", r);
	CU_ASSERT(r.prefix.family == 6 && r.prefix_len == 128);
	REFUSED("route add 10.2.0.0/16", r, "dev NAME or via ADDR");
	REFUSED("route add 10.2.0.1/16 dev vti0", r, "beyond its length");
	REFUSED("route add 10.2.0.0/33 dev vti0", r, "no prefix");
	REFUSED("route add blackhole 10.2.0.0/16 dev vti0", r, "blackhole");
	REFUSED("route add blackhole prohibit 10.2.0.0/16", r, "exclude");
}

static void stats_words(void)
{
	struct {
		char name[VIADUCT_NAME_LEN];
		uint32_t cycles, interval_s;
	} s;

	PARSED("stats show vti0", s);
	CU_ASSERT(strcmp(s.name, "vti0") == 0 && s.cycles == 0);
	PARSED("stats show cycles", s);
	CU_ASSERT(s.name[0] == '\0' && s.cycles == 1 && s.interval_s == 0);
	PARSED("stats show cycles interval 5", s);
	CU_ASSERT(s.cycles == 1 && s.interval_s == 5);
	/* An interface of that name is there too. */
	PARSED("stats show name cycles", s);
	CU_ASSERT(strcmp(s.name, "cycles") == 0 && s.cycles == 0);
	REFUSED("stats show vti0 cycles", s, "exclude");
	REFUSED("stats show interval 5", s, "interval goes with cycles");
	REFUSED("stats show cycles interval 0", s, "1 to 86400");
}

static void objects_and_verbs(void)
{
	CU_ASSERT_PTR_NULL(object_find("s", &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "sa, stats, status, show"));
	CU_ASSERT_PTR_NULL(object_find("tunnel", &e));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "'tunnel', expected one of: vti, sa"));
	CU_ASSERT_STRING_EQUAL(object_find("sa", &e)->name, "sa");
	CU_ASSERT_PTR_NULL(object_find("stat", &e));
	CU_ASSERT_STRING_EQUAL(e.text, "object 'stat' may mean: stats, status");
	CU_ASSERT_STRING_EQUAL(cut("rou ls")->name, "show");
	CU_ASSERT_STRING_EQUAL(cut("vti delete")->name, "del");
	CU_ASSERT_PTR_NULL(cut("vti frob"));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "'frob', expected one of: show, add, set, del"));
}

static void units(void)
{
	char buf[32];

	CU_ASSERT_STRING_EQUAL(format_bytes(0, buf, sizeof(buf)), "0");
	CU_ASSERT_STRING_EQUAL(format_bytes(1023, buf, sizeof(buf)), "1023");
	CU_ASSERT_STRING_EQUAL(format_bytes(1024, buf, sizeof(buf)), "1.0K");
	CU_ASSERT_STRING_EQUAL(format_bytes(1024 * 1024 - 1, buf, sizeof(buf)), "1.0M");
	CU_ASSERT_STRING_EQUAL(format_bytes(UINT64_MAX, buf, sizeof(buf)), "16.0E");
	CU_ASSERT_STRING_EQUAL(format_duration(59, buf, sizeof(buf)), "59s");
	CU_ASSERT_STRING_EQUAL(format_duration(60, buf, sizeof(buf)), "1m00s");
	CU_ASSERT_STRING_EQUAL(format_duration(3725, buf, sizeof(buf)), "1h02m");
	CU_ASSERT_STRING_EQUAL(format_duration(90000, buf, sizeof(buf)), "1d01h");
}

/* The tables' own soundness: what parsing, help and completion rely on. */
static void grammar_is_sound(void)
{
	for (unsigned i = 0; objects[i] != NULL; i++) {
		for (const struct verb *v = objects[i]->verbs; v->name != NULL; v++) {
			unsigned n = 0;

			CU_ASSERT_PTR_NOT_NULL(v->run);
			for (const struct keyword *k = v->keywords; k != NULL && k->name != NULL;
				k++) {
				n++;
				CU_ASSERT_PTR_NOT_NULL(k->set);
				CU_ASSERT(k->help != NULL && k->help[0] != '\0');
				CU_ASSERT(k->offset < v->req_size || v->req_size == 0);
				CU_ASSERT_PTR_EQUAL(keyword_find(v, k->name), k);
			}
			CU_ASSERT(n <= 64); /* parsing's bit set */
		}
	}
}

UNIT_MAIN("cli", UNIT_TEST(vti_words), UNIT_TEST(vti_mistakes), UNIT_TEST(sa_words),
	UNIT_TEST(sa_mistakes), UNIT_TEST(keys_from_files_and_input), UNIT_TEST(route_words),
	UNIT_TEST(stats_words), UNIT_TEST(objects_and_verbs), UNIT_TEST(units),
	UNIT_TEST(grammar_is_sound))
