#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# CHILDREN (1000) child SAs, each with a VTI of its own, come up, are rekeyed and go, all between two
# charons. A ping through the first one runs all the time and loses nothing. Prints the times.
. "$(dirname "$0")/lib.sh"
needs /usr/lib/ipsec/charon swanctl python3

count=${CHILDREN:-1000}
sites_wire
children() { # as much configuration as charon needs for children net1 .. net$count
	python3 - "$count" <<-'P'
		import sys
		for i in range(1, int(sys.argv[1]) + 1):
		    inner = "fd00:%x::/64" % i if i > 1 else "0.0.0.0/0,::/0"
		    print("""net%d {\n local_ts = %s\n remote_ts = %s\n esp_proposals = aes128gcm16
		 if_id_in = %d\n if_id_out = %d\n life_time = 1h\n rekey_time = 0\n}""" % (i, inner, inner, i, i))
	P
}
vtis() { # SITE: vti1 .. vti$count
	python3 - "$count" "${SITE_WAN4[$1]}" "${SITE_WAN4[${SITE_PEER[$1]}]}" <<-'P'
		import sys
		n, local, remote = int(sys.argv[1]), sys.argv[2], sys.argv[3]
		print("vtis = (" + ",\n".join('{ name = "vti%d"; local = "%s"; remote = "%s"; if_id = %d; }'
		      % (i, local, remote, i) for i in range(1, n + 1)) + ");")
	P
}
took() { # TEXT: since `begin`
	note "$1 after $(((${EPOCHREALTIME/./} - begin) / 1000)) ms"
}
for s in a b; do
	# Thousands of links would each be given an IPv6 address and told to every other one.
	ns gw-$s sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	gw_config $s "$(vtis $s)"
	begin=${EPOCHREALTIME/./}
	gw_start $s
	took "gw-$s with $count VTIs"
	ns gw-$s sysctl -qw net.ipv6.conf.default.disable_ipv6=0 net.ipv6.conf.lan0.disable_ipv6=0 \
		net.ipv6.conf.wan0.disable_ipv6=0 net.ipv6.conf.vti1.disable_ipv6=0
	gw_addresses $s
	ike_conf $s aes128gcm16 >"$STATE/gw-$s/one.conf"
	children >"$STATE/gw-$s/children.conf"
	awk -v f="$STATE/gw-$s/children.conf" '
		/net \{/ { while ((getline line < f) > 0) print line; skip = 1 }
		!skip { print }
		/\}/ { skip = 0 }
	' "$STATE/gw-$s/one.conf" >"$STATE/gw-$s/swanctl.conf"
	charon_start $s "$STATE/gw-$s/swanctl.conf"
done
check "the first child" initiate a net1
for s in a b; do
	vti_up $s vti1
done
check "first packet" wait_for 5 ns host-a ping -q -c 1 -W 1 10.2.0.2
ip netns exec "${PREFIX}host-a" ping -q -i 0.01 -W 2 10.2.0.2 >"$STATE/ping" 2>&1 &
ping=$!
on_exit "kill $ping 2>/dev/null"
in_sync() { # SITE SAS
	[ "$(json "$1" status "d['sas']")" = "$2" ]
}
each() { # ACTION: swanctl does it to every child but the first, by one process after the other
	local i
	for i in $(seq 2 "$count"); do
		swan a "$1" --child "net$i" >/dev/null 2>&1 || return 1
	done
}
begin=${EPOCHREALTIME/./}
check "$count children come up" each --initiate
took "up"
for s in a b; do
	check "$((count * 2)) SAs at gw-$s" wait_for 10 in_sync $s $((count * 2))
	equal "VTIs with carrier at gw-$s" "$(json $s vti show "sum(x['carrier'] for x in d)")" "$count"
done
before=$(json a sa show "sorted(x['spi'] for x in d)")
begin=${EPOCHREALTIME/./}
check "all are rekeyed" each --rekey
took "rekeyed"
for s in a b; do
	check "$((count * 2)) SAs at gw-$s" wait_for 20 in_sync $s $((count * 2))
	check "viaductd and charon agree at gw-$s" wait_for 10 sas_agree $s
done
equal "SPIs that stayed" "$(json a sa show "len(set(x['spi'] for x in d) & set($before))")" 2
begin=${EPOCHREALTIME/./}
check "all but the first are closed" each --terminate
took "closed"
for s in a b; do
	check "2 SAs at gw-$s" wait_for 20 in_sync $s 2
done
kill -INT $ping
wait $ping
note "$(grep 'packets transmitted' "$STATE/ping")"
check "the ping lost nothing" grep -q ' 0% packet loss' "$STATE/ping"
finish
