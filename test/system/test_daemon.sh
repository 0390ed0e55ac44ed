#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The daemon's manners: checks its configuration, refuses a second instance, tells systemd, stops
# cleanly and leaves nothing behind.
. "$(dirname "$0")/lib.sh"
needs python3

sites_wire
gw_config a "$(vti_conf a vti0 "reqid = 1;")"
conf=$STATE/gw-a/viaduct.conf
check "--check accepts it" "$VIADUCTD" --config "$conf" --check
sed 's/idle_us/idle_uss/' "$conf" >"$STATE/bad.conf"
# fails TEXT EDIT: with the configuration so edited it does not start, and its last line says TEXT
fails() {
	sed "$2" "$conf" >"$STATE/fails.conf"
	ns gw-a timeout 20 sh -c 'mount --bind "$1/run" /run && exec "$2" --config "$3"' sh "$STATE/gw-a" "$VIADUCTD" \
		"$STATE/fails.conf" >"$STATE/fails.log" 2>&1
	[ $? = 1 ] && tail -n 1 "$STATE/fails.log" | grep -F "error: $1"
}
check "a port without its interface" fails "port lan0: no interface nosuch0 in this network namespace" \
	's/phy-lan0/nosuch0/'
check "tables larger than the memory" fails "no memory for routing tables of 4096 IPv4" 's/memory_mb.*/memory_mb = 128;/'
check "a socket in no directory" fails "socket directory /no/such: No such file or directory" \
	'1isocket = "/no/such/viaduct.sock";'
check "no twin is left by them" sh -c "! ip -n ${PREFIX}gw-a link show lan0 2>/dev/null"
line=$(grep -n idle_uss "$STATE/bad.conf" | cut -d: -f1)
"$VIADUCTD" --config "$STATE/bad.conf" --check >"$STATE/bad.out" 2>&1
equal "--check refuses an unknown setting" $? 1
check "and names file and line" grep -q "bad.conf:$line:.*idle_uss" "$STATE/bad.out"
check "--version" "$VIADUCTD" --version
check "--help" "$VIADUCTD" --help

# systemd's side of sd_notify: a datagram socket that must get READY=1 and, at the end, STOPPING=1.
python3 - "$STATE/notify" "$STATE/notified" <<'P' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(40)
while True:
    d = s.recv(4096).decode()
    open(sys.argv[2], "a").write(d + "\n")
    if "STOPPING" in d:
        break
P
on_exit "kill $!"
wait_for 5 test -S "$STATE/notify"
export NOTIFY_SOCKET=$STATE/notify
gw_start a
unset NOTIFY_SOCKET
check "readiness is told to systemd" wait_for 5 grep -q READY=1 "$STATE/notified"
equal "the socket is the owner's alone" "$(stat -c %a "$STATE/gw-a/run/viaduct/viaduct.sock")" 600
check "the twins exist" ip -n "${PREFIX}gw-a" link show vti0
sed -e 's/phy-lan0/phy-lan0/' "$conf" >"$STATE/second.conf"
ns gw-a timeout 20 sh -c 'mount --bind "$1/run" /run && exec "$2" --config "$3"' sh "$STATE/gw-a" "$VIADUCTD" "$STATE/second.conf" >"$STATE/second.log" 2>&1
equal "a second instance is refused" $? 1
LOGS+=("$STATE/second.log")
check "and says who has the socket" grep -q "viaduct.sock" "$STATE/second.log"
check "the first one is not disturbed" ctl a status
check "run-time vti add" ctl a vti add vti7 local 192.0.2.1 remote 198.51.100.7 reqid 77
ctl a vti add vti7 local 192.0.2.1 remote 198.51.100.8 reqid 78 >"$STATE/dup" 2>&1
equal "a name twice is refused" $? 1
check "run-time vti set" ctl a vti set vti7 reqid 79 description "to site 7"
equal "and shown" "$(json a vti show vti7 "d[0]['reqid'], d[0]['description']")" "79 to site 7"
check "run-time vti del" ctl a vti del vti7
check "its twin is gone" sh -c "! ip -n ${PREFIX}gw-a link show vti7 2>/dev/null"

# The kernel takes some 20 ms to remove a device, one by one: together these would take it 16 s.
many=800
seq -f 'vti add m%.0f up' $many >"$STATE/adds"
seq -f 'vti del m%.0f' $many >"$STATE/dels"
devices() { ip -n "${PREFIX}gw-a" -o link | grep -c ': m[0-9]'; }
check "$many VTIs at once" ctl a batch "$STATE/adds" atomic
equal "each has its twin" "$(devices)" $many
open_files() { find "/proc/$(cat "$STATE/gw-a/viaductd.pid")/fd" -type l | wc -l; }
files=$(open_files)
timeout 8 "$VIADUCTCTL" -s "$STATE/gw-a/run/viaduct/viaduct.sock" batch "$STATE/dels" atomic >"$STATE/dels.out" 2>&1 &
dels=$!
LOGS+=("$STATE/dels.out")
served() { # while they are deleted
	while kill -0 $dels 2>/dev/null; do
		timeout 3 "$VIADUCTCTL" -s "$STATE/gw-a/run/viaduct/viaduct.sock" status || return 1
	done
}
check "other clients are served while they are deleted" served
check "$many VTIs deleted within 8 s" wait $dels
equal "and none is left in the kernel when it is said" "$(devices)" 0
check "again, none awaiting its answer" ctl a batch "$STATE/adds"
sed 's/.*del \(.*\)/&\nvti add \1/' "$STATE/dels" | head -n 60 >"$STATE/again"
check "a name is free as soon as its VTI is deleted" ctl a batch "$STATE/again"
equal "no twin is missing, none is left over" "$(devices)" $many
equal "no file is left open" "$(open_files)" "$files"

pid=$(cat "$STATE/gw-a/viaductd.pid")
kill -TERM "$pid"
check "SIGTERM ends it, $many VTIs or not" wait_for 10 sh -c "! kill -0 $pid"
wait "$pid"
equal "with status 0" $? 0
rm -f "$STATE/gw-a/viaductd.pid"
check "systemd was told" grep -q STOPPING=1 "$STATE/notified"
check "no socket is left" test ! -e "$STATE/gw-a/run/viaduct/viaduct.sock"
check "no twin is left" sh -c "! ip -n ${PREFIX}gw-a link show vti0 2>/dev/null"
finish
