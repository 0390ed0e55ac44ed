/* SPDX-License-Identifier: BSD-3-Clause */
/* viaductctl sa: security associations. */
#include "control/addr_text.h"
#include "control/cli/commands.h"
#include "control/cli/values.h"
#include "dataplane/alg.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct word directions[] = {{"in", VIADUCT_IN}, {"out", VIADUCT_OUT}, {0}};

struct filter {
	struct viaduct_addr src, dst;
	uint32_t spi, reqid;
	uint8_t dir;
	char vti[VIADUCT_NAME_LEN];
};

static int prefix_range(const char *text, uint8_t range[2][16], uint8_t *family, struct err *e)
{
	struct viaduct_addr a;
	uint8_t len;

	if (prefix_parse(text, &a, &len) < 0)
		return err_set(e, EINVAL, "'%.64s' is no prefix such as 10.1.0.0/16", text);
	memcpy(range[0], a.bytes, 16);
	memcpy(range[1], a.bytes, 16);
	for (unsigned bit = len; bit < addr_bits(a.family); bit++)
		range[1][bit / 8] |= 0x80 >> bit % 8;
	*family = a.family;
	return 0;
}

static int set_selector(const struct keyword *k, void *req, char **values, struct err *e)
{
	struct viaduct_sa *sa = req;
	struct viaduct_selector s = {.src_port = {0, 65535}, .dst_port = {0, 65535}};
	uint8_t family = IP_NONE;

	(void)k;
	if (sa->n_selectors == VIADUCT_SELECTORS_MAX)
		return err_set(e, EINVAL, "more than %d of them", VIADUCT_SELECTORS_MAX);
	if (prefix_range(values[0], s.src, &s.family, e) < 0 ||
		prefix_range(values[1], s.dst, &family, e) < 0)
		return -EINVAL;
	if (family != s.family)
		return err_set(
			e, EINVAL, "%.48s and %.48s are of two families", values[0], values[1]);
	sa->selectors[sa->n_selectors++] = s;
	return 0;
}

static int set_encap(const struct keyword *k, void *req, char **values, struct err *e)
{
	struct viaduct_sa *sa = req;

	sa->flags |= VIADUCT_SA_ENCAP;
	return set_ports(k, req, values, e);
}

static int set_encap_update(const struct keyword *k, void *req, char **values, struct err *e)
{
	struct viaduct_sa_update *u = req;

	u->encap = 1;
	return set_ports(k, req, values, e);
}

/* What the absence of "encap" says, for those who want to say it. */
static int set_nothing(const struct keyword *k, void *req, char **values, struct err *e)
{
	(void)k;
	(void)req;
	(void)values;
	(void)e;
	return 0;
}

/* clang-format off */
#define AT(type, member) .offset = offsetof(struct type, member)
#define FLAG(bit)        .set = set_value32, .min = (bit), AT(viaduct_sa, flags)
#define ID(type, member, required) \
	{"dst", "ADDR", "outer destination", .flags = (required), .set = set_addr, \
		AT(type, member.dst)}, \
	{"spi", "N", "security parameters index, as the packets carry it", .flags = (required), \
		.set = set_u32, .min = 256, AT(type, member.spi)}

static const struct keyword add_keywords[] = {
	{"src", "ADDR", "outer source", .flags = KEYWORD_REQUIRED, .set = set_addr,
		AT(viaduct_sa, src)},
	ID(viaduct_sa, id, KEYWORD_REQUIRED),
	{"dir", "in|out", "direction, as seen from here", .flags = KEYWORD_REQUIRED, .set = set_word,
		.words = directions, AT(viaduct_sa, dir)},
	{"enc", "ALG",
		"encryption: aes-gcm-16, chacha20-poly1305, aes-gmac (integrity alone), "
		"aes-cbc, aes-ctr, null",
		.flags = KEYWORD_REQUIRED, .set = set_cipher, .complete = complete_cipher,
		AT(viaduct_sa, cipher)},
	{"key", "0xHEX|-",
		"its key, with the 4 bytes of salt of an AEAD or aes-ctr; -: a line of stdin; 0xHEX ends in "
		"the shell's history, and the process list may show it: better -, key-file or batch",
		.set = set_enc_key, .group = "key"},
	{"key-file", "FILE", "the same from a file's first line", .set = set_enc_key_file,
		.group = "key"},
	{"auth", "ALG", "integrity: hmac-sha1-96, hmac-sha2-256-128, -384-192, -512-256",
		"none, with an AEAD", .set = set_auth, .complete = complete_auth,
		AT(viaduct_sa, auth)},
	{"auth-key", "0xHEX|-", "its key", .set = set_auth_key, .group = "auth-key"},
	{"auth-key-file", "FILE", "the same from a file's first line", .set = set_auth_key_file,
		.group = "auth-key"},
	{"reqid", "N", "binds it to the VTI with this reqid", "0: none", .set = set_u32,
		AT(viaduct_sa, reqid)},
	{"if_id", "N", "binds it to the VTI with this if_id", "0: none", .set = set_u32,
		AT(viaduct_sa, if_id)},
	{"mark", "N[/MASK]", "binds it to the VTI with this mark", "0: none", .set = set_mark,
		AT(viaduct_sa, mark)},
	{"esn", NULL, "64-bit sequence numbers", "32-bit", FLAG(VIADUCT_SA_ESN)},
	{"window", "PACKETS", "in: anti-replay window, 32 to 4096", "the daemon's, 64 if not set",
		.set = set_u32, .max = 4096, .group = "window", AT(viaduct_sa, replay_window)},
	{"no-replay", NULL, "in: no replay protection: sequence numbers are not looked at", "a window",
		FLAG(VIADUCT_SA_NO_REPLAY), .group = "window"},
	{"seq", "N", "out: first sequence number", "1", .set = set_u64, AT(viaduct_sa, first_seq)},
	{"encap", "SPORT DPORT", "UDP encapsulation (NAT traversal)", "none", .set = set_encap,
		AT(viaduct_sa, sport)},
	{"selector", "SRC DST", "in: only packets from prefix SRC to prefix DST; up to 16 of them",
		"any packet", .flags = KEYWORD_REPEAT, .set = set_selector},
	{"copy-df", NULL, "out: outer DF bit as inside", "clear", FLAG(VIADUCT_SA_COPY_DF),
		.group = "df"},
	{"set-df", NULL, "out: outer DF bit set", "clear", FLAG(VIADUCT_SA_SET_DF), .group = "df"},
	{"no-copy-dscp", NULL, "out: outer DSCP 0", "as inside", FLAG(VIADUCT_SA_NO_COPY_DSCP)},
	{"no-ecn", NULL, "leave congestion marks alone", "RFC 6040", FLAG(VIADUCT_SA_NO_ECN)},
	{"soft-seconds", "N", "age at which rekeying is asked for", "never", .set = set_u64,
		AT(viaduct_sa, lifetime.soft_seconds)},
	{"hard-seconds", "N", "age at which it ends", "never", .set = set_u64,
		AT(viaduct_sa, lifetime.hard_seconds)},
	{"soft-bytes", "N[kMGT]", "bytes carried at which rekeying is asked for", "never", .set = set_u64,
		AT(viaduct_sa, lifetime.soft_bytes)},
	{"hard-bytes", "N[kMGT]", "bytes at which it ends", "never", .set = set_u64, AT(viaduct_sa, lifetime.hard_bytes)},
	{"soft-packets", "N[kMGT]", "packets carried at which rekeying is asked for", "never", .set = set_u64,
		AT(viaduct_sa, lifetime.soft_packets)},
	{"hard-packets", "N[kMGT]", "packets at which it ends", "never", .set = set_u64,
		AT(viaduct_sa, lifetime.hard_packets)},
	{0}};

static const struct keyword del_keywords[] = {
	{"dst", "ADDR", "outer destination", .flags = KEYWORD_REQUIRED, .set = set_addr,
		AT(viaduct_sa_id, dst)},
	{"spi", "N", "security parameters index", .flags = KEYWORD_REQUIRED, .set = set_u32, .min = 256,
		AT(viaduct_sa_id, spi)},
	{0}};

static const struct keyword update_keywords[] = {
	ID(viaduct_sa_update, id, KEYWORD_REQUIRED),
	{"new-src", "ADDR", "outer source from now on", .flags = KEYWORD_REQUIRED, .set = set_addr,
		AT(viaduct_sa_update, new_src)},
	{"new-dst", "ADDR", "outer destination from now on", .flags = KEYWORD_REQUIRED,
		.set = set_addr, AT(viaduct_sa_update, new_dst)},
	{"encap", "SPORT DPORT", "UDP encapsulation from now on", "none", .set = set_encap_update,
		.group = "encap", AT(viaduct_sa_update, new_sport)},
	{"no-encap", NULL, "without UDP encapsulation from now on", "so it is", .set = set_nothing,
		.group = "encap"},
	{"reqid", "N", "reqid from now on", "0: as it was", .set = set_u32,
		AT(viaduct_sa_update, new_reqid)},
	{0}};

static const struct keyword alloc_keywords[] = {
	{"dst", "ADDR", "outer destination: an address of this gateway", .flags = KEYWORD_REQUIRED,
		.set = set_addr, AT(viaduct_spi_alloc, dst)},
	{"src", "ADDR", "outer source", "any", .set = set_addr, AT(viaduct_spi_alloc, src)},
	{"min", "N", "lowest SPI", "any", .set = set_u32, .min = 256, AT(viaduct_spi_alloc, min)},
	{"max", "N", "highest SPI", "any", .set = set_u32, .min = 256, AT(viaduct_spi_alloc, max)},
	{0}};

static const struct keyword show_keywords[] = {
	{"dir", "in|out", "only this direction", "both", .set = set_word, .words = directions,
		AT(filter, dir)},
	{"vti", "NAME", "only of this VTI", "all", .set = set_name, .complete = complete_vti,
		AT(filter, vti)},
	{"src", "ADDR", "only with this outer source", "all", .set = set_addr, AT(filter, src)},
	{"dst", "ADDR", "only with this outer destination", "all", .set = set_addr, AT(filter, dst)},
	{"spi", "N", "only with this SPI", "all", .set = set_u32, AT(filter, spi)},
	{"reqid", "N", "only with this reqid", "all", .set = set_u32, AT(filter, reqid)},
	{0}};
/* clang-format on */

static json_object *flags_array(uint32_t flags)
{
	static const struct word names[] = {{"esn", VIADUCT_SA_ESN}, {"encap", VIADUCT_SA_ENCAP},
		{"no-copy-dscp", VIADUCT_SA_NO_COPY_DSCP}, {"no-ecn", VIADUCT_SA_NO_ECN},
		{"copy-df", VIADUCT_SA_COPY_DF}, {"set-df", VIADUCT_SA_SET_DF},
		{"no-replay", VIADUCT_SA_NO_REPLAY}, {0}};
	json_object *array = json_object_new_array();

	for (const struct word *w = names; w->name != NULL; w++) {
		if (flags & w->value)
			json_object_array_add(array, json_object_new_string(w->name));
	}
	return array;
}

static json_object *lifetime_object(const struct viaduct_lifetime *l)
{
	json_object *o = json_object_new_object();

	add_number(o, "soft_seconds", l->soft_seconds);
	add_number(o, "hard_seconds", l->hard_seconds);
	add_number(o, "soft_bytes", l->soft_bytes);
	add_number(o, "hard_bytes", l->hard_bytes);
	add_number(o, "soft_packets", l->soft_packets);
	add_number(o, "hard_packets", l->hard_packets);
	return o;
}

static json_object *sa_item(const struct viaduct_sa_info *s)
{
	const struct cipher_info *cipher = cipher_info(s->cipher);
	const struct auth_info *auth = s->auth != AUTH_NONE ? auth_info(s->auth) : NULL;
	json_object *o = json_object_new_object();

	add_text(o, "dir", word_name(directions, s->dir));
	add_addr(o, "src", &s->src);
	add_addr(o, "dst", &s->id.dst);
	add_number(o, "spi", s->id.spi);
	add_text(o, "origin", origin_name(s->origin));
	add_text(o, "vti", s->vti);
	add_bool(o, "active", s->active);
	add_number(o, "reqid", s->reqid);
	add_number(o, "if_id", s->if_id);
	add_number(o, "mark", s->mark);
	add_number(o, "mark_mask", s->mark_mask);
	add_text(o, "enc", cipher != NULL ? cipher->name : "");
	add_number(o, "key_bits", s->key_bits);
	add_text(o, "auth", auth != NULL ? auth->name : "");
	json_object_object_add(o, "flags", flags_array(s->flags));
	add_number(o, "sport", s->sport);
	add_number(o, "dport", s->dport);
	add_number(o, "replay_window", s->replay_window);
	add_number(o, "packets", s->packets);
	add_number(o, "bytes", s->bytes);
	add_number(o, "errors", s->errors);
	add_number(o, "seq", s->seq);
	add_number(o, "age_s", s->age_s);
	json_object_object_add(
		o, "idle_s", s->idle_s == UINT64_MAX ? NULL : json_object_new_uint64(s->idle_s));
	json_object_object_add(o, "lifetime", lifetime_object(&s->lifetime));
	return o;
}

/* "aes-gcm-16 128", "aes-cbc 256 hmac-sha2-256-128" */
static void cell_algorithms(json_object *o, char *buf, size_t size)
{
	const char *auth = item_text(o, "auth");
	char bits[24] = "";

	if (item_number(o, "key_bits") > 0)
		snprintf(bits, sizeof(bits), " %" PRIu64, item_number(o, "key_bits"));
	snprintf(buf, size, "%s%s%s%s", item_text(o, "enc"), bits, *auth != '\0' ? " " : "", auth);
}

static void cell_flags(json_object *o, char *buf, size_t size)
{
	json_object *flags = item_at(o, "flags");
	size_t len = 0;

	buf[0] = '\0';
	if (json_object_get_boolean(item_at(o, "active")))
		len = snprintf(buf, size, "active");
	for (size_t i = 0; i < json_object_array_length(flags) && len + 1 < size; i++)
		len += snprintf(buf + len, size - len, "%s%s", len > 0 ? "," : "",
			json_object_get_string(json_object_array_get_idx(flags, i)));
	if (item_number(o, "sport") != 0 && len + 1 < size)
		len += snprintf(buf + len, size - len, " %" PRIu64 ":%" PRIu64,
			item_number(o, "sport"), item_number(o, "dport"));
	if (len == 0)
		snprintf(buf, size, "-");
}

static const struct column columns[] = {{"DIR", "dir"}, {"SRC", "src"}, {"DST", "dst"},
	{"SPI", "spi", FORMAT_SPI}, {"VTI", "vti"}, {"REQID", "reqid", FORMAT_NONZERO},
	{"ALGORITHMS", .cell = cell_algorithms}, {"PACKETS", "packets"},
	{"BYTES", "bytes", FORMAT_BYTES}, {"ERRORS", "errors"}, {"AGE", "age_s", FORMAT_DURATION},
	{"IDLE", "idle_s", FORMAT_DURATION}, {"ORIGIN", "origin"}, {"FLAGS", .cell = cell_flags},
	{0}};

struct show {
	struct cli *cli;
	const struct filter *f; /* NULL: everything */
};

static bool addr_differs(const struct viaduct_addr *want, const struct viaduct_addr *is)
{
	return want->family != 0 && memcmp(want, is, sizeof(*want)) != 0;
}

static bool wanted(const struct cli *cli, const struct filter *f, const struct viaduct_sa_info *s)
{
	if (cli->family != 0 && cli->family != s->src.family)
		return false;
	if (f == NULL)
		return true;
	return (f->dir == 0 || f->dir == s->dir) && (f->spi == 0 || f->spi == s->id.spi) &&
		(f->reqid == 0 || f->reqid == s->reqid) &&
		(f->vti[0] == '\0' || strcmp(f->vti, s->vti) == 0) &&
		!addr_differs(&f->src, &s->src) && !addr_differs(&f->dst, &s->id.dst);
}

static int show_one(const void *item, void *arg)
{
	struct show *s = arg;

	if (wanted(s->cli, s->f, item))
		list_item(s->cli, sa_item(item));
	return 0;
}

int show_sas(struct cli *cli, void *req)
{
	struct show s = {cli, req};
	int ret;

	list_begin(cli, "sas", columns);
	ret = cli_dump(cli, VIADUCT_SA_DUMP, show_one, &s);
	list_end(cli);
	return ret;
}

static int run_add(struct cli *cli, void *req)
{
	return cli_call(cli, VIADUCT_SA_ADD, req, NULL);
}

static int run_del(struct cli *cli, void *req)
{
	return cli_call(cli, VIADUCT_SA_DEL, req, NULL);
}

static int run_update(struct cli *cli, void *req)
{
	return cli_call(cli, VIADUCT_SA_UPDATE, req, NULL);
}

static int run_flush(struct cli *cli, void *req)
{
	(void)req;
	return cli_call(cli, VIADUCT_SA_FLUSH, NULL, NULL);
}

static int run_alloc(struct cli *cli, void *req)
{
	struct viaduct_spi_alloc *a = req;
	struct viaduct_spi spi;
	json_object *o;
	int ret;

	if (a->min != 0 && a->max == 0)
		a->max = UINT32_MAX;
	ret = cli_call(cli, VIADUCT_SPI_ALLOC, a, &spi);
	if (ret != EXIT_OK)
		return ret;
	if (!cli->json) {
		printf("%" PRIu32 "\n", spi.spi);
		return ret;
	}
	o = json_object_new_object();
	add_number(o, "spi", spi.spi);
	line_print(o);
	return ret;
}

/* clang-format off */
static const struct verb verbs[] = {
	{"show", "list security associations; keys are never shown", show_keywords,
		sizeof(struct filter), .run = show_sas},
	{"add", "install one (manual keying)", add_keywords, sizeof(struct viaduct_sa),
		.run = run_add},
	{"del", "remove one", del_keywords, sizeof(struct viaduct_sa_id), .run = run_del},
	{"update", "change addresses and encapsulation in place", update_keywords,
		sizeof(struct viaduct_sa_update), .run = run_update},
	{"flush", "remove all", .run = run_flush},
	{"alloc-spi", "draw an unused SPI and keep it for three minutes", alloc_keywords,
		sizeof(struct viaduct_spi_alloc), .run = run_alloc},
	{0}};
/* clang-format on */

const struct object object_sa = {"sa", "security associations", verbs};
