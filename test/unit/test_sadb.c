/* SPDX-License-Identifier: BSD-3-Clause */
/* The SA database on the real SPI table, SAs and RCU: install, delete, bind, rekey, expire. */
#include "control/addr_text.h"
#include "control/rcu.h"
#include "control/sadb.h"
#include "control/spi_alloc.h"
#include "control/vti.h"
#include "dataplane/spi_table.h"

#include "control_fakes.h"
#include "unit.h"

#include <rte_cycles.h>
#include <rte_eal.h>

#include <arpa/inet.h>

#define SECOND 1000000000ull

static struct err e;

static void begin(void)
{
	static bool started;

	if (!started) {
		rcu_init(2);
		spi_table_init();
		started = true;
	}
	vti_fini();
	sadb_fini();
	rcu_poll();
	memset(&fake, 0, sizeof(fake));
	fake.link_set = -1;
	fake.now_ns = 1000 * SECOND;
	e.text[0] = '\0';
}

/* Nothing left behind: every test ends here. */
static void end(void)
{
	vti_fini();
	sadb_fini();
	CU_ASSERT_EQUAL(rcu_poll(), 0);
	CU_ASSERT_EQUAL(sadb_count(), 0);
	CU_ASSERT_EQUAL(vti_count(), 0);
	CU_ASSERT_EQUAL(policy_count(), 0);
	CU_ASSERT_EQUAL(spi_reserved_count(), 0);
	CU_ASSERT_EQUAL(fake.twins, 0);
}

static struct viaduct_addr A(const char *text) {
	struct viaduct_addr a = {0};

	if (*text != '\0' && addr_parse(text, &a) < 0)
		abort();
	return a;
}

#define HERE  "192.0.2.1"
#define THERE "192.0.2.2"

static struct viaduct_sa
sa_request(uint8_t dir, uint32_t spi, uint32_t reqid)
{
	const bool in = dir == VIADUCT_IN;
	struct viaduct_sa r = {
		.id = {.dst = A(in ? HERE : THERE), .spi = spi},
		.src = A(in ? THERE : HERE),
		.dir = dir,
		.cipher = VIADUCT_CIPHER_AES_GCM_16,
		.reqid = reqid,
		.enc_key_len = 20,
	};

	memset(r.enc_key, 0x5a, 20);
	return r;
}

static struct viaduct_sa_id id_of(uint8_t dir, uint32_t spi)
{
	return (struct viaduct_sa_id){.dst = A(dir == VIADUCT_IN ? HERE : THERE), .spi = spi};
}

static void add(uint8_t dir, uint32_t spi, uint32_t reqid)
{
	const struct viaduct_sa r = sa_request(dir, spi, reqid);
	const int rc = sadb_add(&r, &e);

	if (rc != 0)
		printf("    %s\n", e.text);
	CU_ASSERT_EQUAL(rc, 0);
}

static void del(uint8_t dir, uint32_t spi)
{
	const struct viaduct_sa_id id = id_of(dir, spi);

	CU_ASSERT_EQUAL(sadb_del(&id, &e), 0);
}

static struct sa *find(uint8_t dir, uint32_t spi)
{
	const struct viaduct_sa_id id = id_of(dir, spi);
	struct sa_entry *s = sadb_find(&id);

	return s != NULL ? s->sa : NULL;
}

static struct sa *lookup_in(uint32_t spi)
{
	const struct viaduct_addr dst = A(HERE);

	return spi_lookup(spi, IP_V4, dst.bytes);
}

static struct vti *vti(const char *name, uint32_t reqid, uint32_t if_id, uint32_t mark)
{
	struct viaduct_vti r = {
		.fields = VIADUCT_VTI_REQID | VIADUCT_VTI_IF_ID | VIADUCT_VTI_MARK,
		.reqid = reqid,
		.if_id = if_id,
		.mark = mark,
	};
	struct vti *v = NULL;

	strcpy(r.name, name);
	if (vti_add(&r, &v, &e) != 0)
		printf("    %s\n", e.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(v);
	return v;
}

static struct viaduct_sa_info info_of(uint8_t dir, uint32_t spi)
{
	const struct viaduct_sa_id id = id_of(dir, spi);
	struct viaduct_sa_info info = {0};

	CU_ASSERT_PTR_NOT_NULL_FATAL(sadb_find(&id));
	sadb_fill_info(sadb_find(&id), &info);
	return info;
}

static void adds_and_deletes(void)
{
	struct viaduct_sa_info info;

	begin();
	add(VIADUCT_IN, 0x1000, 7);
	CU_ASSERT_PTR_NOT_NULL(lookup_in(0x1000));
	CU_ASSERT_PTR_EQUAL(lookup_in(0x1000), find(VIADUCT_IN, 0x1000));
	fake.now_ns += 5 * SECOND;
	info = info_of(VIADUCT_IN, 0x1000);
	CU_ASSERT_EQUAL(info.id.spi, 0x1000);
	CU_ASSERT_EQUAL(info.dir, VIADUCT_IN);
	CU_ASSERT_EQUAL(info.cipher, VIADUCT_CIPHER_AES_GCM_16);
	CU_ASSERT_EQUAL(info.auth, VIADUCT_AUTH_NONE);
	CU_ASSERT_EQUAL(info.key_bits, 128);
	CU_ASSERT_EQUAL(info.reqid, 7);
	CU_ASSERT_EQUAL(info.replay_window, 64);
	CU_ASSERT_EQUAL(info.age_s, 5);
	CU_ASSERT_EQUAL(info.idle_s, UINT64_MAX);
	CU_ASSERT_EQUAL(info.seq, 0);
	CU_ASSERT_STRING_EQUAL(info.vti, "");
	del(VIADUCT_IN, 0x1000);
	CU_ASSERT_PTR_NULL(lookup_in(0x1000));
	CU_ASSERT_PTR_NULL(find(VIADUCT_IN, 0x1000));
	end();
}

static void refuses_duplicates_and_unknown(void)
{
	struct viaduct_sa r = sa_request(VIADUCT_IN, 0x1000, 7);
	const struct viaduct_sa_id other = id_of(VIADUCT_IN, 0x1001);
	struct sa *first;

	begin();
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	first = lookup_in(0x1000);
	CU_ASSERT_EQUAL(sadb_add(&r, &e), -EEXIST);
	CU_ASSERT_STRING_EQUAL(e.text, "spi: 0x00001000 to 192.0.2.1 exists already");
	CU_ASSERT_PTR_EQUAL(lookup_in(0x1000), first);
	CU_ASSERT_EQUAL(sadb_count(), 1);
	CU_ASSERT_EQUAL(sadb_del(&other, &e), -ENOENT);
	CU_ASSERT_STRING_EQUAL(e.text, "spi: no SA 0x00001001 to 192.0.2.1");
	/* The same SPI to another address is another SA, whatever stands behind the four bytes. */
	r.id.dst = A("192.0.2.9");
	r.id.dst.bytes[9] = 1;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_EQUAL(sadb_add(&r, &e), -EEXIST);
	CU_ASSERT_EQUAL(sadb_count(), 2);
	end();
}

static void refuse(const struct viaduct_sa *r, const char *sentence)
{
	CU_ASSERT_EQUAL(sadb_add(r, &e), -EINVAL);
	if (strcmp(e.text, sentence) != 0)
		printf("\n    expected: %s\n    got:      %s\n", sentence, e.text);
	CU_ASSERT_STRING_EQUAL(e.text, sentence);
	CU_ASSERT_EQUAL(sadb_count(), 0);
}

#define REFUSE(sentence, ...)                                                                      \
	do {                                                                                       \
		struct viaduct_sa r = sa_request(VIADUCT_IN, 0x1000, 7);                           \
                                                                                                   \
		__VA_ARGS__;                                                                       \
		refuse(&r, sentence);                                                              \
	} while (0)

static void refuses_bad_requests(void)
{
	begin();
	REFUSE("dir: 3; expected 1 (in) or 2 (out)", r.dir = 3);
	REFUSE("spi: 255; expected 256 or more (RFC 4303 2.1)", r.id.spi = 255);
	REFUSE("dst: address family 0; expected an IPv4 or IPv6 address", r.id.dst.family = 0);
	REFUSE("src: address family 77; expected an IPv4 or IPv6 address", r.src.family = 77);
	REFUSE("src: 2001:db8::1; expected an address of the same family as dst 192.0.2.1",
		r.src = A("2001:db8::1"));
	REFUSE("flags: 0x80000000 has bits that nobody knows", r.flags = 1u << 31);
	REFUSE("flags: copy-df and set-df exclude each other",
		r.flags = VIADUCT_SA_COPY_DF | VIADUCT_SA_SET_DF);
	REFUSE("dport: 0; UDP encapsulation needs both ports", r.flags = VIADUCT_SA_ENCAP,
		r.sport = 4500);
	REFUSE("enc_key_len: 65; expected at most 64", r.enc_key_len = 65);
	REFUSE("auth_key_len: 65535; expected at most 64", r.auth_key_len = 65535);
	REFUSE("n_selectors: 17; expected at most 16", r.n_selectors = 17);
	REFUSE("selectors[0].family: 0; expected 4 or 6", r.n_selectors = 1);
	REFUSE("selectors[0]: a range of addresses or ports ends before it begins",
		r.n_selectors = 1, r.selectors[0].family = 4, r.selectors[0].src_port[0] = 1);
	REFUSE("replay_window: 31; expected 32 to 4096, or 0 for the default",
		r.replay_window = 31);
	REFUSE("replay_window: 4097; expected 32 to 4096, or 0 for the default",
		r.replay_window = 4097);
	REFUSE("first_seq: 4294967296; expected at most 4294967295 without ESN",
		r.first_seq = 1ull << 32);
	REFUSE("lifetime: soft limit of 3 bytes above the hard one of 2", r.lifetime.soft_bytes = 3,
		r.lifetime.hard_bytes = 2);
	REFUSE("spi 0x00001000: integrity: none, but aes-cbc without integrity is not safe (RFC "
	       "8221)",
		r.cipher = VIADUCT_CIPHER_AES_CBC, r.enc_key_len = 16);
	REFUSE("spi 0x00001000: encryption: no algorithm has the number 200", r.cipher = 200);
	end();
}

static void binds_by_reqid(void)
{
	struct vti *v, *w;

	begin();
	v = vti("vti0", 100, 0, 0);
	w = vti("vti1", 200, 0, 0);
	add(VIADUCT_IN, 0x1000, 200);
	add(VIADUCT_OUT, 0x2000, 200);
	CU_ASSERT_PTR_EQUAL(find(VIADUCT_IN, 0x1000)->vti, w->iface);
	CU_ASSERT_PTR_EQUAL(w->iface->sa_out[0], find(VIADUCT_OUT, 0x2000));
	CU_ASSERT_PTR_EQUAL(w->iface->sa_out[1], find(VIADUCT_OUT, 0x2000));
	CU_ASSERT_PTR_NULL(v->iface->sa_out[0]);
	CU_ASSERT_EQUAL(w->sas_in, 1);
	CU_ASSERT_EQUAL(w->sas_out, 1);
	CU_ASSERT_TRUE(w->twin->carrier);
	CU_ASSERT_FALSE(v->twin->carrier);
	CU_ASSERT_STRING_EQUAL(info_of(VIADUCT_OUT, 0x2000).vti, "vti1");
	CU_ASSERT_EQUAL(info_of(VIADUCT_OUT, 0x2000).active, 1);
	end();
}

static void if_id_goes_before_mark_before_reqid(void)
{
	struct vti *by_reqid, *by_mark, *by_if_id;
	struct viaduct_sa r;

	begin();
	by_reqid = vti("vti0", 5, 0, 0);
	by_mark = vti("vti1", 0, 0, 12);
	by_if_id = vti("vti2", 0, 42, 0);
	add(VIADUCT_IN, 0x1000, 5);
	r = sa_request(VIADUCT_IN, 0x1001, 5);
	r.mark = 12;
	r.mark_mask = 0xff;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	r = sa_request(VIADUCT_IN, 0x1002, 5);
	r.mark = 12;
	r.if_id = 42;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	/* An if_id that no VTI has binds to none, though the reqid would. */
	r = sa_request(VIADUCT_IN, 0x1003, 5);
	r.if_id = 43;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_PTR_EQUAL(find(VIADUCT_IN, 0x1000)->vti, by_reqid->iface);
	CU_ASSERT_PTR_EQUAL(find(VIADUCT_IN, 0x1001)->vti, by_mark->iface);
	CU_ASSERT_PTR_EQUAL(find(VIADUCT_IN, 0x1002)->vti, by_if_id->iface);
	CU_ASSERT_PTR_NULL(find(VIADUCT_IN, 0x1003)->vti);
	end();
}

static struct viaduct_policy policy(uint8_t dir, uint32_t reqid, uint8_t family, uint32_t mark)
{
	return (struct viaduct_policy){.dir = dir,
		.reqid = reqid,
		.mark = mark,
		.mark_mask = mark != 0 ? UINT32_MAX : 0,
		.src = A(dir == VIADUCT_IN ? THERE : HERE),
		.dst = A(dir == VIADUCT_IN ? HERE : THERE),
		.selector = {.family = family}};
}

/* strongSwan 5.9.8: the inbound SA has no mark, its policy has; and the policy comes later. */
static void inbound_mark_comes_from_the_policy(void)
{
	struct viaduct_policy p = policy(VIADUCT_IN, 1, IP_V4, 12);
	struct vti *v;

	begin();
	v = vti("vti0", 0, 0, 12);
	add(VIADUCT_IN, 0x1000, 1);
	CU_ASSERT_PTR_NULL(find(VIADUCT_IN, 0x1000)->vti);
	CU_ASSERT_EQUAL(policy_add(&p, &e), 0);
	CU_ASSERT_PTR_EQUAL(find(VIADUCT_IN, 0x1000)->vti, v->iface);
	CU_ASSERT_EQUAL(v->sas_in, 1);
	CU_ASSERT_EQUAL(policy_del(&p, &e), 0);
	CU_ASSERT_PTR_NULL(find(VIADUCT_IN, 0x1000)->vti);
	CU_ASSERT_EQUAL(v->sas_in, 0);
	end();
}

static void policies_limit_families(void)
{
	struct viaduct_policy p4 = policy(VIADUCT_OUT, 1, IP_V4, 0);
	struct viaduct_policy p6 = policy(VIADUCT_OUT, 2, IP_V6, 0);
	struct viaduct_sa r;
	struct vti *v;

	begin();
	v = vti("vti0", 0, 42, 0);
	CU_ASSERT_EQUAL(policy_add(&p4, &e), 0);
	CU_ASSERT_EQUAL(policy_add(&p6, &e), 0);
	r = sa_request(VIADUCT_OUT, 0x2000, 1);
	r.if_id = 42;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2000));
	CU_ASSERT_PTR_NULL(v->iface->sa_out[1]);
	r = sa_request(VIADUCT_OUT, 0x2001, 2);
	r.if_id = 42;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2000));
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[1], find(VIADUCT_OUT, 0x2001));
	/* An SA's own selectors say it better than policies. */
	r = sa_request(VIADUCT_OUT, 0x2002, 2);
	r.if_id = 42;
	r.n_selectors = 1;
	r.selectors[0] = (struct viaduct_selector){
		.family = IP_V4, .src_port = {0, 65535}, .dst_port = {0, 65535}};
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2002));
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[1], find(VIADUCT_OUT, 0x2001));
	end();
}

static void rekey_switches_at_once_and_falls_back(void)
{
	struct vti *v;

	begin();
	v = vti("vti0", 100, 0, 0);
	add(VIADUCT_IN, 0x1000, 100);
	add(VIADUCT_OUT, 0x2000, 100);
	/* The new pair: inbound first, both inbound ones receive. */
	add(VIADUCT_IN, 0x1001, 100);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2000));
	add(VIADUCT_OUT, 0x2001, 100);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2001));
	CU_ASSERT_EQUAL(info_of(VIADUCT_OUT, 0x2000).active, 0);
	CU_ASSERT_PTR_NOT_NULL(lookup_in(0x1000));
	CU_ASSERT_PTR_NOT_NULL(lookup_in(0x1001));
	/* The old pair goes: nothing that is used changes. */
	del(VIADUCT_OUT, 0x2000);
	del(VIADUCT_IN, 0x1000);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2001));
	CU_ASSERT_TRUE(v->twin->carrier);
	/* Three of them, the newest deleted: the newest of the others takes over. */
	add(VIADUCT_OUT, 0x2002, 100);
	add(VIADUCT_OUT, 0x2003, 100);
	del(VIADUCT_OUT, 0x2003);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2002));
	del(VIADUCT_OUT, 0x2002);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2001));
	del(VIADUCT_OUT, 0x2001);
	CU_ASSERT_PTR_NULL(v->iface->sa_out[0]);
	CU_ASSERT_PTR_NULL(v->iface->sa_out[1]);
	CU_ASSERT_FALSE(v->twin->carrier);
	end();
}

/* A worker in the middle of a vector, and packets in a crypto device, still hold a deleted SA. */
static void freed_only_when_unused(void)
{
	struct sa *sa;

	begin();
	rte_rcu_qsbr_thread_online(rcu_qsbr(), 0);
	add(VIADUCT_IN, 0x1000, 1);
	sa = find(VIADUCT_IN, 0x1000);
	sa->worker[1].inflight = 3;
	del(VIADUCT_IN, 0x1000);
	CU_ASSERT_EQUAL(rcu_poll(), 1);
	rte_rcu_qsbr_quiescent(rcu_qsbr(), 0);
	CU_ASSERT_EQUAL(rcu_poll(), 1);
	CU_ASSERT_EQUAL(sa->spi, 0x1000);
	sa->worker[1].inflight = 0;
	CU_ASSERT_EQUAL(rcu_poll(), 0);
	rte_rcu_qsbr_thread_offline(rcu_qsbr(), 0);
	end();
}

static void expect_expire(unsigned events, uint32_t spi, uint32_t hard)
{
	CU_ASSERT_EQUAL(fake.events, events);
	CU_ASSERT_EQUAL(fake.last_event, VIADUCT_EVENT_SA_EXPIRE);
	CU_ASSERT_EQUAL(fake.event.expire.id.spi, spi);
	CU_ASSERT_EQUAL(fake.event.expire.hard, hard);
	CU_ASSERT_EQUAL(fake.event.expire.reqid, 7);
}

static void expires_once_by_time(void)
{
	struct viaduct_sa r = sa_request(VIADUCT_IN, 0x1000, 7);

	begin();
	r.lifetime = (struct viaduct_lifetime){.soft_seconds = 10, .hard_seconds = 12};
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	fake.now_ns += 9 * SECOND;
	sadb_tick();
	CU_ASSERT_EQUAL(fake.events, 0);
	fake.now_ns += SECOND;
	sadb_tick();
	expect_expire(1, 0x1000, 0);
	sadb_tick();
	CU_ASSERT_EQUAL(fake.events, 1);
	CU_ASSERT_EQUAL(find(VIADUCT_IN, 0x1000)->expired, 0);
	fake.now_ns += 2 * SECOND;
	sadb_tick();
	expect_expire(2, 0x1000, 1);
	CU_ASSERT_EQUAL(find(VIADUCT_IN, 0x1000)->expired, 1);
	sadb_tick();
	CU_ASSERT_EQUAL(fake.events, 2);
	end();
}

static void expires_by_bytes_and_packets(void)
{
	struct viaduct_sa r = sa_request(VIADUCT_IN, 0x1000, 7);
	struct sa *sa;

	begin();
	r.lifetime = (struct viaduct_lifetime){.soft_bytes = 1000, .hard_packets = 3};
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	sa = find(VIADUCT_IN, 0x1000);
	sa->worker[0].bytes = 600;
	sa->worker[1].bytes = 399;
	sa->worker[1].packets = 2;
	sadb_tick();
	CU_ASSERT_EQUAL(fake.events, 0);
	sa->worker[1].bytes = 400;
	sadb_tick();
	expect_expire(1, 0x1000, 0);
	sa->worker[0].packets = 1;
	sadb_tick();
	expect_expire(2, 0x1000, 1);
	end();
}

/* Hard limits alone give no soft event afterwards, and a VTI does not count on what has expired. */
static void expired_sa_is_not_live(void)
{
	struct viaduct_sa r = sa_request(VIADUCT_OUT, 0x2001, 7);
	struct vti *v;

	begin();
	v = vti("vti0", 7, 0, 0);
	add(VIADUCT_IN, 0x1000, 7);
	add(VIADUCT_OUT, 0x2000, 7);
	r.lifetime.hard_seconds = 5;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2001));
	fake.events = 0;
	fake.now_ns += 5 * SECOND;
	sadb_tick();
	expect_expire(1, 0x2001, 1);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2000));
	CU_ASSERT_EQUAL(v->sas_out, 1);
	del(VIADUCT_OUT, 0x2000);
	CU_ASSERT_EQUAL(v->sas_out, 0);
	CU_ASSERT_PTR_NULL(v->iface->sa_out[0]);
	CU_ASSERT_FALSE(v->twin->carrier);
	end();
}

static void expires_before_the_sequence_ends(void)
{
	struct sa *sa;

	begin();
	add(VIADUCT_OUT, 0x2000, 7);
	sa = find(VIADUCT_OUT, 0x2000);
	CU_ASSERT_EQUAL(info_of(VIADUCT_OUT, 0x2000).seq, 0);
	sa->seq = UINT32_MAX - UINT32_MAX / 10;
	sadb_tick();
	CU_ASSERT_EQUAL(fake.events, 0);
	sa->seq++;
	sadb_tick();
	expect_expire(1, 0x2000, 0);
	sa->seq = UINT32_MAX;
	sadb_tick();
	CU_ASSERT_EQUAL(fake.events, 1);
	CU_ASSERT_EQUAL(info_of(VIADUCT_OUT, 0x2000).seq, UINT32_MAX - 1);
	sa->seq = (uint64_t)UINT32_MAX + 70; /* workers reserve runs past the end */
	sadb_tick();
	expect_expire(2, 0x2000, 1);
	CU_ASSERT_EQUAL(info_of(VIADUCT_OUT, 0x2000).seq, UINT32_MAX);
	end();
}

static void fills_info_from_counters(void)
{
	struct viaduct_sa_info info;
	struct sa *sa;

	begin();
	add(VIADUCT_OUT, 0x2000, 7);
	sa = find(VIADUCT_OUT, 0x2000);
	sa->worker[0].packets = 2;
	sa->worker[1].packets = 3;
	sa->worker[0].bytes = 200;
	sa->worker[1].bytes = 300;
	sa->worker[1].errors = 1;
	sa->worker[0].last_use = rte_rdtsc() - 3 * rte_get_tsc_hz() - rte_get_tsc_hz() / 2;
	sa->seq = 6;
	info = info_of(VIADUCT_OUT, 0x2000);
	CU_ASSERT_EQUAL(info.packets, 5);
	CU_ASSERT_EQUAL(info.bytes, 500);
	CU_ASSERT_EQUAL(info.errors, 1);
	CU_ASSERT_EQUAL(info.idle_s, 3);
	CU_ASSERT_EQUAL(info.seq, 5);
	CU_ASSERT_EQUAL(info.active, 0);
	end();
}

static void updates_only_the_reqid(void)
{
	struct viaduct_sa_update u = {.id = id_of(VIADUCT_OUT, 0x2000),
		.new_src = A(HERE),
		.new_dst = A(THERE),
		.new_reqid = 100};
	struct vti *v;

	begin();
	v = vti("vti0", 100, 0, 0);
	CU_ASSERT_EQUAL(sadb_update(&u, &e), -ENOENT);
	add(VIADUCT_OUT, 0x2000, 7);
	CU_ASSERT_EQUAL(sadb_update(&u, &e), 0);
	CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], find(VIADUCT_OUT, 0x2000));
	u.new_dst = A("192.0.2.77");
	CU_ASSERT_EQUAL(sadb_update(&u, &e), -EOPNOTSUPP);
	CU_ASSERT_STRING_EQUAL(e.text,
		"spi 0x00002000: addresses, ports and encapsulation of an SA are fixed; delete it "
		"and install another one (IKE: rekey)");
	end();
}

static void allocates_spis(void)
{
	struct viaduct_spi_alloc req = {.src = A(THERE), .dst = A(HERE)};
	uint32_t spi, other;

	begin();
	CU_ASSERT_EQUAL(sadb_alloc_spi(&req, &spi, &e), 0);
	CU_ASSERT(spi >= 0x10000000);
	CU_ASSERT_EQUAL(sadb_alloc_spi(&req, &other, &e), 0);
	CU_ASSERT_NOT_EQUAL(spi, other);
	CU_ASSERT_EQUAL(spi_reserved_count(), 2);
	add(VIADUCT_IN, spi, 1);
	CU_ASSERT_EQUAL(spi_reserved_count(), 1);
	fake.now_ns += 179 * SECOND;
	sadb_tick();
	CU_ASSERT_EQUAL(spi_reserved_count(), 1);
	fake.now_ns += SECOND;
	sadb_tick();
	CU_ASSERT_EQUAL(spi_reserved_count(), 0);
	end();
}

/* A range of four, one of them an SA: three more and no fourth. */
static void spi_range_is_used_up(void)
{
	struct viaduct_spi_alloc req = {
		.src = A(THERE), .dst = A(HERE), .min = 0xfffffffc, .max = 0xffffffff};
	uint32_t spi, sum = 0;

	begin();
	add(VIADUCT_IN, 0xfffffffd, 1);
	for (unsigned i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(sadb_alloc_spi(&req, &spi, &e), 0);
		sum += spi - 0xfffffffc;
	}
	CU_ASSERT_EQUAL(sum, 0 + 2 + 3);
	CU_ASSERT_EQUAL(sadb_alloc_spi(&req, &spi, &e), -ENOSPC);
	CU_ASSERT_STRING_EQUAL(e.text, "min: all SPIs from 0xfffffffc to 0xffffffff are taken");
	/* To another address they are all free. */
	req.dst = A("192.0.2.9");
	CU_ASSERT_EQUAL(sadb_alloc_spi(&req, &spi, &e), 0);
	req.min = 255;
	CU_ASSERT_EQUAL(sadb_alloc_spi(&req, &spi, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "min: 255; expected 256 or more (RFC 4303 2.1)");
	req.min = 500;
	req.max = 499;
	CU_ASSERT_EQUAL(sadb_alloc_spi(&req, &spi, &e), -EINVAL);
	CU_ASSERT_STRING_EQUAL(e.text, "max: 499; expected at least min, 500");
	req.dst.family = 0;
	CU_ASSERT_EQUAL(sadb_alloc_spi(&req, &spi, &e), -EINVAL);
	end();
}

/* What must hold whatever was done: seen from the VTIs and from the SAs. */
static void check_consistency(void)
{
	struct sa_entry *s;
	struct vti *v;

	for (s = sadb_first(); s != NULL; s = s->hh.next) {
		CU_ASSERT_PTR_EQUAL(s->sa->vti, s->vti != NULL ? s->vti->iface : NULL);
		if (s->sa->dir == SA_IN)
			CU_ASSERT_PTR_EQUAL(lookup_in(s->id.spi), s->sa);
	}
	for (v = vti_first(); v != NULL; v = v->hh.next) {
		unsigned in = 0, out = 0;
		const struct sa_entry *newest = NULL;

		for (s = sadb_first(); s != NULL; s = s->hh.next) {
			if (s->vti != v)
				continue;
			in += s->sa->dir == SA_IN;
			out += s->sa->dir == SA_OUT;
			if (s->sa->dir == SA_OUT && (newest == NULL || s->serial > newest->serial))
				newest = s;
		}
		CU_ASSERT_EQUAL(v->sas_in, in);
		CU_ASSERT_EQUAL(v->sas_out, out);
		CU_ASSERT_EQUAL(v->twin->carrier, in > 0 && out > 0);
		CU_ASSERT_PTR_EQUAL(v->iface->sa_out[0], newest != NULL ? newest->sa : NULL);
	}
}

static void random_step(void)
{
	const uint8_t dir = 1 + rand() % 2;
	const uint32_t spi = 0x1000 + rand() % 40, key = 1 + rand() % 4;
	const struct viaduct_sa r = sa_request(dir, spi, key);
	const struct viaduct_policy p = policy(dir, key, IP_V4, rand() % 3);
	struct viaduct_vti v = {.fields = VIADUCT_VTI_REQID | VIADUCT_VTI_MARK, .reqid = key};

	snprintf(v.name, sizeof(v.name), "vti%d", rand() % 4);
	v.mark = rand() % 3;
	switch (rand() % 8) {
	case 0:
	case 1:
	case 2:
		sadb_add(&r, NULL);
		break;
	case 3:
		sadb_del(&r.id, NULL);
		break;
	case 4:
		vti_add(&v, NULL, NULL);
		break;
	case 5:
		vti_set(&v, NULL, NULL);
		break;
	case 6:
		if (rand() % 3 == 0)
			vti_del(v.name, NULL);
		break;
	default:
		if (rand() % 2)
			policy_add(&p, NULL);
		else
			policy_del(&p, NULL);
	}
}

static void random_operations_stay_consistent(void)
{
	begin();
	srand(4303);
	for (unsigned i = 0; i < 20000; i++) {
		random_step();
		if (i % 8 == 0)
			check_consistency();
		if (i % 5 == 0)
			rcu_poll();
		if (i % 1000 == 999)
			sadb_flush();
	}
	end();
}

UNIT_EAL_MAIN("sadb", UNIT_TEST(adds_and_deletes), UNIT_TEST(refuses_duplicates_and_unknown),
	UNIT_TEST(refuses_bad_requests), UNIT_TEST(binds_by_reqid),
	UNIT_TEST(if_id_goes_before_mark_before_reqid),
	UNIT_TEST(inbound_mark_comes_from_the_policy), UNIT_TEST(policies_limit_families),
	UNIT_TEST(rekey_switches_at_once_and_falls_back), UNIT_TEST(freed_only_when_unused),
	UNIT_TEST(expires_once_by_time), UNIT_TEST(expires_by_bytes_and_packets),
	UNIT_TEST(expired_sa_is_not_live), UNIT_TEST(expires_before_the_sequence_ends),
	UNIT_TEST(fills_info_from_counters), UNIT_TEST(updates_only_the_reqid),
	UNIT_TEST(allocates_spis), UNIT_TEST(spi_range_is_used_up),
	UNIT_TEST(random_operations_stay_consistent))
