#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What two gateways have carried comes again, mutated: from the wire between them and from both protected
# networks, while traffic passes: IPv4 and IPv6, plain ESP with ESN, UDP-encapsulated and over IPv6. Then nothing has crashed, traffic still passes, buffers are all accounted for, and sanitizers, if
# they are built in, have nothing to report. MUTATED_SECONDS: how long (15).
. "$(dirname "$0")/lib.sh"
needs python3 iperf3

seconds=${MUTATED_SECONDS:-15}
declare -A KEY=([0]=0x000102030405060708090a0b0c0d0e0f10111213 [1]=0x00112233445566778899aabbccddeeff
	[2]=0x$(printf '%072x' 0x1234567))
AUTH=0x$(printf '%064x' 0x7654321)

vtis() { # SITE: one over IPv4, one in UDP, one over IPv6
	local p=${SITE_PEER[$1]}
	local ends4="local = \"${SITE_WAN4[$1]}\"; remote = \"${SITE_WAN4[$p]}\";"
	cat <<-X
		vtis = (
		  { name = "vti0"; $ends4 if_id = 1; rpf = "strict"; },
		  { name = "vti1"; $ends4 if_id = 2; ttl = "copy"; dscp = "copy"; fragment = "after"; mtu = 1500; },
		  { name = "vti2"; local = "${SITE_WAN6[$1]}"; remote = "${SITE_WAN6[$p]}"; if_id = 3; flow_label = "copy"; }
		);
	X
}

# sas SITE FROM TO DIRECTION NUMBER: of the three tunnels, one way
sas() {
	local s=$1 from=$2 to=$3 dir=$4 n=$5
	ctl "$s" sa add src "${SITE_WAN4[$from]}" dst "${SITE_WAN4[$to]}" spi $((10000 + n)) dir "$dir" if_id 1 esn \
		enc aes-gcm-16 key "${KEY[0]}" &&
		ctl "$s" sa add src "${SITE_WAN4[$from]}" dst "${SITE_WAN4[$to]}" spi $((10010 + n)) dir "$dir" if_id 2 \
			encap 4500 4500 enc aes-cbc key "${KEY[1]}" auth hmac-sha2-256-128 auth-key "$AUTH" &&
		ctl "$s" sa add src "${SITE_WAN6[$from]}" dst "${SITE_WAN6[$to]}" spi $((10020 + n)) dir "$dir" if_id 3 \
			enc chacha20-poly1305 key "${KEY[2]}"
}

sites_wire
for s in a b; do
	n=${SITE_NUM[$s]} p=${SITE_NUM[${SITE_PEER[$s]}]}
	gw_config $s "$(vtis $s)"
	sed -i 's/phy-wan0"; }$/phy-wan0"; }, { name = "lan0.7"; parent = "lan0"; vlan = 7; }/' "$STATE/gw-$s/viaduct.conf"
	gw_start $s
	gw_addresses $s
	ip -n "${PREFIX}gw-$s" link set lan0.7 up
	ip -n "${PREFIX}host-$s" addr add 10.$n.1.2/32 dev eth0
	ip -n "${PREFIX}host-$s" addr add 10.$n.7.2/32 dev eth0
	check "SAs at gw-$s, in" sas $s ${SITE_PEER[$s]} $s in "$p"
	check "SAs at gw-$s, out" sas $s $s ${SITE_PEER[$s]} out "$n"
	vti_up $s
	ip -n "${PREFIX}gw-$s" -batch - <<-X || die "cannot configure the VTIs of gw-$s"
		link set vti1 up
		link set vti2 up
		route add 10.$p.1.0/24 dev vti1
		route add 10.$p.7.0/24 dev vti2
		route add 10.$n.1.0/24 via 10.$n.0.2 dev lan0
		route add 10.$n.7.0/24 via 10.$n.0.2 dev lan0
	X
done
# By vti0, vti1, vti2 and, IPv6, vti0. There is a strict reverse path check: answers come the same way.
declare -A FROM=([10.2.0.2]=10.1.0.2 [10.2.1.2]=10.1.1.2 [10.2.7.2]=10.1.7.2 [2001:db8:2::2]=2001:db8:1::2)
pass() {
	local to
	for to in "${!FROM[@]}"; do
		no_loss host-a 10 0.05 "$to" -I "${FROM[$to]}" || return 1
	done
}
first() {
	local to
	for to in "${!FROM[@]}"; do
		wait_for 20 ns host-a ping -q -c 1 -W 1 -I "${FROM[$to]}" "$to" || return 1
	done
}
used() { # SITE: buffers in use
	json "$1" status "d['mbufs_used']"
}
check "first packets through all tunnels" first
ready=32 # buffers, at most, that the host thread keeps at hand for packets of the kernel's
at_rest() {
	local now
	now=$(used "$1")
	echo "$now used"
	[ "$now" -le $ready ]
}
for s in a b; do
	check "buffers of gw-$s in use" wait_for 5 at_rest $s
done

JOBS=()
mutate() { # NAMESPACE DEVICE SITE GATEWAY_DEVICE RATE
	local to
	to=$(ns "gw-$3" cat "/sys/class/net/$4/address")
	ns "$1" timeout $((seconds + 30)) python3 "$here/mutate_wire.py" "$2" "$to" "$seconds" "$5" ${#JOBS[@]} >"$STATE/mutate-$1-$2" 2>&1 &
	JOBS+=($!)
	LOGS+=("$STATE/mutate-$1-$2")
}
busy() { # ADDRESS: pings of all sizes and TCP, until told to stop
	local size=1
	while [ ! -e "$STATE/enough" ]; do
		ns host-a ping -q -c 20 -i 0.002 -W 0.2 -I "${FROM[$1]}" -s $size "$1" >/dev/null 2>&1
		size=$((size * 5 % 3001))
	done
}
ns host-b iperf3 -s -D -I "$STATE/iperf3.pid" >/dev/null 2>&1
on_exit "kill \$(tr -d '\\0' <$STATE/iperf3.pid)"
for to in "${!FROM[@]}"; do
	busy "$to" &
	JOBS+=($!)
done
ns host-a timeout $((seconds + 2)) iperf3 -c 10.2.0.2 -t "$seconds" -b 10M >/dev/null 2>&1 &
JOBS+=($!)
ns host-a timeout $((seconds + 2)) sh -c 'while :; do echo hello >/dev/udp/10.2.1.2/4500; sleep 0.01; done' 2>/dev/null &
JOBS+=($!)
RATE=${MUTATED_RATE:-800}
for s in a b; do
	mutate wan wan-$s $s phy-wan0 "$RATE"
	mutate host-$s eth0 $s phy-lan0 "$RATE"
done
sleep "$seconds"
touch "$STATE/enough"
step "mutated frames of $seconds s"
for j in "${JOBS[@]}"; do
	wait "$j"
done
cat "$STATE"/mutate-* >"$STATE/mutated"
equal "captured and sent on four wires" "$(grep -c ' sent$' "$STATE/mutated")" 4
note "$(paste -sd';' "$STATE/mutated")"
for n in wan host-a host-b gw-a gw-b; do # mutated ARP and ND are believed, too
	ip -n "$PREFIX$n" neigh flush all 2>/dev/null
done
for s in a b; do
	check "gw-$s has not crashed" kill -0 "$(cat "$STATE/gw-$s/viaductd.pid")"
	check "and has dropped what it should" test "$(drops $s ip4_checksum)" -gt 0 -a "$(drops $s esp_icv)" -gt 0 \
		-a "$(drops $s esp_replay)" -gt 0
done
check "traffic passes all tunnels" wait_for 10 pass

# Fragments that wait for others are given up after half a minute.
for s in a b; do
	check "buffers of gw-$s in use: as before" wait_for 40 at_rest $s
done
for s in a b; do
	pid=$(cat "$STATE/gw-$s/viaductd.pid")
	kill -TERM "$pid"
	wait "$pid"
	equal "gw-$s ends with status" $? 0
	rm -f "$STATE/gw-$s/viaductd.pid"
	equal "reports of sanitizers at gw-$s" "$(grep -cE 'Sanitizer|runtime error' "$STATE/gw-$s/viaductd.log")" 0
done
finish
