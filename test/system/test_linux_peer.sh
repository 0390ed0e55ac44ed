#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The other side is a real Linux kernel with real charon: a vti with a mark key, as in the classic
# how-to, a vti6, and an xfrm interface; every algorithm, UDP encapsulation, IPv6 outside.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3 iperf3
. "$here/guest.sh"
guest_build

sites_wire
gw_config a
gw_start a
gw_addresses a
guest_boot ${SITE_WAN4[b]}/24 ${SITE_WAN6[b]}/64
check "its services" peer exec G "iperf3 -s -D"
ping_guest() { peer exec G 'true' && wait_for 5 ns gw-a ping -q -c 1 -W 1 ${SITE_WAN4[b]}; }
check "the guest is reachable" ping_guest

guest_dev() { # KIND OUTER: commands that make tun12
	local l=${SITE_WAN4[b]} r=${SITE_WAN4[a]} type=vti
	[ $2 = 4 ] || { l=${SITE_WAN6[b]} r=${SITE_WAN6[a]} type=vti6; }
	echo 'ip link del tun12 2>/dev/null'
	if [ $1 = vti ]; then
		echo "ip link add tun12 type $type local $l remote $r key 12"
	else
		echo 'ip link add tun12 type xfrm dev eth0 if_id 12'
	fi
	cat <<-X
		sysctl -q -w net.ipv4.conf.tun12.disable_policy=1 net.ipv4.conf.tun12.rp_filter=0
		ip link set tun12 mtu 1400 up
		ip addr add 10.255.0.2/30 dev tun12
		ip addr add fd00:255::2/64 dev tun12 nodad
		ip route replace 10.1.0.0/16 dev tun12
		ip -6 route replace 2001:db8:1::/48 dev tun12
	X
}

one() { # KIND PROPOSAL OUTER ENCAP IPERF
	local kind=$1 proposal=$2 l r name="$1 $2 IPv$3 encap=$4"
	export OUTER=$3 ENCAP=$4
	if [ $3 = 6 ]; then l=${SITE_WAN6[a]} r=${SITE_WAN6[b]}; else l=${SITE_WAN4[a]} r=${SITE_WAN4[b]}; fi
	charon_stop a
	ctl a vti del vti0 >/dev/null 2>&1
	ctl a sa flush >/dev/null 2>&1
	local mine=("if_id_in = 12" "if_id_out = 12") theirs=("if_id_in = 12" "if_id_out = 12") key="if_id 12"
	[ $kind = xfrmi ] || { mine=("mark_in = 12" "mark_out = 12") theirs=("${mine[@]}") key="mark 12"; }
	ctl a vti add vti0 local $l remote $r $key || return 1
	ike_conf a $proposal "${mine[@]}" >"$STATE/gw-a/swanctl.conf"
	ike_conf b $proposal "${theirs[@]}" >"$STATE/guest.conf"
	peer exec G "$(guest_dev $kind $3)" && peer swan G "$STATE/guest.conf" || return 1
	charon_start a "$STATE/gw-a/swanctl.conf"
	initiate a || return 1
	wait_for 5 carrier a vti0 || return 1
	vti_up a
	wait_for 8 ns host-a ping -q -c 1 -W 1 10.255.0.2
	no_loss host-a 50 0.01 10.255.0.2 && no_loss host-a 50 0.01 fd00:255::2 || return 1
	peer exec G "ping -q -c 20 -i 0.02 10.1.0.2" | grep -q ' 0% packet loss' || return 1
	[ -z "$5" ] || ns host-a iperf3 -c 10.255.0.2 -t 2 -f m | tee "$STATE/iperf3.out" || return 1
}

while read -r kind proposal outer encap iperf; do
	: >"$STATE/iperf3.out"
	check "$kind, $proposal, IPv$outer outside, encapsulation $encap" one $kind $proposal $outer $encap "${iperf:-}"
	[ -z "${iperf:-}" ] || note "iperf3: $(awk '/receiver/ { print $7, $8 }' "$STATE/iperf3.out")"
done <<'CASES'
vti aes128gcm16 4 no iperf
xfrmi aes128gcm16 4 no iperf
vti aes256gcm16 4 yes
xfrmi aes256gcm16-esn 6 no
vti aes128-sha256 6 no
xfrmi aes192gcm16 6 yes
vti aes128-sha1 4 no
xfrmi aes192-sha384 4 yes
vti aes256-sha512 4 no
xfrmi chacha20poly1305 4 no
xfrmi null-sha256 4 no
xfrmi aes128ctr-sha256 4 yes
vti aes256gmac 4 yes
xfrmi aes192gmac-esn 4 no
CASES
equal "no integrity or padding failure at gw-a" "$(drops a esp_icv) $(drops a esp_padding) $(drops a esp_replay)" "0 0 0"
finish
