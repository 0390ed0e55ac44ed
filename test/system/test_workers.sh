#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two workers: with a receive queue each, and with one queue and software spreading. One tunnel is served by
# both: its packets are numbered by one worker, and encrypted and decrypted by whoever has time.
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

# How many workers encrypted or decrypted packets: SITE STAGE. There is one SA each way.
at_work() {
	json "$1" stats cycles "sum(s['stage'] == '$2' and s['packets'] > 0 for s in d['worker_stages'])"
}

# Both directions at once, until both workers have done a part of each.
both_helped() {
	ns host-a iperf3 -c 10.2.0.2 -u -b 0 -l 1200 --bidir -t 2 || return 1
	for s in a b; do
		for stage in encrypt decrypt; do
			[ "$(at_work $s $stage)" = 2 ] || return 1
		done
	done
}
check "one tunnel's packets are encrypted and decrypted by both workers" wait_for 60 both_helped
for s in a b; do
	equal "none of gw-$s came too late or twice, none failed" \
		"$(drops $s esp_replay) $(drops $s esp_late) $(drops $s esp_icv) $(drops $s esp_crypto_out)" "0 0 0 0"
done
finish
