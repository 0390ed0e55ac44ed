#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What viaductd may still do after its start: every thread has three capabilities, none comes back, and
# all that happens later still works: devices made and removed, routes followed, the socket removed.
# Then the same as a user that is not root.
. "$(dirname "$0")/lib.sh"
needs python3 setpriv
id nobody >/dev/null 2>&1 || skip "needs the user nobody"

# The line NAME of /proc/PID/status, of all threads: their different values.
of_threads() { # SITE NAME
	sed -n "s/^$2:[[:space:]]*//p" /proc/"$(cat "$STATE/gw-$1/viaductd.pid")"/task/*/status | sort -u | tr -s '\t\n' ' '
}

# works SITE: what the daemon does at run time
works() {
	local s=$1 p
	for p in lan0 wan0 vti0; do
		check "twin $p" ip -n "${PREFIX}gw-$s" link show $p
	done
	check "vti add makes a TUN device" ctl "$s" vti add vti7 local 192.0.2.1 remote 198.51.100.7 reqid 77 up
	check "it is there" ip -n "${PREFIX}gw-$s" link show vti7
	check "vti set mtu reaches it" ctl "$s" vti set vti7 mtu 1300
	equal "and is" "$(ip -n "${PREFIX}gw-$s" -o link show vti7 | grep -o 'mtu [0-9]*')" "mtu 1300"
	check "vti del removes it" ctl "$s" vti del vti7
	check "routes of the kernel are followed" ip -n "${PREFIX}gw-$s" route add 10.77.0.0/16 dev vti0
	check "and are there" wait_for 3 sh -c "\"$VIADUCTCTL\" -s '$STATE/gw-$s/run/viaduct/viaduct.sock' route show | grep -q 10.77.0.0/16"
	check "packets of the kernel's go out of a packet port" ns "gw-$s" ping -q -c 2 -i 0.1 -W 1 "10.${SITE_NUM[$s]}.0.2"
	check "the router is reached" ns "gw-$s" ping -q -c 2 -i 0.1 -W 1 "${SITE_GW4[$s]}"
}

stops() { # SITE
	local pid
	pid=$(cat "$STATE/gw-$1/viaductd.pid")
	kill -TERM "$pid"
	wait "$pid"
	equal "it stops with status" $? 0
	rm -f "$STATE/gw-$1/viaductd.pid"
	check "and leaves no socket" test ! -e "$STATE/gw-$1/run/viaduct/viaduct.sock"
	check "nor a twin" sh -c "! ip -n ${PREFIX}gw-$1 link show vti0 2>/dev/null"
}

both_need="0000000000007000 " # NET_ADMIN 12, NET_RAW 13, IPC_LOCK 14

for s in a b; do
	[ $s = a ] && user= uid="0 0 0 0 " || { user='user = "nobody";' && uid="$(id -u nobody) $(id -u nobody) $(id -u nobody) $(id -u nobody) "; }
	[ $s = b ] || sites_wire
	gw_config $s "$(vti_conf $s vti0 "reqid = 1;")" "$user"
	[ $s = a ] || rm -rf "$STATE/gw-$s/run/viaduct" # made by the daemon
	chmod 755 "$STATE"
	gw_start $s
	gw_addresses $s
	ip -n "${PREFIX}gw-$s" link set vti0 up
	note "gw-$s ${user:-as root}"
	for set in CapEff CapPrm CapBnd; do
		equal "$set of every thread" "$(of_threads $s $set)" "$both_need"
	done
	equal "CapInh, CapAmb" "$(of_threads $s CapInh)$(of_threads $s CapAmb)" "0000000000000000 0000000000000000 "
	equal "NoNewPrivs" "$(of_threads $s NoNewPrivs)" "1 "
	equal "uids" "$(of_threads $s Uid)" "$uid"
	equal "supplementary groups" "$(of_threads $s Groups)" " "
	works $s
	stops $s
done

gw_config a "$(vti_conf a vti0 "reqid = 1;")" 'user = "no-such-user";'
ns gw-a timeout 20 "$VIADUCTD" --config "$STATE/gw-a/viaduct.conf" >"$STATE/none.log" 2>&1
equal "an unknown user: no start" $? 1
check "which is said" grep -q 'error: user = "no-such-user": no such user' "$STATE/none.log"

# A TAP of DPDK's, which makes its device by itself.
LAN="net_tap0,iface=tap-lan" gw_config a "$(vti_conf a vti0 "reqid = 1;")"
gw_start a
check "a net_tap port" ip -n "${PREFIX}gw-a" link show tap-lan
stops a

# Without the right to lock memory, and with a small limit: a warning, and it runs. (Packet sockets'
# rings would not fit that limit: no such ports here.)
LAN=net_null0 WAN=net_null1 gw_config a "$(vti_conf a vti0 "reqid = 1;")"
LOGS+=("$STATE/unlocked.log")
ip netns exec "${PREFIX}gw-a" sh -c 'mount --bind "$1/run" /run && ulimit -l 1024 &&
	exec setpriv --bounding-set -ipc_lock,-sys_resource --inh-caps -ipc_lock,-sys_resource "$2" -c "$1/viaduct.conf"' \
	sh "$STATE/gw-a" "$VIADUCTD" >"$STATE/unlocked.log" 2>&1 &
echo $! >"$STATE/gw-a/viaductd.pid"
check "it starts without CAP_IPC_LOCK" wait_started $! 20 ctl a status
check "and warns" grep -q "warning: memory is not locked, keys may be swapped out" "$STATE/unlocked.log"
equal "CapEff then" "$(of_threads a CapEff)" "0000000000003000 "
stops a
finish
