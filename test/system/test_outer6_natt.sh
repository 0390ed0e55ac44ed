#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# IPv6 outside, and UDP encapsulation over either family.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl tcpdump

sites_wire
for s in a b; do
	gw_config "$s"
	gw_start "$s"
	gw_addresses "$s"
done
first=1
for case in 6:no 4:yes 6:yes; do
	OUTER=${case%:*} ENCAP=${case#*:}
	export OUTER ENCAP
	for s in a b; do
		p=${SITE_PEER[$s]}
		if [ $OUTER = 6 ]; then l=${SITE_WAN6[$s]} r=${SITE_WAN6[$p]}; else l=${SITE_WAN4[$s]} r=${SITE_WAN4[$p]}; fi
		[ -n "$first" ] || { charon_stop $s; ctl $s vti del vti0; ctl $s sa flush; }
		check "IPv$OUTER outside, encapsulation $ENCAP: vti at gw-$s" ctl $s vti add vti0 local $l remote $r if_id 1
		ike_conf $s aes256gcm16 "if_id_in = 1" "if_id_out = 1" >"$STATE/gw-$s/swanctl.conf"
		charon_start $s "$STATE/gw-$s/swanctl.conf"
	done
	first=
	check "negotiate" initiate a
	for s in a b; do
		check "carrier at gw-$s" wait_for 5 carrier $s vti0
		vti_up $s
	done
	check "first packet" wait_for 5 ns host-a ping -q -c 1 -W 1 10.2.0.2
	ns wan timeout 10 tcpdump -n -c 20 -i wan-a -w "$STATE/wire.pcap" "net ${SITE_WAN4[b]} or host ${SITE_WAN6[b]}" 2>/dev/null &
	sleep 0.5
	check "ping over IPv4" no_loss host-a 20 0.02 10.2.0.2
	check "ping over IPv6" no_loss host-a 20 0.02 2001:db8:2::2
	wait $!
	filter="ip$([ $OUTER = 6 ] && echo 6) proto 50"
	[ $ENCAP = no ] || filter="ip$([ $OUTER = 6 ] && echo 6) and udp port 4500"
	equal "on the wire: $filter" "$(tcpdump -n -r "$STATE/wire.pcap" "$filter" 2>/dev/null | wc -l)" 20
done
finish
