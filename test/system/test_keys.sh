#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Where keys are: with SAs from the configuration file and by the API, while packets are encrypted, their
# keys stand in guarded memory alone (locked, in no core file); once the SAs are gone, nowhere in the
# process's memory, as bytes, as text or expanded. Never in a log, an answer, an event, a core file.
. "$(dirname "$0")/lib.sh"
needs python3 setpriv
FIND=$here/find_keys.py

random() { # BYTES
	od -An -v -tx1 -N "$1" /dev/urandom | tr -d ' \n'
}
cbc=$(random 32) hmac=$(random 32) gcm=$(random 20) gcm256=$(random 36) chacha=$(random 36)
sha=$(random 64) spare=$(random 24) refused=$(random 36) unread=$(random 36)
filed=$(random 32) next=$(random 32) batch=$(random 20) undone=$(random 36)
keys=("$filed" "$next" "$batch" "$undone" "$cbc" "$hmac" "$gcm" "$gcm256" "$chacha" "$sha" "$spare" "$refused" "$unread")
sock=$STATE/gw-a/run/viaduct/viaduct.sock

ends() { # SITE: what its SA's source and destination are, outbound
	echo "src ${SITE_WAN4[$1]} dst ${SITE_WAN4[${SITE_PEER[$1]}]}"
}

sas_conf() { # SITE: an SA in each direction, in the file
	local s=$1 near=${SITE_WAN4[$1]} far=${SITE_WAN4[${SITE_PEER[$1]}]} out=20001 in=20002
	[ "$s" = a ] || { out=20002 in=20001; }
	local key=${2:-"key = \"0x$cbc\""}
	local more="reqid = 1; cipher = \"aes-cbc\"; $key; auth = \"hmac-sha2-256-128\"; auth_key = \"0x$hmac\""
	printf 'sas = ( { dir = "out"; src = "%s"; dst = "%s"; spi = %s; %s; },' "$near" "$far" $out "$more"
	printf '{ dir = "in"; src = "%s"; dst = "%s"; spi = %s; %s; } );' "$far" "$near" $in "$more"
}

# Everything that viaductctl prints.
c() { # ARGUMENTS..
	ctl a "$@" >>"$STATE/output" 2>&1
}

# find_all PID: its finds go to the file; the last line of the output counts
find_all() {
	python3 "$FIND" "$1" "${keys[@]}" >"$STATE/finds" 2>"$STATE/finds.log"
}

show_all() {
	local v
	for v in "sa show" "vti show" "policy show" status show stats drops "port show" "route show" "stats cycles"; do
		c $v && c --json $v || return
	done
}

sites_wire
MEMORY_MB=400
ulimit -c unlimited
for s in a b; do
	gw_config "$s" "$(vti_conf "$s" vti0 "reqid = 1;")" "log_level = \"debug\";" "$(sas_conf $s)"
	chmod 600 "$STATE/gw-$s/viaduct.conf"
	gw_start "$s"
	gw_addresses "$s"
	vti_up "$s"
done
pid=$(cat "$STATE/gw-a/viaductd.pid")
ctl a monitor >"$STATE/events" 2>&1 &
monitor=$!
on_exit "kill $monitor"
check "traffic by the file's SAs" wait_for 5 no_loss host-a 20 0.01 10.2.0.2

# By the API: a key from a file, from standard input, as an argument; refused ones too.
printf '0x%s\n' "$gcm" >"$STATE/gcm.key"
check "key from a file" c sa add $(ends a) spi 30001 dir out reqid 2 enc aes-gcm-16 key-file "$STATE/gcm.key"
printf '0x%s\n' "$gcm256" | check "key from standard input" c sa add $(ends a) spi 30002 dir out reqid 2 enc aes-gcm-16 key -
check "key as an argument" c sa add $(ends a) spi 30003 dir out reqid 2 enc chacha20-poly1305 key "0x$chacha"
check "with HMAC" c sa add $(ends a) spi 30004 dir out reqid 2 enc aes-cbc key "0x$spare" \
	auth hmac-sha2-512-256 auth-key "0x$sha"
c sa add $(ends a) spi 30004 dir out reqid 2 enc aes-gcm-16 key "0x$refused"
equal "one that is there already is refused" $? 1
c sa add $(ends a) spi 30005 dir out reqid 2 enc aes-cbc key "0x$unread"
equal "a key of a wrong length too" $? 1
printf 'sa add %s spi 30006 dir out reqid 2 enc aes-gcm-16 key 0x%s\n' "$(ends a)" "$batch" >"$STATE/batch"
check "a batch" c batch "$STATE/batch" atomic
printf 'sa add %s spi 30007 dir out reqid 2 enc aes-gcm-16 key 0x%s\nsa del dst 192.0.2.99 spi 999\n' \
	"$(ends a)" "$undone" >"$STATE/batch"
c batch "$STATE/batch" atomic
equal "one that is undone" $? 1
# The file's SAs get other keys while the daemon runs: from a key file, and then again from the text.
printf '0x%s\n' "$filed" >"$STATE/filed.key"
for key in "key_file = \"$STATE/filed.key\"" "key = \"0x$next\""; do
	for s in a b; do
		gw_config $s "$(vti_conf $s vti0 "reqid = 1;")" "log_level = \"debug\";" "$(sas_conf $s "$key")"
		check "reload at gw-$s with ${key%% *}" ctl $s reload
	done
done
c config dump
check "show everything" show_all
check "traffic again" no_loss host-a 20 0.01 10.2.0.2

find_all "$pid"
equal "keys are found in memory" $? 1
LOGS+=("$STATE/finds" "$STATE/finds.log")
note "$(cat "$STATE/finds.log")"
for k in "$gcm" "$gcm256" "$chacha" "$spare" "$batch" "$next"; do
	check "key ${k:0:8}.. stands in its schedule" grep -q "^${k:0:10}.*guarded" "$STATE/finds"
done
check "none elsewhere" sh -c "! grep -P '\topen$' '$STATE/finds'"
check "no refused key" sh -c "! grep '^${refused:0:10}\|^${unread:0:10}\|^${undone:0:10}' '$STATE/finds'"
check "no replaced key" sh -c "! grep '^${cbc:0:10}\|^${filed:0:10}' '$STATE/finds'"
check "no HMAC key, only its hash states" sh -c "! grep '^${hmac:0:10}\|^${sha:0:10}' '$STATE/finds'"
check "all memory is locked" sh -c "[ \$(sed -n 's/^VmLck:\s*\([0-9]*\).*/\1/p' /proc/$pid/status) -gt 100000 ]"

# Others may not look: not the same user without the capability to trace any process.
check "uid 0 without capabilities may not read it" sh -c "! setpriv --inh-caps -all --bounding-set -all \
	head -c 1 /proc/$pid/maps"
check "no core file" grep -qE '^Max core file size +0 +0 ' "/proc/$pid/limits"
if command -v gcore >/dev/null; then
	setpriv --inh-caps -all --bounding-set -all gcore -o "$STATE/core" "$pid" >"$STATE/gcore.log" 2>&1
	check "gcore without it is refused" sh -c "! ls '$STATE'/core*"
fi

for spi in 30001 30002 30003 30004 30006 20001; do
	check "sa del $spi" c sa del dst "${SITE_WAN4[b]}" spi $spi
done
check "sa flush" c sa flush
sleep 0.5
find_all "$pid"
found=$?
note "$(cat "$STATE/finds.log")"
equal "no key is found in memory any more" $found 0
kill $monitor
for f in output events gw-a/viaductd.log gw-b/viaductd.log; do
	check "$f is there" test -s "$STATE/$f"
	for k in "${keys[@]}"; do
		! grep -qi "${k:0:16}\|${k:32:8}" "$STATE/$f" || die "key ${k:0:8}.. is in $f"
	done
done
check "no key in a log, an answer, an event" true
{ kill -ABRT "$pid" && wait "$pid"; } 2>/dev/null
check "a crash leaves no core file" sh -c "! ls core* '$STATE'/gw-a/core* 2>/dev/null"
finish
