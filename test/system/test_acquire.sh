#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A packet starts the negotiation: gw-a has trap policies and no SA. The first packets wait and arrive,
# in order and never in the clear; a peer that does not answer costs a bounded queue and few events.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3 tcpdump

HELD_MAX=64 # packets of a family that wait for one VTI

no_sas() { # SITE
	[ "$(json "$1" sa show "len(d)")" = 0 ]
}

gone() {
	check "SAs are gone at gw-a" wait_for 5 no_sas a
	check "SAs are gone at gw-b" wait_for 5 no_sas b
}

terminate() { # SITE SWANCTL_OPTION..
	swan "$1" --terminate "${@:2}" --timeout 10 >/dev/null
	gone
}

send_burst() { # N: numbered UDP packets from host-a to host-b, all at once
	ns host-a python3 - "$1" <<-'X'
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		for i in range(int(sys.argv[1])):
		    s.sendto(str(i).encode(), ("10.2.0.2", 5001))
	X
}

burst() { # N: the same, and what arrives, as one line
	local pid
	ns host-b python3 - "$1" >"$STATE/burst" <<-'X' &
		import socket, sys
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.bind(("10.2.0.2", 5001))
		s.settimeout(6)
		got = []
		try:
		    while len(got) < int(sys.argv[1]):
		        got.append(s.recv(100).decode())
		        s.settimeout(1)
		except TimeoutError:
		    pass
		print(*got)
	X
	pid=$!
	wait_for 5 sh -c "ip netns exec ${PREFIX}host-b ss -Hlun sport = 5001 | grep -q ."
	send_burst "$1"
	wait $pid
	cat "$STATE/burst"
}

trap_installed() {
	swan a --list-pols | grep -q net
}

load_a() { # CHILD_LINE..: gw-a's connection anew
	ike_conf a aes128gcm16 "if_id_in = 1" "if_id_out = 1" "$@" >"$STATE/gw-a/swanctl.conf"
	swan a --load-conns --file "$STATE/gw-a/swanctl.conf" >/dev/null
}

events() {
	grep -c '"acquire"' "$STATE/events"
}

dropped() { # REASON N
	[ "$(drops a "$1")" = "$2" ]
}

routed_to() { # DEV: there and not by the default route
	[ "$(json a route get 10.2.0.2 "d['dev']")" = "$1" ]
}

on_the_wire() { # FILTER: packets captured between the gateways
	tcpdump -r "$STATE/wire.pcap" -n "$1" 2>/dev/null | wc -l
}

in_the_clear() { # packets with an address of the protected networks outside of ESP
	on_the_wire "net 10.1.0.0/16 or net 10.2.0.0/16 or net 2001:db8:1::/48 or net 2001:db8:2::/48"
}

sites_wire
for s in a b; do
	gw_config $s "$(vti_conf $s vti0 "if_id = 1;")"
	gw_start $s
	gw_addresses $s
	vti_up $s
	action=none
	[ $s = b ] || action=trap
	ike_conf $s aes128gcm16 "if_id_in = 1" "if_id_out = 1" "start_action = $action" \
		>"$STATE/gw-$s/swanctl.conf"
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
check "gw-a has a trap policy" wait_for 5 trap_installed
check "and no SA" no_sas a
ns wan tcpdump -i wan-a -w "$STATE/wire.pcap" -U 2>/dev/null &
dump=$!
on_exit "stop_pid $dump"
wait_for 5 test -s "$STATE/wire.pcap"
"$VIADUCTCTL" -s "$STATE/gw-a/run/viaduct/viaduct.sock" --json monitor acquire >"$STATE/events" &
on_exit "stop_pid $!"
sleep 0.2

check "the first ping is answered" no_loss host-a 1 1 10.2.0.2 -W 5
check "gw-a has SAs now" carrier a vti0
equal "one event told of it" "$(events)" 1
equal "it names the packet" "$(python3 -c "
import json
e = json.load(open('$STATE/events'))
print(e['vti'], e['if_id'], e['src'], e['dst'], e['proto'], e['sport'], e['dport'])")" \
	"vti0 1 10.1.0.2 10.2.0.2 1 8 0"
terminate a --ike sites
equal "50 packets at once arrive in order" "$(burst 50)" "$(seq -s ' ' 0 49)"
terminate a --child net
check "IPv6: the first ping is answered" no_loss host-a 1 1 2001:db8:2::2 -W 5
equal "nothing waits any more" "$(json a vti show "d[0]['held']")" 0
terminate b --child net
check "the first ping after the peer ended it" no_loss host-a 1 1 10.2.0.2 -W 5
terminate a --ike sites

load_a "start_action = trap|start"
check "trap|start: SAs without a packet" wait_for 5 carrier a vti0
terminate a --ike sites
check "and with a packet when they have gone" no_loss host-a 1 1 10.2.0.2 -W 5
terminate a --ike sites

load_a "start_action = start" "close_action = trap"
check "close_action = trap: up" wait_for 5 carrier a vti0
terminate b --child net
check "the first ping after the peer ended it" no_loss host-a 1 1 10.2.0.2 -W 5
terminate a --ike sites

load_a "start_action = trap"
check "gw-a has a trap policy" wait_for 5 trap_installed
charon_stop b
before=$(events) lost=$(drops a vti_no_sa)
check "to a peer that does not answer: 3000 packets" send_burst 3000
sleep 6
equal "so many wait" "$(json a vti show "d[0]['held']")" $HELD_MAX
equal "all others are counted" "$(($(drops a vti_no_sa) - lost + $(drops a vti_hold_full)))" $((3000 - HELD_MAX))
told=$(($(events) - before))
check "few events in six seconds ($told)" test $told -ge 2 -a $told -le 4
ip -n "${PREFIX}gw-a" link set vti0 down
check "vti0 down: what waited is dropped" wait_for 3 dropped vti_down $HELD_MAX
equal "nothing waits" "$(json a vti show "d[0]['held']")" 0
ip -n "${PREFIX}gw-a" link set vti0 up
ip -n "${PREFIX}gw-a" route replace 10.2.0.0/16 dev vti0
check "vti0 up: routed to it again" wait_for 5 routed_to vti0
ns host-a ping -q -c 1 -W 20 10.2.0.2 >"$STATE/late" 2>&1 &
ping=$!
sleep 1
charon_start b "$STATE/gw-b/swanctl.conf"
check "the peer comes back: the packet that waited is answered" wait $ping
check "no packet too late" test "$(drops a vti_hold_timeout)" = 0

stop_pid $dump
check "ESP is on the wire" test "$(on_the_wire esp)" -ge 60
equal "packets in the clear on the wire" "$(in_the_clear)" 0
finish
