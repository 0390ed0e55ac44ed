#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# MOBIKE (RFC 4555) with a real Linux kernel and its charon: first gw-a changes its address and the guest's
# kernel follows, then the guest does and gw-a follows; under ping, with the same SPIs and nothing rekeyed.
# Whoever moves is the IKE_SA's initiator, as RFC 4555 has it. What is lost is counted, and explained by
# counters: the kernel replaces a state by deleting it and adding another.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3
. "$here/guest.sh"
guest_build

MOVED_A=192.0.2.9 MOVED_G=198.51.100.9
# Not by addresses inside the tunnel; and at once when a better way is there.
CHARON_EXTRA=$'interfaces_use = wan0\nprefer_best_path = yes'
sites_wire
gw_config a "vtis = ( { name = \"vti0\"; if_id = 12; } );"
gw_start a
gw_addresses a
ip -n "${PREFIX}gw-a" -6 addr flush dev wan0 scope global # else charon would rather go there
guest_boot ${SITE_WAN4[b]}/24
sed 's/install_routes = no/&\n\tinterfaces_use = eth0\n\tprefer_best_path = yes/' "$here/peer/guest/strongswan.conf" >"$PEER_RUN/G/share/strongswan.conf"
check "an xfrm interface in the guest" peer exec G "
	ip link add tun12 type xfrm dev eth0 if_id 12 &&
	sysctl -q -w net.ipv4.conf.tun12.disable_policy=1 net.ipv4.conf.tun12.rp_filter=0 &&
	ip link set tun12 mtu 1400 up && ip addr add 10.255.0.2/30 dev tun12 && ip route add 10.1.0.0/16 dev tun12"

mobile() { # SITE: swanctl configuration of one whose peer may be anywhere
	ike_conf $1 aes128gcm16 "if_id_in = 12" "if_id_out = 12" |
		sed 's/mobike = no/mobike = yes/; /local_addrs/d; s|remote_addrs = .*|&,0.0.0.0/0|'
}
mobile a >"$STATE/gw-a/swanctl.conf"
mobile b >"$STATE/guest.conf"
check "charon in the guest" peer swan G "$STATE/guest.conf"
charon_start a "$STATE/gw-a/swanctl.conf"
check "negotiate" initiate a
check "carrier" wait_for 5 carrier a vti0
vti_up a
check "first packet" wait_for 8 ns host-a ping -q -c 1 -W 1 10.255.0.2

spis() { json a sa show "sorted('%08x' % x['spi'] for x in d)"; }
guest_spis() { peer exec G "ip xfrm state" | sed -n 's/.*proto esp spi 0x\([0-9a-f]*\).*/\1/p' | sort | python3 -c "import sys; print(sys.stdin.read().split())"; }
guest_has() { # SRC DST: a state between these, and none of the former address
	peer exec G "ip xfrm state" >"$STATE/states"
	grep -q "src $1 dst $2" "$STATE/states" && grep -q "src $2 dst $1" "$STATE/states" &&
		[ "$(grep -c '^src' "$STATE/states")" = 2 ]
}
gw_has() { # LOCAL REMOTE: the ends of gw-a's SAs
	[ "$(json a sa show "sorted((x['src'], x['dst']) for x in d)")" = "$(python3 -c "print(sorted([('$1', '$2'), ('$2', '$1')]))")" ]
}
guest_seq() { # the highest number its kernel has received
	local n
	n=$(peer exec G "ip xfrm state" | sed -n 's/.*context: seq \(0x[0-9a-f]*\), oseq 0x0,.*/\1/p')
	echo $((n))
}
guest_drops() { # what the guest's kernel found no state for, or refused
	peer exec G "cat /proc/net/xfrm_stat" | awk '$2 > 0 { n += $2 } END { print n + 0 }'
}
gw_drops() { json a drops all "sum(x['packets'] for x in d if x['name'].startswith('esp_'))"; }
ping_run() { # SECONDS: 100 Hz from host-a into the guest
	ns host-a ping -q -i 0.01 -c $(($1 * 100)) -W 1 10.255.0.2 >"$STATE/ping" 2>&1 &
	ping=$!
}
lost() { sed -n 's/\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' "$STATE/ping" | awk '{ print $1 - $2 }'; }
LOGS+=("$STATE/ping" "$STATE/states")

LOCAL=${SITE_WAN4[a]} REMOTE=${SITE_WAN4[b]}
follow() { gw_has $LOCAL $REMOTE && guest_has $REMOTE $LOCAL; }

# What the pings of a move lost is what somebody's counters say. Waits for the pings.
counted() { # DROPPED_BEFORE MOST
	local n
	wait $ping
	n=$(($(guest_drops) + $(gw_drops) - $1))
	echo "lost $(lost), dropped by the guest's kernel and gw-a: $n"
	[ "$(lost)" -le $n ] && [ "$(lost)" -le $2 ]
}

# move WHO COMMAND: under ping; then everything is as it was, but for the address
move() {
	local dropped=$(($(guest_drops) + $(gw_drops))) before=$(spis)
	ping_run 5
	sleep 1
	eval "$2"
	check "$1: both follow" wait_for 5 follow
	check "what was lost is counted" counted $dropped 100
	note "$(cat "$STATE/check.out") of 500"
	check "afterwards nothing is lost" no_loss host-a 100 0.01 10.255.0.2
	equal "the same SAs at gw-a" "$(spis)" "$before"
	equal "the same states in the guest's kernel" "$(guest_spis)" "$before"
}

check "both are at their first addresses" follow
equal "the guest's kernel has gw-a's SAs" "$(guest_spis)" "$(spis)"
LOCAL=$MOVED_A
move "gw-a moves" "ip -n ${PREFIX}gw-a addr add $MOVED_A/24 dev wan0
	ip -n ${PREFIX}gw-a route replace default via ${SITE_GW4[a]} src $MOVED_A"
check "the guest's charon says so" peer exec G "grep -F 'remote endpoint changed from ${SITE_WAN4[a]}[4500] to $MOVED_A[4500]' /run/charon.log"
equal "numbers go on in the guest's kernel" "$(guest_seq)" "$(json a sa show "next(x['seq'] for x in d if x['dir'] == 'out')")"

check "close it" swan a --terminate --ike sites
LOCAL=${SITE_WAN4[a]}
ip -n "${PREFIX}gw-a" route replace default via ${SITE_GW4[a]} src $LOCAL
ip -n "${PREFIX}gw-a" addr del $MOVED_A/24 dev wan0
check "the guest initiates" peer exec G "swanctl --initiate --child net --timeout 15"
check "both are there" wait_for 5 follow
REMOTE=$MOVED_G
move "the guest moves" "peer exec G 'ip addr add $MOVED_G/24 dev eth0; ip route replace default via ${SITE_GW4[b]} src $MOVED_G'"
check "gw-a's charon says so" grep -F "remote endpoint changed from ${SITE_WAN4[b]}[4500] to $MOVED_G[4500]" "$STATE/gw-a/charon.log"
equal "nothing was rekeyed" "$(grep -c 'CHILD_SA net{[0-9]*} established' "$STATE/gw-a/charon.log")" 2
equal "no integrity or padding failure, nothing twice" "$(drops a esp_icv) $(drops a esp_padding) $(drops a esp_replay)" "0 0 0"
finish
