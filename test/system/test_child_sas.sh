#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two child SAs share one VTI: one carries IPv4, the other IPv6. Each is rekeyed, closed and opened
# again without the other noticing.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

sites_wire
for s in a b; do
	gw_config $s "$(vti_conf $s vti0 "if_id = 1;")"
	gw_start $s
	gw_addresses $s
	ike_conf $s aes128gcm16 "if_id_in = 1" "if_id_out = 1" | awk '
		/_ts = / { sub(/,.*/, "") }
		{ print }
		/children \{/ { print "net6 {\nlocal_ts = ::/0\nremote_ts = ::/0\nesp_proposals = aes128gcm16"
			print "if_id_in = 1\nif_id_out = 1\n}" }
	' >"$STATE/gw-$s/swanctl.conf"
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
v4="no_loss host-a 20 0.01 10.2.0.2"
v6="no_loss host-a 20 0.01 2001:db8:2::2"
check "negotiate IPv4's child" initiate a net
for s in a b; do
	check "carrier of vti0 at gw-$s" wait_for 5 carrier $s vti0
	vti_up $s
done
check "IPv4 passes" wait_for 5 $v4
check "IPv6 has no SA yet" sh -c "! ip netns exec ${PREFIX}host-a ping -q -c 2 -i 0.1 -W 1 2001:db8:2::2"
check "negotiate IPv6's child" initiate a net6
check "IPv6 passes" wait_for 5 $v6
equal "SAs at gw-a" "$(json a sa show "len(d)")" 4

# No packet of either may be lost while either is rekeyed, from either end.
no_loss host-a 400 0.01 10.2.0.2 >"$STATE/ping4" 2>&1 &
ping4=$!
no_loss host-a 400 0.01 2001:db8:2::2 >"$STATE/ping6" 2>&1 &
ping6=$!
for child in net net6; do
	for s in a b; do
		check "rekey $child from gw-$s" swan $s --rekey --child $child
		sleep 0.8
	done
done
check "IPv4 lost nothing" wait $ping4
check "IPv6 lost nothing" wait $ping6
for s in a b; do
	check "viaductd and charon agree at gw-$s" wait_for 5 sas_agree $s
	equal "SAs at gw-$s" "$(json $s sa show "len(d)")" 4
done

no_loss host-a 200 0.01 2001:db8:2::2 >"$STATE/ping6" 2>&1 &
ping6=$!
check "close IPv4's child" swan a --terminate --child net
check "viaductd and charon agree" wait_for 5 sas_agree a
check "IPv4 does not pass" sh -c "! ip netns exec ${PREFIX}host-a ping -q -c 2 -i 0.1 -W 1 10.2.0.2"
check "IPv6 lost nothing" wait $ping6
check "open IPv4's child again" initiate b net
check "IPv4 passes again" wait_for 5 $v4
check "so does IPv6" $v6
check "swanctl counts IPv4's bytes" sh -c "swanctl --list-sas --child net --raw --uri unix://$STATE/gw-a/run/charon.vici |
	grep -Eq 'bytes-out=[1-9]'"
finish
