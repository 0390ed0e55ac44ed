#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Everything changes while packets flow: SAs are replaced (make before break), VTIs and routes come
# and go, neighbours are flushed, clients read all there is. The tunnel that none of it concerns
# loses nothing, buffers are all accounted for, and the daemon ends cleanly (under a sanitizer: with
# nothing to report).
. "$(dirname "$0")/lib.sh"
needs python3

sites_wire
for s in a b; do
	gw_config $s "$(vti_conf $s vti0 "reqid = 10;")"
	gw_start $s
	gw_addresses $s
done
key() { printf '0x%064x' $((0x1000 + $1)); }
# rekey N: SA pair number N between the gateways; the inbound ones first, then both ends send on it
rekey() {
	local n=$1 s dst src spi a=${SITE_WAN4[a]} b=${SITE_WAN4[b]}
	for s in in:b:$a:$b:1 in:a:$b:$a:2 out:a:$a:$b:1 out:b:$b:$a:2; do
		IFS=: read -r dir gw src dst way <<<"$s"
		ctl $gw sa add src $src dst $dst spi $((0x10000 * way + n)) dir $dir reqid 10 \
			enc aes-cbc key 0x$(printf '%032x' $((n * 2 + way))) \
			auth hmac-sha2-256-128 auth-key "$(key $n)" window 1024 || return 1
	done
}
unkey() {
	local n=$1 a=${SITE_WAN4[a]} b=${SITE_WAN4[b]} gw
	for gw in a b; do
		ctl $gw sa del dst $b spi $((0x10000 + n)) && ctl $gw sa del dst $a spi $((0x20000 + n)) || return 1
	done
}
check "first SAs" rekey 1
for s in a b; do
	check "carrier at gw-$s" wait_for 5 carrier $s vti0
	vti_up $s
done
check "first packet" wait_for 5 ns host-a ping -q -c 1 -W 1 10.2.0.2

seconds=12
no_loss host-a $((seconds * 100)) 0.01 10.2.0.2 >"$STATE/ping.out" 2>&1 &
ping=$!
python3 - >"$STATE/routes" <<'P'
for i in range(2000):
    print("route add 10.%d.%d.0/24 dev vti0" % (64 + i // 250, i % 250))
P
sed 's/add/del/' "$STATE/routes" >"$STATE/unroutes"
churn() {
	local end=$((SECONDS + seconds - 2)) n=1
	while [ $SECONDS -lt $end ]; do
		n=$((n + 1))
		rekey $n && sleep 0.05 && unkey $((n - 1)) || return 1
		ctl a vti add churn$n local ${SITE_WAN4[a]} remote 203.0.113.$((n % 250)) reqid $((100 + n)) || return 1
		ip -n "${PREFIX}gw-a" link set churn$n up
		ip -n "${PREFIX}gw-a" route add 172.16.$((n % 250)).0/24 dev churn$n
		ip -n "${PREFIX}gw-a" -batch "$STATE/routes" || return 1
		ctl a show >/dev/null && ctl a --json sa show >/dev/null || return 1
		ip -n "${PREFIX}gw-b" neigh flush dev lan0
		ip -n "${PREFIX}gw-a" -batch "$STATE/unroutes" || return 1
		ctl a vti set churn$n description "$n" mtu 1300 && ctl a vti del churn$n || return 1
	done
	echo $n >"$STATE/rounds"
}
check "churn for $((seconds - 2)) s" churn
step "the ping that ran meanwhile lost nothing"
wait $ping || { LOGS+=("$STATE/ping.out"); die "it did"; }
CHECKS=$((CHECKS + 1))
done_ "$(cat "$STATE/rounds") rounds"
sleep 1
for s in a b; do
	equal "SAs of gw-$s" "$(json $s sa show "len(d)")" 2
	check "buffers of gw-$s are not lost" test "$(json $s status "d['mbufs_used']")" -le 512
	pid=$(cat "$STATE/gw-$s/viaductd.pid")
	kill -TERM "$pid"
	wait "$pid"
	equal "gw-$s ends with status" $? 0
	rm -f "$STATE/gw-$s/viaductd.pid"
done
finish
