/* SPDX-License-Identifier: BSD-3-Clause */
/* Which SA a packet is of: SPI and destination, on any worker, with several SAs side by side. */
#include "dp_sa.h"
#include "esp_fixture.h"

#include "dataplane/esp.h"
#include "dataplane/spi_table.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#define FAR4  "10.2.3.4"
#define HOST4 "10.1.2.3"
#define MANY  8

static struct tunnel t;

static struct frame inner4(void)
{
	return frame_udp(TUNNEL_WAN, FAR4, HOST4, 30);
}

static struct sa_params gcm(enum sa_dir dir, enum ip_family family, uint32_t spi)
{
	static const uint8_t key[20] = {9, 8, 7};
	struct sa_params p = tunnel_params(dir, family);

	p.spi = spi;
	p.cipher = CIPHER_AES_GCM_16;
	p.enc_key = key;
	p.enc_key_len = sizeof(key);
	return p;
}

/* One more SA of t's VTI, for as long as the test wants it. */
static void add_sa(struct tunnel *one, enum ip_family family, uint32_t spi, const char *dst)
{
	struct sa_params p = gcm(SA_IN, family, spi);
	const char *why = "";

	if (dst != NULL)
		p.dst = dp_addr(dst);
	one->vti = t.vti;
	one->in = NULL;
	CU_ASSERT_PTR_NOT_NULL_FATAL(tunnel_sa(one, &p, &why));
}

static void remove_sa(struct tunnel *one)
{
	spi_remove(one->in);
	sa_destroy(one->in);
	one->in = NULL;
}

/* RFC 4303 2.1: no SA has such an SPI, so none is ever sent. */
static void reserved_ones_are_refused(void)
{
	const char *why = "";
	char say[80];
	struct sa *sa;

	for (unsigned dir = SA_IN; dir <= SA_OUT; dir++) {
		for (uint32_t spi = 0; spi < 256; spi++) {
			struct sa_params p = gcm(dir, IP_V4, spi);

			CU_ASSERT_PTR_NULL(sa_create(&p, 1, &why));
			snprintf(say, sizeof(say), "spi: %u, but 0 to 255 are reserved (RFC 4303)",
				spi);
			CU_ASSERT_STRING_EQUAL(why, say);
		}
		for (unsigned bit = 8; bit < 32; bit++) {
			struct sa_params p = gcm(dir, IP_V6, 1u << bit);

			sa = sa_create(&p, 1, &why);
			CU_ASSERT_PTR_NOT_NULL(sa);
			sa_destroy(sa);
		}
	}
}

/* And what comes with one is of no SA. Inside UDP 0 is the marker in front of IKE. */
static void reserved_ones_are_of_no_sa(void)
{
	static const enum ip_family families[] = {IP_V4, IP_V6};
	struct frame inner = inner4(), f;

	tunnel_start(&t);
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned udp = 0; udp < 2; udp++) {
			tunnel_plain_sa(&t, SA_IN, families[i], udp ? SA_UDP_ENCAP : 0);
			f = tunnel_seal(&t, 1, &inner, 0);
			memset(f.b + tunnel_esp_at(&f, t.in), 0, 4);
			for (unsigned spi = udp; spi < 256; spi++) {
				f.b[tunnel_esp_at(&f, t.in) + 3] = spi;
				tunnel_drops(&f, DROP_ESP_NO_SA);
			}
			if (!udp)
				continue;
			f.b[tunnel_esp_at(&f, t.in) + 3] = 0;
			tunnel_receive(&f);
			CU_ASSERT(dp_punted(dp.port[TUNNEL_WAN].iface, &f));
		}
	}
	CU_ASSERT_EQUAL(sa_stats_sum(t.in).errors, 0);
	tunnel_stop(&t);
}

/* Each bit of it counts. */
static void one_wrong_bit(void)
{
	static const uint32_t spis[] = {256, 0x10000, 0x7fffffff, 0x80000000, UINT32_MAX};
	struct frame inner = inner4(), f, bad;
	struct tunnel one = {0};

	tunnel_start(&t);
	for (unsigned i = 0; i < RTE_DIM(spis); i++) {
		add_sa(&one, IP_V4, spis[i], NULL);
		f = tunnel_seal(&one, 1, &inner, 0);
		for (unsigned bit = 0; bit < 32; bit++) {
			bad = f;
			bad.b[L3 + 20 + bit / 8] ^= 1 << bit % 8;
			tunnel_drops(&bad, DROP_ESP_NO_SA);
		}
		tunnel_passes(&f, &inner);
		remove_sa(&one);
		tunnel_drops(&f, DROP_ESP_NO_SA);
	}
	tunnel_stop(&t);
}

/* The receiver chose the SPI for one of its addresses; at another it may be another SA's. In one burst, where
 * the last packet's SA is tried first. */
static void one_spi_at_several_destinations(void)
{
	struct tunnel one[3] = {0};
	struct frame inner = inner4(), want, f;

	tunnel_start(&t);
	want = frame_forwarded(&inner, TUNNEL_LAN, TUNNEL_LAN_STATION);
	add_sa(&one[0], IP_V4, 0x4000, NULL);
	add_sa(&one[1], IP_V4, 0x4000, "10.0.2.1");
	add_sa(&one[2], IP_V6, 0x4000, NULL);
	for (unsigned seq = 1; seq <= RTE_DIM(one); seq++) {
		for (unsigned i = seq - 1; i < RTE_DIM(one); i++) {
			f = tunnel_seal(&one[i], seq, &inner, 0);
			if (i == 1) { /* tunnel_seal() sends to the first port's address */
				f.b[L3 + 18] = 2;
				frame_checksum(&f);
			}
			dp_send(TUNNEL_WAN, &f);
		}
	}
	dp_run();
	for (unsigned i = 0; i < 1 + 2 + 3; i++)
		CU_ASSERT(dp_out(TUNNEL_LAN, &want));
	CU_ASSERT(dp_none_dropped());
	for (unsigned i = 0; i < RTE_DIM(one); i++) {
		CU_ASSERT_EQUAL(sa_stats_sum(one[i].in).packets, i + 1);
		CU_ASSERT_EQUAL(sa_stats_sum(one[i].in).errors, 0);
		remove_sa(&one[i]);
	}
	tunnel_stop(&t);
}

/* RFC 4301 4.1, RFC 7296 2.8: SAs of equal selectors live side by side while one replaces the other, and
 * each has its own window. One that goes takes no other with it. */
static void equal_sas_side_by_side(void)
{
	struct tunnel one[MANY] = {0};
	struct frame inner = inner4(), f;

	tunnel_start(&t);
	for (unsigned i = 0; i < MANY; i++)
		add_sa(&one[i], IP_V4, 0x5000 + i, NULL);
	for (unsigned gone = 0; gone < MANY; gone++) {
		for (unsigned i = 0; i < MANY; i++) {
			f = tunnel_seal(&one[i], gone + 1, &inner, 0);
			tunnel_passes(&f, &inner);
			tunnel_drops(&f, DROP_ESP_REPLAY);
		}
		/* The oldest goes, and its last packets with it; the others know nothing of it. */
		f = tunnel_seal(&one[gone], 1000, &inner, 0);
		remove_sa(&one[gone]);
		tunnel_drops(&f, DROP_ESP_NO_SA);
		add_sa(&one[gone], IP_V4, 0x6000 + gone, NULL);
		for (unsigned seq = 1; seq <= gone + 1; seq++) {
			f = tunnel_seal(&one[gone], seq, &inner, 0);
			tunnel_passes(&f, &inner);
		}
	}
	for (unsigned i = 0; i < MANY; i++)
		remove_sa(&one[i]);
	tunnel_stop(&t);
}

/* RFC 9611 5: a packet of any SA may come to any worker. */
static void any_worker_takes_any_sa(void)
{
	struct tunnel one[MANY] = {0};
	struct frame inner = inner4(), want, f;

	tunnel_start(&t);
	want = frame_forwarded(&inner, TUNNEL_LAN, TUNNEL_LAN_STATION);
	for (unsigned i = 0; i < MANY; i++)
		add_sa(&one[i], i % 2 ? IP_V6 : IP_V4, 0x7000 + i, NULL);
	for (unsigned seq = 1; seq <= 40; seq++) {
		for (unsigned i = 0; i < MANY; i++) {
			f = tunnel_seal(&one[i], seq, &inner, 0);
			dp_send_queue(TUNNEL_WAN, (seq + i) % dp.n_workers, &f);
			dp_run();
			CU_ASSERT(dp_out(TUNNEL_LAN, &want));
			/* Again, by another worker: it knows. */
			dp_send_queue(TUNNEL_WAN, (seq + i + 1) % dp.n_workers, &f);
			dp_run();
			CU_ASSERT(dp_dropped(DROP_ESP_REPLAY, 1));
		}
	}
	for (unsigned i = 0; i < MANY; i++) {
		CU_ASSERT_EQUAL(sa_stats_sum(one[i].in).packets, 40);
		for (unsigned w = 0; w < dp.n_workers; w++)
			CU_ASSERT_EQUAL(one[i].in->worker[w].packets, 40 / dp.n_workers);
		remove_sa(&one[i]);
	}
	tunnel_stop(&t);
}

DP_MAIN("spi", 4, DP_TEST(reserved_ones_are_refused), DP_TEST(reserved_ones_are_of_no_sa),
	DP_TEST(one_wrong_bit), DP_TEST(one_spi_at_several_destinations),
	DP_TEST(equal_sas_side_by_side), DP_TEST(any_worker_takes_any_sa))
