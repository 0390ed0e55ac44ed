#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Manual keying, FreeBSD if_ipsec(4)'s example: reqid 100 and 200, SPIs 10000 and 10001, from the
# example configuration files and by viaductctl at run time. No IKE.
. "$(dirname "$0")/lib.sh"
needs python3

sites_wire
key_ab=0x000102030405060708090a0b0c0d0e0f key_ba=0x101112131415161718191a1b1c1d1e1f
auth=0x202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f
for s in a b; do
	gw_config "$s"
	gw_start "$s"
	gw_addresses "$s"
done
check "encryption alone is refused" sh -c '! "$0" -s "$1" sa add src 192.0.2.1 dst 198.51.100.1 \
	spi 10000 dir out reqid 100 enc aes-cbc key "$2" 2>&1 | tee /dev/stderr | grep -qi integrity && exit 1; exit 0' \
	"$VIADUCTCTL" "$STATE/gw-a/run/viaduct/viaduct.sock" "$key_ab"
check "vti add at gw-a" ctl a vti add ipsec0 local 192.0.2.1 remote 198.51.100.1 reqid 100
check "vti add at gw-b" ctl b vti add ipsec0 local 198.51.100.1 remote 192.0.2.1 reqid 200
for s in a b; do
	out=out in=in reqid=100
	[ $s = a ] || { out=in in=out reqid=200; }
	check "sa add 10000 at gw-$s" ctl $s sa add src 192.0.2.1 dst 198.51.100.1 spi 10000 dir $out reqid $reqid \
		enc aes-cbc key $key_ab auth hmac-sha2-256-128 auth-key $auth
	check "sa add 10001 at gw-$s" ctl $s sa add src 198.51.100.1 dst 192.0.2.1 spi 10001 dir $in reqid $reqid \
		enc aes-cbc key $key_ba auth hmac-sha2-256-128 auth-key $auth
	check "carrier at gw-$s" wait_for 5 carrier $s ipsec0
	vti_up $s ipsec0
done
check "ping over IPv4" wait_for 5 no_loss host-a 3 0.05 10.2.0.2
check "ping over IPv6" wait_for 5 no_loss host-a 3 0.05 2001:db8:2::2
check "keys are not shown" sh -c '! "$0" -s "$1" --json sa show | grep -qi "0001020304\|2021222324"' \
	"$VIADUCTCTL" "$STATE/gw-a/run/viaduct/viaduct.sock"
equal "SA 10000 counts packets" "$(json b sa show "next(x['packets'] > 0 for x in d if x['spi'] in (10000, '0x00002710'))")" True
equal "every packet that gw-a encrypted is in its cycles by stage" \
	"$(json a stats cycles "{x['stage']: x['packets'] for x in d['stages']}['encrypt']")" \
	"$(json a sa show "next(x['packets'] for x in d if x['spi'] in (10000, '0x00002710'))")"
equal "which also say how busy it is" "$(json a stats cycles interval 1 "0 <= d['workers'][0]['busy_percent'] < 100")" True
check "sa del" ctl a sa del dst 198.51.100.1 spi 10000
check "carrier goes with the SA" wait_for 5 sh -c "! ip -n ${PREFIX}gw-a link show ipsec0 | grep -q LOWER_UP"
before=$(drops a vti_no_sa)
ns host-a ping -q -c 2 -i 0.1 -W 1 10.2.0.2 >/dev/null
check "packets without an SA are dropped by name" test "$(drops a vti_no_sa)" -gt "$before"
finish
