#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Who may use the API socket: other users and groups with viaductctl, in all their roles. The kernel says
# who a client is; the socket's mode, an own user namespace or what it says of itself don't matter.
. "$(dirname "$0")/lib.sh"
needs python3 setpriv unshare
writers=operator readers=users
for g in $writers $readers; do
	getent group $g >/dev/null || skip "needs the group $g"
done
sock=$STATE/gw-a/run/viaduct/viaduct.sock
chmod 755 "$STATE"
install -m 755 "$VIADUCTCTL" "$STATE/viaductctl" # the build directory may be nobody else's

# as GROUP GROUPS COMMAND..: by uid 4711 and no more than these groups ("" for none)
as() {
	local more=--clear-groups
	[ -z "$2" ] || more="--groups=$2"
	setpriv --reuid 4711 --regid "$1" $more --inh-caps=-all "${@:3}"
}

c() { # GROUP GROUPS ARGUMENTS..: its viaductctl
	as "$1" "$2" "$STATE/viaductctl" -s "$sock" "${@:3}"
}

# refused STATUS TEXT COMMAND..: it fails so, and says TEXT
refused() {
	local status
	"${@:3}" >"$STATE/refused" 2>&1
	status=$?
	cat "$STATE/refused"
	[ $status = "$1" ] && grep -qF "$2" "$STATE/refused"
}

again() { # CONFIGURATION LINES..
	gw_stop a
	gw_config a "$(vti_conf a vti0 "reqid = 1;")" "$@"
	gw_start a
	chmod 755 "$STATE/gw-a" "$STATE/gw-a/run" "$STATE/gw-a/run/viaduct"
}

sites_wire
again
equal "without a setting the socket is the owner's" "$(stat -c '%a %G' "$sock")" "600 root"
check "others are told what to do" refused 3 "api.group or api.read_group" c 4711 "" status

again "api = { group = \"$writers\"; read_group = \"$readers\"; };"
equal "with two groups its mode is" "$(stat -c '%a %G' "$sock")" "666 $writers"
check "who is in none is refused by the daemon" refused 3 \
	"uid 4711 may not use this socket; who may: root, members of the group $writers, members of the group $readers (read only)" \
	c 4711 "" status
check "a reader sees everything" c $readers "" show
check "also by a supplementary group" c 4711 $readers --json sa show
equal "and is told its right" "$(c $readers "" --json status | python3 -c 'import json, sys; print(json.load(sys.stdin)["writable"])')" False
for what in "vti add vti9 reqid 9" "vti set vti0 mtu 1400" "vti del vti0" "sa flush" "policy flush" \
	"sa alloc-spi dst 192.0.2.1" "route add 10.9.0.0/16 dev vti0"; do
	check "but not: $what" refused 1 "may only read" c 4711 $readers $what
done
equal "nothing has changed" "$(json a vti show "[(x['name'], x['mtu']) for x in d]")" "$(json a vti show vti0 "[('vti0', d[0]['mtu'])]")"
c 4711 $readers --json monitor >"$STATE/events" 2>&1 &
monitor=$!
on_exit "kill $monitor"
sleep 0.3
check "a writer changes things" c $writers "" vti add vti8 reqid 8
check "also by a supplementary group" c 4711 "$readers,$writers" vti del vti8
check "a reader's monitor shows it" wait_for 3 grep -q vti8 "$STATE/events"
check "root in a user namespace of its own is who it is outside" refused 3 "uid 4711 may not use" \
	as 4711 "" unshare --user --map-root-user "$STATE/viaductctl" -s "$sock" status

again "api = { read_group = \"$readers\"; };"
equal "with readers alone" "$(stat -c '%a %G' "$sock")" "660 $readers"
check "the kernel keeps out others" refused 3 "Permission denied" c 4711 "" status
check "and lets in readers" c $readers "" status
check "root writes" ctl a vti add vti9 reqid 9

again "api = { group = \"$writers\"; mode = \"0600\"; };"
check "mode 0600 shuts out the group" refused 3 "Permission denied" c $writers "" status
gw_stop a
gw_config a "api = { group = \"no-such-group\"; };"
ns gw-a timeout 20 "$VIADUCTD" --config "$STATE/gw-a/viaduct.conf" >"$STATE/none.log" 2>&1
equal "an unknown group: no start" $? 1
check "which is said" grep -q 'error: api.group = "no-such-group": no such group' "$STATE/none.log"
finish
