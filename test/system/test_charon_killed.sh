#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# charon is killed with -9: its SAs carry on without it. When it is started again and negotiates,
# traffic moves over, and what the dead one left behind is removed. Only what is on its way to the peer
# when that drops the old SAs, while it answers, may be lost.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

both_up aes128gcm16
old=$(json a sa show "sorted(x['spi'] for x in d)")
ns host-a ping -q -c 1000 -i 0.01 -W 2 10.2.0.2 >"$STATE/ping" 2>&1 &
ping=$!
sleep 1
kill -9 "$(cat "$STATE/gw-a/charon.pid")"
rm -f "$STATE/gw-a/charon.pid"
sleep 1
equal "the SAs are still there" "$(json a sa show "sorted(x['spi'] for x in d)")" "$old"
charon_start a "$STATE/gw-a/swanctl.conf"
check "negotiate anew" initiate a
wait $ping
lost=$(sed -n 's/.*, \([0-9]*\) received.*/\1/p' "$STATE/ping")
lost=$((1000 - ${lost:-0}))
check "of 1000 pings at most 2 were lost ($lost)" test $lost -le 2
for s in a b; do
	check "viaductd and charon agree at gw-$s" wait_for 10 sas_agree $s
done
check "no loss from there on" no_loss host-a 50 0.01 10.2.0.2
finish
