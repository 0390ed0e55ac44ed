/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests whose bytes are no request: each field that can be wrong, one at a time. */
#include "control/addr_text.h"
#include "control/api/api_handlers.h"
#include "test/unit/unit.h"

#include <errno.h>

static struct err e;

/* The check refuses, and its sentence names the field. */
#define REFUSED(check, request, word)                                                              \
	do {                                                                                       \
		e.text[0] = '\0';                                                                  \
		CU_ASSERT_EQUAL(check(request, &e), -EINVAL);                                      \
		if (strstr(e.text, word) == NULL)                                                  \
			printf("\n\"%s\" does not name \"%s\"\n", e.text, word);                   \
		CU_ASSERT_PTR_NOT_NULL(strstr(e.text, word));                                      \
	} while (0)

static struct viaduct_addr ip(const char *text)
{
	struct viaduct_addr a;

	if (addr_parse(text, &a) < 0)
		abort();
	return a;
}

static struct viaduct_vti good_vti(void)
{
	struct viaduct_vti v = {.name = "vti0", .fields = 0x1ff, .admin_up = 1, .mtu = 1400};

	v.local = ip("192.0.2.1");
	v.remote = ip("192.0.2.2");
	strcpy(v.description, "to \xc3\xa9tage 2");
	return v;
}

static void vti_fields(void)
{
	struct viaduct_vti v = good_vti();

	CU_ASSERT_EQUAL(check_viaduct_vti(&v, &e), 0);
	memset(v.name, 'x', sizeof(v.name));
	REFUSED(check_viaduct_vti, &v, "name");
	v = good_vti(), v.name[0] = '\0';
	REFUSED(check_viaduct_vti, &v, "name");
	v = good_vti(), v.name[1] = '/';
	REFUSED(check_viaduct_vti, &v, "name");
	v = good_vti(), v.name[1] = '\x1b';
	REFUSED(check_viaduct_vti, &v, "name");
	v = good_vti(), v.fields = 0x20000;
	REFUSED(check_viaduct_vti, &v, "fields");
	v = good_vti(), v.local.family = 5;
	REFUSED(check_viaduct_vti, &v, "local");
	v = good_vti(), v.local.reserved[2] = 1;
	REFUSED(check_viaduct_vti, &v, "local");
	v = good_vti(), v.remote.bytes[4] = 1;
	REFUSED(check_viaduct_vti, &v, "remote");
	v = good_vti(), v.remote = ip("2001:db8::1");
	REFUSED(check_viaduct_vti, &v, "families");
	v = good_vti(), v.admin_up = 2;
	REFUSED(check_viaduct_vti, &v, "admin_up");
	v = good_vti(), v.parallel = 2;
	REFUSED(check_viaduct_vti, &v, "parallel");
	v = good_vti(), v.mtu = 65536;
	REFUSED(check_viaduct_vti, &v, "mtu");
	v = good_vti(), memset(v.description, 'd', sizeof(v.description));
	REFUSED(check_viaduct_vti, &v, "description");
	v = good_vti(), v.description[3] = '\n';
	REFUSED(check_viaduct_vti, &v, "description");
	/* What the request does not mean to set is not looked at. */
	v = good_vti(), v.fields = VIADUCT_VTI_MTU, v.local.family = 5;
	CU_ASSERT_EQUAL(check_viaduct_vti(&v, &e), 0);
}

static struct viaduct_sa good_sa(void)
{
	struct viaduct_sa s = {.dir = VIADUCT_IN,
		.cipher = VIADUCT_CIPHER_AES_GCM_16,
		.flags = VIADUCT_SA_ENCAP,
		.sport = 4500,
		.dport = 4500,
		.enc_key_len = 20,
		.n_selectors = 1,
		.selectors = {{.family = 4, .src_port = {0, 65535}, .dst_port = {80, 80}}}};

	s.id = (struct viaduct_sa_id){.dst = ip("192.0.2.1"), .spi = 256};
	s.src = ip("192.0.2.2");
	return s;
}

static void sa_fields(void)
{
	struct viaduct_sa s = good_sa();

	CU_ASSERT_EQUAL(check_viaduct_sa(&s, &e), 0);
	s.id.spi = 255;
	REFUSED(check_viaduct_sa, &s, "spi");
	s = good_sa(), s.id.dst.family = 0, memset(s.id.dst.bytes, 0, 16);
	REFUSED(check_viaduct_sa, &s, "dst");
	s = good_sa(), s.id.reserved = 1;
	REFUSED(check_viaduct_sa, &s, "reserved");
	s = good_sa(), s.src = ip("::1");
	REFUSED(check_viaduct_sa, &s, "families");
	s = good_sa(), s.dir = 0;
	REFUSED(check_viaduct_sa, &s, "dir");
	s = good_sa(), s.cipher = 7;
	REFUSED(check_viaduct_sa, &s, "cipher");
	s = good_sa(), s.auth = 5;
	REFUSED(check_viaduct_sa, &s, "auth");
	s = good_sa(), s.flags |= 256;
	REFUSED(check_viaduct_sa, &s, "flags");
	s = good_sa(), s.dport = 0;
	REFUSED(check_viaduct_sa, &s, "port 0");
	s = good_sa(), s.flags = 0;
	REFUSED(check_viaduct_sa, &s, "sport");
	s = good_sa(), s.replay_window = 4097;
	REFUSED(check_viaduct_sa, &s, "replay_window");
	s = good_sa(), s.enc_key_len = 65;
	REFUSED(check_viaduct_sa, &s, "enc_key_len");
	s = good_sa(), s.auth_key_len = 65;
	REFUSED(check_viaduct_sa, &s, "auth_key_len");
	s = good_sa(), s.n_selectors = 17;
	REFUSED(check_viaduct_sa, &s, "n_selectors");
	s = good_sa(), s.selectors[0].family = 0;
	REFUSED(check_viaduct_sa, &s, "selector");
	s = good_sa(), s.selectors[0].dst_port[1] = 79;
	REFUSED(check_viaduct_sa, &s, "port");
	s = good_sa(), s.selectors[0].src[0][3] = 1;
	REFUSED(check_viaduct_sa, &s, "source");
	s = good_sa(), s.selectors[0].dst[1][4] = 1;
	REFUSED(check_viaduct_sa, &s, "destination");
	s = good_sa(), s.reserved = 1;
	REFUSED(check_viaduct_sa, &s, "reserved");
}

static void route_fields(void)
{
	struct viaduct_route good = {.prefix_len = 16,
				     .type = VIADUCT_ROUTE_UNICAST,
				     .dev = "vti0"},
			     r;

	good.prefix = ip("10.2.0.0");
	CU_ASSERT_EQUAL(check_viaduct_route(&good, &e), 0);
	r = good, r.prefix_len = 33;
	REFUSED(check_viaduct_route, &r, "prefix_len");
	r = good, r.prefix_len = 14;
	REFUSED(check_viaduct_route, &r, "10.2.0.0/14");
	r = good, r.prefix.family = 0, memset(r.prefix.bytes, 0, 16);
	REFUSED(check_viaduct_route, &r, "prefix");
	r = good, r.type = 3;
	REFUSED(check_viaduct_route, &r, "type");
	r = good, r.gateway.family = 9;
	REFUSED(check_viaduct_route, &r, "gateway");
	r = good, memset(r.dev, 'v', sizeof(r.dev));
	REFUSED(check_viaduct_route, &r, "dev");
}

static void smaller_requests(void)
{
	struct viaduct_spi_alloc a = {.dst = ip("192.0.2.1"), .min = 2, .max = 1};
	struct viaduct_sa_update u = {.encap = 1};
	struct viaduct_subscribe s = {.mask = 1u << 31};
	struct viaduct_policy p = {.dir = 3};
	struct viaduct_hello h;
	struct viaduct_route_lookup l = {0};

	REFUSED(check_viaduct_spi_alloc, &a, "min");
	u.id = (struct viaduct_sa_id){.dst = ip("192.0.2.1"), .spi = 4096};
	REFUSED(check_viaduct_sa_update, &u, "new_src");
	u.new_src = u.new_dst = ip("192.0.2.3");
	REFUSED(check_viaduct_sa_update, &u, "port 0");
	REFUSED(check_viaduct_subscribe, &s, "mask");
	REFUSED(check_viaduct_policy, &p, "dir");
	memset(&h, 'h', sizeof(h));
	REFUSED(check_viaduct_hello, &h, "name");
	REFUSED(check_viaduct_route_lookup, &l, "dst");
}

static void addresses_and_prefixes(void)
{
	static const struct {
		const char *text;
		int ret;
		const char *back;
	} cases[] = {{"10.2.0.0/16", 0, "10.2.0.0/16"}, {"10.2.3.4", 0, "10.2.3.4/32"},
		{"2001:db8::/32", 0, "2001:db8::/32"}, {"::1", 0, "::1/128"},
		{"default", 0, "0.0.0.0/0"}, {"default6", 0, "::/0"}, {"0.0.0.0/0", 0, "0.0.0.0/0"},
		{"10.2.0.1/16", -ERANGE, NULL}, {"2001:db8::1/32", -ERANGE, NULL},
		{"10.2.0.0/33", -EINVAL, NULL}, {"::/129", -EINVAL, NULL},
		{"10.2.0/16", -EINVAL, NULL}, {"10.2.0.0/", -EINVAL, NULL},
		{"10.2.0.0/+8", -EINVAL, NULL}, {"10.2.0.0/ 8", -EINVAL, NULL},
		{"10.2.0.0/16x", -EINVAL, NULL}, {"", -EINVAL, NULL},
		{"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa/128", -EINVAL, NULL}};
	char buf[PREFIX_TEXT_LEN];
	struct viaduct_addr a;
	struct addr b;
	uint8_t len;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CU_ASSERT_EQUAL(prefix_parse(cases[i].text, &a, &len), cases[i].ret);
		if (cases[i].back != NULL)
			CU_ASSERT_STRING_EQUAL(prefix_text(&a, len, buf), cases[i].back);
	}
	a = ip("10.1.2.3");
	b = addr_from_api(&a);
	CU_ASSERT_EQUAL(b.family, IP_V4);
	CU_ASSERT_EQUAL(b.v4, __builtin_bswap32(0x0a010203));
	CU_ASSERT_EQUAL(b.q[1], 0);
	CU_ASSERT_EQUAL(memcmp(&a, &(struct viaduct_addr){4, {0}, {10, 1, 2, 3}}, sizeof(a)), 0);
	a = addr_to_api(&b);
	CU_ASSERT_STRING_EQUAL(addr_text(&a, buf), "10.1.2.3");
	a = (struct viaduct_addr){0};
	CU_ASSERT_STRING_EQUAL(addr_text(&a, buf), "any");
}

UNIT_MAIN("api_check", UNIT_TEST(vti_fields), UNIT_TEST(sa_fields), UNIT_TEST(route_fields),
	UNIT_TEST(smaller_requests), UNIT_TEST(addresses_and_prefixes))
