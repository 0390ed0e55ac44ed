/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/key_digest.h"
#include "config/tables.h"
#include "config/value.h"
#include "control/addr_text.h"
#include "dataplane/alg.h"
#include "dataplane/replay.h"

#include <rte_common.h>

#include <string.h>

#define NATT_PORT_DEFAULT 4500

static int read_dir(struct reader *r, const config_setting_t *s, void *sa)
{
	const char *text = config_setting_get_string(s);
	struct viaduct_sa *a = sa;

	if (text != NULL && strcmp(text, "in") == 0)
		a->dir = VIADUCT_IN;
	else if (text != NULL && strcmp(text, "out") == 0)
		a->dir = VIADUCT_OUT;
	else
		return setting_wrong(r, s, "\"in\" or \"out\"");
	return 0;
}

static int read_src(struct reader *r, const config_setting_t *s, void *sa)
{
	return value_addr(r, s, &((struct viaduct_sa *)sa)->src, false);
}

static int read_dst(struct reader *r, const config_setting_t *s, void *sa)
{
	return value_addr(r, s, &((struct viaduct_sa *)sa)->id.dst, false);
}

static int read_mark(struct reader *r, const config_setting_t *s, void *sa)
{
	struct viaduct_sa *a = sa;

	return value_mark(r, s, &a->mark, &a->mark_mask);
}

static int read_cipher(struct reader *r, const config_setting_t *s, void *sa)
{
	const char *text = config_setting_get_string(s);
	struct viaduct_sa *a = sa;

	a->cipher = text != NULL ? cipher_by_name(text) : 0;
	if (a->cipher == 0)
		return setting_wrong(r, s, "\"aes-cbc\" or \"null\"");
	/* Their IV is the sequence number, which begins at 1 again when the daemon starts. */
	if (cipher_info(a->cipher)->salt != 0)
		return setting_error(r, s,
			"\"%s\" would repeat IVs under the same key after a restart; expected "
			"\"aes-cbc\" or \"null\" with auth, or IKE (RFC 8221 3)",
			text);
	return 0;
}

static int read_auth(struct reader *r, const config_setting_t *s, void *sa)
{
	const char *text = config_setting_get_string(s);
	const int auth = text != NULL ? auth_by_name(text) : -1;

	if (auth < 0)
		return setting_wrong(r, s,
			"\"hmac-sha2-256-128\", \"hmac-sha2-384-192\", \"hmac-sha2-512-256\" or "
			"\"hmac-sha1-96\"");
	((struct viaduct_sa *)sa)->auth = auth;
	return 0;
}

static int read_key(struct reader *r, const config_setting_t *s, void *sa)
{
	struct viaduct_sa *a = sa;

	return value_key(r, s, a->enc_key, &a->enc_key_len, sizeof(a->enc_key));
}

static int read_auth_key(struct reader *r, const config_setting_t *s, void *sa)
{
	struct viaduct_sa *a = sa;

	return value_key(r, s, a->auth_key, &a->auth_key_len, sizeof(a->auth_key));
}

static int read_key_file(struct reader *r, const config_setting_t *s, void *field)
{
	struct config_sa *a = container_of(field, struct config_sa, keys.key_file);

	return value_key_file(r, s, a->keys.key_file, sizeof(a->keys.key_file), a->sa.enc_key,
		&a->sa.enc_key_len, sizeof(a->sa.enc_key));
}

static int read_auth_key_file(struct reader *r, const config_setting_t *s, void *field)
{
	struct config_sa *a = container_of(field, struct config_sa, keys.auth_key_file);

	return value_key_file(r, s, a->keys.auth_key_file, sizeof(a->keys.auth_key_file),
		a->sa.auth_key, &a->sa.auth_key_len, sizeof(a->sa.auth_key));
}

static int read_esn(struct reader *r, const config_setting_t *s, void *sa)
{
	if (config_setting_type(s) != CONFIG_TYPE_BOOL)
		return setting_wrong(r, s, "true or false");
	((struct viaduct_sa *)sa)->flags |= config_setting_get_bool(s) ? VIADUCT_SA_ESN : 0;
	return 0;
}

static int read_window(struct reader *r, const config_setting_t *s, void *sa)
{
	const int64_t n = value_int(s);
	struct viaduct_sa *a = sa;

	if (!value_is_int(s) || (n != 0 && n < REPLAY_WINDOW_MIN) || n > REPLAY_WINDOW_MAX)
		return setting_wrong(r, s, "a number from 32 to 4096, or 0 for no protection");
	a->replay_window = n;
	a->flags |= n == 0 ? VIADUCT_SA_NO_REPLAY : 0;
	return 0;
}

struct encap {
	uint32_t sport, dport;
};

static const struct setting encap_settings[] = {
	{"sport", SETTING_UINT, SETTING_FIELD(struct encap, sport), .min = 1, .max = 65535,
		.def = NATT_PORT_DEFAULT, .help = "UDP source port."},
	{"dport", SETTING_UINT, SETTING_FIELD(struct encap, dport), .min = 1, .max = 65535,
		.def = NATT_PORT_DEFAULT, .help = "UDP destination port."},
	{.type = SETTING_END},
};

static int read_encap(struct reader *r, const config_setting_t *s, void *sa)
{
	struct viaduct_sa *a = sa;
	struct encap ports;

	if (!config_setting_is_group(s))
		return setting_wrong(r, s, "a group { sport = ...; dport = ...; }");
	settings_default(encap_settings, &ports);
	if (settings_read(r, s, encap_settings, &ports) < 0)
		return -1;
	a->sport = ports.sport;
	a->dport = ports.dport;
	a->flags |= VIADUCT_SA_ENCAP;
	return 0;
}

static void write_dir(const void *sa, char *buf, size_t size)
{
	snprintf(buf, size, "\"%s\"",
		((const struct viaduct_sa *)sa)->dir == VIADUCT_IN ? "in" : "out");
}

static void write_src(const void *sa, char *buf, size_t size)
{
	write_addr(&((const struct viaduct_sa *)sa)->src, buf, size);
}

static void write_dst(const void *sa, char *buf, size_t size)
{
	write_addr(&((const struct viaduct_sa *)sa)->id.dst, buf, size);
}

static void write_sa_mark(const void *sa, char *buf, size_t size)
{
	const struct viaduct_sa *a = sa;

	write_mark(a->mark, a->mark_mask, buf, size);
}

static void write_cipher(const void *sa, char *buf, size_t size)
{
	const struct cipher_info *c = cipher_info(((const struct viaduct_sa *)sa)->cipher);

	snprintf(buf, size, "\"%s\"", c != NULL ? c->name : "");
}

static void write_auth(const void *sa, char *buf, size_t size)
{
	const struct auth_info *i = auth_info(((const struct viaduct_sa *)sa)->auth);

	snprintf(buf, size, "\"%s\"", i != NULL ? i->name : "");
}

static void write_esn(const void *sa, char *buf, size_t size)
{
	const bool esn = ((const struct viaduct_sa *)sa)->flags & VIADUCT_SA_ESN;

	snprintf(buf, size, "%s", esn ? "true" : "false");
}

static void write_window(const void *sa, char *buf, size_t size)
{
	const struct viaduct_sa *a = sa;

	if (a->replay_window != 0 || (a->flags & VIADUCT_SA_NO_REPLAY))
		snprintf(buf, size, "%u", a->replay_window);
}

static void write_encap(const void *sa, char *buf, size_t size)
{
	const struct viaduct_sa *a = sa;

	if (a->flags & VIADUCT_SA_ENCAP)
		snprintf(buf, size, "{ sport = %u; dport = %u; }", a->sport, a->dport);
}

const struct setting sa_settings[] = {
	{"dir", SETTING_OWN, true, .expects = "\"in\" or \"out\"",
		.help = "\"in\" for what we receive, \"out\" for what we send.", .read = read_dir,
		.write = write_dir},
	{"src", SETTING_OWN, true, .expects = "an address",
		.help = "Outer source address: the sender's.", .read = read_src,
		.write = write_src},
	{"dst", SETTING_OWN, true, .expects = "an address",
		.help = "Outer destination address: the receiver's.", .read = read_dst,
		.write = write_dst},
	{"spi", SETTING_UINT, true, .offset = offsetof(struct viaduct_sa, id.spi), .min = 256,
		.max = UINT32_MAX, .expects = "a number from 256 to 4294967295",
		.help = "Security parameters index; the same on both sides."},
	{"reqid", SETTING_UINT, SETTING_FIELD(struct viaduct_sa, reqid), .max = UINT32_MAX,
		.help = "Binds the SA to the VTI with this reqid."},
	{"if_id", SETTING_UINT, SETTING_FIELD(struct viaduct_sa, if_id), .max = UINT32_MAX,
		.help = "Binds the SA to the VTI with this if_id; goes before mark and reqid."},
	{"mark", SETTING_OWN, .def_text = "0", .expects = "a mark",
		.help = "Binds the SA to the VTI with this mark; goes before reqid.",
		.read = read_mark, .write = write_sa_mark},
	{"cipher", SETTING_OWN, true, .expects = "\"aes-cbc\" or \"null\"",
		.help = "\"aes-cbc\", or \"null\" for integrity alone.", .read = read_cipher,
		.write = write_cipher},
	{"key", SETTING_OWN, .def_text = "none", .expects = "a key",
		.help = "Encryption key, \"0x\" and hexadecimal digits: 16, 24 or 32 bytes.",
		.read = read_key},
	{"key_file", SETTING_TEXT, SETTING_FIELD(struct config_sa, keys.key_file), .def_text = "",
		.expects = "a file's name",
		.help = "Instead of key: a file whose first line is the key. Relative to this one.",
		.read = read_key_file},
	{"auth", SETTING_OWN, true, .expects = "an algorithm",
		.missing = "encryption without integrity is refused (RFC 8221 4)",
		.help = "\"hmac-sha2-256-128\", \"hmac-sha2-384-192\", \"hmac-sha2-512-256\" or "
			"\"hmac-sha1-96\".",
		.read = read_auth, .write = write_auth},
	{"auth_key", SETTING_OWN, .def_text = "none", .expects = "a key",
		.help = "Integrity key: 32, 48, 64 or 20 bytes, in the order above. Required, here "
			"or in auth_key_file.",
		.read = read_auth_key},
	{"auth_key_file", SETTING_TEXT, SETTING_FIELD(struct config_sa, keys.auth_key_file),
		.def_text = "", .expects = "a file's name",
		.help = "Instead of auth_key: a file whose first line is the key.",
		.read = read_auth_key_file},
	{"esn", SETTING_OWN, .def_text = "false", .expects = "true or false",
		.help = "Extended (64-bit) sequence numbers; the same on both sides.",
		.read = read_esn, .write = write_esn},
	{"replay_window", SETTING_OWN, .def_text = "the file's", .expects = "a number",
		.help = "Packets by which an inbound packet may be late, 32 to 4096; 0: no "
			"replay protection.",
		.read = read_window, .write = write_window},
	{"encap", SETTING_OWN, .def_text = "none",
		.expects = "a group { sport = ...; dport = ...; }",
		.help = "UDP encapsulation: { sport = 4500; dport = 4500; }.", .read = read_encap,
		.write = write_encap},
	{.type = SETTING_END},
};

/* Where a key comes from must be clear. */
static int check_key_places(struct reader *r, const config_setting_t *s)
{
	static const char *const names[][2] = {{"key", "key_file"}, {"auth_key", "auth_key_file"}};

	for (unsigned i = 0; i < RTE_DIM(names); i++) {
		if (config_setting_get_member(s, names[i][0]) != NULL &&
			config_setting_get_member(s, names[i][1]) != NULL)
			return setting_error(r, setting_member(s, names[i][1]),
				"\"%s\" is given, too; expected one of them", names[i][0]);
	}
	if (config_setting_get_member(s, "auth_key") == NULL &&
		config_setting_get_member(s, "auth_key_file") == NULL)
		return setting_error(r, s, "no \"auth_key\"; expected a key");
	return 0;
}

/* The key itself, or the file it came from. */
static const config_setting_t *key_setting(
	const config_setting_t *s, const char *name, const char *file)
{
	return config_setting_get_member(s, name) != NULL ? setting_member(s, name)
							  : setting_member(s, file);
}

/* Each of the two keys and the combination at the place where it stands in the file. */
static int check_algs(struct reader *r, const config_setting_t *s, const struct viaduct_sa *a)
{
	const struct cipher_info *c = cipher_info(a->cipher);
	const struct auth_info *i = auth_info(a->auth);
	const char *why;

	if (!alg_valid(a->cipher, c->key_max, a->auth, i->key, &why))
		return setting_error(r, setting_member(s, "auth"), "%s", why);
	if (!alg_valid(a->cipher, a->enc_key_len, a->auth, i->key, &why))
		return setting_error(r, key_setting(s, "key", "key_file"), "%s", why);
	if (!alg_valid(a->cipher, a->enc_key_len, a->auth, a->auth_key_len, &why))
		return setting_error(r, key_setting(s, "auth_key", "auth_key_file"), "%s", why);
	return 0;
}

static int check_sa(struct reader *r, const config_setting_t *s, const struct config *c,
	const struct viaduct_sa *a)
{
	char dst[ADDR_TEXT_LEN];

	if (a->src.family != a->id.dst.family)
		return setting_wrong(
			r, setting_member(s, "src"), "an address of the same family as dst");
	if (memcmp(&a->src, &a->id.dst, sizeof(a->src)) == 0)
		return setting_wrong(r, setting_member(s, "src"), "another address than dst");
	for (unsigned i = 0; i < c->n_sas; i++) {
		if (memcmp(&a->id, &c->sas[i].id, sizeof(a->id)) == 0)
			return setting_error(r, setting_member(s, "spi"),
				"%u to %s twice; expected one SA for each SPI and dst", a->id.spi,
				addr_text(&a->id.dst, dst));
	}
	return check_algs(r, s, a);
}

void sa_default(struct config_sa *a)
{
	memset(a, 0, sizeof(*a));
	settings_default(sa_settings, a);
}

int read_sa(struct reader *r, const config_setting_t *s, void *config)
{
	struct config *c = config;
	struct config_sa a;
	int rc;

	sa_default(&a);
	rc = settings_read(r, s, sa_settings, &a);
	if (rc == 0)
		rc = check_key_places(r, s);
	if (rc == 0)
		rc = check_sa(r, s, c, &a.sa);
	if (rc == 0 && key_digest(&a.sa, &a.keys.digest) < 0)
		rc = setting_error(r, s, "no memory, or no random numbers, to compare keys with");
	c->sas[c->n_sas] = a.sa;
	c->keys[c->n_sas++] = a.keys; /* also when refused: config_free() wipes its keys */
	explicit_bzero(&a, sizeof(a));
	return rc;
}
