#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# For SECONDS_LONG seconds (180) the child SAs are rekeyed every 3 s, and the IKE_SA every 20 s, under
# iperf3 in both directions and a ping at 1 kHz. Not one ping may be lost, no ESP packet may go
# missing between the gateways' counters, no SA may be left over. Prints the figures.
. "$(dirname "$0")/lib.sh"
needs iperf3 /usr/lib/ipsec/charon swanctl python3

seconds=${SECONDS_LONG:-180}
CONN_EXTRA="rekey_time = 20s
	over_time = 20s
	rand_time = 0"
both_up aes128gcm16 "rekey_time = 3s" "life_time = 30s" "rand_time = 0"
ns host-b iperf3 -s -D -I "$STATE/iperf3.pid" >/dev/null 2>&1
on_exit "kill \$(tr -d '\\0' <$STATE/iperf3.pid)"
wait_for 5 test -s "$STATE/iperf3.pid"
ns host-a iperf3 -c 10.2.0.2 -t "$seconds" --bidir -b 50M -J >"$STATE/iperf3.json" 2>&1 &
iperf=$!
check "ping at 1 kHz for $seconds s, none lost" no_loss host-a $((seconds * 1000)) 0.001 10.2.0.2
note "$(grep -h 'packets transmitted' "$STATE/check.out")"
wait $iperf
equal "iperf3 ran to its end" $? 0
note "iperf3: $(python3 - "$STATE/iperf3.json" <<-'P'
	import json, sys
	end = json.load(open(sys.argv[1]))["end"]
	for way in "sum_sent", "sum_sent_bidir_reverse":
	    print("%.0f Mbit/s, %d retransmitted;" % (end[way]["bits_per_second"] / 1e6, end[way]["retransmits"]), end=" ")
P
)"
sleep 3
for s in a b; do
	n=$(grep -c 'CHILD_SA net{[0-9]*} established' "$STATE/gw-$s/charon.log")
	check "a rekeying every 4 s or faster at gw-$s ($n)" test "$n" -ge $((seconds / 4))
	# One pair in use, up to two that charon deletes 5 s after they were replaced.
	check "no SA left over at gw-$s" test "$(json $s sa show "len(d)")" -le 6
done
packets() { json "$1" vti show vti0 "d[0]['stats']['$2']"; }
equal "packets into the tunnel at gw-a came out at gw-b" "$(packets a tx_packets)" "$(packets b rx_packets)"
equal "packets into the tunnel at gw-b came out at gw-a" "$(packets b tx_packets)" "$(packets a rx_packets)"
note "$(packets a tx_packets) and $(packets b tx_packets) packets"
for s in a b; do
	# TCP tries segments that are too large once, and is told.
	equal "drops at gw-$s" "$(json $s drops "[x['name'] for x in d if x['name'] not in ('too_big', 'rx_iface_down')]")" "[]"
done
check "terminate" swan a --terminate --ike sites
for s in a b; do
	equal "SAs of gw-$s in the end" "$(json $s status "d['sas']")" 0
done
finish
