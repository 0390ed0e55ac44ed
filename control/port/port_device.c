/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/port/port_device.h"

#include "control/eal_log.h"
#include "control/log.h"
#include "control/port/port_af_packet.h"

#include <errno.h>
#include <net/if.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_pci.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICE_MAX 512

static bool has_arg(const char *device, const char *key)
{
	const char *at = strstr(device, key);

	return at != NULL && at != device && at[-1] == ',';
}

/* The name under which DPDK will know the port. */
static void device_name(char *name, size_t size, const char *device)
{
	struct rte_pci_addr addr;

	snprintf(name, size, "%.*s", (int)strcspn(device, ","), device);
	if (rte_pci_addr_parse(name, &addr) == 0)
		rte_pci_device_name(&addr, name, size);
}

/* What to look at, by the kind of device. */
static const char *attach_hint(const char *device)
{
	struct rte_pci_addr addr;
	char name[RTE_ETH_NAME_MAX_LEN];

	device_name(name, sizeof(name), device);
	if (rte_pci_addr_parse(name, &addr) == 0)
		return "is it there, and bound to vfio-pci (dpdk-devbind.py --status)?";
	if (strncmp(device, "net_af_", strlen("net_af_")) == 0)
		return has_arg(device, "iface=") ? "is the interface in this network namespace?"
						 : "expected ,iface=NAME after it";
	if (strncmp(device, "net_", strlen("net_")) == 0)
		return "some drivers are net_af_packet, net_af_xdp, net_tap, net_memif, net_pcap, "
		       "net_ring, with a number after the name";
	return "expected a PCI address, or a driver such as net_af_packet0,iface=eth0";
}

static int attach_error(const struct config_port *port, int ret, struct err *e)
{
	const char *reason = eal_log_reason();
	/* "EAL: ..." comes from DPDK's core, and says little; a driver's own reason says enough. */
	bool general = reason[0] == '\0' || strncmp(reason, "EAL:", 4) == 0;

	return err_set(e, -ret, "port %s: cannot attach %s: %s%s%s", port->name, port->device,
		reason[0] != '\0' ? reason : strerror(-ret), general ? "; " : "",
		general ? attach_hint(port->device) : "");
}

bool port_device_understates_mtu(const char *device)
{
	return af_packet_is(device) || strncmp(device, "net_tap", strlen("net_tap")) == 0;
}

/* What its driver does, too, up to 1500: the kernel's interface gets this MTU. */
static int set_kernel_mtu(const char *device, uint32_t mtu)
{
	const char *name = strstr(device, "iface=");
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {.ifr_mtu = mtu};
	int ret = 0;

	if (sock < 0)
		return -errno;
	name = name != NULL ? name + strlen("iface=") : "dtap0"; /* net_tap0 without it */
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%.*s", (int)strcspn(name, ","), name);
	if (ioctl(sock, SIOCSIFMTU, &ifr) < 0)
		ret = -errno;
	close(sock);
	return ret;
}

int port_device_set_mtu(uint16_t port_id, const char *device, uint32_t mtu)
{
	int ret;

	if (port_device_understates_mtu(device) && mtu > RTE_ETHER_MTU)
		return set_kernel_mtu(device, mtu);
	ret = rte_eth_dev_set_mtu(port_id, mtu);
	return ret == -ENOTSUP ? 0 : ret;
}

/* The kernel's interface that a packet socket is to be bound to; the drivers say less of it. */
static int check_kernel_iface(const struct config_port *port, struct err *e)
{
	const char *name = strstr(port->device, ",iface=");
	char text[IFNAMSIZ];

	if (name == NULL || strncmp(port->device, "net_af_", strlen("net_af_")) != 0)
		return 0;
	name += strlen(",iface=");
	snprintf(text, sizeof(text), "%.*s", (int)strcspn(name, ","), name);
	if (if_nametoindex(text) != 0)
		return 0;
	return err_set(e, ENODEV, "port %s: no interface %s in this network namespace (device %s)",
		port->name, text, port->device);
}

int port_device_attach(const struct config_port *port, unsigned n_queues, uint32_t mbuf_size,
	uint16_t *port_id, struct err *e)
{
	char device[DEVICE_MAX], name[RTE_ETH_NAME_MAX_LEN];
	int ret = check_kernel_iface(port, e);

	snprintf(device, sizeof(device), "%s", port->device);
	device_name(name, sizeof(name), device);
	if (ret == 0 && af_packet_is(device))
		ret = af_packet_args(port, device, sizeof(device), n_queues, mbuf_size, e);
	if (ret < 0)
		return ret;
	log_debug("port %s: device %s", port->name, device);
	eal_log_forget();
	ret = rte_dev_probe(device);
	if (ret < 0 && ret != -EEXIST)
		return attach_error(port, ret, e);
	if (rte_eth_dev_get_port_by_name(name, port_id) != 0)
		return err_set(e, ENODEV,
			"port %s: %s is no network device; expected a network card or a net_ "
			"driver",
			port->name, port->device);
	return 0;
}
