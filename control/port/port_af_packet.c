/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/port/port_af_packet.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <rte_common.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of a frame DPDK takes so many bytes off when it compares it with a buffer. */
#define HEADER     32
#define FRAME_UNIT 1024u
#define FRAMES_MIN 4096

bool af_packet_is(const char *device)
{
	return strncmp(device, "net_af_packet", strlen("net_af_packet")) == 0;
}

/* The driver asks the kernel for two things that a router must not have, and has no argument against them
 * (22.11, and still 26.11), so this definition, which it finds before libc's, takes the flags away:
 *
 * - to reassemble IPv4 fragments before it picks a queue. What comes is then larger than the interface's
 *   MTU, and the ring's frames cut it: every fragmented packet would be lost.
 * - to put what finds a full ring into another queue's. That overtakes what waits in the full one by
 *   thousands of packets: an SA's replay window would take the others for late. */
int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	uint32_t fanout;

	if (level == SOL_PACKET && name == PACKET_FANOUT && len == sizeof(fanout)) {
		memcpy(&fanout, value, sizeof(fanout));
		fanout &= ~(
			((uint32_t)PACKET_FANOUT_FLAG_DEFRAG | PACKET_FANOUT_FLAG_ROLLOVER) << 16);
		value = &fanout;
	}
	return syscall(SYS_setsockopt, fd, level, name, value, len);
}

static bool has_arg(const char *device, const char *key)
{
	const char *at = strstr(device, key);

	return at != NULL && at != device && at[-1] == ',';
}

static __attribute__((format(printf, 3, 4))) void append(
	char *device, size_t size, const char *fmt, ...)
{
	size_t len = strlen(device);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(device + len, size - len, fmt, ap);
	va_end(ap);
}

/* For each direction; an even number, since a block may hold two. A worker without a CPU of its own is
 * away for milliseconds, and what does not fit meanwhile is lost where no counter of ours sees it. */
static unsigned ring_frames(const struct config_port *port)
{
	unsigned frames = RTE_MAX(port->rx_descriptors, port->tx_descriptors);

	return RTE_ALIGN(RTE_MAX(frames, (unsigned)FRAMES_MIN), 2);
}

/* DPDK's driver needs whole frames in a block, and its own defaults hold 1500 bytes and 512 frames. */
int af_packet_args(const struct config_port *port, char *device, size_t size, unsigned n_queues,
	uint32_t mbuf_size, struct err *e)
{
	unsigned page = getpagesize();
	unsigned frame = port->mtu + AF_PACKET_OVERHEAD, block;

	if (!has_arg(device, "qpairs="))
		append(device, size, ",qpairs=%u", n_queues);
	if (has_arg(device, "framesz=") || has_arg(device, "blocksz="))
		return 0;
	/* Frames follow each other in memory, so they have to fill the pages of a block. */
	frame = RTE_MAX(RTE_ALIGN(frame, FRAME_UNIT), 2 * FRAME_UNIT);
	block = frame;
	while (block % page != 0)
		block += frame;
	if (frame - HEADER > mbuf_size)
		return err_set(e, EINVAL,
			"port %s: mtu %u on %s needs mbuf_size = %u or more; it is %u", port->name,
			port->mtu, port->device, frame - HEADER, mbuf_size);
	append(device, size, ",framesz=%u,blocksz=%u", frame, block);
	if (!has_arg(device, "framecnt="))
		append(device, size, ",framecnt=%u", ring_frames(port));
	return 0;
}
