/* SPDX-License-Identifier: BSD-3-Clause */
#include "config/tables.h"
#include "control/api/vti_choices.h"

#include <rte_ether.h>

#include <string.h>

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

static const struct choice rpf = {
	"rpf", rpf_words, .expects = "off, loose or strict", CHOICE_FIELD(struct config_port, rpf)};

const struct setting port_settings[] = {
	{"name", SETTING_TEXT, true, SETTING_FIELD(struct config_port, name),
		.expects = "an interface name", .help = "Name of the port and of its TAP device."},
	{"device", SETTING_TEXT, SETTING_FIELD(struct config_port, device), .def_text = "",
		.expects = "a DPDK device",
		.help = "PCI address, or driver name with arguments: \"0000:03:00.0\", "
			"\"net_af_packet0,iface=eth0\".",
		.read = check_device},
	{"parent", SETTING_TEXT, SETTING_FIELD(struct config_port, parent), .def_text = "",
		.expects = "the name of a port above it",
		.help = "Instead of `device`: it is a VLAN (IEEE 802.1Q) of that port."},
	{"vlan", SETTING_UINT, SETTING_FIELD(struct config_port, vlan), .min = 1, .max = 4094,
		.help = "Id of the VLAN, with `parent`."},
	{"rx_queues", SETTING_UINT, SETTING_FIELD(struct config_port, rx_queues), .max = 64,
		.help = "Receive queues. 0: one for each worker, where the device has as many."},
	{"rx_descriptors", SETTING_UINT, SETTING_FIELD(struct config_port, rx_descriptors),
		.min = 64, .max = 32768, .def = 1024, .help = "Length of each receive queue."},
	{"tx_descriptors", SETTING_UINT, SETTING_FIELD(struct config_port, tx_descriptors),
		.min = 64, .max = 32768, .def = 1024, .help = "Length of each transmit queue."},
	{"mtu", SETTING_UINT, SETTING_FIELD(struct config_port, mtu), .min = 68, .max = 16000,
		.def = 1500,
		.help = "Largest IP packet in bytes. Of a VLAN: its parent's, or less.",
		.live = true},
	{"promiscuous", SETTING_BOOL, SETTING_FIELD(struct config_port, promiscuous),
		.help = "Receive frames for other stations, too.", .live = true},
	{"mac", SETTING_TEXT, SETTING_FIELD(struct config_port, mac), .def_text = "",
		.expects = "a MAC address", .help = "MAC address to use instead of the device's.",
		.read = check_mac},
	{"rpf", SETTING_CHOICE, SETTING_FIELD(struct config_port, rpf), .choice = &rpf,
		.help = "What comes in needs a route back to its source. strict: by this "
			"interface.",
		.live = true},
	{"esp_only", SETTING_BOOL, SETTING_FIELD(struct config_port, esp_only),
		.help = "Nothing leaves by it in the clear that was only forwarded: ESP does, "
			"and what the gateway itself sends.",
		.live = true},
	{.type = SETTING_END},
};

static const struct config_port *find_port(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->n_ports; i++) {
		if (strcmp(c->ports[i].name, name) == 0)
			return &c->ports[i];
	}
	return NULL;
}

static int check_has_device(struct reader *r, const config_setting_t *s, const struct config *c,
	const struct config_port *p)
{
	unsigned n_devices = 0;

	if (p->vlan != 0)
		return setting_error(r, setting_member(s, "vlan"),
			"%u without \"parent\"; expected the port that it is a VLAN of", p->vlan);
	if (p->device[0] == '\0')
		return setting_error(
			r, s, "no \"device\"; expected a DPDK device, or \"parent\" and \"vlan\"");
	for (unsigned i = 0; i < c->n_ports; i++) {
		n_devices += c->ports[i].device[0] != '\0';
		if (strcmp(c->ports[i].device, p->device) == 0)
			return setting_error(r, setting_member(s, "device"),
				"\"%s\" is port %s already; expected another device", p->device,
				c->ports[i].name);
	}
	if (n_devices == CONFIG_DEVICES_MAX)
		return setting_error(r, setting_member(s, "device"),
			"one too many; expected at most %u devices", CONFIG_DEVICES_MAX);
	return 0;
}

/* What a VLAN has from its parent. */
static const char *const of_the_parent[] = {
	"device", "rx_queues", "rx_descriptors", "tx_descriptors", "promiscuous", "mac"};

static int check_is_vlan(struct reader *r, const config_setting_t *s, const struct config *c,
	const struct config_port *p)
{
	for (unsigned i = 0; i < sizeof(of_the_parent) / sizeof(of_the_parent[0]); i++) {
		if (config_setting_get_member(s, of_the_parent[i]) != NULL)
			return setting_error(r, setting_member(s, of_the_parent[i]),
				"not for a VLAN, which has its parent's");
	}
	if (p->vlan == 0)
		return setting_error(r, s, "no \"vlan\"; expected a number from 1 to 4094");
	for (unsigned i = 0; i < c->n_ports; i++) {
		if (strcmp(c->ports[i].parent, p->parent) == 0 && c->ports[i].vlan == p->vlan)
			return setting_error(r, setting_member(s, "vlan"),
				"%u is port %s already; expected another VLAN of %s", p->vlan,
				c->ports[i].name, p->parent);
	}
	return 0;
}

/* A VLAN's MTU is its parent's where it is not given. */
static int read_vlan(
	struct reader *r, const config_setting_t *s, const struct config *c, struct config_port *p)
{
	const struct config_port *parent = find_port(c, p->parent);

	if (parent == NULL || parent->device[0] == '\0')
		return setting_wrong(r, setting_member(s, "parent"),
			"the name of a port with a device, above it");
	if (check_is_vlan(r, s, c, p) < 0)
		return -1;
	if (config_setting_get_member(s, "mtu") == NULL)
		p->mtu = parent->mtu;
	if (p->mtu > parent->mtu)
		return setting_error(r, setting_member(s, "mtu"),
			"%u; expected at most %u, the MTU of its parent %s", p->mtu, parent->mtu,
			p->parent);
	return 0;
}

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
	if (config_setting_get_member(s, "parent") != NULL ? read_vlan(r, s, c, p) < 0
							   : check_has_device(r, s, c, p) < 0)
		return -1;
	c->n_ports++;
	return 0;
}
