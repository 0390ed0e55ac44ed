/* SPDX-License-Identifier: BSD-3-Clause */
/* uml_exec FIFO IF[,IF2..] PROGRAM ARG..: prepare what the UML guest inherits, then run PROGRAM.
 *
 * fd 8: FIFO, opened for reading and writing: the guest's command line, never at its end.
 * fd 7: a packet socket on IF. Plain Ethernet frames without a virtio header, so that UML offers
 *       itself no checksum or segmentation offload and every frame on the wire is complete.
 * Offloads are turned off on every IF named. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

#define GUEST_NIC_FD     7
#define GUEST_COMMAND_FD 8

static void offloads_off(int s, const char *ifname)
{
	static const __u32 commands[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO, ETHTOOL_STXCSUM};

	for (unsigned i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		struct ethtool_value value = {commands[i], 0};
		struct ifreq req = {0};

		snprintf(req.ifr_name, IFNAMSIZ, "%s", ifname);
		req.ifr_data = (void *)&value;
		ioctl(s, SIOCETHTOOL, &req); /* what a device cannot do it cannot offload */
	}
}

static int bind_to(int s, const char *ifname)
{
	struct sockaddr_ll addr = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(ifname)};
	struct packet_mreq promisc = {.mr_ifindex = addr.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
	int on = 1, size = 8 << 20;

	setsockopt(s, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	setsockopt(s, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promisc, sizeof(promisc));
	setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return addr.sll_ifindex ? bind(s, (struct sockaddr *)&addr, sizeof(addr)) : -1;
}

static int keep_as(int fd, int wanted)
{
	if (fd == wanted)
		return 0;
	if (dup2(fd, wanted) < 0)
		return -1;
	return close(fd);
}

int main(int argc, char **argv)
{
	int fifo, s;
	char *name;

	if (argc < 4)
		return 126;
	fifo = open(argv[1], O_RDWR);
	if (fifo < 0 || keep_as(fifo, GUEST_COMMAND_FD) < 0) {
		perror(argv[1]);
		return 126;
	}
	s = socket(AF_PACKET, SOCK_RAW, 0);
	name = strtok(argv[2], ",");
	if (s < 0 || name == NULL || bind_to(s, name) < 0) {
		perror("packet socket");
		return 126;
	}
	for (; name != NULL; name = strtok(NULL, ","))
		offloads_off(s, name);
	if (keep_as(s, GUEST_NIC_FD) < 0)
		return 126;
	execv(argv[3], argv + 3);
	perror(argv[3]);
	return 127;
}
