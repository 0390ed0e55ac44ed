#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Not one packet of the protected networks shows on the wire between the gateways, whatever happens: the VTI
# down or deleted, no SAs, rekeys, charon or viaductd killed, stopped and started, the configuration
# reloaded, the forwarding table full. Hosts send to each other all the time, both families, and another
# process looks at every frame. It is shown first that it would see one.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

seen() { grep -c '^leak' "$STATE/leaks"; }
sees() { [ "$(seen)" -ge "$1" ]; }
known=0
silent() { # WHAT: nothing was seen that was not seen before
	CHECKS=$((CHECKS + 1))
	step "nothing in the clear: $1"
	[ "$(seen)" = $known ] || { LOGS+=("$STATE/leaks"); die "$(($(seen) - known)) packets"; }
	done_
}
through() { # both families, both ways
	ns host-a ping -q -c 1 -W 1 10.2.0.2 && ns host-a ping -q -c 1 -W 1 2001:db8:2::2 &&
		ns host-b ping -q -c 1 -W 1 10.1.0.2
}
flows() { check "traffic: $1" wait_for 15 through; }
dropped_more() { # SITE REASON: packets are dropped for it now
	local before
	before=$(drops "$1" "$2")
	sleep 0.3
	[ "$(drops "$1" "$2")" -gt "$before" ]
}
without_sa() { # at gw-a: packets for the tunnel are dropped for want of one
	local r n=0
	for r in vti_no_sa vti_hold_full vti_hold_timeout; do
		n=$((n + $(drops a $r)))
	done
	echo $n
}
more_without_sa() {
	local before
	before=$(without_sa)
	sleep 0.3
	[ "$(without_sa)" -gt "$before" ]
}
vti_again() { # SITE: as vti_up, whatever is there already
	local n=${SITE_NUM[$1]} p=${SITE_NUM[${SITE_PEER[$1]}]}
	ip -n "${PREFIX}gw-$1" -batch - <<-X || die "cannot configure vti0 of gw-$1"
		link set vti0 up
		addr replace 10.255.0.$n/30 dev vti0
		addr replace fd00:255::$n/64 dev vti0 nodad
		route replace 10.$p.0.0/16 dev vti0
		route replace 2001:db8:$p::/48 dev vti0
	X
}
behind() { # NAMESPACE COMMAND..: in the background; $! is the command itself
	local n=$PREFIX$1
	shift
	ip netns exec "$n" "$@" >/dev/null &
	on_exit "kill $!"
}
conf_with() { gw_config a "$(vti_conf a vti0 "if_id = 1; $1")" "${@:2}"; }

both_up aes128gcm16
behind wan python3 "$here/wire_watch.py" watch "$STATE/leaks" wan-a wan-b
watcher=$!
check "the wire is watched" wait_for 5 grep -q watching "$STATE/leaks"
mac=$(ns wan cat /sys/class/net/wan-a/address)
ns gw-a python3 "$here/wire_watch.py" frame phy-wan0 10.1.0.2 10.2.0.2 "$mac"
ns gw-a python3 "$here/wire_watch.py" frame phy-wan0 2001:db8:1::2 2001:db8:2::2 "$mac"
check "a frame of either family in the clear is seen" wait_for 5 sees 2
known=2
behind host-a python3 "$here/wire_watch.py" flow 100 10.2.0.2 2001:db8:2::2
behind host-b python3 "$here/wire_watch.py" flow 100 10.1.0.2 2001:db8:1::2
flows "before all"
silent "with SAs"

# The VTI goes down: the kernel drops its routes, and has a default route to the outside.
ip -n "${PREFIX}gw-a" link set vti0 down
check "VTI down: its routes are guarded" wait_for 5 dropped_more a guard
silent "VTI down"
equal "guards are shown" "$(json a route show origin guard "sorted(r['prefix'] for r in d if r['active'])")" \
	"['10.2.0.0/16', '10.255.0.0/30', '2001:db8:2::/48', 'fd00:255::/64']"
check "a guard is deleted by hand" ctl a route del 10.2.0.0/16
check "and so its packets may leave, as the watcher sees" wait_for 5 sees 5
vti_again a
sleep 0.2
known=$(seen)
flows "VTI up, with routes"
equal "no guard is left" "$(json a route show origin guard "len(d)")" 0
for i in 1 2 3; do
	ip -n "${PREFIX}gw-a" link set vti0 down
	ip -n "${PREFIX}gw-a" link set vti0 up
	vti_again a
done
flows "down and up at once, three times"
silent "flapping"

check "SAs are deleted" swan a --terminate --ike sites --timeout 5
check "packets for the tunnel are dropped" wait_for 10 more_without_sa
silent "without SAs"
check "negotiate again" initiate a
flows "new SAs"
for i in 1 2 3; do
	swan a --rekey --child net >/dev/null 2>&1
	sleep 0.3
	swan b --rekey --ike sites >/dev/null 2>&1
	sleep 0.3
done
flows "rekeys"
silent "rekeys"

for s in a b; do
	kill -9 "$(cat "$STATE/gw-$s/charon.pid")"
	rm -f "$STATE/gw-$s/charon.pid"
done
sleep 0.5
for s in a b; do
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
check "both charons killed, negotiate anew" initiate a
flows "charon killed"
silent "charon killed"

conf_with "mtu = 1400; description = \"changed\";"
check "reload: the VTI is changed" ctl a reload
silent "VTI changed"
gw_config a
check "reload: the VTI is removed" ctl a reload
check "its routes are guarded" wait_for 5 dropped_more a guard
sleep 0.5
silent "VTI removed"
conf_with ""
check "reload: it is there again" ctl a reload
sleep 0.3
silent "VTI added, without routes"
vti_again a
flows "VTI added again"
check "vti del" ctl a vti del vti0
sleep 0.5
silent "VTI deleted"
check "vti add" ctl a vti add vti0 local "${SITE_WAN4[a]}" remote "${SITE_WAN4[b]}" if_id 1
vti_again a
flows "VTI deleted and added"
ip -n "${PREFIX}gw-a" link del vti0
sleep 0.5
silent "its kernel device deleted"
check "vti del" ctl a vti del vti0
check "vti add" ctl a vti add vti0 local "${SITE_WAN4[a]}" remote "${SITE_WAN4[b]}" if_id 1
vti_again a
flows "kernel device deleted"

# More routes than fit; then one into the tunnel that finds no room.
for i in $(seq 0 4199); do
	echo "route add 172.16.$((i / 256)).$((i % 256))/32 via 10.1.0.2"
done | ip -n "${PREFIX}gw-a" -batch -
ip -n "${PREFIX}gw-a" route add 10.66.0.0/16 dev vti0
check "no room for a route" wait_for 5 sh -c '"$0" -s "$1" route show | grep "10.66.0.0/16" | grep -q "fib full"' \
	"$VIADUCTCTL" "$STATE/gw-a/run/viaduct/viaduct.sock"
before=$(drops a fib_full)
ns host-a ping -q -c 20 -i 0.02 -W 1 10.66.0.1 >/dev/null 2>&1
check "its packets are dropped" test "$(drops a fib_full)" -ge $((before + 20))
flows "forwarding table full"
silent "forwarding table full"
ip -n "${PREFIX}gw-a" route del 10.66.0.0/16 dev vti0
ip -n "${PREFIX}gw-a" route flush root 172.16.0.0/12
flows "and empty again"

# At the start the default route may be there long before the VTI's. gw-a has the VTI's in its file.
conf_with "" 'routes = ( { to = "10.2.0.0/16"; dev = "vti0"; }, { to = "2001:db8:2::/48"; dev = "vti0"; } );'
kill -TERM "$(cat "$STATE/gw-a/viaductd.pid")"
gw_stop a
sleep 0.3
silent "viaductd stopped"
for signal in TERM KILL; do
	[ $signal = TERM ] || { kill -9 "$(cat "$STATE/gw-a/viaductd.pid")"; rm -f "$STATE/gw-a/viaductd.pid"; sleep 0.3; }
	gw_start a
	gw_addresses a
	sleep 0.5
	silent "started after SIG$signal, no routes but the file's"
	vti_again a
	flows "started after SIG$signal"
done

# gw-b has no such routes, but its outside port lets nothing but ESP leave.
gw_config b "$(vti_conf b vti0 "if_id = 1;")"
sed -i 's/\({ name = "wan0".*\) }/\1 esp_only = true; }/' "$STATE/gw-b/viaduct.conf"
check "reload: esp_only" ctl b reload
flows "esp_only"
for signal in KILL TERM; do
	kill -$signal "$(cat "$STATE/gw-b/viaductd.pid")"
	wait_for 5 sh -c "! kill -0 $(cat "$STATE/gw-b/viaductd.pid")"
	rm -f "$STATE/gw-b/viaductd.pid"
	gw_start b
	gw_addresses b
	check "SIG$signal at gw-b: dropped by esp_only" wait_for 5 dropped_more b esp_only
	silent "started with a default route alone"
	vti_again b
	flows "started after SIG$signal"
done
silent "to the end"
kill $watcher
wait $watcher
tail -1 "$STATE/leaks" >"$STATE/sum"
note "$(cat "$STATE/sum")"
check "the watcher missed no frame and saw the ESP" sh -c 'read -r _ n _ esp _ lost <"$0" && [ $lost = 0 ] && [ $esp -gt 2000 ]' "$STATE/sum"
finish
