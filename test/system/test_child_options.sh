#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What a child's options in swanctl.conf come to: window, ESN, DSCP, DF, ECN and hw_offload = auto are
# carried over; what Viaduct does not do is refused, and charon's log says what and under which name.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

refused() { # NAME OPTIONS: a child that both ends have; a responder tells them apart by selectors
	local ts=$((++REFUSED))
	[ "$1" = transport ] && ts= || ts="local_ts = 10.$ts.0.0/16
		remote_ts = 10.$ts.0.0/16"
	printf '%s {\n%s\nreqid = 77\n%s\n}\n' "$1" "$ts" "$2"
}
REFUSED=100
{
	refused transport "esp_proposals = aes128gcm16
		mode = transport"
	refused ah "ah_proposals = sha256"
	refused ipcomp "esp_proposals = aes128gcm16
		ipcomp = yes" # the child does without
	refused tfc "esp_proposals = aes128gcm16
		tfc_padding = 512"
	refused offload "esp_proposals = aes128gcm16
		hw_offload = yes"
	refused set_mark "esp_proposals = aes128gcm16
		set_mark_out = 5"
	refused dscp_in "esp_proposals = aes128gcm16
		copy_dscp = yes"
	refused label "esp_proposals = aes128gcm16
		label = system_u:object_r:viaduct_t:s0
		label_mode = simple"
	refused label_other "esp_proposals = aes128gcm16
		label = label-of-gw-@SITE@"
	refused camellia "esp_proposals = camellia128-sha256"
	refused md5 "esp_proposals = aes128-md5"
	refused tdes "esp_proposals = 3des-sha256"
	refused des "esp_proposals = des-sha256"
	for c in copied plain; do
		[ $c = copied ] && ts=0.0.0.0/0 || ts=::/0
		printf '%s {\nlocal_ts = %s\nremote_ts = %s\nif_id_in = 1\nif_id_out = 1\n' $c $ts $ts
		[ $c = copied ] && printf 'esp_proposals = aes256gcm16-esn\nreplay_window = 256\nhw_offload = auto\n}\n'
		[ $c = plain ] && printf 'esp_proposals = aes128gcm16-noesn\nreplay_window = 0\ncopy_df = no\ncopy_ecn = no\ncopy_dscp = no\n}\n'
	done
} >"$STATE/children"
sites_wire
for s in a b; do
	gw_config $s "$(vti_conf $s vti0 "if_id = 1;")"
	gw_start $s
	gw_addresses $s
	ike_conf $s aes128gcm16 "if_id_in = 1" "if_id_out = 1" | awk -v f="$STATE/children" '
		{ print }
		/children \{/ { while ((getline line < f) > 0) print line }
	' | sed "s/@SITE@/$s/" >"$STATE/gw-$s/swanctl.conf"
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
log=$STATE/gw-a/charon.log
no_child() { # CHILD SENTENCE: not negotiated, no SA stays, and charon says why
	swan a --initiate --child "$1" --timeout 10 && return 1
	grep -F "viaduct: $2" "$STATE"/gw-[ab]/charon.log || return 1
	wait_for 5 [ "$(json a sa show "len(d)")" = 0 ]
}
check "transport mode is refused" no_child transport "transport mode is not supported"
check "AH is refused" no_child ah "AH (ah_proposals) is not supported"
check "IPComp is refused, its child does without" swan a --initiate --child ipcomp --timeout 10
check "and the log says so" grep -F "viaduct: IPComp (ipcomp = yes) is not supported" "$log"
check "close it" swan a --terminate --child ipcomp
check "TFC padding isn't offered, its child does without" swan a --initiate --child tfc --timeout 10
check "and the log says so" grep -F "not using ESPv3 TFC padding" "$log"
check "close it" swan a --terminate --child tfc
check "hw_offload = yes is refused" no_child offload "hw_offload = yes"
check "set_mark is refused" no_child set_mark "a mark set on packets (set_mark_in, set_mark_out) is not supported"
check "copying the DSCP inwards is refused" no_child dscp_in "copying the outer DSCP inwards"
# Labels: the simple mode is between the two charons, the kernel interface is told nothing. The other mode
# needs SELinux in charon itself.
check "a label that both ends have" initiate a label
equal "SAs for it" "$(json a sa show "len(d)")" 2
check "close it" swan a --terminate --child label
check "a label that the peer has not: charon refuses" sh -c "! swanctl --initiate --child label_other --timeout 10 --uri unix://$STATE/gw-a/run/charon.vici"
check "the peer's says so" grep -F "received TS_UNACCEPTABLE notify" "$log"
equal "no SAs for it" "$(json a sa show "len(d)")" 0
ike_conf a aes128gcm16 "label = x" "label_mode = selinux" >"$STATE/selinux.conf"
swan a --load-conns --file "$STATE/selinux.conf" >"$STATE/selinux.out" 2>&1
check "label_mode = selinux is refused by name" grep -F "invalid value for: label_mode" "$STATE/selinux.out"

check "Camellia is refused" no_child camellia "encryption algorithm CAMELLIA_CBC is not supported"
check "MD5 is refused" no_child md5 "integrity algorithm HMAC_MD5_96 is not supported"
check "3DES is refused" no_child tdes "encryption algorithm 3DES_CBC is not supported"
check "DES is refused" no_child des "encryption algorithm DES_CBC is not supported"

flags() { json a sa show "' '.join(next(x['flags'] for x in d if x['dir'] == '$1'))"; }
check "a child with ESN, a window of 256, hw_offload = auto" initiate a copied
equal "its flags" "$(flags out)" "esn copy-df"
equal "window" "$(json a sa show "next(x['replay_window'] for x in d if x['dir'] == 'in')")" 256
check "close it" swan a --terminate --child copied
check "a child without ESN, DF, ECN, DSCP" initiate a plain
equal "its flags" "$(flags out)" "no-copy-dscp no-ecn"
equal "replay_window = 0: no replay protection" "$(flags in) $(json a sa show "next(x['replay_window'] for x in d if x['dir'] == 'in')")" "no-copy-dscp no-ecn no-replay 0"
finish
