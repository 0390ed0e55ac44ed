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

# What swanctl says is what was sent: 100 pings of 84 bytes for IPv4's child, none for IPv6's.
for s in a b; do
	check "swanctl counts as viaductd does at gw-$s" wait_for 5 counts_agree $s
	charon_counts $s >"$STATE/before-$s"
done
check "100 pings" no_loss host-a 100 0.01 10.2.0.2
for s in a b; do
	charon_counts $s >"$STATE/after-$s"
	check "they still agree at gw-$s" counts_agree $s
	equal "packets and bytes more at gw-$s, by SA" "$(join "$STATE/before-$s" "$STATE/after-$s" |
		awk '{ print $4 - $2, $5 - $3 }' | sort -n | tr '\n' ';')" "0 0;0 0;100 8400;100 8400;"
done

stats() { swan a --stats; }
check "swanctl --stats names the plugin" sh -c "swanctl --stats --uri unix://$STATE/gw-a/run/charon.vici | grep -q 'loaded plugins:.* kernel-viaduct'"
equal "its IKE_SAs" "$(stats | grep IKE_SAs)" "IKE_SAs: 1 total, 0 half-open"
equal "nothing waits in its queues" "$(stats | grep 'job queues')" "job queues: 0/0/0/0"
check "threads are idle" sh -c "[ $(stats | sed -n 's/.*total, \([0-9]*\) idle.*/\1/p') -ge 5 ]"
check "close all" swan a --terminate --ike sites
equal "no IKE_SA any more" "$(stats | grep IKE_SAs)" "IKE_SAs: 0 total, 0 half-open"
gone() { [ "$(json a sa show "len(d)") $(json b sa show "len(d)")" = "0 0" ]; }
check "no SA any more at either end" wait_for 5 gone
finish
