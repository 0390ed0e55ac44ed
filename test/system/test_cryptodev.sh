#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# gw-a runs its SAs through librte_ipsec over a cryptodev, gw-b through IPsec-MB: they understand
# each other, with every kind of algorithm.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

sites_wire
for s in a b; do
	CRYPTO=ipsec-mb
	[ $s = b ] || CRYPTO=crypto_aesni_mb
	gw_config $s "$(vti_conf $s vti0 "if_id = 1;")"
	gw_start $s
	gw_addresses $s
done
check "gw-a says so" sh -c "$VIADUCTCTL -s $STATE/gw-a/run/viaduct/viaduct.sock status | grep -q crypto_aesni_mb"
first=1
for proposal in aes128gcm16 aes256gcm16 chacha20poly1305 aes128-sha256 aes256-sha512; do
	for s in a b; do
		[ -n "$first" ] || charon_stop $s
		ike_conf $s $proposal-esn-noesn "if_id_in = 1" "if_id_out = 1" >"$STATE/gw-$s/swanctl.conf"
		charon_start $s "$STATE/gw-$s/swanctl.conf"
	done
	check "$proposal: negotiate" initiate a
	for s in a b; do
		check "$proposal: carrier at gw-$s" wait_for 5 carrier $s vti0
		[ -z "$first" ] || vti_up $s
	done
	first=
	check "$proposal: IPv4" wait_for 5 no_loss host-a 20 0.01 10.2.0.2
	check "$proposal: IPv6" wait_for 5 no_loss host-a 20 0.01 2001:db8:2::2
	check "$proposal: large packets" no_loss host-a 10 0.01 10.2.0.2 -s 1300
done
finish
