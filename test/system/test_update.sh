#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# SAs get other ends by `viaductctl sa update` under a ping of 1 kHz and TCP: into UDP and out of it,
# other ports, another address of the peer's and of our own, IPv6 outside. Inbound ones first, as they
# take packets of the former ends for a while: then no packet is lost, and none is taken twice.
. "$(dirname "$0")/lib.sh"
needs python3 iperf3

NEW4=192.0.2.9
key_ab=0x000102030405060708090a0b0c0d0e0f10111213 key_ba=0x101112131415161718191a1b1c1d1e1f20212223
sites_wire
for s in a b; do
	gw_config "$s" "$(vti_conf "$s" vti0 "if_id = 1;")"
	gw_start "$s"
	gw_addresses "$s"
done
ip -n "${PREFIX}gw-a" addr add $NEW4/24 dev wan0
for s in a b; do
	out=out in=in
	[ $s = a ] || { out=in in=out; }
	check "sa add at gw-$s" ctl $s sa add src 192.0.2.1 dst 198.51.100.1 spi 10000 dir $out if_id 1 esn \
		enc aes-gcm-16 key $key_ab
	check "and back" ctl $s sa add src 198.51.100.1 dst 192.0.2.1 spi 10001 dir $in if_id 1 esn enc aes-gcm-16 key $key_ba
	vti_up $s
done
check "first packet" wait_for 5 ns host-a ping -q -c 1 -W 1 10.2.0.2

A=192.0.2.1 B=198.51.100.1 # the gateways' addresses as they are
move() { # A B [PORT]: all four SAs, the inbound ones first; PORT: that UDP comes from
	local a=$1 b=$2 udp=no-encap
	[ $# -lt 3 ] || udp="encap $3 4500"
	# shellcheck disable=SC2086
	ctl b sa update dst $B spi 10000 new-src "$a" new-dst "$b" $udp &&
		ctl a sa update dst $A spi 10001 new-src "$b" new-dst "$a" $udp &&
		ctl a sa update dst $B spi 10000 new-src "$a" new-dst "$b" $udp &&
		ctl b sa update dst $A spi 10001 new-src "$b" new-dst "$a" $udp && A=$a B=$b
}

seconds=8
for s in a b; do
	python3 "$here/watch_sas.py" "$VIADUCTCTL" "$STATE/gw-$s/run/viaduct/viaduct.sock" >"$STATE/watch-$s" 2>&1 &
	eval "watch_$s=$!"
done
ns host-b iperf3 -s -D -I "$STATE/iperf3.pid" >/dev/null 2>&1
on_exit "kill \$(tr -d '\\0' <$STATE/iperf3.pid)"
no_loss host-b $((seconds * 1000)) 0.001 10.1.0.2 >"$STATE/ping.log" 2>&1 &
ping=$!
no_loss host-a $((seconds * 200)) 0.005 2001:db8:2::2 >"$STATE/ping6.log" 2>&1 &
ping6=$!
sleep 0.3 # iperf3 listens
ns host-a iperf3 -c 10.2.0.2 -t $((seconds - 1)) -b 20M >"$STATE/iperf3.log" 2>&1 &
iperf=$!
LOGS+=("$STATE/ping.log" "$STATE/ping6.log" "$STATE/iperf3.log" "$STATE/watch-a" "$STATE/watch-b")
sleep 0.5
mtu=$(json a vti show vti0 "d[0]['mtu']")
check "into UDP" move $A $B 4500
equal "the tunnel's MTU is smaller by UDP's header" "$(json a vti show vti0 "d[0]['mtu']")" $((mtu - 8))
sleep 0.4
check "from another port" move $A $B 20123
sleep 0.4
check "another address" move $NEW4 $B 20123
sleep 0.4
check "out of UDP" move $NEW4 $B
sleep 0.4
check "IPv6 outside" move "${SITE_WAN6[a]}" "${SITE_WAN6[b]}"
equal "the MTU is that of IPv6" "$(json a vti show vti0 "d[0]['mtu']")" $((mtu - 20))
sleep 0.4
for i in $(seq 20); do
	move 192.0.2.1 198.51.100.1 && move $NEW4 198.51.100.1 || break
done
CHECKS=$((CHECKS + 1))
equal "to and fro twenty times" "$i" 20
wait $iperf
equal "iperf3 ran to its end" "$?" 0
check "ping of 1 kHz: none lost" wait $ping
check "ping over IPv6: none lost" wait $ping6
for s in a b; do
	eval "kill \$watch_$s; wait \$watch_$s"
	equal "no counter of gw-$s ever fell, $(tail -1 "$STATE/watch-$s")" "$?" 0
	equal "gw-$s dropped no ESP" "$(json $s drops all "{x['name']: x['packets'] for x in d if x['name'].startswith('esp_') and x['packets']}")" "{}"
	equal "no error counted at gw-$s" "$(json $s sa show "sum(x['errors'] for x in d)")" 0
	equal "still on its VTI at gw-$s" "$(json $s sa show "sorted(x['vti'] for x in d)")" "['vti0', 'vti0']"
done
for spi in 10000 10001; do
	from=a to=b
	[ $spi = 10000 ] || { from=b to=a; }
	equal "each packet of $spi was received once" \
		"$(json $to sa show "next((x['packets'], x['seq']) for x in d if x['spi'] == $spi)")" \
		"$(json $from sa show "next((x['packets'], x['packets']) for x in d if x['spi'] == $spi)")"
done
finish
