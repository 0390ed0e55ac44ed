/* SPDX-License-Identifier: BSD-3-Clause */
/* How large packet buffers are made, by the ports' MTUs. */
#include "control/port/packet_pool.h"

#include "control/port/port_af_packet.h"
#include "dataplane/buffer.h"
#include "unit.h"

#include <string.h>

static struct config config;

static void one_port(uint32_t mtu)
{
	config.n_ports = 1;
	config.n_cores = 2;
	config.ports[0] = (struct config_port){.mtu = mtu, .tx_descriptors = 1024};
	strcpy(config.ports[0].device, "net_af_packet0,iface=eth0");
}

static void automatic_sizes(void)
{
	static const uint32_t want[][2] = {{68, 2048}, {1500, 2048}, {1952, 2048}, {1953, 3072},
		{9000, 9216}, {9120, 9216}, {9121, 10240}, {9216, 10240}, {16000, 16384}};

	memset(&config, 0, sizeof(config));
	CU_ASSERT_EQUAL(packet_buffer_size(&config), 2048);
	for (unsigned i = 0; i < RTE_DIM(want); i++) {
		one_port(want[i][0]);
		CU_ASSERT_EQUAL(packet_buffer_size(&config), want[i][1]);
		/* Jumbo frames need no large ones. */
		CU_ASSERT_EQUAL(large_buffers_wanted(&config), 256);
	}
	config.ports[1] = (struct config_port){.mtu = 1500};
	config.n_ports = 2;
	CU_ASSERT_EQUAL(packet_buffer_size(&config), 16384);
}

static void given_size(void)
{
	one_port(9000);
	config.mbuf_size = 4096;
	CU_ASSERT_EQUAL(packet_buffer_size(&config), 4096);
	CU_ASSERT_EQUAL(large_buffers_wanted(&config), 256 + 2 * 1024);
	config.mbuf_size = 0;
}

/* What DPDK's driver asks for: a frame, less its header, fits a buffer. */
static void af_packet_frames_fit(void)
{
	char device[512], want[64];
	struct err e;

	for (uint32_t mtu = 68; mtu <= 16000; mtu += 83) {
		unsigned frame, block;

		one_port(mtu);
		strcpy(device, config.ports[0].device);
		CU_ASSERT_EQUAL_FATAL(af_packet_args(&config.ports[0], device, sizeof(device), 1,
					      packet_buffer_size(&config), &e),
			0);
		CU_ASSERT_EQUAL_FATAL(
			sscanf(strstr(device, "framesz="), "framesz=%u,blocksz=%u", &frame, &block),
			2);
		CU_ASSERT(frame >= mtu + AF_PACKET_OVERHEAD);
		CU_ASSERT_EQUAL(block % frame, 0);
		CU_ASSERT_EQUAL(block % 4096, 0);
	}
	one_port(9000);
	strcpy(device, config.ports[0].device);
	CU_ASSERT(af_packet_args(&config.ports[0], device, sizeof(device), 1, 2048, &e) < 0);
	snprintf(want, sizeof(want), "mbuf_size = %u", 9216 - 32);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, want));
}

UNIT_MAIN("packet_pool", UNIT_TEST(automatic_sizes), UNIT_TEST(given_size),
	UNIT_TEST(af_packet_frames_fit))
