/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/tables.h"

#include <rte_ether.h>

static int check_mac(struct reader *r, const config_setting_t *s, void *field)
{
	struct rte_ether_addr mac;

	if (rte_ether_unformat_addr(field, &mac) < 0 || rte_is_multicast_ether_addr(&mac) ||
		rte_is_zero_ether_addr(&mac))
		return setting_wrong(r, s, "a unicast MAC address such as 02:00:00:00:00:01");
	return 0;
}

static int check_device(struct reader *r, const config_setting_t *s, void *field)
{
	if (*(char *)field == '\0')
		return setting_wrong(r, s, "a DPDK device");
	return 0;
}

const struct setting port_settings[] = {
	{"name", SETTING_TEXT, true, SETTING_FIELD(struct config_port, name),
		.expects = "an interface name", .help = "Name of the port and of its TAP device."},
	{"device", SETTING_TEXT, true, SETTING_FIELD(struct config_port, device),
		.expects = "a DPDK device",
		.help = "PCI address, or driver name with arguments: \"0000:03:00.0\", "
			"\"net_af_packet0,iface=eth0\".",
		.read = check_device},
	{"rx_queues", SETTING_UINT, SETTING_FIELD(struct config_port, rx_queues), .max = 64,
		.help = "Receive queues. 0: one for each worker, where the device has as many."},
	{"rx_descriptors", SETTING_UINT, SETTING_FIELD(struct config_port, rx_descriptors),
		.min = 64, .max = 32768, .def = 1024, .help = "Length of each receive queue."},
	{"tx_descriptors", SETTING_UINT, SETTING_FIELD(struct config_port, tx_descriptors),
		.min = 64, .max = 32768, .def = 1024, .help = "Length of each transmit queue."},
	{"mtu", SETTING_UINT, SETTING_FIELD(struct config_port, mtu), .min = 68, .max = 16000,
		.def = 1500, .help = "Largest IP packet in bytes.", .live = true},
	{"promiscuous", SETTING_BOOL, SETTING_FIELD(struct config_port, promiscuous),
		.help = "Receive frames for other stations, too.", .live = true},
	{"mac", SETTING_TEXT, SETTING_FIELD(struct config_port, mac), .def_text = "",
		.expects = "a MAC address", .help = "MAC address to use instead of the device's.",
		.read = check_mac},
	{.type = SETTING_END},
};

int read_port(struct reader *r, const config_setting_t *s, void *config)
{
	struct config *c = config;
	struct config_port *p = &c->ports[c->n_ports];

	if (c->n_ports == CONFIG_PORTS_MAX)
		return setting_error(
			r, s, "one too many; expected at most %u ports", CONFIG_PORTS_MAX);
	settings_default(port_settings, p);
	if (settings_read(r, s, port_settings, p) < 0 || check_iface_name(r, s, c, p->name) < 0)
		return -1;
	for (unsigned i = 0; i < c->n_ports; i++) {
		if (strcmp(c->ports[i].device, p->device) == 0)
			return setting_error(r, setting_member(s, "device"),
				"\"%s\" is port %s already; expected another device", p->device,
				c->ports[i].name);
	}
	c->n_ports++;
	return 0;
}
