/* SPDX-License-Identifier: BSD-3-Clause */
/* SAs are installed, shown and deleted; SPIs are allocated. */
#include "sadb_fixture.h"

#include <rte_cycles.h>

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
	REFUSE("replay_window: 64; the flag no-replay excludes any", r.replay_window = 64,
		r.flags = VIADUCT_SA_NO_REPLAY);
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

UNIT_EAL_MAIN("sadb", UNIT_TEST(adds_and_deletes), UNIT_TEST(refuses_duplicates_and_unknown),
	UNIT_TEST(refuses_bad_requests), UNIT_TEST(freed_only_when_unused),
	UNIT_TEST(fills_info_from_counters), UNIT_TEST(allocates_spis),
	UNIT_TEST(spi_range_is_used_up))
