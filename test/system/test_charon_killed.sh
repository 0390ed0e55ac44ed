#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# charon is killed with -9: its SAs carry on without it. When it is started again and negotiates,
# traffic moves over without a loss, and what the dead one left behind is removed.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

both_up aes128gcm16
old=$(json a sa show "sorted(x['spi'] for x in d)")
no_loss host-a 1000 0.01 10.2.0.2 >"$STATE/ping" 2>&1 &
ping=$!
sleep 1
kill -9 "$(cat "$STATE/gw-a/charon.pid")"
rm -f "$STATE/gw-a/charon.pid"
sleep 1
equal "the SAs are still there" "$(json a sa show "sorted(x['spi'] for x in d)")" "$old"
charon_start a "$STATE/gw-a/swanctl.conf"
check "negotiate anew" initiate a
check "the ping lost nothing in all this" wait $ping
for s in a b; do
	check "viaductd and charon agree at gw-$s" wait_for 10 sas_agree $s
done
check "no loss from there on" no_loss host-a 50 0.01 10.2.0.2
finish
