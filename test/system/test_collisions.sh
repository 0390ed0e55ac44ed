#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Both ends act at the same time: they initiate together, and they rekey together, again and again
# under a fast ping. Nothing is lost, and no SA is left over.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

both_ready aes128gcm16
together() { # SWANCTL ARGUMENTS..: at both gateways at the same moment; one may find its work done
	local p q
	swan a "$@" >"$STATE/together.a" 2>&1 &
	p=$!
	swan b "$@" >"$STATE/together.b" 2>&1 &
	q=$!
	wait $p
	set -- $?
	wait $q
	[ "$1" = 0 ] || [ $? = 0 ]
}
check "both ends initiate at once" together --initiate --child net --timeout 15
vtis_up
check "no loss" no_loss host-a 50 0.01 10.2.0.2
for s in a b; do
	check "viaductd and charon agree at gw-$s" wait_for 10 sas_agree $s
done

no_loss host-a 1000 0.01 10.2.0.2 >"$STATE/ping" 2>&1 &
ping=$!
for i in 1 2 3 4 5 6 7 8; do
	check "both ends rekey at once, $i" together --rekey --child net
	sleep 0.7
done
check "the ping lost nothing" wait $ping
collided=$(grep -ci 'collision' "$STATE"/gw-[ab]/charon.log | awk -F: '{ n += $2 } END { print n }')
note "charon mentions $collided collisions"
for s in a b; do
	check "viaductd and charon agree at gw-$s" wait_for 10 sas_agree $s
	check "no SA left over at gw-$s" test "$(json $s sa show "len(d)")" -le 4
done
finish
