/* SPDX-License-Identifier: BSD-3-Clause */
/* Peers that send from elsewhere: who is told, and how often. */
#include "control/sa/mapping.h"
#include "dataplane/esp.h"
#include "dataplane/host.h"
#include "sadb_fixture.h"

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include <arpa/inet.h>

#define SPI 0x1000

static struct rte_mempool *pool;

static void start(uint32_t flags)
{
	struct viaduct_sa r = sa_request(VIADUCT_IN, SPI, 7);

	begin();
	if (pool == NULL)
		pool = rte_pktmbuf_pool_create("test", 127, 0, MBUF_PRIV_SIZE, 256, SOCKET_ID_ANY);
	CU_ASSERT_PTR_NOT_NULL_FATAL(pool);
	r.flags = flags;
	r.sport = r.dport = flags & VIADUCT_SA_ENCAP ? 4500 : 0;
	CU_ASSERT_EQUAL(sadb_add(&r, &e), 0);
}

static void stop(void)
{
	mapping_fini();
	end();
	CU_ASSERT_EQUAL(rte_mempool_in_use_count(pool), 0);
}

/* What a worker would send here of an authentic packet. */
static void from(const char *addr, uint16_t port, uint32_t spi)
{
	struct {
		struct rte_ipv4_hdr ip;
		struct rte_udp_hdr udp;
		struct esp_hdr esp;
	} __attribute__((packed)) h = {0};
	const struct viaduct_addr src = A(addr), dst = A(HERE);
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

	if (m == NULL)
		abort();
	h.ip.version_ihl = 0x45;
	memcpy(&h.ip.src_addr, src.bytes, 4);
	memcpy(&h.ip.dst_addr, dst.bytes, 4);
	h.udp.src_port = htons(port);
	h.udp.dst_port = htons(4500);
	h.esp.spi = htonl(spi);
	memcpy(rte_pktmbuf_append(m, sizeof(h)), &h, sizeof(h));
	*host_tag(m) = (struct host_tag){.op = HOST_MOVED, .l3_off = 28};
	mapping_seen(m);
}

static void tells_where_the_peer_is(void)
{
	const struct viaduct_addr there = A("198.51.100.7"), here = A(HERE);

	start(VIADUCT_SA_ENCAP);
	from("198.51.100.7", 20001, SPI);
	CU_ASSERT_EQUAL(fake.mappings, 1);
	CU_ASSERT_EQUAL(fake.mapping.id.spi, SPI);
	CU_ASSERT_EQUAL(memcmp(&fake.mapping.id.dst, &here, sizeof(here)), 0);
	CU_ASSERT_EQUAL(memcmp(&fake.mapping.new_src, &there, sizeof(there)), 0);
	CU_ASSERT_EQUAL(fake.mapping.new_port, 20001);
	CU_ASSERT_EQUAL(fake.mapping.reqid, 7);
	/* Another port of the old address is news, too. */
	from(THERE, 20001, SPI);
	CU_ASSERT_EQUAL(fake.mappings, 2);
	stop();
}

static void says_the_same_every_ten_seconds(void)
{
	start(VIADUCT_SA_ENCAP);
	for (unsigned t = 0; t < 30; t++) {
		from("198.51.100.7", 20001, SPI);
		CU_ASSERT_EQUAL(fake.mappings, t / 10 + 1);
		mapping_tick();
	}
	/* And at once what is new. */
	from("198.51.100.7", 20002, SPI);
	CU_ASSERT_EQUAL(fake.mappings, 4);
	from("198.51.100.7", 20001, SPI);
	CU_ASSERT_EQUAL(fake.mappings, 5);
	stop();
}

static void what_is_settled_is_no_news(void)
{
	start(VIADUCT_SA_ENCAP);
	from(THERE, 4500, SPI);               /* where the SA has it */
	from("198.51.100.7", 20001, SPI + 1); /* an SA that is gone */
	CU_ASSERT_EQUAL(fake.mappings, 0);
	stop();
	start(0); /* not encapsulated any more */
	from("198.51.100.7", 20001, SPI);
	CU_ASSERT_EQUAL(fake.mappings, 0);
	stop();
}

UNIT_EAL_MAIN("mapping", UNIT_TEST(tells_where_the_peer_is),
	UNIT_TEST(says_the_same_every_ten_seconds), UNIT_TEST(what_is_settled_is_no_news))
