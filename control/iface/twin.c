/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/iface/twin.h"

#include "control/iface/host_twins.h"
#include "control/iface/ifaces.h"
#include "control/iface/twin_closer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void set_name(struct ifreq *ifr, const char *name)
{
	memset(ifr, 0, sizeof(*ifr));
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", name);
}

static bool name_is_taken(const char *name)
{
	if (if_nametoindex(name) == 0)
		return false;
	twin_closings_wait(); /* it may be one of ours that is going */
	return if_nametoindex(name) != 0;
}

/* A TAP carries Ethernet frames as they are. A TUN has a header with the protocol in front of each
 * packet (struct tun_pi): it tells packets for the kernel from those shown to captures only. Neither
 * takes offloads, so that the kernel sends whole packets with whole checksums. */
static int open_device(struct twin *t, struct err *e)
{
	struct ifreq ifr;

	/* Without this check TUNSETIFF would say EINVAL for a device of another kind. */
	if (name_is_taken(t->name))
		return err_set(e, EBUSY,
			"the kernel already has a device named %s; rename it or choose another "
			"name",
			t->name);
	t->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->fd < 0)
		return err_set(e, errno, "/dev/net/tun: %s%s", strerror(errno),
			errno == ENOENT ? "; load the kernel module tun (modprobe tun)"
				: errno == EPERM || errno == EACCES ? "; CAP_NET_ADMIN is needed"
								    : "");
	set_name(&ifr, t->name);
	ifr.ifr_flags = IFF_TUN_EXCL | (t->kind == IFACE_PORT ? IFF_TAP | IFF_NO_PI : IFF_TUN);
	if (ioctl(t->fd, TUNSETIFF, &ifr) < 0)
		return err_set(e, errno, "cannot create the kernel device %s: %s%s", t->name,
			strerror(errno), errno == EPERM ? "; CAP_NET_ADMIN is needed" : "");
	return 0;
}

static int set_mtu(int sock, const char *name, unsigned mtu, struct err *e)
{
	struct ifreq ifr;

	set_name(&ifr, name);
	ifr.ifr_mtu = mtu;
	if (ioctl(sock, SIOCSIFMTU, &ifr) < 0)
		return err_set(
			e, errno, "cannot set the MTU of %s to %u: %s", name, mtu, strerror(errno));
	return 0;
}

static int set_mac(int sock, const char *name, const struct rte_ether_addr *mac, struct err *e)
{
	struct ifreq ifr;

	set_name(&ifr, name);
	ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(ifr.ifr_hwaddr.sa_data, mac->addr_bytes, RTE_ETHER_ADDR_LEN);
	if (ioctl(sock, SIOCSIFHWADDR, &ifr) < 0)
		return err_set(e, errno, "cannot set the MAC of %s to " MAC_FMT ": %s", name,
			RTE_ETHER_ADDR_BYTES(mac), strerror(errno));
	return 0;
}

static int configure(struct twin *t, struct iface *iface, struct err *e)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret = 0;

	if (sock < 0)
		return err_set(e, errno, "socket: %s", strerror(errno));
	if (iface_mtu(iface) != 0)
		ret = set_mtu(sock, t->name, iface_mtu(iface), e);
	if (ret == 0 && t->kind == IFACE_PORT)
		ret = set_mac(sock, t->name, &iface->mac, e);
	close(sock);
	return ret;
}

int twin_set_carrier(struct twin *t, bool up)
{
	int on = up;

	return ioctl(t->fd, TUNSETCARRIER, &on) < 0 ? -errno : 0;
}

static void twin_free(struct twin *t)
{
	if (t->fd >= 0)
		close(t->fd); /* the device goes with it */
	free(t);
}

int twin_create(struct iface *iface, struct twin **out, struct err *e)
{
	struct twin *t = calloc(1, sizeof(*t));
	int ret;

	if (t == NULL)
		return err_set(e, ENOMEM, "out of memory");
	t->fd = -1;
	t->iface = iface->id;
	t->kind = iface->kind;
	snprintf(t->name, sizeof(t->name), "%s", iface->name);
	ret = open_device(t, e);
	if (ret == 0)
		ret = twin_set_carrier(t, false);
	if (ret == 0)
		ret = configure(t, iface, e);
	if (ret == 0)
		ret = host_attach(t, e);
	if (ret < 0) {
		twin_free(t);
		return ret;
	}
	t->ifindex = if_nametoindex(t->name);
	iface->kernel_ifindex = t->ifindex;
	*out = t;
	return 0;
}

void twin_destroy(struct twin *t)
{
	if (t == NULL)
		return;
	host_detach(t);
	twin_close(t);
}
