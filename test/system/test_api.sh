#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The API as a product: batches that happen as a whole or not at all, also with VTIs and their kernel
# devices; rekeying by them without a lost packet; tens of thousands of SAs installed beside traffic; events;
# keys that no process list shows.
. "$(dirname "$0")/lib.sh"
needs python3
bench=$BUILD/test/bench/bench_api

sites_wire
for s in a b; do
	gw_config $s "$(vti_conf $s vti0 "reqid = 10;")"
	gw_start $s
	gw_addresses $s
done
sock=$STATE/gw-a/run/viaduct/viaduct.sock
a=${SITE_WAN4[a]} b=${SITE_WAN4[b]}
key() { printf '0x%040x' "$1"; }

# pair SITE N: SA pair number N of that site, as lines for viaductctl batch
pair() {
	local ab=out ba=in
	[ "$1" = a ] || { ab=in ba=out; }
	echo "sa add src $a dst $b spi $((0x10000 + $2)) dir $ab reqid 10 enc aes-gcm-16 key $(key $((0x1000 + $2)))"
	echo "sa add src $b dst $a spi $((0x20000 + $2)) dir $ba reqid 10 enc aes-gcm-16 key $(key $((0x2000 + $2)))"
}
unpair() {
	echo "sa del dst $b spi $((0x10000 + $1))"
	echo "sa del dst $a spi $((0x20000 + $1))"
}
# atomic SITE: its commands from standard input, as one
atomic() { ctl "$1" batch --atomic -; }
# state SITE: all there is but what counts up by itself
state() {
	{
		ctl "$1" --json show | grep -vE '"(age_s|idle_s|packets|bytes|seq|[rt]x_[a-z]*|busy_[a-z]*|turns|mbufs_used|uptime_s|punted|injected|mirrored)"'
		ip -n "${PREFIX}gw-$1" -o link show | sed 's/ qlen.*//'
	}
}

for s in a b; do
	check "first SAs at gw-$s, by a batch" atomic $s <<<"$(pair $s 1)"
	check "carrier" wait_for 5 carrier $s vti0
	vti_up $s
done
check "first packets" wait_for 5 no_loss host-a 3 0.05 10.2.0.2

# One that fails anywhere: nothing has happened, in the daemon or in the kernel.
ctl a route add 10.3.0.0/16 blackhole >/dev/null
ctl a vti add spare0 local "$a" remote 203.0.113.9 reqid 50 mtu 1300 >/dev/null
sleep 0.3
state a >"$STATE/before"
batch="vti add new0 local $a remote 203.0.113.1 reqid 51 up
vti set spare0 mtu 1200 description 'another one' reqid 60
route add 10.3.0.0/16 prohibit
route add 10.4.0.0/16 dev new0
$(pair a 2)
$(unpair 1)
vti del spare0"
atomic a <<<"$batch
sa del dst 192.0.2.77 spi 9999" >"$STATE/out" 2>&1
equal "a batch with a line that fails" $? 1
check "is told so, by line" grep -q '^viaductctl: stdin:10: .*0x0000270f' "$STATE/out"
check "and no other line is blamed" [ "$(grep -c stdin: "$STATE/out")" = 2 ]
sleep 0.3
state a >"$STATE/after"
check "nothing has changed" diff "$STATE/before" "$STATE/after"
check "packets pass" no_loss host-a 5 0.02 10.2.0.2
ctl a batch --atomic - <<<"vti add new1
nonsense here" >"$STATE/out" 2>&1
equal "a line that is no command" $? 2
check "with its number" grep -q '^viaductctl: stdin:2: unknown object' "$STATE/out"
check "leaves nothing either" sh -c "! ip -n ${PREFIX}gw-a link show new1"
ctl a batch --atomic - <<<"sa flush" >"$STATE/out" 2>&1
equal "flushes can't be taken back" $? 1
check "the same batch without it" atomic a <<<"$(grep -v unpair <<<"$batch" | grep -v '^sa ')"
check "its VTI is in the kernel" ip -n "${PREFIX}gw-a" link show new0
check "its route leads there" [ "$(json a route get 10.4.0.1 "d['dev']")" = new0 ]
check "what it deleted is gone" sh -c "! ip -n ${PREFIX}gw-a link show spare0"
echo "route del 10.4.0.0/16
sa del dst 192.0.2.77 spi 9999
# each for itself

route del 10.3.0.0/16
vti del 'new0'" >"$STATE/lines"
ctl a batch "$STATE/lines" >"$STATE/out" 2>&1
equal "without --atomic one line may fail" $? 1
check "it is named" grep -q "^viaductctl: $STATE/lines:2: " "$STATE/out"
check "the others are done" sh -c "! ip -n ${PREFIX}gw-a link show new0"

# Make before break, both ends, one batch each.
no_loss host-a 3000 0.002 10.2.0.2 >"$STATE/ping.out" 2>&1 &
ping=$!
rekeys() {
	local n
	for n in {2..20}; do
		# The new inbound SAs are there before either end sends with them.
		atomic a <<<"$(pair a $n | grep 'dir in')" && atomic b <<<"$(pair b $n | grep 'dir in')" || return 1
		atomic a <<<"$(pair a $n | grep 'dir out'; unpair $((n - 1)) | head -n 1)" &&
			atomic b <<<"$(pair b $n | grep 'dir out'; unpair $((n - 1)) | tail -n 1)" || return 1
		sleep 0.05 # what is on its way
		atomic a <<<"$(unpair $((n - 1)) | tail -n 1)" && atomic b <<<"$(unpair $((n - 1)) | head -n 1)" || return 1
	done
}
check "19 rekeys by batches" rekeys
step "the ping that ran meanwhile lost nothing"
wait $ping || { LOGS+=("$STATE/ping.out"); die "it did"; }
CHECKS=$((CHECKS + 1))
done_
equal "one pair is left" "$(json a sa show "len(d)")" 2

# Tens of thousands of SAs come and go beside traffic.
dropped() { json "$1" drops all "sum(x['packets'] for x in d)"; }
before=$(dropped a)
no_loss host-a 4000 0.001 10.2.0.2 >"$STATE/ping.out" 2>&1 &
ping=$!
check "50,000 SAs added and removed, three times" "$bench" -s "$sock" --sas 50000 --rounds 3
note "$(grep -h SAs "$STATE/check.out" | tail -n 2)"
check "again, into 100 VTIs" "$bench" -s "$sock" --sas 50000 --rounds 3 --tunnels 100
note "$(grep -h SAs "$STATE/check.out" | tail -n 2)"
step "the ping that ran meanwhile lost nothing"
wait $ping || { LOGS+=("$STATE/ping.out"); die "it did"; }
CHECKS=$((CHECKS + 1))
done_
equal "no packet was dropped" "$(dropped a)" "$before"
equal "its own pair of SAs is left" "$(json a sa show "len(d)")" 2

# Events, for people and for programs.
ctl a monitor drops rate 50 >"$STATE/drops" 2>&1 &
on_exit "kill $!"
ctl a --json monitor vti drops rate 50 >"$STATE/json" 2>&1 &
on_exit "kill $!"
ctl a monitor sa rate 1 >"$STATE/quiet" 2>&1 &
on_exit "kill $!"
ctl a route add 10.2.99.0/24 blackhole
sleep 0.3
ns host-a ping -q -i 0.002 -c 1500 -W 1 10.2.99.1 >/dev/null 2>&1
check "drops above a rate are told of" wait_for 5 grep -q ' drops blackhole above 50 per second, [0-9]* per second now' "$STATE/drops"
check "and when it is over" wait_for 5 grep -q ' drops blackhole no longer above 50 ' "$STATE/drops"
equal "once each" "$(grep -c blackhole "$STATE/drops")" 2
ctl a vti set vti0 description seen
check "in JSON too, with a VTI's change" wait_for 5 python3 - "$STATE/json" <<'P'
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
drops = [e for e in events if e["event"] == "drops"]
assert [e["over"] for e in drops] == [True, False], drops
assert drops[0]["name"] == "blackhole" and drops[0]["per_second"] > 50 and drops[0]["threshold"] == 50
assert any(e["event"] == "vti" and e["description"] == "seen" for e in events), events
P
check "who asked for other events gets none of these" test ! -s "$STATE/quiet"

# Keys, by the documented ways, while the process waits for the rest of its input.
secret=0x5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2
mkfifo "$STATE/fifo"
words="src $a dst $b dir out reqid 77 enc aes-gcm-16"
# shown NAME COMMAND..: what /proc shows of it while it reads the fifo
shown() {
	local name=$1
	shift
	"$@" <"$STATE/fifo" >"$STATE/out" 2>&1 &
	exec 9>"$STATE/fifo"
	sleep 0.2
	tr '\0' ' ' </proc/$!/cmdline >"$STATE/cmdline"
	echo "${line:-}$secret" >&9
	exec 9>&-
	wait $! || { LOGS+=("$STATE/out"); die "$name"; }
	check "$name: no key in /proc" sh -c "grep -q viaductctl '$STATE/cmdline' && ! grep -qi 5ec2e7 '$STATE/cmdline'"
}
# shellcheck disable=SC2086
shown "key -" "$VIADUCTCTL" -s "$sock" sa add $words spi 30001 key -
# shellcheck disable=SC2086
shown "key-file" "$VIADUCTCTL" -s "$sock" sa add $words spi 30002 key-file /dev/stdin
line="sa add $words spi 30003 key " shown "batch -" "$VIADUCTCTL" -s "$sock" batch -
equal "all three are installed" "$(json a sa show reqid 77 "len(d)")" 3
check "the help warns of keys among the arguments" sh -c "'$VIADUCTCTL' sa add --help | grep -q 'process list'"
finish
