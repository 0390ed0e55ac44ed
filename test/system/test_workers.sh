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

# Parallel: each worker numbers and sends what it receives. Both ends' windows are large enough for it.
for s in a b; do
	ike_conf $s aes128gcm16 "if_id_in = 1" "if_id_out = 1" "replay_window = 4096" >"$STATE/gw-$s/swanctl.conf"
	check "gw-$s: load the larger window" swan $s --load-conns --file "$STATE/gw-$s/swanctl.conf"
	check "gw-$s: parallel" ctl $s vti set vti0 parallel on
	equal "gw-$s says so" "$(json $s vti show "d[0]['parallel']")" True
done
swan a --terminate --ike sites --timeout 5 >/dev/null
check "negotiate again" initiate a
check "first packet" wait_for 5 ns host-a ping -q -c 1 -W 1 10.2.0.2
equal "the window is the larger one" "$(json b sa show "min(x['replay_window'] for x in d if x['dir'] == 'in')")" 4096

# Packets that each worker of a gateway has sent: SITE
sent_by_worker() {
	json "$1" worker show "' '.join(str(w['tx_packets']) for w in d)"
}

# One way only, so that what gw-a sends is encrypted.
# Not all that goes: who sends shares the CPUs with the workers, and one that is interrupted for 10 ms must not be
# overtaken by 4096 packets.
udp_from_a() {
	local before after
	before=$(sent_by_worker a)
	ns host-a iperf3 -c 10.2.0.2 -u -b 8M -l 200 -P 8 -t 2 || return 1
	after=$(sent_by_worker a)
	echo "workers sent $before packets before, $after after"
	echo "$before $after" | awk '{ exit !($3 - $1 > 1000 && $4 - $2 > 1000) }'
}
check "both workers of gw-a send" udp_from_a
# Not gw-b: its ports have one transmit queue, which is one worker's.
check "both ways at once" ns host-a iperf3 -c 10.2.0.2 -u -b 8M -l 200 -P 4 --bidir -t 2
for s in a b; do
	equal "none of gw-$s came too late or twice, none failed" \
		"$(drops $s esp_replay) $(drops $s esp_late) $(drops $s esp_icv) $(drops $s esp_crypto_out)" "0 0 0 0"
done
finish
