#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# gw-a sits behind a real NAT that changes its address and its ports: IKE notices, ESP goes in UDP,
# and gw-b's VTI, open to any peer, answers to the translated port.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3 tcpdump

sites_wire
ns wan nft -f - <<-X || skip "needs nftables with NAT in this kernel"
	table ip nat {
		chain post {
			type nat hook postrouting priority 100
			oifname "wan-b" ip protocol udp masquerade to :20000-20999
		}
	}
X
gw_config a "$(vti_conf a vti0 "if_id = 1;")"
gw_config b "vtis = ( { name = \"vti0\"; local = \"${SITE_WAN4[b]}\"; if_id = 1; } );"
for s in a b; do
	gw_start $s
	gw_addresses $s
	ike_conf $s aes128gcm16 "if_id_in = 1" "if_id_out = 1" |
		if [ $s = a ]; then cat; else sed 's/remote_addrs = .*/remote_addrs = %any/'; fi >"$STATE/gw-$s/swanctl.conf"
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
check "negotiate" initiate a
for s in a b; do
	check "carrier at gw-$s" wait_for 5 carrier $s vti0
	vti_up $s
done
check "first packet" wait_for 5 ns host-a ping -q -c 1 -W 1 10.2.0.2
port=$(json b sa show "next(x['dport'] for x in d if x['dir'] == 'out')")
check "gw-b sends to a translated port ($port)" test "$port" -ge 20000 -a "$port" -le 20999
check "IPv4" no_loss host-a 50 0.01 10.2.0.2
check "IPv6" no_loss host-a 50 0.01 2001:db8:2::2
check "from the other side" no_loss host-b 50 0.01 10.1.0.2
check "rekey" swan a --rekey --child net
check "IPv4 after the rekey" wait_for 5 no_loss host-a 50 0.01 10.2.0.2
check "large packets, in UDP" no_loss host-a 20 0.01 10.2.0.2 -s 1380
finish
