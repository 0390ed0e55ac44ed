#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# viaductd is killed with -9 and started again: charon's plugin reconnects, and traffic flows again
# within seconds, on fresh SAs (a sequence number is never used twice).
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

both_up aes128gcm16
old=$(json a sa show "sorted(x['spi'] for x in d if x['dir'] == 'out')")
kill -9 "$(cat "$STATE/gw-a/viaductd.pid")"
rm -f "$STATE/gw-a/viaductd.pid"
check "the twins vanish with the daemon" wait_for 5 sh -c "! ip -n ${PREFIX}gw-a link show vti0 2>/dev/null"
gw_start a
gw_addresses a
vti_up a
begin=${EPOCHREALTIME/./}
check "traffic again within 10 s" wait_for 10 ns host-a ping -q -c 1 -W 1 10.2.0.2
note "after $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
new=$(json a sa show "sorted(x['spi'] for x in d if x['dir'] == 'out')")
check "outbound SAs are new ($old -> $new)" test "$old" != "$new"
check "no loss from there on" no_loss host-a 50 0.02 10.2.0.2
finish
