/* SPDX-License-Identifier: BSD-3-Clause */
/* ESP that comes before its SA: what is held, for how long, and what becomes of it. */
#include "control/sa/early.h"
#include "dataplane/host.h"
#include "sadb_fixture.h"

#include <rte_ip.h>
#include <rte_mbuf.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#define MOST 256

static struct rte_mempool *pool;
static uint64_t drops_before;

static void start(void)
{
	begin();
	if (pool == NULL)
		pool = rte_pktmbuf_pool_create("test", 1023, 0, MBUF_PRIV_SIZE, 256, SOCKET_ID_ANY);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
	early_tick();
	drops_before = early_drops();
}

static void stop(void)
{
	end();
	CU_ASSERT_EQUAL(early_count(), 0);
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
}

static unsigned dropped(void)
{
	const unsigned n = early_drops() - drops_before;

	drops_before = early_drops();
	return n;
}

static uint32_t reserve(void)
{
	const struct viaduct_spi_alloc req = {.src = A(THERE), .dst = A(HERE)};
	uint32_t spi = 0;

	CU_ASSERT_EQUAL_FATAL(sadb_alloc_spi(&req, &spi, &e), 0);
	return spi;
}

/* As a worker hands it over; its last byte is a mark. udp: the ESP header is behind one of UDP. */
static void packet(uint32_t spi, bool udp, uint8_t mark)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	const unsigned off = sizeof(struct rte_ipv4_hdr) + (udp ? 8 : 0);
	struct rte_ipv4_hdr *ip;

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	m->data_len = m->pkt_len = off + 40;
	ip = rte_pktmbuf_mtod(m, struct rte_ipv4_hdr *);
	memset(ip, 0, off + 40);
	ip->version_ihl = 0x45;
	ip->dst_addr = inet_addr(HERE);
	spi = htonl(spi);
	memcpy((uint8_t *)ip + off, &spi, sizeof(spi));
	((uint8_t *)ip)[off + 39] = mark;
	*host_tag(m) = (struct host_tag){.op = HOST_EARLY, .spi_off = off};
	early_packet(m);
}

static unsigned room(void)
{
	return atomic_load(&host_early_room);
}

static void waits_for_its_sa(void)
{
	uint32_t spi, other;

	start();
	CU_ASSERT_EQUAL(room(), 0);
	spi = reserve();
	other = reserve();
	CU_ASSERT_EQUAL(room(), MOST);
	packet(spi, false, 1);
	packet(other, false, 2);
	packet(spi, true, 3);
	CU_ASSERT_EQUAL(early_count(), 3);
	CU_ASSERT_EQUAL(fake.n_sent, 0);
	add(VIADUCT_IN, spi, 1);
	/* In their order, and only that SA's. */
	CU_ASSERT_EQUAL(fake.n_sent, 2);
	CU_ASSERT_EQUAL(fake.sent[0], 1);
	CU_ASSERT_EQUAL(fake.sent[1], 3);
	packet(spi, false, 4); /* was on its way */
	CU_ASSERT_EQUAL(fake.n_sent, 3);
	add(VIADUCT_IN, other, 1);
	CU_ASSERT_EQUAL(fake.n_sent, 4);
	CU_ASSERT_EQUAL(dropped(), 0);
	early_tick();
	CU_ASSERT_EQUAL(room(), 0);
	stop();
}

static void drops_unknown_spis(void)
{
	start();
	packet(reserve() ^ 1, false, 1);
	CU_ASSERT_EQUAL(dropped(), 1);
	CU_ASSERT_EQUAL(early_count(), 0);
	stop();
}

static void waits_a_second(void)
{
	uint32_t spi;

	start();
	spi = reserve();
	packet(spi, false, 1);
	for (unsigned i = 0; i < 10; i++)
		early_tick();
	CU_ASSERT_EQUAL(early_count(), 1);
	early_tick();
	CU_ASSERT_EQUAL(early_count(), 0);
	CU_ASSERT_EQUAL(dropped(), 1);
	add(VIADUCT_IN, spi, 1);
	CU_ASSERT_EQUAL(fake.n_sent, 0);
	stop();
}

static void is_bounded(void)
{
	uint32_t spi;

	start();
	spi = reserve();
	for (unsigned i = 0; i < MOST + 5; i++)
		packet(spi, false, i);
	CU_ASSERT_EQUAL(early_count(), MOST);
	CU_ASSERT_EQUAL(dropped(), 5);
	early_tick();
	CU_ASSERT_EQUAL(room(), 0);
	stop();
}

UNIT_EAL_MAIN("early", UNIT_TEST(waits_for_its_sa), UNIT_TEST(drops_unknown_spis),
	UNIT_TEST(waits_a_second), UNIT_TEST(is_bounded))
