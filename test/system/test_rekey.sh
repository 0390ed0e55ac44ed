#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Child SAs are rekeyed every few seconds under TCP and a fast ping: not one answer may be missing,
# no SA may be left over.
. "$(dirname "$0")/lib.sh"
needs iperf3 /usr/lib/ipsec/charon swanctl

both_up aes128gcm16 "rekey_time = 3s" "life_time = 30s" "rand_time = 0"

seconds=20
ns host-b iperf3 -s -D -I "$STATE/iperf3.pid" >/dev/null 2>&1
on_exit "kill \$(tr -d '\\0' <$STATE/iperf3.pid)"
sleep 0.5 # iperf3 listens
ns host-a iperf3 -c 10.2.0.2 -t "$seconds" -b 50M >"$STATE/iperf3.log" 2>&1 &
iperf=$!
check "ping at 200 Hz for $seconds s, none lost" no_loss host-a $((seconds * 200)) 0.005 10.2.0.2
wait "$iperf"
equal "iperf3 ran to its end" "$?" 0
spis=$(grep -c 'CHILD_SA net{[0-9]*} established' "$STATE/gw-a/charon.log")
check "at least 4 rekeyings happened ($spis)" test "$spis" -ge 4
sleep 2
check "no SA left over at gw-a" test "$(json a sa show "len(d)")" -le 4
check "no SA left over at gw-b" test "$(json b sa show "len(d)")" -le 4
finish
