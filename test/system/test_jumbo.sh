#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Jumbo frames from host to host through both gateways, at 9000 bytes and at the largest MTU; and packets
# larger than any buffer, which come in fragments.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl iperf3 python3

sites_wire

wire_mtu() { # MTU: of every link but the gateways' own twins
	local s
	for s in a b; do
		ip -n "${PREFIX}host-$s" link set eth0 mtu "$1"
		ip -n "${PREFIX}gw-$s" link set phy-lan0 mtu "$1"
		ip -n "${PREFIX}gw-$s" link set phy-wan0 mtu "$1"
		ip -n "${PREFIX}wan" link set "wan-$s" mtu "$1"
		ns "host-$s" ip route flush cache # of what they learnt of the path
		ns "host-$s" ip -6 route flush cache
	done
}

start() { # MTU VTI-SETTINGS
	local s
	wire_mtu "$1"
	for s in a b; do
		gw_config $s "$(vti_conf $s vti0 "if_id = 1; ${2:-}")"
		sed -i "s/^\( *{ name = .*\) }/\1 mtu = $1; }/" "$STATE/gw-$s/viaduct.conf"
		gw_start $s
		gw_addresses $s
		ike_conf $s aes128gcm16 "if_id_in = 1" "if_id_out = 1" >"$STATE/gw-$s/swanctl.conf"
		charon_start $s "$STATE/gw-$s/swanctl.conf"
	done
	check "negotiate at MTU $1" initiate a
	vtis_up
	check "first IPv6 packet through" wait_for 5 ns host-a ping -q -c 1 -W 1 2001:db8:2::2
}

stop() {
	local s
	for s in a b; do
		charon_stop $s
		gw_stop $s
	done
}

big() { # NAMESPACE ADDRESS SIZE-OF-IP-PACKET DF-OPTION
	local header=28
	case $2 in *:*) header=48 ;; esac
	no_loss "$1" 5 0.02 "$2" -M "$4" -s $(($3 - header))
}

nothing_lost() { # gateways' buffers are back, and nothing but what was asked for was dropped
	local s
	for s in a b; do
		equal "gw-$s dropped no fragment and lacked no buffer" \
			"$(json $s drops all "sum(x['packets'] for x in d if x['name'].startswith('frag_') or x['name'] in ('no_mbuf', 'esp_no_room', 'segments', 'inject_bad'))")" 0
	done
}

# 9000 - 20 (IPv4) - 8 (ESP) - 8 (IV) - 16 (ICV) - 2 (trailer), padded to 4 bytes
start 9000
equal "vti0's MTU follows" "$(json a vti show vti0 "d[0]['mtu']")" 8946
for address in 10.2.0.2 2001:db8:2::2; do
	for size in 2000 2048 4000 8000 8945 8946; do
		check "$size bytes with DF to $address" big host-a $address $size do
	done
	# Both hosts have to learn the path's MTU first.
	check "60000 bytes in fragments to $address" wait_for 3 big host-a $address 60000 dont
done
out=$(ns host-a ping -c 1 -W 1 -M do -s $((8947 - 28)) 10.2.0.2 2>&1)
check "IPv4: 8947 with DF is answered with mtu 8946" sh -c "printf '%s' \"\$0\" | grep -q 'mtu *= *8946'" "$out"
ns host-b iperf3 -s -D -I "$STATE/iperf3.pid" >/dev/null 2>&1
on_exit "kill \$(tr -d '\\0' <$STATE/iperf3.pid)"
sleep 0.5
check "TCP over IPv4" ns host-a iperf3 -c 10.2.0.2 -t 2
check "TCP over IPv6" ns host-a iperf3 -c 2001:db8:2::2 -t 2
equal "TCP segments were jumbo" \
	"$(json b stats "[x['rx_bytes'] // x['rx_packets'] > 4000 for x in d['interfaces'] if x['name'] == 'vti0']")" "[True]"
nothing_lost
stop

# Encrypted first, then fragmented; the gateways' own kernels send the largest.
start 9000 'mtu = 20000; fragment = "after";'
for address in 10.2.0.2 2001:db8:2::2; do
	for size in 8947 9000; do
		check "$size bytes with DF to $address, ESP in two fragments" big host-a $address $size do
	done
done
for address in 10.255.0.2 fd00:255::2; do
	check "20000 bytes with DF to $address, ESP in three" big gw-a $address 20000 do
done
nothing_lost
stop

start 16000
equal "vti0's MTU follows" "$(json a vti show vti0 "d[0]['mtu']")" 15946
for address in 10.2.0.2 2001:db8:2::2; do
	check "15946 bytes with DF to $address" big host-a $address 15946 do
done
nothing_lost
finish
