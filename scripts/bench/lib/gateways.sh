# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# Two gateways without a NIC for a traffic generator, in network namespaces of their own:
#
#   generator port 0 === lan0 gw-a wan0 === ESP === wan0 gw-b lan0 === generator port 1
#   10.1.0.0/16                                                        10.2.0.0/16
#   2001:db8:1::/48                                                    2001:db8:2::/48
#
# To be sourced after steps.sh and sites.sh (PREFIX, STATE, BUILD). All links are memif, or veth with
# packet sockets. The generator runs in the namespace "generator"; its ports are memif clients of the
# sockets $STATE/port0.sock and port1.sock, id 0, or the devices port0 and port1; with vhost, virtio_user
# ports of these sockets (for a generator that cannot use memif).
# scripts/bench/gateway gives each gateway its tunnels and addresses, as it does beside a real NIC.

GENERATOR_MAC0=02:00:00:00:01:02 # what the generator's ports must send from
GENERATOR_MAC1=02:00:00:00:02:02
SITES="a b"

# gateways_start LINK TUNNELS [LINE..]: LINK is memif, vhost or veth; LINEs go into both configurations.
gateways_start() {
	local link=$1 tunnels=$2 s secret
	shift 2
	secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	ns_add generator
	for s in a b; do
		ns_add "gw-$s"
		quiet_ns "gw-$s"
	done
	gateways_links "$link"
	for s in a b; do
		LAN=${GATEWAY_LAN[$s]} WAN=${GATEWAY_WAN[$s]} gw_config "$s" "$@"
		gw_start "$s"
	done
	gateway_network a "$tunnels" "$secret" $GENERATOR_MAC0 "$(gateway_mac b wan0)"
	gateway_network b "$tunnels" "$secret" $GENERATOR_MAC1 "$(gateway_mac a wan0)"
}

declare -A GATEWAY_LAN GATEWAY_WAN

gateways_links() { # LINK: the devices of both gateways
	local n=0 s role=server memif=rsize=12,socket-abstract=no
	case $1 in
	memif | vhost)
		for s in a b; do
			GATEWAY_LAN[$s]="net_memif0,role=server,id=0,$memif,socket=$STATE/port$n.sock"
			[ "$1" = memif ] || GATEWAY_LAN[$s]="net_vhost0,iface=$STATE/port$n.sock"
			GATEWAY_WAN[$s]="net_memif1,role=$role,id=1,$memif,socket=$STATE/wan.sock"
			n=1 role=client
		done
		;;
	veth)
		link_add gw-a phy-wan0 gw-b phy-wan0
		for s in a b; do
			link_add generator "port$n" "gw-$s" phy-lan0
			phy_take generator "port$n"
			phy_take "gw-$s" phy-lan0
			phy_take "gw-$s" phy-wan0
			GATEWAY_LAN[$s]="net_af_packet0,iface=phy-lan0"
			GATEWAY_WAN[$s]="net_af_packet1,iface=phy-wan0"
			n=1
		done
		;;
	*) die "no such link: $1; memif, vhost or veth" ;;
	esac
}

gateway_mac() { # SITE PORT
	ctl "$1" --json port show |
		python3 -c "import json, sys; print(next(p['mac'] for p in json.load(sys.stdin) if p['name'] == '$2'))"
}

gateway_network() { # SITE TUNNELS SECRET GENERATOR_MAC PEER_MAC
	VIADUCTCTL=$VIADUCTCTL VIADUCT_SOCKET=$STATE/gw-$1/run/viaduct/viaduct.sock \
		ns "gw-$1" "$top/scripts/bench/gateway" "$1" --tunnels "$2" --secret "$3" --generator "$4" \
		--peer "$5" || die "cannot configure gw-$1"
}
