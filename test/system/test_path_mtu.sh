#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A link on the way that is narrower than the first one: routers' ICMP is believed, and only theirs; what
# follows for hosts; that it is forgotten; and fragmentation after encryption, which needs no ICMP.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3 iperf3

narrow() { # MTU: of the way between the two sites, as their router says it; 0: as its links are
	local s mtu=()
	[ "$1" = 0 ] || mtu=(mtu lock "$1")
	for s in a b; do
		ip -n "${PREFIX}wan" route replace "${SITE_GW4[$s]%.*}.0/24" dev "wan-$s" "${mtu[@]}" &&
			ip -n "${PREFIX}wan" route replace "${SITE_GW6[$s]%::*}::/64" dev "wan-$s" metric 256 "${mtu[@]}" ||
			return 1
	done
}
mtu_is() { # SITE MTU
	local now
	now=$(json "$1" vti show vti0 "d[0]['mtu']")
	[ "$now" = "$2" ] || { echo "MTU of gw-$1 is $now"; return 1; }
}
big() { # FAMILY-ADDRESS SIZE-OF-IP-PACKET [DF-OPTION]
	local header=28
	case $1 in *:*) header=48 ;; esac
	ns host-a ping -c 1 -W 1 -M "${3:-do}" -s $(($2 - header)) "$1"
}
flush() { ns host-a ip route flush cache; ns host-a ip -6 route flush cache; }
learned() { # SITE SIZE MTU: what the first packet of SIZE meets on the way makes the MTU
	flush
	big 10.2.0.2 "$2" >/dev/null
	mtu_is "$1" "$3"
}

both_up aes128gcm16
for s in a b; do
	echo "path_mtu_timeout = 6;" >>"$STATE/gw-$s/viaduct.conf"
	check "gw-$s: path_mtu_timeout, while it runs" ctl $s reload
done
equal "vti0's MTU on a path of 1500" "$(json a vti show vti0 "d[0]['mtu']")" 1446

# Forged: of an SPI that is not ours, and of a packet that was not sent yet.
forge() { ns wan "$here/forge_too_big.py" "${SITE_WAN4[a]}" "${SITE_WAN4[b]}" "$@"; }
spi=$(json a sa show "next(x['spi'] for x in d if x['dir'] == 'out')")
check "a forged Packet Too Big" forge 0x12345678 1 1000
check "is refused: no SA of ours" wait_for 3 sh -c "[ \$('$VIADUCTCTL' -s '$STATE/gw-a/run/viaduct/viaduct.sock' --json drops all |
	python3 -c 'import json, sys; print(next(x[\"packets\"] for x in json.load(sys.stdin) if x[\"name\"] == \"pmtu_no_sa\"))') = 1 ]"
check "one with the right SPI and a number that was not sent" forge "$spi" 4000000000 1000
check "one whose MTU is larger than the packet" forge "$spi" 1 1500
sleep 0.3
equal "are refused, too" "$(drops a pmtu_no_sa),$(drops a pmtu_bad)" 2,1
check "the MTU stays" mtu_is a 1446
check "one that quotes what was sent" forge "$spi" 1 1400
check "is believed" wait_for 3 mtu_is a 1346
check "and forgotten" wait_for 10 mtu_is a 1446

# Real ones: 1300 - 20 (IPv4) - 8 (ESP) - 8 (IV) - 16 (ICV) - 2 (trailer).
check "the router's link takes 1300" narrow 1300
check "a packet of 1446: the tunnel's MTU is 1246" wait_for 3 learned a 1446 1246
equal "and vti show says why" "$(json a vti show vti0 "d[0]['path_mtu'], 0 < d[0]['path_mtu_expires'] <= 6")" "1300 True"
check "so it does to people" sh -c "'$VIADUCTCTL' -s '$STATE/gw-a/run/viaduct/viaduct.sock' vti show | grep -q '1246 (path 1300)'"
flush
out=$(big 10.2.0.2 1247 2>&1)
check "IPv4: 1247 with DF is answered with mtu 1246" sh -c "printf '%s' \"\$0\" | grep -q 'mtu *= *1246'" "$out"
check "IPv4: 1246 with DF passes" wait_for 3 big 10.2.0.2 1246
flush
check "IPv4: 1500 without DF passes" wait_for 3 big 10.2.0.2 1500 dont
check "the kernel keeps IPv6 on vti0" sh -c "ip -n ${PREFIX}gw-a -6 route show dev vti0 | grep -q 2001:db8:2::"
check "IPv6: 1280 passes" wait_for 3 big 2001:db8:2::2 1280
out=$(big 2001:db8:2::2 1281 2>&1)
check "IPv6: 1281 is answered with mtu 1280" sh -c "printf '%s' \"\$0\" | grep -qi 'mtu *= *1280'" "$out"
ns host-b iperf3 -s -D -1 --pidfile "$STATE/iperf.pid" >/dev/null
check "TCP from host-a" wait_for 5 sh -c "ip netns exec ${PREFIX}host-a timeout 10 iperf3 -c 10.2.0.2 -n 4M -J | grep -q '\"end\"'"
ns host-b iperf3 -s -D -1 --pidfile "$STATE/iperf.pid" >/dev/null
check "TCP to host-a, of which gw-b learns" wait_for 5 sh -c "ip netns exec ${PREFIX}host-a timeout 10 iperf3 -R -c 10.2.0.2 -n 4M -J | grep -q '\"end\"'"

check "the link is repaired" narrow 0
check "six seconds later the MTU is 1446 again" wait_for 12 mtu_is a 1446
flush
check "which passes" big 10.2.0.2 1446

# After encryption: hosts find a link of 1500 whatever the path, and no ICMP is needed.
check "the router's link takes 1300" narrow 1300
for s in a b; do
	check "fragment after at gw-$s" ctl $s vti set vti0 fragment after
	check "MTU 1500" mtu_is $s 1500
done
flush
check "IPv4: 1500 with DF passes" wait_for 3 big 10.2.0.2 1500
check "IPv6: 1500 passes" wait_for 3 big 2001:db8:2::2 1500
check "fragment before again" ctl a vti set vti0 fragment before
check "and MTU 1446" mtu_is a 1446

# IPv6 outside: only ICMP can tell, and only the source may cut.
OUTER=6
export OUTER
for s in a b; do
	p=${SITE_PEER[$s]}
	charon_stop $s
	ctl $s vti del vti0
	ctl $s sa flush
	check "IPv6 outside: vti at gw-$s" ctl $s vti add vti0 local "${SITE_WAN6[$s]}" remote "${SITE_WAN6[$p]}" if_id 1
	ike_conf $s aes128gcm16 "if_id_in = 1" "if_id_out = 1" >"$STATE/gw-$s/swanctl.conf"
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
check "negotiate" initiate a
vtis_up
equal "MTU, IPv6 outside" "$(json a vti show vti0 "d[0]['mtu']")" 1426
check "a packet of 1426: the tunnel's MTU is 1226" wait_for 3 learned a 1426 1226
flush
check "IPv4: 1226 with DF passes" wait_for 3 big 10.2.0.2 1226
check "IPv6: 1280 passes" wait_for 3 big 2001:db8:2::2 1280
for s in a b; do
	check "fragment after at gw-$s" ctl $s vti set vti0 fragment after
done
flush
check "IPv4: 1500 with DF passes, once the path is known" wait_for 3 big 10.2.0.2 1500
check "IPv6: 1500 passes" wait_for 3 big 2001:db8:2::2 1500
finish
