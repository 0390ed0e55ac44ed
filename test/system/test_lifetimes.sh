#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Soft and hard limits of time, bytes and packets with a real charon: each soft one leads to a rekeying,
# each hard one to the end of the SA, told once by an event and acted on by charon. Hard limits of packets
# are exact on the way out. And what depends on an SA's last use: dead-peer detection asks only where
# nothing came, and an idle CHILD_SA is closed.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

both_ready aes128gcm16
first=yes

# limits LINE..: gw-a's CHILD_SA is set up anew with these lines, gw-b's without limits
limits() {
	local s
	swan a --terminate --ike sites >/dev/null 2>&1
	ike_conf a aes128gcm16 "if_id_in = 1" "if_id_out = 1" "rand_time = 0" "rand_bytes = 0" "rand_packets = 0" "$@" >"$STATE/gw-a/swanctl.conf"
	CONN_EXTRA="" ike_conf b aes128gcm16 "if_id_in = 1" "if_id_out = 1" "rekey_time = 0" "life_time = 0" >"$STATE/gw-b/swanctl.conf"
	for s in a b; do
		swan $s --load-all --file "$STATE/gw-$s/swanctl.conf" >/dev/null || return 1
	done
	initiate a || return 1
	for s in a b; do
		wait_for 5 carrier $s vti0 || return 1
		[ -z "$first" ] || vti_up $s
	done
	first=
	wait_for 5 ns host-a ping -q -c 1 -W 1 10.2.0.2 || return 1
	"$VIADUCTCTL" -s "$STATE/gw-a/run/viaduct/viaduct.sock" --json monitor sa >"$STATE/events" &
	monitor=$!
	on_exit "stop_pid $monitor"
	sleep 0.2
	log_from=$(wc -l <"$STATE/gw-a/charon.log")
	spi_in=$(json a sa show "next(x['spi'] for x in d if x['dir'] == 'in')")
	spi_out=$(json a sa show "next(x['spi'] for x in d if x['dir'] == 'out')")
}

log() { # PATTERN: in charon's log since limits()
	tail -n +$((log_from + 1)) "$STATE/gw-a/charon.log" | grep -q "$1"
}

events() { # soft | hard [SPI]: how many of that SA, or of all
	python3 - "$STATE/events" "$@" <<-'X'
		import json, sys
		hard = sys.argv[2] == "hard"
		evs = [json.loads(l) for l in open(sys.argv[1]) if l.strip()]
		evs = [e for e in evs if e.get("event") == "sa_expire"]
		print(sum(e["hard"] == hard and (len(sys.argv) < 4 or e["spi"] == int(sys.argv[3])) for e in evs))
	X
}

has_event() {
	[ "$(events "$@")" -ge 1 ]
}

pings() { # COUNT
	ns host-a ping -q -c "$1" -i 0.005 -W 1 10.2.0.2 >/dev/null
}

rekeyed() { # TEXT: charon was asked once, by an SA's soft event, and did it
	check "$1: charon rekeys" wait_for 5 log "CHILD_SA net{[0-9]*} established"
	check "$1: asked by a soft event" has_event soft
	equal "$1: at most one of either SA" "$(($(events soft "$spi_in") <= 1 && $(events soft "$spi_out") <= 1))" 1
	equal "$1: no hard one" "$(events hard)" 0
	check "$1: traffic goes on" no_loss host-a 20 0.01 10.2.0.2
	stop_pid $monitor
}

ended() { # TEXT: the SA's end is told, and charon deletes it
	check "$1: a hard event" wait_for 5 has_event hard
	equal "$1: at most one of either SA" "$(($(events hard "$spi_in") <= 1 && $(events hard "$spi_out") <= 1))" 1
	check "$1: charon hears of it" wait_for 5 log "hard expired\|CHILD_SA.*expired\|closing expired CHILD_SA"
	check "$1: the SAs go" wait_for 5 gone
	stop_pid $monitor
}

gone() { # the SAs that limits() saw
	[ "$(json a sa show "sum(x['spi'] in ($spi_in, $spi_out) for x in d)")" = 0 ]
}

check "rekey_packets = 100" limits "rekey_packets = 100" "life_packets = 100000"
pings 150
rekeyed "packets, soft"
check "rekey_bytes = 20000" limits "rekey_bytes = 20000" "life_bytes = 10000000"
pings 300
rekeyed "bytes, soft"
check "rekey_time = 2s" limits "rekey_time = 2s" "life_time = 60s"
pings 100
rekeyed "time, soft"

check "life_packets = 50" limits "rekey_packets = 0" "life_packets = 50"
ns host-a ping -q -f -c 200 -W 1 10.2.0.2 >"$STATE/flood" 2>&1
ended "packets, hard"
equal "packets, hard: gw-b received 50 of 84 bytes, not one more" \
	"$(grep 'closing CHILD_SA' "$STATE/gw-b/charon.log" | tail -1 | sed 's/.*_i (\([0-9]*\) bytes.*/\1/')" $((50 * 84))
check "life_bytes = 10000" limits "rekey_bytes = 0" "life_bytes = 10000"
pings 300
ended "bytes, hard"
check "life_time = 2s" limits "rekey_time = 0" "life_time = 2s"
sleep 2
ended "time, hard"

# An SA near the end of its sequence numbers: no limit needed.
check "a VTI for it" ctl a vti add seq0 reqid 77
"$VIADUCTCTL" -s "$STATE/gw-a/run/viaduct/viaduct.sock" --json monitor sa >"$STATE/events" &
monitor=$!
on_exit "stop_pid $monitor"
sleep 0.2
check "an SA with ten sequence numbers left" ctl a sa add src 192.0.2.1 dst 198.51.100.1 spi 7777 dir out reqid 77 \
	enc aes-gcm-16 key 0x000102030405060708090a0b0c0d0e0f10111213 seq 4294967286
check "it is to be rekeyed" wait_for 2 has_event soft 7777
ip -n "${PREFIX}gw-a" link set seq0 up
ip -n "${PREFIX}gw-a" route add 10.77.0.0/16 dev seq0
before=$(drops a esp_seq_exhausted)
ns host-a ping -q -c 15 -i 0.002 -W 1 10.77.0.1 >/dev/null
check "and ends when they are used up" wait_for 2 has_event hard 7777
equal "ten were sent" "$(json a sa show "next((x['packets'], x['seq']) for x in d if x['spi'] == 7777)")" "(10, 4294967295)"
equal "each event came once" "$(events soft 7777) $(events hard 7777)" "1 1"
stop_pid $monitor
check "it is deleted" ctl a sa del dst 198.51.100.1 spi 7777
check "and its VTI" ctl a vti del seq0

# Dead-peer detection: gw-a asks each second, unless something came from gw-b.
CONN_EXTRA="dpd_delay = 1s" limits "rekey_time = 0" "life_time = 0" || die "with dpd_delay"
ns host-a ping -q -c 400 -i 0.01 -W 1 10.2.0.2 >/dev/null
requests=$(tail -n +$((log_from + 1)) "$STATE/gw-a/charon.log" | grep -c "sending DPD request")
check "with traffic at most one DPD request in 4 s ($requests)" test "$requests" -le 1
log_from=$(wc -l <"$STATE/gw-a/charon.log")
sleep 4
requests=$(tail -n +$((log_from + 1)) "$STATE/gw-a/charon.log" | grep -c "sending DPD request")
check "without, some ($requests)" test "$requests" -ge 2
stop_pid $monitor

check "inactivity = 3s" limits "rekey_time = 0" "life_time = 0" "inactivity = 3s"
ns host-a ping -q -c 60 -i 0.1 -W 1 10.2.0.2 >/dev/null
check "in use for 6 s: still there" test "$(json a sa show "sum(x['spi'] in ($spi_in, $spi_out) for x in d)")" = 2
check "then idle: closed" wait_for 12 gone
check "by charon, as inactive" log "inactiv"
stop_pid $monitor
finish
