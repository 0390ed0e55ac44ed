#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Make-before-break reauthentication under a fast ping, then termination: SAs and carrier go at both
# ends, packets are counted as what they are, and the tunnel can be opened again.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

export CHARON_EXTRA="make_before_break = yes"
sites_wire
for s in a b; do
	gw_config $s "$(vti_conf $s vti0 "if_id = 1;")"
	gw_start $s
	gw_addresses $s
	# One end only: two would answer each other's with their own.
	[ $s = b ] && CONN_EXTRA= || CONN_EXTRA="reauth_time = 2s
		over_time = 10s
		rand_time = 0"
	ike_conf $s aes128gcm16 "if_id_in = 1" "if_id_out = 1" >"$STATE/gw-$s/swanctl.conf"
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
check "negotiate" initiate a
vtis_up

ikes() { # how often gw-a's IKE_SA was established
	grep -c 'IKE_SA sites\[[0-9]*\] established' "$STATE/gw-a/charon.log"
}
before=$(ikes)
check "1000 pings in 10 s of reauthentication, none lost" no_loss host-a 1000 0.01 10.2.0.2
again=$(($(ikes) - before))
check "at least 2 reauthentications ($again)" test $again -ge 2
for s in a b; do
	check "viaductd and charon agree at gw-$s" wait_for 10 sas_agree $s
done

check "terminate" swan a --terminate --ike sites
for s in a b; do
	check "no SA at gw-$s" wait_for 5 sh -c "[ \"\$($VIADUCTCTL -s $STATE/gw-$s/run/viaduct/viaduct.sock --json sa show)\" = '[]' ]"
	equal "carrier at gw-$s" "$(json $s vti show vti0 "d[0]['carrier']")" False
done
check "nothing passes" sh -c "! ip netns exec ${PREFIX}host-a ping -q -c 3 -i 0.1 -W 1 10.2.0.2"
check "open again" initiate b
check "passes again" wait_for 5 no_loss host-a 20 0.01 10.2.0.2
finish
