#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The other side is strongSwan's own userspace ESP (kernel-libipsec), which speaks UDP encapsulation
# only: an implementation of ESP that shares nothing with ours. Every algorithm it knows.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3
[ -e /usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so ] || skip "needs libcharon-extra-plugins (kernel-libipsec)"

sites_wire
gw_config a "$(vti_conf a vti0 "if_id = 1;")"
gw_start a
gw_addresses a
# gw-b: no viaductd; its kernel keeps the ports under their own names.
ns gw-b nft delete table netdev viaduct
ns gw-b sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
for d in lan0 wan0; do
	ip -n "${PREFIX}gw-b" link set phy-$d down
	ip -n "${PREFIX}gw-b" link set phy-$d name $d
	ns gw-b sysctl -qw net.ipv6.conf.$d.disable_ipv6=0
done
gw_addresses b
mkdir -p "$STATE/gw-b/run"

first=1
for proposal in aes128gcm16 aes256gcm16 aes256ctr-sha256 aes128-sha1 aes128-sha256 aes192-sha384 aes256-sha512; do
	for s in a b; do
		[ -n "$first" ] || charon_stop $s
		extra=("if_id_in = 1" "if_id_out = 1") esp=kernel-viaduct
		[ $s = a ] || { extra=() esp=kernel-libipsec; }
		ENCAP=yes ike_conf $s $proposal "${extra[@]}" |
			if [ $s = a ]; then cat; else sed -e 's/local_ts = .*/local_ts = 10.2.0.0\/16,2001:db8:2::\/48/' -e 's/remote_ts = .*/remote_ts = 10.1.0.0\/16,2001:db8:1::\/48/'; fi >"$STATE/gw-$s/swanctl.conf"
		charon_start $s "$STATE/gw-$s/swanctl.conf" $esp
	done
	check "$proposal: negotiate" initiate b
	check "$proposal: carrier at gw-a" wait_for 5 carrier a vti0
	[ -z "$first" ] || vti_up a
	first=
	ip -n "${PREFIX}gw-b" route replace 10.1.0.0/16 dev ipsec0
	ip -n "${PREFIX}gw-b" -6 route replace 2001:db8:1::/48 dev ipsec0
	check "$proposal: IPv4" wait_for 5 no_loss host-a 20 0.01 10.2.0.2
	check "$proposal: IPv6" wait_for 5 no_loss host-a 20 0.01 2001:db8:2::2
	check "$proposal: from the other side" no_loss host-b 20 0.01 10.1.0.2
done
equal "no integrity or padding failure at gw-a" "$(drops a esp_icv) $(drops a esp_padding)" "0 0"
finish
