#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Several VTIs to several peers: gw-a has one to gw-b and one to gw-c, and the sites behind those
# reach each other through it.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

SITES="a b c"
sites_wire
for s in b c; do
	gw_config $s "$(vti_conf $s vtia "if_id = 1;")"
	ike_conf $s aes128gcm16 "if_id_in = 1" "if_id_out = 1" >"$STATE/gw-$s/swanctl.conf"
done
gw_config a
: >"$STATE/gw-a/swanctl.conf"
for s in b c; do
	n=${SITE_NUM[$s]}
	SITE_PEER[a]=$s
	ike_conf a aes128gcm16 "if_id_in = $n" "if_id_out = $n" |
		sed -e "s/sites {/to-$s {/" -e "s/net {/net-$s {/" -e "s/ike {/ike-$s {/" >>"$STATE/gw-a/swanctl.conf"
done
for s in a b c; do
	gw_start $s
	gw_addresses $s
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
for s in b c; do
	n=${SITE_NUM[$s]}
	check "vti add vti$s at gw-a" ctl a vti add vti$s local ${SITE_WAN4[a]} remote ${SITE_WAN4[$s]} if_id $n \
		description "to site $s"
	check "negotiate with gw-$s" initiate a net-$s
	check "carrier of vti$s" wait_for 5 carrier a vti$s
	check "carrier of vtia at gw-$s" wait_for 5 carrier $s vtia
	ip -n "${PREFIX}gw-a" -batch - <<-X
		link set vti$s up
		route add 10.$n.0.0/16 dev vti$s
		route add 2001:db8:$n::/48 dev vti$s
	X
	# Everything that is neither local nor the wan's goes to gw-a.
	ip -n "${PREFIX}gw-$s" -batch - <<-X
		link set vtia up
		route add 10.0.0.0/8 dev vtia
		route add 2001:db8::/44 dev vtia
	X
done
for from in a b c; do
	for to in 1 2 3; do
		[ ${SITE_NUM[$from]} != $to ] || continue
		check "host-$from to site $to, IPv4" wait_for 5 no_loss host-$from 5 0.02 10.$to.0.2
		check "host-$from to site $to, IPv6" wait_for 5 no_loss host-$from 5 0.02 2001:db8:$to::2
	done
done
check "vtib carries only its own" test "$(json a vti show vtib "d[0]['stats']['tx_packets']")" -gt 0
check "vti del vtib" ctl a vti del vtib
check "site c is not disturbed" no_loss host-a 10 0.02 10.3.0.2
finish
