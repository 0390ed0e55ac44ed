#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two workers: with a receive queue each, and with one queue and software spreading.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl iperf3 python3

export CORES="-1, -1"
sites_wire
for s in a b; do
	gw_config $s "$(vti_conf $s vti0 "if_id = 1;")"
	# gw-a: a queue per worker; gw-b: one queue, the second worker is fed by the first
	[ $s = a ] || sed -i 's/iface=phy-\(lan\|wan\)0";/iface=phy-\10"; rx_queues = 1;/' "$STATE/gw-b/viaduct.conf"
	gw_start $s
	gw_addresses $s
	ike_conf $s aes128gcm16 "if_id_in = 1" "if_id_out = 1" >"$STATE/gw-$s/swanctl.conf"
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
equal "gw-a runs two workers" "$(json a worker show "len(d)")" 2
check "negotiate" initiate a
for s in a b; do
	check "carrier at gw-$s" wait_for 5 carrier $s vti0
	vti_up $s
done
check "first packet" wait_for 5 ns host-a ping -q -c 1 -W 1 10.2.0.2
check "ping, none lost" no_loss host-a 500 0.005 10.2.0.2
ns host-b iperf3 -s -D -I "$STATE/iperf3.pid" >/dev/null 2>&1
on_exit "kill \$(tr -d '\\0' <$STATE/iperf3.pid)"
sleep 0.5
check "8 TCP streams" ns host-a iperf3 -c 10.2.0.2 -t 3 -P 8
for s in a b; do
	check "both workers of gw-$s had packets" test "$(json $s worker show "all(w['rx_packets'] > 100 for w in d)")" = True
	equal "no packet of gw-$s was taken for a replay" "$(drops $s esp_replay) $(drops $s esp_late) $(drops $s esp_icv)" "0 0 0"
done
finish
