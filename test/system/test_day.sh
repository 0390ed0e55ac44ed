#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A day in the life of a gateway, in a minute: it boots, the first packet brings the tunnel up, SAs are
# rekeyed, the configuration is reloaded, charon is killed and started, viaductd is killed and
# started, and the other gateway moves to another address. Numbered datagrams flow both ways from the
# first moment to the last, and every one of them is accounted for.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

RATE=${RATE:-200}
CONN_EXTRA="dpd_delay = 2s"
flow=$here/flow.py
R=() S=()
sites_wire
for s in a b; do
	gw_config $s "$(vti_conf $s vti0 "if_id = 1;")"
	gw_start $s
	gw_addresses $s
	vti_up $s
	ike_conf $s aes128gcm16 "if_id_in = 1" "if_id_out = 1" "start_action = trap" | sed 's/mobike = no/mobike = yes/' \
		>"$STATE/gw-$s/swanctl.conf"
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
# A second address for gw-b, for later: it moves there.
ip -n "${PREFIX}gw-b" addr add 198.51.100.7/24 dev wan0

begin_event() { EVENT_BEGIN=$EPOCHREALTIME; }
end_event() { # NAME MOST: datagrams each way that may be lost since begin_event
	echo "$1 $EVENT_BEGIN $EPOCHREALTIME $2" >>"$STATE/events"
}
began=$EPOCHREALTIME
for h in "b 10.2.0.2 a" "a 10.1.0.2 b"; do
	set -- $h
	ip netns exec "${PREFIX}host-$1" python3 "$flow" recv "$2" 7 "$STATE/came-$1" &
	R+=($!)
	on_exit "kill -9 $! 2>/dev/null"
done
sleep 0.5
begin_event
for h in "a 10.2.0.2 b" "b 10.1.0.2 a"; do
	set -- $h
	ip netns exec "${PREFIX}host-$1" python3 "$flow" send "$2" 7 "$RATE" "$STATE/sent-$3" &
	S+=($!)
	on_exit "kill -9 $! 2>/dev/null"
done
for s in a b; do
	check "the first packet brings the tunnel up at gw-$s" wait_for 10 carrier $s vti0
done
# 64 packets of each family wait for an SA; on a slow machine more come.
end_event start $((RATE * 5))

begin_event
for i in 1 2 3; do
	for s in a b; do
		check "rekey from gw-$s" swan $s --rekey --child net
		sleep 0.5
	done
done
end_event rekeys 0

begin_event
for i in 1 2 3; do
	gw_config a "vtis = ( { name = \"vti0\"; local = \"${SITE_WAN4[a]}\"; remote = \"${SITE_WAN4[b]}\"; if_id = 1; },
		{ name = \"spare$i\"; local = \"${SITE_WAN4[a]}\"; remote = \"203.0.113.$i\"; reqid = 7$i; } );"
	check "reload, another VTI in place of the last" ctl a reload
	check "it is there" ctl a vti show spare$i
	sleep 0.3
done
end_event reloads 0

begin_event
kill -9 "$(cat "$STATE/gw-a/charon.pid")"
rm -f "$STATE/gw-a/charon.pid"
sleep 1
charon_start a "$STATE/gw-a/swanctl.conf"
check "charon, killed, negotiates anew" initiate a
for s in a b; do
	check "viaductd and charon agree at gw-$s" wait_for 20 sas_agree $s
done
# The peer drops the old SAs as soon as it answers: what is on its way then has none.
end_event charon_killed $((RATE / 10))

through() { ns host-a ping -q -c 1 -W 1 10.2.0.2; }
begin_event
kill -9 "$(cat "$STATE/gw-a/viaductd.pid")"
rm -f "$STATE/gw-a/viaductd.pid"
check "the twins vanish with viaductd" wait_for 5 sh -c "! ip -n ${PREFIX}gw-a link show vti0 2>/dev/null"
gw_start a
gw_addresses a
vti_up a
check "viaductd, killed, carries traffic again" wait_for 10 through
sleep 0.5
end_event viaductd_killed $((RATE * 8))
for s in a b; do
	check "viaductd and charon agree at gw-$s" wait_for 20 sas_agree $s
done

spis() { json $1 sa show "sorted(x['spi'] for x in d)"; }
old=$(spis a)
begin_event
ip -n "${PREFIX}gw-b" addr del "${SITE_WAN4[b]}/24" dev wan0
ip -n "${PREFIX}gw-b" route replace default via ${SITE_GW4[b]}
check "gw-b, at another address, carries traffic again" wait_for 15 through
sleep 0.5
end_event moved $((RATE * 8))
equal "its SAs moved along" "$(spis a)" "$old"
sleep 2

kill "${S[@]}"
sleep 1
kill "${R[@]}"
wait "${S[@]}" "${R[@]}"
for h in "b a" "a b"; do
	set -- $h
	check "every datagram from gw-$2 to gw-$1 is accounted for" python3 "$flow" account "$STATE/events" "$STATE/sent-$1" "$STATE/came-$1"
	note "$(cat "$STATE/check.out")"
done
finish
