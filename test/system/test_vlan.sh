#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two gateways whose outer network is VLAN 100 of a trunk, a third station in that VLAN, and VLANs that come
# and go while traffic flows. The trunk is a bridge, which passes tags on as they are.
. "$(dirname "$0")/lib.sh"
needs python3

sites_wire
ip -n "${PREFIX}wan" -batch - <<-X || skip "this kernel has no bridge"
	link add trunk type bridge
	link set trunk up
	link set wan-a master trunk
	link set wan-b master trunk
	link add st0 type veth peer name st1
	link set st1 master trunk up
	link set st0 up
X
vlans() { # SITE VLANS..: its configuration with these VLANs of wan0
	local s=$1 id ports=
	shift
	for id; do
		ports+=", { name = \"wan0.$id\"; parent = \"wan0\"; vlan = $id; }"
	done
	gw_config "$s"
	sed -i "s|iface=phy-wan0\"; }|&$ports|" "$STATE/gw-$s/viaduct.conf"
}
address() { # SITE VLAN
	ip -n "${PREFIX}gw-$1" -batch - <<-X
		link set wan0.$2 up
		addr add 10.0.$2.${SITE_NUM[$1]}/24 dev wan0.$2
		addr add fd00:$2::${SITE_NUM[$1]}/64 dev wan0.$2 nodad
	X
}
port() { json "$1" port show "next(x['$3'] for x in d if x['name'] == '$2')"; }
is() { [ "$("${@:2}")" = "$1" ]; }
station() { ns wan "$here/vlan_station.py" "$@"; }

for s in a b; do
	vlans $s 100
	gw_start $s
	gw_addresses $s
	check "addresses for gw-$s's wan0.100" address $s 100
done
equal "port show tells parent" "$(port a wan0.100 parent)" wan0
equal "and id" "$(port a wan0.100 vlan)" 100
equal "and of a port with a device none" "$(port a wan0 vlan)" 0
check "its link is up" wait_for 5 is True port a wan0.100 carrier
check "config dump names it" sh -c '"$0" -s "$1" config dump | grep -q "vlan = 100;"' "$VIADUCTCTL" \
	"$STATE/gw-a/run/viaduct/viaduct.sock"
check "gateways reach each other" wait_for 5 no_loss gw-a 3 0.05 10.0.100.2
check "by IPv6" wait_for 5 no_loss gw-a 3 0.05 fd00:100::2
check "with full-size frames, 1518 bytes and the tag" ns gw-a ping -q -c 3 -i 0.05 -W 1 -M do -s 1472 10.0.100.2
check "ARP and echo of a station in VLAN 100" station ping st0 100 10.0.100.9 10.0.100.1
check "and none in VLAN 101" sh -c '! "$@"' sh ip netns exec "${PREFIX}wan" "$here/vlan_station.py" ping st0 101 \
	10.0.100.9 10.0.100.1

key_ab=0x000102030405060708090a0b0c0d0e0f key_ba=0x101112131415161718191a1b1c1d1e1f
auth=0x202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f
for s in a b; do
	local=10.0.100.${SITE_NUM[$s]} remote=10.0.100.${SITE_NUM[${SITE_PEER[$s]}]}
	out=out in=in
	[ $s = a ] || { out=in in=out; }
	check "vti0 at gw-$s" ctl $s vti add vti0 local "$local" remote "$remote" reqid 100
	check "SA a to b at gw-$s" ctl $s sa add src 10.0.100.1 dst 10.0.100.2 spi 10000 dir $out reqid 100 \
		enc aes-cbc key $key_ab auth hmac-sha2-256-128 auth-key $auth
	check "SA b to a at gw-$s" ctl $s sa add src 10.0.100.2 dst 10.0.100.1 spi 10001 dir $in reqid 100 \
		enc aes-cbc key $key_ba auth hmac-sha2-256-128 auth-key $auth
	vti_up $s vti0
done
check "ping through the tunnel" wait_for 5 no_loss host-a 5 0.05 10.2.0.2
check "IPv6 through the tunnel" wait_for 5 no_loss host-a 5 0.05 2001:db8:2::2
ns wan "$here/vlan_station.py" watch wan-a 3 >"$STATE/watched" &
watcher=$!
sleep 0.5
if command -v iperf3 >/dev/null; then
	ns host-b iperf3 -s -1 >"$STATE/iperf3.log" 2>&1 &
	check "iperf3 through the tunnel" wait_for 5 ns host-a iperf3 -c 10.2.0.2 -t 2
else
	echo "skipped: iperf3 is not here"
	check "a flood of pings through the tunnel" ns host-a ping -q -f -c 500 -W 1 10.2.0.2
fi
wait $watcher
check "gw-a sent ESP in VLAN 100" grep -q "^100 [0-9][0-9]" "$STATE/watched"
check "and next to nothing outside of it" awk '$1 == "-" && $2 > 20 { exit 1 }' "$STATE/watched"
equal "nothing of it lacks a neighbour or a route" "$(drops a no_route)" 0
sent="{x['name']: x['stats']['tx_packets'] for x in d}"
equal "its parent counts it, too" "$(json a port show "$sent['wan0'] >= $sent['wan0.100'] > 100")" True

# While the tunnel goes on: another VLAN comes and goes.
ns host-a ping -q -i 0.01 -c 300 -W 1 10.2.0.2 >"$STATE/ping.log" &
pinger=$!
for s in a b; do
	vlans $s 100 200
	check "reload adds VLAN 200 at gw-$s" ctl $s reload
	check "addresses for it" address $s 200
done
check "and it works" wait_for 5 no_loss gw-b 3 0.05 10.0.200.1
vlans a 100
check "reload removes it at gw-a" ctl a reload
check "with its device" sh -c "! ip -n ${PREFIX}gw-a link show wan0.200 2>/dev/null"
equal "and from port show" "$(json a port show "[x['name'] for x in d]")" "['lan0', 'wan0', 'wan0.100']"
wait $pinger
check "the tunnel lost nothing meanwhile" grep -q ' 0% packet loss' "$STATE/ping.log"

check "parent down" ip -n "${PREFIX}gw-a" link set wan0 down
check "its VLAN has no link then" wait_for 5 is False port a wan0.100 carrier
check "but is administratively up" is True port a wan0.100 admin_up
check "parent up" ip -n "${PREFIX}gw-a" link set wan0 up
check "and all works again" wait_for 5 no_loss host-a 3 0.05 10.2.0.2
check "parent's MTU 1400" ip -n "${PREFIX}gw-a" link set wan0 mtu 1400
check "its VLAN follows" wait_for 5 is 1400 port a wan0.100 mtu
check "in the kernel, too" sh -c "ip -n ${PREFIX}gw-a link show wan0.100 | grep -q 'mtu 1400'"

# A real kernel's 802.1Q. (A user-mode-linux guest has it, but its packet socket loses the tags of what comes.)
if ip -n "${PREFIX}wan" link add link st0 name st0.100 type vlan id 100 2>/dev/null; then
	ip -n "${PREFIX}wan" -batch - <<-X
		addr add 10.0.100.7/24 dev st0.100
		link set st0.100 up
	X
	check "the kernel's own VLAN device reaches gw-a" wait_for 5 no_loss wan 3 0.05 10.0.100.1
	check "and gw-a it" no_loss gw-a 3 0.05 10.0.100.7
	ip -n "${PREFIX}gw-a" -batch - <<-X
		link add link wan0 name k300 type vlan id 300
		addr add 10.0.30.1/24 dev k300
		link set k300 up
	X
	check "and one on gw-a's twin is reached by a station" station ping st0 300 10.0.30.9 10.0.30.1
else
	echo "skipped: a kernel's own VLAN devices (8021q), which this kernel lacks"
fi
finish
