#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Two VTIs between the same two addresses, told apart by if_id (one) and by reqid (the other).
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

sites_wire
for s in a b; do
	p=${SITE_PEER[$s]} n=${SITE_NUM[$s]}
	gw_config $s
	gw_start $s
	gw_addresses $s
	check "vti1 by if_id at gw-$s" ctl $s vti add vti1 local ${SITE_WAN4[$s]} remote ${SITE_WAN4[$p]} if_id 11
	check "vti2 by reqid at gw-$s" ctl $s vti add vti2 local ${SITE_WAN4[$s]} remote ${SITE_WAN4[$p]} reqid 22
	# Different selectors, since a responder chooses among its children by them.
	ike_conf $s aes128gcm16 "if_id_in = 11" "if_id_out = 11" | awk '
		/_ts = / { sub(/,.*/, "") }
		{ print }
		/children \{/ { print "second {\nlocal_ts = ::/0\nremote_ts = ::/0\nesp_proposals = aes128gcm16\nreqid = 22\n}" }
	' >"$STATE/gw-$s/swanctl.conf"
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
check "negotiate the child of vti1" initiate a net
check "vti1 has carrier" wait_for 5 carrier a vti1
equal "vti2 has none" "$(json a vti show vti2 "d[0]['carrier']")" False
check "negotiate the child of vti2" initiate a second
check "vti2 has carrier" wait_for 5 carrier a vti2
for s in a b; do
	n=${SITE_NUM[$s]} p=${SITE_NUM[${SITE_PEER[$s]}]}
	ip -n "${PREFIX}gw-$s" -batch - <<-X
		link set vti1 up
		link set vti2 up
		route add 10.$p.0.0/16 dev vti1
		route add 2001:db8:$p::/48 dev vti2
	X
done
tx() { json a vti show "$1" "d[0]['stats']['tx_packets']"; }
wait_for 5 ns host-a ping -q -c 1 -W 1 10.2.0.2
one=$(tx vti1)
check "IPv4 goes by vti1" no_loss host-a 10 0.02 10.2.0.2
equal "10 packets more there" $(($(tx vti1) - one)) 10
wait_for 5 ns host-a ping -q -c 1 -W 1 2001:db8:2::2
two=$(tx vti2)
check "IPv6 goes by vti2" no_loss host-a 10 0.02 2001:db8:2::2
equal "10 packets more there" $(($(tx vti2) - two)) 10
check "reqid changed at run time unbinds the SAs" ctl a vti set vti2 reqid 23
check "vti2 loses its carrier" wait_for 5 sh -c "! ip -n ${PREFIX}gw-a link show vti2 | grep -q LOWER_UP"
check "changed back, they are bound again" ctl a vti set vti2 reqid 22
check "vti2 has carrier" wait_for 5 carrier a vti2
finish
